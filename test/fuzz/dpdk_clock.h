/* SPDX-License-Identifier: BSD-3-Clause */
/* Included before each file of the driver: its waits ask this clock, and while it sleeps the device
 * of the target has its turn. */
#ifndef FUZZ_DPDK_CLOCK_H
#define FUZZ_DPDK_CLOCK_H

#include <stdint.h>

#include <rte_alarm.h>
#include <rte_cycles.h>

uint64_t fuzz_cycles(void);
uint64_t fuzz_hz(void);
void fuzz_sleep(unsigned us);
/* Alarms go off when the target says so, on its own thread. */
int fuzz_alarm_set(uint64_t us, rte_eal_alarm_callback callback, void *arg);
int fuzz_alarm_cancel(rte_eal_alarm_callback callback, void *arg);

#define rte_get_timer_cycles fuzz_cycles
#define rte_get_timer_hz     fuzz_hz
#define rte_delay_us_sleep   fuzz_sleep
#define rte_eal_alarm_set    fuzz_alarm_set
#define rte_eal_alarm_cancel fuzz_alarm_cancel

#endif
