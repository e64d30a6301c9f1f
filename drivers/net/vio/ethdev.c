/* SPDX-License-Identifier: BSD-3-Clause */
/* The ethdev operations, and what belongs to no other file of them. */
#include <errno.h>

#include "announce.h"
#include "log.h"
#include "offload.h"
#include "port.h"
#include "ports.h"
#include "refuse.h"
#include "rx_chain.h"
#include "tx.h"

/* ethdev fills in the longest frame where the application has asked for nothing. */
static bool
wants_lro_limit(const struct rte_eth_rxmode *mode)
{
	uint32_t frame = mode->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

	return (mode->offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO) &&
	       mode->max_lro_pkt_size < VIO_FRAME_MAX && mode->max_lro_pkt_size != frame;
}

static int
dev_configure(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);
	const struct rte_eth_conf *conf = &dev->data->dev_conf;

	if (conf->rxmode.mq_mode & ~RTE_ETH_MQ_RX_RSS_FLAG ||
	    conf->txmode.mq_mode != RTE_ETH_MQ_TX_NONE) {
		PORT_LOG(port, ERR,
			 "multi-queue modes 0x%x (rx) and 0x%x (tx) are not supported; use none",
			 conf->rxmode.mq_mode, conf->txmode.mq_mode);
		return -ENOTSUP;
	}
	if (vio_refuse_configuration(dev, conf) < 0)
		return -ENOTSUP;
	if (vio_rss_configure(port) < 0)
		return -EINVAL;
	if (wants_lro_limit(&conf->rxmode))
		vio_refuse(dev, VIO_NO_LRO_LIMIT);
	if (conf->link_speeds & RTE_ETH_LINK_SPEED_FIXED)
		vio_refuse(dev, VIO_NO_LINK_SPEED);
	if (dev->data->nb_tx_queues > dev->data->nb_rx_queues)
		PORT_LOG(port, NOTICE,
			 "%u tx but %u rx queues: the device may put frames on rx queues that "
			 "nobody polls",
			 dev->data->nb_tx_queues, dev->data->nb_rx_queues);
	return vio_rx_intr_check(port);
}

/* Deferred queues wait at each start of the port. */
static void
defer_queues(struct rte_eth_dev *dev)
{
	struct vio_rxq **rx = (struct vio_rxq **)dev->data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)dev->data->tx_queues;

	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++)
		if (rx[i] != NULL)
			rx[i]->stopped = rx[i]->deferred;
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++)
		if (tx[i] != NULL)
			tx[i]->stopped = tx[i]->deferred;
}

static void
set_queue_states(struct rte_eth_dev *dev, bool started)
{
	const struct vio_rxq **rx = (const struct vio_rxq **)dev->data->rx_queues;
	const struct vio_txq **tx = (const struct vio_txq **)dev->data->tx_queues;

	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++)
		dev->data->rx_queue_state[i] = started && !rx[i]->stopped
						       ? RTE_ETH_QUEUE_STATE_STARTED
						       : RTE_ETH_QUEUE_STATE_STOPPED;
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++)
		dev->data->tx_queue_state[i] = started && !tx[i]->stopped
						       ? RTE_ETH_QUEUE_STATE_STARTED
						       : RTE_ETH_QUEUE_STATE_STOPPED;
}

static int
dev_start(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	pthread_mutex_lock(&port->lock);
	/* What was noticed of an earlier life; pollers may notice something of the new one before
	 * it is complete. */
	vio_recover_stop(port);
	defer_queues(dev);
	port->link_held = port->announce_late = false;
	port->filter.vlans_open = false;
	ret = vio_port_start(port);
	/* Without a peer the port waits for one, as it does when the peer leaves later on. */
	if (ret == -ENODEV && port->reconnect != NULL) {
		ret = vio_offloads_start(port); /* the paths are chosen by it, and once */
		if (ret == 0)
			vio_port_choose_paths(port);
	}
	if (ret == 0) {
		vio_recover_start(port);
		vio_watch_start(port);
	}
	pthread_mutex_unlock(&port->lock);
	if (ret < 0) {
		vio_intr_stop(port);
		return ret;
	}
	dev->data->scattered_rx = vio_may_scatter(dev, dev->data->mtu);
	set_queue_states(dev, true);
	vio_link_update(dev, 1);
	return 0;
}

static int
dev_stop(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	dev->data->dev_started = 0;
	/* From here on no recovery starts interrupts; the thread that they come on is waited for
	 * without the lock, which it may want. */
	pthread_mutex_lock(&port->lock);
	vio_recover_stop(port);
	pthread_mutex_unlock(&port->lock);
	vio_intr_stop(port);
	pthread_mutex_lock(&port->lock);
	ret = vio_port_stop(port);
	pthread_mutex_unlock(&port->lock);
	set_queue_states(dev, false);
	vio_link_update(dev, 1);
	return ret;
}

/* The device may have buffers still, from a stop that it did not acknowledge: it is asked once
 * more. */
static int
last_reset(struct vio_port *port)
{
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = vio_port_stop(port);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

static int
dev_close(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	if (dev->data->dev_started)
		dev_stop(dev);
	if (port->unwatch != NULL)
		port->unwatch(port);
	vio_ports_leave(dev);
	vio_watch_fini(port);
	vio_announce_fini(port);
	vio_link_fini(port);
	vio_recover_fini(port);
	ret = last_reset(port);
	/* Nobody will ask it again, and what it may still write to is the application's to free. */
	if (ret < 0) {
		port->gone = true;
		port->isolate(port);
	}
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++)
		vio_rx_queue_release(dev, i);
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++)
		vio_tx_queue_release(dev, i);
	port->release(port);
	vio_port_fini(port);
	return ret;
}

/* ethdev has stopped the port. Its queues stay set up, as long as the device still has the features
 * that they are for. */
static int
dev_reset(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = vio_port_reset(port);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

/* A peer that may come again, or another in its place, is not removed. Whoever is at work on the
 * port meanwhile, for seconds perhaps, finds out himself. Asked for many times a second. */
static int
is_removed(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	if (port->reconnect != NULL)
		return 0;
	if (pthread_mutex_trylock(&port->lock) != 0)
		return port->gone;
	ret = port->gone || vio_device_is_gone(&port->device);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

const struct eth_dev_ops vio_ops = {
	.dev_configure = dev_configure,
	.dev_start = dev_start,
	.dev_stop = dev_stop,
	.dev_close = dev_close,
	.dev_reset = dev_reset,
	.is_removed = is_removed,
	.dev_infos_get = vio_infos_get,
	.rx_queue_setup = vio_rx_queue_setup,
	.tx_queue_setup = vio_tx_queue_setup,
	.rx_queue_release = vio_rx_queue_release,
	.tx_queue_release = vio_tx_queue_release,
	.rxq_info_get = vio_rxq_info_get,
	.txq_info_get = vio_txq_info_get,
	.rx_burst_mode_get = vio_rx_burst_mode_get,
	.tx_burst_mode_get = vio_tx_burst_mode_get,
	.rx_queue_start = vio_rx_queue_start,
	.rx_queue_stop = vio_rx_queue_stop,
	.tx_queue_start = vio_tx_queue_start,
	.tx_queue_stop = vio_tx_queue_stop,
	.rx_queue_intr_enable = vio_rx_queue_intr_enable,
	.rx_queue_intr_disable = vio_rx_queue_intr_disable,
	.get_monitor_addr = vio_get_monitor_addr,
	.tx_done_cleanup = vio_tx_done_cleanup,
	.link_update = vio_link_update,
	.dev_set_link_up = vio_set_link_up,
	.dev_set_link_down = vio_set_link_down,
	.promiscuous_enable = vio_promiscuous_enable,
	.promiscuous_disable = vio_promiscuous_disable,
	.allmulticast_enable = vio_allmulticast_enable,
	.allmulticast_disable = vio_allmulticast_disable,
	.mac_addr_set = vio_mac_addr_set,
	.mac_addr_add = vio_mac_addr_add,
	.mac_addr_remove = vio_mac_addr_remove,
	.set_mc_addr_list = vio_set_mc_addr_list,
	.mtu_set = vio_mtu_set,
	.dev_supported_ptypes_get = vio_supported_ptypes_get,
	.dev_ptypes_set = vio_ptypes_set,
	.vlan_filter_set = vio_vlan_filter_set,
	.vlan_offload_set = vio_vlan_offload_set,
	.rss_hash_update = vio_rss_hash_update,
	.rss_hash_conf_get = vio_rss_hash_conf_get,
	.reta_update = vio_reta_update,
	.reta_query = vio_reta_query,
	.stats_get = vio_stats_get,
	.stats_reset = vio_stats_reset,
	.xstats_get = vio_xstats_get,
	.xstats_get_names = vio_xstats_get_names,
	.xstats_reset = vio_stats_reset,
	.eth_dev_priv_dump = vio_priv_dump,
	.flow_ctrl_get = vio_flow_ctrl_get,
	.flow_ctrl_set = vio_flow_ctrl_set,
	.flow_ops_get = vio_flow_ops_get,
	.timesync_enable = vio_timesync_enable,
};
