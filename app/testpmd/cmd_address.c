/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "commands.h"
#include "msg.h"

#define VLAN_MAX 4095

static struct rte_ether_addr
word_mac(const struct words *words, unsigned int at)
{
	struct rte_ether_addr address = { 0 };

	rte_ether_unformat_addr(words->of[at], &address);
	return address;
}

static void
mac_add(struct session *session, const struct words *words)
{
	const struct port *port = word_port(session, words, 2);
	struct rte_ether_addr address = word_mac(words, 3);

	port_did(port, "adding a MAC address", rte_eth_dev_mac_addr_add(port->id, &address, 0));
}

static void
mac_remove(struct session *session, const struct words *words)
{
	const struct port *port = word_port(session, words, 2);
	struct rte_ether_addr address = word_mac(words, 3);

	port_did(port, "removing a MAC address", rte_eth_dev_mac_addr_remove(port->id, &address));
}

static void
mac_set(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 2);
	struct rte_ether_addr address = word_mac(words, 3);

	if (port_did(port, "setting the MAC address",
		     rte_eth_dev_default_mac_addr_set(port->id, &address)))
		port->mac = address;
}

/* Flips one bit of the VLAN settings, also for when the port is configured anew. */
static void
set_vlan_offload(struct port *port, const char *what, int bit, bool on)
{
	uint64_t offload = bit == RTE_ETH_VLAN_STRIP_OFFLOAD ? RTE_ETH_RX_OFFLOAD_VLAN_STRIP
							     : RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	int now = rte_eth_dev_get_vlan_offload(port->id);

	if (now >= 0 && !(port->info.rx_offload_capa & offload))
		now = -ENOTSUP;
	if (now >= 0)
		now = rte_eth_dev_set_vlan_offload(port->id, on ? now | bit : now & ~bit);
	if (!port_did(port, what, now))
		return;
	port->rx_offloads = on ? port->rx_offloads | offload : port->rx_offloads & ~offload;
	/* What is less is taken off what is more. */
	if (on)
		port->more_rx_offloads |= offload;
	port->less_rx_offloads = on ? port->less_rx_offloads & ~offload
				    : port->less_rx_offloads | offload;
}

static void
vlan_set_strip(struct session *session, const struct words *words)
{
	set_vlan_offload(word_port(session, words, 4), "stripping VLAN tags",
			 RTE_ETH_VLAN_STRIP_OFFLOAD, word_is(words, 3, "on"));
}

static void
vlan_set_filter(struct session *session, const struct words *words)
{
	set_vlan_offload(word_port(session, words, 4), "filtering by VLAN",
			 RTE_ETH_VLAN_FILTER_OFFLOAD, word_is(words, 3, "on"));
}

/* Ethdev says of a filter that is off that the driver has none. */
static bool
filters_vlans(const struct port *port)
{
	if (!(port->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER))
		return port_did(port, "VLAN filter", -ENOTSUP);
	if (rte_eth_dev_get_vlan_offload(port->id) & RTE_ETH_VLAN_FILTER_OFFLOAD)
		return true;
	msg_error("port %u (%s): its VLAN filter is off, expected on", port->id, port->name);
	msg_hint("vlan set filter on %u", port->id);
	return false;
}

static void
rx_vlan(struct session *session, const struct words *words)
{
	const struct port *port = word_port(session, words, 3);
	bool on = word_is(words, 1, "add");

	if (in_range("rx_vlan", word_number(words, 2), 0, VLAN_MAX) && filters_vlans(port))
		port_did(port, "VLAN filter",
			 rte_eth_dev_vlan_filter(port->id, word_number(words, 2), on));
}

/* Ends at the first that fails: the others would too. */
static void
rx_vlan_all(struct session *session, const struct words *words)
{
	const struct port *port = word_port(session, words, 3);
	bool on = word_is(words, 1, "add");

	for (uint16_t id = 0; filters_vlans(port) && id <= VLAN_MAX; id++)
		if (!port_did(port, "VLAN filter", rte_eth_dev_vlan_filter(port->id, id, on)))
			return;
}

static void
tx_vlan_set(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 2);

	if (!in_range("tx_vlan set", word_number(words, 3), 0, VLAN_MAX))
		return;
	if (!(port->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)) {
		msg_error("port %u (%s): driver %s does not support: %s", port->id, port->name,
			  port->driver, "inserting VLAN tags");
		return;
	}
	if (port->started) {
		msg_error("port %u (%s): is started, expected a stopped port", port->id,
			  port->name);
		msg_hint("port stop %u", port->id);
		return;
	}
	port->inserts_vlan = true;
	port->vlan_tci = word_number(words, 3);
	port->more_tx_offloads |= RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	port->renew = true;
}

static void
tx_vlan_reset(struct session *session, const struct words *words)
{
	word_port(session, words, 2)->inserts_vlan = false;
}

const struct command commands_address[] = {
	{ "mac_addr add PORT MAC", "receive for one more address", false, mac_add },
	{ "mac_addr remove PORT MAC", "no longer receive for it", false, mac_remove },
	{ "mac_addr set PORT MAC", "change the port's own address", false, mac_set },
	{ "vlan set strip on|off PORT", "take VLAN tags off received packets", false,
	  vlan_set_strip },
	{ "vlan set filter on|off PORT", "receive only chosen VLANs", false, vlan_set_filter },
	{ "rx_vlan add|rm N PORT", "a VLAN to receive", false, rx_vlan },
	{ "rx_vlan add|rm all PORT", "all of them", false, rx_vlan_all },
	{ "tx_vlan set PORT N", "put a VLAN tag on what is sent", true, tx_vlan_set },
	{ "tx_vlan reset PORT", "no longer do so", true, tx_vlan_reset },
	{ 0 },
};
