// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a realm starts with: contents that are measured and contents that are
 * not, and the initial measurement that the realm reads, which is computed here
 * from what the host did.
 */
#include "realm.h"
#include "realm_measure.h"

#define MEMORY		(4 * SIZE_1G)
#define NR_PAGES	16ul
#define SIZE		(NR_PAGES * SIZE_4K)
#define RESULT		(REALM_MAILBOX + 2048)

#define DFR0_BPS(dfr0)	((dfr0) >> 12 & 15)
#define DFR0_WPS(dfr0)	((dfr0) >> 20 & 15)
#define PMCR_COUNTERS(pmcr)	((pmcr) >> 11 & 31)

static const struct {
	unsigned int algo;
	const char *text;
	uint8_t digest[8];	/* its first bytes */
} hash_vectors[] = {
	{ RSI_HASH_SHA_256, "",
	  { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14 } },
	{ RSI_HASH_SHA_256, "abc",
	  { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea } },
	{ RSI_HASH_SHA_256,
	  "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  { 0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8 } },
	{ RSI_HASH_SHA_512, "abc",
	  { 0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba } },
	{ RSI_HASH_SHA_512, "",
	  { 0xcf, 0x83, 0xe1, 0x35, 0x7e, 0xef, 0xb8, 0xbd } },
};

static void test_hashes(void)
{
	uint8_t digest[REALM_HASH_SIZE];
	int i;

	for (i = 0; i < ARRAY_SIZE(hash_vectors); i++) {
		realm_hash(hash_vectors[i].algo, hash_vectors[i].text,
			   strlen(hash_vectors[i].text), digest);
		EXPECT(!memcmp(digest, hash_vectors[i].digest, 8),
		       "digest of \"%s\" by algorithm %u", hash_vectors[i].text,
		       hash_vectors[i].algo);
	}
}

/* What of it is measured: the program, the memory, or nothing. */
struct plan {
	const char *name;
	unsigned int ipa_bits;
	unsigned int nr_vcpus;
	bool program, data;
	bool others_off;
	bool rec_feature;
	bool pmu;
};

static const struct plan plans[] = {
	{ "all", 40, 1, true, true },
	{ "no data", 40, 1, true, false },
	{ "no program", 40, 1, false, true },
	{ "nothing", 40, 1, false, false },
	{ "two RECs", 48, 2, true, true },
	{ "a REC that is off", 40, 2, false, true, true },
	{ "finalized RECs", 40, 2, false, true, false, true },
	{ "LPA2", 52, 1, false, true },
	{ "PMU", 40, 2, true, true, .pmu = true },
};

static struct realm realm;
static struct gmem_area memory;

static struct realm_options options_of(const struct plan *plan)
{
	return (struct realm_options) {
		.nr_vcpus = plan->nr_vcpus,
		.ipa_bits = plan->ipa_bits,
		.others_off = plan->others_off,
		.rec_feature = plan->rec_feature,
		.not_measured = !plan->program,
		.features = plan->pmu ? 1 << KVM_ARM_VCPU_PMU_V3 : 0,
	};
}

static void measure_data(struct rim *rim, uint64_t gpa, uint64_t size,
			 const void *from, bool measured)
{
	uint64_t i;

	for (i = 0; i < size; i += SIZE_4K)
		rim_data(rim, gpa + i, from + i, measured);
}

/* As the host does it: RAM by frames, then the program, the memory, the RECs. */
static void measure(struct rim *rim, const struct plan *plan, unsigned int algo)
{
	const uint64_t pc = addr_gva2gpa(realm.vm, (uintptr_t)realm_entry);
	struct rim_params params = {
		.algo = algo,
		.ipa_bits = plan->ipa_bits,
		.pmu = plan->pmu,
	};
	uint64_t gpa = 0, size = 0, dfr0, pmcr;
	unsigned int i;

	vcpu_get_reg(realm.vcpus[0], KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1),
		     &dfr0);
	params.num_bps = DFR0_BPS(dfr0);
	params.num_wps = DFR0_WPS(dfr0);
	if (plan->pmu) {
		vcpu_get_reg(realm.vcpus[0], KVM_ARM64_SYS_REG(SYS_PMCR_EL0),
			     &pmcr);
		params.pmu_num_ctrs = PMCR_COUNTERS(pmcr);
	}
	rim_create(rim, &params);
	rim_ripas(rim, 0, realm.size);
	rim_ripas(rim, MEMORY, MEMORY + SIZE);
	measure_data(rim, MEMORY, SIZE, memory.hva, plan->data);
	while (realm_next_used(&realm, &gpa, &size))
		measure_data(rim, gpa, size, addr_gpa2hva(realm.vm, gpa),
			     plan->program);
	for (i = 0; i < (plan->others_off ? 1 : plan->nr_vcpus); i++)
		rim_rec(rim, pc, addr_gva2gpa(realm.vm, realm.boot[i]));
}

static void begin(const struct plan *plan)
{
	const struct realm_options options = options_of(plan);
	unsigned int i;

	realm_create(&realm, &options);
	for (i = 0; i < plan->nr_vcpus && plan->pmu; i++)
		realm_start_pmu(realm.vcpus[i]);
	realm_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	stamp_fill(memory.hva, MEMORY, SIZE, 9);
	realm_bind(&realm);
	EXPECT_ERRNO(realm_populate(realm.vm, MEMORY, SIZE, memory.hva,
				    plan->data), 0, "populate");
	realm_load_bound(&realm, &options);
}

static void test_plan(const struct plan *plan)
{
	struct agent *agent = &realm.agents[0];
	const uint64_t *result;
	struct rim rim;
	uint64_t algo;

	if (plan->pmu && !realms_have_pmu()) {
		note_skipped("PMU: the CPU, its driver or the RMM has none");
		return;
	}
	begin(plan);
	result = addr_gpa2hva(realm.vm, RESULT);
	EXPECT_EQ(agent_call(agent, guest_read_config, SHARED_VA(RESULT)),
		  RSI_SUCCESS, "%s: RSI_REALM_CONFIG", plan->name);
	EXPECT_EQ(result[0], plan->ipa_bits, "%s: ipa_width", plan->name);
	algo = result[1];

	measure(&rim, plan, algo);
	EXPECT_EQ(agent_call(agent, guest_read_measurement, 0,
			     SHARED_VA(RESULT)), RSI_SUCCESS,
		  "%s: RSI_MEASUREMENT_READ", plan->name);
	EXPECT(!memcmp(result, rim.value, sizeof(rim.value)),
	       "%s: initial measurement should begin with %016lx, is %016lx",
	       plan->name, be64toh(*(uint64_t *)rim.value),
	       be64toh(result[0]));

	/* Measured or not, it is there, and a copy. */
	stamp_fill(memory.hva, MEMORY, SIZE, 10);
	EXPECT_EQ(agent_call(agent, guest_check, MEMORY, SIZE, 9),
		  MEMORY + SIZE, "%s: where contents are wrong", plan->name);
	gmem_area_free(&memory);
	realm_free(&realm);
}

/* By the model, extensible measurements start as zeroes. */
static void test_extend(void)
{
	uint8_t want[REALM_HASH_SIZE], message[2 * REALM_HASH_SIZE] = {};
	struct agent *agent = &realm.agents[0];
	uint64_t *result, size;

	realm_make(&realm, &(struct realm_options){ .not_measured = true });
	result = addr_gpa2hva(realm.vm, RESULT);
	agent_call(agent, guest_read_config, SHARED_VA(RESULT));
	size = result[1] == RSI_HASH_SHA_512 ? 64 : 32;
	memset(message + size, 0, 8);
	message[size] = 0x5a;
	realm_hash(result[1], message, size + 8, want);
	EXPECT_EQ(agent_call(agent, guest_smc4, RSI_MEASUREMENT_EXTEND, 1, 8,
			     0x5a), RSI_SUCCESS, "RSI_MEASUREMENT_EXTEND");
	EXPECT_EQ(agent_call(agent, guest_read_measurement, 1,
			     SHARED_VA(RESULT)), RSI_SUCCESS,
		  "RSI_MEASUREMENT_READ of number 1");
	EXPECT(!memcmp(result, want, sizeof(want)),
	       "extended measurement should be that of zeroes and the value");
	EXPECT_EQ(agent_call(agent, guest_smc4, RSI_MEASUREMENT_EXTEND, 0, 8,
			     0x5a), RSI_ERROR_INPUT,
		  "RSI_MEASUREMENT_EXTEND of the initial one");
	realm_free(&realm);
}

int main(int argc, char *argv[])
{
	int i;

	test_hashes();
	require_realms();
	for (i = 0; i < ARRAY_SIZE(plans); i++)
		test_plan(&plans[i]);
	test_extend();
	return test_verdict();
}
