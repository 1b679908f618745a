// SPDX-License-Identifier: GPL-2.0
/*
 * guest_memfd by example: one software-protected VM, told in a dozen lines.
 *
 * Each line says what the guest and the host see, after looking: the program
 * ends with an error as soon as something is not as it is told.
 *
 * Usage: guest_memfd_demo [GiB to convert at the end, 1024 unless given]
 */
#define _GNU_SOURCE /* fallocate() */
#include <time.h>

#include "bare_vm.h"
#include "demo.h"
#include "slab_usage.h"

#define SHARED		0
#define PRIVATE		KVM_MEMORY_ATTRIBUTE_PRIVATE

#define MEMORY_GPA	(1ul << 30)
#define MEMORY_SIZE	BARE_HUGE_PAGE
#define MEMORY_SLOT	1

/* A memslot without a guest_memfd, to fault on. */
#define PLAIN_GPA	(MEMORY_GPA + MEMORY_SIZE)
#define PLAIN_SLOT	2

#define TEXT_SIZE	64
#define ZEROS		""
#define SECRET		"meet me at noon"
#define QUESTION	"hello, host"
#define ANSWER		"hello, guest"

static struct bare_vm vm;
static int gmem;
static char *memory;		/* the host's mapping of the guest's shared memory */

/* How to print the text of a page: quoted, or as zeros if the page is empty. */
static const char *quoted(const char *text)
{
	static char buffers[4][TEXT_SIZE + 2];
	static int next;
	char *quote = buffers[next++ % 4];

	if (!*text)
		return "zeros";
	snprintf(quote, sizeof(buffers[0]), "\"%s\"", text);
	return quote;
}

static const char *seen(const char *who, const char *text, const char *expected)
{
	char what[4 * TEXT_SIZE];

	snprintf(what, sizeof(what), "%s should see %s, but sees %s",
		 who, quoted(expected), quoted(text));
	check(!strcmp(text, expected), what);
	return quoted(text);
}

static bool is_zero(const char *page)
{
	return !page[0] && !memcmp(page, page + 1, BARE_PAGE - 1);
}

/* What the host finds in the page that it has mapped there. */
static const char *host_sees(const char *page, const char *expected)
{
	check(*expected || is_zero(page), "the host's page should be all zeros");
	return seen("the host", page, expected);
}

static uint32_t guest_does(const struct bare_call *call)
{
	bare_load(&vm, call);
	return bare_run(&vm);
}

static void guest_copies(uint32_t from, uint32_t to, uint32_t size)
{
	const struct bare_call copy = {
		.routine = guest_copy, .from = from, .to = to, .count = size,
	};

	check(guest_does(&copy) == KVM_EXIT_HLT, "the guest should copy and halt");
}

/* What the guest finds in its page; the mailbox, always shared, carries it out. */
static const char *guest_sees(uint32_t gpa, const char *expected)
{
	guest_copies(gpa, BARE_MAILBOX_GPA, BARE_PAGE);
	check(*expected || is_zero(vm.mailbox), "the guest's page should be all zeros");
	return seen("the guest", vm.mailbox, expected);
}

static void guest_writes(uint32_t gpa, const char *text)
{
	snprintf(vm.mailbox, TEXT_SIZE, "%s", text);
	guest_copies(BARE_MAILBOX_GPA, gpa, TEXT_SIZE);
}

static void convert(uint64_t attributes)
{
	bare_set_attributes(&vm, MEMORY_GPA, MEMORY_SIZE, attributes);
}

static void check_inaccessible(int fd)
{
	char byte;

	check(mmap(NULL, MEMORY_SIZE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED &&
	      errno == ENODEV, "mmap() should fail with ENODEV");
	check(read(fd, &byte, 1) < 0, "read() should fail");
}

static void tell_of_creation(void)
{
	vm = bare_create_vm(KVM_X86_SW_PROTECTED_VM);
	tell("create", "A software-protected VM: each page is shared with the host, or private.");

	gmem = bare_create_gmem(&vm, MEMORY_SIZE);
	check_inaccessible(gmem);
	tell("file", "A guest_memfd for private pages. The host can neither mmap() nor read() it.");

	memory = bare_alloc(MEMORY_SIZE, MADV_HUGEPAGE);
	bare_add_private_slot(&vm, MEMORY_SLOT, MEMORY_GPA, MEMORY_SIZE, memory, gmem);
	tell("bind", "2 MiB of guest memory: that file where private, host memory where shared.");
}

static void tell_of_private_memory(void)
{
	convert(PRIVATE);
	guest_writes(MEMORY_GPA, SECRET);
	tell("private", "All is made private. The guest writes, and reads back %s.",
	     guest_sees(MEMORY_GPA, SECRET));
	tell("", "The host looks at the same address and sees %s.",
	     host_sees(memory, ZEROS));
}

static void tell_of_shared_memory(void)
{
	convert(SHARED);
	tell("shared", "All is made shared. Now the guest too sees host memory: %s.",
	     guest_sees(MEMORY_GPA, ZEROS));

	guest_writes(MEMORY_GPA, QUESTION);
	tell("talk", "The guest writes, and the host reads %s.", host_sees(memory, QUESTION));
	memcpy(memory, ANSWER, sizeof(ANSWER));
	tell("", "The host writes, and the guest reads %s.",
	     guest_sees(MEMORY_GPA, ANSWER));
}

static void tell_of_return(void)
{
	convert(PRIVATE);
	tell("back", "Private again, the guest sees %s; the host still %s.",
	     guest_sees(MEMORY_GPA, SECRET), host_sees(memory, ANSWER));

	if (fallocate(gmem, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BARE_PAGE))
		bare_fail("fallocate");
	tell("punch", "The host punches a hole into the file. The guest sees %s.",
	     guest_sees(MEMORY_GPA, ZEROS));
}

static void check_memory_fault(const struct kvm_run *run, uint64_t gpa)
{
	check(run->exit_reason == KVM_EXIT_MEMORY_FAULT,
	      "KVM_RUN should exit on a memory fault");
	check(run->memory_fault.gpa == gpa,
	      "the fault should have the page's address");
	check(run->memory_fault.flags == KVM_MEMORY_EXIT_FLAG_PRIVATE,
	      "the fault should be a private one");
}

/* A private page without a guest_memfd behind it: KVM leaves the decision to its user. */
static void tell_of_fault(void)
{
	const struct bare_call write = {
		.routine = guest_write, .to = PLAIN_GPA, .count = 1, .value = '!',
	};
	char *plain = bare_alloc(BARE_PAGE, MADV_NOHUGEPAGE);

	bare_add_slot(&vm, PLAIN_SLOT, PLAIN_GPA, BARE_PAGE, plain);
	bare_set_attributes(&vm, PLAIN_GPA, BARE_PAGE, PRIVATE);
	guest_does(&write);
	check_memory_fault(vm.run, PLAIN_GPA);
	tell("fault", "The guest writes to private memory without a file: KVM_EXIT_MEMORY_FAULT,");
	tell("", "gpa 0x%llx, flags PRIVATE. KVM asks its user to decide.",
	     vm.run->memory_fault.gpa);

	bare_set_attributes(&vm, PLAIN_GPA, BARE_PAGE, SHARED);
	check(bare_run(&vm) == KVM_EXIT_HLT, "the guest should go on and halt");
	tell("resolve", "The host makes that page shared, runs the guest on, and reads %s.",
	     host_sees(plain, "!"));
}

static double timed_conversion(uint64_t size, uint64_t attributes)
{
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	bare_set_attributes(&vm, size, size, attributes);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - start.tv_sec) * 1e6 + (end.tv_nsec - start.tv_nsec) / 1e3;
}

static void tell_of_cost(uint64_t gib)
{
	long before = slab_usage(SLAB_XARRAY_NODES);
	double there = timed_conversion(gib << 30, PRIVATE);
	long after = slab_usage(SLAB_XARRAY_NODES);
	double back = timed_conversion(gib << 30, SHARED);

	tell("cost", "%g TiB made private: %.0f us, %ld bytes of kernel memory; shared: %.0f us.",
	     gib / 1024., there, after - before, back);
}

int main(int argc, char **argv)
{
	uint64_t gib = argc > 1 ? strtoul(argv[1], NULL, 0) : 1024;

	if (!(bare_vm_types() & 1 << KVM_X86_SW_PROTECTED_VM)) {
		puts("This kernel offers no software-protected VMs.");
		return KSFT_SKIP;
	}

	puts("One VM, and what its guest and its host see at one address:\n");
	tell_of_creation();
	tell_of_private_memory();
	tell_of_shared_memory();
	tell_of_return();
	tell_of_fault();
	tell_of_cost(gib);
	return 0;
}
