// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launch digest against one made of bytes at offsets by sha384sum, which
 * shares no code with the core.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define GPA	0x100000000ULL

static u8 ld[48];

static void put(u8 *to, u64 offset, u64 value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		to[offset + i] = value >> 8 * i;
}

static void digest(const u8 *data, u64 size, u8 *to)
{
	char name[] = "/tmp/ld-XXXXXX", command[64];
	int fd = mkstemp(name);
	FILE *f;

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size, "%s", name);
	close(fd);
	sprintf(command, "sha384sum < %s", name);
	f = popen(command, "r");
	for (int i = 0; i < 48; i++) {
		unsigned int byte;

		expect(fscanf(f, "%2x", &byte) == 1, "%s failed", command);
		to[i] = byte;
	}
	pclose(f);
	unlink(name);
}

/* VMPL permissions as bits 7:0 of VMPL1, 15:8 of VMPL2, 23:16 of VMPL3. */
static void step(u8 type, u64 gpa, const u8 *contents, u32 perms, bool imi)
{
	u8 info[0x70] = { 0 };

	memcpy(info, ld, 48);
	if (contents)
		digest(contents, 4096, info + 0x30);
	put(info, 0x60, 0x70, 2);
	put(info, 0x62, type, 1);
	put(info, 0x63, imi, 1);
	put(info, 0x64, perms >> 16, 1);
	put(info, 0x65, perms >> 8, 1);
	put(info, 0x66, perms, 1);
	put(info, 0x68, gpa, 8);
	digest(info, 0x70, ld);
}

static void fill(u64 spa, u64 size)
{
	u8 *va = machine_va(spa);

	for (u64 i = 0; i < size; i++)
		va[i] = i * 7 + i / 4096 + spa / 4096;
}

static void ld_is_right(const char *after)
{
	for (int i = 0; i < 48; i++)
		expect(gctx()->ld[i] == ld[i],
		       "after %s: byte %d is %#x, should be %#x", after, i,
		       gctx()->ld[i], ld[i]);
}

static void test_types(void)
{
	struct snpfw_cpuid_page *cpuid;
	u64 spa;

	world_launching();
	ld_is_right("nothing");
	spa = guest_page(GPA);
	fill(spa, PAGE_SIZE);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	step(1, GPA, machine_va(spa), 0, false);
	ld_is_right("NORMAL");
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, guest_page(0xc0000000)));
	step(3, 0xc0000000, NULL, 0, false);
	ld_is_right("ZERO");
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(UNMEASURED, guest_page(0x1000)));
	step(4, 0x1000, NULL, 0, false);
	ld_is_right("UNMEASURED");
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(SECRETS, guest_page(0x2000)));
	step(5, 0x2000, NULL, 0, false);
	ld_is_right("SECRETS");
	spa = guest_page(0x3000);
	cpuid = machine_va(spa);
	memset(cpuid, 0, PAGE_SIZE);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(CPUID, spa));
	step(6, 0x3000, NULL, 0, false);
	ld_is_right("CPUID");
}

static void test_vmsa(void)
{
	u64 spa;
	u8 copy[4096];

	world_launching();
	spa = guest_page(0xfffffffff000);
	fill(spa, PAGE_SIZE);
	memcpy(copy, machine_va(spa), sizeof(copy));
	memset(copy + 0x2f0, 0, 16);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(VMSA, spa));
	step(2, 0xfffffffff000, copy, 0, false);
	ld_is_right("VMSA");
}

static void test_perms(void)
{
	u64 spa;

	world_launching();
	spa = guest_page(GPA);
	fill(spa, PAGE_SIZE);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.vmpl1_perms = 1, .launch_update.vmpl2_perms = 3,
	      .launch_update.vmpl3_perms = 7);
	step(1, GPA, machine_va(spa), 0x070301, false);
	ld_is_right("permissions");
}

static void test_imi(void)
{
	u8 first[48];
	u64 spa;

	world_launching();
	spa = guest_page(GPA);
	fill(spa, PAGE_SIZE);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, spa),
	      .launch_update.page = SNPFW_PAGE_NORMAL << 1 | SNPFW_UPDATE_IMI);
	step(1, GPA, machine_va(spa), 0, true);
	ld_is_right("an IMI page");
	memcpy(first, ld, sizeof(first));
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, guest_page(GPA + PAGE(1))));
	step(3, GPA + PAGE(1), NULL, 0, false);
	ld_is_right("a page that is not");
	expect(!memcmp(gctx()->imd, first, sizeof(first)), "IMD");
}

/* As if its pages had come one by one. */
static void test_large(void)
{
	u64 large;

	world_launching();
	large = guest_region(GPA);
	fill(large, SZ_2M);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, large),
	      .launch_update.page = SNPFW_PAGE_NORMAL << 1 | SNPFW_UPDATE_2M);
	for (u64 i = 0; i < SZ_2M; i += 4096)
		step(1, GPA + i, machine_va(large + i), 0, false);
	ld_is_right("2 MiB");
}

static const char *needs_sha384sum(void)
{
	return system("sha384sum < /dev/null > /dev/null 2>&1") ?
		"no sha384sum" : NULL;
}

int main(void)
{
	const struct test tests[] = {
		{ "each type of page", test_types, needs_sha384sum },
		{ "a VMSA", test_vmsa, needs_sha384sum },
		{ "VMPL permissions", test_perms, needs_sha384sum },
		{ "pages of an IMI", test_imi, needs_sha384sum },
		{ "2 MiB at once", test_large, needs_sha384sum },
	};

	return run_tests("digest", tests, ARRAY_SIZE(tests));
}
