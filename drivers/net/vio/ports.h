/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which ports this process has, for threads that are neither the application's nor the driver's and
 * come at any time: telemetry, and messages of secondary processes. A port that such a thread holds
 * is not closed meanwhile.
 */
#ifndef VIO_PMD_PORTS_H
#define VIO_PMD_PORTS_H

#include <stdint.h>

struct rte_eth_dev;

void vio_ports_enter(struct rte_eth_dev *dev);
/* Waits for whoever holds the port; afterwards nobody does. Without the port's lock. Twice is once.
 */
void vio_ports_leave(const struct rte_eth_dev *dev);

/* The port of this number, or NULL; to be let go only where it is not. */
struct rte_eth_dev *vio_ports_hold(uint16_t id);
void vio_ports_let_go(void);

#endif
