// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of SNP guests.  Where no memory is, a shared access is the guest's to
 * deal with, by #VC, and a private one the host's; the guest asks the host for
 * MMIO, and is told if it asks badly; memory that comes and goes there is found
 * at once.  And interrupts reach a guest that runs, one that opens a window for
 * them, and one that waits in HLT.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "apic.h"
#include "snp.h"
#include "snp_model.h"

#define HOLE		(4 * SIZE_1G)
#define SIZE		(16 * SIZE_4K)
#define PAGE(n)		(HOLE + (n) * SIZE_4K)
#define SHARED_PAGE(n)	SNP_SHARED_VA(PAGE(n))

/* Frames of the hole, each for one test that wants it untouched. */
enum { READ, WRITTEN, PRIVATE_ACCESS, PRIVATE_FRAME, PRIVATE_BOTH };

#define GHCB		SNP_GHCB(0)
#define BUFFER		(GHCB + offsetof(struct snp_ghcb, buffer))
#define BUFFER_SIZE	sizeof(((struct snp_ghcb *)0)->buffer)

/* A shared page: this guest asks for no report. */
#define SPARE		SNP_REQUEST(0)

static struct snp snp;

static struct agent *agent(void)
{
	return &snp.agents[0];
}

static struct kvm_run *run(void)
{
	return snp.vcpus[0]->run;
}

static uint64_t exit_info_1(void)
{
	return snp_mailbox(agent())->info_1 & 0xffffffff;
}

/* Accesses without a call */

static void expect_vc(enum agent_stop stop, uint64_t error, const char *what)
{
	EXPECT(stop == AGENT_TRAP &&
	       agent()->value == SNP_TRAP(SNP_VC_VECTOR, error),
	       "%s: should raise #VC(%#lx), but %s", what, error,
	       agent_stop_name(agent(), stop));
}

static void expect_mmio_vc(void *fn, uint64_t va, const char *what)
{
	agent_start(agent(), fn, va, 0, 0, 0);
	expect_vc(snp_run(&snp, 0), SNP_VC_MMIO, what);
}

static uint64_t nr_cached(void)
{
	return vcpu_stat(snp.vcpus[0], "pf_mmio_spte_created");
}

static const struct {
	const char *name;
	void *fn;
	unsigned int page;
} accesses[] = {
	{ "a read", guest_read, READ },
	{ "a write", guest_write, WRITTEN },
};

/* The second time KVM does not see it. */
static void test_vc(void)
{
	uint64_t before;
	int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		before = nr_cached();
		expect_mmio_vc(accesses[i].fn, SHARED_PAGE(accesses[i].page),
			       accesses[i].name);
		EXPECT_EQ(nr_cached() - before, 1, "SPTEs made for %s",
			  accesses[i].name);
		expect_mmio_vc(accesses[i].fn, SHARED_PAGE(accesses[i].page),
			       accesses[i].name);
		EXPECT_EQ(nr_cached() - before, 1,
			  "SPTEs made for %s and another", accesses[i].name);
	}

	/* The bit that is reserved is, whichever way the guest came to it. */
	expect_mmio_vc(guest_read, PAGE(READ),
		       "a private access after a shared one");
}

/* The host gives the guest what it wants; it goes on, and has to validate. */
static void give_private_page(uint64_t gpa, const char *what)
{
	struct gmem_area area;

	gmem_area_add(&area, snp.vm, SNP_FREE_SLOT, gpa, SIZE_4K);
	vm_set_private(snp.vm, gpa, SIZE_4K);
	expect_vc(snp_run(&snp, 0), SNP_VC_NOT_VALIDATED, what);
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, gpa, false, true), 0,
		  "%s: PVALIDATE", what);
	snp_call(&snp, 0, guest_write, gpa, 66);
	EXPECT_EQ(snp_call(&snp, 0, guest_read, gpa), 66, "%s: memory", what);

	gmem_area_free(&area);
	vm_set_shared(snp.vm, gpa, SIZE_4K);
	expect_mmio_vc(guest_read, SNP_SHARED_VA(gpa), "after all that");
}

static void test_private(void)
{
	const uint64_t frame = PAGE(PRIVATE_FRAME), both = PAGE(PRIVATE_BOTH);
	uint64_t before;

	agent_expect_fault(agent(), guest_read, PAGE(PRIVATE_ACCESS), 0,
			   PAGE(PRIVATE_ACCESS), true, EFAULT,
			   "private access to a hole");
	give_private_page(PAGE(PRIVATE_ACCESS), "private access");

	vm_set_private(snp.vm, both, SIZE_4K);
	agent_expect_fault(agent(), guest_write, both, 0, both, true, EFAULT,
			   "private access to a private hole");
	give_private_page(both, "private access to what was private");

	before = nr_cached();
	vm_set_private(snp.vm, frame, SIZE_4K);
	agent_expect_fault(agent(), guest_read, SNP_SHARED_VA(frame), 0, frame,
			   false, EFAULT, "shared access to a private hole");
	EXPECT_EQ(nr_cached() - before, 0, "SPTEs made in a private hole");
	vm_set_shared(snp.vm, frame, SIZE_4K);
	expect_vc(snp_run(&snp, 0), SNP_VC_MMIO, "when the hole is shared");
}

/* Calls */

static const uint64_t codes[] = { SNP_EXIT_MMIO_READ, SNP_EXIT_MMIO_WRITE };

#define VALUE		0x8877665544332211ul

static uint64_t low_bytes(uint64_t value, uint64_t size)
{
	return size < 8 ? value & ((1ul << 8 * size) - 1) : value;
}

static bool expect_exit(enum agent_stop stop, uint64_t gpa, uint64_t size,
			bool is_write)
{
	return EXPECT(stop == AGENT_MMIO && run()->mmio.phys_addr == gpa &&
		      run()->mmio.len == size &&
		      run()->mmio.is_write == is_write,
		      "%s of %lu bytes at %#lx: should exit, but %s, %u bytes, is_write %u",
		      is_write ? "write" : "read", size, gpa,
		      agent_stop_name(agent(), stop), run()->mmio.len,
		      run()->mmio.is_write);
}

static void test_read_call(uint64_t gpa, uint64_t size)
{
	uint64_t want = low_bytes(VALUE, size) | ~low_bytes(-1ul, size);
	const uint64_t answer = VALUE;

	agent_start(agent(), guest_mmio_read, gpa, size, 0, 0);
	if (!expect_exit(snp_run(&snp, 0), gpa, size, false))
		return;
	memcpy(run()->mmio.data, &answer, sizeof(answer));
	EXPECT_EQ(snp_run(&snp, 0), AGENT_DONE, "how a read ends");
	EXPECT_EQ(agent()->value, want, "read of %lu bytes", size);
	EXPECT_EQ(exit_info_1(), 0, "read of %lu bytes: exit information 1",
		  size);
}

static void test_write_call(uint64_t gpa, uint64_t size)
{
	uint64_t data = 0;

	agent_start(agent(), guest_mmio_write, gpa, size, VALUE, 0);
	if (!expect_exit(snp_run(&snp, 0), gpa, size, true))
		return;
	memcpy(&data, run()->mmio.data, size);
	EXPECT_EQ(data, low_bytes(VALUE, size), "write of %lu bytes", size);
	EXPECT_EQ(snp_run(&snp, 0), AGENT_DONE, "how a write ends");
	EXPECT_EQ(agent()->value, 0, "write of %lu bytes: exit information 2",
		  size);
	EXPECT_EQ(exit_info_1(), 0, "write of %lu bytes: exit information 1",
		  size);
}

/* As they come: cached or not, aligned or not, across pages, above 4 GiB. */
static const uint64_t addresses[] = {
	PAGE(READ), PAGE(READ) + 0x123, PAGE(8), PAGE(9) - 1, 0xd0000000,
	64 * SIZE_1G,
};

static void test_calls(void)
{
	uint64_t size;
	int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		for (size = 1; size <= 8; size *= 2) {
			test_read_call(addresses[i], size);
			test_write_call(addresses[i], size);
		}
	}
}

/* More than kvm_run holds comes in several exits, up to the whole buffer. */
static const uint64_t long_sizes[] = { 9, 16, 100, BUFFER_SIZE };

static bool answer_pieces(uint64_t code, uint64_t gpa, uint64_t size,
			  uint8_t *data)
{
	bool is_write = code == SNP_EXIT_MMIO_WRITE;
	uint64_t at, len;

	agent_start(agent(), guest_mmio_call, code, gpa, size, BUFFER);
	for (at = 0; at < size; at += len) {
		len = min_t(uint64_t, size - at, 8);
		if (!expect_exit(snp_run(&snp, 0), gpa + at, len, is_write))
			return false;
		if (is_write)
			memcpy(data + at, run()->mmio.data, len);
		else
			memcpy(run()->mmio.data, data + at, len);
	}
	EXPECT_EQ(snp_run(&snp, 0), AGENT_DONE, "how %lu bytes end", size);
	return EXPECT_EQ(exit_info_1(), 0, "%lu bytes: exit information 1",
			 size);
}

static void test_long_calls(void)
{
	uint8_t *buffer = addr_gpa2hva(snp.vm, BUFFER), data[BUFFER_SIZE];
	uint64_t size;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(long_sizes); i++) {
		size = long_sizes[i];
		for (j = 0; j < BUFFER_SIZE; j++)
			data[j] = i + 7 * j;
		memset(buffer, 0xee, BUFFER_SIZE);
		if (!answer_pieces(SNP_EXIT_MMIO_READ, PAGE(3), size, data))
			return;
		EXPECT(!memcmp(buffer, data, size) &&
		       (size == BUFFER_SIZE || buffer[size] == 0xee),
		       "%lu bytes should be read, and no more", size);

		memset(data, 0, size);
		if (!answer_pieces(SNP_EXIT_MMIO_WRITE, PAGE(3), size, data))
			return;
		EXPECT(!memcmp(buffer, data, size),
		       "%lu bytes should be written", size);
	}
}

/* Nothing to be done */
static void test_empty_calls(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		snp_call(&snp, 0, guest_mmio_call, codes[i], PAGE(3), 0,
			 BUFFER);
		EXPECT_EQ(exit_info_1(), 0, "%#lx of no bytes", codes[i]);
	}
}

static const struct {
	const char *name;
	uint64_t size, scratch;
} bad_calls[] = {
	{ "no scratch area", 8, 0 },
	{ "a scratch area in front of the buffer", 8, GHCB },
	{ "a scratch area that begins in front of the buffer", 8, BUFFER - 1 },
	{ "a scratch area behind the buffer", 1, BUFFER + BUFFER_SIZE },
	{ "a scratch area that ends behind the buffer", 8,
	  BUFFER + BUFFER_SIZE - 7 },
	{ "a scratch area that ends behind the GHCB", 17,
	  BUFFER + BUFFER_SIZE - 1 },
	{ "a scratch area at the end of the address space", 8, -4ul },
	{ "more than the buffer", BUFFER_SIZE + 1, BUFFER },
	{ "4 GiB", 1ul << 32, BUFFER },
	{ "4 GiB and 8 bytes", (1ul << 32) + 8, BUFFER },
	{ "2^64 bytes less one", -1ul, BUFFER },
	{ "another page of the host's", 8, SPARE },
	{ "4 GiB elsewhere", 1ul << 32, SPARE },
};

static void test_bad_call(uint64_t code, int i)
{
	EXPECT_EQ(snp_call(&snp, 0, guest_mmio_call, code, PAGE(READ),
			   bad_calls[i].size, bad_calls[i].scratch),
		  SNP_GHCB_INVALID_SCRATCH, "%#lx, %s: exit information 2", code,
		  bad_calls[i].name);
	EXPECT_EQ(exit_info_1(), SNP_GHCB_ERROR, "%#lx, %s: exit information 1",
		  code, bad_calls[i].name);
}

static void test_bad_calls(void)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		for (j = 0; j < ARRAY_SIZE(bad_calls); j++)
			test_bad_call(codes[i], j);
		EXPECT_EQ(snp_call(&snp, 0, guest_vmgexit_without, codes[i],
				   SNP_GHCB_INDEX(scratch)),
			  SNP_GHCB_MISSING_INPUT, "%#lx without scratch",
			  codes[i]);
	}
	test_read_call(PAGE(READ), 8);
}

/* Memory comes and goes. */

static void add_slot(void)
{
	vm_userspace_mem_region_add(snp.vm, VM_MEM_SRC_ANONYMOUS, HOLE,
				    SNP_FREE_SLOT, SIZE / SIZE_4K, 0);
}

static void delete_slot(void)
{
	vm_mem_region_delete(snp.vm, SNP_FREE_SLOT);
}

static void test_slot(unsigned int seed)
{
	const uint64_t va = SNP_SHARED_VA(HOLE);
	void *hva;
	int i;

	for (i = 0; i < SIZE / SIZE_4K; i += 2)
		expect_mmio_vc(guest_read, SHARED_PAGE(i), "no memslot");

	add_slot();
	hva = addr_gpa2hva(snp.vm, HOLE);
	stamp_fill(hva, va, SIZE, seed);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, va, SIZE, seed), va + SIZE,
		  "round %u: where the guest does not see what the host wrote",
		  seed);
	snp_call(&snp, 0, guest_fill, va, SIZE, seed + 1);
	EXPECT_EQ(stamp_check(hva, va, SIZE, seed + 1), va + SIZE,
		  "round %u: where the host does not see what the guest wrote",
		  seed);
	delete_slot();
}

static void test_slots(void)
{
	unsigned int round;

	for (round = 1; round <= 10; round++)
		test_slot(round);
	expect_mmio_vc(guest_write, SHARED_PAGE(0), "memslot deleted");
	expect_mmio_vc(guest_read, SHARED_PAGE(1), "memslot deleted");
}

/* Interrupts */

#define VECTOR		0x40
#define NR_VECTORS	16
#define MAX_INTERRUPTS	300

/* In the shared page; the guest writes. */
struct interrupts {
	uint64_t taken;
	uint64_t vectors[MAX_INTERRUPTS];
};

static_assert(sizeof(struct interrupts) <= SIZE_4K);

static void guest_on_interrupt(struct ex_regs *regs)
{
	struct interrupts *irqs = (void *)SPARE;
	uint64_t n = irqs->taken;

	if (n < MAX_INTERRUPTS)
		irqs->vectors[n] = regs->vector;
	WRITE_ONCE(irqs->taken, n + 1);
	guest_mmio_write(APIC_DEFAULT_GPA + APIC_EOI, 4, 0);
}

/* What the compiler may have below the stack pointer is not to be hit. */
#define SKIP_RED_ZONE	"lea -128(%%rsp), %%rsp\n\t"
#define BACK		"lea 128(%%rsp), %%rsp\n\t"

static uint64_t guest_spin(uint64_t nr)
{
	struct interrupts *irqs = (void *)SPARE;

	asm volatile(SKIP_RED_ZONE
		     "sti\n\t"
		     "1: cmp %1, (%0)\n\t"
		     "jb 1b\n\t"
		     "cli\n\t"
		     BACK : : "r"(&irqs->taken), "r"(nr) : "memory", "cc");
	return irqs->taken;
}

static uint64_t guest_open_windows(uint64_t nr)
{
	struct interrupts *irqs = (void *)SPARE;

	while (READ_ONCE(irqs->taken) < nr)
		asm volatile(SKIP_RED_ZONE "sti; nop; cli\n\t" BACK : : :
			     "memory");
	return irqs->taken;
}

static uint64_t guest_halt(uint64_t nr)
{
	struct interrupts *irqs = (void *)SPARE;

	while (READ_ONCE(irqs->taken) < nr)
		asm volatile(SKIP_RED_ZONE "sti; hlt; cli\n\t" BACK : : :
			     "memory");
	return irqs->taken;
}

static struct interrupts *interrupts(void)
{
	return addr_gpa2hva(snp.vm, SPARE);
}

static void send_interrupt(unsigned int vector)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,
		.data = vector,
	};

	EXPECT_EQ(__vm_ioctl(snp.vm, KVM_SIGNAL_MSI, &msi), 1,
		  "vCPUs that vector %#x has reached", vector);
}

static void expect_taken(uint64_t nr, unsigned int vector, const char *how)
{
	struct interrupts *irqs = interrupts();
	uint64_t end = now_ms() + SNP_PATIENCE_MS;

	while (READ_ONCE(irqs->taken) < nr && now_ms() < end)
		sched_yield();
	/* A guest that waits for it has no other end. */
	TEST_ASSERT(READ_ONCE(irqs->taken) == nr,
		    "%s: %lu interrupts should have been taken in %u ms, are %lu",
		    how, nr, SNP_PATIENCE_MS, READ_ONCE(irqs->taken));
	EXPECT_EQ(irqs->vectors[nr - 1], vector, "%s: vector of interrupt %lu",
		  how, nr - 1);
}

static pid_t guest_tid;

static void *run_guest(void *arg)
{
	uint64_t nr = (uintptr_t)arg;
	enum agent_stop stop;

	WRITE_ONCE(guest_tid, syscall(SYS_gettid));
	stop = snp_run(&snp, 0);
	EXPECT(stop == AGENT_DONE && agent()->value == nr,
	       "a guest should take %lu interrupts, but %s", nr,
	       agent_stop_name(agent(), stop));
	return NULL;
}

static void wait_for_halt(unsigned int i)
{
	EXPECT(snp_thread_sleeps(&guest_tid),
	       "a guest should wait in HLT for interrupt %u", i);
}

/* All is unmapped, and delivery itself faults. */
static void change_slots(unsigned int i)
{
	if (i % 2)
		delete_slot();
	else
		add_slot();
}

static const struct way {
	const char *name;
	uint64_t nr;
	void *guest;
	void (*before)(unsigned int i);
} ways[] = {
	{ "a running guest", MAX_INTERRUPTS, guest_spin, NULL },
	{ "a guest that opens windows", MAX_INTERRUPTS, guest_open_windows,
	  NULL },
	{ "a guest in HLT", MAX_INTERRUPTS, guest_halt, wait_for_halt },
	{ "a running guest, all unmapped", 50, guest_spin, change_slots },
	{ "a guest in HLT, all unmapped", 50, guest_halt, change_slots },
};

/* One at a time. */
static void test_way(const struct way *way)
{
	uint64_t halts = vcpu_stat(snp.vcpus[0], "halt_exits");
	pthread_t thread;
	unsigned int i;

	interrupts()->taken = 0;
	agent_start(agent(), way->guest, way->nr, 0, 0, 0);
	WRITE_ONCE(guest_tid, 0);
	pthread_create(&thread, NULL, run_guest, (void *)way->nr);
	for (i = 0; i < way->nr; i++) {
		if (way->before)
			way->before(i);
		send_interrupt(VECTOR + i % NR_VECTORS);
		expect_taken(i + 1, VECTOR + i % NR_VECTORS, way->name);
	}
	pthread_join(thread, NULL);
	halts = vcpu_stat(snp.vcpus[0], "halt_exits") - halts;
	if (way->before == wait_for_halt)
		EXPECT(halts >= way->nr,
		       "%s: should have been there %lu times, was %lu times",
		       way->name, way->nr, halts);
}

/* All at once, while the guest does not run: the highest comes first. */
static void test_pending(void)
{
	uint64_t windows = vcpu_stat(snp.vcpus[0], "irq_window_exits");
	unsigned int i;

	interrupts()->taken = 0;
	for (i = 0; i < NR_VECTORS; i++)
		send_interrupt(VECTOR + i);
	EXPECT_EQ(snp_call(&snp, 0, guest_open_windows, NR_VECTORS), NR_VECTORS,
		  "interrupts that have waited");
	for (i = 0; i < NR_VECTORS; i++)
		EXPECT_EQ(interrupts()->vectors[i], VECTOR + NR_VECTORS - 1 - i,
			  "vector of interrupt %u of those", i);
	windows = vcpu_stat(snp.vcpus[0], "irq_window_exits") - windows;
	EXPECT(windows, "KVM should have waited for a window");
}

static uint32_t read_apic(unsigned int reg)
{
	return snp_call(&snp, 0, guest_mmio_read, APIC_DEFAULT_GPA + reg, 4);
}

/* In service, or requested */
#define APIC_ISR		0x100
#define APIC_VECTORS_SIZE	0x80

static void expect_none_left(void)
{
	unsigned int reg;

	for (reg = APIC_ISR; reg < APIC_ISR + APIC_VECTORS_SIZE; reg += 0x10)
		EXPECT_EQ(read_apic(reg), 0, "local APIC's register %#x", reg);
	for (reg = APIC_IRR; reg < APIC_IRR + APIC_VECTORS_SIZE; reg += 0x10)
		EXPECT_EQ(read_apic(reg), 0, "local APIC's register %#x", reg);
}

/* The local APIC is the kernel's: these calls do not exit. */
static void test_interrupts(void)
{
	int i;

	EXPECT_EQ(snp_call(&snp, 0, guest_mmio_write,
			   APIC_DEFAULT_GPA + APIC_SPIV, 4,
			   APIC_SPIV_APIC_ENABLED | 0xff), 0,
		  "enabling the local APIC");
	EXPECT_EQ(read_apic(APIC_SPIV), APIC_SPIV_APIC_ENABLED | 0xff,
		  "what has been written there");
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		test_way(&ways[i]);
	test_pending();
	expect_none_left();
}

static void begin(void)
{
	const struct snp_options options = { .not_measured = true };
	int i;

	snp_create(&snp, &options);
	snp_map(snp.vm, HOLE, SIZE);
	for (i = 0; i < NR_VECTORS; i++)
		vm_install_exception_handler(snp.vm, VECTOR + i,
					     guest_on_interrupt);
	snp_load(&snp, &options);
}

int main(int argc, char *argv[])
{
	snp_begin();
	begin();

	test_vc();
	test_private();
	test_calls();
	test_long_calls();
	test_empty_calls();
	test_bad_calls();
	test_slots();
	test_interrupts();

	snp_free(&snp);
	snp_expect_all_back("guest with devices");
	return test_verdict();
}
