/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_BENCH_H
#define TESTPMD_BENCH_H

#include "session.h"

#define EXIT_UNMET 3 /* --expect-loss or --expect-pps */

/* One measured run in short. */
struct trial {
	double seconds;
	double rx_pps, tx_pps;
	double offered_pps;  /* sent, or refused by the driver */
	double loss_percent; /* of what was offered */
};

/* What --repeat found out: of the packets per second that count, see bench_pps(). */
struct summary {
	double median, lowest, highest;
	double spread_percent; /* from lowest to highest, of the median */
	double worst_loss_percent;
};

struct bench {
	struct trial *trials;
	uint32_t count;
	struct summary summary;
	bool loss_met, pps_met; /* true also when nothing was expected */
};

/* The run that was, in short. */
void trial_gather(struct trial *trial, const struct session *session);

/* What a mode is measured by: packets received, or in a mode that only sends, sent. */
double bench_pps(const struct trial *trial, const struct options *options);

/*
 * --warmup, then --repeat runs. False when one could not begin; the session has the last one's
 * figures. bench->trials is to be freed.
 */
bool bench_run(struct bench *bench, struct session *session);

/* Prints what did not come up to the expectations. */
void bench_judge(struct bench *bench, const struct options *options);

#endif
