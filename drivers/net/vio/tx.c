/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmitting (spec 5.1.6.2). The header goes into the headroom, right before the frame, where the
 * mbuf is ours alone to write to; else it stands in the queue's own memory, as an element of its
 * own.
 *
 * What the device can do here: use an id that it does not have, which the ring catches. The lengths
 * that it reports are not looked at.
 */
#include "tx.h"

#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_errno.h>

#include "log.h"
#include "port.h"

static uint64_t
data_iova(const struct vio_txq *q, const struct rte_mbuf *mbuf)
{
	const uint64_t *addr = RTE_PTR_ADD(mbuf, q->view.addr_at);

	return *addr + mbuf->data_off;
}

/* May the header be written before the data? Not into a buffer that others share: a clone's or an
 * external one's headroom, or one with a second reference. */
static inline bool
header_fits(const struct rte_mbuf *mbuf, uint16_t hdr_len)
{
	return RTE_MBUF_DIRECT(mbuf) && rte_mbuf_refcnt_read(mbuf) == 1 &&
	       mbuf->data_off >= hdr_len;
}

/* One segment, and its header fits: three 16-bit fields of the mbuf lie side by side. */
static inline bool
is_simple(const struct rte_mbuf *mbuf, uint16_t hdr_len)
{
	const uint16_t wanted[4] = { 0, 1, 1, 0 }; /* data_off: any; refcnt, nb_segs; port: any */
	const uint16_t looked_at[4] = { 0, UINT16_MAX, UINT16_MAX, 0 };
	uint64_t word, mask, value;

	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, refcnt) !=
			 offsetof(struct rte_mbuf, rearm_data) + 2);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, nb_segs) !=
			 offsetof(struct rte_mbuf, rearm_data) + 4);
	memcpy(&word, &mbuf->rearm_data, sizeof(word));
	memcpy(&mask, looked_at, sizeof(mask));
	memcpy(&value, wanted, sizeof(value));
	return (word & mask) == value && RTE_MBUF_DIRECT(mbuf) && mbuf->data_off >= hdr_len;
}

/* No offload is asked for: an empty header (NET-TX: num_buffers is 0, gso_type NONE). */
static inline void
write_header(uint8_t *hdr, uint16_t hdr_len)
{
	if (hdr_len == VIO_NET_HDR_LEN)
		memset(hdr, 0, VIO_NET_HDR_LEN);
	else if (hdr_len == VIO_NET_HDR_LEN_HASH)
		memset(hdr, 0, VIO_NET_HDR_LEN_HASH);
	else
		memset(hdr, 0, VIO_NET_HDR_LEN_SHORT);
}

static inline void
write_header_before(struct rte_mbuf *mbuf, uint16_t hdr_len)
{
	write_header(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, -(int)hdr_len), hdr_len);
}

/* With MBUF_FAST_FREE all mbufs are of one pool and nobody else's; a chain still has to be walked.
 */
static void
free_packets(struct vio_txq *q, struct rte_mbuf **mbufs, uint16_t n)
{
	if (q->fast_free && q->chains == 0) {
		rte_mempool_put_bulk(mbufs[0]->pool, (void **)mbufs, n);
		return;
	}
	for (uint16_t i = 0; q->chains > 0 && i < n; i++)
		q->chains -= mbufs[i]->nb_segs > 1;
	rte_pktmbuf_free_bulk(mbufs, n);
}

/* Takes back what the device has sent, until wanted descriptors are free or nothing more is used.
 */
static void
reclaim(struct vio_txq *q, uint16_t wanted)
{
	struct rte_mbuf *mbufs[VIO_BATCH] __rte_cache_aligned;
	uint16_t n;

	do {
		n = vq_get(q->ring.vq, (void **)mbufs, NULL, VIO_BATCH);
		if (n > 0)
			free_packets(q, mbufs, n);
	} while (n == VIO_BATCH && vq_free_count(q->ring.vq) < wanted);
	if (n == VIO_BATCH)
		vq_prefetch(q->ring.vq, n, false);
}

/* Longer than what the device sends, and nothing that it segments? */
static inline bool
is_oversize(const struct rte_mbuf *mbuf, uint32_t frame_max, const bool offloads)
{
	return unlikely(mbuf->pkt_len > frame_max) && !(offloads && vio_tx_is_segmented(mbuf));
}

/* Does the packet ask for something? */
static inline bool
asks(const struct rte_mbuf *mbuf)
{
	return unlikely(mbuf->ol_flags & VIO_TX_FLAGS);
}

/* Writes the header into the queue's own memory, and with it, where offloads ask for other bytes
 * than the packet's first ones, those: *taken tells how many they stand for. */
static __rte_always_inline int
header_apart(struct vio_txq *q, const struct rte_mbuf *mbuf, struct vq_sg *sg, int *taken,
	     const bool offloads)
{
	size_t at = (size_t)vq_next_id(q->ring.vq) * q->hdr_room;
	uint16_t len = q->hdr_len;

	*taken = 0;
	if (offloads && asks(mbuf)) {
		*taken = vio_tx_apart(q->hdrs + at, &len, mbuf, &q->offer, q->hdr_len);
		if (*taken < 0)
			return *taken;
	} else {
		write_header(q->hdrs + at, q->hdr_len);
	}
	*sg = (struct vq_sg){ q->hdrs_iova + at, len };
	return 0;
}

/* What header_apart() wrote behind the header becomes an element of its own. Returns how many more
 * elements there are. */
static int
split_header(struct vq_sg *sg, uint16_t hdr_len)
{
	if (sg[0].len == hdr_len)
		return 0;
	sg[1] = (struct vq_sg){ sg[0].iova + hdr_len, sg[0].len - hdr_len };
	sg[0].len = hdr_len;
	return 1;
}

/* The packet's elements, header first; *apart: which stands apart, and has to where `framed`.
 * Returns how many; -EINVAL where it has too many segments; -EMSGSIZE where it is too long; -EPROTO
 * where it asks for what cannot be done. */
static __rte_always_inline int
gather(struct vio_txq *q, struct rte_mbuf *mbuf, struct vq_sg *sg, bool *apart, const bool offloads,
       const bool framed)
{
	bool before = header_fits(mbuf, q->hdr_len);
	int n = 0, skip = 0; /* bytes that need not be sent from where they are */

	if (framed)
		before = false;
	if (mbuf->nb_segs + framed > VIO_TX_SEGMENTS_MAX)
		return -EINVAL;
	if (is_oversize(mbuf, q->frame_max, offloads))
		return -EMSGSIZE;
	if (offloads && asks(mbuf))
		before = before && vio_tx_in_place(mbuf, &q->offer, q->hdr_len);
	else if (before)
		write_header_before(mbuf, q->hdr_len);
	*apart = !before;
	if (!before && header_apart(q, mbuf, &sg[n++], &skip, offloads) < 0)
		return -EPROTO;
	if (framed)
		n += split_header(sg, q->hdr_len);
	for (struct rte_mbuf *seg = mbuf; seg != NULL; seg = seg->next) {
		int extra = before && seg == mbuf ? q->hdr_len : 0;

		if (offloads) {
			extra -= RTE_MIN(skip, seg->data_len);
			skip -= RTE_MIN(skip, seg->data_len);
		}
		if (seg->data_len + extra == 0)
			continue;
		sg[n].iova = data_iova(q, seg) - extra;
		sg[n++].len = seg->data_len + extra;
	}
	return n;
}

static __rte_cold void
drop(struct vio_txq *q, struct rte_mbuf *mbuf, int why)
{
	q->stats.drop_segments += why == -EINVAL;
	q->stats.drop_mtu += why == -EMSGSIZE;
	q->stats.drop_offload += why == -EPROTO;
	rte_pktmbuf_free(mbuf);
}

/* Adds one packet of any shape. Returns 0; -ENOSPC: no room now; -EIO: the queue is broken. A
 * packet that can never be sent is dropped and counted, so that it does not block those behind it.
 */
static __rte_always_inline int
add_packet(struct vio_txq *q, struct rte_mbuf *mbuf, const bool offloads, const bool framed)
{
	struct vq_sg sg[VIO_TX_SEGMENTS_MAX + 1];
	bool apart = false;
	int ret, n;

	/* Without a free id, the place for the header would be one that the device still reads. */
	if (vq_free_count(q->ring.vq) == 0)
		reclaim(q, 1);
	if (vq_free_count(q->ring.vq) == 0)
		return -ENOSPC;
	n = gather(q, mbuf, sg, &apart, offloads, framed);
	ret = n < 0 ? n : vq_add(q->ring.vq, sg, n, 0, mbuf);
	if (ret == -ENOSPC) {
		reclaim(q, n);
		ret = vq_add(q->ring.vq, sg, n, 0, mbuf);
	}
	if (ret == -EINVAL || ret == -EMSGSIZE || ret == -EPROTO) {
		drop(q, mbuf, ret);
		return 0;
	}
	if (ret == 0) {
		q->stats.multi_segment += mbuf->nb_segs > 1;
		q->stats.header_apart += apart;
		q->chains += mbuf->nb_segs > 1;
		q->stats.packets++;
		q->stats.bytes += mbuf->pkt_len;
		if (offloads && mbuf->ol_flags & RTE_MBUF_F_TX_VLAN)
			q->stats.bytes += sizeof(struct rte_vlan_hdr);
	}
	return ret;
}

/* Adds the packets that are one element each from the front of pkts; returns how many were added.
 */
static __rte_always_inline uint16_t
add_singles(struct vio_txq *q, struct rte_mbuf **pkts, uint16_t n, const uint16_t hdr_len,
	    const bool offloads)
{
	const uint32_t frame_max = q->frame_max;
	uint64_t bytes = 0;
	uint16_t count;

	n = RTE_MIN(n, vq_free_count(q->ring.vq));
	for (count = 0; count < n; count++) {
		struct rte_mbuf *mbuf = pkts[count];

		if (unlikely(!is_simple(mbuf, hdr_len) || is_oversize(mbuf, frame_max, offloads)))
			break;
		if (offloads && asks(mbuf)) {
			if (!vio_tx_in_place(mbuf, &q->offer, hdr_len))
				break;
		} else {
			write_header_before(mbuf, hdr_len);
		}
		bytes += mbuf->pkt_len;
	}
	if (count == 0 || vq_add_out(q->ring.vq, (void **)pkts, count, &q->view) == 0)
		return 0;
	q->stats.packets += count;
	q->stats.bytes += bytes;
	return count;
}

static __rte_cold void
tell_broken(struct vio_txq *q)
{
	if (q->told_broken)
		return;
	q->told_broken = true;
	q->stats.broken++;
	q->stats.broken_by[vq_error(q->ring.vq)]++;
	vio_recover_notice(q->port, VIO_CAUSE_QUEUE);
}

static inline void
kick(struct vio_txq *q)
{
	if (vq_kick_prepare(q->ring.vq)) {
		vio_ring_kick(&q->ring, q->port);
		q->stats.kicks++;
	}
}

/* What was sent is taken back between the stores to the ring and the barrier before the kick, which
 * waits for them. */
static __rte_always_inline uint16_t
send_burst(struct vio_txq *q, struct rte_mbuf **pkts, uint16_t n, const uint16_t hdr_len,
	   const bool offloads, const bool framed)
{
	uint16_t sent = 0;
	bool full = false;

	if (unlikely(vq_free_count(q->ring.vq) < n))
		reclaim(q, n);
	while (sent < n && !full) {
		uint16_t singles = framed ? 0
					  : add_singles(q, pkts + sent, n - sent, hdr_len,
							offloads);

		sent += singles;
		if (singles > 0)
			continue;
		full = add_packet(q, pkts[sent], offloads, framed) < 0;
		sent += !full;
	}
	q->stats.full += full;
	if (sent > 0)
		vq_publish(q->ring.vq);
	if (vq_free_count(q->ring.vq) < q->free_at)
		reclaim(q, q->free_at);
	if (unlikely(vq_error(q->ring.vq) != VQ_OK))
		tell_broken(q);
	else if (sent > 0)
		kick(q);
	return sent;
}

static __rte_always_inline uint16_t
tx_burst(struct vio_txq *q, struct rte_mbuf **pkts, uint16_t n, const uint16_t hdr_len,
	 const bool offloads, const bool framed)
{
	uint16_t sent;

	if (unlikely(!vio_gate_enter(&q->gate)))
		return 0;
	sent = send_burst(q, pkts, n, hdr_len, offloads, framed);
	vio_gate_leave(&q->gate);
	return sent;
}

__rte_noinline uint16_t
vio_tx_behind_gate(struct vio_txq *q, struct rte_mbuf *mbuf)
{
	return q->apart ? send_burst(q, &mbuf, 1, q->hdr_len, false, true)
			: send_burst(q, &mbuf, 1, q->hdr_len, false, false);
}

uint16_t
vio_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return tx_burst(queue, pkts, n, VIO_NET_HDR_LEN, false, false);
}

uint16_t
vio_tx_other_header(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_txq *q = queue;

	return tx_burst(q, pkts, n, q->hdr_len, false, false);
}

uint16_t
vio_tx_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_txq *q = queue;

	return tx_burst(q, pkts, n, q->hdr_len, true, false);
}

uint16_t
vio_tx_apart_header(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_txq *q = queue;

	return tx_burst(q, pkts, n, q->hdr_len, false, true);
}

uint16_t
vio_tx_apart_header_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_txq *q = queue;

	return tx_burst(q, pkts, n, q->hdr_len, true, true);
}

/* Has it too many segments, for the driver or for the queue? Where its header comes to stand is
 * certain only in the burst, if it asks for offloads: then one descriptor is kept for that. */
static bool
is_too_long(const struct vio_txq *q, const struct rte_mbuf *mbuf)
{
	bool before = header_fits(mbuf, q->hdr_len) && !asks(mbuf);
	unsigned segments = mbuf->nb_segs + q->apart;

	return segments > VIO_TX_SEGMENTS_MAX || segments + !before > q->ring.size;
}

uint16_t
vio_tx_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct vio_txq *q = queue;
	uint16_t i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = is_too_long(q, pkts[i]) ? -EINVAL : 0;
		if (ret == 0 && asks(pkts[i]))
			ret = vio_tx_check(pkts[i], &q->offer);
		if (is_oversize(pkts[i], q->frame_max, true))
			ret = RTE_MIN(ret, -EINVAL);
		if (ret < 0) {
			rte_errno = -ret;
			break;
		}
	}
	return i;
}

int
vio_tx_done_cleanup(void *queue, uint32_t count)
{
	struct vio_txq *q = queue;
	struct rte_mbuf *mbufs[VIO_BATCH];
	uint32_t freed = 0;
	uint16_t n;

	if (!vio_gate_enter(&q->gate))
		return 0;
	count = count == 0 ? q->ring.size : RTE_MIN(count, q->ring.size);
	do {
		n = vq_get(q->ring.vq, (void **)mbufs, NULL,
			   RTE_MIN(count - freed, (uint32_t)VIO_BATCH));
		if (n > 0)
			free_packets(q, mbufs, n);
		freed += n;
	} while (n > 0 && freed < count);
	vio_gate_leave(&q->gate);
	return freed;
}

uint16_t
vio_tx_unsent(struct vio_txq *q)
{
	reclaim(q, q->ring.size);
	return vq_in_flight(q->ring.vq);
}

void
vio_tx_drain(struct vio_txq *q)
{
	vio_ring_drain(&q->ring);
	q->chains = 0;
	q->told_broken = false;
}
