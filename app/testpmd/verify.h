/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_VERIFY_H
#define TESTPMD_VERIFY_H

#include <rte_spinlock.h>

#include "histogram.h"
#include "streams.h"
#include "verify_frame.h"

/* How far back a flow remembers which frames came, in frames. */
#define VERIFY_WINDOW    (1U << 18)
#define VERIFY_MAX_FLOWS 1024U /* a power of two */

/* What came of a flow. All counts are of frames. */
struct verify_counts {
	uint64_t received;   /* in all */
	uint64_t unique;     /* each number once */
	uint64_t duplicated; /* came once more */
	uint64_t reordered;  /* came after a later one */
	uint64_t corrupted;
	uint64_t too_late; /* more than the window late: duplicated or reordered */
};

/* A flow as the receiving side sees it; its frames may come by several queues. */
struct verify_flow {
	rte_spinlock_t lock;
	uint32_t sender;
	uint16_t id;
	bool own; /* sent by this process: `sent` says how many */
	const uint64_t *sent;
	uint16_t tx_port; /* own flows only */
	bool ended;       /* the sender said how many */
	uint64_t end;
	uint64_t next; /* one more than the highest number that came */
	struct verify_counts counts;
	uint64_t came[VERIFY_WINDOW / 64]; /* bit n: number n modulo the window came */
};

/* What a stream has to do with it. Written by its lcore. */
struct verify_stream {
	struct verify_header header; /* of the next frame to send */
	uint64_t sent;               /* frames that the driver took */
	struct verify_flow *last;    /* the flow of the frame before, most often also of this */
	uint64_t foreign;            /* received frames that are none of verify's */
	uint64_t unattributed;       /* corrupted ones of no known flow */
	struct histogram one_way, round_trip; /* in TSC cycles, of own frames */
	bool sends, receives, any_mac;
	struct rte_mempool *pool;
};

/* Gives the streams of a run their flows. False when out of memory. */
bool verify_prepare(struct streams *streams, const struct options *options);
void verify_free(struct streams *streams);

/* True for a run of this process before: with --no-flush-rx, frames of it can still come. */
bool verify_is_old_sender(uint32_t sender);

/* True when every own frame that was sent came back, so that there is nothing to wait for. */
bool verify_all_back(void);

/* How many frames of all flows came. */
uint64_t verify_came(void);

/* True when flows of other senders were seen and all of them have ended. */
bool verify_peers_ended(void);

/* Tells the other side how many frames each flow had. To be called when no lcore polls. */
void verify_send_ends(struct streams *streams);

/* The flows seen so far, in the order of first sight. */
uint32_t verify_flows(struct verify_flow *const **flows);

/* How many frames a flow had: exactly when own or ended, else up to the last that came. */
uint64_t verify_flow_total(const struct verify_flow *flow);

#endif
