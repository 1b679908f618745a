// SPDX-License-Identifier: GPL-2.0-only
/*
 * A realm by example, told in a dozen lines.
 *
 * Each line says what the realm and its host see, after looking: the program
 * ends with an error as soon as something is not as it is told.
 */
#include <sys/mman.h>

#include "demo.h"
#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define MEMORY_SIZE	SIZE_2M
#define SECRET		0x5ec2e75ec2e7ul
#define QUESTION	0x1234ul
#define ANSWER		0x4321ul

#define SMCCC_VERSION	0x80000000ul

static struct realm realm;
static struct agent *agent = &realm.agents[0];
static struct gmem_area memory;
static uint64_t *mailbox;

static uint64_t guest_sees(uint64_t va, uint64_t expected)
{
	uint64_t value = agent_call(agent, guest_read, va);

	check(value == expected, "what the realm reads");
	return value;
}

static uint64_t host_sees(uint64_t expected)
{
	uint64_t value = *(uint64_t *)memory.hva;

	check(value == expected, "what the host reads");
	return value;
}

static void tell_of_creation(void)
{
	uint64_t before = rmm_delegated();

	realm_create(&realm, &(struct realm_options){});
	realm_map(realm.vm, MEMORY, MEMORY_SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, MEMORY_SIZE);
	vm_set_private(realm.vm, MEMORY, MEMORY_SIZE);
	mailbox = addr_gpa2hva(realm.vm, REALM_MAILBOX) + 2048;
	tell("create", "A realm VM, IPAs of %u bits: below bit %u private, above it shared.",
	     realm_ipa_bits(realm.vm), realm_ipa_bits(realm.vm) - 1);

	realm_load(&realm, &(struct realm_options){});
	tell("populate", "Its program and page tables, measured: %lu granules are the RMM's now.",
	     rmm_delegated() - before);
}

static void tell_of_running(void)
{
	const uint8_t *rim = (void *)mailbox;
	uint64_t el = agent_call(agent, guest_current_el);

	check(el == 1, "the realm should run at EL1");
	tell("run", "The realm runs at R-EL%lu, translation on, from private memory.", el);

	check(agent_call(agent, guest_read_measurement, 0,
			 SHARED_VA(REALM_MAILBOX + 2048)) == RSI_SUCCESS,
	      "RSI_MEASUREMENT_READ");
	check(rim[0] | rim[1] | rim[2] | rim[3], "a measurement of zeroes");
	tell("measure", "It reads its initial measurement: %02x%02x%02x%02x%02x%02x%02x%02x...",
	     rim[0], rim[1], rim[2], rim[3], rim[4], rim[5], rim[6], rim[7]);
}

static void tell_of_private_memory(void)
{
	agent_call(agent, guest_write, MEMORY, SECRET);
	tell("private", "The realm writes, and reads back %#lx.",
	     guest_sees(MEMORY, SECRET));
	tell("", "The host looks at its own memory of the same frame and sees %#lx.",
	     host_sees(0));
	check(mmap(NULL, SIZE_4K, PROT_READ, MAP_SHARED, memory.fd, 0) ==
	      MAP_FAILED && errno == ENODEV, "mmap() should fail with ENODEV");
	tell("", "The host maps the private page: ENODEV.");
}

static void tell_of_conversion(void)
{
	realm_convert(agent, MEMORY, MEMORY_SIZE, false);
	tell("shared", "The realm gives 2 MiB away; by the shared alias it sees %#lx.",
	     guest_sees(SHARED_VA(MEMORY), 0));
	agent_call(agent, guest_write, SHARED_VA(MEMORY), QUESTION);
	tell("talk", "It writes there, and the host reads %#lx.",
	     host_sees(QUESTION));
	*(uint64_t *)memory.hva = ANSWER;
	tell("", "The host writes, and the realm reads %#lx.",
	     guest_sees(SHARED_VA(MEMORY), ANSWER));

	check(!gmem_punch(memory.fd, 0, MEMORY_SIZE), "punch");
	realm_convert(agent, MEMORY, MEMORY_SIZE, true);
	tell("back", "Private again, and the host has dropped the old page: the realm sees %#lx.",
	     guest_sees(MEMORY, 0));
}

static void tell_of_sigbus(void)
{
	struct gmem_area open;
	uint64_t gpa = MEMORY + SIZE_1G;
	int code;

	gmem_area_add_mapped(&open, realm.vm, REALM_FREE_SLOT + 1, gpa,
			     SIZE_4K, GUEST_MEMFD_FLAG_MMAP);
	code = touch_read(open.hva);
	check(code, "a private page that is mapped should not be readable");
	tell("sigbus", "The host touches a private page of a mapped file: SIGBUS, si_code %d.",
	     code);
	gmem_area_free(&open);
}

static void tell_of_host_call(void)
{
	check(agent_call(agent, guest_host_call, 0, SMCCC_VERSION, 0,
			 SHARED_VA(REALM_MAILBOX + 2048)) == RSI_SUCCESS,
	      "RSI_HOST_CALL");
	tell("call", "The realm calls the host for its SMCCC version: %lu.%lu.",
	     mailbox[0] >> 16, mailbox[0] & 0xffff);
}

static void tell_of_end(uint64_t before)
{
	gmem_area_free(&memory);
	realm_free(&realm);
	check(rmm_expect_granules(before, rmm_leaked(), "at the end"),
	      "all granules should be back");
	tell("end", "The realm is gone, and all granules are back.");
}

int main(int argc, char *argv[])
{
	uint64_t before;

	require_realms();
	before = rmm_delegated();
	puts("One realm, and what it and its host see:\n");
	tell_of_creation();
	tell_of_running();
	tell_of_private_memory();
	tell_of_conversion();
	tell_of_sigbus();
	tell_of_host_call();
	tell_of_end(before);
	return 0;
}
