/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes one call fail. Every call of the code under test that can fail (an allocation, an operation
 * of the transport, an interrupt) has a number, counted from 1 on:
 *
 *     for (unsigned k = 1;; k++) {
 *             inject_at(k);
 *             ... the code under test, with its error handled ...
 *             if (inject_failed() == NULL)
 *                     break;               // there is no k-th call
 *     }
 */
#ifndef PMD_INJECT_H
#define PMD_INJECT_H

#include <stdbool.h>
#include <stdint.h>

struct rte_memzone;

/* Counts from the beginning again, and lets the k-th call fail, once; 0: none. */
void inject_at(unsigned k);
/* What the call that failed since was for, or NULL. */
const char *inject_failed(void);
/* Counts one call. True: it is to fail. For whatever stands in for something that can. */
bool inject_now(const char *what);
/* The error that operations of the transport fail with: -EIO unless set. */
extern int inject_error;

/* Allocations and reservations that were made and not freed. */
unsigned seam_blocks(void);
unsigned seam_zones(void);
/* Zones and queues come from EAL, not from the C library: for a peer that maps EAL's memory. */
extern bool seam_memory_is_eal;
/* What remains of zones' device addresses: for a device that understands no others and is shown
 * none. */
extern uint64_t seam_iova_mask;
/* Those that the last zone was asked for with. */
extern unsigned seam_zone_flags;
/* The turn of a peer behind a socket, while the driver waits for it. */
extern void (*seam_peer_turn)(void);
/* Told of each memory zone that comes, and of each before it goes. */
extern void (*seam_zone_made)(const struct rte_memzone *mz);
extern void (*seam_zone_freed)(const struct rte_memzone *mz);

/* The interrupt that the driver has registered for comes now. False: it has for none. */
bool seam_interrupt(void);
/* Whether it has registered for one, and whether it asked for interrupts to be switched on. */
bool seam_interrupt_registered(void);
bool seam_interrupts_on(void);
/* Whether they are on although nobody takes them. */
bool seam_interrupts_left_on(void);
/* The interrupt thread's turn, while another thread waits for it to be out of a callback. */
extern void (*seam_unregistering)(void);

/* The alarm that is due first goes off now: time passes until then. False: none is set. */
bool seam_alarm(void);
/* All that are due within so many microseconds from now, those included that are set on the way. A
 * port that is watched (watch.h) sets one each second. Fails the test where there is no end. */
void seam_alarms_within(uint64_t us);
/* None can be set any more. */
extern bool seam_no_alarms;
/* How many are set. */
unsigned seam_alarms(void);

/* Microseconds since the program began: they pass where the driver waits. Called whenever it
 * sleeps, after the time has passed. */
extern uint64_t seam_now_us;
extern void (*seam_slept)(void);

#endif
