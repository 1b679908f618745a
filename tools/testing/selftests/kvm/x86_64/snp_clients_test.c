// SPDX-License-Identifier: GPL-2.0-only
/*
 * SNP guests as VMMs make them: the calls of QEMU, Cloud Hypervisor, OpenVMM and
 * libkrun in their order, and how they convert memory.
 */
#include <linux/kvm_para.h>
#include <sys/mman.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define FLASH		(3 * SIZE_1G)
#define FLASH_SLOT	(SNP_FREE_SLOT + 1)

static const struct snp_options options = { .nr_vcpus = 2 };

static struct snp snp;
static struct gmem_area memory;

static void end(const char *when)
{
	snp_free(&snp);
	snp_expect_all_back(when);
}

/* What all of them do with a guest that runs. */

static void check_sides(uint64_t gpa, uint64_t size, const char *when)
{
	uint64_t va = SNP_SHARED_VA(gpa);
	void *hva = gmem_area_hva(&memory, gpa);

	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, gpa, size, false), 0,
		  "%s: to shared", when);
	stamp_fill(hva, va, size, 5);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, va, size, 5), va + size,
		  "%s: where shared memory is wrong", when);
	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, gpa, size, true), 0,
		  "%s: to private", when);
	snp_call(&snp, 0, guest_fill, gpa, size, 6);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, gpa, size, 6), gpa + size,
		  "%s: where private memory is wrong", when);
}

static void check_report(const char *who)
{
	const struct snp_report *report = &snp_mailbox(&snp.agents[0])->report;

	EXPECT_EQ(snp_call(&snp, 0, guest_report, 1), 0, "%s: report", who);
	EXPECT(!memcmp(report->measurement, snp.ld, SHA384_SIZE),
	       "%s: the launch digest should be the computed one", who);
}

/* Faults are answered with the kind of memory that was asked for. */
static enum agent_stop run_with_faults(unsigned int i, unsigned int *nr)
{
	struct kvm_run *run = snp.vcpus[i]->run;
	enum agent_stop stop;
	bool private;

	for (*nr = 0; (stop = snp_run(&snp, i)) == AGENT_FAULT; ++*nr) {
		EXPECT(!(run->memory_fault.flags &
			 ~KVM_MEMORY_EXIT_FLAG_PRIVATE),
		       "flags of a memory fault should be known, are %#llx",
		       run->memory_fault.flags);
		private = run->memory_fault.flags &
			  KVM_MEMORY_EXIT_FLAG_PRIVATE;
		EXPECT_EQ(snp_convert(&snp, run->memory_fault.gpa,
				      run->memory_fault.size, private), 0,
			  "conversion at %#llx", run->memory_fault.gpa);
	}
	return stop;
}

/* A guest that uses memory as shared without a word. */
static void check_implicit(const char *who)
{
	uint64_t va = SNP_SHARED_VA(MEMORY + SIZE_2M);
	enum agent_stop stop;
	unsigned int nr;

	snp_call(&snp, 0, guest_validate, MEMORY + SIZE_2M, 4 * SIZE_4K, false);
	agent_start(&snp.agents[0], guest_fill, va, 4 * SIZE_4K, 7, 0);
	stop = run_with_faults(0, &nr);
	EXPECT(stop == AGENT_DONE, "%s: implicit conversion: %s", who,
	       agent_stop_name(&snp.agents[0], stop));
	EXPECT_EQ(nr, 4, "%s: memory faults", who);
	EXPECT_EQ(stamp_check(memory.hva + SIZE_2M, va, 4 * SIZE_4K, 7),
		  va + 4 * SIZE_4K, "%s: where the host sees wrong memory",
		  who);
}

/*
 * QEMU: capabilities of the VM; INIT2 and START before there is memory; for every
 * slot a file, and all of it private when it is added; all vCPUs can run; a
 * conversion discards the side that is left.
 */

static void require_caps(struct kvm_vm *vm)
{
	EXPECT(kvm_check_cap(KVM_CAP_USER_MEMORY2) &&
	       kvm_check_cap(KVM_CAP_GUEST_MEMFD) &&
	       vm_check_cap(vm, KVM_CAP_USER_MEMORY2) &&
	       vm_check_cap(vm, KVM_CAP_GUEST_MEMFD),
	       "REGION2 and guest_memfd should be offered by both");
	EXPECT(vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES) &
	       KVM_MEMORY_ATTRIBUTE_PRIVATE,
	       "private memory should be offered by the VM");
}

/* Where KVM has none for such VMs, QEMU asks for none. */
static void add_flash(void *flash, int fd)
{
	int err = vm_check_cap(snp.vm, KVM_CAP_READONLY_MEM) ? 0 : EINVAL;

	EXPECT_ERRNO(__vm_set_region2(snp.vm, FLASH_SLOT,
				      KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD,
				      FLASH, SIZE_4K, flash, fd, 0), EINVAL,
		     "a read-only slot with a file");
	EXPECT_ERRNO(__vm_set_region2(snp.vm, FLASH_SLOT, KVM_MEM_READONLY,
				      FLASH, SIZE_4K, flash, -1, 0), err,
		     "a read-only slot without a file");
}

static void test_qemu(void)
{
	void *flash = map_anonymous(SIZE_4K, SIZE_4K);
	int fd;

	snp_create_vm(&snp, &options);
	require_caps(snp.vm);
	EXPECT_ERRNO(snp_start(&snp), 0, "START before memory and vCPUs");
	snp_add_vcpus(&snp, &options);
	fd = vm_create_guest_memfd(snp.vm, SIZE_4K, 0);
	add_flash(flash, fd);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
	snp_seal(&snp);
	snp_bind(&snp);
	EXPECT_ERRNO(snp_update_all(&snp, true), 0, "UPDATE of all");
	EXPECT_ERRNO(snp_finish(&snp), 0, "FINISH");

	snp.discard = true;
	check_report("QEMU");
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true),
		  MEMORY + SIZE, "where validation stopped");
	check_sides(MEMORY, SIZE, "QEMU, all");
	check_sides(MEMORY + SIZE_4K, 3 * SIZE_4K, "QEMU, some pages");
	EXPECT_EQ(snp_call(&snp, 1, guest_check, MEMORY, SIZE_4K, 6),
		  MEMORY + SIZE_4K, "where the second vCPU sees wrong memory");
	check_implicit("QEMU");
	close(fd);
	end("QEMU");
	munmap(flash, SIZE_4K);
}

/*
 * Cloud Hypervisor: memory and vCPUs, then START, a call of UPDATE for each page
 * with no loop around it, FINISH; MAP_GPA_RANGE is enabled last, and answered for
 * 4 KiB at a time.
 */

static void update_by_pages(void)
{
	struct kvm_sev_snp_launch_update args;
	uint64_t gpa = 0, size = 0, i;
	void *from;

	while (snp_next_used(&snp, &gpa, &size)) {
		for (i = 0; i < size; i += SIZE_4K) {
			from = addr_gpa2hva(snp.vm, gpa + i);
			args = (struct kvm_sev_snp_launch_update) {
				.gfn_start = (gpa + i) / SIZE_4K,
				.uaddr = (uintptr_t)from,
				.len = SIZE_4K,
				.type = KVM_SEV_SNP_PAGE_TYPE_NORMAL,
			};
			EXPECT_ERRNO(snp_op(snp.vm, KVM_SEV_SNP_LAUNCH_UPDATE,
					    &args, NULL), 0,
				     "UPDATE of a page at %#lx", gpa + i);
			EXPECT_EQ(args.len, 0, "what is left of a page");
			snp_measure(snp.ld, args.type, gpa + i, from);
		}
	}
}

static void add_region_v1(void *mem)
{
	vm_set_user_memory_region(snp.vm, FLASH_SLOT, 0, FLASH, SIZE_4K, mem);
	EXPECT_ERRNO(__vm_delete_slot(snp.vm, FLASH_SLOT), 0,
		     "deletion of a slot of the first version");
}

static void test_cloud_hypervisor(void)
{
	const struct snp_options late = {
		.nr_vcpus = 2,
		.others_off = true,
		.no_hypercall = true,
	};
	void *mem = map_anonymous(SIZE_4K, SIZE_4K);
	int i;

	snp_create(&snp, &late);
	add_region_v1(mem);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
	snp_seal(&snp);
	snp_bind(&snp);
	EXPECT_ERRNO(snp_start(&snp), 0, "START");
	update_by_pages();
	for (i = 0; i < SNP_NR_SPECIAL; i++)
		EXPECT_ERRNO(snp_update_special(&snp, i), 0,
			     "UPDATE of special page %d", i);
	EXPECT_ERRNO(snp_finish(&snp), 0, "FINISH");
	vm_enable_cap(snp.vm, KVM_CAP_EXIT_HYPERCALL,
		      1 << KVM_HC_MAP_GPA_RANGE);

	check_report("Cloud Hypervisor");
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true),
		  MEMORY + SIZE, "where validation stopped");
	for (i = 0; i < 16; i++)
		check_sides(MEMORY + (SIZE_2M - 8 * SIZE_4K) + i * SIZE_4K,
			    SIZE_4K, "Cloud Hypervisor, a page");
	end("Cloud Hypervisor");
	munmap(mem, SIZE_4K);
}

/* OpenVMM: probes with no command, and capabilities on the VM alone. */
static void test_openvmm(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	struct kvm_vm *ordinary = vm_create_barebones();

	EXPECT_ERRNO(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, NULL), 0,
		     "probing an SNP VM");
	EXPECT(vm_check_cap(vm, KVM_CAP_VM_TYPES) & 1 << KVM_X86_SNP_VM,
	       "the VM should know its type");
	EXPECT(vm_check_cap(vm, KVM_CAP_EXIT_HYPERCALL) &
	       1 << KVM_HC_MAP_GPA_RANGE,
	       "the VM should have the exit for MAP_GPA_RANGE");
	EXPECT(!(vm_check_cap(ordinary, KVM_CAP_MEMORY_ATTRIBUTES) &
		 KVM_MEMORY_ATTRIBUTE_PRIVATE),
	       "an ordinary VM should not have private memory");
	kvm_vm_free(ordinary);
	kvm_vm_free(vm);
}

/* libkrun: loops on what is left; the guest has it all from one call. */
static void test_libkrun(void)
{
	struct kvm_sev_snp_launch_update args = {
		.gfn_start = MEMORY / SIZE_4K,
		.len = SIZE,
		.type = KVM_SEV_SNP_PAGE_TYPE_NORMAL,
	};
	unsigned int nr = 0;
	uint64_t i;

	snp_create(&snp, &options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
	stamp_fill(memory.hva, MEMORY, SIZE, 9);
	snp_seal(&snp);
	snp_bind(&snp);
	EXPECT_ERRNO(snp_start(&snp), 0, "START");
	args.uaddr = (uintptr_t)memory.hva;
	while (args.len && !snp_op(snp.vm, KVM_SEV_SNP_LAUNCH_UPDATE, &args,
				   NULL))
		nr++;
	EXPECT_EQ(args.len, 0, "what %u calls of UPDATE have left", nr);
	for (i = 0; i < SIZE; i += SIZE_4K)
		snp_measure(snp.ld, args.type, MEMORY + i, memory.hva + i);
	EXPECT_ERRNO(snp_update_all(&snp, true), 0, "UPDATE of the rest");
	EXPECT_ERRNO(snp_finish(&snp), 0, "FINISH");

	memset(memory.hva, 0xcc, SIZE);
	check_report("libkrun");
	EXPECT_EQ(snp_call(&snp, 0, guest_check, MEMORY, SIZE, 9),
		  MEMORY + SIZE, "where the launched memory is wrong");
	end("libkrun");
}

/* alioth: one file for all, at the offset that is the address. */
static void test_one_file(void)
{
	uint64_t offset;

	snp_create(&snp, &options);
	snp_map(snp.vm, MEMORY, SIZE);
	snp_seal(&snp);
	offset = align_up(snp.size, SIZE_2M);
	vm_delete_slot(snp.vm, 0);
	snp.fd = vm_create_guest_memfd(snp.vm, offset + SIZE, 0);
	vm_bind_guest_memfd(snp.vm, 0, 0, snp.size,
			    memslot2region(snp.vm, 0)->host_mem, snp.fd, 0);
	memory = (struct gmem_area) {
		.vm = snp.vm, .slot = SNP_FREE_SLOT, .gpa = MEMORY,
		.size = SIZE, .hva = map_anonymous(SIZE, SIZE_2M),
		.fd = dup(snp.fd), .offset = offset,
	};
	gmem_area_bind(&memory);
	snp.areas[snp.nr_areas++] = &memory;
	vm_set_private(snp.vm, 0, snp.size);
	vm_set_private(snp.vm, MEMORY, SIZE);
	EXPECT_ERRNO(snp_start(&snp), 0, "START");
	EXPECT_ERRNO(snp_update_all(&snp, true), 0, "UPDATE");
	EXPECT_ERRNO(snp_finish(&snp), 0, "FINISH");

	snp.discard = true;
	check_report("one file");
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true),
		  MEMORY + SIZE, "where validation stopped");
	check_sides(MEMORY, SIZE, "one file, all");
	end("one file");
}

int main(int argc, char *argv[])
{
	snp_begin();

	test_qemu();
	test_cloud_hypervisor();
	test_openvmm();
	test_libkrun();
	test_one_file();
	return test_verdict();
}
