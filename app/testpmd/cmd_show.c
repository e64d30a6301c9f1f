/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_string_fns.h>

#include "commands.h"
#include "fwd.h"
#include "msg.h"
#include "report.h"

#define HASH_KEY_FALLBACK 40

static const char *
on_off(int value)
{
	return value == 1 ? "on" : value == 0 ? "off" : "not told by the driver";
}

static int
show_info(struct session *session, struct port *port, const struct words *words)
{
	char mac[RTE_ETHER_ADDR_FMT_SIZE], link_text[RTE_ETH_LINK_MAX_STR_LEN] = "not told";
	struct rte_eth_dev_info info;
	struct rte_eth_link link;
	uint16_t mtu = 0;
	int ret = rte_eth_dev_info_get(port->id, &info);

	RTE_SET_USED(session);
	RTE_SET_USED(words);
	if (ret != 0)
		return ret;
	rte_ether_format_addr(mac, sizeof(mac), &port->mac);
	if (rte_eth_link_get_nowait(port->id, &link) == 0)
		rte_eth_link_to_str(link_text, sizeof(link_text), &link);
	rte_eth_dev_get_mtu(port->id, &mtu);
	printf("\nport %u: %s\n", port->id, port->name);
	printf("  driver              %s\n", info.driver_name);
	printf("  state               %s\n", port->started ? "started" : "stopped");
	printf("  MAC address         %s\n", mac);
	printf("  NUMA node           %d\n", rte_eth_dev_socket_id(port->id));
	printf("  link                %s\n", link_text);
	printf("  MTU                 %u\n", mtu);
	printf("  promiscuous         %s\n", on_off(rte_eth_promiscuous_get(port->id)));
	printf("  all multicast       %s\n", on_off(rte_eth_allmulticast_get(port->id)));
	printf("  receive queues      %u of %u, descriptors %u to %u\n", info.nb_rx_queues,
	       info.max_rx_queues, info.rx_desc_lim.nb_min, info.rx_desc_lim.nb_max);
	printf("  transmit queues     %u of %u, descriptors %u to %u\n", info.nb_tx_queues,
	       info.max_tx_queues, info.tx_desc_lim.nb_min, info.tx_desc_lim.nb_max);
	printf("  MAC addresses       up to %u\n", info.max_mac_addrs);
	printf("  longest frame       %u\n", info.max_rx_pktlen);
	printf("  receive offloads    0x%" PRIx64 " of 0x%" PRIx64 "\n", port->rx_offloads,
	       info.rx_offload_capa);
	printf("  transmit offloads   0x%" PRIx64 " of 0x%" PRIx64 "\n", port->tx_offloads,
	       info.tx_offload_capa);
	printf("  RSS                 types 0x%" PRIx64 ", key %u bytes, table of %u\n",
	       info.flow_type_rss_offloads, info.hash_key_size, info.reta_size);
	return 0;
}

static int
show_stats(struct session *session, struct port *port, const struct words *words)
{
	struct rte_eth_stats stats;
	int ret = rte_eth_stats_get(port->id, &stats);

	RTE_SET_USED(session);
	RTE_SET_USED(words);
	if (ret != 0)
		return ret;
	printf("\nport %u: %s\n", port->id, port->name);
	printf("  RX-packets: %-14" PRIu64 " RX-missed: %-12" PRIu64 " RX-bytes: %" PRIu64 "\n",
	       stats.ipackets, stats.imissed, stats.ibytes);
	printf("  RX-errors:  %-14" PRIu64 " RX-nombuf: %" PRIu64 "\n", stats.ierrors,
	       stats.rx_nombuf);
	printf("  TX-packets: %-14" PRIu64 " TX-errors: %-12" PRIu64 " TX-bytes: %" PRIu64 "\n",
	       stats.opackets, stats.oerrors, stats.obytes);
	return 0;
}

static int
print_xstats(const struct port *port, int count)
{
	struct rte_eth_xstat_name *names = calloc(count, sizeof(*names));
	struct rte_eth_xstat *values = calloc(count, sizeof(*values));
	int ret = -ENOMEM;

	if (names != NULL && values != NULL) {
		ret = rte_eth_xstats_get_names(port->id, names, count);
		if (ret > 0)
			ret = rte_eth_xstats_get(port->id, values, count);
	}
	for (int i = 0; i < RTE_MIN(ret, count); i++)
		printf("  %s: %" PRIu64 "\n", names[values[i].id].name, values[i].value);
	free(names);
	free(values);
	return RTE_MIN(ret, 0);
}

static int
show_xstats(struct session *session, struct port *port, const struct words *words)
{
	int count = rte_eth_xstats_get_names(port->id, NULL, 0);

	RTE_SET_USED(session);
	RTE_SET_USED(words);
	if (count < 0)
		return count;
	printf("\nport %u: %s\n", port->id, port->name);
	return count == 0 ? 0 : print_xstats(port, count);
}

static int
show_summary(struct session *session, struct port *port, const struct words *words)
{
	char mac[RTE_ETHER_ADDR_FMT_SIZE];
	struct rte_eth_link link = { 0 };

	RTE_SET_USED(session);
	RTE_SET_USED(words);
	rte_ether_format_addr(mac, sizeof(mac), &port->mac);
	rte_eth_link_get_nowait(port->id, &link);
	printf("%5u %-17s %-20s %-14s %-6s %s\n", port->id, mac, port->name, port->driver,
	       link.link_status ? "up" : "down", rte_eth_link_speed_to_str(link.link_speed));
	return 0;
}

static const struct {
	const char *word;
	int (*show)(struct session *, struct port *, const struct words *);
} port_views[] = {
	{ "info", show_info },
	{ "stats", show_stats },
	{ "xstats", show_xstats },
	{ "summary", show_summary },
};

static void
show_port(struct session *session, const struct words *words)
{
	if (word_is(words, 2, "summary"))
		printf("%5s %-17s %-20s %-14s %-6s %s\n", "port", "MAC address", "name", "driver",
		       "link", "speed");
	for (size_t i = 0; i < RTE_DIM(port_views); i++)
		if (word_is(words, 2, port_views[i].word))
			for_ports(session, words, 3, port_views[i].word, port_views[i].show);
}

static void
show_fwd_stats(struct session *session, const struct words *words)
{
	struct results results;

	RTE_SET_USED(words);
	if (!session->prepared) {
		msg_notice("nothing has been forwarded yet");
		return;
	}
	if (session->forwarding)
		session->run.seconds = run_now() - session->run.start;
	if (results_gather(&results, &session->run))
		report_print_traffic(stdout, &results);
	results_free(&results);
}

static int
clear_stats(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	port->base = (struct rte_eth_stats){ 0 };
	return rte_eth_stats_reset(port->id);
}

static int
clear_xstats(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	return rte_eth_xstats_reset(port->id);
}

static void
clear_port(struct session *session, const struct words *words)
{
	if (word_is(words, 2, "stats"))
		for_ports(session, words, 3, "clearing statistics", clear_stats);
	else
		for_ports(session, words, 3, "clearing extended statistics", clear_xstats);
}

static void
show_config_fwd(struct session *session, const struct words *words)
{
	const struct options *options = &session->options;

	RTE_SET_USED(words);
	printf("mode %s, %u port%s, %u lcore%s, %u receive and %u transmit queues per port, "
	       "packets per burst %u\n",
	       options->mode->name, session->ports.count, session->ports.count == 1 ? "" : "s",
	       options->nb_cores, options->nb_cores == 1 ? "" : "s", options->rxq, options->txq,
	       options->burst);
	for (uint32_t i = 0; session->prepared && i < session->streams.count; i++) {
		const struct stream *stream = &session->streams.of[i];

		printf("  receive port %u queue %u -> transmit port %u queue %u\n", stream->rx_port,
		       stream->rx_queue, stream->tx_port, stream->tx_queue);
	}
}

static void
show_config_rxtx(struct session *session, const struct words *words)
{
	RTE_SET_USED(words);
	printf("packets per burst %u, frame length %u in %u segment%s\n", session->options.burst,
	       tx_segments_total(&session->options.txpkts), session->options.txpkts.count,
	       session->options.txpkts.count == 1 ? "" : "s");
	for (uint16_t i = 0; i < session->ports.count; i++) {
		const struct port *port = &session->ports.of[i];

		printf("  port %u: receive queues %u of %u descriptors, offloads 0x%" PRIx64
		       "; transmit queues %u of %u descriptors, offloads 0x%" PRIx64 "%s\n",
		       port->id, port->nb_rxq, port->rxd, port->rx_offloads, port->nb_txq,
		       port->txd, port->tx_offloads,
		       port->renew ? " (at the next port start)" : "");
	}
}

static void
show_config_cores(struct session *session, const struct words *words)
{
	unsigned int id;

	RTE_SET_USED(words);
	printf("main lcore %u; %u of these forward:", rte_get_main_lcore(),
	       session->options.nb_cores);
	RTE_LCORE_FOREACH_WORKER (id)
		printf(" %u", id);
	printf("\n");
}

static int
print_rxq(const struct port *port, uint16_t queue)
{
	struct rte_eth_rxq_info info;
	int ret = rte_eth_rx_queue_info_get(port->id, queue, &info);

	if (ret != 0)
		return ret;
	printf("port %u receive queue %u\n", port->id, queue);
	printf("  descriptors         %u, free threshold %u\n", info.nb_desc,
	       info.conf.rx_free_thresh);
	printf("  mbuf pool           %s\n", info.mp == NULL ? "none" : info.mp->name);
	printf("  offloads            0x%" PRIx64 "\n", info.conf.offloads);
	printf("  drops when full     %s\n", info.conf.rx_drop_en ? "yes" : "no");
	printf("  scattered packets   %s\n", info.scattered_rx ? "yes" : "no");
	printf("  starts deferred     %s\n", info.conf.rx_deferred_start ? "yes" : "no");
	return 0;
}

static int
print_txq(const struct port *port, uint16_t queue)
{
	struct rte_eth_txq_info info;
	int ret = rte_eth_tx_queue_info_get(port->id, queue, &info);

	if (ret != 0)
		return ret;
	printf("port %u transmit queue %u\n", port->id, queue);
	printf("  descriptors         %u, free threshold %u, status threshold %u\n", info.nb_desc,
	       info.conf.tx_free_thresh, info.conf.tx_rs_thresh);
	printf("  offloads            0x%" PRIx64 "\n", info.conf.offloads);
	printf("  starts deferred     %s\n", info.conf.tx_deferred_start ? "yes" : "no");
	return 0;
}

static const struct queue_view {
	const char *word, *way, *what;
	size_t count; /* in struct port, uint16_t */
	int (*print)(const struct port *port, uint16_t queue);
	int (*get_path)(uint16_t port, uint16_t queue, struct rte_eth_burst_mode *mode);
} queue_views[] = {
	{ "rxq", "receive", "receive queue information", offsetof(struct port, nb_rxq), print_rxq,
	  rte_eth_rx_burst_mode_get },
	{ "txq", "transmit", "transmit queue information", offsetof(struct port, nb_txq), print_txq,
	  rte_eth_tx_burst_mode_get },
};

static void
print_queue(const struct queue_view *view, const struct port *port, uint64_t queue)
{
	uint16_t count = *(const uint16_t *)((const char *)port + view->count);
	struct rte_eth_burst_mode mode;

	if (queue >= count)
		msg_error("port %u (%s): found %s queue %" PRIu64
			  ", expected one of the %u that it has",
			  port->id, port->name, view->way, queue, count);
	else if (port_did(port, view->what, view->print(port, queue)) &&
		 view->get_path(port->id, queue, &mode) == 0)
		printf("  path                %s\n", mode.info);
}

static void
show_queue(struct session *session, const struct words *words)
{
	for (size_t i = 0; i < RTE_DIM(queue_views); i++)
		if (word_is(words, 1, queue_views[i].word))
			print_queue(&queue_views[i], word_port(session, words, 3),
				    word_number(words, 4));
}

static void
print_hash(struct session *session, const struct words *words, bool with_key)
{
	const struct port *port = word_port(session, words, 2);
	struct rte_eth_rss_conf conf = { 0 };
	uint8_t key[256];

	conf.rss_key = with_key ? key : NULL;
	/* What drivers without a size of their own take. */
	conf.rss_key_len = port->info.hash_key_size == 0
				   ? HASH_KEY_FALLBACK
				   : RTE_MIN(port->info.hash_key_size, sizeof(key));
	if (!port_did(port, "RSS hash", rte_eth_dev_rss_hash_conf_get(port->id, &conf)))
		return;
	printf("port %u: RSS %s, types 0x%" PRIx64 "\n", port->id, conf.rss_hf == 0 ? "off" : "on",
	       conf.rss_hf);
	if (!with_key)
		return;
	printf("  key ");
	for (uint32_t i = 0; i < conf.rss_key_len && i < sizeof(key); i++)
		printf("%02x", key[i]);
	printf("\n");
}

static void
show_hash(struct session *session, const struct words *words)
{
	print_hash(session, words, false);
}

static void
show_hash_key(struct session *session, const struct words *words)
{
	print_hash(session, words, true);
}

const struct command commands_show[] = {
	{ "show port info|stats|xstats|summary PORTS", "what a port is and has counted", false,
	  show_port },
	{ "show fwd stats all", "what the streams have counted in this run", false,
	  show_fwd_stats },
	{ "clear port stats|xstats PORTS", "set the driver's counters to 0", false, clear_port },
	{ "show config fwd", "who sends what who receives", false, show_config_fwd },
	{ "show config rxtx", "bursts, rings and offloads", false, show_config_rxtx },
	{ "show config cores", "the lcores", false, show_config_cores },
	{ "show rxq|txq info PORT N", "a queue and its path", false, show_queue },
	{ "show port PORT rss-hash", "the RSS types", false, show_hash },
	{ "show port PORT rss-hash key", "the RSS types and the key", false, show_hash_key },
	{ 0 },
};
