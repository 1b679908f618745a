// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ordinary guest that runs from a host-mapped guest_memfd altogether: code,
 * stack and page tables.  And what the kernel itself reads and writes of such
 * memory, which goes through userspace_addr: one memory, if that is the file.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "guest_agent.h"
#include "kernel_writer.h"

#define PAGE	((uint64_t)getpagesize())
#define GPA	(4 * SIZE_1G)
#define SIZE	SIZE_2M
#define VALUE	0x6e6e6e6e6e6e6e6eul
#define FILLER	0xcc

static struct kvm_vm *vm;
static struct agent agent;

/*
 * Slot 0 becomes a file; where the host had its memory, it has the file, so
 * that all helpers find it.
 */
static int move_into_file(void)
{
	struct userspace_mem_region *region = memslot2region(vm, 0);
	uint64_t size = region->region.memory_size;
	void *hva = region->host_mem, *mem;
	int fd;

	mem = gmem_map_new(vm, size, GMEM_SHARED, &fd);
	memcpy(mem, hva, size);
	munmap(mem, size);
	vm_delete_slot(vm, 0);
	mem = mmap(hva, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   fd, 0);
	TEST_ASSERT(mem == hva, "mmap() over slot 0 should work, errno %d",
		    errno);
	vm_bind_guest_memfd(vm, 0, 0, size, hva, fd, 0);
	return fd;
}

static void check_alive(uint64_t count, const char *when)
{
	const uint64_t depth = 400;

	EXPECT_EQ(agent_call(&agent, guest_add, 1), count,
		  "%s: the guest's counter", when);
	EXPECT_EQ(agent_call(&agent, guest_recurse, depth),
		  depth * (depth + 1) * (2 * depth + 1) / 6,
		  "%s: the guest's stack", when);
}

static void test_inside(void)
{
	uint64_t *guests = addr_gva2hva(vm, (uintptr_t)&guest_counter);

	check_alive(42, "in the file");
	EXPECT_EQ(*guests, 42, "the counter that the host sees");
	*guests = 99;
	check_alive(100, "host wrote");
	trigger_compaction();
	check_alive(101, "compaction");
	EXPECT_EQ(*guests, 101, "the counter that the host sees");
	EXPECT_EQ(guest_counter, 41, "the counter of this program");
}

/* New page tables are written by the host, through its mapping. */
static void test_host_edits_page_tables(void)
{
	const uint64_t alias = 16 * SIZE_1G;
	struct gmem_area area;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);
	virt_map(vm, alias, GPA, 4 * PAGE / vm->page_size);
	*(uint64_t *)(area.hva + 3 * PAGE) = VALUE;
	EXPECT_EQ(agent_call(&agent, guest_read, alias + 3 * PAGE), VALUE,
		  "what the guest reads by a new mapping");
	gmem_area_free(&area);
}

/* What the kernel writes, and who sees it */

/* Each has a page of its own. */
static uint64_t writer_gpa(const struct kernel_writer *writer)
{
	return GPA + (7 + (writer - kernel_writers)) * PAGE;
}

static void test_writer(const struct kernel_writer *writer,
			struct gmem_area *area, bool one_memory)
{
	const uint64_t at = writer_gpa(writer) + writer->offset;
	uint64_t *host = gmem_area_hva(area, at), guest;

	agent_call(&agent, guest_write, at, VALUE);
	*host = VALUE;
	writer->write(&agent, writer_gpa(writer));
	guest = agent_call(&agent, guest_read, at);
	EXPECT(*host != VALUE, "%s should be at userspace_addr, %#lx is",
	       writer->what, *host);
	EXPECT((guest != VALUE) == one_memory,
	       "%s: guest should %s, reads %#lx, userspace_addr has %#lx",
	       writer->what, one_memory ? "see it" : "not see it", guest,
	       *host);
}

/*
 * A punch in between: the kernel must not hold on to a page of the past, and
 * may be the first to touch the new one.
 */
static void test_writer_after_punch(const struct kernel_writer *writer,
				    struct gmem_area *area)
{
	const uint64_t at = writer_gpa(writer);
	uint64_t blocks;
	int i;

	for (i = 0; i < 4; i++) {
		EXPECT_ERRNO(gmem_punch(area->fd, at - GPA, PAGE), 0, "punch");
		blocks = gmem_blocks(area->fd);
		if (i % 2) {
			writer->write(&agent, at);
			EXPECT_EQ(gmem_blocks(area->fd), blocks + PAGE / 512,
				  "%s: st_blocks, written to a hole",
				  writer->what);
		}
		test_writer(writer, area, true);
	}
}

static void test_kernel_writers(void)
{
	const struct kernel_writer *writer;
	struct gmem_area area, elsewhere;

	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);
	for (writer = kernel_writers; writer->what; writer++) {
		if (!writer->start(&agent, writer_gpa(writer)))
			continue;
		test_writer(writer, &area, true);
		test_writer_after_punch(writer, &area);

		/* With other memory at userspace_addr there are two. */
		vm_delete_slot(vm, area.slot);
		elsewhere = area;
		elsewhere.hva = map_anonymous(SIZE, SIZE_2M);
		gmem_area_bind(&elsewhere);
		test_writer(writer, &elsewhere, false);
		writer->stop(&agent);
		vm_delete_slot(vm, area.slot);
		munmap(elsewhere.hva, SIZE);
		gmem_area_bind(&area);
	}
	gmem_area_free(&area);
}

/*
 * Last: the host takes its mapping away, and the guest does not notice, unless
 * its page tables are read there.
 */
static void test_inside_without_mapping(void)
{
	struct userspace_mem_region *region = memslot2region(vm, 0);
	uint64_t size = region->region.memory_size, i;
	uint8_t *hva = region->host_mem;

	if (kernel_reads_page_tables()) {
		note_skipped("slot 0 unmapped: KVM reads page tables there");
		return;
	}
	munmap(hva, size);
	check_alive(102, "slot 0 unmapped");
	mmap(hva, size, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(hva, FILLER, size);
	check_alive(103, "slot 0 filled with something else");
	for (i = 0; i < size && hva[i] == FILLER; i++)
		;
	EXPECT_EQ(i, size, "first byte at userspace_addr that has changed");
}

int main(int argc, char *argv[])
{
	int fd;

	require_gmem_flags(GMEM_SHARED);
	vm = agent_vm_create(0, 1, &agent);
	agent_map(vm, GPA, SIZE);

	fd = move_into_file();
	test_inside();
	test_host_edits_page_tables();
	test_kernel_writers();
	test_inside_without_mapping();

	close(fd);
	kvm_vm_free(vm);
	return test_verdict();
}
