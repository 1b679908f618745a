// SPDX-License-Identifier: GPL-2.0-only
/* The port of the SNP model in a kernel: locks, memory, CPUID, the log. */
#define pr_fmt(fmt) "SEV-SNP model: " fmt

#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <asm/processor.h>

#include "snp_port.h"

static DEFINE_RAW_SPINLOCK(rmp_lock);
/* Of who holds the lock. */
static unsigned long rmp_lock_flags;
static DEFINE_MUTEX(fw_lock);

void snpm_port_rmp_lock(void) __acquires(&rmp_lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&rmp_lock, flags);
	rmp_lock_flags = flags;
}

void snpm_port_rmp_unlock(void) __releases(&rmp_lock)
{
	unsigned long flags = rmp_lock_flags;

	raw_spin_unlock_irqrestore(&rmp_lock, flags);
}

void snpm_port_fw_lock(void)
{
	mutex_lock(&fw_lock);
}

void snpm_port_fw_unlock(void)
{
	mutex_unlock(&fw_lock);
}

struct mapping {
	struct work_struct work;
	struct page *page;
	void *va;
};

static void map_page(struct work_struct *work)
{
	struct mapping *m = container_of(work, struct mapping, work);

	m->va = vm_map_ram(&m->page, 1, NUMA_NO_NODE);
}

/*
 * The page may have left the direct map, so it gets a mapping of its own.  The
 * firmware has all memory at hand: what fails on purpose, for the task that waits
 * for it, is tried by another.
 */
void *snpm_port_map(u64 spa)
{
	struct mapping m = { .page = pfn_to_online_page(PHYS_PFN(spa)) };

	if (!m.page)
		return NULL;
	map_page(&m.work);
	if (m.va || oops_in_progress)
		return m.va;

	INIT_WORK_ONSTACK(&m.work, map_page);
	queue_work(system_unbound_wq, &m.work);
	flush_work(&m.work);
	destroy_work_on_stack(&m.work);
	return m.va;
}

void snpm_port_unmap(void *va)
{
	vm_unmap_ram(va, 1);
}

/* There is no SYSCFG to look at: the model is on when it is there. */
bool snpm_port_snp_enabled(void)
{
	return true;
}

enum snpm_port_status snpm_port_random(void *to, size_t size)
{
	get_random_bytes(to, size);
	return SNPM_PORT_OK;
}

void snpm_port_cpuid(u32 function, u32 index, u32 out[4])
{
	cpuid_count(function, index, &out[0], &out[1], &out[2], &out[3]);
}

void snpm_port_unmodelled(u32 command, const char *what)
{
	pr_warn_ratelimited("not modelled: %s, asked for by command 0x%x\n",
			    what, command);
}
