/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's transmit path: packets of every shape go out, and come back as the device says. What
 * must hold: a packet that was not taken stays the application's, and all mbufs end in their pool.
 */
#include "port.h"

#include <rte_ethdev.h>

static struct rte_mbuf *
take_mbuf(struct port *port, uint16_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(port->pool);

	if (mbuf != NULL)
		rte_pktmbuf_append(mbuf, len);
	return mbuf;
}

/* One to eight segments; at times a clone, or no room before the data. */
static struct rte_mbuf *
take_packet(struct port *port, struct input *in, bool plain)
{
	uint8_t shape = take8(in);
	struct rte_mbuf *packet = take_mbuf(port, 14 + shape), *clone;

	if (packet == NULL || plain)
		return packet;
	for (unsigned i = 0; i < shape % 8u; i++) {
		struct rte_mbuf *more = take_mbuf(port, take8(in));

		if (more != NULL && rte_pktmbuf_chain(packet, more) < 0)
			rte_pktmbuf_free(more);
	}
	if (shape & 0x40)
		rte_pktmbuf_prepend(packet, RTE_PKTMBUF_HEADROOM - shape % 16);
	if (!(shape & 0x80))
		return packet;
	clone = rte_pktmbuf_clone(packet, port->pool);
	if (clone == NULL)
		return packet;
	rte_pktmbuf_free(packet);
	return clone;
}

static void
transmit(struct port *port, struct input *in, bool plain)
{
	struct rte_mbuf *packets[64];
	uint16_t want = 1 + take8(in) % 64, n = 0, sent;
	bool same = plain || take8(in) & 1;

	while (n < want && (packets[n] = take_packet(port, in, same)) != NULL)
		n++;
	port->calls = 0;
	sent = rte_eth_tx_burst(port->dev->data->port_id, 0, packets, n);
	must(sent <= n, "no more packets are taken than given");
	for (uint16_t i = sent; i < n; i++)
		rte_mbuf_sanity_check(packets[i], 1);
	rte_pktmbuf_free_bulk(packets + sent, n - sent);
}

static void
complete(struct port *port, struct input *in, struct peer *peer)
{
	uint16_t n = take8(in) % 64;

	for (uint16_t i = 0; i < n && peer->n_held > 0; i++)
		peer_use(port, peer, 0, 0);
}

static void
turn(struct port *port, struct input *in, bool plain)
{
	struct peer *peer = &port->peers[VIO_NET_TXQ(0)];

	peer_fetch(port, peer);
	switch (take8(in) % 8) {
	case 0:
	case 1:
		complete(port, in, peer);
		break;
	case 2:
		peer_use(port, peer, take8(in) % 16, take16(in));
		break;
	case 3:
		peer_lie(port, peer);
		break;
	case 4:
		peer_scribble(port, peer);
		break;
	case 5:
		rte_eth_tx_done_cleanup(port->dev->data->port_id, 0, take8(in));
		break;
	default:
		transmit(port, in, plain);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t sizes[] = { 2, 8, 32, 128 };
	struct input in = { data, size };
	uint8_t shape = take8(&in);
	bool fast_free = shape & 4; /* then all packets are of one pool, and nobody else's */
	struct port port = { .pairs = 1 };
	uint64_t features = 0;

	features |= shape & 1 ? VIO_BIT(VIRTIO_F_RING_PACKED) : 0;
	features |= shape & 2 ? VIO_BIT(VIRTIO_F_IN_ORDER) : 0;
	features |= shape & 8 ? VIO_BIT(VIRTIO_F_INDIRECT_DESC) : 0;
	must(port_open(&port, &in, features, false), "a port");
	must(port_start(&port, sizes[shape >> 6], 0,
			fast_free ? RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE : 0) == 0,
	     "starts");
	while (in.left > 0)
		turn(&port, &in, fast_free);
	port_close(&port);
	return 0;
}
