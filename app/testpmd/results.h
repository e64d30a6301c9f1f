/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_RESULTS_H
#define TESTPMD_RESULTS_H

#include "run.h"
#include "verify_result.h"

struct bench;
struct search;

/* All that a run has to tell, gathered once, read by the report and by the JSON. */

struct queue_result {
	uint16_t ring;                  /* descriptors, as the driver says, else as asked for */
	bool has_mode;                  /* false: the driver does not tell */
	struct rte_eth_burst_mode mode; /* its words on the path that it took */
	uint64_t packets, bytes;
	bool bytes_known;     /* false: left to the driver, which does not tell */
	uint64_t dropped;     /* transmit only */
	uint64_t no_mbufs;    /* transmit only */
	const uint64_t *fill; /* [MAX_BURST + 1], NULL unless recorded or not polled */
};

struct xstat_result {
	char name[RTE_ETH_XSTATS_NAME_SIZE];
	uint64_t value;
};

struct port_result {
	const struct port *port;
	bool gone;
	struct rte_eth_link link;
	uint16_t mtu;
	bool has_stats;
	struct rte_eth_stats stats;
	struct queue_result *rx, *tx; /* port->nb_rxq and port->nb_txq of them */
	struct xstat_result *xstats;  /* those that are not 0 */
	uint32_t xstats_count;
	char *dump; /* of the driver, lines; NULL when it has none */
};

struct results {
	const struct options *options;
	const struct run *run;
	const struct lcores *lcores;
	struct port_result *ports;
	uint16_t ports_count;
	bool has_verify;
	struct verify_result verify;
	struct stream_counters all;
	bool rx_bytes_known, tx_bytes_known;
	const struct bench *bench;   /* NULL unless measured runs were asked for */
	const struct search *search; /* NULL unless asked for */
	bool mbufs_counted;
	/* That no pool had back once the ports were stopped, and once they were closed. */
	uint32_t mbufs_missing, mbufs_missing_closed;
};

/* Asks drivers and streams, while the run goes on or after it, before the ports are stopped. */
bool results_gather(struct results *results, const struct run *run);
void results_free(struct results *results);

#endif
