/* SPDX-License-Identifier: BSD-3-Clause */
/* Which frames the device lets through: modes, MAC addresses, VLANs. */
#ifndef VIO_PMD_FILTER_H
#define VIO_PMD_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

struct rte_eth_dev;
struct vio_port;

/* Unicast addresses of a port, its own among them, and multicast addresses that are told one by
 * one: with more, the device is asked for all multicast. */
#define VIO_MAC_MAX       64
#define VIO_MULTICAST_MAX 256

/*
 * What was asked for, under the port's lock. ethdev remembers most of it as well, but only after
 * the operation has returned: a recovery in between would tell the device what was before.
 */
struct vio_filter {
	bool promiscuous;
	bool all_multicast;
	struct rte_ether_addr addresses[VIO_MAC_MAX]; /* the port's own first; unused ones are 0 */
	uint64_t vlans[RTE_ETHER_MAX_VLAN_ID / 64 + 1];
	struct rte_ether_addr multicast[VIO_MULTICAST_MAX];
	bool vlans_open; /* the VLAN filter was switched off since the start: all are let through */
	uint32_t multicast_count; /* as asked for: beyond VIO_MULTICAST_MAX none is kept */
	bool table_refused;       /* by the device: it is asked for all such frames instead */
	uint32_t told;            /* refusals that were logged: one bit for each kind */
};

int vio_promiscuous_enable(struct rte_eth_dev *dev);
int vio_promiscuous_disable(struct rte_eth_dev *dev);
int vio_allmulticast_enable(struct rte_eth_dev *dev);
int vio_allmulticast_disable(struct rte_eth_dev *dev);
int vio_mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac);
int vio_mac_addr_add(struct rte_eth_dev *dev, struct rte_ether_addr *mac, uint32_t index,
		     uint32_t pool);
void vio_mac_addr_remove(struct rte_eth_dev *dev, uint32_t index);
int vio_set_mc_addr_list(struct rte_eth_dev *dev, struct rte_ether_addr *list, uint32_t count);

/* The addresses that a port can have. */
uint32_t vio_mac_addrs_max(const struct vio_port *port);

/* Tells a device that has come to life, with the port's lock held. 0 or a negative errno value. */
int vio_filter_restore(struct vio_port *port);

/* VLANs (vlan.c). */
int vio_vlan_filter_set(struct rte_eth_dev *dev, uint16_t id, int on);
int vio_vlan_offload_set(struct rte_eth_dev *dev, int mask);
int vio_vlan_restore(struct vio_port *port);

#endif
