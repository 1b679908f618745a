// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI 1.1 for the Non-secure world.
 *
 * A CPU is OFF (asleep in psci_wait()), PENDING (told to start, not there yet) or ON. psci_lock
 * guards the states and start addresses.
 */
#include "monitor.h"
#include "sysreg.h"

#define PSCI_SMC64(n)		(0xc4000000 | (n))
#define PSCI_SMC32(n)		(0x84000000 | (n))
#define IS_SMC64		BIT(30)

#define PSCI_VERSION		PSCI_SMC32(0)
#define PSCI_CPU_SUSPEND	PSCI_SMC32(1)
#define PSCI_CPU_OFF		PSCI_SMC32(2)
#define PSCI_CPU_ON		PSCI_SMC32(3)
#define PSCI_AFFINITY_INFO	PSCI_SMC32(4)
#define PSCI_MIGRATE_INFO_TYPE	PSCI_SMC32(6)
#define PSCI_SYSTEM_OFF		PSCI_SMC32(8)
#define PSCI_SYSTEM_RESET	PSCI_SMC32(9)
#define PSCI_FEATURES		PSCI_SMC32(10)
#define SMCCC_VERSION		0x80000000

#define PSCI_1_1		0x10001
#define PSCI_NO_TRUSTED_OS	2

#define PSCI_SUCCESS		0L
#define PSCI_NOT_SUPPORTED	(-1L)
#define PSCI_INVALID_PARAMETERS	(-2L)
#define PSCI_ALREADY_ON		(-4L)
#define PSCI_ON_PENDING		(-5L)
#define PSCI_INVALID_ADDRESS	(-9L)

#define POWER_STATE_POWERDOWN	BIT(16)
#define MPIDR_AFF_MASK		0xff00ffffffUL

/* Lines of the secure GPIO: PL061 masks by address. */
#define GPIO_OFF		BIT(0)
#define GPIO_RESET		BIT(1)
#define GPIO_DIR		0x400

enum cpu_state {
	CPU_OFF = 0,
	CPU_PENDING,
	CPU_ON,
};

struct psci_cpu {
	enum cpu_state state;
	u64 entry;
	u64 context;
};

static struct psci_cpu cpus[MAX_CPUS];
static struct spinlock psci_lock;

static void __noreturn power(u32 line)
{
	mmio_write(SECURE_GPIO_BASE + GPIO_DIR, line);
	mmio_write(SECURE_GPIO_BASE + (line << 2), line);
	for (;;)
		wfi();
}

void system_off(void)
{
	power(GPIO_OFF);
}

static void __noreturn system_reset(void)
{
	hold_secondaries();
	power(GPIO_RESET);
}

void psci_boot_cpu_is_on(void)
{
	cpus[0].state = CPU_ON;
}

static bool may_start(struct psci_cpu *cpu)
{
	bool pending;

	spin_lock(&psci_lock);
	pending = cpu->state == CPU_PENDING;
	if (pending)
		cpu->state = CPU_ON;
	spin_unlock(&psci_lock);
	return pending;
}

/* Sleeps until CPU_ON, then makes the frame that of the CPU's start. */
void psci_wait(struct frame *frame)
{
	struct psci_cpu *cpu = &cpus[cpu_index()];

	gic_doze_begin();
	while (!may_start(cpu))
		gic_doze();
	gic_doze_end();
	start_normal_world(frame, cpu->entry, cpu->context);
}

static struct psci_cpu *find_cpu(u64 mpidr)
{
	u64 index = (mpidr >> 8 & 0xff) * CPUS_PER_CLUSTER + (mpidr & 0xff);

	if (mpidr & ~0xffffUL || (mpidr & 0xff) >= CPUS_PER_CLUSTER || index >= machine.nr_cpus)
		return NULL;
	return &cpus[index];
}

static bool is_entry(u64 pa)
{
	return pa >= machine.ram_base && pa < machine.ram_top &&
	       !(pa >= RMM_BASE && pa < RMM_BASE + RMM_SIZE);
}

static s64 cpu_on(const u64 *args)
{
	struct psci_cpu *cpu = find_cpu(args[0] & MPIDR_AFF_MASK);
	s64 ret = PSCI_SUCCESS;

	if (!cpu)
		return PSCI_INVALID_PARAMETERS;
	if (!is_entry(args[1]))
		return PSCI_INVALID_ADDRESS;
	spin_lock(&psci_lock);
	if (cpu->state == CPU_ON)
		ret = PSCI_ALREADY_ON;
	else if (cpu->state == CPU_PENDING)
		ret = PSCI_ON_PENDING;
	else
		*cpu = (struct psci_cpu){ CPU_PENDING, args[1], args[2] };
	spin_unlock(&psci_lock);
	if (!ret)
		gic_kick(cpu - cpus);
	return ret;
}

static void cpu_off(struct frame *frame)
{
	spin_lock(&psci_lock);
	cpus[cpu_index()].state = CPU_OFF;
	spin_unlock(&psci_lock);
	psci_wait(frame);
}

static s64 affinity_info(const u64 *args)
{
	struct psci_cpu *cpu = find_cpu(args[0] & MPIDR_AFF_MASK);

	if (!cpu || args[1])
		return PSCI_INVALID_PARAMETERS;
	/* The states of the specification: 0 on, 1 off, 2 pending. */
	return cpu->state == CPU_ON ? 0 : cpu->state == CPU_OFF ? 1 : 2;
}

/* Standby is all there is: any interrupt of the world ends it. */
static s64 cpu_suspend(const u64 *args)
{
	if (args[0] & POWER_STATE_POWERDOWN)
		return PSCI_INVALID_PARAMETERS;
	dsb(sy);
	wfi();
	return PSCI_SUCCESS;
}

static s64 features(u64 fid)
{
	switch ((u32)fid) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND:
	case PSCI_SMC64(1):
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_SMC64(3):
	case PSCI_AFFINITY_INFO:
	case PSCI_SMC64(4):
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case SMCCC_VERSION:
		return 0;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

static void read_args(const struct frame *frame, u64 args[3])
{
	u64 mask = frame->x[0] & IS_SMC64 ? ~0UL : ~0U;
	int i;

	for (i = 0; i < 3; i++)
		args[i] = frame->x[1 + i] & mask;
}

/* False for what is no function of PSCI. */
bool psci_handle(struct frame *frame)
{
	u64 args[3];

	read_args(frame, args);
	switch ((u32)frame->x[0]) {
	case PSCI_VERSION:
		frame->x[0] = PSCI_1_1;
		return true;
	case PSCI_CPU_SUSPEND:
	case PSCI_SMC64(1):
		frame->x[0] = cpu_suspend(args);
		return true;
	case PSCI_CPU_OFF:
		cpu_off(frame);
		return true;
	case PSCI_CPU_ON:
	case PSCI_SMC64(3):
		frame->x[0] = cpu_on(args);
		return true;
	case PSCI_AFFINITY_INFO:
	case PSCI_SMC64(4):
		frame->x[0] = affinity_info(args);
		return true;
	case PSCI_MIGRATE_INFO_TYPE:
		frame->x[0] = PSCI_NO_TRUSTED_OS;
		return true;
	case PSCI_SYSTEM_OFF:
		system_off();
	case PSCI_SYSTEM_RESET:
		system_reset();
	case PSCI_FEATURES:
		frame->x[0] = features(args[0]);
		return true;
	default:
		return false;
	}
}
