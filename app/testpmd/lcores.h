/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_LCORES_H
#define TESTPMD_LCORES_H

#include "streams.h"

/* What --packets leaves to do, shared by the lcores of a run. */
struct packet_budget {
	_Alignas(RTE_CACHE_LINE_SIZE) uint64_t left; /* not handed out to an lcore */
	uint64_t to_do;                              /* not handled */
};

/* A forwarding lcore and its streams. */
struct lcore {
	_Alignas(RTE_CACHE_LINE_SIZE) unsigned int id;
	bool launched;
	uint64_t turns; /* of the polling loop; written by this lcore */
	struct stream *streams;
	uint32_t count;
	const struct fwd_mode *mode;
	const bool *stop;
	struct packet_budget *budget; /* NULL: no limit */
	_Alignas(RTE_CACHE_LINE_SIZE) struct cycles cycles;
};

struct lcores {
	struct lcore of[RTE_MAX_LCORE];
	unsigned int count;
	bool stop; /* set by the main lcore to end the run */
	bool record_cycles;
	struct packet_budget budget;
};

/*
 * Gives the streams to --nb-cores worker lcores, in blocks as even as can be. False when EAL has
 * fewer, which has been printed.
 */
bool lcores_assign(struct lcores *lcores, const struct streams *streams,
		   const struct options *options);

/* Sets every lcore to work on its streams, and waits until they do: a second at most. */
void lcores_launch(struct lcores *lcores);

/*
 * Ends the work, waiting for up to 5 seconds. Returns false when an lcore does not come back (a
 * driver holds it), which has been printed; the ports must then not be stopped.
 */
bool lcores_stop(struct lcores *lcores);

/*
 * Waits until every lcore has come round its streams, so that none is still in a driver for a
 * stream disabled before; for a second at most.
 */
void lcores_pass_turn(const struct lcores *lcores);

/* True when the packets of --packets have been handled. */
bool lcores_budget_done(const struct lcores *lcores);

#endif
