// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of realms, which the host injects by list registers: from its own
 * lines, between two RECs, and from timers; and a REC that waits for one.
 */
#include <pthread.h>

#include "realm.h"
#include "gic.h"
#include "vgic.h"

#define SPI		40
#define LEVEL_SPI	41
/* Many more than there are list registers. */
#define FIRST_OF_MANY	44
#define NR_MANY		12
#define SGI		3
#define PPI_VTIMER	27
#define PPI_PTIMER	30

/* Of a device: a store ends the handler's interrupt. */
#define LINE_REGISTER	(REALM_DEVICE_VA + 0x200)

static struct realm realm;

/* In the realm's memory; the handler counts what it has acknowledged. */
static uint64_t nr_irqs[1020];

static void guest_irq(struct ex_regs *regs)
{
	unsigned int intid = gic_get_and_ack_irq();

	if (intid == PPI_VTIMER)
		write_sysreg(0, cntv_ctl_el0);
	if (intid == PPI_PTIMER)
		write_sysreg(0, cntp_ctl_el0);
	/* The device lowers its line. */
	if (intid == LEVEL_SPI)
		WRITE_ONCE(*(uint64_t *)LINE_REGISTER, intid);
	isb();
	if (intid < ARRAY_SIZE(nr_irqs))
		WRITE_ONCE(nr_irqs[intid], nr_irqs[intid] + 1);
	gic_set_eoi(intid);
}

static uint64_t guest_enable(uint64_t intid, uint64_t is_edge)
{
	/* What SPIs are after a reset is not said. */
	if (intid >= 32)
		gic_irq_set_config(intid, is_edge);
	gic_irq_enable(intid);
	return 0;
}

/* Waits with interrupts on until @intid has come @count times in all. */
static uint64_t guest_wait(uint64_t intid, uint64_t count, uint64_t use_wfi)
{
	while (READ_ONCE(nr_irqs[intid]) < count) {
		local_irq_disable();
		if (use_wfi && READ_ONCE(nr_irqs[intid]) < count)
			asm volatile("wfi" : : : "memory");
		local_irq_enable();
		isb();
	}
	local_irq_disable();
	return READ_ONCE(nr_irqs[intid]);
}

/* Takes all that is pending at once, in whatever order. */
static uint64_t guest_wait_many(uint64_t first, uint64_t nr, uint64_t count)
{
	uint64_t i;

	for (i = first; i < first + nr; i++)
		guest_wait(i, count, false);
	return nr;
}

static uint64_t guest_count(uint64_t intid)
{
	return READ_ONCE(nr_irqs[intid]);
}

static uint64_t guest_timer(uint64_t intid, uint64_t ticks, uint64_t use_wfi)
{
	uint64_t before = nr_irqs[intid], start = read_sysreg(cntvct_el0);

	if (intid == PPI_VTIMER) {
		write_sysreg(start + ticks, cntv_cval_el0);
		write_sysreg(1, cntv_ctl_el0);
	} else {
		write_sysreg(read_sysreg(cntpct_el0) + ticks, cntp_cval_el0);
		write_sysreg(1, cntp_ctl_el0);
	}
	isb();
	guest_wait(intid, before + 1, use_wfi);
	return read_sysreg(cntvct_el0) - start;
}

/* WFxT, and the instruction itself, which assemblers may not know. */
static uint64_t guest_has_wfit(void)
{
	return read_sysreg_s(sys_reg(3, 0, 0, 6, 2)) & 0xf;
}

/* Nothing comes, so that only the time can end it; how long it was. */
static uint64_t guest_wfit(uint64_t ticks)
{
	uint64_t start = read_sysreg(cntvct_el0), until = start + ticks;

	while (read_sysreg(cntvct_el0) < until)
		asm volatile("mov x0, %0\n\t"
			     ".inst 0xd5031020" : : "r"(until) : "x0", "memory");
	return read_sysreg(cntvct_el0) - start;
}

static uint64_t guest_send(uint64_t intid, uint64_t to)
{
	write_sysreg_s(intid << 24 | 1 << to, SYS_ICC_SGI1R_EL1);
	isb();
	return 0;
}

static uint64_t guest_frequency(void)
{
	return read_sysreg(cntfrq_el0);
}

/* Odd ones by an edge on the line, even ones by a register of the GIC. */
static void test_lines(void)
{
	struct agent *agent = &realm.agents[0];
	uint64_t i;

	agent_call(agent, guest_enable, SPI, true);
	for (i = 1; i <= 20; i++) {
		if (i % 2) {
			kvm_arm_irq_line(realm.vm, SPI, 1);
			kvm_arm_irq_line(realm.vm, SPI, 0);
		} else {
			kvm_irq_write_ispendr(realm.gic, SPI, NULL);
		}
		EXPECT_EQ(agent_call(agent, guest_wait, SPI, i, i % 4 < 2), i,
			  "interrupts by a line of the host");
	}
	EXPECT_EQ(agent_call(agent, guest_count, SPI), 20,
		  "interrupts at the end");
}

/* More at once than list registers: the rest follows as they get free. */
static void test_many(void)
{
	struct agent *agent = &realm.agents[0];
	uint64_t round, i;

	for (i = 0; i < NR_MANY; i++)
		agent_call(agent, guest_enable, FIRST_OF_MANY + i, true);
	for (round = 1; round <= 4; round++) {
		for (i = 0; i < NR_MANY; i++)
			kvm_irq_write_ispendr(realm.gic, FIRST_OF_MANY + i,
					      NULL);
		agent_call(agent, guest_wait_many, FIRST_OF_MANY, NR_MANY,
			   round);
		for (i = 0; i < NR_MANY; i++)
			EXPECT_EQ(agent_call(agent, guest_count,
					     FIRST_OF_MANY + i), round,
				  "interrupts %lu of many", i);
	}
}

static void expect_line_register(enum agent_stop stop, const char *when)
{
	struct agent *agent = &realm.agents[0];
	struct kvm_run *run = agent->vcpu->run;

	EXPECT(stop == AGENT_MMIO && run->mmio.is_write &&
	       run->mmio.phys_addr == REALM_DEVICE + 0x200,
	       "%s: the handler should write to its device: %s", when,
	       agent_stop_name(agent, stop));
}

/* A level stays pending for as long as the line is high, and no longer. */
static void test_level(void)
{
	struct agent *agent = &realm.agents[0];
	uint64_t count = 0;
	int i;

	agent_call(agent, guest_enable, LEVEL_SPI, false);
	for (i = 0; i < 4; i++) {
		kvm_arm_irq_line(realm.vm, LEVEL_SPI, 1);
		agent_start(agent, guest_wait, LEVEL_SPI, count + 2, i % 2, 0);
		expect_line_register(agent_run(agent), "line is high");
		expect_line_register(agent_run(agent), "line is still high");
		kvm_arm_irq_line(realm.vm, LEVEL_SPI, 0);
		EXPECT_EQ(agent_run(agent), AGENT_DONE, "the line is low");
		count += 2;
		EXPECT_EQ(agent->value, count, "interrupts of a level");
		/* With interrupts on for a while. */
		agent_call(agent, guest_timer, PPI_VTIMER, 1000, i % 2);
		EXPECT_EQ(agent_call(agent, guest_count, LEVEL_SPI), count,
			  "interrupts after the line went low");
	}
}

static void test_timer(unsigned int intid, const char *name)
{
	struct agent *agent = &realm.agents[0];
	uint64_t ticks = agent_call(agent, guest_frequency) / 100, spent, i;

	agent_call(agent, guest_enable, intid);
	for (i = 0; i < 6; i++) {
		spent = agent_call(agent, guest_timer, intid, ticks, i % 2);
		EXPECT(spent >= ticks,
		       "%s: should take %lu ticks, took %lu", name, ticks,
		       spent);
	}
	/* One that has expired before it is turned on. */
	agent_call(agent, guest_timer, intid, 0, 1);
	EXPECT_EQ(agent_call(agent, guest_count, intid), 7,
		  "%s: interrupts", name);
}

static void *wait_on_second(void *count)
{
	return (void *)agent_call(&realm.agents[1], guest_wait, SGI,
				  (uint64_t)count, 1);
}

static bool stop_spinning;

static void *spin(void *arg)
{
	go_to_cpu(0);
	while (!READ_ONCE(stop_spinning))
		;
	return NULL;
}

/*
 * The host does not get to see until when it waits.  It takes part only where
 * there is something else to run.
 */
static void test_wfit(void)
{
	struct agent *agent = &realm.agents[0];
	uint64_t ticks = agent_call(agent, guest_frequency) / 50, spent;
	uint64_t exits = vcpu_stat(agent->vcpu, "wfi_exit_stat");
	pthread_t thread;
	int i;

	if (!agent_call(agent, guest_has_wfit)) {
		note_skipped("WFIT: the CPU does not have it");
		return;
	}
	go_to_cpu(0);
	pthread_create(&thread, NULL, spin, NULL);
	for (i = 0; i < 10; i++) {
		spent = agent_call(agent, guest_wfit, ticks);
		EXPECT(spent >= ticks, "WFIT: should take %lu ticks, took %lu",
		       ticks, spent);
	}
	WRITE_ONCE(stop_spinning, true);
	pthread_join(thread, NULL);
	EXPECT(vcpu_stat(agent->vcpu, "wfi_exit_stat") > exits,
	       "the host should have seen a WFIT");
}

static void test_between_recs(void)
{
	pthread_t thread;
	uint64_t i;
	void *count;

	agent_call(&realm.agents[1], guest_enable, SGI);
	for (i = 1; i <= 10; i++) {
		pthread_create(&thread, NULL, wait_on_second, (void *)i);
		if (i % 2)
			usleep(20000);
		agent_call(&realm.agents[0], guest_send, SGI, 1);
		pthread_join(thread, &count);
		EXPECT_EQ(count, i, "interrupts from the other REC");
	}
}

/* A REC takes its timer and its interrupts along. */
static void test_migration(void)
{
	struct agent *agent = &realm.agents[0];
	uint64_t ticks = agent_call(agent, guest_frequency) / 200;
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t before = agent_call(agent, guest_count, SPI), i;

	if (nr_cpus < 2) {
		note_skipped("migration: needs two CPUs");
		return;
	}
	for (i = 1; i <= 20; i++) {
		go_to_cpu(i % nr_cpus);
		kvm_irq_write_ispendr(realm.gic, SPI, NULL);
		EXPECT_EQ(agent_call(agent, guest_wait, SPI, before + i, 0),
			  before + i, "interrupts on CPU %lu", i % nr_cpus);
		EXPECT(agent_call(agent, guest_timer, PPI_VTIMER, ticks, 1) >=
		       ticks, "timer on CPU %lu", i % nr_cpus);
	}
}

static void load(const struct realm_options *options)
{
	int i;

	vm_init_descriptor_tables(realm.vm);
	vm_install_exception_handler(realm.vm, VECTOR_IRQ_CURRENT, guest_irq);
	realm_load(&realm, options);
	for (i = 0; i < realm.nr_vcpus; i++)
		agent_call(&realm.agents[i], guest_gic_init, realm.nr_vcpus);
}

/* A vCPU that was run too early, before there was a GIC for its timers. */
static void test_late_gic(void)
{
	const struct realm_options options = {
		.no_gic = true,
		.not_measured = true,
	};

	realm_create(&realm, &options);
	EXPECT_ERRNO(__vcpu_run(realm.vcpus[0]), ENXIO, "run without a GIC");
	realm_add_gic(&realm);
	load(&options);
	test_timer(PPI_VTIMER, "virtual timer, late GIC");
	test_timer(PPI_PTIMER, "physical timer, late GIC");
	realm_free(&realm);
}

int main(int argc, char *argv[])
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.not_measured = true,
	};

	require_realms();
	test_late_gic();
	realm_create(&realm, &options);
	load(&options);

	test_lines();
	test_timer(PPI_VTIMER, "virtual timer");
	test_timer(PPI_PTIMER, "physical timer");
	test_many();
	test_level();
	test_between_recs();
	test_migration();
	/* Last, as it stays on one CPU. */
	test_wfit();
	realm_free(&realm);
	return test_verdict();
}
