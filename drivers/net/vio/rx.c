/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving (spec 5.1.6.3, 5.1.6.4). Each buffer is one mbuf, whose headroom takes the header, so
 * that the frame begins where frames always begin in an mbuf.
 *
 * What the device can do here, and why it is harmless: lengths and ids were checked by the ring,
 * against its private state; num_buffers only decides how many buffers, each of them really used,
 * become one packet. What was looked at for four buffers at once (rx_four.h), and found to need
 * more, is loaded and checked anew for each.
 */
#include "rx.h"

#include <endian.h>

#include <rte_branch_prediction.h>
#include <rte_net.h>
#include <rte_prefetch.h>

#include "log.h"
#include "port.h"
#include "rx_chain.h"
#include "rx_four.h"
#include "rx_offload.h"

/* What a frame comes in: one mbuf; as many as the device takes; as many as stand ready for each. */
enum buffers { PLAIN, MERGEABLE, CHAINS };

/*
 * Whether the device wants to know of new buffers is a dear question: a full barrier, which waits
 * for the stores to the ring, and a load from where the device writes. While used buffers keep
 * coming it is at work and has some left, so it is asked when a burst was not full, or when half
 * the ring was refilled; and by the poll after the refill, when the stores have left.
 */
static inline void
kick_when_due(struct vio_rxq *q, bool full_burst)
{
	if (q->unkicked == 0 || likely(full_burst && q->unkicked < q->ring.size / 2))
		return;
	q->unkicked = 0;
	vio_rx_kick(q);
}

/* Takes all that a pool has which is short of n mbufs, and counts those that are missing. */
static __rte_cold uint16_t
take_the_rest(struct vio_rxq *q, struct rte_mbuf **mbufs, uint16_t n)
{
	uint16_t got = 0;

	for (uint16_t step = rte_align32prevpow2(n - 1u); step > 0; step /= 2)
		if (got + step <= n &&
		    rte_mempool_get_bulk(q->pool, (void **)&mbufs[got], step) == 0)
			got += step;
	q->stats.no_mbuf += n - got;
	q->port->data->rx_mbuf_alloc_failed += n - got;
	return got;
}

/* Takes n mbufs from the pool, or as many as there are. */
static uint16_t
take_mbufs(struct vio_rxq *q, struct rte_mbuf **mbufs, uint16_t n)
{
	if (likely(rte_mempool_get_bulk(q->pool, (void **)mbufs, n) == 0))
		return n;
	return take_the_rest(q, mbufs, n);
}

static __rte_noinline uint16_t
refill_from_pool(struct vio_rxq *q, uint16_t n)
{
	struct rte_mbuf *mbufs[VIO_BATCH];
	uint16_t added;

	n = take_mbufs(q, mbufs, n);
	added = vq_add_in(q->ring.vq, (void **)mbufs, n, &q->view);
	/* A broken queue takes none. */
	if (unlikely(added < n))
		rte_mempool_put_bulk(q->pool, (void **)&mbufs[added], n - added);
	return added;
}

/* Straight from the top of this lcore's cache: a copy of pointers that were stored there one by one
 * would have to wait until they have left for memory, behind the stores to the ring. */
static inline uint16_t
refill_batch(struct vio_rxq *q, uint16_t n)
{
	struct rte_mempool_cache *cache = rte_mempool_default_cache(q->pool, rte_lcore_id());
	void **mbufs;

	n = RTE_MIN(n, VIO_BATCH);
	if (unlikely(cache == NULL || cache->len < n))
		return refill_from_pool(q, n);
	mbufs = &cache->objs[cache->len - n];
	n = vq_add_in(q->ring.vq, mbufs, n, &q->view);
	cache->len -= n;
	return n;
}

uint16_t
vio_rx_refill(struct vio_rxq *q)
{
	uint16_t total = 0, wanted, n;

	if (q->chain > 1)
		return vio_rx_chain_refill(q);
	do {
		wanted = RTE_MIN(vq_free_count(q->ring.vq), VIO_BATCH);
		n = refill_batch(q, wanted);
		total += n;
	} while (n == wanted && vq_free_count(q->ring.vq) > 0);
	return total;
}

int
vio_rx_fill(struct vio_rxq *q)
{
	if (vio_rx_refill(q) == 0) {
		PORT_LOG(q->port, ERR,
			 "rx queue %u: pool %s is empty; give it at least %u mbufs more", q->id,
			 q->pool->name, q->ring.size);
		return -ENOMEM;
	}
	vq_publish(q->ring.vq);
	return 0;
}

void
vio_rx_kick(struct vio_rxq *q)
{
	if (vq_kick_prepare(q->ring.vq)) {
		vio_ring_kick(&q->ring, q->port);
		q->stats.kicks++;
	}
}

/* Most buffers were replaced as they came. */
static inline void
publish_chains(struct vio_rxq *q)
{
	if (unlikely(vq_free_count(q->ring.vq) >= q->chain))
		q->unpublished += vio_rx_chain_refill(q);
	if (q->unpublished == 0)
		return;
	vq_publish(q->ring.vq);
	q->unkicked += q->unpublished;
	q->unpublished = 0;
}

static inline void
refill_when_due(struct vio_rxq *q)
{
	uint16_t n;

	if (vq_free_count(q->ring.vq) < q->refill_at)
		return;
	n = refill_batch(q, vq_free_count(q->ring.vq));
	if (likely(n > 0))
		vq_publish(q->ring.vq);
	q->unkicked += n;
}

static inline void
drop(struct vio_rxq *q, struct rte_mbuf *mbuf)
{
	q->stats.errors++;
	vio_rx_begin_segment(q, mbuf, 0);
	rte_mbuf_raw_free(mbuf);
}

/* Is this length one of a frame in one buffer, or of a frame's first buffer? Below header and
 * Ethernet header it is no frame (NET-RX length checks). */
static inline bool
first_length_is_good(struct vio_rxq *q, uint32_t len, uint32_t hdr_len)
{
	const uint32_t least = hdr_len + RTE_ETHER_HDR_LEN;

	/* Below it, or VQ_LENGTH_LIE, the largest number: both in one comparison. */
	if (likely(len - least < VQ_LENGTH_LIE - least))
		return true;
	if (len == VQ_LENGTH_LIE)
		q->stats.drop_length++;
	else
		q->stats.drop_short++;
	return false;
}

/* Where the device writes the header; without a look at the mbuf wherever the pool's layout tells.
 */
static inline const struct vio_net_hdr *
header_of(const struct vio_rxq *q, const struct rte_mbuf *mbuf)
{
	if (likely(q->hdr_at != 0))
		return RTE_PTR_ADD(mbuf, q->hdr_at);
	return RTE_PTR_ADD(mbuf->buf_addr, RTE_PKTMBUF_HEADROOM - q->hdr_len);
}

/* The device's count of this frame's buffers. */
static inline uint16_t
load_num_buffers(const struct vio_rxq *q, const struct rte_mbuf *mbuf)
{
	const struct vio_net_hdr *hdr = header_of(q, mbuf);

	return le16toh(*(const volatile uint16_t *)&hdr->num_buffers);
}

/* The first of several buffers. A count that the ring could never fill would hold buffers for ever.
 */
static bool
begin_partial(struct vio_rxq *q, struct rte_mbuf *mbuf, uint16_t num_buffers)
{
	if (num_buffers == 0 || num_buffers > q->ring.size) {
		q->stats.drop_num_buffers++;
		drop(q, mbuf);
		return false;
	}
	q->partial = mbuf;
	q->partial_last = mbuf;
	q->partial_missing = num_buffers - 1;
	q->partial_bad = false;
	return true;
}

/* A frame that will be dropped waits for its last buffer with its first alone: the others are of
 * use to the pool, and a device that never sends the last would keep them from it. */
static void
let_go_of_partial(struct vio_rxq *q, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *packet = q->partial;

	vio_rx_begin_segment(q, mbuf, 0);
	rte_mbuf_raw_free(mbuf);
	if (q->partial_bad)
		return;
	q->partial_bad = true;
	rte_pktmbuf_free(packet->next);
	packet->next = NULL;
	packet->nb_segs = 1;
	packet->pkt_len = packet->data_len;
	q->partial_last = packet;
}

static void
append_to_partial(struct vio_rxq *q, struct rte_mbuf *mbuf, uint32_t len)
{
	vio_rx_begin_segment(q, mbuf, len);
	mbuf->data_off = RTE_PKTMBUF_HEADROOM - q->hdr_len;
	q->partial_last->next = mbuf;
	q->partial_last = mbuf;
	q->partial->nb_segs++;
	q->partial->pkt_len += len;
}

/* A further buffer of the frame that is being put together; it has no header. Returns the frame
 * when it is whole, else NULL. */
static struct rte_mbuf *
continue_partial(struct vio_rxq *q, struct rte_mbuf *mbuf, uint32_t len)
{
	struct rte_mbuf *packet = q->partial;

	if (unlikely(q->partial_bad || len == VQ_LENGTH_LIE || len == 0 ||
		     packet->pkt_len + len > VIO_FRAME_MAX))
		let_go_of_partial(q, mbuf);
	else
		append_to_partial(q, mbuf, len);
	if (--q->partial_missing > 0)
		return NULL;
	q->partial = NULL;
	if (likely(!q->partial_bad)) {
		q->stats.multi_segment++;
		return packet;
	}
	q->stats.drop_length++;
	q->stats.errors++;
	rte_pktmbuf_free(packet);
	return NULL;
}

/* The same where a buffer is a chain of mbufs. */
static struct rte_mbuf *
receive_chain(struct vio_rxq *q, struct rte_mbuf *head, uint32_t len)
{
	if (likely(first_length_is_good(q, len, q->hdr_len)))
		return vio_rx_chain_receive(q, head, len);
	q->stats.errors++;
	vio_rx_chain_reuse(q, head);
	return NULL;
}

/* One used buffer becomes a packet, a part of one, or nothing. */
static __rte_always_inline struct rte_mbuf *
receive_buffer(struct vio_rxq *q, struct rte_mbuf *mbuf, uint32_t len, uint32_t hdr_len,
	       const enum buffers buffers)
{
	const bool mergeable = buffers == MERGEABLE;
	uint16_t num_buffers;

	if (buffers == CHAINS)
		return receive_chain(q, mbuf, len);
	if (mergeable && unlikely(q->partial != NULL))
		return continue_partial(q, mbuf, len);
	if (unlikely(!first_length_is_good(q, len, hdr_len))) {
		drop(q, mbuf);
		return NULL;
	}
	vio_rx_begin_segment(q, mbuf, len - hdr_len);
	if (!mergeable)
		return mbuf;
	num_buffers = load_num_buffers(q, mbuf);
	if (likely(num_buffers == 1))
		return mbuf;
	begin_partial(q, mbuf, num_buffers);
	return NULL;
}

/* Obeys a header that says something. false where the packet was dropped instead. */
static bool
header_is_good(struct vio_rxq *q, struct rte_mbuf *packet, const struct vio_net_hdr *hdr,
	       uint8_t flags, uint8_t gso_type)
{
	enum vio_rx_verdict verdict = vio_rx_header(packet, hdr, flags, gso_type, &q->wants);

	if (likely(verdict == VIO_RX_GOOD)) {
		q->stats.lro += gso_type != VIO_NET_HDR_GSO_NONE;
		return true;
	}
	q->stats.drop_header[verdict]++;
	q->stats.errors++;
	rte_pktmbuf_free(packet);
	return false;
}

/* What the header and the frame ask for. Returns the packet, or NULL where it had to be dropped. */
static __rte_always_inline struct rte_mbuf *
apply_offloads(struct vio_rxq *q, struct rte_mbuf *packet, const uint32_t hdr_len)
{
	const struct vio_net_hdr *hdr = header_of(q, packet);
	uint8_t flags = 0, gso_type = 0;

	if (q->wants.header) {
		flags = *(const volatile uint8_t *)&hdr->flags & VIO_RX_FLAGS;
		gso_type = *(const volatile uint8_t *)&hdr->gso_type;
	}
	if ((flags | gso_type) != 0 && unlikely(!header_is_good(q, packet, hdr, flags, gso_type)))
		return NULL;
	if (q->wants.ip_cksum)
		vio_rx_ip_checksum(packet);
	if (q->wants.vlan_strip &&
	    unlikely(rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *)->ether_type ==
		     RTE_BE16(RTE_ETHER_TYPE_VLAN)))
		q->stats.vlan_stripped += vio_rx_vlan_strip(packet);
	if (hdr_len == VIO_NET_HDR_LEN_HASH)
		q->stats.bad_hash += !vio_rx_hash(packet, (const void *)hdr, q->hash_types);
	if (q->wants.ptypes != 0)
		/* The parse ends below the first layer that it is not asked for. */
		packet->packet_type = rte_net_get_ptype(packet, NULL, VIO_RX_PTYPES) &
				      q->wants.ptypes;
	return packet;
}

/* The queue moves nothing any more: says so once. */
static __rte_cold void
tell_broken(struct vio_rxq *q)
{
	if (q->told_broken)
		return;
	q->told_broken = true;
	q->stats.broken++;
	q->stats.broken_by[vq_error(q->ring.vq)]++;
	vio_recover_notice(q->port, VIO_CAUSE_QUEUE);
}

/* Four mbufs become packets; returns their bytes. */
static __rte_always_inline uint64_t
begin_four(const struct vio_rxq *q, void *const *mbufs, vio_four frames, struct rte_mbuf **pkts)
{
	const vio_two begin = vio_four_begin(q);

#pragma GCC unroll 4
	for (unsigned i = 0; i < VIO_FOUR; i++) {
		struct rte_mbuf *mbuf = __atomic_load_n(&mbufs[i], __ATOMIC_RELAXED);

		vio_four_segment(mbuf, begin, frames, i);
		pkts[i] = mbuf;
	}
	return (uint64_t)frames[0] + frames[1] + frames[2] + frames[3];
}

static __rte_always_inline uint64_t
begin_four_words(const struct vio_rxq *q, void *const *mbufs, const uint32_t *used_lens,
		 struct rte_mbuf **pkts, uint32_t hdr_len)
{
	const struct vio_mbuf_begin begin = q->begin;
	uint64_t bytes = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < VIO_FOUR; i++) {
		struct rte_mbuf *mbuf = mbufs[i];
		const uint32_t len = used_lens[i] - hdr_len;

		vio_four_segment_words(mbuf, begin, len);
		pkts[i] = mbuf;
		bytes += len;
	}
	return bytes;
}

/*
 * The next four buffers become four packets, if each is a packet of its own with nothing to be
 * done. The headers' fields are loaded for that question alone: where the answer is no, nothing has
 * happened, and receive_buffer() asks again.
 */
static __rte_always_inline bool
receive_four(const struct vio_rxq *q, void *const *mbufs, const uint32_t *used_lens,
	     struct rte_mbuf **pkts, uint64_t *bytes, const enum buffers buffers,
	     const bool offloads, const uint32_t hdr_len, const struct vio_four_wants wants,
	     const bool words)
{
	const vio_four lens = words ? (vio_four){ 0 } : vio_four_load(used_lens);
	uint32_t asks = 0;

	if (buffers == CHAINS || (offloads && !wants.possible) ||
	    unlikely(!(words ? vio_four_lengths_are_good_words(used_lens, hdr_len)
			     : vio_four_lengths_are_good(lens, hdr_len))))
		return false;
#pragma GCC unroll 4
	for (unsigned i = 0; i < VIO_FOUR; i++) {
		if (buffers == MERGEABLE)
			asks |= load_num_buffers(q, mbufs[i]) ^ 1;
		if (offloads)
			asks |= vio_four_asks(header_of(q, mbufs[i]), wants);
	}
	if (unlikely(asks != 0) || (buffers == MERGEABLE && unlikely(q->partial != NULL)))
		return false;
	if (words)
		*bytes += begin_four_words(q, mbufs, used_lens, pkts, hdr_len);
	else
		*bytes += begin_four(q, mbufs, lens - hdr_len, pkts);
	return true;
}

static __rte_always_inline uint16_t
receive_each(struct vio_rxq *q, void *const *mbufs, const uint32_t *lens, uint16_t n,
	     struct rte_mbuf **pkts, uint64_t *bytes, const enum buffers buffers,
	     const bool offloads, const uint32_t hdr_len)
{
	uint16_t received = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *packet = receive_buffer(q, mbufs[i], lens[i], hdr_len, buffers);

		if (offloads && likely(packet != NULL))
			packet = apply_offloads(q, packet, hdr_len);
		if (unlikely(packet == NULL))
			continue;
		*bytes += packet->pkt_len;
		pkts[received++] = packet;
	}
	return received;
}

static __rte_always_inline uint16_t
rx_batch(struct vio_rxq *q, struct rte_mbuf **pkts, uint16_t n, uint16_t *taken,
	 const enum buffers buffers, const bool offloads, const uint32_t hdr_len, const bool words)
{
	/* What a vector stored across two lines could not be loaded before it has left for memory.
	 */
	void *mbufs[VIO_BATCH] __rte_cache_aligned;
	uint32_t lens[VIO_BATCH] __rte_cache_aligned;
	const struct vio_four_wants wants = vio_four_wants(q, hdr_len);
	unsigned received = 0;
	uint16_t got;
	uint64_t bytes = 0;

	got = vq_get(q->ring.vq, mbufs, lens, n);
	for (uint16_t i = 0; !words && i < got; i++) {
		rte_prefetch0(mbufs[i]);
		if (buffers == MERGEABLE || offloads)
			rte_prefetch0(header_of(q, mbufs[i]));
	}
	for (unsigned i = 0; i < got; i += VIO_FOUR) {
		const unsigned left = got - i;

		if (likely(left >= VIO_FOUR) &&
		    receive_four(q, &mbufs[i], &lens[i], &pkts[received], &bytes, buffers, offloads,
				 hdr_len, wants, words)) {
			received += VIO_FOUR;
			continue;
		}
		received += receive_each(q, &mbufs[i], &lens[i], RTE_MIN(left, VIO_FOUR),
					 &pkts[received], &bytes, buffers, offloads, hdr_len);
	}
	q->stats.packets += received;
	q->stats.bytes += bytes;
	*taken = got;
	return received;
}

/*
 * A burst too small for vectors, where nothing but the frames' lengths is looked at: without the
 * tables and bounds that pay only over several packets. Where frames are dropped the burst is that
 * much shorter; others that wait are the next one's.
 */
static __rte_noinline uint16_t
rx_few(struct vio_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint32_t lens[VIO_FOUR];
	uint16_t received, got;
	uint64_t bytes = 0;

	if (unlikely(!vio_gate_enter(&q->gate)))
		return 0;
	got = vq_get(q->ring.vq, (void **)pkts, lens, n);
	received = receive_each(q, (void **)pkts, lens, got, pkts, &bytes, PLAIN, false,
				VIO_NET_HDR_LEN);
	q->stats.packets += received;
	q->stats.bytes += bytes;
	if (unlikely(vq_error(q->ring.vq) != VQ_OK)) {
		tell_broken(q);
	} else {
		kick_when_due(q, got == n);
		refill_when_due(q);
	}
	if (got == n)
		vq_prefetch(q->ring.vq, n, true);
	vio_gate_leave(&q->gate);
	return received;
}

static __rte_always_inline uint16_t
rx_burst(struct vio_rxq *q, struct rte_mbuf **pkts, uint16_t n, const enum buffers buffers,
	 const bool offloads, const uint32_t hdr_len, const bool words)
{
	/* No more buffers than a ring holds, whatever the device does with those refilled here. */
	uint32_t budget = q->ring.size;
	uint16_t received = 0, batch, taken;

	if (unlikely(!vio_gate_enter(&q->gate)))
		return 0;
	do {
		batch = RTE_MIN(n - received, VIO_BATCH);
		received += rx_batch(q, pkts + received, batch, &taken, buffers, offloads, hdr_len,
				     words);
		if (unlikely(vq_error(q->ring.vq) != VQ_OK)) {
			tell_broken(q);
			break;
		}
		kick_when_due(q, taken == batch);
		if (buffers == CHAINS)
			publish_chains(q);
		else
			refill_when_due(q);
		budget -= RTE_MIN(budget, taken);
	} while (unlikely(taken == batch && received < n && budget > 0));
	if (!words && taken == batch)
		vq_prefetch(q->ring.vq, batch, true);
	vio_gate_leave(&q->gate);
	return received;
}

uint16_t
vio_rx_mergeable(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, MERGEABLE, false, VIO_NET_HDR_LEN, false);
}

uint16_t
vio_rx_mergeable_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, MERGEABLE, true, VIO_NET_HDR_LEN, false);
}

uint16_t
vio_rx_plain(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	if (n < VIO_FOUR)
		return rx_few(queue, pkts, n);
	return rx_burst(queue, pkts, n, PLAIN, false, VIO_NET_HDR_LEN, false);
}

uint16_t
vio_rx_plain_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, PLAIN, true, VIO_NET_HDR_LEN, false);
}

uint16_t
vio_rx_mergeable_words(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, MERGEABLE, false, VIO_NET_HDR_LEN, true);
}

uint16_t
vio_rx_mergeable_offloads_words(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, MERGEABLE, true, VIO_NET_HDR_LEN, true);
}

uint16_t
vio_rx_plain_words(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	if (n < VIO_FOUR)
		return rx_few(queue, pkts, n);
	return rx_burst(queue, pkts, n, PLAIN, false, VIO_NET_HDR_LEN, true);
}

uint16_t
vio_rx_plain_offloads_words(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, PLAIN, true, VIO_NET_HDR_LEN, true);
}

uint16_t
vio_rx_mergeable_other_header(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_rxq *q = queue;

	return rx_burst(q, pkts, n, MERGEABLE, true, q->hdr_len, false);
}

uint16_t
vio_rx_plain_other_header(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_rxq *q = queue;

	return rx_burst(q, pkts, n, PLAIN, true, q->hdr_len, false);
}

uint16_t
vio_rx_chains(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_rxq *q = queue;

	return rx_burst(q, pkts, n, CHAINS, false, q->hdr_len, false);
}

uint16_t
vio_rx_chains_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vio_rxq *q = queue;

	return rx_burst(q, pkts, n, CHAINS, true, q->hdr_len, false);
}

/* The device gets all the buffers that there are, and is asked whether it waits for them: nobody
 * will refill the ring while the application sleeps. For the thread that polls, as all that adds
 * buffers; but this and the next two enter as visitors, so that where another thread calls them the
 * mark of a poller that is inside stays, and a recovery waits for both. */
bool
vio_rx_arm(struct vio_rxq *q)
{
	uint16_t n;
	bool stay;

	if (!vio_gate_visit(&q->gate))
		return false;
	if (q->chain > 1) {
		publish_chains(q);
	} else {
		n = vio_rx_refill(q);
		if (n > 0)
			vq_publish(q->ring.vq);
		q->unkicked += n;
	}
	kick_when_due(q, false);
	stay = vq_enable_cb(q->ring.vq) ||
	       vq_free_count(q->ring.vq) > RTE_MAX(q->ring.size / 2, q->chain - 1);
	vio_gate_end_visit(&q->gate);
	return stay;
}

bool
vio_rx_monitor(struct vio_rxq *q, struct vq_monitor *monitor, bool *waits)
{
	bool well;

	if (!vio_gate_visit(&q->gate))
		return false;
	well = vq_error(q->ring.vq) == VQ_OK;
	if (well) {
		kick_when_due(q, false);
		*waits = vq_monitor(q->ring.vq, monitor);
	}
	vio_gate_end_visit(&q->gate);
	return well;
}

void
vio_rx_disarm(struct vio_rxq *q)
{
	if (!vio_gate_visit(&q->gate))
		return;
	vq_disable_cb(q->ring.vq);
	vio_gate_end_visit(&q->gate);
}

void
vio_rx_drain(struct vio_rxq *q)
{
	vio_ring_drain(&q->ring);
	rte_pktmbuf_free(q->partial);
	q->partial = NULL;
	q->unkicked = 0;
	q->unpublished = 0;
	q->told_broken = false;
}
