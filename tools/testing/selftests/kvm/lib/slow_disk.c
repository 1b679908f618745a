// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk whose transfers take as long as the test wants: the server's side of a
 * network block device, over a pair of sockets.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "slow_disk.h"
#include "test_util.h"

#define NR_DEVICES	16
#define DISK_BLOCK	4096
#define READY_MS	5000

static struct {
	int fd, kernel_end, server_end;
	void *data;
	size_t size;
	bool hold;
	sem_t held, go_on;
	pthread_t kernel, server;
} disk;

static bool receive(void *buf, size_t len)
{
	return recv(disk.server_end, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static void reply(const struct nbd_request *request)
{
	struct nbd_reply reply = { .magic = htobe32(NBD_REPLY_MAGIC) };

	memcpy(reply.handle, request->handle, sizeof(reply.handle));
	send(disk.server_end, &reply, sizeof(reply), MSG_NOSIGNAL);
}

static void hold_up(void)
{
	if (!__atomic_exchange_n(&disk.hold, false, __ATOMIC_SEQ_CST))
		return;
	sem_post(&disk.held);
	sem_wait(&disk.go_on);
}

/* False if it is the last one. */
static bool serve(const struct nbd_request *request)
{
	uint64_t from = be64toh(request->from);
	uint32_t len = be32toh(request->len);

	TEST_ASSERT(be32toh(request->magic) == NBD_REQUEST_MAGIC &&
		    from + len <= disk.size,
		    "request should be one of a disk of %#lx bytes, is [%#lx, +%#x)",
		    disk.size, from, len);
	switch (be32toh(request->type)) {
	case NBD_CMD_READ:
		hold_up();
		reply(request);
		send(disk.server_end, disk.data + from, len, MSG_NOSIGNAL);
		return true;
	case NBD_CMD_WRITE:
		hold_up();
		if (!receive(disk.data + from, len))
			return false;
		reply(request);
		return true;
	default:
		return false;
	}
}

static void *run_server(void *unused)
{
	struct nbd_request request;

	while (receive(&request, sizeof(request)) && serve(&request))
		;
	shutdown(disk.server_end, SHUT_RDWR);
	return NULL;
}

static void *run_kernel(void *unused)
{
	ioctl(disk.fd, NBD_DO_IT);
	return NULL;
}

/* The first device that no one uses. */
static void take_device(void)
{
	char path[32];
	int i;

	for (i = 0; i < NR_DEVICES; i++) {
		snprintf(path, sizeof(path), "/dev/nbd%d", i);
		disk.fd = open(path, O_RDWR | O_DIRECT);
		if (disk.fd < 0)
			continue;
		if (!ioctl(disk.fd, NBD_SET_SOCK, disk.kernel_end))
			return;
		close(disk.fd);
	}
	__TEST_REQUIRE(false,
		       "no free /dev/nbdN: needs CONFIG_BLK_DEV_NBD and root");
}

static void wait_until_ready(void)
{
	uint64_t size = 0;
	int ms;

	for (ms = 0; ms < READY_MS && size != disk.size; ms++) {
		usleep(1000);
		ioctl(disk.fd, BLKGETSIZE64, &size);
	}
	TEST_ASSERT(size == disk.size,
		    "disk should become %#lx bytes, is %#lx, errno %d",
		    disk.size, size, errno);
}

int slow_disk_open(void *data, size_t size)
{
	int ends[2], little = 1, ret;

	ret = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	TEST_ASSERT(!ret, "socketpair() should work, errno %d", errno);
	disk.kernel_end = ends[0];
	disk.server_end = ends[1];
	disk.data = data;
	disk.size = size;
	sem_init(&disk.held, 0, 0);
	sem_init(&disk.go_on, 0, 0);

	/* What the disk has not received is to be in the pages still. */
	setsockopt(disk.kernel_end, SOL_SOCKET, SO_SNDBUF, &little,
		   sizeof(little));
	take_device();
	ret = ioctl(disk.fd, NBD_SET_BLKSIZE, DISK_BLOCK) ||
	      ioctl(disk.fd, NBD_SET_SIZE, size);
	TEST_ASSERT(!ret, "disk should take its size, errno %d", errno);
	pthread_create(&disk.server, NULL, run_server, NULL);
	pthread_create(&disk.kernel, NULL, run_kernel, NULL);
	wait_until_ready();
	return disk.fd;
}

void slow_disk_close(void)
{
	ioctl(disk.fd, NBD_DISCONNECT);
	pthread_join(disk.server, NULL);
	pthread_join(disk.kernel, NULL);
	close(disk.fd);
	close(disk.kernel_end);
	close(disk.server_end);
}

void slow_disk_hold(void)
{
	__atomic_store_n(&disk.hold, true, __ATOMIC_SEQ_CST);
}

void slow_disk_wait_held(void)
{
	sem_wait(&disk.held);
}

void slow_disk_let_go(void)
{
	sem_post(&disk.go_on);
}
