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
	RUN_PEERS_ENDED,
	RUN_COMMAND,
};

struct run {
	struct port_watch watch;
	struct lcores *lcores;
	const struct options *options;
	enum run_end end;
	double start;        /* run_now() at the beginning */
	double sent_until;   /* when frames ceased to be made, where there was a drain; else 0 */
	double seconds;      /* that the lcores polled, or made frames */
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

/* Seconds since some fixed time. */
double run_now(void);

/* Sleeps until that time, or until woken. */
void run_sleep_until(double when);

/* Launches the lcores. */
void run_begin(struct run *run);

/* Prints statistics by period until the end of the run; `seconds` limit it unless 0. */
void run_wait(struct run *run, double seconds);

/* Looks after removed ports and for the end; the prompt calls it now and then. */
enum run_end run_look(struct run *run);

/*
 * No frames are made any more: waits for those under way, until `done` or until `came`, which
 * counts them, stands still.
 */
void run_drain(struct run *run, bool (*done)(void), uint64_t (*came)(void));

/* Stops the lcores. */
void run_finish(struct run *run);

/* The end in words, for the report. */
const char *run_end_text(enum run_end end);

#endif
