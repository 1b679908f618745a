// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls, expectations and page contents shared by the guest_memfd tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>

#include "guest_memfd.h"

uint64_t page_size;

__attribute__((constructor))
static void find_page_size(void)
{
	page_size = getpagesize();
}

/* Expectations */

static unsigned int nr_checks;
static unsigned int nr_failed;
static unsigned int nr_skipped;

/* A test that is wrong all over is not worth more of the console. */
#define MAX_PRINTED	40

static void complain(const char *file, int line, const char *fmt, va_list ap)
{
	unsigned int nr = __atomic_add_fetch(&nr_failed, 1, __ATOMIC_RELAXED);

	if (nr > MAX_PRINTED)
		return;
	flockfile(stdout);
	printf("FAILED %s:%d: ", file, line);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	funlockfile(stdout);
}

bool expect(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	__atomic_fetch_add(&nr_checks, 1, __ATOMIC_RELAXED);
	if (ok)
		return true;

	va_start(ap, fmt);
	complain(file, line, fmt, ap);
	va_end(ap);
	return false;
}

static const char *describe(long ret, int err, char *buf, size_t size)
{
	if (ret >= 0)
		snprintf(buf, size, "returned %ld", ret);
	else
		snprintf(buf, size, "failed with %d (%s)", err, strerror(err));
	return buf;
}

bool expect_errno(long ret, int err, int want, const char *file, int line,
		  const char *fmt, ...)
{
	char what[256], should[96], did[96];
	va_list ap;
	bool ok = want ? ret < 0 && err == want : ret >= 0;

	if (ok)
		return expect(true, file, line, " ");

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(should, sizeof(should), "fail with %d (%s)", want,
		 strerror(want));
	return expect(false, file, line, "%s: should %s, %s", what,
		      want ? should : "succeed",
		      describe(ret, err, did, sizeof(did)));
}

/* Part of a test has no ground here; the rest of it goes on. */
void note_skipped(const char *fmt, ...)
{
	va_list ap;

	nr_skipped++;
	printf("part skipped: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* For a forked child, whose verdict is about its own checks. */
void test_restart(void)
{
	nr_checks = 0;
	nr_failed = 0;
	nr_skipped = 0;
}

bool test_has_failed(void)
{
	return nr_failed;
}

int test_verdict(void)
{
	printf("%u checks, %u failed, %u parts skipped\n", nr_checks, nr_failed,
	       nr_skipped);
	return nr_failed ? KSFT_FAIL : KSFT_PASS;
}

/* VMs */

bool has_vm_type(unsigned long type)
{
#ifdef __x86_64__
	return kvm_check_cap(KVM_CAP_VM_TYPES) & (1u << type);
#else
	return !type;
#endif
}

static bool binds_guest_memfd(unsigned long type)
{
	struct kvm_vm *vm;
	bool yes;

	if (!has_vm_type(type) || !kvm_has_cap(KVM_CAP_GUEST_MEMFD))
		return false;

	vm = vm_create_barebones_type(type);
	yes = vm_check_cap(vm, KVM_CAP_GUEST_MEMFD);
	kvm_vm_free(vm);
	return yes;
}

#ifdef __x86_64__
#define PRIVATE_VM_TYPE	KVM_X86_SW_PROTECTED_VM
#else
#define PRIVATE_VM_TYPE	0
#endif

bool has_private_vm(void)
{
	return PRIVATE_VM_TYPE && binds_guest_memfd(PRIVATE_VM_TYPE) &&
	       kvm_check_cap(KVM_CAP_MEMORY_ATTRIBUTES) &
			KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

unsigned long private_vm_type(void)
{
	__TEST_REQUIRE(has_private_vm(),
		       "no VM type with private memory: needs guest_memfd, memory attributes and two-dimensional paging");
	return PRIVATE_VM_TYPE;
}

unsigned long gmem_vm_type(void)
{
	if (has_private_vm())
		return PRIVATE_VM_TYPE;

	__TEST_REQUIRE(binds_guest_memfd(0), "no VM type can bind guest_memfd");
	return 0;
}

void test_gmem_vm_types(void (*test)(unsigned long type, uint64_t flags))
{
	const uint64_t mmap = kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) &
			      GUEST_MEMFD_FLAG_MMAP;

	gmem_vm_type();
	if (has_private_vm())
		test(PRIVATE_VM_TYPE, 0);
	else
		note_skipped("VMs with private memory: no such type");

	if (mmap && binds_guest_memfd(0))
		test(0, mmap);
	else
		note_skipped("ordinary VMs: need GUEST_MEMFD_FLAG_MMAP");
}

struct kvm_vm *vm_create_barebones_type(unsigned long type)
{
	struct kvm_vm *vm;

	vm_type_default = type;
	vm = vm_create_barebones();
	vm_type_default = 0;
	return vm;
}

struct kvm_vm *vm_create_type(unsigned long type, uint32_t nr_vcpus,
			      uint64_t extra_pages, void *guest_code,
			      struct kvm_vcpu *vcpus[])
{
	struct kvm_vm *vm;

	vm_type_default = type;
	vm = __vm_create_with_vcpus(VM_MODE_DEFAULT, nr_vcpus, extra_pages,
				    guest_code, vcpus);
	vm_type_default = 0;
	return vm;
}

/* ioctls */

int __vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd args = { .size = size, .flags = flags };

	return __vm_ioctl(vm, KVM_CREATE_GUEST_MEMFD, &args);
}

int vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags)
{
	int fd = __vm_create_guest_memfd(vm, size, flags);

	TEST_ASSERT(fd >= 0, KVM_IOCTL_ERROR(KVM_CREATE_GUEST_MEMFD, fd));
	return fd;
}

int __vm_set_region2(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
		     uint64_t gpa, uint64_t size, void *hva, int fd,
		     uint64_t offset)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
		.guest_memfd = fd,
		.guest_memfd_offset = offset,
	};

	return __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

void vm_bind_guest_memfd(struct kvm_vm *vm, uint32_t slot, uint64_t gpa,
			 uint64_t size, void *hva, int fd, uint64_t offset)
{
	int ret = __vm_set_region2(vm, slot, KVM_MEM_GUEST_MEMFD, gpa, size,
				   hva, fd, offset);

	TEST_ASSERT(!ret, KVM_IOCTL_ERROR(KVM_SET_USER_MEMORY_REGION2, ret));
}

int __vm_delete_slot(struct kvm_vm *vm, uint32_t slot)
{
	return __vm_set_user_memory_region(vm, slot, 0, 0, 0, NULL);
}

void vm_delete_slot(struct kvm_vm *vm, uint32_t slot)
{
	vm_set_user_memory_region(vm, slot, 0, 0, 0, NULL);
}

int __vm_set_attributes(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
			uint64_t attributes)
{
	struct kvm_memory_attributes args = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
	};

	return __vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &args);
}

static void vm_set_attributes(struct kvm_vm *vm, uint64_t gpa, uint64_t size,
			      uint64_t attributes)
{
	int ret = __vm_set_attributes(vm, gpa, size, attributes);

	TEST_ASSERT(!ret, "attributes of [%#lx, %#lx) should become %#lx, errno %d (%s)",
		    gpa, gpa + size, attributes, errno, strerror(errno));
}

void vm_set_private(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	vm_set_attributes(vm, gpa, size, KVM_MEMORY_ATTRIBUTE_PRIVATE);
}

void vm_set_shared(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	vm_set_attributes(vm, gpa, size, 0);
}

int __vcpu_pre_fault(struct kvm_vcpu *vcpu, struct kvm_pre_fault_memory *range)
{
	return __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, range);
}

/* Loops over partial progress; returns 0 or -1 with errno. */
int vcpu_pre_fault_all(struct kvm_vcpu *vcpu, uint64_t gpa, uint64_t size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };

	while (range.size)
		if (__vcpu_pre_fault(vcpu, &range) && errno != EINTR)
			return -1;
	return 0;
}

/* Closes @fd; -1 if there is no such statistic. */
static uint64_t read_stat(int fd, const char *name)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *descs;
	uint64_t data = -1;
	int i;

	read_stats_header(fd, &header);
	descs = read_stats_descriptors(fd, &header);
	for (i = 0; i < header.num_desc; i++) {
		struct kvm_stats_desc *desc;

		desc = get_stats_descriptor(descs, i, &header);
		if (!strcmp(desc->name, name))
			read_stat_data(fd, &header, desc, &data, 1);
	}
	free(descs);
	close(fd);
	return data;
}

uint64_t vcpu_stat(struct kvm_vcpu *vcpu, const char *name)
{
	return read_stat(vcpu_get_stats_fd(vcpu), name);
}

uint64_t vm_stat(struct kvm_vm *vm, const char *name)
{
	return read_stat(vm_get_stats_fd(vm), name);
}

int gmem_allocate(int fd, uint64_t offset, uint64_t size)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
}

int gmem_punch(int fd, uint64_t offset, uint64_t size)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
			 offset, size);
}

uint64_t gmem_blocks(int fd)
{
	struct stat st;
	int ret = fstat(fd, &st);

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("fstat()", ret));
	return st.st_blocks;
}

bool gmem_counts_blocks(struct kvm_vm *vm)
{
	int fd = vm_create_guest_memfd(vm, page_size, 0);
	int ret = gmem_allocate(fd, 0, page_size);
	uint64_t blocks = gmem_blocks(fd);

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("fallocate()", ret));
	close(fd);
	return blocks;
}

/* Areas */

void gmem_area_add(struct gmem_area *area, struct kvm_vm *vm, uint32_t slot,
		   uint64_t gpa, uint64_t size)
{
	*area = (struct gmem_area) {
		.vm = vm,
		.slot = slot,
		.gpa = gpa,
		.size = size,
		.hva = map_anonymous(size, SIZE_2M),
		.fd = vm_create_guest_memfd(vm, size, 0),
	};
	gmem_area_bind(area);
}

void gmem_area_bind(struct gmem_area *area)
{
	vm_bind_guest_memfd(area->vm, area->slot, area->gpa, area->size,
			    area->hva, area->fd, area->offset);
}

void gmem_area_free(struct gmem_area *area)
{
	vm_delete_slot(area->vm, area->slot);
	munmap(area->hva, area->size);
	close(area->fd);
}

void *gmem_area_hva(struct gmem_area *area, uint64_t gpa)
{
	return area->hva + (gpa - area->gpa);
}

/* Contents */

void stamp_fill(uint64_t *mem, uint64_t gpa, uint64_t size, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < size; i += STAMP_STEP)
		WRITE_ONCE(mem[i / sizeof(*mem)], stamp(seed, gpa + i));
}

uint64_t stamp_check(uint64_t *mem, uint64_t gpa, uint64_t size, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < size; i += STAMP_STEP)
		if (READ_ONCE(mem[i / sizeof(*mem)]) != stamp(seed, gpa + i))
			break;
	return gpa + i;
}

uint64_t zero_check(uint64_t *mem, uint64_t gpa, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += sizeof(*mem))
		if (READ_ONCE(mem[i / sizeof(*mem)]))
			break;
	return gpa + i;
}

/* Random numbers: splitmix64 */

uint64_t rnd_seed(const char *arg)
{
	uint64_t seed = arg ? strtoull(arg, NULL, 0) :
			      (uint64_t)time(NULL) << 20 ^ getpid();

	printf("seed %#lx (repeat with -s)\n", seed);
	return seed;
}

uint64_t rnd_next(struct rnd *rnd)
{
	uint64_t x = rnd->state += 0x9e3779b97f4a7c15ul;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ul;
	x = (x ^ x >> 27) * 0x94d049bb133111ebul;
	return x ^ x >> 31;
}

uint64_t rnd_below(struct rnd *rnd, uint64_t limit)
{
	return rnd_next(rnd) % limit;
}

/* Surroundings */

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

uint64_t read_meminfo_kb(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128], name[64];
	uint64_t kb, found = 0;

	TEST_ASSERT(file, "/proc/meminfo should open");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63[^:]: %lu", name, &kb) == 2 &&
		    !strcmp(name, key))
			found = kb;
	fclose(file);
	return found;
}

/* Also drains the per-CPU LRU batches, so that counters are up to date. */
void trigger_compaction(void)
{
	if (write_file("/proc/sys/vm/compact_memory", "1"))
		note_skipped("no compaction: /proc/sys/vm/compact_memory: %s",
			     strerror(errno));
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* Aligned, so that the host can use huge pages; the padding stays mapped. */
void *map_anonymous(uint64_t size, uint64_t align)
{
	void *mem = mmap(NULL, size + align, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	TEST_ASSERT(mem != MAP_FAILED, "mmap() of %#lx bytes should work",
		    size + align);
	mem = mmap(align_ptr_up(mem, align), size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
		   -1, 0);
	TEST_ASSERT(mem != MAP_FAILED, "mmap() of %#lx bytes should work", size);
	return mem;
}

/* Pages on their way from or to a list of a CPU would not count. */
uint64_t unevictable_kb(void)
{
	trigger_compaction();
	return read_meminfo_kb("Unevictable");
}

bool expect_unevictable(uint64_t before_kb, const char *when)
{
	uint64_t end = now_ms() + 5000, slack = 1024, now;

	do {
		now = unevictable_kb();
	} while (now >= before_kb + slack && now_ms() < end);
	return EXPECT(now < before_kb + slack,
		      "%s: no guest_memfd should be left, but %lu kB of unevictable memory were %lu",
		      when, now, before_kb);
}

/* Memory errors, of pages that no process has mapped */

#define KPF_UNEVICTABLE	0x40000	/* bit 18 */
#define HWPOISON	"/sys/kernel/debug/hwpoison/"

/* A power of two that is more than there are frames. */
static uint64_t more_than_frames(int fd)
{
	uint64_t flags, nr = 1ul << 20;

	while (pread(fd, &flags, sizeof(flags), nr * sizeof(flags)) > 0)
		nr *= 2;
	return nr;
}

/* Which frames are unevictable. */
static void read_unevictable(int fd, uint8_t *unevictable)
{
	uint64_t flags[512], nr = 0;
	ssize_t i, len;

	while ((len = pread(fd, flags, sizeof(flags), nr * sizeof(*flags))) > 0)
		for (i = 0; i < len / sizeof(*flags); i++)
			unevictable[nr++] = !!(flags[i] & KPF_UNEVICTABLE);
}

/* The frame of a page is the one that becomes unevictable as it is allocated. */
static uint64_t find_new_unevictable(int gmem, uint64_t offset, int fd,
				     uint8_t *before, uint8_t *now, uint64_t max)
{
	uint64_t pfn, found = 0, nr_found = 0;

	gmem_punch(gmem, offset, getpagesize());
	trigger_compaction();
	read_unevictable(fd, before);
	gmem_allocate(gmem, offset, getpagesize());
	trigger_compaction();
	read_unevictable(fd, now);
	for (pfn = 0; pfn < max; pfn++)
		if (!before[pfn] && now[pfn]) {
			found = pfn;
			nr_found++;
		}
	return nr_found == 1 ? found : 0;
}

uint64_t gmem_find_frame(int gmem, uint64_t offset)
{
	int fd = open("/proc/kpageflags", O_RDONLY), tries = 5;
	uint64_t max = more_than_frames(fd), pfn = 0;
	uint8_t *before = calloc(max, 1), *now = calloc(max, 1);

	while (!pfn && tries--)
		pfn = find_new_unevictable(gmem, offset, fd, before, now, max);
	free(now);
	free(before);
	close(fd);
	return pfn;
}

bool can_poison_frames(void)
{
	return !access(HWPOISON "corrupt-pfn", W_OK) &&
	       !access("/proc/kpageflags", R_OK);
}

static int write_pfn(const char *path, uint64_t pfn)
{
	char number[32];

	snprintf(number, sizeof(number), "%#lx", pfn);
	return write_file(path, number);
}

/* EBUSY: poisoned, and still in the page cache. */
void poison_frame(uint64_t pfn)
{
	int ret = write_pfn(HWPOISON "corrupt-pfn", pfn);

	EXPECT(!ret || errno == EBUSY,
	       "injecting a memory error should work, errno %d", errno);
}

void unpoison_frame(uint64_t pfn)
{
	write_pfn(HWPOISON "unpoison-pfn", pfn);
}
