/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>

#include <rte_errno.h>

#include "fwd.h"
#include "msg.h"
#include "ports.h"

/* Prints that `what` failed with -ret. */
static bool
failed(const struct port *port, const char *what, int ret, const char *hint)
{
	msg_error("port %u (%s, %s): %s failed: %s", port->id, port->name, port->driver, what,
		  rte_strerror(-ret));
	msg_hint("%s", hint);
	return false;
}

/* Names the offloads that were asked for and are not to be had; returns the others. */
static uint64_t
keep_offered(const struct port *port, uint64_t asked, uint64_t offered,
	     const char *(*name_of)(uint64_t))
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t offload = asked & RTE_BIT64(bit);

		if (offload != 0 && (offload & offered) == 0)
			msg_notice("port %u (%s): %s does not offer %s, going on without", port->id,
				   port->name, port->driver, name_of(offload));
	}
	return asked & offered;
}

/*
 * The driver may free sent mbufs the fast way only if all come from one pool and none is shared;
 * chains are left out, as drivers differ in what they make of them.
 */
static uint64_t
fast_free(const struct port *port, const struct options *options)
{
	if (port->many_pools || options->txpkts.count > 1 || options->enable_scatter ||
	    options->enable_lro)
		return 0;
	return port->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
}

static void
choose_offloads(struct port *port, const struct options *options)
{
	uint64_t rx = options->rx_offloads | port->more_rx_offloads;
	uint64_t tx = options->tx_offloads | port->more_tx_offloads | fast_free(port, options);

	if (options->enable_rx_cksum)
		rx |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
	if (options->enable_lro)
		rx |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
	if (options->enable_scatter)
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if ((options->mode->sends && options->enable_scatter) ||
	    (options_make_frames(options) && options->txpkts.count > 1))
		tx |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	rx &= ~port->less_rx_offloads;
	tx &= ~port->less_tx_offloads;
	port->rx_offloads = keep_offered(port, rx, port->info.rx_offload_capa,
					 rte_eth_dev_rx_offload_name);
	port->tx_offloads = keep_offered(port, tx, port->info.tx_offload_capa,
					 rte_eth_dev_tx_offload_name);
}

/* What a frame has around the MTU's worth of payload, in bytes. */
static uint32_t
frame_overhead(const struct rte_eth_dev_info *info)
{
	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		return info->max_rx_pktlen - info->max_mtu;
	return RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
}

static bool
choose_mtu(const struct port *port, const struct options *options, uint32_t *mtu)
{
	uint32_t overhead = frame_overhead(&port->info);
	uint32_t least = overhead + RTE_MAX(port->info.min_mtu, RTE_ETHER_MIN_MTU);

	*mtu = port->mtu;
	if (port->mtu != 0 || options->max_pkt_len == 0)
		return true;
	if (options->max_pkt_len >= least && options->max_pkt_len <= port->info.max_rx_pktlen) {
		*mtu = options->max_pkt_len - overhead;
		return true;
	}
	msg_error("port %u (%s): --max-pkt-len %u, the device takes from %u to %u", port->id,
		  port->name, options->max_pkt_len, least, port->info.max_rx_pktlen);
	msg_hint("choose a length in that range");
	return false;
}

static uint64_t
wanted_hash(const struct port *port, const struct options *options)
{
	if (port->has_hash)
		return port->hash;
	/* As in stock testpmd, the last word is UDP's. */
	return options->rss_udp ? RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP : RTE_ETH_RSS_IP;
}

static bool
configure(struct port *port, const struct options *options)
{
	struct rte_eth_conf conf = { 0 };
	uint64_t hash = wanted_hash(port, options) & port->info.flow_type_rss_offloads;
	uint32_t flags = *port->info.dev_flags;
	int ret;

	choose_offloads(port, options);
	if (!choose_mtu(port, options, &conf.rxmode.mtu))
		return false;
	conf.rxmode.offloads = port->rx_offloads;
	conf.txmode.offloads = port->tx_offloads;
	if (port->nb_rxq > 1 && (hash != 0 || port->has_hash)) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = hash;
	}
	conf.intr_conf.lsc = (flags & RTE_ETH_DEV_INTR_LSC) != 0;
	conf.intr_conf.rmv = (flags & RTE_ETH_DEV_INTR_RMV) != 0;
	ret = rte_eth_dev_configure(port->id, port->nb_rxq, port->nb_txq, &conf);
	if (ret != 0)
		return failed(port, "configure", ret,
			      "the driver's message above says which setting it refuses");
	port->configured = true;
	return true;
}

static bool
queue_failed(const struct port *port, const char *way, uint16_t queue, uint16_t ring, int ret,
	     const struct rte_eth_desc_lim *limits)
{
	msg_error("port %u (%s, %s): set-up of %s queue %u with %u descriptors failed: %s",
		  port->id, port->name, port->driver, way, queue, ring, rte_strerror(-ret));
	msg_hint("the driver takes %u to %u descriptors in steps of %u (--%sd), mbufs of at least "
		 "%u bytes besides headroom (--mbuf-size), or needs --enable-scatter",
		 limits->nb_min, limits->nb_max, RTE_MAX(limits->nb_align, 1),
		 way[0] == 'r' ? "rx" : "tx", port->info.min_rx_bufsize);
	return false;
}

static bool
setup_queues(const struct port *port)
{
	struct rte_eth_rxconf rx = port->info.default_rxconf;
	struct rte_eth_txconf tx = port->info.default_txconf;
	int socket = rte_eth_dev_socket_id(port->id);
	int ret;

	rx.offloads = port->rx_offloads;
	tx.offloads = port->tx_offloads;
	for (uint16_t queue = 0; queue < port->nb_rxq; queue++) {
		ret = rte_eth_rx_queue_setup(port->id, queue, port->rxd, socket, &rx, port->pool);
		if (ret != 0)
			return queue_failed(port, "receive", queue, port->rxd, ret,
					    &port->info.rx_desc_lim);
	}
	for (uint16_t queue = 0; queue < port->nb_txq; queue++) {
		ret = rte_eth_tx_queue_setup(port->id, queue, port->txd, socket, &tx);
		if (ret != 0)
			return queue_failed(port, "transmit", queue, port->txd, ret,
					    &port->info.tx_desc_lim);
	}
	return true;
}

bool
port_start(struct port *port, const struct options *options)
{
	int ret;

	if (port->renew && (!configure(port, options) || !setup_queues(port)))
		return false;
	port->renew = false;
	ret = rte_eth_dev_start(port->id);
	if (ret != 0)
		return failed(port, "start", ret,
			      "the driver's message above says what it lacks; mbufs can be made "
			      "more with --total-num-mbufs");
	port->started = true;
	memset(port->rxq_stopped, 0, sizeof(port->rxq_stopped));
	memset(port->txq_stopped, 0, sizeof(port->txq_stopped));
	ret = rte_eth_macaddr_get(port->id, &port->mac);
	if (ret != 0)
		msg_notice("port %u (%s): MAC address not known: %s", port->id, port->name,
			   rte_strerror(-ret));
	if (port->is_picky)
		return true;
	ret = rte_eth_promiscuous_enable(port->id);
	if (ret != 0)
		msg_notice("port %u (%s): promiscuous mode not set: %s, going on without", port->id,
			   port->name, rte_strerror(-ret));
	return true;
}
