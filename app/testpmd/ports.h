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
	uint16_t tso_segment_size; /* what mode csum cuts TCP into; 0: nothing */
	bool inserts_vlan;         /* vlan_tci, into what is sent */
	uint16_t vlan_tci;
	/* What the prompt asked for, against the options, whenever the port is configured anew. */
	uint64_t more_rx_offloads, less_rx_offloads;
	uint64_t more_tx_offloads, less_tx_offloads;
	uint16_t mtu; /* 0: by --max-pkt-len */
	bool has_hash;
	uint64_t hash; /* RSS types, where has_hash */
	bool is_picky; /* not promiscuous */
	/* Stopped one by one, until the next start of the port. */
	bool rxq_stopped[RTE_MAX_QUEUES_PER_PORT], txq_stopped[RTE_MAX_QUEUES_PER_PORT];
	struct rte_eth_stats base; /* the driver's counters when the run began */
	bool many_pools;           /* its packets come from, or go to, mbufs of several pools */
	bool configured, started;
	bool renew; /* what the prompt changed takes effect when it is configured anew */
	/* Set once, by the thread that learns that the device went away. */
	bool gone;
	/* Set before that where it was pulled out, rather than given up by its driver; cleared by
	 * the main thread when it has been released. */
	bool pulled;
	bool leaves; /* is to be released next, of hot_plug.c */
};

/* All ports that the program drives, by position, not by id. */
struct ports {
	struct port of[RTE_MAX_ETHPORTS];
	uint16_t count;
	struct pools pools;
	bool secondary; /* another process configures, starts and stops them */
};

/*
 * Takes every available port: reads what it offers, makes the mbuf pools, configures, sets the
 * queues up, starts, sets promiscuous. False on the first failure, which has been printed; then
 * ports_close() undoes what was done.
 */
bool ports_open(struct ports *ports, const struct options *options);

/*
 * Takes a port that appeared, as ports_open() takes those there are at first, but leaves it
 * stopped. Returns it, or NULL; the error has been printed.
 */
struct port *ports_add(struct ports *ports, uint16_t id, const struct options *options);

/* Forgets a port that has been closed. */
void ports_remove(struct ports *ports, struct port *port);

/* Stops one port. False: the driver refused, which has been printed. */
bool port_stop(struct port *port);

/* The driver's counters since the run began. False: it has none. */
bool port_stats(const struct port *port, struct rte_eth_stats *stats);

/* Asks the ports for the queues and rings that the options now have, at their next start. */
bool ports_renew(struct ports *ports, const struct options *options);

/* Configures, when that is due, and starts one port. Its pool must be set. False: the error has
 * been printed. */
bool port_start(struct port *port, const struct options *options);

/* Stops every started port. Afterwards no driver should hold an mbuf. */
void ports_stop(struct ports *ports);

/* Stops and closes all ports. */
void ports_close(struct ports *ports);

/* Throws away what waits in the receive queues, at most one ring's worth for each. */
void ports_flush_rx(struct ports *ports);

/* Sets the counters of drivers to 0, where they can. */
void ports_clear_stats(struct ports *ports);

/* From here on port_stats() counts. */
void ports_begin_stats(struct ports *ports);

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
