/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest VM that can run on guest_memfd, on raw ioctls: one vCPU in flat
 * 32-bit protected mode, one page of guest code and one page of mailbox.
 *
 * It uses nothing of the selftest library. So a program on top of it shows
 * every KVM call that a VMM makes, and its static binary runs on any kernel.
 */
#ifndef SELFTEST_KVM_BARE_VM_H
#define SELFTEST_KVM_BARE_VM_H

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

#define BARE_PAGE		4096ul
#define BARE_HUGE_PAGE		(2ul << 20)
#define BARE_CODE_GPA		0x0ul
#define BARE_MAILBOX_GPA	BARE_PAGE
#define BARE_CODE_SLOT		0

struct bare_vm {
	int vm;
	int vcpu;
	struct kvm_run *run;
	size_t run_size;
	char *code;		/* host mapping of the code page */
	char *mailbox;		/* host mapping of the mailbox page, always shared */
};

/* Arguments of a guest routine, in the registers that carry them. */
struct bare_call {
	const char *routine;	/* guest_copy or guest_write */
	uint32_t from;		/* ESI */
	uint32_t to;		/* EDI */
	uint32_t count;		/* ECX: bytes to copy, or writes to make */
	uint32_t stride;	/* EDX: bytes from one write to the next */
	uint32_t value;		/* EAX: what to write */
};

/*
 * guest_copy	copies @count bytes from @from to @to.
 * guest_write	writes @value @count times, every @stride bytes from @to on.
 *
 * Each ends in HLT, which exits to user space as there is no in-kernel irqchip.
 */
extern const char guest_text[], guest_text_end[];
extern const char guest_copy[], guest_write[];

asm(".pushsection .rodata, \"a\"\n"
	".code32\n"
	"guest_text:\n"
	"guest_copy:\n"
	"	rep movsb\n"
	"	hlt\n"
	"guest_write:\n"
	"	mov %eax, (%edi)\n"
	"	add %edx, %edi\n"
	"	dec %ecx\n"
	"	jnz guest_write\n"
	"	hlt\n"
	"guest_text_end:\n"
	".code64\n"
	".popsection\n");

static inline void bare_fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline int bare_ioctl(int fd, const char *what, unsigned long request,
			     void *arg)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		bare_fail(what);
	return ret;
}

#define BARE_IOCTL(fd, request, arg) \
	bare_ioctl(fd, #request, request, (void *)(unsigned long)(arg))

static inline int bare_open_kvm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		bare_fail("/dev/kvm");
	return kvm;
}

/* The VM types that this kernel offers, one bit each; a kernel without types has type 0. */
static inline unsigned long bare_vm_types(void)
{
	int kvm = bare_open_kvm();
	int types = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);

	close(kvm);
	return types > 0 ? types : 1;
}

/* @size bytes of anonymous memory, aligned so that it can be made of huge pages. */
static inline char *bare_alloc(size_t size, int advice)
{
	char *base = mmap(NULL, size + BARE_HUGE_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t aligned;

	if (base == MAP_FAILED)
		bare_fail("mmap");

	aligned = ((uintptr_t)base + BARE_HUGE_PAGE - 1) & -BARE_HUGE_PAGE;
	munmap(base, aligned - (uintptr_t)base);
	munmap((char *)aligned + size, (uintptr_t)base + BARE_HUGE_PAGE - aligned);

	/* A kernel without huge pages has nothing to advise on. */
	if (madvise((char *)aligned, size, advice) && errno != EINVAL)
		bare_fail("madvise");
	return (char *)aligned;
}

/* A memslot of ordinary memory, by the call that every KVM has. Size 0 deletes it. */
static inline void bare_add_slot(struct bare_vm *vm, uint32_t slot, uint64_t gpa,
				 uint64_t size, void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	BARE_IOCTL(vm->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* A memslot with two memories: @gmem for private pages, @memory for shared ones. */
static inline void bare_add_private_slot(struct bare_vm *vm, uint32_t slot,
					 uint64_t gpa, uint64_t size,
					 void *memory, int gmem)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
		.guest_memfd = gmem,
	};

	BARE_IOCTL(vm->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

static inline int bare_create_gmem(struct bare_vm *vm, uint64_t size)
{
	struct kvm_create_guest_memfd args = { .size = size };

	return BARE_IOCTL(vm->vm, KVM_CREATE_GUEST_MEMFD, &args);
}

/* One that the host maps, and that is a slot's memory altogether. */
static inline int bare_create_mapped_gmem(struct bare_vm *vm, uint64_t size)
{
	struct kvm_create_guest_memfd args = {
		.size = size,
		.flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED,
	};

	return BARE_IOCTL(vm->vm, KVM_CREATE_GUEST_MEMFD, &args);
}

/* @attributes is KVM_MEMORY_ATTRIBUTE_PRIVATE, or 0 for shared. */
static inline void bare_set_attributes(struct bare_vm *vm, uint64_t gpa,
				       uint64_t size, uint64_t attributes)
{
	struct kvm_memory_attributes args = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
	};

	BARE_IOCTL(vm->vm, KVM_SET_MEMORY_ATTRIBUTES, &args);
}

static inline void bare_set_flat(struct kvm_segment *segment, uint8_t type)
{
	*segment = (struct kvm_segment) {
		.limit = 0xffffffff,
		.selector = 8,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static inline void bare_init_vcpu(struct bare_vm *vm)
{
	const uint8_t data = 3, code = 11;	/* accessed, read/write or execute/read */
	struct kvm_sregs sregs;

	BARE_IOCTL(vm->vcpu, KVM_GET_SREGS, &sregs);
	bare_set_flat(&sregs.cs, code);
	bare_set_flat(&sregs.ds, data);
	bare_set_flat(&sregs.es, data);
	bare_set_flat(&sregs.ss, data);
	sregs.cr0 |= 1;				/* protected mode, no paging */
	BARE_IOCTL(vm->vcpu, KVM_SET_SREGS, &sregs);
}

static inline struct bare_vm bare_create_vm(unsigned long type)
{
	struct bare_vm vm = {};
	int kvm = bare_open_kvm();

	vm.vm = BARE_IOCTL(kvm, KVM_CREATE_VM, type);
	vm.run_size = BARE_IOCTL(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);

	vm.code = bare_alloc(2 * BARE_PAGE, MADV_NOHUGEPAGE);
	vm.mailbox = vm.code + BARE_MAILBOX_GPA - BARE_CODE_GPA;
	memcpy(vm.code, guest_text, guest_text_end - guest_text);
	bare_add_slot(&vm, BARE_CODE_SLOT, BARE_CODE_GPA, 2 * BARE_PAGE, vm.code);

	vm.vcpu = BARE_IOCTL(vm.vm, KVM_CREATE_VCPU, 0);
	vm.run = mmap(NULL, vm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm.vcpu, 0);
	if (vm.run == MAP_FAILED)
		bare_fail("mmap of the vCPU");
	bare_init_vcpu(&vm);
	return vm;
}

static inline void bare_destroy_vm(struct bare_vm *vm)
{
	munmap(vm->run, vm->run_size);
	close(vm->vcpu);
	close(vm->vm);
	munmap(vm->code, 2 * BARE_PAGE);
}

/* Points the vCPU at a guest routine; bare_run() starts it. */
static inline void bare_load(struct bare_vm *vm, const struct bare_call *call)
{
	struct kvm_regs regs = {
		.rip = BARE_CODE_GPA + (call->routine - guest_text),
		.rsi = call->from,
		.rdi = call->to,
		.rcx = call->count,
		.rdx = call->stride,
		.rax = call->value,
		.rflags = 2,
	};

	BARE_IOCTL(vm->vcpu, KVM_SET_REGS, &regs);
}

/*
 * Runs the guest until it exits and returns the reason. KVM reports a memory
 * fault by an error of KVM_RUN as well; any other error ends the program.
 */
static inline uint32_t bare_run(struct bare_vm *vm)
{
	if (ioctl(vm->vcpu, KVM_RUN, NULL) &&
	    (errno != EFAULT || vm->run->exit_reason != KVM_EXIT_MEMORY_FAULT))
		bare_fail("KVM_RUN");
	return vm->run->exit_reason;
}

#endif /* SELFTEST_KVM_BARE_VM_H */
