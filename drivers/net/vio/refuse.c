/* SPDX-License-Identifier: BSD-3-Clause */
#include "refuse.h"

#include <errno.h>

#include "log.h"
#include "port.h"

static const char *const reasons[VIO_REFUSALS] = {
	[VIO_NO_HASH] =
		"no hash to configure: the device offers neither RSS nor HASH_REPORT (QEMU: "
		"rss=on, hash=on)",
	[VIO_NO_TABLE] =
		"no redirection table: the device offers no RSS (QEMU: rss=on); it chooses "
		"receive queues by itself",
	[VIO_NO_FLOW_CONTROL] =
		"no flow control: a virtio-net device sends no pause frames; give the "
		"queues more descriptors",
	[VIO_NO_FLOWS] =
		"no flow rules (rte_flow): this driver does not use the device's flow filter; "
		"spread frames by RSS, and sort them in the application",
	[VIO_NO_TIMESYNC] = "no time stamps: a virtio-net device tells none",
	[VIO_NO_QUEUE_RESET] = "single queues cannot be stopped: the device has no RING_RESET; "
			       "stop the port",
	[VIO_NO_LRO_LIMIT] =
		"max_lro_pkt_size is not obeyed: a virtio-net device cannot be told how long the "
		"segments are that it puts together; be ready for 65550 bytes, or leave LRO off",
	[VIO_NO_LINK] = "the link of a stopped port is down, and its start brings it up: start the "
			"port, then set the link down",
	[VIO_NO_LINK_SPEED] = "link_speeds is not obeyed: a virtio-net device tells its speed and "
			      "takes none; ask for none (0), or tell another (speed=N)",
	[VIO_NO_RX_INTR] = "no receive interrupts to switch: configure the port with "
			   "intr_conf.rxq = 1, and start it",
	[VIO_NO_VLAN_FILTER] = "no VLAN filter: the device offers no CTRL_VLAN; sort frames in the "
			       "application",
	[VIO_NO_LOOPBACK] =
		"lpbk_mode is not obeyed: a virtio-net device has no loopback; its peer "
		"may send back what comes",
	[VIO_NO_VLAN_POLICY] =
		"no VLAN policy for transmitted frames (hw_vlan_insert_pvid, "
		"hw_vlan_reject_tagged, hw_vlan_reject_untagged): a virtio-net device knows none; "
		"leave them 0, and insert tags by RTE_ETH_TX_OFFLOAD_VLAN_INSERT",
	[VIO_NO_TSO4] =
		"TCP is segmented over IPv6 alone: the device offers no HOST_TSO4; a packet over "
		"IPv4 that asks for it is dropped, as rte_eth_tx_prepare() tells beforehand: "
		"segment it in the application (rte_gso)",
	[VIO_NO_TSO6] =
		"TCP is segmented over IPv4 alone: the device offers no HOST_TSO6; a packet over "
		"IPv6 that asks for it is dropped, as rte_eth_tx_prepare() tells beforehand: "
		"segment it in the application",
};

int
vio_refuse(struct rte_eth_dev *dev, enum vio_refusal what)
{
	struct vio_port *port = vio_port(dev);
	uint32_t bit = 1u << what;

	if (!(__atomic_fetch_or(&port->refused, bit, __ATOMIC_RELAXED) & bit))
		PORT_LOG(port, NOTICE, "%s", reasons[what]);
	return -ENOTSUP;
}

int
vio_flow_ctrl_get(struct rte_eth_dev *dev, struct rte_eth_fc_conf *conf)
{
	RTE_SET_USED(conf);
	return vio_refuse(dev, VIO_NO_FLOW_CONTROL);
}

int
vio_flow_ctrl_set(struct rte_eth_dev *dev, struct rte_eth_fc_conf *conf)
{
	RTE_SET_USED(conf);
	return vio_refuse(dev, VIO_NO_FLOW_CONTROL);
}

int
vio_timesync_enable(struct rte_eth_dev *dev)
{
	return vio_refuse(dev, VIO_NO_TIMESYNC);
}

int
vio_flow_ops_get(struct rte_eth_dev *dev, const struct rte_flow_ops **ops)
{
	vio_refuse(dev, VIO_NO_FLOWS);
	*ops = NULL;
	return 0;
}

int
vio_refuse_configuration(struct rte_eth_dev *dev, const struct rte_eth_conf *conf)
{
	const struct rte_eth_txmode *tx = &conf->txmode;
	uint64_t usable = vio_port(dev)->usable;

	/* Told, and gone on without, as other drivers do silently: dpdk-test asks for it. */
	if (conf->lpbk_mode != 0)
		vio_refuse(dev, VIO_NO_LOOPBACK);
	if (tx->offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) {
		if (!vio_has(usable, VIRTIO_NET_F_HOST_TSO4))
			vio_refuse(dev, VIO_NO_TSO4);
		if (!vio_has(usable, VIRTIO_NET_F_HOST_TSO6))
			vio_refuse(dev, VIO_NO_TSO6);
	}
	if (tx->hw_vlan_insert_pvid || tx->hw_vlan_reject_tagged || tx->hw_vlan_reject_untagged)
		return vio_refuse(dev, VIO_NO_VLAN_POLICY);
	return 0;
}
