/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_lcore.h>

#include "commands.h"
#include "fwd.h"
#include "msg.h"

/* Takes over changed options when they fit together; else keeps the old ones. */
static void
take_options(struct session *session, const struct options *changed)
{
	if (options_check(changed))
		session->options = *changed;
}

static void
set_fwd(struct session *session, const struct words *words)
{
	struct options changed = session->options;

	changed.mode = fwd_mode_find(words->of[2]);
	/* A rate would be refused there. */
	if (!changed.mode->makes_frames)
		changed.rate.value = 0;
	take_options(session, &changed);
}

static void
set_burst(struct session *session, const struct words *words)
{
	if (in_range("set burst", word_number(words, 2), 1, MAX_BURST))
		session->options.burst = word_number(words, 2);
}

static void
set_txpkts(struct session *session, const struct words *words)
{
	struct options changed = session->options;

	tx_segments_parse(&changed.txpkts, words->of[2]);
	take_options(session, &changed);
}

static void
set_nbcore(struct session *session, const struct words *words)
{
	if (in_range("set nbcore", word_number(words, 2), 1, rte_lcore_count() - 1))
		session->options.nb_cores = word_number(words, 2);
}

static int
promisc(struct session *session, struct port *port, const struct words *words)
{
	bool on = word_is(words, 3, "on");
	int ret = on ? rte_eth_promiscuous_enable(port->id) : rte_eth_promiscuous_disable(port->id);

	RTE_SET_USED(session);
	if (ret == 0)
		port->is_picky = !on;
	return ret;
}

static void
set_promisc(struct session *session, const struct words *words)
{
	for_ports(session, words, 2, "promiscuous mode", promisc);
}

static int
allmulti(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	return word_is(words, 3, "on") ? rte_eth_allmulticast_enable(port->id)
				       : rte_eth_allmulticast_disable(port->id);
}

static void
set_allmulti(struct session *session, const struct words *words)
{
	for_ports(session, words, 2, "receiving all multicast", allmulti);
}

static void
set_verbose(struct session *session, const struct words *words)
{
	bool verbose = word_number(words, 2) > 0;

	session->verbose = verbose;
	for (uint32_t i = 0; i < session->streams.count; i++)
		__atomic_store_n(&session->streams.of[i].verbose, verbose, __ATOMIC_RELAXED);
}

static int
link_up(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	return rte_eth_dev_set_link_up(port->id);
}

static void
set_link_up(struct session *session, const struct words *words)
{
	for_ports(session, words, 3, "setting the link up", link_up);
}

static int
link_down(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	return rte_eth_dev_set_link_down(port->id);
}

static void
set_link_down(struct session *session, const struct words *words)
{
	for_ports(session, words, 3, "setting the link down", link_down);
}

static void
set_core_cycles(struct session *session, const struct words *words)
{
	session->options.record_core_cycles = word_is(words, 2, "on");
}

static void
set_burst_stats(struct session *session, const struct words *words)
{
	session->options.record_burst_stats = word_is(words, 2, "on");
}

const struct command commands_set[] = {
	{ "set fwd MODE", "choose the forward mode", true, set_fwd },
	{ "set burst N", "packets per burst", true, set_burst },
	{ "set txpkts LENS", "segment lengths of the frames made", true, set_txpkts },
	{ "set nbcore N", "forwarding lcores", true, set_nbcore },
	{ "set promisc PORTS on|off", "receive what is for others", false, set_promisc },
	{ "set allmulti PORTS on|off", "receive all multicast", false, set_allmulti },
	{ "set verbose N", "print each packet (0: do not)", false, set_verbose },
	{ "set link-up port PORT", "set the link up", false, set_link_up },
	{ "set link-down port PORT", "set the link down", false, set_link_down },
	{ "set record-core-cycles on|off", "measure TSC cycles per packet", true, set_core_cycles },
	{ "set record-burst-stats on|off", "count how full the bursts are", true, set_burst_stats },
	{ 0 },
};
