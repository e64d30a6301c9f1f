/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_OPTIONS_H
#define TESTPMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <rte_ether.h>

#define MAX_BURST   512U
#define MAX_TX_SEGS 255U

struct fwd_mode;

enum port_topology {
	TOPOLOGY_PAIRED,
	TOPOLOGY_CHAINED,
	TOPOLOGY_LOOP,
};

/* The segments of a frame that this program makes: lengths in bytes, without CRC. */
struct tx_segments {
	uint16_t count;
	uint16_t length[MAX_TX_SEGS];
};

struct peer_addresses {
	struct rte_ether_addr of_port[RTE_MAX_ETHPORTS];
	bool given[RTE_MAX_ETHPORTS];
};

/* Every option in force. Filled in once, by options_parse(), constant afterwards. */
struct options {
	const struct fwd_mode *mode;
	enum port_topology topology;
	bool auto_start;
	bool tx_first;
	bool no_flush_rx;
	bool enable_scatter;
	bool record_core_cycles;
	bool record_burst_stats;
	uint32_t nb_cores;
	uint32_t rxq, txq;
	uint32_t rxd, txd;        /* 0: the driver's default */
	uint32_t burst;           /* 0: the driver's default */
	uint32_t mbuf_size;       /* bytes, headroom included */
	uint32_t total_num_mbufs; /* per pool; 0: as many as the rings and caches need */
	uint32_t mbcache;
	uint32_t max_pkt_len; /* bytes, L2 overhead included; 0: the driver's default MTU */
	double stats_period;  /* seconds; 0: none */
	double duration;      /* seconds; 0: no limit */
	uint64_t packets;     /* 0: no limit */
	uint64_t rx_offloads, tx_offloads;
	struct tx_segments txpkts;
	struct peer_addresses peers;
	const char *json;
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP, /* help was asked for, and printed */
	OPTIONS_BAD,  /* the error has been printed */
};

/*
 * Reads the application's own arguments (those after "--", with the program's name in argv[0])
 * into *options, over the defaults. Strings in *options point into argv.
 */
enum options_result options_parse(struct options *options, int argc, char **argv);

/* Prints the help for every option, with its default, in the order of the table. */
void options_usage(FILE *out);

/* All options in force as a JSON object, by option name; NULL when out of memory. */
json_t *options_json(const struct options *options);

/* True when the streams make frames of their own, be it only the first ones. */
bool options_make_frames(const struct options *options);

/* Sum of the segment lengths in bytes. */
uint32_t tx_segments_total(const struct tx_segments *segments);

#endif
