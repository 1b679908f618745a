// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest whose interrupt translation service has all its tables in a host-mapped
 * guest_memfd: KVM reads its commands from the file and saves its state to it, by
 * userspace_addr, and host and guest find both there.
 */
#include <linux/sizes.h>

#include "guest_agent.h"
#include "gic_v3.h"
#include "vgic.h"

#define GPA		(4 * SIZE_1G)
#define SIZE		SIZE_2M

/* Tables in the file; they are to be aligned to 64K. */
#define COMMANDS	GPA
#define DEVICES		(GPA + 1 * SZ_64K)
#define COLLECTIONS	(GPA + 2 * SZ_64K)
#define EVENTS		(GPA + 3 * SZ_64K)
#define PROPERTIES	(GPA + 4 * SZ_64K)
#define PENDING		(GPA + 5 * SZ_64K)

/* Devices in the guest's address space, and their registers */
#define GICD		0x8000000ul
#define ITS		0x8080000ul
#define GICR		0x80a0000ul

#define GICR_PROPBASER	0x70
#define GICR_PENDBASER	0x78
#define GITS_CTLR	0x0
#define GITS_CBASER	0x80
#define GITS_CWRITER	0x88
#define GITS_CREADR	0x90
#define GITS_BASER(n)	(0x100 + 8 * (n))

#define VALID		BIT(63)
#define ENABLE		1
#define ID_BITS		14

/* What the guest maps: an event of a device to an interrupt of a collection. */
#define DEVICE		3ul
#define EVENT		5ul
#define EVENT_BITS	4
#define LPI		8195ul
#define COLLECTION	2ul

enum { INT = 3, MAPD = 8, MAPC = 9, MAPTI = 10 };

static const uint64_t commands[][4] = {
	{ MAPC, 0, VALID | COLLECTION },
	{ MAPD | DEVICE << 32, EVENT_BITS - 1, VALID | EVENTS },
	{ MAPTI | DEVICE << 32, EVENT | LPI << 32, COLLECTION },
	{ INT | DEVICE << 32, EVENT },
};

/* Version 0 of the tables that KVM saves. */
static const struct {
	const char *name;
	uint64_t gpa, value;
} saved[] = {
	{ "device", DEVICES + 8 * DEVICE,
	  VALID | EVENTS >> 8 << 5 | (EVENT_BITS - 1) },
	{ "event", EVENTS + 8 * EVENT, LPI << 16 | COLLECTION },
	{ "collection", COLLECTIONS, VALID | COLLECTION },
	{ "end of the collections", COLLECTIONS + 8, 0 },
	{ "pending interrupts", PENDING + LPI / 64 * 8, 1ul << LPI % 64 },
};

static struct kvm_vm *vm;
static struct agent agent;
static struct gmem_area area;

static uint64_t guest_write32(uint64_t gpa, uint64_t value)
{
	writel(value, (void *)gpa);
	return 0;
}

static uint64_t guest_write8(uint64_t gpa, uint64_t value)
{
	WRITE_ONCE(*(uint8_t *)gpa, value);
	return 0;
}

static int create_its(void)
{
	int fd = kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS);
	uint64_t gpa = ITS;

	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_ITS_ADDR_TYPE, &gpa);
	kvm_device_attr_set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	agent_map(vm, ITS, KVM_VGIC_V3_ITS_SIZE);
	return fd;
}

static void set(uint64_t gpa, uint64_t value)
{
	agent_call(&agent, guest_write, gpa, value);
}

/* The guest tells the devices where its tables are. */
static void set_up_tables(void)
{
	agent_call(&agent, guest_write8, PROPERTIES + LPI - 8192, ENABLE);
	set(GICR + GICR_PROPBASER, PROPERTIES | (ID_BITS - 1));
	set(GICR + GICR_PENDBASER, PENDING);
	agent_call(&agent, guest_write32, GICR + GICR_CTLR, ENABLE);
	set(ITS + GITS_BASER(0), VALID | DEVICES);
	set(ITS + GITS_BASER(1), VALID | COLLECTIONS);
	set(ITS + GITS_CBASER, VALID | COMMANDS);
	agent_call(&agent, guest_write32, ITS + GITS_CTLR, ENABLE);
}

/* Half of the words are from the host; KVM finds all of them. */
static void run_commands(void)
{
	const uint64_t *words = commands[0];
	uint64_t i, gpa;

	for (i = 0; i < sizeof(commands) / sizeof(*words); i++) {
		gpa = COMMANDS + i * sizeof(*words);
		if (i / 4 % 2)
			*(uint64_t *)gmem_area_hva(&area, gpa) = words[i];
		else
			set(gpa, words[i]);
	}
	set(ITS + GITS_CWRITER, sizeof(commands));
	EXPECT_EQ(agent_call(&agent, guest_read, ITS + GITS_CREADR),
		  sizeof(commands), "how far the ITS has read its commands");
}

static void expect_saved(bool yet)
{
	void *mem = gmem_map(area.fd, 0, SIZE);
	uint64_t want;
	int i;

	for (i = 0; i < ARRAY_SIZE(saved); i++) {
		want = yet ? saved[i].value : 0;
		EXPECT_EQ(*(uint64_t *)(mem + (saved[i].gpa - GPA)), want,
			  "%s: what the host reads by another mapping",
			  saved[i].name);
		EXPECT_EQ(agent_call(&agent, guest_read, saved[i].gpa), want,
			  "%s: what the guest reads", saved[i].name);
	}
	munmap(mem, SIZE);
}

static void test_save(int gic, int its)
{
	expect_saved(false);
	EXPECT_ERRNO(__kvm_device_attr_set(its, KVM_DEV_ARM_VGIC_GRP_CTRL,
					   KVM_DEV_ARM_ITS_SAVE_TABLES, NULL),
		     0, "save the tables of the ITS");
	EXPECT_ERRNO(__kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_CTRL,
					   KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES,
					   NULL),
		     0, "save the pending interrupts");
	expect_saved(true);
}

int main(int argc, char *argv[])
{
	int gic, its;

	require_gmem_flags(GMEM_SHARED);
	vm = agent_vm_create(0, 1, &agent);
	agent_map(vm, GPA, SIZE);
	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);
	gic = vgic_v3_setup(vm, 1, 64, GICD, GICR);
	__TEST_REQUIRE(gic >= 0, "no GICv3 for guests of this host");
	its = create_its();

	set_up_tables();
	run_commands();
	test_save(gic, its);

	close(its);
	close(gic);
	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
