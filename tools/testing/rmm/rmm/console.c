// SPDX-License-Identifier: GPL-2.0-only
/* Lines of the RMM on the monitor's console, and the end after a fatal one. */
#include "rmm.h"
#include "monitor_abi.h"

static struct spinlock console_lock;

static void console_putc(char c)
{
	if (c == '\n')
		monitor_call(MON_PUTC, '\r');
	monitor_call(MON_PUTC, c);
}

void console_puts(const char *s)
{
	while (*s)
		console_putc(*s++);
}

void console_hex(u64 value)
{
	int shift = 60;

	console_puts("0x");
	while (shift > 0 && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		console_putc("0123456789abcdef"[(value >> shift) & 0xf]);
}

void panic(const char *why)
{
	console_puts("rmm: ");
	console_puts(why);
	console_puts("\n");
	monitor_call(MON_PANIC, 0);
	for (;;)
		;
}

/* name in: x1..x4 out: x0..x3. */
void rmm_port_trace(const char *name, const u64 in[RMM_CALL_REGS], const u64 out[RMM_CALL_REGS])
{
	int i;

	spin_lock(&console_lock);
	console_puts("rmm: ");
	console_puts(name);
	for (i = 1; i < 5; i++) {
		console_puts(" ");
		console_hex(in[i]);
	}
	console_puts(" ->");
	for (i = 0; i < 4; i++) {
		console_puts(" ");
		console_hex(out[i]);
	}
	console_puts("\n");
	spin_unlock(&console_lock);
}
