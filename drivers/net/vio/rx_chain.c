/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large receive buffers (spec 5.1.6.3): chains of mbufs, a descriptor each, so that a queue never
 * has more mbufs than descriptors, which is what pools are made for. And all buffers of a legacy
 * device that wants the header in a descriptor of its own (NET-LEG-07): it is the same memory as
 * ever, the header right before the frame, told in two pieces.
 *
 * The mbufs of a buffer are linked by their next, in the driver's memory; the device decides only
 * how many of them a packet takes, within the room that the ring has checked.
 */
#include "rx_chain.h"

#include <rte_branch_prediction.h>

#include "port.h"

/* The first element's header becomes an element of its own. Returns how many more there are. */
static uint16_t
split_header(struct vq_sg *sg, uint16_t hdr_len)
{
	sg[1] = (struct vq_sg){ sg[0].iova + hdr_len, sg[0].len - hdr_len };
	sg[0].len = hdr_len;
	return 1;
}

/* Gives the device a chain as one buffer. On failure the mbufs go back to their pool. */
static bool
add_buffer(struct vio_rxq *q, struct rte_mbuf *head)
{
	struct vq_sg sg[VIO_CHAIN_MAX + 1];
	uint16_t n = 0;

	for (struct rte_mbuf *mbuf = head; mbuf != NULL && n <= VIO_CHAIN_MAX; mbuf = mbuf->next) {
		const uint64_t *addr = RTE_PTR_ADD(mbuf, q->view.addr_at);

		sg[n++] = (struct vq_sg){ *addr + q->view.in_offset, q->view.in_len };
		if (unlikely(q->apart) && n == 1)
			n += split_header(sg, q->hdr_len);
	}
	if (likely(vq_add(q->ring.vq, sg, 0, n, head) == 0))
		return true;
	rte_pktmbuf_free(head);
	return false;
}

/* n mbufs of the pool, in front of tail. NULL, with tail as it was, where the pool has not as many.
 */
static struct rte_mbuf *
prepend_mbufs(struct vio_rxq *q, uint16_t n, struct rte_mbuf *tail)
{
	struct rte_mbuf *mbufs[VIO_CHAIN_MAX];

	if (unlikely(rte_mempool_get_bulk(q->pool, (void **)mbufs, n) < 0)) {
		q->stats.no_mbuf += n;
		q->port->data->rx_mbuf_alloc_failed += n;
		return NULL;
	}
	while (n > 0) {
		mbufs[--n]->next = tail;
		tail = mbufs[n];
	}
	return tail;
}

uint16_t
vio_rx_chain_refill(struct vio_rxq *q)
{
	struct rte_mbuf *head;
	uint16_t n = 0;

	while (vq_free_count(q->ring.vq) >= q->chain) {
		head = prepend_mbufs(q, q->chain - q->apart, NULL);
		if (head == NULL || !add_buffer(q, head))
			break;
		n++;
	}
	return n;
}

/* A new buffer of what a packet left of its own, and as many mbufs as it took. Where the pool has
 * none, the rest goes back there, until there are enough for a whole buffer. */
static void
replace(struct vio_rxq *q, struct rte_mbuf *rest, uint16_t taken)
{
	struct rte_mbuf *head = prepend_mbufs(q, taken, rest);

	if (unlikely(head == NULL))
		rte_pktmbuf_free(rest);
	else if (likely(add_buffer(q, head)))
		q->unpublished++;
}

struct rte_mbuf *
vio_rx_chain_receive(struct vio_rxq *q, struct rte_mbuf *head, uint32_t len)
{
	struct rte_mbuf *last = head, *rest;
	uint32_t part = RTE_MIN(len, q->view.in_len);
	uint16_t taken = 1;

	vio_rx_begin_segment(q, head, part - q->hdr_len);
	for (len -= part; len > 0; len -= part) {
		last = last->next;
		part = RTE_MIN(len, q->view.in_len);
		vio_rx_begin_segment(q, last, part);
		last->data_off = RTE_PKTMBUF_HEADROOM - q->hdr_len;
		head->pkt_len += part;
		taken++;
	}
	head->nb_segs = taken;
	q->stats.multi_segment += taken > 1;
	rest = last->next;
	last->next = NULL;
	replace(q, rest, taken);
	return head;
}

void
vio_rx_chain_reuse(struct vio_rxq *q, struct rte_mbuf *head)
{
	if (likely(add_buffer(q, head)))
		q->unpublished++;
}
