/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "msg.h"
#include "search.h"

/* A trial that offered less than this part of what it was to offer says nothing. */
#define OFFERED_PART 0.98

/* The bisection ends here even where the resolution is not reached. */
#define MAX_TRIALS 40

static bool
run_trial(struct session *session, double pps, struct trial *trial)
{
	session->options.rate = (struct rate){ .value = pps };
	if (!session_run(session, session->options.search_time))
		return false;
	trial_gather(trial, session);
	return !session->stuck && !run_signalled() && session->run.end != RUN_NO_PORT;
}

static void
keep(struct throughput *found, const struct session *session, double pps, const struct trial *trial)
{
	found->found = true;
	found->pps = pps;
	found->loss_percent = trial->loss_percent;
	latency_gather(&found->latency, &session->streams, LATENCY_ONE_WAY);
	if (found->latency.count == 0)
		latency_gather(&found->latency, &session->streams, LATENCY_ROUND_TRIP);
}

static bool
passes(const struct trial *trial, double pps, const struct session *session)
{
	double wanted = pps * session->ports.count;

	return trial->loss_percent <= session->options.search_loss &&
	       trial->offered_pps >= OFFERED_PART * wanted;
}

/* What the ports take when they are given all they can: no search above that. */
static bool
find_limit(struct throughput *found, struct session *session, const struct rate *most,
	   double *limit)
{
	struct trial trial;

	if (most->value > 0) {
		*limit = most->bits ? most->value / 8 / tx_segments_total(&session->options.txpkts)
				    : most->value;
		return true;
	}
	found->trials++;
	if (!run_trial(session, 0, &trial))
		return false;
	*limit = trial.tx_pps / session->ports.count;
	if (trial.loss_percent <= session->options.search_loss)
		keep(found, session, *limit, &trial);
	return true;
}

static bool
search_size(struct throughput *found, struct session *session, const struct rate *most)
{
	double resolution = session->options.search_resolution / 100;
	double low, high, next;

	if (!find_limit(found, session, most, &high))
		return false;
	if (found->found)
		return true;
	low = 0;
	next = high;
	while (found->trials < MAX_TRIALS && high - low > high * resolution) {
		struct trial trial;
		bool good;

		found->trials++;
		if (!run_trial(session, next, &trial))
			return false;
		good = passes(&trial, next, session);
		msg_notice("size %u, trial %u: %.6f Mpps, loss %.6f %%: %s", found->size,
			   found->trials, next / 1e6, trial.loss_percent,
			   good ? "passed" : "failed");
		if (good) {
			keep(found, session, next, &trial);
			low = next;
		} else {
			high = next;
		}
		next = (low + high) / 2;
		if (next < 1)
			break;
	}
	return true;
}

/* One segment, or as many as the length needs. */
static struct tx_segments
segments_of(uint32_t length, const struct options *options)
{
	uint32_t room = options->mbuf_size - RTE_PKTMBUF_HEADROOM;
	struct tx_segments segments = { 0 };

	while (length > 0 && segments.count < MAX_TX_SEGS) {
		uint32_t part = RTE_MIN(length, room);

		segments.length[segments.count++] = part;
		length -= part;
	}
	return segments;
}

bool
search_run(struct search *search, struct session *session)
{
	struct options *options = &session->options;
	struct rate most = options->rate;
	struct tx_segments segments = options->txpkts;
	bool good = true;

	*search = (struct search){ 0 };
	for (uint16_t i = 0; good && i < options->search_sizes.count; i++) {
		struct throughput *found = &search->of[i];

		found->size = options->search_sizes.of[i];
		options->txpkts = segments_of(found->size - RTE_ETHER_CRC_LEN, options);
		good = search_size(found, session, &most);
		if (good)
			search->count++;
	}
	options->rate = most;
	options->txpkts = segments;
	/* A user who ends it sees what there is. */
	return good || run_signalled();
}
