// SPDX-License-Identifier: GPL-2.0-only
/* The monitor's console: the secure UART, QEMU's second serial port. */
#include "monitor.h"
#include "sysreg.h"

#define UART_DR		0x00
#define UART_FR		0x18
#define UART_FR_TXFF	BIT(5)
#define UART_CR		0x30
#define UART_CR_ENABLE	0x301

void console_init(void)
{
	mmio_write(SECURE_UART_BASE + UART_CR, UART_CR_ENABLE);
}

void console_putc(char c)
{
	while (mmio_read(SECURE_UART_BASE + UART_FR) & UART_FR_TXFF)
		;
	mmio_write(SECURE_UART_BASE + UART_DR, c);
}

void console_puts(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			console_putc('\r');
		console_putc(*s);
	}
}

void console_hex(u64 value)
{
	int shift;

	console_puts("0x");
	for (shift = 60; shift >= 0; shift -= 4)
		console_putc("0123456789abcdef"[(value >> shift) & 0xf]);
}

void panic(const char *why)
{
	console_puts("monitor: ");
	console_puts(why);
	console_puts(", machine off\n");
	system_off();
}
