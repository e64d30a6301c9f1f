/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "msg.h"
#include "verify.h"
#include "verify_frame.h"
#include "verify_flow.h"

/*
 * Flows by open addressing, never removed while a run goes on: readers take no lock. `listed` has
 * them in the order of first sight.
 */
static struct verify_flow *table[VERIFY_MAX_FLOWS];
static struct verify_flow *listed[VERIFY_MAX_FLOWS];
static uint32_t count;
static bool full;
static rte_spinlock_t table_lock = RTE_SPINLOCK_INITIALIZER;

static uint32_t
slot_of(uint32_t sender, uint16_t id)
{
	return (sender * 2654435761U + id * 40503U) >> 7;
}

struct verify_flow *
verify_flow_find(uint32_t sender, uint16_t id)
{
	uint32_t slot = slot_of(sender, id);

	for (uint32_t i = 0; i < VERIFY_MAX_FLOWS; i++) {
		struct verify_flow *flow = __atomic_load_n(&table[(slot + i) % VERIFY_MAX_FLOWS],
							   __ATOMIC_ACQUIRE);

		if (flow == NULL || (flow->sender == sender && flow->id == id))
			return flow;
	}
	return NULL;
}

static struct verify_flow *
insert(uint32_t sender, uint16_t id)
{
	struct verify_flow *flow = calloc(1, sizeof(*flow));
	uint32_t slot = slot_of(sender, id);

	if (flow == NULL)
		return NULL;
	flow->sender = sender;
	flow->id = id;
	while (table[slot % VERIFY_MAX_FLOWS] != NULL)
		slot++;
	listed[count] = flow;
	__atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&table[slot % VERIFY_MAX_FLOWS], flow, __ATOMIC_RELEASE);
	return flow;
}

struct verify_flow *
verify_flow_get(uint32_t sender, uint16_t id)
{
	struct verify_flow *flow = verify_flow_find(sender, id);

	if (likely(flow != NULL))
		return flow;
	rte_spinlock_lock(&table_lock);
	flow = verify_flow_find(sender, id);
	if (flow == NULL && count < VERIFY_MAX_FLOWS - 1)
		flow = insert(sender, id);
	if (flow == NULL && !full) {
		full = true;
		msg_notice("verify: more than %u flows, those beyond count as unattributed",
			   VERIFY_MAX_FLOWS - 1);
	}
	rte_spinlock_unlock(&table_lock);
	return flow;
}

void
verify_flows_clear(void)
{
	for (uint32_t i = 0; i < count; i++)
		free(listed[i]);
	for (uint32_t i = 0; i < VERIFY_MAX_FLOWS; i++)
		table[i] = NULL;
	count = 0;
	full = false;
}

uint32_t
verify_flows(struct verify_flow *const **flows)
{
	*flows = listed;
	return __atomic_load_n(&count, __ATOMIC_ACQUIRE);
}

uint64_t
verify_flow_total(const struct verify_flow *flow)
{
	if (flow->own)
		return __atomic_load_n(flow->sent, __ATOMIC_RELAXED);
	return flow->ended ? RTE_MAX(flow->end, flow->next) : flow->next;
}

/* The number that has these low bits and is nearest to those that came last. */
static uint64_t
whole_number(const struct verify_flow *flow, uint32_t low)
{
	int32_t ahead = low - (uint32_t)flow->next;

	if (ahead < 0 && flow->next < (uint64_t) - (int64_t)ahead)
		return low;
	return flow->next + ahead;
}

bool
verify_flow_plausible(const struct verify_flow *flow, uint32_t sequence)
{
	int32_t ahead = sequence - (uint32_t)flow->next;

	return ahead < (int32_t)VERIFY_WINDOW && ahead > -(int32_t)VERIFY_WINDOW;
}

static uint64_t *
word_of(struct verify_flow *flow, uint64_t number)
{
	return &flow->came[number % VERIFY_WINDOW / 64];
}

/* Moves the window on to `number`; what it passes over has not come. */
static void
advance(struct verify_flow *flow, uint64_t number)
{
	uint64_t from = flow->next;

	if (number - from >= VERIFY_WINDOW)
		from = number - VERIFY_WINDOW + 1;
	for (; from <= number; from++)
		*word_of(flow, from) &= ~RTE_BIT64(from % 64);
	flow->next = number + 1;
}

/* Returns false when that number came before. */
static bool
take(struct verify_flow *flow, uint64_t number)
{
	struct verify_counts *counts = &flow->counts;
	uint64_t bit = RTE_BIT64(number % 64);

	if (number >= flow->next) {
		advance(flow, number);
	} else if (flow->next - number > VERIFY_WINDOW) {
		counts->too_late++;
		return false;
	} else if (*word_of(flow, number) & bit) {
		counts->duplicated++;
		return false;
	} else {
		counts->reordered++;
	}
	*word_of(flow, number) |= bit;
	counts->unique++;
	return true;
}

bool
verify_flow_take(struct verify_flow *flow, const struct verify_header *header, bool good)
{
	bool first;

	rte_spinlock_lock(&flow->lock);
	flow->counts.received++;
	if (!good)
		flow->counts.corrupted++;
	first = take(flow, whole_number(flow, header->sequence));
	rte_spinlock_unlock(&flow->lock);
	return first;
}

void
verify_flow_end(struct verify_flow *flow, uint32_t total)
{
	rte_spinlock_lock(&flow->lock);
	flow->end = whole_number(flow, total);
	flow->ended = true;
	rte_spinlock_unlock(&flow->lock);
}
