// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small VMM that boots Linux in a guest whose RAM is one guest_memfd, in
 * several memslots, each mapped where userspace_addr says. The guest fills and
 * checks its memory (linux_guest/init.c); when it has ended, the host looks for
 * what it left in the mapping. The exit status is the truth about both.
 *
 * --backing anonymous is the same guest in ordinary memslots, to compare.
 *
 * --private is the same guest as a software-protected VM, as far as that goes;
 * without options it follows where there are such VMs.
 * Neither the host's kernel nor its user space can write private memory of such
 * a VM, so what the VMM loads has to be shared; nor can Linux as a guest ask for
 * conversions, as it does not know this kind of VM. Therefore the host converts
 * the upper half of RAM before the guest starts and keeps it so: the guest finds
 * it filled with zeros, as memory should be. The lower half is shared, in
 * anonymous memory, for what KVM itself accesses: page tables and instructions
 * when it emulates one, and the clock. Linux keeps these there because
 * PRIVATE_ARGS leave the upper half to user space. All of it private would need
 * a guest that asks for conversions, and a KVM that copies the kernel into
 * private memory and emulates from there.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>

#include "guest_memfd.h"
#include "linux_guest.h"
#include "linux_guest_page.h"

#define MIB			(1ul << 20)
#define NR_SLOTS		4
#define MIN_MEMORY		(128 * MIB)
#define KERNEL_MARGIN		(16 * MIB)
#define FREE_MEMORY		(64 * MIB)
#define MOVABLE_ALIGN		(8 * MIB)	/* more than "kernelcore=" rounds up */
#define COMMAND_LINE_SIZE	2048
#define NO_REPORT		-1

enum backing { UNDECIDED, GUEST_MEMFD, ANONYMOUS, PRIVATE };

static struct {
	const char *kernel;
	const char *initrd;
	const char *append;
	enum backing backing;
	uint64_t memory;	/* 0: as the kernel needs */
	int cpus;
	int limit;
} options = {
	.kernel = "/boot/kernel",
	.initrd = "/boot/initrd",
	.append = "",
	.cpus = 2,
	.limit = 400,
};

/* The guest of the moment, and what its memory is. */
static struct linux_guest guest;
static enum backing backing;
static int gmem;

static bool ended;
static sem_t ending;

/* What the guest's init reports. */
static int guest_status;
static uint64_t guest_pages;
static int guest_cpus;

/* Memory */

static const char * const backing_names[] = {
	[GUEST_MEMFD] = "one guest_memfd",
	[ANONYMOUS] = "anonymous memory",
	[PRIVATE] = "anonymous memory, the upper part private in one guest_memfd",
};

static void require_backing(void)
{
	if (backing != GUEST_MEMFD)
		return;

	__TEST_REQUIRE(kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & GUEST_MEMFD_FLAG_INIT_SHARED,
		       "guest_memfd cannot be shared memory: needs GUEST_MEMFD_FLAG_INIT_SHARED in KVM_CAP_GUEST_MEMFD_FLAGS");
}

static int create_gmem(void)
{
	switch (backing) {
	case GUEST_MEMFD:
		return vm_create_guest_memfd(guest.vm, guest.ram_size,
					     GUEST_MEMFD_FLAG_MMAP |
					     GUEST_MEMFD_FLAG_INIT_SHARED);
	case PRIVATE:
		return vm_create_guest_memfd(guest.vm, guest.ram_size, 0);
	default:
		return -1;
	}
}

static void map_gmem(char *hva, uint64_t size, uint64_t offset)
{
	void *mem = mmap(hva, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 gmem, offset);

	TEST_ASSERT(mem == hva, "mmap() of guest_memfd, %#lx bytes from %#lx on: %s",
		    size, offset, strerror(errno));
}

/* The slots have the file in reverse order, so that none is where it is by chance. */
static void add_slot(int slot)
{
	uint64_t size = guest.ram_size / NR_SLOTS;
	uint64_t gpa = linux_ram_base + slot * size;
	uint64_t offset = (NR_SLOTS - 1 - slot) * size;
	char *hva = guest.ram + slot * size;

	if (backing == ANONYMOUS) {
		vm_set_user_memory_region(guest.vm, slot, 0, gpa, size, hva);
		return;
	}
	if (backing == GUEST_MEMFD)
		map_gmem(hva, size, offset);
	vm_bind_guest_memfd(guest.vm, slot, gpa, size, hva, gmem, offset);
}

/* Both files, and what the kernel allocates for itself. */
static uint64_t kernel_need(const struct linux_file *kernel, const struct linux_file *initrd)
{
	return linux_kernel_end(kernel) + initrd->size + KERNEL_MARGIN;
}

/* A kernel with KASAN and lockdep is several times as large as one without. */
static uint64_t choose_memory(const struct linux_file *kernel, const struct linux_file *initrd)
{
	uint64_t need = kernel_need(kernel, initrd) + FREE_MEMORY;

	return max(MIN_MEMORY, align_up(need, NR_SLOTS * SIZE_2M));
}

/* Half of RAM, or less where the kernel needs more than the other half. */
static void make_private(const struct linux_file *kernel, const struct linux_file *initrd)
{
	guest.shared_size = max(guest.ram_size / 2,
				align_up(kernel_need(kernel, initrd), SIZE_2M));
	TEST_ASSERT(guest.shared_size < guest.ram_size,
		    "%s leaves nothing of RAM to be private: more --memory", kernel->path);
	vm_set_private(guest.vm, linux_ram_base + guest.shared_size,
		       guest.ram_size - guest.shared_size);
}

static void add_memory(void)
{
	int slot;

	guest.shared_size = guest.ram_size;
	guest.ram = map_anonymous(guest.ram_size, SIZE_2M);
	gmem = create_gmem();
	for (slot = 0; slot < NR_SLOTS; slot++)
		add_slot(slot);
}

/* vCPUs */

static void kick(int signal) { }

static void run_once(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int ret = __vcpu_run(vcpu);

	if (!ret && linux_exit(&guest, vcpu)) {
		WRITE_ONCE(ended, true);
		sem_post(&ending);
	}
	if (!ret || errno == EINTR || errno == EAGAIN)
		return;

	TEST_ASSERT(run->exit_reason != KVM_EXIT_MEMORY_FAULT,
		    "vCPU %u should run, has no memory at %#llx: %s", vcpu->id,
		    run->memory_fault.gpa, strerror(errno));
	TEST_FAIL("vCPU %u should run: %s", vcpu->id, strerror(errno));
}

static void *run_vcpu(void *arg)
{
	while (!READ_ONCE(ended))
		run_once(arg);
	return NULL;
}

static void start_vcpus(pthread_t *threads)
{
	int i;

	signal(SIGUSR1, kick);
	for (i = 0; i < guest.nr_cpus; i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, run_vcpu, guest.vcpus[i]),
			    "a thread for vCPU %d should start", i);
}

static void stop_vcpus(pthread_t *threads)
{
	int i;

	WRITE_ONCE(ended, true);
	for (i = 0; i < guest.nr_cpus; i++) {
		guest.vcpus[i]->run->immediate_exit = 1;
		pthread_kill(threads[i], SIGUSR1);
	}
	for (i = 0; i < guest.nr_cpus; i++)
		pthread_join(threads[i], NULL);
}

/* True if the guest ended by itself within the time it has. */
static bool run_guest(void)
{
	pthread_t threads[LINUX_MAX_CPUS];
	struct timespec until;
	bool in_time;

	sem_init(&ending, 0, 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += options.limit;
	start_vcpus(threads);
	while (!(in_time = !sem_timedwait(&ending, &until)) && errno == EINTR)
		;
	stop_vcpus(threads);
	return in_time;
}

/* What the guest says */

static void print_line(const char *text)
{
	printf("guest: %s\n", text);
}

static void take_report(const char *text)
{
	if (sscanf(text, "status %d pages %lu cpus %d", &guest_status, &guest_pages,
		   &guest_cpus) != 3)
		print_line(text);
}

/* How many different pages of the guest's init are in [start, end) of RAM. */
static uint64_t count_pages(uint64_t start, uint64_t end)
{
	uint64_t offset, number, count = 0;
	char *seen = calloc(1, guest_pages + 1);
	uint64_t *page;

	for (offset = start; offset < end; offset += LINUX_PAGE_SIZE) {
		page = (uint64_t *)(guest.ram + offset);
		number = page[1];
		if (!linux_page_is_filled(page) || number >= guest_pages || seen[number])
			continue;
		seen[number] = 1;
		count++;
	}
	free(seen);
	return count;
}

static void check_report(void)
{
	EXPECT(guest_status == 0, "the guest's init should report 0, reports %d", guest_status);
	EXPECT(guest_cpus == guest.nr_cpus, "the guest should have %d CPUs, reports %d",
	       guest.nr_cpus, guest_cpus);
}

/* The host's side of the same memory, after the guest has ended. */
static void check_memory(void)
{
	uint64_t shared, private;

	if (gmem >= 0)	/* looking allocates what is not */
		printf("host: %lu MiB of guest_memfd are allocated\n",
		       gmem_blocks(gmem) * 512 / MIB);
	shared = count_pages(0, guest.shared_size);
	private = count_pages(guest.shared_size, guest.ram_size);
	printf("host: finds %lu of %lu MiB in its mapping%s\n",
	       shared * LINUX_PAGE_SIZE / MIB, guest_pages * LINUX_PAGE_SIZE / MIB,
	       backing == PRIVATE ? ", the rest is private" : "");
	EXPECT_EQ(private, 0, "pages of the guest that the host finds in private memory");
	if (backing == PRIVATE)
		EXPECT(shared < guest_pages, "the guest should have used its private memory");
	else
		EXPECT_EQ(shared, guest_pages, "pages that the guest filled and the host finds");
}

/* The VM */

static struct linux_file read_whole(const char *path)
{
	struct linux_file file = { .path = path };
	int fd = open(path, O_RDONLY);
	struct stat st;

	__TEST_REQUIRE(fd >= 0, "cannot open %s: %s", path, strerror(errno));
	TEST_ASSERT(!fstat(fd, &st), "fstat() of %s: %s", path, strerror(errno));
	file.size = st.st_size;
	file.data = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
	TEST_ASSERT(file.data != MAP_FAILED, "mmap() of %s: %s", path, strerror(errno));
	close(fd);
	return file;
}

static void reset(enum backing with)
{
	memset(&guest, 0, sizeof(guest));
	backing = with;
	gmem = -1;
	ended = false;
	guest_status = NO_REPORT;
	guest_pages = 0;
	guest_cpus = 0;
}

/* On the console only what is worse than an error; a panic is a reset. */
#define OUTPUT_ARGS	"console=ttyS0 8250.nr_uarts=2 loglevel=3 panic=-1"
/*
 * An emulated host has little time: no delays, and what a debug kernel can do
 * without is for the host's kernel to do, which may be the same.
 */
#define QUICK_ARGS	"nokaslr mitigations=off random.trust_cpu=on kunit.enable=0 " \
			"kmemleak=off no_debug_objects lockdep.prove_locking=0"

/*
 * Only what moves goes to the upper part of RAM. The pages of a tmpfs do, those
 * of a ramfs do not, and init's instructions are in them: a KVM without NRIPS
 * looks at one that it emulates, to know how long it is.
 */
#define PRIVATE_ARGS	" kernelcore=%luM rootfstype=ramfs"

static void compose_args(char *args)
{
	int len = snprintf(args, COMMAND_LINE_SIZE, OUTPUT_ARGS " " QUICK_ARGS " %s",
			   linux_arch_args);

	if (backing == PRIVATE)
		len += snprintf(args + len, COMMAND_LINE_SIZE - len, PRIVATE_ARGS,
				(guest.shared_size - MOVABLE_ALIGN) / MIB);
	len += snprintf(args + len, COMMAND_LINE_SIZE - len, " %s", options.append);
	TEST_ASSERT(len < COMMAND_LINE_SIZE, "the command line is too long");
}

static void create_guest(void)
{
	struct linux_file kernel = read_whole(options.kernel);
	struct linux_file initrd = read_whole(options.initrd);
	char args[COMMAND_LINE_SIZE];
	int i;

	guest.nr_cpus = options.cpus;
	guest.console.line = print_line;
	guest.report.line = take_report;
	guest.vm = vm_create_barebones_type(backing == PRIVATE ? private_vm_type() : 0);
	guest.ram_size = options.memory ?: choose_memory(&kernel, &initrd);
	add_memory();
	if (backing == PRIVATE)
		make_private(&kernel, &initrd);
	linux_create_board(&guest);
	for (i = 0; i < guest.nr_cpus; i++)
		guest.vcpus[i] = __vm_vcpu_add(guest.vm, i);
	compose_args(args);
	linux_load(&guest, &kernel, &initrd, args);
	munmap(kernel.data, kernel.size);
	munmap(initrd.data, initrd.size);
}

static void free_guest(void)
{
	kvm_vm_free(guest.vm);
	munmap(guest.ram, guest.ram_size);
	if (gmem >= 0)
		close(gmem);
}

static void boot(enum backing with)
{
	uint64_t began;

	reset(with);
	require_backing();
	create_guest();
	printf("host: %lu MiB of RAM in %d slots of %s, %d CPUs\n", guest.ram_size / MIB,
	       NR_SLOTS, backing_names[backing], guest.nr_cpus);
	began = now_ms();
	EXPECT(run_guest(), "the guest should end by itself within %d s", options.limit);
	printf("host: the guest ran for %.1f s\n", (now_ms() - began) / 1000.0);
	if (EXPECT(guest_status != NO_REPORT, "the guest's init should report"))
		check_report();
	if (guest_pages)
		check_memory();
	free_guest();
}

/* Options */

static void __attribute__((noreturn)) usage(int status)
{
	fprintf(status ? stderr : stdout,
		"Usage: guest_memfd_linux [OPTION]...\n"
		"Boots Linux in a guest whose RAM is one guest_memfd.\n\n"
		"  --kernel FILE    the kernel (%s)\n"
		"  --initrd FILE    its initramfs (%s)\n"
		"  --append STRING  add to its command line\n"
		"  --memory MIB     RAM (as the kernel needs, at least %lu)\n"
		"  --cpus N         at most %d (%d)\n"
		"  --backing guest_memfd | anonymous\n"
		"  --private        a software-protected VM, half of whose RAM is private\n"
		"  --limit SECONDS  how long the guest may run (%d)\n",
		options.kernel, options.initrd, MIN_MEMORY / MIB, LINUX_MAX_CPUS,
		options.cpus, options.limit);
	exit(status);
}

static int to_number(const char *text, int max)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*end || number < 1 || number > max) {
		fprintf(stderr, "'%s' should be a number from 1 to %d\n", text, max);
		exit(KSFT_FAIL);
	}
	return number;
}

static enum backing to_backing(const char *text)
{
	if (!strcmp(text, "guest_memfd"))
		return GUEST_MEMFD;
	if (strcmp(text, "anonymous"))
		usage(KSFT_FAIL);
	return ANONYMOUS;
}

static void take_option(int option)
{
	switch (option) {
	case 'k':
		options.kernel = optarg;
		break;
	case 'i':
		options.initrd = optarg;
		break;
	case 'a':
		options.append = optarg;
		break;
	case 'm':
		options.memory = to_number(optarg, linux_ram_max / MIB) * MIB;
		break;
	case 'c':
		options.cpus = to_number(optarg, LINUX_MAX_CPUS);
		break;
	case 'b':
		options.backing = to_backing(optarg);
		break;
	case 'p':
		options.backing = PRIVATE;
		break;
	case 'l':
		options.limit = to_number(optarg, 86400);
		break;
	default:
		usage(option == 'h' ? KSFT_PASS : KSFT_FAIL);
	}
}

static void take_options(int argc, char *argv[])
{
	static const struct option known[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "append", required_argument, NULL, 'a' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "backing", required_argument, NULL, 'b' },
		{ "private", no_argument, NULL, 'p' },
		{ "limit", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0)
		take_option(option);
	if (optind < argc)
		usage(KSFT_FAIL);
}

int main(int argc, char *argv[])
{
	setlinebuf(stdout);
	take_options(argc, argv);
	if (options.backing != UNDECIDED) {
		boot(options.backing);
		return test_verdict();
	}

	boot(GUEST_MEMFD);
	if (has_private_vm())
		boot(PRIVATE);
	else
		note_skipped("--private: there is no VM type with private memory");
	return test_verdict();
}
