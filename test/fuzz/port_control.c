/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control queue: while the driver waits for an answer, the device gives one, several, none, or
 * nonsense. What must hold: a command succeeds only if the device said OK to it, every wait ends,
 * and after a command without an answer no other is sent.
 */
#include "port.h"

#include <rte_ethdev.h>

enum { CONTROL_QUEUE = 2 };

static bool said_ok, honest, silent, mute;

static void
answer(struct port *port, struct peer *peer, uint8_t ack)
{
	struct held *held = &peer->held[0];
	struct element *e;

	if (peer->n_held == 0)
		return;
	e = &held->elements[held->n < 4 ? held->n - 1 : 3];
	if (e->writable && e->len == 1)
		*e->addr = ack;
	said_ok |= ack == VIO_NET_CTRL_OK;
	peer_use(port, peer, 0, 1);
}

/* The device may write anything into the ack byte, and that is an answer. */
static void
device_turn(struct port *port)
{
	struct peer *peer = &port->peers[CONTROL_QUEUE];
	uint8_t kind = honest ? 0 : mute ? UINT8_MAX : take8(port->in);

	mute |= kind >= 248; /* until the command ends */
	peer_fetch(port, peer);
	if (kind < 96)
		answer(port, peer, VIO_NET_CTRL_OK);
	else if (kind < 128)
		answer(port, peer, take8(port->in));
	else if (kind < 144 && peer->live)
		peer_scribble(port, peer), said_ok = true;
	else if (kind < 160)
		peer_lie(port, peer), said_ok = true;
}

static void
command(struct port *port, struct input *in)
{
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 0 } };
	uint16_t id = port->dev->data->port_id;
	unsigned kicks = port->peers[CONTROL_QUEUE].kicks;
	int ret;

	said_ok = mute = false;
	port->calls = 0;
	switch (take8(in) % 5) {
	case 0:
		port->dev->data->promiscuous = 0; /* or ethdev does not ask the driver again */
		ret = rte_eth_promiscuous_enable(id);
		break;
	case 1:
		port->dev->data->promiscuous = 1;
		ret = rte_eth_promiscuous_disable(id);
		break;
	case 2:
		port->dev->data->all_multicast = 0;
		ret = rte_eth_allmulticast_enable(id);
		break;
	case 3:
		port->dev->data->all_multicast = 1;
		ret = rte_eth_allmulticast_disable(id);
		break;
	default:
		mac.addr_bytes[5] = take8(in);
		ret = rte_eth_dev_default_mac_addr_set(id, &mac);
	}
	must(ret <= 0, "an error is negative");
	must(ret != 0 || said_ok, "a command succeeds only where the device said so");
	must(!silent || ret != 0, "after a command without an answer none succeeds");
	must(!silent || port->peers[CONTROL_QUEUE].kicks == kicks, "and none is sent");
	silent |= ret == -ETIMEDOUT;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t shape = take8(&in);
	struct port port = { .pairs = 1, .turn = device_turn };
	uint64_t features = VIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIO_BIT(VIRTIO_NET_F_CTRL_RX) |
			    VIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR);

	features |= shape & 1 ? VIO_BIT(VIRTIO_F_RING_PACKED) : 0;
	features |= shape & 2 ? VIO_BIT(VIRTIO_F_IN_ORDER) : 0;
	honest = true;
	silent = mute = false;
	must(port_open(&port, &in, features, false), "a port");
	must(port_start(&port, 8, 0, 0) == 0, "starts");
	honest = false;
	while (in.left > 0)
		command(&port, &in);
	port_close(&port);
	return 0;
}
