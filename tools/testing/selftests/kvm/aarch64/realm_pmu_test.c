// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performance counters of realms: how many the VMM gives, that each REC counts for
 * itself and the host neither sees nor disturbs it, and the interrupt of one that
 * runs over.
 */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "realm.h"
#include "gic.h"
#include "vgic.h"

#define REG_PMCR	KVM_ARM64_SYS_REG(SYS_PMCR_EL0)
#define REG_DFR0	KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1)

#define DFR0_PMUVER(dfr0)	((dfr0) >> 8 & 15)
#define PMCR_E			1ul
#define PMCR_WRITABLE		0xfful
#define PMCR_N_SHIFT		11
#define PMCR_N_MASK		(31ul << PMCR_N_SHIFT)
#define PMCR_N(pmcr)		((pmcr) >> PMCR_N_SHIFT & 31)
#define MAX_COUNTERS		31
#define CYCLES			31
#define EVENT_SW_INCR		0

#define EC_UNKNOWN	0

static struct realm realm;

/* Counters of a realm with a PMU, if nothing else is asked for */
static uint64_t max_counters;

/* In the realm's memory. */
static uint64_t nr_overflows;
static uint64_t overflow_status;
static uint64_t nr_undefined;

static void guest_irq(struct ex_regs *regs)
{
	unsigned int intid = gic_get_and_ack_irq();

	if (intid == REALM_PMU_IRQ) {
		WRITE_ONCE(overflow_status, read_sysreg(pmovsset_el0));
		write_sysreg(~0ul, pmovsclr_el0);
		isb();
		WRITE_ONCE(nr_overflows, nr_overflows + 1);
	}
	gic_set_eoi(intid);
}

static void guest_undefined(struct ex_regs *regs)
{
	WRITE_ONCE(nr_undefined, nr_undefined + 1);
	regs->pc += 4;
}

static uint64_t guest_init(uint64_t nr_cpus)
{
	guest_gic_init(nr_cpus);
	gic_irq_enable(REALM_PMU_IRQ);
	return 0;
}

static uint64_t guest_pmcr(void)
{
	return read_sysreg(pmcr_el0);
}

static uint64_t guest_dfr0(void)
{
	return read_sysreg(id_aa64dfr0_el1);
}

static uint64_t guest_undefined_pmcr(void)
{
	WRITE_ONCE(nr_undefined, 0);
	read_sysreg(pmcr_el0);
	return READ_ONCE(nr_undefined);
}

static void guest_select(uint64_t i)
{
	write_sysreg(i, pmselr_el0);
	isb();
}

/* Counters 0 to @nr - 1 and the one of cycles, from zero */
static uint64_t guest_start(uint64_t nr)
{
	uint64_t i;

	write_sysreg(0, pmcr_el0);
	for (i = 0; i < nr; i++) {
		guest_select(i);
		write_sysreg(EVENT_SW_INCR, pmxevtyper_el0);
		write_sysreg(0, pmxevcntr_el0);
	}
	write_sysreg(0, pmccfiltr_el0);
	write_sysreg(0, pmccntr_el0);
	write_sysreg(~0ul, pmovsclr_el0);
	write_sysreg((1ul << nr) - 1, pmintenset_el1);
	write_sysreg(((1ul << nr) - 1) | 1ul << CYCLES, pmcntenset_el0);
	write_sysreg(PMCR_E, pmcr_el0);
	isb();
	return read_sysreg(pmcntenset_el0);
}

static uint64_t guest_set_counter(uint64_t i, uint64_t value)
{
	guest_select(i);
	write_sysreg(value, pmxevcntr_el0);
	isb();
	return 0;
}

static uint64_t guest_read_counter(uint64_t i)
{
	guest_select(i);
	return (uint32_t)read_sysreg(pmxevcntr_el0);
}

static uint64_t guest_cycles(void)
{
	isb();
	return read_sysreg(pmccntr_el0);
}

static uint64_t guest_increment(uint64_t counters, uint64_t times)
{
	while (times--)
		write_sysreg(counters, pmswinc_el0);
	isb();
	return 0;
}

static uint64_t guest_overflows(uint64_t irqs_on)
{
	if (irqs_on) {
		local_irq_enable();
		isb();
		local_irq_disable();
	}
	return READ_ONCE(nr_overflows);
}

static uint64_t guest_overflow_status(void)
{
	return READ_ONCE(overflow_status);
}

/* Spins until the counter of cycles, @cycles before its 32nd bit, has run over. */
static uint64_t guest_overflow_by_time(uint64_t cycles)
{
	uint64_t before = READ_ONCE(nr_overflows);

	write_sysreg((1ul << 32) - cycles, pmccntr_el0);
	write_sysreg(1ul << CYCLES, pmintenset_el1);
	isb();
	local_irq_enable();
	while (READ_ONCE(nr_overflows) == before)
		;
	local_irq_disable();
	write_sysreg(1ul << CYCLES, pmintenclr_el1);
	isb();
	return READ_ONCE(nr_overflows) - before;
}

static const struct realm_options two_recs = {
	.nr_vcpus = 2,
	.not_measured = true,
	.features = 1 << KVM_ARM_VCPU_PMU_V3,
};

static void load(void)
{
	int i;

	vm_init_descriptor_tables(realm.vm);
	vm_install_exception_handler(realm.vm, VECTOR_IRQ_CURRENT, guest_irq);
	vm_install_sync_handler(realm.vm, VECTOR_SYNC_CURRENT, EC_UNKNOWN,
				guest_undefined);
	realm_load(&realm, &two_recs);
	for (i = 0; i < realm.nr_vcpus; i++)
		agent_call(&realm.agents[i], guest_init, realm.nr_vcpus);
}

static uint64_t get_pmcr(struct kvm_vcpu *vcpu)
{
	uint64_t pmcr;

	vcpu_get_reg(vcpu, REG_PMCR, &pmcr);
	return pmcr;
}

static int set_counters(struct kvm_vcpu *vcpu, uint64_t nr)
{
	return __vcpu_set_reg(vcpu, REG_PMCR, (get_pmcr(vcpu) & ~PMCR_N_MASK) |
					      nr << PMCR_N_SHIFT);
}

static void begin(uint64_t nr)
{
	int i;

	realm_create(&realm, &two_recs);
	EXPECT_ERRNO(set_counters(realm.vcpus[0], nr), 0, "%lu counters", nr);
	for (i = 0; i < realm.nr_vcpus; i++)
		realm_start_pmu(realm.vcpus[i]);
	load();
}

static void test_list(void)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(realm.vcpus[0]);
	bool found = false;
	uint64_t i;

	for (i = 0; i < list->n; i++)
		found |= list->reg[i] == REG_PMCR;
	EXPECT(found, "PMCR_EL0 should be listed");
	free(list);
}

/* A number of counters for all RECs until the realm exists; all else is fixed. */
static void test_register(void)
{
	struct kvm_vcpu *vcpu, *other;
	uint64_t pmcr, bit;

	realm_create(&realm, &two_recs);
	vcpu = realm.vcpus[0];
	other = realm.vcpus[1];
	test_list();
	pmcr = get_pmcr(vcpu);
	max_counters = PMCR_N(pmcr);
	printf("%lu event counters\n", max_counters);
	EXPECT_EQ(pmcr & PMCR_WRITABLE, 0, "what a guest writes of PMCR_EL0");
	EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_PMCR, pmcr), 0, "same PMCR_EL0");
	for (bit = 1; bit; bit <<= 1)
		if (!(bit & PMCR_N_MASK))
			EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_PMCR, pmcr ^ bit),
				     EINVAL, "PMCR_EL0 with other bits %#lx",
				     bit);
	if (max_counters < MAX_COUNTERS)
		EXPECT_ERRNO(set_counters(vcpu, max_counters + 1), EINVAL,
			     "more counters than there are");
	EXPECT_EQ(get_pmcr(vcpu), pmcr, "PMCR_EL0 after what was refused");
	EXPECT_ERRNO(set_counters(vcpu, 0), 0, "no counter");
	EXPECT_EQ(PMCR_N(get_pmcr(other)), 0, "counters of the other REC");
	EXPECT_ERRNO(set_counters(other, max_counters), 0, "all counters again");
	EXPECT_EQ(get_pmcr(vcpu), pmcr, "PMCR_EL0 of the first REC");

	realm_start_pmu(vcpu);
	realm_start_pmu(other);
	load();
	EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_PMCR, pmcr), 0,
		     "same PMCR_EL0 of a realm that exists");
	if (max_counters)
		EXPECT_ERRNO(set_counters(vcpu, max_counters - 1), EPERM,
			     "fewer counters for a realm that exists");
	realm_free(&realm);
}

/* The RMM counts, so the host can neither filter nor go without its interrupt. */
static void test_attributes(void)
{
	struct kvm_pmu_event_filter filter = {
		.nevents = 1, .action = KVM_PMU_EVENT_DENY,
	};
	struct kvm_vcpu *vcpu;

	realm_create(&realm, &two_recs);
	vcpu = realm.vcpus[0];
	EXPECT_ERRNO(__vcpu_has_device_attr(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
					    KVM_ARM_VCPU_PMU_V3_FILTER), ENXIO,
		     "is there a filter of events?");
	EXPECT_ERRNO(__vcpu_device_attr_set(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
					    KVM_ARM_VCPU_PMU_V3_FILTER, &filter),
		     ENXIO, "filter of events");
	EXPECT_ERRNO(__vcpu_has_device_attr(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
					    KVM_ARM_VCPU_PMU_V3_IRQ), 0,
		     "is there an interrupt?");
	realm_start_pmu(realm.vcpus[1]);
	realm_load(&realm, &two_recs);
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL, "run without start of the PMU");
	realm_start_pmu(vcpu);
	EXPECT_EQ(PMCR_N(agent_call(&realm.agents[0], guest_pmcr)),
		  max_counters, "counters, once it is started");
	realm_free(&realm);
}

static void test_without(void)
{
	struct realm_options options = { .not_measured = true };
	struct kvm_vcpu *vcpu;
	uint64_t pmcr, dfr0;

	realm_create(&realm, &options);
	vcpu = realm.vcpus[0];
	EXPECT_ERRNO(__vcpu_get_reg(vcpu, REG_PMCR, &pmcr), ENOENT,
		     "get PMCR_EL0 without a PMU");
	EXPECT_ERRNO(__vcpu_set_reg(vcpu, REG_PMCR, 0), EINVAL,
		     "set PMCR_EL0 without a PMU");
	load();
	vcpu_get_reg(vcpu, REG_DFR0, &dfr0);
	EXPECT_EQ(DFR0_PMUVER(dfr0), 0, "version of the PMU");
	dfr0 = agent_call(&realm.agents[0], guest_dfr0);
	EXPECT_EQ(DFR0_PMUVER(dfr0), 0, "version of the PMU in the realm");
	EXPECT_EQ(agent_call(&realm.agents[0], guest_undefined_pmcr), 1,
		  "undefined PMCR_EL0");
	realm_free(&realm);
}

static void add_second(struct kvm_vcpu **vcpu, uint32_t features_of_first)
{
	realm_create(&realm, &(struct realm_options){
		.features = features_of_first,
		.no_gic = true,
	});
	*vcpu = __vm_vcpu_add(realm.vm, 1);
}

static void create_realm(void)
{
	realm_bind(&realm);
	EXPECT_ERRNO(realm_populate_all(&realm, false), 0, "populate");
}

/* All RECs of a realm have one, or none. */
static void test_mixed(void)
{
	const uint32_t psci = 1 << KVM_ARM_VCPU_PSCI_0_2;
	const uint32_t pmu = 1 << KVM_ARM_VCPU_PMU_V3;
	struct kvm_vcpu *vcpu;

	add_second(&vcpu, 0);
	create_realm();
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, psci | pmu), EINVAL,
		     "a REC with a PMU in a realm without");
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, psci), 0, "one without");
	realm_free(&realm);

	add_second(&vcpu, pmu);
	EXPECT_ERRNO(__realm_vcpu_init(vcpu, psci), 0,
		     "a REC without a PMU, early");
	realm.vcpus[realm.nr_vcpus++] = vcpu;
	realm_add_gic(&realm);
	create_realm();
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL,
		     "run a REC without a PMU in a realm with one");
	realm_free(&realm);
}

/* Two RECs that take turns on one CPU, each with other numbers in each counter */
static void test_counters(uint64_t nr)
{
	uint64_t want[2][MAX_COUNTERS] = {}, cycles[2] = {}, now;
	uint64_t all = (1ul << nr) - 1, vcpu_dfr0, turn, i, j;

	begin(nr);
	vcpu_get_reg(realm.vcpus[0], REG_DFR0, &vcpu_dfr0);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(DFR0_PMUVER(agent_call(&realm.agents[i], guest_dfr0)),
			  DFR0_PMUVER(vcpu_dfr0), "version of the PMU");
		EXPECT_EQ(PMCR_N(agent_call(&realm.agents[i], guest_pmcr)), nr,
			  "counters of REC %lu", i);
		EXPECT_EQ(agent_call(&realm.agents[i], guest_start, nr),
			  all | 1ul << CYCLES, "counters that count");
	}
	for (turn = 1; turn <= 3; turn++) {
		for (i = 0; i < 2; i++)
			for (j = 0; j < nr; j++) {
				agent_call(&realm.agents[i], guest_increment,
					   1ul << j, turn + 10 * i + j);
				want[i][j] += turn + 10 * i + j;
			}
		for (i = 0; i < 2; i++) {
			for (j = 0; j < nr; j++)
				EXPECT_EQ(agent_call(&realm.agents[i],
						     guest_read_counter, j),
					  want[i][j],
					  "counter %lu of REC %lu", j, i);
			now = agent_call(&realm.agents[i], guest_cycles);
			EXPECT(now > cycles[i],
			       "REC %lu should spend cycles, has %lu", i, now);
			cycles[i] = now;
		}
	}
	EXPECT_EQ(agent_call(&realm.agents[0], guest_overflows, true), 0,
		  "interrupts of the PMU");
	realm_free(&realm);
}

/* Of this thread, all or its own alone: neither its kernel's nor its guests'. */
static int open_event(uint32_t type, uint64_t config, bool own)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = config,
		.pinned = 1,
		.exclude_kernel = own,
		.exclude_guest = own,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t event_count(int fd)
{
	uint64_t count;

	EXPECT_EQ(read(fd, &count, sizeof(count)), sizeof(count),
		  "bytes of an event's count");
	return count;
}

/* While the host counts the same event: neither counts for the other. */
static void test_host(void)
{
	int increments = open_event(PERF_TYPE_RAW, EVENT_SW_INCR, false);
	int cycles = open_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES,
				false);
	int own = open_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, true);
	struct agent *agent = &realm.agents[0];
	uint64_t before, i;

	if (increments < 0 || cycles < 0 || own < 0) {
		note_skipped("counters of the host: no perf events");
		return;
	}
	begin(max_counters);
	before = event_count(own);
	EXPECT(event_count(own) > before,
	       "the host's own cycles should go on after a REC's first run");
	agent_call(agent, guest_start, max_counters);
	for (i = 1; i <= 4; i++) {
		before = event_count(cycles);
		agent_call(agent, guest_increment, ~0u >> 1, 100);
		EXPECT_EQ(event_count(increments), 0,
			  "what the host sees of a realm's events");
		EXPECT(event_count(cycles) > before,
		       "the host should spend cycles from %lu on", before);
		EXPECT_EQ(agent_call(agent, guest_read_counter, max_counters - 1),
			  100 * i, "events of the realm");
	}
	close(increments);
	close(cycles);
	close(own);
	realm_free(&realm);
}

/* With interrupts off for a while and some exits, perhaps on other CPUs */
static void test_overflow(void)
{
	struct agent *agent = &realm.agents[0];
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t last = max_counters - 1, i, j;

	begin(max_counters);
	agent_call(agent, guest_start, max_counters);
	for (i = 1; i <= 6; i++) {
		agent_call(agent, guest_set_counter, last, ~0u - 4);
		agent_call(agent, guest_increment, 1ul << last, 4);
		EXPECT_EQ(agent_call(agent, guest_overflows, true), i - 1,
			  "interrupts before it runs over");
		agent_call(agent, guest_increment, 1ul << last, 1);
		for (j = 0; j < i; j++) {
			go_to_cpu((i + j) % nr_cpus);
			EXPECT_EQ(agent_call(agent, guest_overflows, false),
				  i - 1, "interrupts while they are off");
		}
		EXPECT_EQ(agent_call(agent, guest_overflows, true), i,
			  "interrupts of counters that have run over");
		EXPECT_EQ(agent_call(agent, guest_overflow_status),
			  1ul << last, "what has run over");
		EXPECT_EQ(agent_call(agent, guest_overflows, true), i,
			  "interrupts once it is over");
		EXPECT_EQ(agent_call(agent, guest_read_counter, last), 0,
			  "what the counter goes on from");
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(agent_call(agent, guest_overflow_by_time, 1000000), 1,
			  "interrupts of cycles that have run over");
	EXPECT_EQ(agent_call(agent, guest_overflow_status), 1ul << CYCLES,
		  "what has run over, of cycles");
	realm_free(&realm);
}

int main(int argc, char *argv[])
{
	require_realms();
	__TEST_REQUIRE(realms_have_pmu(),
		       "the CPU, its driver or the RMM has no PMU");
	test_register();
	test_attributes();
	test_without();
	test_mixed();
	test_counters(0);
	test_counters(1);
	test_counters(max_counters);
	if (max_counters) {
		test_host();
		test_overflow();
	}
	return test_verdict();
}
