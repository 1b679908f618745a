// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board of an x86-64 guest of guest_memfd_linux: KVM's interrupt controllers
 * and timer, two serial ports, the reset line of the keyboard controller, and
 * the MP table (MultiProcessor Specification 1.4) that describes it.
 */
#include "linux_boot.h"
#include "processor.h"

#define COM1			0x3f8
#define COM1_IRQ		4
#define COM2			0x2f8
#define COM2_IRQ		3
#define COM_PORTS		8
#define KEYBOARD_PORT		0x64
#define KEYBOARD_PULSE_RESET	0xfe

/* Free guest physical addresses that KVM needs on Intel: three pages and one. */
#define TSS_GPA			0xfffbd000ul
#define IDENTITY_MAP_GPA	0xfffbc000ull

#define LAPIC_GPA		0xfee00000u
#define IOAPIC_GPA		0xfec00000u
#define LAPIC_VERSION		0x14
#define IOAPIC_VERSION		0x11
#define NR_ISA_IRQS		16
#define CASCADE_IRQ		2
#define ISA_BUS			0

enum mp_entry { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_INTERRUPT, MP_LOCAL_INTERRUPT };
enum mp_interrupt { MP_INT, MP_NMI, MP_SMI, MP_EXTINT };
#define MP_CPU_ENABLED		1
#define MP_CPU_BOOT		2
#define MP_IOAPIC_ENABLED	1
#define MP_ALL_LAPICS		0xff
#define MP_REVISION		4

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t paragraphs;
	uint8_t revision;
	uint8_t checksum;
	uint8_t features[5];
} __packed;

struct mp_table {
	char signature[4];
	uint16_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[8];
	char product[12];
	uint32_t oem_table;
	uint16_t oem_size;
	uint16_t nr_entries;
	uint32_t lapic;
	uint32_t extended;
} __packed;

struct mp_processor {
	uint8_t type;
	uint8_t apic_id;
	uint8_t apic_version;
	uint8_t flags;
	uint32_t signature;
	uint32_t features;
	uint32_t reserved[2];
} __packed;

struct mp_bus {
	uint8_t type;
	uint8_t id;
	char name[6];
} __packed;

struct mp_ioapic {
	uint8_t type;
	uint8_t id;
	uint8_t version;
	uint8_t flags;
	uint32_t address;
} __packed;

struct mp_interrupt_entry {
	uint8_t type;
	uint8_t kind;
	uint16_t flags;
	uint8_t bus;
	uint8_t irq;
	uint8_t apic;
	uint8_t pin;
} __packed;

/* Appends an entry to the table. */
static void add_entry(struct mp_table *table, const void *entry, size_t size)
{
	memcpy((char *)table + table->length, entry, size);
	table->length += size;
	table->nr_entries++;
}

static void add_processors(struct mp_table *table, int nr_cpus)
{
	int i;

	for (i = 0; i < nr_cpus; i++) {
		struct mp_processor cpu = {
			.type = MP_PROCESSOR,
			.apic_id = i,
			.apic_version = LAPIC_VERSION,
			.flags = MP_CPU_ENABLED | (i ? 0 : MP_CPU_BOOT),
		};

		add_entry(table, &cpu, sizeof(cpu));
	}
}

/* KVM's default routing: ISA interrupt N is pin N. */
static void add_interrupts(struct mp_table *table, uint8_t ioapic)
{
	struct mp_interrupt_entry entry = {
		.type = MP_INTERRUPT, .kind = MP_INT, .bus = ISA_BUS, .apic = ioapic,
	};
	int irq;

	for (irq = 0; irq < NR_ISA_IRQS; irq++) {
		if (irq == CASCADE_IRQ)
			continue;
		entry.irq = irq;
		entry.pin = irq;
		add_entry(table, &entry, sizeof(entry));
	}
}

static void add_local_interrupt(struct mp_table *table, uint8_t kind, uint8_t pin)
{
	struct mp_interrupt_entry entry = {
		.type = MP_LOCAL_INTERRUPT, .kind = kind, .bus = ISA_BUS,
		.apic = MP_ALL_LAPICS, .pin = pin,
	};

	add_entry(table, &entry, sizeof(entry));
}

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum -= *byte++;
	return sum;
}

static void fill_table(struct mp_table *table, int nr_cpus)
{
	struct mp_bus bus = { MP_BUS, ISA_BUS, "ISA   " };
	struct mp_ioapic ioapic = {
		.type = MP_IOAPIC, .id = nr_cpus, .version = IOAPIC_VERSION,
		.flags = MP_IOAPIC_ENABLED, .address = IOAPIC_GPA,
	};

	*table = (struct mp_table) {
		.signature = "PCMP", .length = sizeof(*table), .revision = MP_REVISION,
		.oem = "SELFTEST", .product = "KVM         ", .lapic = LAPIC_GPA,
	};
	add_processors(table, nr_cpus);
	add_entry(table, &bus, sizeof(bus));
	add_entry(table, &ioapic, sizeof(ioapic));
	add_interrupts(table, ioapic.id);
	add_local_interrupt(table, MP_EXTINT, 0);
	add_local_interrupt(table, MP_NMI, 1);
	table->checksum = checksum(table, table->length);
}

void linux_write_mp_table(struct linux_guest *guest)
{
	struct mp_pointer *pointer = (void *)guest->ram + MP_TABLE_GPA;
	struct mp_table *table = (void *)(pointer + 1);

	*pointer = (struct mp_pointer) {
		.signature = "_MP_",
		.table = MP_TABLE_GPA + sizeof(*pointer),
		.paragraphs = sizeof(*pointer) / 16,
		.revision = MP_REVISION,
	};
	pointer->checksum = checksum(pointer, sizeof(*pointer));
	fill_table(table, guest->nr_cpus);
	TEST_ASSERT(MP_TABLE_GPA + sizeof(*pointer) + table->length <= BASE_MEMORY_END,
		    "the MP table should fit into base memory");
}

void linux_create_board(struct linux_guest *guest)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = IDENTITY_MAP_GPA;

	vm_ioctl(guest->vm, KVM_SET_TSS_ADDR, (void *)TSS_GPA);
	vm_ioctl(guest->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	vm_create_irqchip(guest->vm);
	vm_ioctl(guest->vm, KVM_CREATE_PIT2, &pit);
	linux_uart_init(&guest->console, guest->vm, COM1_IRQ);
	linux_uart_init(&guest->report, guest->vm, COM2_IRQ);
}

/* Ports of nothing read as all ones, but for a keyboard controller that is ready. */
static uint8_t port_in(struct linux_guest *guest, uint16_t port)
{
	if (port >= COM1 && port < COM1 + COM_PORTS)
		return linux_uart_read(&guest->console, port - COM1);
	if (port >= COM2 && port < COM2 + COM_PORTS)
		return linux_uart_read(&guest->report, port - COM2);
	return port == KEYBOARD_PORT ? 0 : 0xff;
}

/* True if this was the reset line. */
static bool port_out(struct linux_guest *guest, uint16_t port, uint8_t value)
{
	if (port >= COM1 && port < COM1 + COM_PORTS)
		linux_uart_write(&guest->console, port - COM1, value);
	else if (port >= COM2 && port < COM2 + COM_PORTS)
		linux_uart_write(&guest->report, port - COM2, value);
	return port == KEYBOARD_PORT && value == KEYBOARD_PULSE_RESET;
}

static bool serve_ports(struct linux_guest *guest, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i, size = run->io.size;
	bool ended = false;

	for (i = 0; i < run->io.count; i++, data += size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			ended |= port_out(guest, run->io.port, data[0]);
		else if (size == 1)
			data[0] = port_in(guest, run->io.port);
		else
			memset(data, 0xff, size);
	}
	return ended;
}

bool linux_exit(struct linux_guest *guest, struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return serve_ports(guest, run);
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return false;
	case KVM_EXIT_SHUTDOWN:		/* a triple fault */
		return true;
	}
	TEST_FAIL("vCPU %u should run, left with %u (%s)", vcpu->id, run->exit_reason,
		  exit_reason_str(run->exit_reason));
	return true;
}
