/* SPDX-License-Identifier: BSD-3-Clause */
/* Link status. */
#include <endian.h>
#include <errno.h>

#include "announce.h"
#include "log.h"
#include "port.h"

/* What the configuration says of the link. */
enum link_field { STATUS, SPEED, DUPLEX };

static const struct {
	const char *name, *instead;
	size_t offset, size;
} link_fields[] = {
#define FIELD(name) \
	offsetof(struct vio_net_config, name), sizeof(((struct vio_net_config *)NULL)->name)
	[STATUS] = { "status", "down", FIELD(status) },
	[SPEED] = { "speed", "unknown", FIELD(speed) },
	[DUPLEX] = { "duplex mode", "full", FIELD(duplex) },
#undef FIELD
};

/* One of them, which stays as it is where it cannot be had. That is said of each once, until it can
 * be had again. */
static int
read_field(struct vio_port *port, enum link_field which, void *field)
{
	uint8_t bit = 1u << which;
	uint8_t bytes[sizeof(uint32_t)];
	int ret;

	ret = vio_config_read(&port->device, link_fields[which].offset, bytes,
			      link_fields[which].size);
	if (ret == 0) {
		memcpy(field, bytes, link_fields[which].size);
		port->told_unreadable &= ~bit;
		return 0;
	}
	if (!(port->told_unreadable & bit))
		PORT_LOG(port, ERR, "the link's %s cannot be read: %s; it counts as %s",
			 link_fields[which].name, strerror(-ret), link_fields[which].instead);
	port->told_unreadable |= bit;
	return ret;
}

/* What the device says of itself: VIO_NET_S_*. Without STATUS the link is always up (spec 5.1.5).
 */
static uint16_t
read_status(struct vio_port *port)
{
	uint16_t status = 0;

	if (!vio_has(port->features, VIRTIO_NET_F_STATUS))
		return VIO_NET_S_LINK_UP;
	if (read_field(port, STATUS, &status) < 0)
		return 0;
	return le16toh(status);
}

/* Speed and duplex may change with each configuration change (NET-CFG-13). They are the device's
 * word: a speed that is none, and a duplex that is neither, count as unknown. */
static void
read_speed(struct vio_port *port, struct rte_eth_link *link)
{
	uint32_t speed = htole32(VIO_NET_SPEED_UNKNOWN);
	uint8_t duplex = VIO_NET_DUPLEX_FULL;

	if (vio_has(port->features, VIRTIO_NET_F_SPEED_DUPLEX)) {
		read_field(port, SPEED, &speed);
		read_field(port, DUPLEX, &duplex);
	}
	port->speed = vio_known_speed(le32toh(speed));
	link->link_speed = port->speed != 0 ? port->speed : RTE_ETH_SPEED_NUM_UNKNOWN;
	if (port->args.speed != 0)
		link->link_speed = port->args.speed;
	if (duplex == VIO_NET_DUPLEX_HALF)
		link->link_duplex = RTE_ETH_LINK_HALF_DUPLEX;
}

static void
look_at_link(struct vio_port *port, struct rte_eth_link *link)
{
	uint16_t status;

	vio_recover_look(port);
	if (port->recovery.health != VIO_HEALTH_WELL || port->gone ||
	    !(port->device.status & VIO_STATUS_DRIVER_OK))
		return;
	status = read_status(port);
	/* Whoever looks at the link sees it, so applications that poll for the link will do. */
	if ((status & VIO_NET_S_ANNOUNCE) && vio_has(port->features, VIRTIO_NET_F_GUEST_ANNOUNCE))
		vio_announce_soon(port);
	if (!(status & VIO_NET_S_LINK_UP) || port->link_held)
		return;
	link->link_status = RTE_ETH_LINK_UP;
	read_speed(port, link);
}

void
vio_link_look(struct vio_port *port)
{
	struct rte_eth_link link = { 0 };

	look_at_link(port, &link);
}

int
vio_link_update(struct rte_eth_dev *dev, int wait)
{
	struct vio_port *port = vio_port(dev);
	struct rte_eth_link link = {
		.link_speed = RTE_ETH_SPEED_NUM_NONE,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = RTE_ETH_LINK_DOWN,
	};
	int ret;

	if (wait)
		pthread_mutex_lock(&port->lock);
	else if (pthread_mutex_trylock(&port->lock) != 0)
		return -1; /* as it was: a recovery or a command would take too long */
	look_at_link(port, &link);
	/* With the lock, so that of two who look the later one has the last word. */
	ret = rte_eth_linkstatus_set(dev, &link);
	pthread_mutex_unlock(&port->lock);
	return ret;
}
