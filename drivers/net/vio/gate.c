/* SPDX-License-Identifier: BSD-3-Clause */
#include "gate.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "deadline.h"

/* A burst takes microseconds, unless its thread is off the CPU, which this one may be on. */
#define WAIT_STEP_US 20

/* Global rather than private: the barrier reaches the registered threads of secondary processes,
 * too. */
static int
membarrier(int command)
{
	return syscall(__NR_membarrier, command, 0, 0) < 0 ? -errno : 0;
}

/* 0 or what vio_gate_init() returned last. */
static int registered = -ENOSYS;

int
vio_gate_init(void)
{
	registered = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
	return registered;
}

void
vio_gate_open(struct vio_gate *gate)
{
	__atomic_store_n(&gate->state, registered == 0 ? VIO_GATE_OPEN : VIO_GATE_FENCED,
			 __ATOMIC_RELEASE);
}

void
vio_gates_barrier(void)
{
	/* Its own fence orders this thread's stores and loads in either case. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (registered == 0)
		membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

uint32_t vio_gate_mark = 1;

/* Is the thread that left this mark still there? */
static bool
is_alive(uint32_t mark)
{
	return mark == 1 || kill((pid_t)mark, 0) == 0 || errno != ESRCH;
}

static bool
is_held(const uint32_t *mark)
{
	uint32_t holder = __atomic_load_n(mark, __ATOMIC_ACQUIRE);

	return holder != 0 && is_alive(holder);
}

static bool
is_occupied(const struct vio_gate *gate)
{
	return is_held(&gate->inside) || is_held(&gate->guest) ||
	       __atomic_load_n(&gate->visitors, __ATOMIC_ACQUIRE) != 0;
}

int
vio_gate_wait(const struct vio_gate *gate, uint64_t end)
{
	while (is_occupied(gate)) {
		if (rte_get_timer_cycles() >= end)
			return -ETIMEDOUT;
		rte_delay_us_sleep(WAIT_STEP_US);
	}
	return 0;
}

int
vio_gate_close(struct vio_gate *gate, unsigned timeout_ms)
{
	uint64_t end = vio_deadline(timeout_ms);

	vio_gate_shut(gate);
	vio_gates_barrier();
	return vio_gate_wait(gate, end);
}

/* A visit takes less than a microsecond: who waits for so many looks waits for one that was
 * suspended. */
#define GUEST_LOOKS 10000

static bool
take_guest_place(struct vio_gate *gate)
{
	for (unsigned i = 0; i < GUEST_LOOKS; i++) {
		uint32_t other = __atomic_load_n(&gate->guest, __ATOMIC_RELAXED);

		if ((other == 0 || (i % 1000 == 999 && !is_alive(other))) &&
		    __atomic_compare_exchange_n(&gate->guest, &other, vio_gate_mark, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return true;
		rte_pause();
	}
	return false;
}

bool
vio_gate_visit_as_guest(struct vio_gate *gate)
{
	if (!take_guest_place(gate))
		return false;
	if (__atomic_load_n(&gate->state, __ATOMIC_SEQ_CST) != VIO_GATE_CLOSED)
		return true;
	__atomic_store_n(&gate->guest, 0, __ATOMIC_RELEASE);
	return false;
}

/* The gate is closed, or wants the fence. */
__rte_noinline bool
vio_gate_enter_fenced(struct vio_gate *gate)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&gate->state, __ATOMIC_ACQUIRE) != VIO_GATE_CLOSED)
		return true;
	vio_gate_leave(gate);
	return false;
}
