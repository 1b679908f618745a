// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's view of a guest_memfd that it maps: mappings, accesses that may
 * raise SIGBUS, memory errors, and what fdinfo says.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "guest_memfd.h"

void require_gmem_flags(uint64_t flags)
{
	__TEST_REQUIRE((kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & flags) ==
		       flags, "guest_memfd lacks creation flags %#lx", flags);
}

void *gmem_map(int fd, uint64_t offset, uint64_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 offset);

	TEST_ASSERT(mem != MAP_FAILED,
		    "mmap() of %#lx bytes of a guest_memfd should work, errno %d (%s)",
		    size, errno, strerror(errno));
	return mem;
}

/* A new file, mapped whole. */
void *gmem_map_new(struct kvm_vm *vm, uint64_t size, uint64_t flags, int *fd)
{
	*fd = vm_create_guest_memfd(vm, size, flags);
	return gmem_map(*fd, 0, size);
}

void gmem_area_add_mapped(struct gmem_area *area, struct kvm_vm *vm,
			  uint32_t slot, uint64_t gpa, uint64_t size,
			  uint64_t flags)
{
	*area = (struct gmem_area) {
		.vm = vm,
		.slot = slot,
		.gpa = gpa,
		.size = size,
	};
	area->hva = gmem_map_new(vm, size, flags, &area->fd);
	gmem_area_bind(area);
}

/* Accesses that may raise SIGBUS */

static __thread sigjmp_buf landing;
static __thread bool touching;
static __thread int sigbus_code;
static unsigned int nr_sigbus;

/*
 * A memory error may be told at any time; every other SIGBUS comes from
 * touch(), or else from a broken test, which it ends the next time.
 */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	__atomic_fetch_add(&nr_sigbus, 1, __ATOMIC_RELAXED);
	if (READ_ONCE(touching)) {
		WRITE_ONCE(sigbus_code, info->si_code);
		siglongjmp(landing, 1);
	}
	if (info->si_code != BUS_MCEERR_AO)
		signal(SIGBUS, SIG_DFL);
}

static void catch_sigbus(void)
{
	struct sigaction action = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGBUS, &action, NULL);
}

/* Writes back what it reads, so that the contents are the same afterwards. */
static int touch(uint64_t *mem, bool write)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, catch_sigbus);
	WRITE_ONCE(sigbus_code, 0);
	if (!sigsetjmp(landing, 1)) {
		WRITE_ONCE(touching, true);
		if (write)
			__atomic_fetch_or(mem, 0, __ATOMIC_SEQ_CST);
		else
			READ_ONCE(*mem);
		barrier();
	}
	WRITE_ONCE(touching, false);
	return READ_ONCE(sigbus_code);
}

int touch_read(void *mem)
{
	return touch(mem, false);
}

int touch_write(void *mem)
{
	return touch(mem, true);
}

unsigned int sigbus_count(void)
{
	return __atomic_load_n(&nr_sigbus, __ATOMIC_RELAXED);
}

/*
 * Makes the page at @mem one with a memory error; false, with the reason
 * printed, where that cannot be had.  EBUSY: poisoned, and still in the file.
 */
bool inject_memory_error(void *mem)
{
	touch_read(mem);
	if (!madvise(mem, page_size, MADV_HWPOISON) || errno == EBUSY)
		return true;

	note_skipped("memory errors: MADV_HWPOISON: %s", strerror(errno));
	return false;
}

/* fdinfo */

static FILE *open_fdinfo(int fd)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	TEST_ASSERT(file, "%s should open, errno %d", path, errno);
	return file;
}

/* -1 if there is no such line. */
uint64_t gmem_fdinfo(int fd, const char *name)
{
	size_t len = strlen(name);
	FILE *file = open_fdinfo(fd);
	uint64_t value = -1;
	char line[256];

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && !strncmp(line + len, ":\t", 2))
			value = strtoull(line + len + 2, NULL, 0);
	fclose(file);
	return value;
}

/* In the order of the lines; returns how many there are. */
int gmem_fdinfo_bindings(int fd, struct gmem_binding *bindings, int max)
{
	FILE *file = open_fdinfo(fd);
	struct gmem_binding b;
	char line[256];
	int nr = 0;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "gmem-binding:\tslot %u as %u gpa %lx size %lx offset %lx",
			   &b.slot, &b.as, &b.gpa, &b.size, &b.offset) != 5)
			continue;
		if (nr < max)
			bindings[nr] = b;
		nr++;
	}
	fclose(file);
	return nr;
}
