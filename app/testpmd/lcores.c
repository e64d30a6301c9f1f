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
	uint16_t claim = budget_claim(budget, stream->burst);
	uint16_t handled = 0;

	stream->limit = claim;
	/* One that receives beside what is counted goes on with that. */
	if (claim > 0 || (lcore->mode->makes_frames && lcore->mode->receives))
		handled = lcore->mode->run(stream);
	if (handled < claim)
		__atomic_fetch_add(&budget->left, claim - handled, __ATOMIC_RELAXED);
	if (handled > 0 && __atomic_sub_fetch(&budget->to_do, handled, __ATOMIC_RELAXED) == 0)
		run_wake();
	return handled;
}

/* The end of a turn: it was busy, or what its parts took was idle time. */
static inline void
account_turn(struct cycles *cycles, const struct stream *stream, const struct fwd_mode *mode,
	     uint16_t handled)
{
	/* What a mode that sends does after sending is next to nothing. */
	if (!mode->sends)
		cycles_mark(cycles, &cycles->turn.app);
	if (handled + stream->aside > 0) {
		counter_add(&cycles->rx, cycles->turn.rx);
		counter_add(&cycles->tx, cycles->turn.tx);
		counter_add(&cycles->app, cycles->turn.app);
		counter_add(&cycles->packets, handled + stream->aside);
	} else {
		counter_add(&cycles->idle, cycles->turn.rx + cycles->turn.tx + cycles->turn.app);
	}
	cycles->turn.rx = cycles->turn.tx = cycles->turn.app = 0;
}

/*
 * The polling loop. Inlined once for each pair of constants, so that what is off costs nothing.
 */
static inline __attribute__((always_inline)) void
poll_streams(struct lcore *lcore, const bool with_cycles, const bool with_budget)
{
	uint16_t (*const run)(struct stream *) = lcore->mode->run;
	struct stream *const end = lcore->streams + lcore->count;

	lcore->cycles.at = rte_rdtsc();
	while (!__atomic_load_n(lcore->stop, __ATOMIC_RELAXED)) {
		counter_add(&lcore->turns, 1);
		for (struct stream *stream = lcore->streams; stream < end; stream++) {
			uint16_t handled;

			if (unlikely(__atomic_load_n(&stream->disabled, __ATOMIC_ACQUIRE)))
				continue;
			handled = with_budget ? run_within_budget(lcore, stream) : run(stream);
			if (with_cycles)
				account_turn(&lcore->cycles, stream, lcore->mode, handled);
		}
	}
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
		for (uint32_t n = next; lcores->record_cycles && n < until; n++) {
			streams->of[n].cycles = &lcores->of[i].cycles;
			streams->of[n].records_cycles = true;
		}
		next = until;
		id = rte_get_next_lcore(id, 1, 0);
	}
	return true;
}

static void
wait_for_first_turn(const struct lcore *lcore)
{
	uint64_t until = rte_get_tsc_cycles() + rte_get_tsc_hz();

	while (lcore->launched && __atomic_load_n(&lcore->turns, __ATOMIC_RELAXED) == 0 &&
	       rte_get_tsc_cycles() < until)
		rte_delay_us_sleep(10);
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
	for (unsigned int i = 0; i < lcores->count; i++)
		wait_for_first_turn(&lcores->of[i]);
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

/* Two counts on: the turn in which the count was read may have begun before. */
static bool
passed(const struct lcore *lcore, uint64_t turns)
{
	return !lcore->launched || rte_eal_get_lcore_state(lcore->id) != RUNNING ||
	       __atomic_load_n(&lcore->turns, __ATOMIC_ACQUIRE) >= turns + 2;
}

void
lcores_pass_turn(const struct lcores *lcores)
{
	uint64_t until = rte_get_tsc_cycles() + rte_get_tsc_hz();

	for (unsigned int i = 0; i < lcores->count; i++) {
		uint64_t turns = __atomic_load_n(&lcores->of[i].turns, __ATOMIC_ACQUIRE);

		/* The lcore itself may be what learns of it, in a driver's receive function. */
		if (lcores->of[i].id == rte_lcore_id())
			continue;
		while (!passed(&lcores->of[i], turns) && rte_get_tsc_cycles() < until)
			rte_delay_us_sleep(10);
	}
}

bool
lcores_budget_done(const struct lcores *lcores)
{
	return lcores->of[0].budget != NULL &&
	       __atomic_load_n(&lcores->budget.to_do, __ATOMIC_RELAXED) == 0;
}
