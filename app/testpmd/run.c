/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#include "msg.h"
#include "run.h"
#include "stats_line.h"

#define LINK_SECONDS 3.0

/* How often devices are asked whether they are still there, in seconds. */
#define CHECK_SECONDS 0.2

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

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

/* Sleeps until that time or until woken. */
static void
sleep_until(double when)
{
	struct timespec time = { .tv_sec = (time_t)when,
				 .tv_nsec = (long)((when - (time_t)when) * 1e9) };

	sem_clockwait(&wake, CLOCK_MONOTONIC, &time);
}

void
run_wait_for_links(struct ports *ports)
{
	double until = now() + LINK_SECONDS;
	char text[RTE_ETH_LINK_MAX_STR_LEN];
	struct rte_eth_link link;

	while (!ports_links_up(ports) && now() < until && !run_signalled())
		sleep_until(now() + 0.05);
	for (uint16_t i = 0; i < ports->count; i++) {
		const struct port *port = &ports->of[i];

		if (rte_eth_link_get_nowait(port->id, &link) != 0)
			continue;
		rte_eth_link_to_str(text, sizeof(text), &link);
		msg_notice("port %u (%s, %s): %s", port->id, port->name, port->driver, text);
	}
}

static enum run_end
find_end(const struct run *run, double deadline)
{
	if (run_signalled())
		return RUN_SIGNAL;
	if (lcores_budget_done(run->lcores))
		return RUN_PACKETS;
	if (streams_all_disabled(run->watch.streams))
		return RUN_NO_PORT;
	if (now() >= deadline)
		return RUN_DURATION;
	return RUN_GOES_ON;
}

static enum run_end
wait_for_end(struct run *run, double start)
{
	const struct options *options = run->options;
	double deadline = options->duration > 0 ? start + options->duration : INFINITY;
	double next_line = options->stats_period > 0 ? start + options->stats_period : INFINITY;
	double next_check = start;
	struct stats_line line;
	enum run_end end;

	stats_line_begin(&line, run->watch.ports, run->watch.streams);
	for (;;) {
		if (now() >= next_line) {
			stats_line_print(&line, now() - start);
			next_line += options->stats_period;
		}
		if (now() >= next_check) {
			port_events_check(&run->watch);
			next_check = now() + CHECK_SECONDS;
		}
		end = find_end(run, deadline);
		if (end != RUN_GOES_ON)
			return end;
		sleep_until(RTE_MIN(deadline, RTE_MIN(next_line, next_check)));
	}
}

void
run_forward(struct run *run)
{
	double start = now();

	lcores_launch(run->lcores);
	run->end = wait_for_end(run, start);
	run->lcores_stopped = lcores_stop(run->lcores);
	run->seconds = now() - start;
}

const char *
run_end_text(enum run_end end)
{
	static const char *const texts[] = {
		[RUN_GOES_ON] = "not ended",    [RUN_SIGNAL] = "signal",
		[RUN_DURATION] = "duration",    [RUN_PACKETS] = "packets",
		[RUN_NO_PORT] = "no port left",
	};

	return texts[end];
}
