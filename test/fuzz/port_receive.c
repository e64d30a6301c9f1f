/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's receive path: used lengths, num_buffers and the header's bytes are the device's
 * word. What must hold: every packet is a chain of whole mbufs that nobody else has, no segment is
 * longer than its buffer, and every buffer ends in a packet, in the ring, or in its pool.
 */
#include "control.h"

#include <rte_ethdev.h>

static uint32_t header_len;

static void
check_segment(const struct rte_mbuf *segment)
{
	must(rte_mbuf_refcnt_read(segment) == 1, "a segment has one owner");
	must(segment->data_off + (uint32_t)segment->data_len <= segment->buf_len,
	     "no segment is longer than its buffer");
	must(segment->data_off + header_len >= RTE_PKTMBUF_HEADROOM,
	     "and begins where the device wrote");
}

/* A hash is told where the header names one of the nine kinds, and it is the header's. */
static void
check_hash(const struct rte_mbuf *packet)
{
	struct vio_net_hdr_hash header = { .hash_report = 0 };

	if (header_len == sizeof(header))
		memcpy(&header,
		       (const uint8_t *)packet->buf_addr + RTE_PKTMBUF_HEADROOM - header_len,
		       header_len);
	must(!!(packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH) ==
		     (header.hash_report >= 1 && header.hash_report <= 9),
	     "a hash is told of a kind that there is");
	must(!(packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH) || packet->hash.rss == header.hash_value,
	     "and is the device's");
}

static void
check_packet(const struct rte_mbuf *packet)
{
	uint32_t total = 0;
	uint16_t segments = 0;

	for (const struct rte_mbuf *s = packet; s != NULL; s = s->next) {
		check_segment(s);
		total += s->data_len;
		must(++segments <= packet->nb_segs, "a chain has as many segments as it says");
	}
	must(segments == packet->nb_segs, "and no fewer");
	must(total == packet->pkt_len, "and as many bytes as it says");
	must(packet->pkt_len >= RTE_ETHER_HDR_LEN, "a packet has an Ethernet header");
	if (packet->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		total = sizeof(struct rte_vlan_hdr);
	else
		total = 0;
	must(packet->data_off == RTE_PKTMBUF_HEADROOM + total, "where frames begin");
	must(!(packet->ol_flags & RTE_MBUF_F_RX_LRO) || packet->tso_segsz > 0,
	     "segments have a size");
	check_hash(packet);
}

/* A reference more on each segment: one that stands in two packets would get two. */
static void
mark(struct rte_mbuf *packet)
{
	for (struct rte_mbuf *s = packet; s != NULL; s = s->next) {
		must(rte_mbuf_refcnt_read(s) == 1, "no two packets share a segment");
		rte_mbuf_refcnt_set(s, 2);
	}
}

static void
unmark(struct rte_mbuf *packet)
{
	for (struct rte_mbuf *s = packet; s != NULL; s = s->next)
		rte_mbuf_refcnt_set(s, 1);
}

static void
receive(struct port *port, struct input *in)
{
	struct rte_mbuf *packets[64];
	uint16_t want = take8(in) % 64, n;

	port->calls = 0;
	n = rte_eth_rx_burst(port->dev->data->port_id, 0, packets, want);
	must(n <= want, "no more packets than asked for");
	for (uint16_t i = 0; i < n; i++) {
		check_packet(packets[i]);
		mark(packets[i]);
	}
	for (uint16_t i = 0; i < n; i++)
		unmark(packets[i]);
	rte_pktmbuf_free_bulk(packets, n);
	must(POOL_MBUFS - rte_mempool_avail_count(port->pool) < 2u * port->peers[0].conf.size,
	     "a frame in the making has fewer buffers than the ring");
}

/* A header that asks for something, out of numbers that can be right. */
static void
ask(struct input *in, struct vio_net_hdr *header)
{
	static const uint8_t types[] = { 0, 1, 3, 4, 5, 0x81, 0x84, 0x7f };

	header->flags = take8(in) % 8;
	header->gso_type = types[take8(in) % RTE_DIM(types)];
	header->hdr_len = take8(in);
	header->gso_size = take16(in);
	header->csum_start = take8(in) % 64;
	header->csum_offset = take8(in) % 64;
}

/* What offloads look at: TCP or UDP over IP, with or without a tag, and a few bytes of the input.
 */
static void
write_frame(struct input *in, uint8_t *frame, uint32_t len)
{
	static const uint8_t ipv4[] = { 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 6 };
	static const uint8_t ipv6[] = { 0x86, 0xdd, 0x60, 0, 0, 0, 0, 26, 6, 64 };
	uint8_t kind = take8(in);
	uint32_t at = 12;

	if (len < 64)
		return;
	if (kind & 1) {
		memcpy(frame + at, (const uint8_t[]){ 0x81, 0, 0, 5 }, 4);
		at += 4;
	}
	if (kind & 2)
		memcpy(frame + at, ipv4, sizeof(ipv4));
	else
		memcpy(frame + at, ipv6, sizeof(ipv6));
	for (unsigned i = 0; i < kind >> 6; i++) {
		uint8_t where = take8(in) % 64;

		frame[where] = take8(in);
	}
}

static void
write_header(struct port *port, const struct element *e, uint16_t buffers)
{
	struct vio_net_hdr_hash header = { .hdr.num_buffers = buffers };
	uint8_t kind = take8(port->in);

	if (kind < 64)
		header.hdr.num_buffers = take16(port->in);
	else if (kind < 96)
		take_bytes(port->in, &header, header_len);
	else if (kind < 160)
		ask(port->in, &header.hdr);
	if (header_len == sizeof(header) && kind >= 96) {
		header.hash_value = UINT32_C(0x01010101) * kind;
		header.hash_report = kind < 120 ? take16(port->in) : take8(port->in) % 12;
	}
	if (!e->writable || e->len < header_len)
		return;
	memcpy(e->addr, &header, header_len);
	if (kind >= 128)
		write_frame(port->in, e->addr + header_len, e->len - header_len);
}

/* A frame of some buffers, mostly honest. */
static void
deliver(struct port *port, struct input *in, struct peer *peer)
{
	uint16_t buffers = 1 + take8(in) % 4;

	if (peer->n_held == 0)
		return;
	write_header(port, &peer->held[0].elements[0], buffers);
	for (uint16_t i = 0; i < buffers; i++) {
		uint8_t kind = take8(in);
		uint32_t len = kind < 200 ? kind * 9u : kind < 240 ? take16(in) : take32(in);

		peer_use(port, peer, 0, len);
	}
}

static void
turn(struct port *port, struct input *in)
{
	struct peer *peer = &port->peers[VIO_NET_RXQ(0)];

	peer_fetch(port, peer);
	switch (take8(in) % 8) {
	case 0:
	case 1:
	case 2:
		deliver(port, in, peer);
		break;
	case 3:
		peer_use(port, peer, take8(in) % 16, take16(in));
		break;
	case 4:
		peer_lie(port, peer);
		break;
	case 5:
		peer_scribble(port, peer);
		break;
	default:
		receive(port, in);
	}
}

#define SEGMENTS                                                               \
	(VIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | VIO_BIT(VIRTIO_NET_F_GUEST_ECN) |  \
	 VIO_BIT(VIRTIO_NET_F_GUEST_USO4) | VIO_BIT(VIRTIO_NET_F_GUEST_USO6))

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t sizes[] = { 2, 8, 32, 128 };
	struct input in = { data, size };
	uint8_t shape = take8(&in);
	struct port port = { .pairs = 1, .turn = control_turn };
	uint64_t features = 0, offloads = 0;
	bool chains = (shape & 20) == 20;
	int ret;

	features |= shape & 1 ? VIO_BIT(VIRTIO_F_RING_PACKED) : 0;
	features |= shape & 2 ? VIO_BIT(VIRTIO_F_IN_ORDER) : 0;
	features |= shape & 4 ? 0 : VIO_BIT(VIRTIO_NET_F_MRG_RXBUF);
	if (shape & 8) {
		features |= VIO_BIT(VIRTIO_NET_F_GUEST_CSUM);
		offloads |= RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	}
	if (shape & 16) {
		features |= SEGMENTS;
		offloads |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
	}
	if (shape & 32) {
		features |= VIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIO_BIT(VIRTIO_NET_F_HASH_REPORT);
		offloads |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
		port.rss = true;
	}
	header_len = shape & 32 ? VIO_NET_HDR_LEN_HASH : VIO_NET_HDR_LEN;
	port.config = (struct vio_net_config){
		.rss_max_key_size = VIO_NET_RSS_KEY_MIN,
		.supported_hash_types = 0x1ff,
	};
	control_init(true);
	must(port_open(&port, &in, features, false), "a port");
	ret = port_start(&port, sizes[shape >> 6], offloads, 0);
	must(ret == 0 || chains, "starts, where a ring is long enough");
	while (ret == 0 && in.left > 0)
		turn(&port, &in);
	port_close(&port);
	return 0;
}
