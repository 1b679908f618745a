// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a realm asks of its host: loads and stores of all sizes that its VMM
 * emulates, and host calls.
 */
#include <sys/mman.h>

#include "realm.h"

#define DEVICE		(REALM_DEVICE_VA + 0x100)
#define DEVICE_GPA	(REALM_DEVICE + 0x100ul)
#define VALUE		0xfedcba9876543210ul
#define ANSWER		0x8182838485868788ul
#define ANSWERS		(REALM_MAILBOX + 2048)

#define SMCCC_VERSION	0x80000000ul
#define PSCI_CPU_OFF	0x84000002ul
#define READ_ONLY	(4 * SIZE_1G)
#define EC_DABT_CURRENT	0x25
#define FSC_MASK	0x3f
#define FSC_SEA		0x10

#define NO_SUCH_CALL	0xc600ff00ul
#define NOT_SUPPORTED	(-1ul)

static struct realm realm;
static struct agent *agent = &realm.agents[0];

#define LOAD(name, insn, width)						\
static uint64_t load_##name(uint64_t at)				\
{									\
	uint64_t value;							\
									\
	asm volatile(insn " %" width "0, [%1]" : "=r"(value) : "r"(at));\
	return value;							\
}

#define STORE(name, insn, width)					\
static uint64_t store_##name(uint64_t at, uint64_t value)		\
{									\
	asm volatile(insn " %" width "0, [%1]" : : "r"(value), "r"(at));\
	return 0;							\
}

LOAD(u8, "ldrb", "w")
LOAD(u16, "ldrh", "w")
LOAD(u32, "ldr", "w")
LOAD(u64, "ldr", "x")
LOAD(s8_w, "ldrsb", "w")
LOAD(s8_x, "ldrsb", "x")
LOAD(s16_w, "ldrsh", "w")
LOAD(s16_x, "ldrsh", "x")
LOAD(s32_x, "ldrsw", "x")
STORE(u8, "strb", "w")
STORE(u16, "strh", "w")
STORE(u32, "str", "w")
STORE(u64, "str", "x")

static uint64_t store_zero(uint64_t at)
{
	asm volatile("str xzr, [%0]" : : "r"(at));
	return 0;
}

static uint64_t load_pair(uint64_t at)
{
	uint64_t a, b;

	asm volatile("ldp %0, %1, [%2]" : "=r"(a), "=r"(b) : "r"(at));
	return a + b;
}

static const struct access {
	const char *name;
	void *fn;
	bool is_write;
	unsigned int len;
	uint64_t value;		/* written, or what the load returns */
} accesses[] = {
	{ "LDRB", load_u8, false, 1, ANSWER & 0xff },
	{ "LDRH", load_u16, false, 2, ANSWER & 0xffff },
	{ "LDR W", load_u32, false, 4, ANSWER & 0xffffffff },
	{ "LDR X", load_u64, false, 8, ANSWER },
	{ "LDRSB W", load_s8_w, false, 1, (uint32_t)(int8_t)ANSWER },
	{ "LDRSB X", load_s8_x, false, 1, (int64_t)(int8_t)ANSWER },
	{ "LDRSH W", load_s16_w, false, 2, (uint32_t)(int16_t)ANSWER },
	{ "LDRSH X", load_s16_x, false, 2, (int64_t)(int16_t)ANSWER },
	{ "LDRSW", load_s32_x, false, 4, (int64_t)(int32_t)ANSWER },
	{ "STRB", store_u8, true, 1, VALUE & 0xff },
	{ "STRH", store_u16, true, 2, VALUE & 0xffff },
	{ "STR W", store_u32, true, 4, VALUE & 0xffffffff },
	{ "STR X", store_u64, true, 8, VALUE },
	{ "STR XZR", store_zero, true, 8, 0 },
};

static void expect_mmio(const struct access *access, enum agent_stop stop)
{
	struct kvm_run *run = agent->vcpu->run;
	uint64_t data = 0;

	memcpy(&data, run->mmio.data, access->len);
	EXPECT(stop == AGENT_MMIO && run->mmio.phys_addr == DEVICE_GPA &&
	       run->mmio.is_write == access->is_write &&
	       run->mmio.len == access->len,
	       "%s: should be an access of %u bytes at %#lx: %s", access->name,
	       access->len, DEVICE_GPA, agent_stop_name(agent, stop));
	if (access->is_write)
		EXPECT_EQ(data, access->value, "%s: what is written",
			  access->name);
}

static void test_access(const struct access *access)
{
	const uint64_t answer = ANSWER;
	enum agent_stop stop;

	agent_start(agent, access->fn, DEVICE, VALUE, 0, 0);
	expect_mmio(access, agent_run(agent));
	memcpy(agent->vcpu->run->mmio.data, &answer, sizeof(answer));
	stop = agent_run(agent);
	EXPECT(stop == AGENT_DONE, "%s: should come to its end: %s",
	       access->name, agent_stop_name(agent, stop));
	if (!access->is_write)
		EXPECT_EQ(agent->value, access->value, "%s: what it returns",
			  access->name);
}

static void expect_abort(enum agent_stop stop, const char *what)
{
	EXPECT(stop == AGENT_TRAP &&
	       AGENT_TRAP_EC(agent) == EC_DABT_CURRENT &&
	       (agent->value & FSC_MASK) == FSC_SEA,
	       "%s should be an external abort in the realm: %s", what,
	       agent_stop_name(agent, stop));
}

/* The RMM shows no more than one register: the realm gets an abort. */
static void test_pair(void)
{
	agent_start(agent, load_pair, DEVICE, 0, 0, 0);
	expect_abort(agent_run(agent), "LDP from a device");
}

/* The VMM knows of no device there. */
static void test_abort(const struct access *access)
{
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };

	agent_start(agent, access->fn, DEVICE, VALUE, 0, 0);
	expect_mmio(access, agent_run(agent));
	EXPECT_ERRNO(__vcpu_ioctl(agent->vcpu, KVM_SET_VCPU_EVENTS, &events), 0,
		     "%s: KVM_SET_VCPU_EVENTS", access->name);
	expect_abort(agent_run(agent), access->name);
	test_access(access);
}

/* What the host does not let be written is read as memory, and written to it. */
static void test_read_only_slot(void)
{
	const uint64_t at = SHARED_VA(READ_ONLY);
	struct kvm_run *run = agent->vcpu->run;
	enum agent_stop stop;
	uint64_t *mem;
	int i;

	mem = map_anonymous(SIZE_4K, SIZE_4K);
	*mem = ANSWER;
	EXPECT_ERRNO(__vm_set_region2(realm.vm, REALM_FREE_SLOT,
				      KVM_MEM_READONLY, READ_ONLY, SIZE_4K, mem,
				      0, 0), 0, "a slot that is read only");
	/* Before it is mapped, and after. */
	for (i = 0; i < 2; i++) {
		agent_start(agent, guest_write, at, VALUE, 0, 0);
		stop = agent_run(agent);
		EXPECT(stop == AGENT_MMIO && run->mmio.is_write &&
		       run->mmio.phys_addr == READ_ONLY &&
		       !memcmp(run->mmio.data, &(uint64_t){ VALUE }, 8),
		       "store %d to a slot that is read only: %s", i,
		       agent_stop_name(agent, stop));
		EXPECT_EQ(agent_run(agent), AGENT_DONE, "the store");
		EXPECT_EQ(agent_call(agent, guest_read, at), ANSWER,
			  "load %d from a slot that is read only", i);
	}
	EXPECT_EQ(*mem, ANSWER, "what the host has there");
	vm_delete_slot(realm.vm, REALM_FREE_SLOT);
	munmap(mem, SIZE_4K);
}

/* Between the access and its completion KVM_RUN may only complete it. */
static void test_completion_alone(void)
{
	const struct access *load = &accesses[3];
	const uint64_t answer = ANSWER;

	agent_start(agent, load->fn, DEVICE, 0, 0, 0);
	expect_mmio(load, agent_run(agent));
	memcpy(agent->vcpu->run->mmio.data, &answer, sizeof(answer));
	vcpu_run_complete_io(agent->vcpu);
	vcpu_run_complete_io(agent->vcpu);
	agent->vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	EXPECT_EQ(agent_run(agent), AGENT_DONE, "load that was completed early");
	EXPECT_EQ(agent->value, ANSWER, "what it returns");
}

static void test_host_calls(void)
{
	const uint64_t *answers = addr_gpa2hva(realm.vm, ANSWERS);
	const struct {
		const char *name;
		uint64_t fid, arg, answer;
	} calls[] = {
		{ "SMCCC_VERSION", SMCCC_VERSION, 0, 1 << 16 | 1 },
		{ "a call that nobody knows", NO_SUCH_CALL, 0, NOT_SUPPORTED },
		{ "PSCI", PSCI_CPU_OFF, 0, NOT_SUPPORTED },
	};
	int i, imm;

	for (imm = 0; imm <= 0xffff; imm += 0xffff)
		for (i = 0; i < ARRAY_SIZE(calls); i++) {
			EXPECT_EQ(agent_call(agent, guest_host_call, imm,
					     calls[i].fid, calls[i].arg,
					     SHARED_VA(ANSWERS)),
				  RSI_SUCCESS, "status of RSI_HOST_CALL");
			EXPECT_EQ(answers[0], calls[i].answer,
				  "host call %#x, %s", imm, calls[i].name);
		}
}

static void test_rsi_errors(void)
{
	EXPECT_EQ(agent_call(agent, guest_smc4, RSI_HOST_CALL, 8),
		  RSI_ERROR_INPUT, "RSI_HOST_CALL, not aligned");
	EXPECT_EQ(agent_call(agent, guest_smc4, RSI_HOST_CALL,
			     realm_shared_ipa(realm.vm, ANSWERS)),
		  RSI_ERROR_INPUT, "RSI_HOST_CALL from shared memory");
	EXPECT_EQ(agent_call(agent, guest_smc4, RSI_VERSION, RSI_ABI_1_0),
		  RSI_SUCCESS, "RSI_VERSION 1.0");
	EXPECT_EQ(agent_call(agent, guest_smc4, RSI_MEASUREMENT_READ, 5),
		  RSI_ERROR_INPUT, "RSI_MEASUREMENT_READ of number 5");
	EXPECT_EQ(agent_call(agent, guest_smc4, NO_SUCH_CALL), NOT_SUPPORTED,
		  "a call that the RMM does not know");
}

int main(int argc, char *argv[])
{
	int i;

	require_realms();
	realm_create(&realm, &(struct realm_options){});
	realm_map(realm.vm, READ_ONLY, SIZE_4K);
	realm_load(&realm, &(struct realm_options){ .not_measured = true });
	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		test_access(&accesses[i]);
	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		test_abort(&accesses[i]);
	test_pair();
	test_read_only_slot();
	test_completion_alone();
	test_host_calls();
	test_rsi_errors();
	realm_free(&realm);
	return test_verdict();
}
