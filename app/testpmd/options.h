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

enum verify_role {
	VERIFY_ROLE_BOTH,
	VERIFY_ROLE_SEND,
	VERIFY_ROLE_RECEIVE,
};

/* What each port sends: packets, or bits of frames without CRC, per second. 0: as fast as it can.
 */
struct rate {
	double value;
	bool bits;
};

#define MAX_FRAME_SIZES 32U

/* Frame sizes in bytes, with CRC, as RFC 2544 has them. */
struct frame_sizes {
	uint16_t count;
	uint16_t of[MAX_FRAME_SIZES];
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

/* Every option in force. Filled in by options_parse(); the prompt changes some between runs. */
struct options {
	const struct fwd_mode *mode;
	enum port_topology topology;
	enum verify_role verify_role;
	bool interactive;
	bool auto_start;
	bool tx_first;
	bool no_flush_rx;
	bool hot_plug;
	bool enable_scatter;
	bool enable_rx_cksum;
	bool enable_lro;
	bool rss_ip, rss_udp;
	bool txonly_multi_flow;
	bool verify_any_mac;
	bool search;
	bool record_core_cycles;
	bool record_burst_stats;
	uint32_t nb_cores;
	uint32_t nb_ports; /* 0: all */
	uint64_t portmask; /* 0: all */
	uint32_t num_procs, proc_id;
	uint32_t rxq, txq;
	uint32_t rxd, txd;        /* 0: the driver's default */
	uint32_t burst;           /* 0: the driver's default */
	uint32_t mbuf_size;       /* bytes, headroom included */
	uint32_t total_num_mbufs; /* per pool; 0: as many as the rings and caches need */
	uint32_t mbcache;
	uint32_t max_pkt_len; /* bytes, L2 overhead included; 0: the driver's default MTU */
	double stats_period;  /* seconds; 0: none */
	double duration;      /* seconds; 0: no limit */
	double warmup;        /* seconds before what is measured */
	uint32_t repeat;      /* measured runs, one after the other */
	uint64_t packets;     /* 0: no limit */
	struct rate rate;
	struct frame_sizes search_sizes;
	double search_time;       /* seconds of each trial */
	double search_loss;       /* percent that counts as none */
	double search_resolution; /* percent of the rate to which it is found */
	double expect_loss;       /* percent; negative: not asked for */
	double expect_pps;        /* packets per second; 0: not asked for */
	uint64_t rx_offloads, tx_offloads;
	struct tx_segments txpkts;
	struct peer_addresses peers;
	const char *json;
	const char *cmdline_file;
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

/* False, with a message, when the settings do not fit together. */
bool options_check(const struct options *options);

/* True when the streams make frames of their own, be it only the first ones. */
bool options_make_frames(const struct options *options);

/* Sum of the segment lengths in bytes. */
uint32_t tx_segments_total(const struct tx_segments *segments);

/* Reads segment lengths as --txpkts has them. False, *segments unchanged, when text is none. */
bool tx_segments_parse(struct tx_segments *segments, const char *text);

#endif
