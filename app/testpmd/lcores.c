/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "fwd.h"
#include "lcores.h"
#include "msg.h"
#include "run.h"

#define STOP_SECONDS 5

/* Takes up to `most` packets out of the budget. */
static uint16_t
budget_claim(struct packet_budget *budget, uint16_t most)
{
	uint64_t left = __atomic_load_n(&budget->left, __ATOMIC_RELAXED);
	uint16_t claim;

	do {
		claim = RTE_MIN(left, most);
	} while (claim > 0 &&
		 !__atomic_compare_exchange_n(&budget->left, &left, left - claim, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return claim;
}

/* One turn within the budget: what was claimed and not handled goes back. */
static uint16_t
run_within_budget(struct lcore *lcore, struct stream *stream)
{
	struct packet_budget *budget = lcore->budget;
	uint16_t burst = stream->burst, handled;

	stream->burst = budget_claim(budget, burst);
	if (stream->burst == 0) {
		stream->burst = burst;
		return 0;
	}
	handled = lcore->mode->run(stream);
	if (handled < stream->burst)
		__atomic_fetch_add(&budget->left, stream->burst - handled, __ATOMIC_RELAXED);
	stream->burst = burst;
	if (handled > 0 && __atomic_sub_fetch(&budget->to_do, handled, __ATOMIC_RELAXED) == 0)
		run_wake();
	return handled;
}

/*
 * The polling loop. One TSC read per turn: the end of a turn is the start of the next. Inlined
 * once for each pair of constants, so that what is off costs nothing.
 */
static inline __attribute__((always_inline)) void
poll_streams(struct lcore *lcore, const bool with_cycles, const bool with_budget)
{
	uint16_t (*const run)(struct stream *) = lcore->mode->run;
	struct stream *const end = lcore->streams + lcore->count;
	struct cycles cycles = { 0 };
	uint64_t before = rte_rdtsc();

	while (!__atomic_load_n(lcore->stop, __ATOMIC_RELAXED)) {
		for (struct stream *stream = lcore->streams; stream < end; stream++) {
			uint64_t now;
			uint16_t handled;

			if (unlikely(__atomic_load_n(&stream->disabled, __ATOMIC_RELAXED)))
				continue;
			handled = with_budget ? run_within_budget(lcore, stream) : run(stream);
			if (!with_cycles)
				continue;
			now = rte_rdtsc();
			if (handled > 0)
				cycles.busy += now - before;
			else
				cycles.idle += now - before;
			cycles.packets += handled;
			before = now;
		}
	}
	lcore->cycles = cycles;
}

static int
poll_plain(void *lcore)
{
	poll_streams(lcore, false, false);
	return 0;
}

static int
poll_cycles(void *lcore)
{
	poll_streams(lcore, true, false);
	return 0;
}

static int
poll_budget(void *lcore)
{
	poll_streams(lcore, false, true);
	return 0;
}

static int
poll_cycles_budget(void *lcore)
{
	poll_streams(lcore, true, true);
	return 0;
}

static lcore_function_t *const loops[2][2] = {
	/* [with cycles][with budget] */
	{ poll_plain, poll_budget },
	{ poll_cycles, poll_cycles_budget },
};

static bool
enough_lcores(const struct options *options)
{
	unsigned int workers = rte_lcore_count() - 1;

	if (options->nb_cores <= workers)
		return true;
	msg_error("--nb-cores %u: EAL has %u lcore%s besides the main one", options->nb_cores,
		  workers, workers == 1 ? "" : "s");
	msg_hint("give EAL more, such as -l 0-%u, or --lcores 0@0,1@0 to share a CPU",
		 options->nb_cores);
	return false;
}

bool
lcores_assign(struct lcores *lcores, const struct streams *streams, const struct options *options)
{
	unsigned int id = rte_get_next_lcore(-1, 1, 0);
	uint32_t next = 0;

	*lcores = (struct lcores){
		.count = RTE_MIN(options->nb_cores, streams->count),
		.record_cycles = options->record_core_cycles,
		.budget = { options->packets, options->packets },
	};
	if (!enough_lcores(options))
		return false;
	for (unsigned int i = 0; i < lcores->count; i++) {
		uint32_t until = (uint64_t)streams->count * (i + 1) / lcores->count;

		lcores->of[i] = (struct lcore){
			.id = id,
			.streams = streams->of + next,
			.count = until - next,
			.mode = options->mode,
			.stop = &lcores->stop,
			.budget = options->packets > 0 ? &lcores->budget : NULL,
		};
		next = until;
		id = rte_get_next_lcore(id, 1, 0);
	}
	return true;
}

void
lcores_launch(struct lcores *lcores)
{
	for (unsigned int i = 0; i < lcores->count; i++) {
		struct lcore *lcore = &lcores->of[i];
		lcore_function_t *loop = loops[lcores->record_cycles][lcore->budget != NULL];

		lcore->launched = rte_eal_remote_launch(loop, lcore, lcore->id) == 0;
		if (!lcore->launched)
			msg_notice("lcore %u is busy, its streams are not polled", lcore->id);
	}
}

static bool
wait_for_lcore(const struct lcore *lcore, uint64_t until)
{
	while (rte_eal_get_lcore_state(lcore->id) == RUNNING && rte_get_tsc_cycles() < until)
		rte_delay_us_sleep(100);
	if (rte_eal_get_lcore_state(lcore->id) == RUNNING) {
		msg_error("lcore %u does not come back after %d s: a driver holds it, at port %u "
			  "or %u",
			  lcore->id, STOP_SECONDS, lcore->streams->rx_port,
			  lcore->streams->tx_port);
		return false;
	}
	rte_eal_wait_lcore(lcore->id);
	return true;
}

bool
lcores_stop(struct lcores *lcores)
{
	uint64_t until = rte_get_tsc_cycles() + STOP_SECONDS * rte_get_tsc_hz();
	bool all = true;

	__atomic_store_n(&lcores->stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < lcores->count; i++)
		if (lcores->of[i].launched && !wait_for_lcore(&lcores->of[i], until))
			all = false;
	return all;
}

bool
lcores_budget_done(const struct lcores *lcores)
{
	return lcores->of[0].budget != NULL &&
	       __atomic_load_n(&lcores->budget.to_do, __ATOMIC_RELAXED) == 0;
}
