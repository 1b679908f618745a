// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifetimes: file, memslot, VM, vCPU and the processes that hold them end in
 * every order, and what is left goes on working until its own end.  All of it
 * with private memory, and with a file that the host maps.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest_agent.h"

#define PAGE		((uint64_t)getpagesize())
#define GPA		(4 * SIZE_1G)
#define NR_PAGES	16
#define SIZE		(NR_PAGES * PAGE)
#define END		(GPA + SIZE)
#define SEED		9
#define BUDGET_MS	5000

static bool private;		/* or else a file that the host may map */

struct setup {
	struct kvm_vm *vm;
	struct agent agent;
	struct gmem_area area;
};

static unsigned long vm_type(void)
{
	return private ? private_vm_type() : 0;
}

static uint64_t file_flags(void)
{
	return private ? 0 : GMEM_SHARED;
}

/* A guest that has written its memory, which the host does not map. */
static void setup(struct setup *s)
{
	s->vm = agent_vm_create(vm_type(), 1, &s->agent);
	agent_map(s->vm, GPA, SIZE);
	s->area = (struct gmem_area) {
		.vm = s->vm, .slot = 1, .gpa = GPA, .size = SIZE,
		.hva = map_anonymous(SIZE, SIZE_2M),
		.fd = vm_create_guest_memfd(s->vm, SIZE, file_flags()),
	};
	gmem_area_bind(&s->area);
	if (private)
		vm_set_private(s->vm, GPA, SIZE);
	agent_call(&s->agent, guest_fill, GPA, SIZE, SEED);
}

static void teardown(struct setup *s)
{
	gmem_area_free(&s->area);
	kvm_vm_free(s->vm);
}

static void expect_intact(struct setup *s, uint64_t from, const char *when)
{
	EXPECT_EQ(agent_call(&s->agent, guest_check, from, END - from, SEED),
		  END, "%s: first page that lost its contents", when);
}

static void expect_gone(struct setup *s, const char *when)
{
	agent_expect_fault(&s->agent, guest_read, GPA, 0, GPA, private, EFAULT,
			   when);
}

/* Where there is no slot, shared memory is a device. */
static void expect_no_slot(struct setup *s, const char *when)
{
	enum agent_stop stop;

	if (private) {
		expect_gone(s, when);
		return;
	}
	agent_start(&s->agent, guest_read, GPA, 0, 0, 0);
	stop = agent_run(&s->agent);
	EXPECT(stop == AGENT_MMIO, "%s: guest should read from a device: %s",
	       when, agent_stop_name(&s->agent, stop));
	agent_run(&s->agent);
}

/* VMs that live, by their directories in debugfs. */
static int count_vms(void)
{
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	struct dirent *entry;
	int nr = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		nr += strchr(entry->d_name, '-') && atoi(entry->d_name) > 0;
	closedir(dir);
	return nr;
}

/* Every order of endings */

enum ending {
	CLOSE_FILE,
	CLOSE_VM,
	CLOSE_VCPU,
	UNMAP_RUN,
	UNMAP_MEMORY,
	DELETE_SLOT,
	NR_ENDINGS,
};

struct parts {
	int kvm, vm, vcpu, file;
	void *run, *mem;
	int run_size;
};

/* Private memory, which the guest's page tables map. */
static void parts_fill_private(struct parts *p)
{
	struct kvm_memory_attributes attributes = {
		.address = GPA,
		.size = SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	struct kvm_pre_fault_memory pre_fault = { .gpa = GPA, .size = SIZE };

	EXPECT_ERRNO(ioctl(p->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes), 0,
		     "to private");
	EXPECT_ERRNO(ioctl(p->vcpu, KVM_PRE_FAULT_MEMORY, &pre_fault), 0,
		     "pre-fault");
}

static void parts_create(struct parts *p)
{
	struct kvm_create_guest_memfd create = {
		.size = SIZE,
		.flags = file_flags(),
	};
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = GPA,
		.memory_size = SIZE,
	};

	p->kvm = open_kvm_dev_path_or_exit();
	p->vm = ioctl(p->kvm, KVM_CREATE_VM, vm_type());
	p->vcpu = ioctl(p->vm, KVM_CREATE_VCPU, 0);
	p->run_size = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	p->run = mmap(NULL, p->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      p->vcpu, 0);
	p->file = ioctl(p->vm, KVM_CREATE_GUEST_MEMFD, &create);
	TEST_ASSERT(p->vm >= 0 && p->vcpu >= 0 && p->run != MAP_FAILED &&
		    p->file >= 0, "the parts of a VM should be there");

	p->mem = private ? map_anonymous(SIZE, SIZE_2M) :
			   gmem_map(p->file, 0, SIZE);
	region.userspace_addr = (uintptr_t)p->mem;
	region.guest_memfd = p->file;
	EXPECT_ERRNO(ioctl(p->vm, KVM_SET_USER_MEMORY_REGION2, &region), 0,
		     "bind");
	if (private)
		parts_fill_private(p);
	else
		stamp_fill(p->mem, GPA, SIZE, SEED);
}

static void parts_end(struct parts *p, enum ending ending)
{
	struct kvm_userspace_memory_region2 region = {};

	switch (ending) {
	case CLOSE_FILE:
		EXPECT_ERRNO(gmem_punch(p->file, 0, PAGE), 0,
			     "punch what is left of the file");
		EXPECT_ERRNO(gmem_allocate(p->file, 0, SIZE), 0,
			     "allocate what is left of the file");
		close(p->file);
		break;
	case CLOSE_VM:
		close(p->vm);
		p->vm = -1;
		break;
	case CLOSE_VCPU:
		close(p->vcpu);
		break;
	case UNMAP_RUN:
		munmap(p->run, p->run_size);
		break;
	case UNMAP_MEMORY:
		munmap(p->mem, SIZE);
		break;
	case DELETE_SLOT:
		if (p->vm >= 0)
			EXPECT_ERRNO(ioctl(p->vm, KVM_SET_USER_MEMORY_REGION2,
					   &region), 0, "delete the slot");
		break;
	default:
		break;
	}
}

/* The n-th order: the digits of n in the factorial number system. */
static void run_order(int n)
{
	enum ending left[NR_ENDINGS];
	struct parts parts;
	int i, pick;

	for (i = 0; i < NR_ENDINGS; i++)
		left[i] = i;
	parts_create(&parts);
	for (i = NR_ENDINGS; i; i--) {
		pick = n % i;
		n /= i;
		parts_end(&parts, left[pick]);
		left[pick] = left[i - 1];
	}
	close(parts.kvm);
}

#define NR_ORDERS	(6 * 5 * 4 * 3 * 2)
#define NR_THREADS	16

static uint64_t orders_start;
static int orders_taken;

/* In steps that mix the orders, as a slow machine does not see all of them. */
static void *run_orders(void *arg)
{
	const int step = 301;
	int i;

	while (now_ms() - orders_start < BUDGET_MS) {
		i = __atomic_fetch_add(&orders_taken, 1, __ATOMIC_RELAXED);
		if (i >= NR_ORDERS)
			break;
		run_order(i * step % NR_ORDERS);
	}
	return NULL;
}

/* The end of a VM is mostly waiting: many wait at once. */
static void test_orders(void)
{
	pthread_t threads[NR_THREADS];
	int i;

	orders_taken = 0;
	orders_start = now_ms();
	for (i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, run_orders, NULL);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%d of %d orders of endings\n", min(orders_taken, NR_ORDERS),
	       NR_ORDERS);
}

/* Descriptors */

static void test_duplicates(void)
{
	struct setup s;
	int copy;

	setup(&s);
	copy = dup(s.area.fd);
	close(s.area.fd);
	expect_intact(&s, GPA, "one of two descriptors closed");
	s.area.fd = copy;
	teardown(&s);
}

/* A vCPU is enough to keep a VM, its slots and their file running. */
static void test_vm_closed_first(void)
{
	struct setup s;

	setup(&s);
	close(s.vm->fd);
	expect_intact(&s, GPA, "VM closed");
	EXPECT_ERRNO(gmem_punch(s.area.fd, 0, PAGE), 0, "punch, VM closed");
	EXPECT_EQ(agent_call(&s.agent, guest_read, GPA), 0,
		  "punched page, VM closed");
	expect_intact(&s, GPA + PAGE, "VM closed, first page punched");
	close(s.area.fd);
	expect_gone(&s, "VM closed, file closed");

	/* The library closes it once more. */
	s.vm->fd = open("/dev/null", O_RDWR);
	close(s.agent.vcpu->fd);
	s.agent.vcpu->fd = open("/dev/null", O_RDWR);
	kvm_vm_release(s.vm);
	munmap(s.area.hva, SIZE);
}

static void test_slot_deleted_first(void)
{
	struct setup s;

	setup(&s);
	vm_delete_slot(s.vm, s.area.slot);
	expect_no_slot(&s, "slot deleted");
	gmem_area_bind(&s.area);
	expect_intact(&s, GPA, "slot deleted, file bound again");
	teardown(&s);
}

/* A file that outlives its VM belongs to no other. */
static void test_file_outlives_vm(void)
{
	struct kvm_vm *other = vm_create_barebones_type(vm_type());
	struct setup s;

	setup(&s);
	kvm_vm_free(s.vm);
	EXPECT_ERRNO(gmem_allocate(s.area.fd, 0, SIZE), 0, "allocate, no VM");
	EXPECT_ERRNO(gmem_punch(s.area.fd, 0, SIZE), 0, "punch, no VM");
	EXPECT_ERRNO(__vm_set_region2(other, 1, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				      s.area.hva, s.area.fd, 0), EINVAL,
		     "bind to another VM");
	close(s.area.fd);
	munmap(s.area.hva, SIZE);
	kvm_vm_free(other);
}

/* Processes */

static int wait_status(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static void child_of_fork(struct setup *s, int wait_fd)
{
	char byte;

	test_restart();
	EXPECT_ERRNO(__vm_create_guest_memfd(s->vm, SIZE, 0), EIO,
		     "use the VM in a forked child");
	EXPECT_ERRNO(__vcpu_run(s->agent.vcpu), EIO,
		     "run the vCPU in a forked child");
	EXPECT_ERRNO(gmem_punch(s->area.fd, 0, PAGE), 0, "punch in a child");
	if (read(wait_fd, &byte, 1) != 1)
		EXPECT(false, "parent should have written a byte");
	_exit(test_verdict());
}

/* The child works on the same file, and keeps it when the parent closes it. */
static void test_fork(void)
{
	int pipes[2], status, ret = pipe(pipes);
	struct setup s;
	pid_t pid;

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("pipe()", ret));
	setup(&s);
	fflush(stdout);
	pid = fork();
	if (!pid)
		child_of_fork(&s, pipes[0]);
	while (agent_call(&s.agent, guest_read, GPA))
		usleep(1000);
	expect_intact(&s, GPA + PAGE, "first page punched by a child");
	close(s.area.fd);
	expect_intact(&s, GPA + PAGE, "file closed, but not by the child");
	ret = write(pipes[1], "", 1);
	TEST_ASSERT(ret == 1, __KVM_SYSCALL_ERROR("write()", ret));
	status = wait_status(pid);
	EXPECT_EQ(status, 0, "wait status of the child");
	expect_gone(&s, "file closed by parent and child");
	close(pipes[0]);
	close(pipes[1]);
	s.area.fd = -1;
	teardown(&s);
}

/* The new program: the descriptor is @present or not, and works. */
static int after_exec(int fd, bool present)
{
	struct stat st;

	EXPECT_ERRNO(fstat(fd, &st), present ? 0 : EBADF, "fstat after exec");
	EXPECT_ERRNO(gmem_punch(fd, 0, PAGE), present ? 0 : EBADF,
		     "punch after exec");
	return test_verdict();
}

static void test_exec(bool keep)
{
	char number[16];
	struct setup s;
	pid_t pid;

	setup(&s);
	fcntl(s.area.fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
	snprintf(number, sizeof(number), "%d", s.area.fd);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl("/proc/self/exe", "after_exec", number,
		      keep ? "kept" : "closed", NULL);
		_exit(127);
	}
	EXPECT_EQ(wait_status(pid), 0, "wait status of the new program");
	expect_intact(&s, keep ? GPA + PAGE : GPA, "after exec");
	if (keep)
		EXPECT_EQ(agent_call(&s.agent, guest_read, GPA), 0,
			  "page punched by the new program");
	teardown(&s);
}

/* A message of one byte, with room for one file. */
struct fd_message {
	char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov;
	struct msghdr hdr;
};

static struct cmsghdr *fd_message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov.iov_base = &m->byte;
	m->iov.iov_len = 1;
	m->hdr.msg_iov = &m->iov;
	m->hdr.msg_iovlen = 1;
	m->hdr.msg_control = m->control;
	m->hdr.msg_controllen = sizeof(m->control);
	return CMSG_FIRSTHDR(&m->hdr);
}

static void send_fd(int sock, int fd)
{
	struct fd_message m;
	struct cmsghdr *cmsg = fd_message_init(&m);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	EXPECT_ERRNO(sendmsg(sock, &m.hdr, 0), 0, "send the file");
}

static int receive_fd(int sock)
{
	struct fd_message m;
	struct cmsghdr *cmsg = fd_message_init(&m);
	int fd = -1;

	if (recvmsg(sock, &m.hdr, 0) == 1 && CMSG_FIRSTHDR(&m.hdr))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	TEST_ASSERT(fd >= 0, "a file should have come");
	return fd;
}

static void guest_spin(uint64_t gpa)
{
	for (;;)
		guest_write(gpa, guest_read(gpa) + 1);
}

/* Owns the VM, passes the file on, and is killed while its guest runs. */
static void owner(int sock)
{
	struct setup s;

	setup(&s);
	send_fd(sock, s.area.fd);
	agent_start(&s.agent, guest_spin, END - PAGE, 0, 0, 0);
	agent_run(&s.agent);
	_exit(1);
}

static void test_owner_killed(void)
{
	struct kvm_vm *other = vm_create_barebones_type(vm_type());
	int socks[2], fd, ret = socketpair(AF_UNIX, SOCK_STREAM, 0, socks);
	struct stat st;
	pid_t pid;

	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("socketpair()", ret));
	fflush(stdout);
	pid = fork();
	if (!pid)
		owner(socks[1]);
	fd = receive_fd(socks[0]);
	usleep(100000);
	EXPECT_ERRNO(fstat(fd, &st), 0, "fstat of a received file");
	EXPECT_EQ(st.st_size, SIZE, "size of a received file");
	EXPECT_ERRNO(gmem_punch(fd, 0, SIZE), 0, "punch under a running guest");
	EXPECT_ERRNO(__vm_set_region2(other, 1, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				      NULL, fd, 0), EINVAL,
		     "bind to the receiver's VM");
	kill(pid, SIGKILL);
	EXPECT_EQ(wait_status(pid), SIGKILL, "wait status of the owner");
	EXPECT_ERRNO(gmem_allocate(fd, 0, SIZE), 0, "allocate, owner gone");
	EXPECT_ERRNO(gmem_punch(fd, PAGE, PAGE), 0, "punch, owner gone");
	close(fd);
	close(socks[0]);
	close(socks[1]);
	kvm_vm_free(other);
}

static void test_all(void)
{
	test_orders();
	test_duplicates();
	test_vm_closed_first();
	test_slot_deleted_first();
	test_file_outlives_vm();
	test_fork();
	test_exec(true);
	test_exec(false);
	test_owner_killed();
}

static void expect_nothing_left(uint64_t unevictable, int nr_vms)
{
	expect_unevictable(unevictable, "at the end");
	if (nr_vms < 0)
		note_skipped("VMs left over: no debugfs");
	else
		EXPECT_EQ(count_vms(), nr_vms, "number of VMs that live");
}

static void test_private(void)
{
	if (!has_private_vm()) {
		note_skipped("private memory: no VM type has it");
		return;
	}
	private = true;
	test_all();
	private = false;
}

static void test_mapped(void)
{
	if ((kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & GMEM_SHARED) !=
	    GMEM_SHARED) {
		note_skipped("host-mapped files: not of this kernel");
		return;
	}
	test_all();
}

int main(int argc, char *argv[])
{
	uint64_t unevictable;
	int nr_vms;

	if (!strcmp(argv[0], "after_exec"))
		return after_exec(atoi(argv[1]), !strcmp(argv[2], "kept"));

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GUEST_MEMFD));
	unevictable = unevictable_kb();
	nr_vms = count_vms();

	test_private();
	test_mapped();
	expect_nothing_left(unevictable, nr_vms);
	return test_verdict();
}
