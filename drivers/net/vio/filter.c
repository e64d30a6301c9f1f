/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which frames the device lets through, by their addresses (spec 5.1.6.5.1, 5.1.6.5.2).
 *
 * A device only ever hears of the whole: the tables with all addresses, the modes as they are to
 * be. So a change is the same as a restart, only smaller.
 */
#include "filter.h"

#include <endian.h>
#include <errno.h>

#include "log.h"
#include "port.h"

enum refusal { NO_RX_MODES, NO_MAC_ADDR, NO_MAC_TABLE, NO_MULTICAST };

/* The data of VIRTIO_NET_CTRL_MAC_TABLE_SET: both tables, one after the other. */
struct tables {
	uint8_t bytes[2 * sizeof(uint32_t) +
		      (VIO_MAC_MAX + VIO_MULTICAST_MAX) * RTE_ETHER_ADDR_LEN];
	uint16_t len;
	uint16_t cut; /* where the second one begins */
};

static_assert(sizeof(((struct tables *)0)->bytes) <= VIO_CTRL_DATA_MAX, "the tables are too long");

static bool
filters_nothing(const struct vio_port *port)
{
	return port->filters_nothing;
}

/* Says, once for each kind, that and why something cannot be had. */
static int
refuse(struct vio_port *port, enum refusal kind, const char *what)
{
	static const struct {
		const char *feature, *property;
	} lacks[] = {
		[NO_RX_MODES] = { "CTRL_RX", "ctrl_rx" },
		[NO_MAC_TABLE] = { "CTRL_RX", "ctrl_rx" },
		[NO_MAC_ADDR] = { "CTRL_MAC_ADDR", "ctrl_mac_addr" },
	};

	if (!(port->filter.told & 1u << kind))
		PORT_LOG(port, ERR,
			 "%s: the device does not offer %s; configure it with that (QEMU: %s=on)",
			 what, lacks[kind].feature, lacks[kind].property);
	port->filter.told |= 1u << kind;
	return -ENOTSUP;
}

/* --- the tables
 * --------------------------------------------------------------------------------------- */

static void
put_address(struct tables *tables, const struct rte_ether_addr *address)
{
	memcpy(tables->bytes + tables->len, address, sizeof(*address));
	tables->len += sizeof(*address);
}

static void
put_count(struct tables *tables, uint16_t at, uint32_t count)
{
	count = htole32(count);
	memcpy(tables->bytes + at, &count, sizeof(count));
}

/* A legacy device without a command for it takes its address from the configuration (NET-LEG-03).
 */
static bool
takes_written_address(const struct vio_port *port)
{
	return port->transport->ops->legacy && vio_has(port->features, VIRTIO_NET_F_MAC) &&
	       !vio_has(port->features, VIRTIO_NET_F_CTRL_MAC_ADDR);
}

/* The port's own address is in no table, unless the device can be told of it in no other way. */
static bool
wants_own_address(const struct vio_port *port, const struct rte_ether_addr *own)
{
	return !vio_has(port->features, VIRTIO_NET_F_CTRL_MAC_ADDR) &&
	       !takes_written_address(port) && memcmp(own, port->config.mac, sizeof(*own)) != 0;
}

/* Returns how many addresses are told. */
static uint32_t
fill_tables(const struct vio_port *port, struct tables *tables)
{
	const struct vio_filter *filter = &port->filter;
	const struct rte_ether_addr *addresses = filter->addresses;
	uint32_t unicast = 0, multicast = 0, i = wants_own_address(port, addresses) ? 0 : 1;

	tables->len = sizeof(uint32_t);
	for (; i < VIO_MAC_MAX; i++) {
		/* ethdev takes multicast addresses here, too. */
		if (rte_is_zero_ether_addr(&addresses[i]) ||
		    rte_is_multicast_ether_addr(&addresses[i]))
			continue;
		put_address(tables, &addresses[i]);
		unicast++;
	}
	put_count(tables, 0, unicast);
	tables->cut = tables->len;
	tables->len += sizeof(uint32_t);
	for (i = 1; i < VIO_MAC_MAX; i++) {
		if (!rte_is_multicast_ether_addr(&addresses[i]))
			continue;
		put_address(tables, &addresses[i]);
		multicast++;
	}
	for (i = 0; filter->multicast_count <= VIO_MULTICAST_MAX && i < filter->multicast_count;
	     i++) {
		put_address(tables, &filter->multicast[i]);
		multicast++;
	}
	put_count(tables, tables->cut, multicast);
	return unicast + multicast;
}

/* --- the modes
 * ---------------------------------------------------------------------------------------- */

static int
send_mode(struct vio_port *port, const char *what, uint8_t command, uint8_t on)
{
	return vio_ctrl_send(port, what, VIO_NET_CTRL_RX, command, &on, sizeof(on));
}

/*
 * What the application asked for, or what must stand in for a table that the device did not take or
 * that would be too long: then frames come that nobody asked for, which is better than none.
 */
static int
send_modes(struct vio_port *port)
{
	const struct vio_filter *filter = &port->filter;
	bool extra = vio_has(port->features, VIRTIO_NET_F_CTRL_RX_EXTRA);
	bool open = filter->table_refused;
	bool multicast = filter->all_multicast || open ||
			 filter->multicast_count > VIO_MULTICAST_MAX;
	int ret;

	ret = send_mode(port, "promiscuous mode", VIO_NET_CTRL_RX_PROMISC,
			filter->promiscuous || (open && !extra));
	if (ret == 0)
		ret = send_mode(port, "all-multicast mode", VIO_NET_CTRL_RX_ALLMULTI, multicast);
	if (ret == 0 && extra)
		ret = send_mode(port, "all-unicast mode", VIO_NET_CTRL_RX_ALLUNI, open);
	return ret;
}

/* Makes one of the modes, a field of the port's filter, what it is to be. */
static int
change_mode(struct rte_eth_dev *dev, const char *what, bool *mode, bool on)
{
	struct vio_port *port = vio_port(dev);
	bool before;
	int ret = 0;

	if (filters_nothing(port))
		return 0;
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_RX))
		return on ? refuse(port, NO_RX_MODES, what) : -ENOTSUP;
	pthread_mutex_lock(&port->lock);
	before = *mode;
	*mode = on;
	if (port->ctrl.live)
		ret = send_modes(port);
	if (ret < 0)
		*mode = before;
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_promiscuous_enable(struct rte_eth_dev *dev)
{
	return change_mode(dev, "promiscuous mode", &vio_port(dev)->filter.promiscuous, true);
}

int
vio_promiscuous_disable(struct rte_eth_dev *dev)
{
	return change_mode(dev, "promiscuous mode", &vio_port(dev)->filter.promiscuous, false);
}

int
vio_allmulticast_enable(struct rte_eth_dev *dev)
{
	return change_mode(dev, "all-multicast mode", &vio_port(dev)->filter.all_multicast, true);
}

int
vio_allmulticast_disable(struct rte_eth_dev *dev)
{
	return change_mode(dev, "all-multicast mode", &vio_port(dev)->filter.all_multicast, false);
}

/* --- addresses
 * ---------------------------------------------------------------------------------------- */

/* Tells the tables, and the modes where they depend on them. */
static int
send_tables(struct vio_port *port)
{
	struct vio_filter *filter = &port->filter;
	struct tables tables;
	uint32_t count = fill_tables(port, &tables);
	const struct vio_ctrl_command command = {
		.what = "MAC address tables",
		.class = VIO_NET_CTRL_MAC,
		.command = VIO_NET_CTRL_MAC_TABLE_SET,
		.data = tables.bytes,
		.len = tables.len,
		.cut = tables.cut,
	};
	int ret = vio_ctrl_run(port, &command);

	if (ret == -EIO && count > 0) {
		PORT_LOG(port, WARNING,
			 "the device does not take %u addresses; receiving all frames instead, "
			 "filter them yourself",
			 count);
		filter->table_refused = true;
		ret = 0;
	} else {
		filter->table_refused = false;
	}
	return ret == 0 ? send_modes(port) : ret;
}

uint32_t
vio_mac_addrs_max(const struct vio_port *port)
{
	bool can = filters_nothing(port) || vio_has(port->usable, VIRTIO_NET_F_CTRL_RX);

	return can ? VIO_MAC_MAX : 1;
}

/* address is to be number index of the port's. */
static int
change_address(struct rte_eth_dev *dev, uint32_t index, const struct rte_ether_addr *address)
{
	struct vio_port *port = vio_port(dev);
	struct rte_ether_addr *ours = &port->filter.addresses[index], before;
	int ret = 0;

	if (filters_nothing(port))
		return 0;
	if (!vio_has(port->usable, VIRTIO_NET_F_CTRL_RX))
		return refuse(port, NO_MAC_TABLE, "further MAC addresses");
	pthread_mutex_lock(&port->lock);
	before = *ours;
	*ours = *address;
	if (port->ctrl.live)
		ret = send_tables(port);
	/* ethdev forgets an address whether or not the device does. */
	if (ret < 0 && !rte_is_zero_ether_addr(address))
		*ours = before;
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_mac_addr_add(struct rte_eth_dev *dev, struct rte_ether_addr *mac, uint32_t index, uint32_t pool)
{
	RTE_SET_USED(pool);
	/* ethdev repeats at each start what it knows; vio_filter_restore() has told it already. */
	if (rte_is_same_ether_addr(mac, &vio_port(dev)->filter.addresses[index]))
		return 0;
	return change_address(dev, index, mac);
}

void
vio_mac_addr_remove(struct rte_eth_dev *dev, uint32_t index)
{
	static const struct rte_ether_addr none;

	change_address(dev, index, &none);
}

static bool
are_multicast(struct vio_port *port, const struct rte_ether_addr *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (rte_is_multicast_ether_addr(&list[i]))
			continue;
		if (!(port->filter.told & 1u << NO_MULTICAST))
			PORT_LOG(port, ERR,
				 "a list of multicast addresses has " RTE_ETHER_ADDR_PRT_FMT
				 ", which is none; add it by rte_eth_dev_mac_addr_add()",
				 RTE_ETHER_ADDR_BYTES(&list[i]));
		port->filter.told |= 1u << NO_MULTICAST;
		return false;
	}
	return true;
}

static void
take_list(struct vio_port *port, const struct rte_ether_addr *list, uint32_t count)
{
	port->filter.multicast_count = count;
	if (count > 0 && count <= VIO_MULTICAST_MAX)
		memcpy(port->filter.multicast, list, count * sizeof(*list));
	else if (count > 0)
		PORT_LOG(port, NOTICE,
			 "%u multicast addresses asked for, the most is %u: receiving all "
			 "multicast",
			 count, VIO_MULTICAST_MAX);
}

int
vio_set_mc_addr_list(struct rte_eth_dev *dev, struct rte_ether_addr *list, uint32_t count)
{
	struct vio_port *port = vio_port(dev);
	struct vio_filter before;
	int ret = 0;

	if (filters_nothing(port))
		return 0;
	if (!vio_has(port->usable, VIRTIO_NET_F_CTRL_RX))
		return refuse(port, NO_MAC_TABLE, "multicast addresses");
	if (!are_multicast(port, list, count))
		return -EINVAL;
	pthread_mutex_lock(&port->lock);
	before = port->filter;
	take_list(port, list, count);
	if (port->ctrl.live)
		ret = send_tables(port);
	/* What was refused must not come true at the next start. */
	if (ret < 0)
		port->filter = before;
	pthread_mutex_unlock(&port->lock);
	return ret;
}

static int
send_own_address(struct vio_port *port, const struct rte_ether_addr *mac)
{
	return vio_ctrl_send(port, "MAC address", VIO_NET_CTRL_MAC, VIO_NET_CTRL_MAC_ADDR_SET, mac,
			     sizeof(*mac));
}

static int
write_own_address(struct vio_port *port, const struct rte_ether_addr *mac)
{
	struct vio_transport *t = port->transport;

	return t->ops->write_config(t, offsetof(struct vio_net_config, mac), mac, sizeof(*mac));
}

int
vio_mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac)
{
	struct vio_port *port = vio_port(dev);
	int ret = 0;

	if (filters_nothing(port))
		return 0;
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_MAC_ADDR) && !takes_written_address(port)) {
		/* ethdev gives a started device the address that it has anyway. */
		if (rte_is_same_ether_addr(mac, &port->filter.addresses[0]))
			return 0;
		return refuse(port, NO_MAC_ADDR, "another MAC address");
	}
	pthread_mutex_lock(&port->lock);
	if (takes_written_address(port))
		ret = write_own_address(port, mac);
	else if (port->ctrl.live)
		ret = send_own_address(port, mac);
	if (ret == 0)
		port->filter.addresses[0] = *mac;
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_filter_restore(struct vio_port *port)
{
	const struct rte_ether_addr *own = &port->filter.addresses[0];
	int ret = 0;

	if (filters_nothing(port))
		return 0;
	if (vio_has(port->features, VIRTIO_NET_F_CTRL_MAC_ADDR) &&
	    memcmp(own, port->config.mac, sizeof(*own)) != 0)
		ret = send_own_address(port, own);
	if (takes_written_address(port))
		ret = write_own_address(port, own);
	if (ret == 0 && vio_has(port->features, VIRTIO_NET_F_CTRL_RX))
		ret = send_tables(port);
	return ret;
}
