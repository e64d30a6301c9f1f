/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "bench.h"
#include "fwd.h"
#include "msg.h"
#include "verify_result.h"

/* Frames that mode verify misses, or that a port of another mode says it dropped. */
static uint64_t
lost_frames(const struct session *session)
{
	uint64_t lost = 0;

	if (session->options.mode == &fwd_verify) {
		struct verify_result result;

		if (verify_result_gather(&result, &session->streams, &session->ports))
			lost = result.all.lost;
		verify_result_free(&result);
		return lost;
	}
	for (uint16_t i = 0; i < session->ports.count; i++)
		lost += port_dropped(&session->ports.of[i], &session->streams);
	return lost;
}

/* Frames that others sent here: mode verify at the receiving end. */
static uint64_t
foreign_sent(const struct session *session)
{
	struct verify_flow *const *flows;
	uint32_t count = verify_flows(&flows);
	uint64_t sent = 0;

	for (uint32_t i = 0; session->options.mode == &fwd_verify && i < count; i++)
		if (!flows[i]->own)
			sent += verify_flow_total(flows[i]);
	return sent;
}

void
trial_gather(struct trial *trial, const struct session *session)
{
	struct stream_counters sum = streams_total(&session->streams);
	const struct fwd_mode *mode = session->options.mode;
	uint64_t lost = lost_frames(session);
	uint64_t offered;
	double seconds = session->run.seconds;

	/* What a generator without a rate offers beyond what the port takes is no loss. */
	if (!mode->makes_frames || session->options.rate.value > 0)
		lost += sum.tx_dropped;
	offered = mode->makes_frames ? sum.tx_packets + sum.tx_dropped + foreign_sent(session)
				     : sum.rx_packets + lost - sum.tx_dropped;
	*trial = (struct trial){
		.seconds = seconds,
		.rx_pps = sum.rx_packets / seconds,
		.tx_pps = sum.tx_packets / seconds,
		.offered_pps = offered / seconds,
		.loss_percent = offered == 0 ? 0 : 100.0 * lost / offered,
	};
}

double
bench_pps(const struct trial *trial, const struct options *options)
{
	bool by_sent = !options->mode->receives || options->mode == &fwd_flowgen ||
		       (options->mode == &fwd_verify && options->verify_role == VERIFY_ROLE_SEND);

	return by_sent ? trial->tx_pps : trial->rx_pps;
}

static int
compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static bool
summarise(struct bench *bench, const struct options *options)
{
	struct summary *summary = &bench->summary;
	double *sorted = calloc(bench->count + 1, sizeof(*sorted));

	if (sorted == NULL)
		return false;
	for (uint32_t i = 0; i < bench->count; i++) {
		sorted[i] = bench_pps(&bench->trials[i], options);
		summary->worst_loss_percent = RTE_MAX(summary->worst_loss_percent,
						      bench->trials[i].loss_percent);
	}
	qsort(sorted, bench->count, sizeof(*sorted), compare);
	summary->lowest = sorted[0];
	summary->highest = sorted[bench->count - 1];
	summary->median = (sorted[(bench->count - 1) / 2] + sorted[bench->count / 2]) / 2;
	if (summary->median > 0)
		summary->spread_percent = 100 * (summary->highest - summary->lowest) /
					  summary->median;
	free(sorted);
	return true;
}

static bool
warm_up(struct session *session)
{
	struct options *options = &session->options;
	uint64_t packets = options->packets;
	bool good;

	if (options->warmup == 0)
		return true;
	msg_notice("warming up for %g s", options->warmup);
	options->packets = 0;
	good = session_run(session, options->warmup);
	options->packets = packets;
	return good && !session->stuck;
}

/* What ends a run by itself; after anything else there is no next one. */
static bool
goes_on(const struct session *session)
{
	return !session->stuck && !run_signalled() && session->run.end != RUN_NO_PORT;
}

bool
bench_run(struct bench *bench, struct session *session)
{
	const struct options *options = &session->options;

	*bench = (struct bench){ .loss_met = true, .pps_met = true };
	bench->trials = calloc(options->repeat, sizeof(*bench->trials));
	if (bench->trials == NULL || !warm_up(session))
		return false;
	/* A warm-up that was cut short was the run. */
	do {
		struct trial *trial = &bench->trials[bench->count];

		if ((bench->count > 0 || options->warmup == 0 || goes_on(session)) &&
		    !session_run(session, options->duration))
			return false;
		trial_gather(trial, session);
		bench->count++;
		if (options->repeat > 1)
			msg_notice("run %u of %u: %.6f Mpps, loss %g %%", bench->count,
				   options->repeat, bench_pps(trial, options) / 1e6,
				   trial->loss_percent);
	} while (bench->count < options->repeat && goes_on(session));
	return summarise(bench, options);
}

void
bench_judge(struct bench *bench, const struct options *options)
{
	const struct summary *summary = &bench->summary;

	if (options->expect_loss >= 0 && summary->worst_loss_percent > options->expect_loss) {
		bench->loss_met = false;
		msg_error("--expect-loss: found %g %%, expected at most %g %%",
			  summary->worst_loss_percent, options->expect_loss);
	}
	if (options->expect_pps > 0 && summary->median < options->expect_pps) {
		bench->pps_met = false;
		msg_error("--expect-pps: found %.0f packets per second, expected at least %.0f",
			  summary->median, options->expect_pps);
	}
}
