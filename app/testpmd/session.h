/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_SESSION_H
#define TESTPMD_SESSION_H

#include "ports.h"
#include "results.h"
#include "run.h"
#include "streams.h"

/* The program's state between its start and its end: ports, and at most one run at a time. */
struct session {
	struct options options;
	struct ports ports;
	struct streams streams; /* of the run, or of the one before until the next begins */
	struct lcores lcores;
	struct run run;
	bool prepared;   /* streams and lcores are those of a run */
	bool forwarding; /* lcores poll */
	bool verbose;    /* each packet is printed */
	bool quit;       /* the prompt was told to end */
	bool stuck;      /* an lcore did not come back: ports cannot be closed */
};

/*
 * Begins a run: pairs the queues, throws waiting packets away, sends the first bursts where asked
 * for, launches the lcores. False: the error has been printed, nothing runs.
 */
bool session_start(struct session *session, uint32_t first_bursts);

/*
 * Ends the run. Mode verify stops making frames first and waits for those under way. Its figures
 * can be gathered until the next run begins.
 */
void session_stop(struct session *session);

/* Begins a run and lets it go on to its end: signal, time, number of packets. */
bool session_run(struct session *session, double seconds);

/* Frees what the run before left. */
void session_forget(struct session *session);

/*
 * Keeps other threads from reading streams and flows while those are made or freed; held for
 * moments only, never while packets are polled.
 */
void session_lock(void);
void session_unlock(void);

#endif
