/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_RUN_H
#define TESTPMD_RUN_H

#include "lcores.h"
#include "port_events.h"

/* Why a run ended. */
enum run_end {
	RUN_GOES_ON,
	RUN_SIGNAL,
	RUN_DURATION,
	RUN_PACKETS,
	RUN_NO_PORT,
};

struct run {
	struct port_watch watch;
	struct lcores *lcores;
	const struct options *options;
	enum run_end end;
	double seconds;      /* that the lcores polled */
	bool lcores_stopped; /* false: one is stuck in a driver */
};

/* From now on SIGINT, SIGTERM, SIGHUP and SIGPIPE end the run, the third one the program. */
void run_catch_signals(void);

/* True when a signal asked for the end. */
bool run_signalled(void);

/* Lets the main thread look for the end of the run at once. Any thread may call it. */
void run_wake(void);

/* Waits up to 3 seconds for the links of all ports; says which are still down after that. */
void run_wait_for_links(struct ports *ports);

/* Launches the lcores, prints statistics by period, and stops them at the end of the run. */
void run_forward(struct run *run);

/* The end in words, for the report. */
const char *run_end_text(enum run_end end);

#endif
