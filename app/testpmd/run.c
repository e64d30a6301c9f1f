/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "fwd.h"
#include "hot_plug.h"
#include "live.h"
#include "msg.h"
#include "run.h"
#include "verify.h"

#define LINK_SECONDS 3.0

/* How often devices are asked whether they are still there, in seconds. */
#define CHECK_SECONDS 0.2

/* How long frames under way are waited for: at most; when none comes any more, where who sends
 * them back may be kept from its CPU; and when none ever came. */
#define DRAIN_SECONDS         3.0
#define DRAIN_QUIET_SECONDS   1.0
#define DRAIN_ONE_WAY_SECONDS 0.3
#define DRAIN_LAST_MS         10

/* Signals after which the program dies at once. */
#define SIGNALS_TO_KILL 3

static sem_t wake;
static volatile sig_atomic_t signals;

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

static void
on_signal(int number)
{
	signals++;
	/* Each line written to a reader that has gone brings a SIGPIPE: no sign of impatience. */
	if (signals >= SIGNALS_TO_KILL && number != SIGPIPE) {
		signal(number, SIG_DFL);
		raise(number);
	}
	sem_post(&wake);
}

void
run_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sem_init(&wake, 0, 0);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < RTE_DIM(caught); i++)
		sigaction(caught[i], &action, NULL);
}

bool
run_signalled(void)
{
	return signals > 0;
}

void
run_wake(void)
{
	sem_post(&wake);
}

double
run_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

void
run_sleep_until(double when)
{
	struct timespec time = { .tv_sec = (time_t)when,
				 .tv_nsec = (long)((when - (time_t)when) * 1e9) };

	sem_clockwait(&wake, CLOCK_MONOTONIC, &time);
}

void
run_wait_for_links(struct ports *ports)
{
	double until = run_now() + LINK_SECONDS;
	char text[RTE_ETH_LINK_MAX_STR_LEN];
	struct rte_eth_link link;

	while (!ports_links_up(ports) && run_now() < until && !run_signalled())
		run_sleep_until(run_now() + 0.05);
	for (uint16_t i = 0; i < ports->count; i++) {
		const struct port *port = &ports->of[i];

		if (rte_eth_link_get_nowait(port->id, &link) != 0)
			continue;
		rte_eth_link_to_str(text, sizeof(text), &link);
		msg_notice("port %u (%s, %s): %s", port->id, port->name, port->driver, text);
	}
}

/* A side that only receives is done when all that sent to it are. */
static bool
peers_ended(const struct run *run)
{
	return run->options->mode == &fwd_verify &&
	       run->options->verify_role == VERIFY_ROLE_RECEIVE && verify_peers_ended();
}

static enum run_end
find_end(const struct run *run, double deadline)
{
	if (run_signalled())
		return RUN_SIGNAL;
	if (lcores_budget_done(run->lcores))
		return RUN_PACKETS;
	/* Before a look at the ports: a peer that has said that it ends may take its port along. */
	if (peers_ended(run))
		return RUN_PEERS_ENDED;
	if (streams_all_disabled(run->watch.streams))
		return RUN_NO_PORT;
	if (run_now() >= deadline)
		return RUN_DURATION;
	return RUN_GOES_ON;
}

enum run_end
run_look(struct run *run)
{
	port_events_check(&run->watch);
	hot_plug_look(run->watch.ports);
	run->end = find_end(run, INFINITY);
	return run->end;
}

void
run_wait(struct run *run, double seconds)
{
	double deadline = seconds > 0 ? run->start + seconds : INFINITY;
	double next_check = run->start;
	struct live live;

	live_begin(&live, run, isatty(STDOUT_FILENO) == 1);
	for (;;) {
		if (live_is_due(&live))
			live_print(&live);
		if (run_now() >= next_check) {
			port_events_check(&run->watch);
			next_check = run_now() + CHECK_SECONDS;
		}
		hot_plug_look(run->watch.ports);
		run->end = find_end(run, deadline);
		if (run->end != RUN_GOES_ON)
			return;
		run_sleep_until(RTE_MIN(deadline, RTE_MIN(live.next, next_check)));
	}
}

void
run_begin(struct run *run)
{
	lcores_launch(run->lcores);
	run->start = run_now();
}

void
run_drain(struct run *run, bool (*done)(void), uint64_t (*came)(void))
{
	double until = run_now() + DRAIN_SECONDS, quiet_since = run_now();
	uint64_t seen = came();
	double patience = seen > 0 ? DRAIN_QUIET_SECONDS : DRAIN_ONE_WAY_SECONDS;

	run->sent_until = run_now();
	streams_quieten(run->watch.streams);
	while (!done() && run_now() < until && run_now() < quiet_since + patience) {
		uint64_t seen_now = came();

		if (seen_now != seen) {
			quiet_since = run_now();
			patience = DRAIN_QUIET_SECONDS;
		}
		seen = seen_now;
		rte_delay_us_sleep(2000);
	}
	/* What came once too often comes after that, if it comes. */
	rte_delay_us_sleep(DRAIN_LAST_MS * 1000);
}

void
run_finish(struct run *run)
{
	run->lcores_stopped = lcores_stop(run->lcores);
	run->seconds = (run->sent_until > 0 ? run->sent_until : run_now()) - run->start;
}

const char *
run_end_text(enum run_end end)
{
	static const char *const texts[] = {
		[RUN_GOES_ON] = "not ended",    [RUN_SIGNAL] = "signal",
		[RUN_DURATION] = "duration",    [RUN_PACKETS] = "packets",
		[RUN_NO_PORT] = "no port left", [RUN_PEERS_ENDED] = "all senders ended",
		[RUN_COMMAND] = "command",
	};

	return texts[end];
}
