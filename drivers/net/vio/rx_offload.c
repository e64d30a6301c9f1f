/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums that the device left for the driver (spec 5.1.6.4), and tags taken out in software.
 *
 * The header is the device's word, and so is the packet: both are loaded once, sums are of 32 bits,
 * and nothing is written outside the packet.
 */
#include "rx_offload.h"

#include <endian.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/* The byte at a place of a packet that is long enough. */
static uint8_t *
packet_byte(struct rte_mbuf *mbuf, uint32_t at)
{
	while (at >= mbuf->data_len) {
		at -= mbuf->data_len;
		mbuf = mbuf->next;
	}
	return rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at);
}

/* Is the missing checksum the one of the packet's own TCP or UDP header? DPDK has a mark for that.
 */
static bool
is_outer_l4(const struct rte_mbuf *mbuf, uint32_t start, uint32_t offset)
{
	struct rte_net_hdr_lens lens;
	uint32_t ptype = rte_net_get_ptype(
		mbuf, &lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);

	if (start != (uint32_t)lens.l2_len + lens.l3_len)
		return false;
	switch (ptype & RTE_PTYPE_L4_MASK) {
	case RTE_PTYPE_L4_TCP:
		return offset == offsetof(struct rte_tcp_hdr, cksum);
	case RTE_PTYPE_L4_UDP:
		return offset == offsetof(struct rte_udp_hdr, dgram_cksum);
	default:
		return false;
	}
}

/*
 * The one's complement sum of a packet from start on. DPDK's own for whole packets loses a carry
 * where a segment ends at an odd byte.
 */
static uint16_t
sum_from(const struct rte_mbuf *mbuf, uint32_t start)
{
	uint32_t sum = 0, done = 0;

	for (; mbuf != NULL; mbuf = mbuf->next) {
		uint16_t part;

		if (start >= mbuf->data_len) {
			start -= mbuf->data_len;
			continue;
		}
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(mbuf, const void *, start),
				     mbuf->data_len - start);
		sum += done % 2 == 0 ? part : rte_bswap16(part);
		done += mbuf->data_len - start;
		start = 0;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* The field holds the sum of the pseudo header: the rest is added (spec 5.1.6.4.1). */
static void
complete(struct rte_mbuf *mbuf, uint32_t start, uint32_t offset)
{
	uint16_t sum = sum_from(mbuf, start);

	/* UDP says "no checksum" by 0. */
	sum = sum == 0xffff ? sum : ~sum;
	*packet_byte(mbuf, start + offset) = ((const uint8_t *)&sum)[0];
	*packet_byte(mbuf, start + offset + 1) = ((const uint8_t *)&sum)[1];
}

bool
vio_rx_checksum(struct rte_mbuf *mbuf, const struct vio_net_hdr *hdr, uint8_t flags)
{
	uint32_t start = le16toh(*(const volatile uint16_t *)&hdr->csum_start);
	uint32_t offset = le16toh(*(const volatile uint16_t *)&hdr->csum_offset);

	if (!(flags & VIO_NET_HDR_F_NEEDS_CSUM)) {
		if (flags & VIO_NET_HDR_F_DATA_VALID)
			mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return true;
	}
	if (start + offset + sizeof(uint16_t) > mbuf->pkt_len)
		return false;
	if (is_outer_l4(mbuf, start, offset))
		mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
	else
		complete(mbuf, start, offset);
	return true;
}

bool
vio_rx_hash(struct rte_mbuf *mbuf, const struct vio_net_hdr_hash *hdr, uint32_t types)
{
	uint16_t report = le16toh(*(const volatile uint16_t *)&hdr->hash_report);

	if (report == 0)
		return true;
	if (report > 32 || !(types & UINT32_C(1) << (report - 1)))
		return false;
	mbuf->hash.rss = le32toh(*(const volatile uint32_t *)&hdr->hash_value);
	mbuf->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	return true;
}

void
vio_rx_vlan_strip(struct rte_mbuf *mbuf)
{
	const struct rte_vlan_hdr *vlan;
	struct rte_ether_hdr *frame = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

	if (mbuf->data_len < sizeof(*frame) + sizeof(*vlan))
		return;
	vlan = (const struct rte_vlan_hdr *)(frame + 1);
	mbuf->vlan_tci = rte_be_to_cpu_16(vlan->vlan_tci);
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	memmove(rte_pktmbuf_adj(mbuf, sizeof(*vlan)), frame, 2 * RTE_ETHER_ADDR_LEN);
}
