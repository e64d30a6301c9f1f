/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets (spec 5.1.6). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { HEADER_MAX = 20 };

uint16_t
device_header_size(const struct device *dev)
{
	if (has_feature(dev, DEVICE_F_HASH_REPORT))
		return 20;
	/* By the legacy interface (NET-LEG-05). */
	if (!has_feature(dev, DEVICE_F_VERSION_1) && !has_feature(dev, DEVICE_F_MRG_RXBUF))
		return 10;
	return 12;
}

uint16_t
control_index(const struct device *dev)
{
	bool many = has_feature(dev, DEVICE_F_MQ) || has_feature(dev, DEVICE_F_RSS);

	return (uint16_t)(2 * (many ? dev->options.pairs : 1));
}

void
net_reset(struct device *dev)
{
	for (uint16_t i = 0; i < dev->options.pairs; i++) {
		while (dev->sent[i] != NULL) {
			struct device_packet *next = dev->sent[i]->next;

			free(dev->sent[i]);
			dev->sent[i] = next;
		}
	}
	memset(&dev->net, 0, sizeof(dev->net));
	memcpy(dev->net.mac, dev->config, 6);
	dev->net.pairs = 1;
}

void
device_poll(struct device *dev, bool kicked_only)
{
	for (uint16_t i = 0; i < dev->queue_count; i++) {
		struct queue *q = &dev->queues[i];

		if (!q->enabled || (kicked_only && !atomic_load(&q->kicked)))
			continue;
		device_fetch(dev, i);
		if (i == control_index(dev))
			control_poll(dev, q);
		else if (i % 2 == 1)
			net_transmit_poll(dev, q);
	}
}

/* --- receive: device to driver
 * -------------------------------------------------------------------- */

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static uint16_t
take16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void
encode_header(const struct device_net_header *h, uint8_t *p)
{
	p[0] = h->flags;
	p[1] = h->gso_type;
	put16(p + 2, h->hdr_len);
	put16(p + 4, h->gso_size);
	put16(p + 6, h->csum_start);
	put16(p + 8, h->csum_offset);
	put16(p + 10, h->num_buffers);
	put16(p + 12, (uint16_t)h->hash_value);
	put16(p + 14, (uint16_t)(h->hash_value >> 16));
	put16(p + 16, h->hash_report);
	put16(p + 18, 0);
}

/* How many of the buffers held a packet needs; 0 where they do not suffice. */
static uint16_t
buffers_for(struct device *dev, uint16_t queue, uint64_t bytes)
{
	uint64_t room = 0;
	uint16_t n = 0;
	const struct device_buffer *b;

	while (room < bytes && (b = device_held(dev, queue, n)) != NULL) {
		room += b->writable;
		n++;
		if (!has_feature(dev, DEVICE_F_MRG_RXBUF))
			break;
	}
	return room >= bytes ? n : 0;
}

/* The header has a descriptor of its own, where nobody said otherwise. */
static void
check_framing(struct device *dev, uint16_t queue, const struct device_buffer *b)
{
	if (has_feature(dev, DEVICE_F_VERSION_1) || has_feature(dev, DEVICE_F_ANY_LAYOUT))
		return;
	if (b->segs[0].len != device_header_size(dev) || b->out + b->in < 2)
		fault(dev, queue, "NET-LEG-07", "the first of %u elements has %u bytes",
		      b->out + b->in, b->segs[0].len);
}

static void
check_receive_buffer(struct device *dev, uint16_t queue, const struct device_buffer *b)
{
	if (b->out > 0)
		fault(dev, queue, "NET-INIT-02", "a receive buffer with a readable element");
	if (b->writable < device_header_size(dev))
		fault(dev, queue, "NET-RXBUF-05", "a receive buffer of %ju bytes",
		      (uintmax_t)b->writable);
	check_framing(dev, queue, b);
}

uint16_t
device_receive_packet(struct device *dev, uint16_t pair, const struct device_net_header *header,
		      const void *data, uint32_t len)
{
	uint16_t queue = (uint16_t)(2 * pair), size = device_header_size(dev), n;
	struct device_net_header h = { 0 };
	uint8_t *flat;
	uint32_t lens[64], done = 0;

	device_fetch(dev, queue);
	n = buffers_for(dev, queue, (uint64_t)size + len);
	if (n == 0 || n > sizeof(lens) / sizeof(lens[0]))
		return 0;
	if (header != NULL)
		h = *header;
	h.num_buffers = n;
	lie_header(dev, queue, &h);
	flat = malloc(HEADER_MAX + (size_t)len);
	if (flat == NULL)
		abort();
	encode_header(&h, flat);
	memcpy(flat + size, data, len);
	for (uint16_t i = 0; i < n; i++) {
		const struct device_buffer *b = device_held(dev, queue, i);

		check_receive_buffer(dev, queue, b);
		lens[i] = device_buffer_write(b, 0, flat + done, size + len - done);
		done += lens[i];
	}
	free(flat);
	device_use_many(dev, queue, lens, n);
	return n;
}

/* --- transmit: driver to device
 * ------------------------------------------------------------------- */

static void
decode_header(struct device_net_header *h, const uint8_t *p)
{
	h->flags = p[0];
	h->gso_type = p[1];
	h->hdr_len = take16(p + 2);
	h->gso_size = take16(p + 4);
	h->csum_start = take16(p + 6);
	h->csum_offset = take16(p + 8);
	h->num_buffers = take16(p + 10);
}

static void
check_gso(struct device *dev, uint16_t queue, const struct device_net_header *h)
{
	static const struct {
		uint8_t type;
		enum device_feature feature;
		const char *rule;
	} types[] = {
		{ DEVICE_GSO_TCPV4, DEVICE_F_HOST_TSO4, "NET-TX-07" },
		{ DEVICE_GSO_TCPV6, DEVICE_F_HOST_TSO6, "NET-TX-09" },
		{ DEVICE_GSO_UDP, DEVICE_F_HOST_UFO, "NET-TX-11" },
		{ DEVICE_GSO_UDP_L4, DEVICE_F_HOST_USO, "NET-TX-13" },
	};
	uint8_t type = h->gso_type & (uint8_t)~DEVICE_GSO_ECN;

	if (h->gso_type == DEVICE_GSO_NONE)
		return;
	if (!(h->flags & DEVICE_HDR_NEEDS_CSUM))
		fault(dev, queue, "NET-TX-30", "gso_type 0x%x without NEEDS_CSUM", h->gso_type);
	if (h->gso_size == 0)
		fault(dev, queue, "NET-TX-31", "gso_type 0x%x with gso_size 0", h->gso_type);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type != type)
			continue;
		if (!has_feature(dev, types[i].feature))
			fault(dev, queue, types[i].rule, "gso_type 0x%x", h->gso_type);
		return;
	}
	fault(dev, queue, "NET-TX-29", "gso_type 0x%x is unknown", h->gso_type);
}

static void
check_header(struct device *dev, uint16_t queue, const struct device_net_header *h, uint32_t len)
{
	if (h->num_buffers != 0)
		fault(dev, queue, "NET-TX-02", "num_buffers is %u", h->num_buffers);
	if (h->flags != 0 && !has_feature(dev, DEVICE_F_CSUM))
		fault(dev, queue, "NET-TX-03", "flags 0x%x without CSUM", h->flags);
	if (h->flags & DEVICE_HDR_DATA_VALID)
		fault(dev, queue, "NET-TX-39", "DATA_VALID on transmit");
	if (h->flags & DEVICE_HDR_RSC_INFO)
		fault(dev, queue, "NET-TX-40", "RSC_INFO on transmit");
	if ((h->flags & DEVICE_HDR_NEEDS_CSUM) &&
	    (uint32_t)h->csum_start + h->csum_offset + 2 > len)
		fault(dev, queue, "NET-TX-28", "checksum at %u + %u of %u bytes", h->csum_start,
		      h->csum_offset, len);
	check_gso(dev, queue, h);
}

static struct device_packet *
collect(struct device *dev, uint16_t queue, const struct device_buffer *b)
{
	uint16_t size = device_header_size(dev);
	uint8_t header[HEADER_MAX] = { 0 };
	struct device_packet *p;

	if (b->in > 0 || b->readable < size) {
		fault(dev, queue, "NET-TX-44",
		      "a transmit buffer of %ju bytes, %u writable elements",
		      (uintmax_t)b->readable, b->in);
		return NULL;
	}
	check_framing(dev, queue, b);
	p = calloc(1, sizeof(*p) + b->readable - size);
	if (p == NULL)
		abort();
	device_buffer_read(b, 0, header, size);
	decode_header(&p->header, header);
	p->segments = b->out;
	p->len = device_buffer_read(b, size, p->data, (uint32_t)b->readable - size);
	check_header(dev, queue, &p->header, p->len);
	return p;
}

void
net_transmit_poll(struct device *dev, struct queue *q)
{
	struct device_packet **tail = &dev->sent[q->index / 2];

	while (*tail != NULL)
		tail = &(*tail)->next;
	for (uint16_t i = 0; i < q->count; i++) {
		struct device_buffer *b = q->held[((uint32_t)q->first + i) % q->size];

		if (b->bad || b->collected)
			continue;
		b->collected = true;
		*tail = collect(dev, q->index, b);
		if (*tail != NULL)
			tail = &(*tail)->next;
	}
	while (!dev->hold_transmit && device_use(dev, q->index, 0, 0))
		;
}

struct device_packet *
device_next_packet(struct device *dev, uint16_t pair)
{
	struct device_packet *p = dev->sent[pair];

	if (p != NULL) {
		dev->sent[pair] = p->next;
		p->next = NULL;
	}
	return p;
}

void
device_hold_transmit(struct device *dev, bool hold)
{
	dev->hold_transmit = hold;
}
