/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls, expectations and page contents shared by the guest_memfd tests.
 */
#ifndef SELFTEST_KVM_GUEST_MEMFD_H
#define SELFTEST_KVM_GUEST_MEMFD_H

#include "test_util.h"
#include "kvm_util.h"

/*
 * The host's, in bytes, which is that of files, bindings and memory faults.  A
 * guest has it after sync_global_to_guest().
 */
extern uint64_t page_size;

#define SIZE_4K		0x1000ul
#define SIZE_2M		0x200000ul
#define SIZE_1G		0x40000000ul
#define SIZE_1T		0x10000000000ul

/*
 * Expectations.  A check that fails is counted and printed, and the test goes
 * on, so that one run shows every wrong answer of a table.  main() returns
 * test_verdict().  For what later steps rely on there is TEST_ASSERT().
 */
bool __printf(4, 5) expect(bool ok, const char *file, int line,
			   const char *fmt, ...);
bool __printf(6, 7) expect_errno(long ret, int err, int want, const char *file,
				 int line, const char *fmt, ...);
void __printf(1, 2) note_skipped(const char *fmt, ...);
int test_verdict(void);
bool test_has_failed(void);
void test_restart(void);

#define EXPECT(cond, fmt, ...) \
	expect(cond, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

/* @want is the errno that @call should fail with, or 0 if it should succeed. */
#define EXPECT_ERRNO(call, want, fmt, ...)				\
({									\
	long __ret = (call);						\
									\
	expect_errno(__ret, errno, want, __FILE__, __LINE__, fmt,	\
		     ##__VA_ARGS__);					\
})

#define EXPECT_EQ(got, want, fmt, ...)					\
({									\
	uint64_t __got = (uint64_t)(got), __want = (uint64_t)(want);	\
									\
	expect(__got == __want, __FILE__, __LINE__,			\
	       fmt ": should be %#lx, is %#lx", ##__VA_ARGS__,		\
	       __want, __got);						\
})

/*
 * VMs: of a given type; of the best type that can bind a guest_memfd; of each
 * such type, with the flags that a file needs to be bound.
 */
bool has_vm_type(unsigned long type);
bool has_private_vm(void);
unsigned long private_vm_type(void);
unsigned long gmem_vm_type(void);
void test_gmem_vm_types(void (*test)(unsigned long type, uint64_t flags));
struct kvm_vm *vm_create_barebones_type(unsigned long type);
struct kvm_vm *vm_create_type(unsigned long type, uint32_t nr_vcpus,
			      uint64_t extra_pages, void *guest_code,
			      struct kvm_vcpu *vcpus[]);

/* ioctls: the ones with underscores return what the kernel returned. */
int __vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags);
int vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags);
int __vm_set_region2(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
		     uint64_t gpa, uint64_t size, void *hva, int fd,
		     uint64_t offset);
void vm_bind_guest_memfd(struct kvm_vm *vm, uint32_t slot, uint64_t gpa,
			 uint64_t size, void *hva, int fd, uint64_t offset);
int __vm_delete_slot(struct kvm_vm *vm, uint32_t slot);
void vm_delete_slot(struct kvm_vm *vm, uint32_t slot);
int __vm_set_attributes(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
			uint64_t attributes);
void vm_set_private(struct kvm_vm *vm, uint64_t gpa, uint64_t size);
void vm_set_shared(struct kvm_vm *vm, uint64_t gpa, uint64_t size);
int __vcpu_pre_fault(struct kvm_vcpu *vcpu, struct kvm_pre_fault_memory *range);
int vcpu_pre_fault_all(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t size);
uint64_t vcpu_stat(struct kvm_vcpu *vcpu, const char *name);
uint64_t vm_stat(struct kvm_vm *vm, const char *name);
int gmem_allocate(int fd, uint64_t offset, uint64_t size);
int gmem_punch(int fd, uint64_t offset, uint64_t size);
uint64_t gmem_blocks(int fd);
bool gmem_counts_blocks(struct kvm_vm *vm);

/*
 * Allocates the page of @gmem at @offset anew and says in which frame it is; 0 if
 * that cannot be found out.  A frame that is poisoned has a memory error.
 */
uint64_t gmem_find_frame(int gmem, uint64_t offset);
bool can_poison_frames(void);
void poison_frame(uint64_t pfn);
void unpoison_frame(uint64_t pfn);

/*
 * Guest memory with two sides: [gpa, gpa + size) in @slot, its shared side at
 * @hva, its private side in @fd from @offset on.
 */
struct gmem_area {
	struct kvm_vm *vm;
	uint32_t slot;
	uint64_t gpa;
	uint64_t size;
	void *hva;
	int fd;
	uint64_t offset;
};

void gmem_area_add(struct gmem_area *area, struct kvm_vm *vm, uint32_t slot,
		   uint64_t gpa, uint64_t size);
void gmem_area_bind(struct gmem_area *area);
void gmem_area_free(struct gmem_area *area);
void *gmem_area_hva(struct gmem_area *area, uint64_t gpa);

/*
 * Files that the host maps.  A gmem_area that is added mapped has the file
 * itself at @hva.
 */
#define GMEM_SHARED	(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

void require_gmem_flags(uint64_t flags);
void *gmem_map(int fd, uint64_t offset, uint64_t size);
void *gmem_map_new(struct kvm_vm *vm, uint64_t size, uint64_t flags, int *fd);
void gmem_area_add_mapped(struct gmem_area *area, struct kvm_vm *vm,
			  uint32_t slot, uint64_t gpa, uint64_t size,
			  uint64_t flags);

/*
 * One access to one word.  Returns 0, or the si_code of the SIGBUS that it
 * raised, which sigbus_count() counts.
 */
int touch_read(void *mem);
int touch_write(void *mem);
unsigned int sigbus_count(void);
bool inject_memory_error(void *mem);

/* Lines of fdinfo: the value of @name; how many bindings; one of them. */
struct gmem_binding {
	unsigned int slot, as;
	uint64_t gpa, size, offset;
};

uint64_t gmem_fdinfo(int fd, const char *name);
int gmem_fdinfo_bindings(int fd, struct gmem_binding *bindings, int max);

/*
 * What memory should hold: a word every STAMP_STEP bytes, each depending on its
 * address and on a seed, so that a page of another address or of another time
 * does not pass.  For host and guest; the two checks return the first wrong
 * address, or @gpa + @size.  zero_check() reads every word.
 */
#define STAMP_STEP	512

static __always_inline uint64_t stamp(uint64_t seed, uint64_t gpa)
{
	return (seed << 48) ^ (gpa * 0x9e3779b97f4a7c15ul) ^ gpa;
}

void stamp_fill(uint64_t *mem, uint64_t gpa, uint64_t size, uint64_t seed);
uint64_t stamp_check(uint64_t *mem, uint64_t gpa, uint64_t size, uint64_t seed);
uint64_t zero_check(uint64_t *mem, uint64_t gpa, uint64_t size);

/* Random numbers that a seed repeats; one state per thread. */
struct rnd {
	uint64_t state;
};

uint64_t rnd_seed(const char *arg);
uint64_t rnd_next(struct rnd *rnd);
uint64_t rnd_below(struct rnd *rnd, uint64_t limit);

/* Host surroundings. */
int write_file(const char *path, const char *text);
uint64_t read_meminfo_kb(const char *key);

/*
 * What cannot be evicted, to which all pages of guest_memfds belong; and that it
 * is no more than before, as soon as VMs have ended that are about to.
 */
uint64_t unevictable_kb(void);
bool expect_unevictable(uint64_t before_kb, const char *when);
void trigger_compaction(void);
uint64_t now_ms(void);
void *map_anonymous(uint64_t size, uint64_t align);

#endif /* SELFTEST_KVM_GUEST_MEMFD_H */
