/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_PORTS_H
#define TESTPMD_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>

#include "options.h"
#include "pools.h"

struct port {
	uint16_t id;
	uint16_t nb_rxq, nb_txq;
	uint16_t rxd, txd; /* asked of the driver, never 0 */
	uint64_t rx_offloads, tx_offloads;
	struct rte_mempool *pool;
	struct rte_ether_addr mac;
	char name[RTE_ETH_NAME_MAX_LEN];
	char driver[RTE_ETH_NAME_MAX_LEN];
	struct rte_eth_dev_info info;
	bool configured, started;
	/* Set once, by the thread that learns that the device went away. */
	bool gone;
};

/* All ports that the program drives, by position, not by id. */
struct ports {
	struct port of[RTE_MAX_ETHPORTS];
	uint16_t count;
	struct pools pools;
};

/*
 * Takes every available port: reads what it offers, makes the mbuf pools, configures, sets the
 * queues up, starts, sets promiscuous. False on the first failure, which has been printed; then
 * ports_close() undoes what was done.
 */
bool ports_open(struct ports *ports, const struct options *options);

/* Configures and starts one port. Its pool must be set. False: the error has been printed. */
bool port_start(struct port *port, const struct options *options);

/* Stops every started port. Afterwards no driver should hold an mbuf. */
void ports_stop(struct ports *ports);

/* Stops and closes all ports. */
void ports_close(struct ports *ports);

/* Throws away what waits in the receive queues, at most one ring's worth for each. */
void ports_flush_rx(struct ports *ports);

/* Sets the counters of drivers to 0, where they can. */
void ports_clear_stats(struct ports *ports);

/* True when every port that is not gone has its link up. */
bool ports_links_up(const struct ports *ports);

/* The port with that ethdev id, or NULL. */
struct port *ports_find(struct ports *ports, uint16_t id);

static inline bool
port_is_gone(const struct port *port)
{
	return __atomic_load_n(&port->gone, __ATOMIC_RELAXED);
}

#endif
