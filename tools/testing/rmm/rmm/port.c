// SPDX-License-Identifier: GPL-2.0-only
/* What the core needs of memory: access to granules, their space, the lock, stage 2 TLBs. */
#include "rmm.h"
#include "monitor_abi.h"
#include "sysreg.h"

static struct spinlock core_lock;

/* All RAM is mapped in both spaces. */
void *rmm_port_map(u64 pa, enum rmm_pas pas)
{
	return (void *)(uintptr_t)(pas == RMM_PAS_NS ? pa | NS_ALIAS : pa);
}

void rmm_port_unmap(void *va)
{
	(void)va;
}

bool rmm_port_is_ns(u64 pa)
{
	return monitor_call(MON_IS_NS, pa);
}

void rmm_port_delegate(u64 pa)
{
	if (monitor_call(MON_DELEGATE, pa) != MON_OK)
		panic("the monitor refuses to delegate");
}

void rmm_port_undelegate(u64 pa)
{
	if (monitor_call(MON_UNDELEGATE, pa) != MON_OK)
		panic("the monitor refuses to undelegate");
}

void rmm_port_lock(void)
{
	spin_lock(&core_lock);
}

void rmm_port_unlock(void)
{
	spin_unlock(&core_lock);
}
