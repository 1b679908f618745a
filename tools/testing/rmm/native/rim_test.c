// SPDX-License-Identifier: GPL-2.0-only
/*
 * The initial measurement against one made of bytes at offsets by sha256sum
 * and sha512sum, which share no code with the core.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

static u8 rim[64];
static bool wide;

static void put(u8 *page, u64 offset, u64 value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		page[offset + i] = value >> 8 * i;
}

static void digest(const u8 *data, u64 size, u8 *to)
{
	char name[] = "/tmp/rim-XXXXXX", command[64];
	int fd = mkstemp(name);
	FILE *f;

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size, "%s", name);
	close(fd);
	sprintf(command, "%s < %s", wide ? "sha512sum" : "sha256sum", name);
	f = popen(command, "r");
	memset(to, 0, 64);
	for (int i = 0; i < (wide ? 64 : 32); i++) {
		unsigned int byte;

		expect(fscanf(f, "%2x", &byte) == 1, "%s failed", command);
		to[i] = byte;
	}
	pclose(f);
	unlink(name);
}

static void step(u8 *desc, u8 type)
{
	desc[0] = type;
	put(desc, 8, 0x100, 8);
	memcpy(desc + 0x10, rim, 64);
	digest(desc, 0x100, rim);
}

static void rim_realm(const struct rmi_realm_params *p)
{
	u8 page[4096] = { 0 };

	put(page, 0, p->flags, 8);
	put(page, 8, p->s2sz, 1);
	put(page, 0x10, p->sve_vl, 1);
	put(page, 0x18, p->num_bps, 1);
	put(page, 0x20, p->num_wps, 1);
	put(page, 0x28, p->pmu_num_ctrs, 1);
	put(page, 0x30, p->hash_algo, 1);
	digest(page, sizeof(page), rim);
}

static void rim_ripas(u64 base, u64 top)
{
	u8 desc[0x100] = { 0 };

	put(desc, 0x50, base, 8);
	put(desc, 0x58, top, 8);
	step(desc, 2);
}

static void rim_data(u64 ipa, u64 flags, const u8 *content)
{
	u8 desc[0x100] = { 0 };

	put(desc, 0x50, ipa, 8);
	put(desc, 0x58, flags, 8);
	if (content)
		digest(content, 4096, desc + 0x60);
	step(desc, 0);
}

static void rim_rec(u64 flags, u64 pc, const u64 *gprs)
{
	u8 page[4096] = { 0 }, desc[0x100] = { 0 };

	put(page, 0, flags, 8);
	put(page, 0x200, pc, 8);
	for (int i = 0; i < 8; i++)
		put(page, 0x300 + 8 * i, gprs[i], 8);
	digest(page, sizeof(page), desc + 0x50);
	step(desc, 1);
}

/* What a REC reads. */
static void check_rim(u64 rec)
{
	w.rec = rec;
	expect(smc(RSI_MEASUREMENT_READ, 0), "went to the host");
	expect_eq(answer[0], RSI_SUCCESS);
	for (int i = 0; i < 64; i++)
		expect(((u8 *)&answer[1])[i] == rim[i],
		       "byte %d is %#x, should be %#x", i,
		       ((u8 *)&answer[1])[i], rim[i]);
}

static void second_realm(void)
{
	u64 start, rd, tables[2];

	world_init();
	start = delegated_pages(2);
	rd = delegated();
	params_init(w.params, start);
	realm_params()->vmid = 9;
	realm_params()->hash_algo = wide;
	realm_params()->sve_vl = 3;
	realm_params()->flags = RMI_REALM_FLAG_SVE;
	rmi_is(RMI_SUCCESS, RMI_REALM_CREATE, rd, w.params);
	rim_realm(realm_params());
	for (int i = 0; i < 2; i++) {
		tables[i] = delegated();
		rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, rd, tables[i], 0, 2 + i);
	}
	w.rd = rd;
}

static void check_all(void)
{
	u64 unrunnable;

	second_realm();
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(4), PAGE(7));
	for (int i = 4; i < 7; i++)
		rim_ripas(PAGE(i), PAGE(i + 1));
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, SZ_2M, 3 * SZ_2M);
	rim_ripas(SZ_2M, 2 * SZ_2M);
	rim_ripas(2 * SZ_2M, 3 * SZ_2M);
	memset(arena_va(w.ns), 0x77, 4096);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE, w.rd, w.spare, PAGE(4), w.ns, 1);
	rim_data(PAGE(4), 1, arena_va(w.ns));
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE, w.rd, delegated(), PAGE(5),
	       w.ns, 0);
	rim_data(PAGE(5), 0, NULL);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, delegated(),
	       PAGE(6));
	rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, w.rec, w.rec_params);
	rim_rec(1, rec_params()->pc, rec_params()->gprs);
	/* One that does not run at first is not measured */
	unrunnable = delegated();
	rec_params_init(w.rec_params, 1, 0);
	rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, unrunnable, w.rec_params);
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
	check_rim(w.rec);
}

static void test_narrow(void)
{
	check_all();
}

static void test_wide(void)
{
	wide = true;
	check_all();
}

int main(void)
{
	const struct test tests[] = {
		{ "SHA-256", test_narrow },
		{ "SHA-512", test_wide },
	};

	if (system("sha256sum </dev/null >/dev/null 2>&1") ||
	    system("sha512sum </dev/null >/dev/null 2>&1")) {
		printf("skip rim: no sha256sum and sha512sum\n");
		return 0;
	}
	return run_tests("rim", tests, ARRAY_SIZE(tests));
}
