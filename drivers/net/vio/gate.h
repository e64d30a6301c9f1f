/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate of a queue: control code closes it, waits until the polling thread is outside of the
 * burst function, and then owns the queue, though the application may go on polling: bursts find
 * the gate closed and do nothing.
 *
 * The poller pays two plain stores and a load a burst, and no fence: it marks itself inside, then
 * looks whether the gate is open. Control closes the gate, makes the kernel run a full barrier on
 * every CPU that runs one of these threads (membarrier(2)), and then looks at the mark. Whatever
 * the order in which the two memory accesses of the poller take effect, one side sees the other's
 * store: either the poller's mark is visible after that barrier, or its look comes after it and
 * finds the gate closed.
 *
 * Where the kernel has no membarrier(2), gates are opened as FENCED: the poller then runs a fence
 * of its own in each burst, and nothing else changes.
 *
 * A gate may lie in memory that processes share. Each process whose threads poll calls
 * vio_gate_init() first.
 */
#ifndef VIO_PMD_GATE_H
#define VIO_PMD_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

/* A gate of zeroes is closed. */
enum vio_gate_state { VIO_GATE_CLOSED, VIO_GATE_OPEN, VIO_GATE_FENCED };

struct vio_gate {
	uint32_t inside;   /* is the polling thread in a burst? 0, or its process's vio_gate_mark */
	uint32_t state;    /* enum vio_gate_state; written by control alone */
	uint32_t visitors; /* other threads that look at the queue; changed atomically */
	uint32_t guest;    /* the same of a secondary process, its id: one at a time, or 0 */
};

/* 1, or in a secondary process its id: one that ended in a burst is not waited for. */
extern uint32_t vio_gate_mark __attribute__((visibility("hidden")));

/* Enters this process in the kernel's list of those that need barriers; as often as one likes.
 * Returns 0, or a negative errno value where the kernel has no such list: gates are FENCED then,
 * and a secondary process must not poll gates that are OPEN. */
int vio_gate_init(void);

/* Opens the gate. All that control did before is visible to whoever enters. */
void vio_gate_open(struct vio_gate *gate);
/* No burst that begins after vio_gates_barrier() gets in. */
static inline void
vio_gate_shut(struct vio_gate *gate)
{
	__atomic_store_n(&gate->state, VIO_GATE_CLOSED, __ATOMIC_RELAXED);
}

/* For control, under its lock: only control opens and closes. */
static inline bool
vio_gate_is_closed(const struct vio_gate *gate)
{
	return __atomic_load_n(&gate->state, __ATOMIC_RELAXED) == VIO_GATE_CLOSED;
}

/* Between vio_gate_shut() and vio_gate_wait(), once for all gates. */
void vio_gates_barrier(void);

/* Waits, until rte_get_timer_cycles() reaches end, for everybody to leave the closed gate. Returns
 * 0, or -ETIMEDOUT where a thread is inside still. */
int vio_gate_wait(const struct vio_gate *gate, uint64_t end);
/* All three for one gate, waiting at most timeout_ms. */
int vio_gate_close(struct vio_gate *gate, unsigned timeout_ms);

bool vio_gate_enter_fenced(struct vio_gate *gate);

/* The polling thread, before it touches the queue. Where this is false it must not touch it, and is
 * outside. */
static inline bool
vio_gate_enter(struct vio_gate *gate)
{
	__atomic_store_n(&gate->inside, vio_gate_mark, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (likely(__atomic_load_n(&gate->state, __ATOMIC_ACQUIRE) == VIO_GATE_OPEN))
		return true;
	return vio_gate_enter_fenced(gate);
}

static inline void
vio_gate_leave(struct vio_gate *gate)
{
	__atomic_store_n(&gate->inside, 0, __ATOMIC_RELEASE);
}

/* The same for threads that may not be the polling one, at the cost of an atomic operation. A
 * secondary process may end in there, so it leaves its name. */
bool vio_gate_visit_as_guest(struct vio_gate *gate);

static inline bool
vio_gate_visit(struct vio_gate *gate)
{
	if (unlikely(vio_gate_mark != 1))
		return vio_gate_visit_as_guest(gate);
	__atomic_fetch_add(&gate->visitors, 1, __ATOMIC_SEQ_CST);
	if (likely(__atomic_load_n(&gate->state, __ATOMIC_SEQ_CST) != VIO_GATE_CLOSED))
		return true;
	__atomic_fetch_sub(&gate->visitors, 1, __ATOMIC_RELEASE);
	return false;
}

static inline void
vio_gate_end_visit(struct vio_gate *gate)
{
	if (unlikely(vio_gate_mark != 1))
		__atomic_store_n(&gate->guest, 0, __ATOMIC_RELEASE);
	else
		__atomic_fetch_sub(&gate->visitors, 1, __ATOMIC_RELEASE);
}

#endif
