/* SPDX-License-Identifier: BSD-3-Clause */
/* The place that a CPU can sleep on (umwait and the like) until a queue has received something. */
#include <errno.h>

#include "port.h"
#include "rx.h"

enum { MASK, VALUE, UNEQUAL, WAITS };

/* Below 0: do not fall asleep, or wake. value is what stands at the place. */
static int
something_came(const uint64_t value, const uint64_t opaque[RTE_POWER_MONITOR_OPAQUE_SZ])
{
	bool equal = (value & opaque[MASK]) == opaque[VALUE];

	return opaque[WAITS] != 0 || equal != (opaque[UNEQUAL] != 0) ? -1 : 0;
}

int
vio_get_monitor_addr(void *queue, struct rte_power_monitor_cond *condition)
{
	struct vio_rxq *q = queue;
	struct vq_monitor monitor;
	bool waits;

	if (!vio_rx_monitor(q, &monitor, &waits))
		return -EIO;
	*condition = (struct rte_power_monitor_cond){
		.addr = (volatile void *)(uintptr_t)monitor.addr,
		.size = sizeof(*monitor.addr),
		.fn = something_came,
		.opaque = {
			[MASK] = monitor.mask,
			[VALUE] = monitor.value,
			[UNEQUAL] = monitor.unequal,
			[WAITS] = waits,
		},
	};
	return 0;
}
