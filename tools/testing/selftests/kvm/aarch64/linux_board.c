// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board of an arm64 guest of guest_memfd_linux: KVM's GICv3, timer and PSCI,
 * two serial ports, and the nodes of the device tree that describe them.
 */
#include <linux/sizes.h>

#include "linux_boot.h"
#include "gic.h"
#include "processor.h"
#include "vgic.h"

/* Each in pages of its own, whatever the size of a page. */
#define GICD_GPA		0x08000000ul
#define GICR_GPA		0x08100000ul
#define CONSOLE_GPA		0x09000000ul
#define REPORT_GPA		0x09010000ul
#define UART_SIZE		8
#define UART_CLOCK		1843200

/* INTIDs, and what KVM_IRQ_LINE calls them. */
#define CONSOLE_INTID		32
#define REPORT_INTID		33
#define NR_INTIDS		64
#define SPI_LINE(intid)		(KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (intid))

/* An interrupt in the device tree: its kind, its number of this kind, its trigger. */
enum { DT_SPI, DT_PPI };
#define DT_LEVEL_HIGH		4
#define DT_GIC			1	/* its phandle */

/* By architecture. */
#define TIMER_SECURE_PPI	13
#define TIMER_PHYSICAL_PPI	14
#define TIMER_VIRTUAL_PPI	11
#define TIMER_HYPERVISOR_PPI	10

#define MPIDR_AFF0_TO_2		0xffffff

static_assert(GICR_GPA + LINUX_MAX_CPUS * KVM_VGIC_V3_REDIST_SIZE <= CONSOLE_GPA,
	      "the redistributors should fit below the serial ports");
static_assert(REPORT_GPA + SZ_64K <= RAM_GPA, "the board should be below RAM");

void linux_create_board(struct linux_guest *guest)
{
	linux_uart_init(&guest->console, guest->vm, SPI_LINE(CONSOLE_INTID));
	linux_uart_init(&guest->report, guest->vm, SPI_LINE(REPORT_INTID));
}

/* vgic_v3_setup() would map it in page tables, which a Linux guest has itself. */
void linux_create_gic(struct linux_guest *guest)
{
	uint64_t redist = REDIST_REGION_ATTR_ADDR(guest->nr_cpus, GICR_GPA, 0, 0);
	uint64_t dist = GICD_GPA;
	uint32_t nr = NR_INTIDS;
	int gic = __kvm_create_device(guest->vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	__TEST_REQUIRE(gic >= 0, "no GICv3 for guests: KVM_DEV_TYPE_ARM_VGIC_V3: %s",
		       strerror(errno));
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	close(gic);
}

/* The device tree */

static void describe_cpus(struct linux_guest *guest, struct fdt *fdt)
{
	uint64_t mpidr;
	int i;

	fdt_begin_node(fdt, "cpus");
	fdt_prop_u32s(fdt, "#address-cells", 1);
	fdt_prop_u32s(fdt, "#size-cells", 0);
	for (i = 0; i < guest->nr_cpus; i++) {
		vcpu_get_reg(guest->vcpus[i], KVM_ARM64_SYS_REG(SYS_MPIDR_EL1), &mpidr);
		mpidr &= MPIDR_AFF0_TO_2;
		fdt_begin_node(fdt, "cpu@%lx", mpidr);
		fdt_prop_string(fdt, "device_type", "cpu");
		fdt_prop_string(fdt, "compatible", "arm,armv8");
		fdt_prop_u32s(fdt, "reg", mpidr);
		fdt_prop_string(fdt, "enable-method", "psci");
		fdt_end_node(fdt);
	}
	fdt_end_node(fdt);
}

static void describe_psci(struct fdt *fdt)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	fdt_begin_node(fdt, "psci");
	fdt_prop(fdt, "compatible", compatible, sizeof(compatible));
	fdt_prop_string(fdt, "method", "hvc");
	fdt_end_node(fdt);
}

static void describe_gic(struct linux_guest *guest, struct fdt *fdt)
{
	fdt_begin_node(fdt, "interrupt-controller@%lx", GICD_GPA);
	fdt_prop_string(fdt, "compatible", "arm,gic-v3");
	fdt_prop(fdt, "interrupt-controller", "", 0);
	fdt_prop_u32s(fdt, "#interrupt-cells", 3);
	fdt_prop_u64s(fdt, "reg", GICD_GPA, KVM_VGIC_V3_DIST_SIZE,
		      GICR_GPA, guest->nr_cpus * KVM_VGIC_V3_REDIST_SIZE);
	fdt_prop_u32s(fdt, "phandle", DT_GIC);
	fdt_end_node(fdt);
}

static void describe_timer(struct fdt *fdt)
{
	fdt_begin_node(fdt, "timer");
	fdt_prop_string(fdt, "compatible", "arm,armv8-timer");
	fdt_prop_u32s(fdt, "interrupts",
		      DT_PPI, TIMER_SECURE_PPI, DT_LEVEL_HIGH,
		      DT_PPI, TIMER_PHYSICAL_PPI, DT_LEVEL_HIGH,
		      DT_PPI, TIMER_VIRTUAL_PPI, DT_LEVEL_HIGH,
		      DT_PPI, TIMER_HYPERVISOR_PPI, DT_LEVEL_HIGH);
	fdt_prop(fdt, "always-on", "", 0);
	fdt_end_node(fdt);
}

static void describe_uart(struct fdt *fdt, uint64_t gpa, uint32_t intid)
{
	fdt_begin_node(fdt, "serial@%lx", gpa);
	fdt_prop_string(fdt, "compatible", "ns16550a");
	fdt_prop_u64s(fdt, "reg", gpa, UART_SIZE);
	fdt_prop_u32s(fdt, "interrupts", DT_SPI, intid - MIN_SPI, DT_LEVEL_HIGH);
	fdt_prop_u32s(fdt, "clock-frequency", UART_CLOCK);
	fdt_end_node(fdt);
}

/* So that the console is ttyS0, and the report ttyS1. */
static void describe_aliases(struct fdt *fdt)
{
	char path[32];

	fdt_begin_node(fdt, "aliases");
	snprintf(path, sizeof(path), "/serial@%lx", CONSOLE_GPA);
	fdt_prop_string(fdt, "serial0", path);
	snprintf(path, sizeof(path), "/serial@%lx", REPORT_GPA);
	fdt_prop_string(fdt, "serial1", path);
	fdt_end_node(fdt);
}

void linux_describe_board(struct linux_guest *guest, struct fdt *fdt)
{
	fdt_prop_u32s(fdt, "interrupt-parent", DT_GIC);
	describe_aliases(fdt);
	describe_cpus(guest, fdt);
	describe_psci(fdt);
	describe_gic(guest, fdt);
	describe_timer(fdt);
	describe_uart(fdt, CONSOLE_GPA, CONSOLE_INTID);
	describe_uart(fdt, REPORT_GPA, REPORT_INTID);
}

/* Exits */

static struct linux_uart *uart_at(struct linux_guest *guest, uint64_t gpa)
{
	if (gpa >= CONSOLE_GPA && gpa < CONSOLE_GPA + UART_SIZE)
		return &guest->console;
	if (gpa >= REPORT_GPA && gpa < REPORT_GPA + UART_SIZE)
		return &guest->report;
	return NULL;
}

static void serve_mmio(struct linux_guest *guest, struct kvm_run *run)
{
	struct linux_uart *uart = uart_at(guest, run->mmio.phys_addr);
	uint8_t reg = run->mmio.phys_addr % UART_SIZE;

	TEST_ASSERT(uart && run->mmio.len == 1,
		    "the guest should access registers of its serial ports, not %u bytes at %#llx",
		    run->mmio.len, run->mmio.phys_addr);
	if (run->mmio.is_write)
		linux_uart_write(uart, reg, run->mmio.data[0]);
	else
		run->mmio.data[0] = linux_uart_read(uart, reg);
}

bool linux_exit(struct linux_guest *guest, struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		serve_mmio(guest, run);
		return false;
	case KVM_EXIT_SYSTEM_EVENT:
		EXPECT_EQ(run->system_event.type, KVM_SYSTEM_EVENT_SHUTDOWN,
			  "the event that ends the guest (a panic resets: %u)",
			  KVM_SYSTEM_EVENT_RESET);
		return true;
	}
	TEST_FAIL("vCPU %u should run, left with %u (%s)", vcpu->id, run->exit_reason,
		  exit_reason_str(run->exit_reason));
	return true;
}
