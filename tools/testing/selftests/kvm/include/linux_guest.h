/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMM that boots Linux: what its parts know of each other.
 *
 * guest_memfd_linux.c has the memory and the threads, linux_guest/uart.c the
 * serial ports, and each architecture the rest: how the kernel is loaded, what
 * the board looks like, and what an exit means.
 */
#ifndef SELFTEST_KVM_LINUX_GUEST_H
#define SELFTEST_KVM_LINUX_GUEST_H

#include <pthread.h>

#include "guest_memfd.h"

#define LINUX_MAX_CPUS	16

/*
 * A 16550 without a receiver: what the guest sends goes to @line, line by line.
 * Its registers are those of linux/serial_reg.h.
 */
struct linux_uart {
	pthread_mutex_t lock;
	struct kvm_vm *vm;
	uint32_t irq;		/* as KVM_IRQ_LINE has it */
	bool irq_level;
	bool thr_empty;		/* an interrupt that the guest has not seen */
	uint8_t ier, fcr, lcr, mcr, scr;
	uint8_t divisor[2];
	void (*line)(const char *text);
	char text[256];
	size_t len;
};

void linux_uart_init(struct linux_uart *uart, struct kvm_vm *vm, uint32_t irq);
uint8_t linux_uart_read(struct linux_uart *uart, uint8_t reg);
void linux_uart_write(struct linux_uart *uart, uint8_t reg, uint8_t value);

struct linux_guest {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[LINUX_MAX_CPUS];
	int nr_cpus;
	char *ram;		/* all of it, in the order of the guest */
	uint64_t ram_size;
	uint64_t shared_size;	/* what follows is private, if anything does */
	struct linux_uart console;	/* the guest's ttyS0 */
	struct linux_uart report;	/* the guest's ttyS1: what init has to say */
};

/* A file of the host, read whole. */
struct linux_file {
	const char *path;
	char *data;
	size_t size;
};

/* Where the guest's RAM begins, and the most there may be of it. */
extern const uint64_t linux_ram_base;
extern const uint64_t linux_ram_max;

/* What the architecture and its board need on the guest's command line. */
extern const char * const linux_arch_args;

/* How far into RAM a kernel reaches while it starts. */
uint64_t linux_kernel_end(const struct linux_file *kernel);

/* Before there are vCPUs: serial ports, and what else cannot come after them. */
void linux_create_board(struct linux_guest *guest);

/* Puts the kernel into RAM and readies the vCPUs for it. */
void linux_load(struct linux_guest *guest, const struct linux_file *kernel,
		const struct linux_file *initrd, const char *args);

/* Serves an exit of KVM_RUN; true if the guest has ended. */
bool linux_exit(struct linux_guest *guest, struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_LINUX_GUEST_H */
