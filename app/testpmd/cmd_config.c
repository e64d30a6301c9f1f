/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "msg.h"

static void
config_mtu(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 3);

	if (in_range("port config mtu", word_number(words, 4), 0, UINT16_MAX) &&
	    port_did(port, "setting the MTU", rte_eth_dev_set_mtu(port->id, word_number(words, 4))))
		port->mtu = word_number(words, 4);
}

/* Rings and queues are made when a port is configured. */
static bool
all_stopped(const struct session *session)
{
	for (uint16_t i = 0; i < session->ports.count; i++) {
		if (!session->ports.of[i].started)
			continue;
		msg_error("port %u (%s): is started, expected all ports to be stopped",
			  session->ports.of[i].id, session->ports.of[i].name);
		msg_hint("port stop all");
		return false;
	}
	return true;
}

static const struct {
	const char *word;
	size_t field; /* in struct options, uint32_t */
	uint64_t min, max;
} sizes[] = {
	{ "rxq", offsetof(struct options, rxq), 0, RTE_MAX_QUEUES_PER_PORT },
	{ "txq", offsetof(struct options, txq), 0, RTE_MAX_QUEUES_PER_PORT },
	{ "rxd", offsetof(struct options, rxd), 1, UINT16_MAX },
	{ "txd", offsetof(struct options, txd), 1, UINT16_MAX },
};

/* The last run's figures are by queue: forget them before there are other queues. */
static void
config_size(struct session *session, const struct words *words)
{
	struct options changed = session->options;

	if (!all_stopped(session))
		return;
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		if (!word_is(words, 3, sizes[i].word))
			continue;
		if (!in_range(sizes[i].word, word_number(words, 4), sizes[i].min, sizes[i].max))
			return;
		*(uint32_t *)((char *)&changed + sizes[i].field) = word_number(words, 4);
	}
	if (!options_check(&changed) || !ports_renew(&session->ports, &changed))
		return;
	session_forget(session);
	session->options = changed;
}

static const struct {
	const char *word;
	uint64_t types;
} hashes[] = {
	{ "none", 0 },
	{ "ip", RTE_ETH_RSS_IP },
	{ "udp", RTE_ETH_RSS_UDP },
	{ "tcp", RTE_ETH_RSS_TCP },
	{ "all", RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP },
};

static int
set_hash(struct session *session, struct port *port, const struct words *words)
{
	uint64_t offered = port->info.flow_type_rss_offloads;
	struct rte_eth_rss_conf conf = { 0 };
	int ret;

	RTE_SET_USED(session);
	for (size_t i = 0; i < RTE_DIM(hashes); i++)
		if (word_is(words, 4, hashes[i].word))
			conf.rss_hf = hashes[i].types;
	/* None of those asked for is not the same as none. */
	if (offered == 0 || (conf.rss_hf != 0 && (conf.rss_hf & offered) == 0))
		return -ENOTSUP;
	conf.rss_hf &= offered;
	if (port->nb_rxq < 2) {
		msg_error("port %u (%s): has %u receive queue, RSS needs more", port->id,
			  port->name, port->nb_rxq);
		msg_hint("port stop all, port config all rxq 2, port start all");
		return 0;
	}
	ret = rte_eth_dev_rss_hash_update(port->id, &conf);
	if (ret != 0)
		return ret;
	port->has_hash = true;
	port->hash = conf.rss_hf;
	return 0;
}

static void
config_rss(struct session *session, const struct words *words)
{
	for_ports(session, words, 2, "setting the RSS types", set_hash);
}

static void
config_rss_key(struct session *session, const struct words *words)
{
	const struct port *port = word_port(session, words, 2);
	size_t length = strlen(words->of[4]) / 2;
	struct rte_eth_rss_conf conf = { 0 };
	uint8_t key[WORD_LENGTH / 2];

	for (size_t i = 0; i < length; i++)
		sscanf(words->of[4] + 2 * i, "%2hhx", &key[i]);
	if (!port_did(port, "reading the RSS types",
		      rte_eth_dev_rss_hash_conf_get(port->id, &conf)))
		return;
	conf.rss_key = key;
	conf.rss_key_len = length;
	port_did(port, "setting the RSS key", rte_eth_dev_rss_hash_update(port->id, &conf));
}

static const struct {
	const char *word;
	uint64_t offload;
} checksums[] = {
	{ "ip", RTE_ETH_TX_OFFLOAD_IPV4_CKSUM },
	{ "udp", RTE_ETH_TX_OFFLOAD_UDP_CKSUM },
	{ "tcp", RTE_ETH_TX_OFFLOAD_TCP_CKSUM },
	{ "sctp", RTE_ETH_TX_OFFLOAD_SCTP_CKSUM },
};

static bool
can_offload(const struct port *port, uint64_t offload)
{
	if (port->info.tx_offload_capa & offload)
		return true;
	msg_error("port %u (%s): driver %s does not support: %s", port->id, port->name,
		  port->driver, rte_eth_dev_tx_offload_name(offload));
	return false;
}

static bool
want_offload(struct port *port, uint64_t offload, bool on)
{
	if (on && !can_offload(port, offload))
		return false;
	if (port->started) {
		msg_error("port %u (%s): is started, expected a stopped port", port->id,
			  port->name);
		msg_hint("port stop %u", port->id);
		return false;
	}
	/* What is less is taken off what is more. */
	if (on)
		port->more_tx_offloads |= offload;
	port->less_tx_offloads = on ? port->less_tx_offloads & ~offload
				    : port->less_tx_offloads | offload;
	port->renew = true;
	return true;
}

static void
csum_set(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 4);

	for (size_t i = 0; i < RTE_DIM(checksums); i++)
		if (word_is(words, 2, checksums[i].word))
			want_offload(port, checksums[i].offload, word_is(words, 3, "hw"));
}

/* Cutting a packet up makes new checksums: the device does both or nothing. */
static void
tso_set(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 3);
	uint64_t size = word_number(words, 2);

	if (!in_range("tso set", size, 0, UINT16_MAX))
		return;
	if (want_offload(port, RTE_ETH_TX_OFFLOAD_TCP_TSO, size > 0))
		port->tso_segment_size = size;
}

const struct command commands_config[] = {
	{ "port config mtu PORT N", "set the MTU", false, config_mtu },
	{ "port config all rxq|txq|rxd|txd N", "queues, descriptors; when all ports are stopped",
	  true, config_size },
	{ "port config PORTS rss ip|udp|tcp|all|none", "spread packets over the queues by", false,
	  config_rss },
	{ "port config PORT rss-key KEY", "set the RSS key", false, config_rss_key },
	{ "csum set ip|udp|tcp|sctp hw|sw PORT", "who fills checksums in, in mode csum", true,
	  csum_set },
	{ "tso set N PORT", "cut TCP packets into segments of N bytes, in mode csum; 0: do not",
	  true, tso_set },
	{ 0 },
};
