// SPDX-License-Identifier: GPL-2.0-only
/*
 * As much of a 16550 as Linux's 8250 driver needs to send.
 *
 * The transmitter is always empty. Its interrupt rises with each byte that is
 * sent and when the guest enables it, and falls when the guest has read from
 * IIR that it is pending.
 */
#include <linux/serial_reg.h>

#include "linux_guest.h"

/* Leaves who is to get the lines as it is. */
void linux_uart_init(struct linux_uart *uart, struct kvm_vm *vm, uint32_t irq)
{
	*uart = (struct linux_uart) { .vm = vm, .irq = irq, .line = uart->line };
	pthread_mutex_init(&uart->lock, NULL);
}

static void update_irq(struct linux_uart *uart)
{
	bool level = uart->thr_empty && (uart->ier & UART_IER_THRI) &&
		     (uart->mcr & UART_MCR_OUT2);

	if (level == uart->irq_level)
		return;

	uart->irq_level = level;
	kvm_irq_line(uart->vm, uart->irq, level);
}

static void send(struct linux_uart *uart, char c)
{
	uart->thr_empty = true;
	if (c == '\r')
		return;

	if (c != '\n')
		uart->text[uart->len++] = c;
	if (c == '\n' || uart->len == sizeof(uart->text) - 1) {
		uart->text[uart->len] = '\0';
		uart->len = 0;
		uart->line(uart->text);
	}
}

static uint8_t read_iir(struct linux_uart *uart)
{
	uint8_t fifo = uart->fcr & UART_FCR_ENABLE_FIFO ? 0xc0 : 0;

	if (!uart->thr_empty || !(uart->ier & UART_IER_THRI))
		return fifo | UART_IIR_NO_INT;

	uart->thr_empty = false;
	return fifo | UART_IIR_THRI;
}

static uint8_t read_reg(struct linux_uart *uart, uint8_t reg)
{
	if (reg < 2 && (uart->lcr & UART_LCR_DLAB))
		return uart->divisor[reg];

	switch (reg) {
	case UART_IER:
		return uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return UART_LSR_THRE | UART_LSR_TEMT;
	case UART_MSR:
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	case UART_SCR:
		return uart->scr;
	}
	return 0;
}

static void write_reg(struct linux_uart *uart, uint8_t reg, uint8_t value)
{
	if (reg < 2 && (uart->lcr & UART_LCR_DLAB)) {
		uart->divisor[reg] = value;
		return;
	}

	switch (reg) {
	case UART_TX:
		send(uart, value);
		break;
	case UART_IER:
		if (value & ~uart->ier & UART_IER_THRI)
			uart->thr_empty = true;
		uart->ier = value & 0xf;
		break;
	case UART_FCR:
		uart->fcr = value;
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value;
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	}
}

uint8_t linux_uart_read(struct linux_uart *uart, uint8_t reg)
{
	uint8_t value;

	pthread_mutex_lock(&uart->lock);
	value = read_reg(uart, reg);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return value;
}

void linux_uart_write(struct linux_uart *uart, uint8_t reg, uint8_t value)
{
	pthread_mutex_lock(&uart->lock);
	write_reg(uart, reg, value);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
}
