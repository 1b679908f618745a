// SPDX-License-Identifier: GPL-2.0-only
/* The port of the core that tests link: memory is an array. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "snp_port.h"

struct machine machine;

const struct snpm_config default_config = {
	.nr_pages = RMP_PAGES,
	.max_asid = MAX_ASID,
	.smt = true,
	.track_wbinvd = true,
};

static u8 *saved_mem;
static struct snpm_rmp_entry *saved_rmp;
static struct snpm_fw saved_fw;

#define MEM_SIZE	PAGE(MEM_PAGES)
#define RMP_SIZE	(RMP_PAGES * sizeof(struct snpm_rmp_entry))

void machine_init(const struct snpm_config *config)
{
	struct snpm_config c = *config;

	free(machine.mem);
	free(machine.rmp);
	free(saved_mem);
	free(saved_rmp);
	machine = (struct machine) {
		.mem = aligned_alloc(PAGE_SIZE, MEM_SIZE),
		.rmp = malloc(RMP_SIZE),
		.hole = NOWHERE,
		.sha_fails = -1,
		.random_fails = -1,
	};
	memset(machine.mem, 0xa5, MEM_SIZE);
	memset(machine.rmp, 0xa5, RMP_SIZE);
	saved_mem = malloc(MEM_SIZE);
	saved_rmp = malloc(RMP_SIZE);
	c.rmp = machine.rmp;
	snpm_init(&c);
}

void *machine_va(u64 spa)
{
	expect(spa < MEM_SIZE, "no memory at %#llx", spa);
	return machine.mem + spa;
}

void machine_save(void)
{
	memcpy(saved_mem, machine.mem, MEM_SIZE);
	memcpy(saved_rmp, machine.rmp, RMP_SIZE);
	saved_fw = snpm_fw;
}

bool machine_is_saved(void)
{
	return !memcmp(saved_mem, machine.mem, MEM_SIZE) &&
	       !memcmp(saved_rmp, machine.rmp, RMP_SIZE) &&
	       !memcmp(&saved_fw, &snpm_fw, sizeof(snpm_fw));
}

void machine_fail(void)
{
	fflush(stdout);
	_exit(1);
}

void snpm_port_rmp_lock(void)
{
	expect(!machine.rmp_locked, "the RMP's lock is taken twice");
	machine.rmp_locked = true;
}

void snpm_port_rmp_unlock(void)
{
	expect(machine.rmp_locked, "the RMP's lock is not held");
	machine.rmp_locked = false;
}

void snpm_port_fw_lock(void)
{
	expect(!machine.fw_locked, "the firmware's lock is taken twice");
	expect(!machine.rmp_locked, "the firmware's lock inside of the RMP's");
	machine.fw_locked = true;
}

void snpm_port_fw_unlock(void)
{
	expect(machine.fw_locked, "the firmware's lock is not held");
	machine.fw_locked = false;
}

/* What may sleep. */
static void might_sleep(const char *what)
{
	expect(!machine.rmp_locked, "%s under the RMP's lock", what);
}

void *snpm_port_map(u64 spa)
{
	might_sleep("map");
	expect(IS_ALIGNED(spa, PAGE_SIZE), "%#llx", spa);
	if (spa >= MEM_SIZE || spa == machine.hole)
		return NULL;
	expect(++machine.mapped <= 3, "%d pages are mapped", machine.mapped);
	return machine.mem + spa;
}

void snpm_port_unmap(void *va)
{
	expect(IS_ALIGNED((u64)((u8 *)va - machine.mem), PAGE_SIZE), "%p", va);
	expect(machine.mapped-- > 0, "nothing is mapped");
}

bool snpm_port_snp_enabled(void)
{
	return !machine.snp_disabled;
}

/* The nth call from now on fails, once. */
static bool fails(int *count)
{
	return *count >= 0 && !(*count)--;
}

enum snpm_port_status snpm_port_random(void *to, size_t size)
{
	static u64 seed = 0x9e3779b97f4a7c15ULL;
	u8 *p = to;

	might_sleep("random");
	if (fails(&machine.random_fails))
		return SNPM_PORT_ERROR;
	while (size--) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		*p++ = seed >> 56;
	}
	return SNPM_PORT_OK;
}

enum snpm_port_status snpm_port_sha384(const void *data, size_t size,
				       u8 digest[48])
{
	might_sleep("sha384");
	if (fails(&machine.sha_fails))
		return SNPM_PORT_ERROR;
	sha384(data, size, digest);
	return SNPM_PORT_OK;
}

enum snpm_port_status snpm_port_ecdsa_verify(const struct snpm_ecdsa *e,
					     const u8 digest[48])
{
	might_sleep("ecdsa");
	return machine.no_crypto ? SNPM_PORT_UNSUPPORTED :
		crypto_ecdsa_verify(e, digest);
}

static enum snpm_port_status gcm(struct snpm_gcm *g, bool encrypt)
{
	might_sleep("gcm");
	return machine.no_crypto ? SNPM_PORT_UNSUPPORTED :
		crypto_gcm(g, encrypt);
}

enum snpm_port_status snpm_port_gcm_encrypt(struct snpm_gcm *g)
{
	return gcm(g, true);
}

enum snpm_port_status snpm_port_gcm_decrypt(struct snpm_gcm *g)
{
	return gcm(g, false);
}

/* A machine whose every register is a function of where it stands. */
void snpm_port_cpuid(u32 function, u32 index, u32 out[4])
{
	for (u32 i = 0; i < 4; i++)
		out[i] = (function * 0x01010101u + index * 0x10u + i) | 0x00a0f010;
}

void snpm_port_unmodelled(u32 command, const char *what)
{
	expect(what && *what, "nothing is said");
	machine.unmodelled++;
	machine.unmodelled_command = command;
}

const char *needs_crypto(void)
{
	return crypto_is_there() ? NULL : "no libcrypto";
}

static bool run_test(const struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		test->run();
		fflush(stdout);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

int run_tests(const char *program, const struct test *tests, unsigned int nr)
{
	int failed = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const char *missing = tests[i].missing ? tests[i].missing() : NULL;
		bool ok;

		if (missing) {
			printf("skip %s: %s: %s\n", program, tests[i].name, missing);
			continue;
		}
		ok = run_test(&tests[i]);
		printf("%s %s: %s\n", ok ? "ok" : "FAIL", program, tests[i].name);
		failed |= !ok;
	}
	return failed;
}
