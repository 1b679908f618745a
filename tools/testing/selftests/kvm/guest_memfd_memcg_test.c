// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who pays for a guest_memfd: each page is charged to the memory cgroup of
 * whoever allocates it, and given back when it is punched or the file goes.
 */
#define _GNU_SOURCE
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest_memfd.h"

#define SIZE	(4096 * page_size)
#define SLACK	(512 * page_size)	/* CPUs take charges in batches */
#define GPA	SIZE_1G

static char root[64] = "/sys/fs/cgroup";
static char group[96];

static int write_in(const char *dir, const char *name, const char *text)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return write_file(path, text);
}

static uint64_t read_current(void)
{
	char path[160], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.current", group);
	file = fopen(path, "r");
	TEST_ASSERT(file && fgets(text, sizeof(text), file),
		    "%s should be readable", path);
	fclose(file);
	return strtoull(text, NULL, 10);
}

static bool is_cgroup2(const char *dir)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/cgroup.controllers", dir);
	return !access(path, R_OK);
}

static void find_root(void)
{
	if (is_cgroup2(root))
		return;
	strcpy(root, "/tmp/guest_memfd_memcg");
	mkdir(root, 0755);
	__TEST_REQUIRE(!mount("none", root, "cgroup2", 0, NULL) || errno == EBUSY,
		       "cannot mount cgroup2: %s", strerror(errno));
}

static void enter_group(void)
{
	find_root();
	write_in(root, "cgroup.subtree_control", "+memory");
	snprintf(group, sizeof(group), "%s/guest_memfd_%d", root, getpid());
	__TEST_REQUIRE(!mkdir(group, 0755), "cannot create %s: %s", group,
		       strerror(errno));
	if (write_in(group, "memory.min", "0")) {
		rmdir(group);
		__TEST_REQUIRE(false, "no memory controller in cgroup2");
	}
	TEST_ASSERT(!write_in(group, "cgroup.procs", "0"),
		    "process should enter %s, errno %d", group, errno);
}

static void leave_group(void)
{
	write_in(root, "cgroup.procs", "0");
	rmdir(group);
}

static void expect_charged(uint64_t before, uint64_t pages_size,
			   const char *when)
{
	uint64_t now = read_current();

	EXPECT(now + SLACK >= before + pages_size &&
	       now <= before + pages_size + SLACK,
	       "%s: %lu kB should be charged, memory.current went from %lu kB to %lu kB",
	       when, pages_size >> 10, before >> 10, now >> 10);
}

static void test_allocate(struct kvm_vm *vm)
{
	uint64_t before = read_current();
	int fd = vm_create_guest_memfd(vm, 2 * SIZE, 0);

	expect_charged(before, 0, "an empty file");
	gmem_allocate(fd, 0, SIZE);
	expect_charged(before, SIZE, "half allocated");
	gmem_allocate(fd, 0, 2 * SIZE);
	expect_charged(before, 2 * SIZE, "all allocated");
	gmem_punch(fd, SIZE / 2, SIZE);
	expect_charged(before, SIZE, "half punched");
	gmem_punch(fd, 0, 2 * SIZE);
	expect_charged(before, 0, "all punched");
	gmem_allocate(fd, 0, SIZE);
	close(fd);
	expect_charged(before, 0, "file closed");
}

/* The same when it is a fault of the guest that allocates. */
static void test_fault(struct kvm_vm *vm)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);
	int fd = vm_create_guest_memfd(vm, SIZE, 0);
	uint64_t before = read_current();

	vm_bind_guest_memfd(vm, 1, GPA, SIZE, NULL, fd, 0);
	vm_set_private(vm, GPA, SIZE);
	EXPECT_ERRNO(vcpu_pre_fault_all(vcpu, GPA, SIZE), 0, "pre-fault");
	expect_charged(before, SIZE, "all pre-faulted");
	vm_set_shared(vm, GPA, SIZE);
	expect_charged(before, SIZE, "shared, not punched");
	vm_delete_slot(vm, 1);
	expect_charged(before, SIZE, "slot deleted, file open");
	gmem_punch(fd, 0, SIZE);
	expect_charged(before, 0, "punched");
	close(fd);
}

int main(int argc, char *argv[])
{
	struct kvm_vm *vm = vm_create_barebones_type(gmem_vm_type());

	enter_group();
	test_allocate(vm);
	if (has_private_vm() && kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY))
		test_fault(vm);
	else
		note_skipped("faults: need private memory and KVM_CAP_PRE_FAULT_MEMORY");
	leave_group();

	kvm_vm_free(vm);
	return test_verdict();
}
