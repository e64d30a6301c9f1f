/* SPDX-License-Identifier: BSD-3-Clause */
/* What an application may ask of a port and never gets: each refusal says why, once a port. */
#ifndef VIO_PMD_REFUSE_H
#define VIO_PMD_REFUSE_H

#include <ethdev_driver.h>

enum vio_refusal {
	VIO_NO_HASH,
	VIO_NO_TABLE,
	VIO_NO_FLOW_CONTROL,
	VIO_NO_FLOWS,
	VIO_NO_TIMESYNC,
	VIO_NO_QUEUE_RESET,
	VIO_NO_LRO_LIMIT,
	VIO_NO_LINK,
	VIO_NO_LINK_SPEED,
	VIO_NO_RX_INTR,
	VIO_NO_VLAN_FILTER,
	VIO_NO_LOOPBACK,
	VIO_NO_VLAN_POLICY,
	VIO_NO_TSO4,
	VIO_NO_TSO6,
	VIO_REFUSALS
};

/* Says why, unless it was said before. Returns -ENOTSUP. */
int vio_refuse(struct rte_eth_dev *dev, enum vio_refusal what);

/* What a configuration asks for beyond modes and offloads: 0, or -ENOTSUP. */
int vio_refuse_configuration(struct rte_eth_dev *dev, const struct rte_eth_conf *conf);

/* ethdev operations that no virtio-net device can do, or not by this driver. */
int vio_flow_ctrl_get(struct rte_eth_dev *dev, struct rte_eth_fc_conf *conf);
int vio_flow_ctrl_set(struct rte_eth_dev *dev, struct rte_eth_fc_conf *conf);
int vio_timesync_enable(struct rte_eth_dev *dev);
/* Gives no table of operations, which ethdev tells the application as ENOSYS. */
int vio_flow_ops_get(struct rte_eth_dev *dev, const struct rte_flow_ops **ops);

#endif
