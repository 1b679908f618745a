// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest VMM on guest_memfd, to copy from: raw ioctls in the order in
 * which a VMM calls them.  Documentation/virt/kvm/guest_memfd_vmm.rst tells why.
 *
 * Whatever it prints, it has checked.  The guest has two pages: its program,
 * and a byte that the program counts up and reports to a device, once a run.
 */
#define _GNU_SOURCE /* fallocate() */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#ifdef __x86_64__
#include "x86_64/guest_memfd_example.h"
#else
#include "aarch64/guest_memfd_example.h"
#endif

#define SKIPPED		4	/* an exit status, as kselftest has it */
#define SHARED_FILE	(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

struct vm {
	int fd;
	int gmem;
	int vcpu;
	struct kvm_run *run;
	size_t run_size;
	uint8_t *memory;	/* what the host has mapped for the guest */
	bool private_byte;	/* what the VMM wants the byte's page to be */
};

static size_t page;		/* also where the byte is: guest memory is at 0 */

static int must(int ret, const char *call)
{
	if (ret >= 0)
		return ret;
	printf("%s: %s\n", call, strerror(errno));
	exit(1);
}

#define MUST(call) must(call, #call)

static void expect(const char *what, long seen, long expected)
{
	if (seen == expected)
		return;
	printf("%s should be %ld, is %ld\n", what, expected, seen);
	exit(1);
}

/* A kernel that has never heard of a capability says 0, too. */
static unsigned int capability(int fd, long number)
{
	return MUST(ioctl(fd, KVM_CHECK_EXTENSION, number));
}

/* Memory */

static void create_gmem(struct vm *vm, uint64_t flags)
{
	struct kvm_create_guest_memfd args = {
		.size = 2 * page,
		.flags = flags,
	};

	vm->gmem = MUST(ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &args));
	MUST(fcntl(vm->gmem, F_SETFD, FD_CLOEXEC));
}

static void *map(size_t size, int flags, int fd)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	MUST(mem == MAP_FAILED ? -1 : 0);
	return mem;
}

static void map_memory(struct vm *vm, int flags, int fd)
{
	vm->memory = map(2 * page, flags, fd);
	MUST(madvise(vm->memory, 2 * page, MADV_DONTFORK));
	memcpy(vm->memory, guest_code, sizeof(guest_code));
}

/* A slot that begins in the file where it begins in the guest, or has no file. */
static void set_slot(struct vm *vm, int slot, uint64_t gpa, uint64_t size,
		     uint32_t flags)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)vm->memory + gpa,
		.guest_memfd = vm->gmem,
		.guest_memfd_offset = gpa,
	};

	MUST(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

static void delete_slot(struct vm *vm, int slot)
{
	set_slot(vm, slot, 0, 0, 0);
}

static void punch(struct vm *vm, uint64_t gpa)
{
	MUST(fallocate(vm->gmem, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       gpa, page));
}

/* Private memory */

static void set_attributes(struct vm *vm, uint64_t gpa, uint64_t size,
			   uint64_t attributes)
{
	struct kvm_memory_attributes args = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
	};

	MUST(ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &args));
}

static bool want_private(struct vm *vm, uint64_t gpa)
{
	return gpa == page && vm->private_byte;
}

/* The attribute first, and then the memory that is out of use. */
static void convert(struct vm *vm, uint64_t gpa)
{
	if (want_private(vm, gpa)) {
		set_attributes(vm, gpa, page, KVM_MEMORY_ATTRIBUTE_PRIVATE);
		MUST(madvise(vm->memory + gpa, page, MADV_DONTNEED));
	} else {
		set_attributes(vm, gpa, page, 0);
		punch(vm, gpa);
	}
}

/* If KVM has looked for what the VMM does not want, there is something to do. */
static void answer_memory_fault(struct vm *vm)
{
	bool private = vm->run->memory_fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;
	uint64_t gpa = vm->run->memory_fault.gpa;

	expect("whether the fault is private", private, !want_private(vm, gpa));
	convert(vm, gpa);
	printf("    KVM_EXIT_MEMORY_FAULT: the page at %#llx is made %s\n",
	       (unsigned long long)gpa, private ? "shared" : "private");
}

/* Running */

static void expect_host(struct vm *vm, int byte)
{
	size_t i;

	expect("the byte that the host sees", vm->memory[page], byte);
	for (i = 1; i < page; i++)
		expect("the rest of the page", vm->memory[page + i], 0);
}

static void create_vcpu(struct vm *vm, int kvm)
{
	vm->vcpu = MUST(ioctl(vm->fd, KVM_CREATE_VCPU, 0));
	vm->run_size = MUST(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	vm->run = map(vm->run_size, MAP_SHARED, vm->vcpu);
	MUST(init_vcpu(vm->fd, vm->vcpu, page));
}

/* Runs the guest until it reports its byte. */
static void expect_guest(struct vm *vm, int byte, int memory_faults)
{
	int faults = 0;

	while (ioctl(vm->vcpu, KVM_RUN, NULL)) {
		if (errno == EINTR)
			continue;
		/* With EHWPOISON the same exit is about a memory error. */
		if (errno != EFAULT || faults++ == memory_faults ||
		    vm->run->exit_reason != KVM_EXIT_MEMORY_FAULT)
			must(-1, "KVM_RUN");
		answer_memory_fault(vm);
	}
	expect("the byte that the guest reports", reported_byte(vm->run), byte);
	expect("the number of memory faults", faults, memory_faults);
	printf("    the guest counts to %d\n", byte);
}

static void destroy(struct vm *vm)
{
	MUST(munmap(vm->run, vm->run_size));
	MUST(close(vm->vcpu));
	delete_slot(vm, 0);
	MUST(munmap(vm->memory, 2 * page));
	MUST(close(vm->gmem));
	MUST(close(vm->fd));
}

/* The VMs */

static bool ordinary_vm(int kvm)
{
	struct vm vm = { .fd = MUST(ioctl(kvm, KVM_CREATE_VM, 0)) };

	if (~capability(vm.fd, KVM_CAP_GUEST_MEMFD_FLAGS) & SHARED_FILE) {
		puts("part skipped: no guest_memfd that the host can map");
		MUST(close(vm.fd));
		return false;
	}

	puts("An ordinary VM. Its memory is a guest_memfd that the host has mapped:");
	create_gmem(&vm, SHARED_FILE);
	map_memory(&vm, MAP_SHARED, vm.gmem);
	set_slot(&vm, 0, 0, 2 * page, KVM_MEM_GUEST_MEMFD);
	create_vcpu(&vm, kvm);

	vm.memory[page] = 41;
	expect_guest(&vm, 42, 0);
	expect_host(&vm, 42);
	puts("    the host sees it in the mapping, and punches a hole");

	punch(&vm, page);
	expect_host(&vm, 0);
	expect_guest(&vm, 1, 0);
	expect_host(&vm, 1);
	puts("    both sides have started over, in one new page");
	destroy(&vm);
	return true;
}

static bool private_vm(int kvm)
{
	int type = private_vm_type(kvm);
	struct vm vm = { .private_byte = true };

	if (type < 0) {
		puts("part skipped: no type of VM that has private memory");
		return false;
	}

	puts("A VM with private memory, which is a guest_memfd, and shared memory:");
	vm.fd = MUST(ioctl(kvm, KVM_CREATE_VM, type));
	expect("private memory of such a VM",
	       capability(vm.fd, KVM_CAP_MEMORY_ATTRIBUTES) &
	       KVM_MEMORY_ATTRIBUTE_PRIVATE, KVM_MEMORY_ATTRIBUTE_PRIVATE);
	create_gmem(&vm, 0);
	map_memory(&vm, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	set_slot(&vm, 0, 0, page, 0);
	set_slot(&vm, 1, page, page, KVM_MEM_GUEST_MEMFD);
	set_attributes(&vm, 0, 2 * page, KVM_MEMORY_ATTRIBUTE_PRIVATE);
	create_vcpu(&vm, kvm);

	/* The program is in shared memory only. */
	expect_guest(&vm, 1, 1);
	expect_guest(&vm, 2, 0);
	expect_host(&vm, 0);
	puts("    the host does not see it, and makes the page shared, with 41");

	vm.memory[page] = 41;
	vm.private_byte = false;
	convert(&vm, page);
	expect_guest(&vm, 42, 0);
	expect_host(&vm, 42);
	puts("    the host sees it, and makes the page private");

	vm.private_byte = true;
	convert(&vm, page);
	expect_guest(&vm, 1, 0);
	expect_host(&vm, 0);
	puts("    it has started over: what is out of use, convert() gives back");
	delete_slot(&vm, 1);
	destroy(&vm);
	return true;
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int parts;

	if (kvm < 0) {
		printf("skipped: /dev/kvm: %s\n", strerror(errno));
		return SKIPPED;
	}
	page = sysconf(_SC_PAGESIZE);
	alarm(30);	/* a guest that has gone astray may never exit */
	parts = ordinary_vm(kvm) + private_vm(kvm);
	MUST(close(kvm));
	if (parts)
		return 0;
	puts("skipped: this kernel has no guest_memfd for any VM");
	return SKIPPED;
}
