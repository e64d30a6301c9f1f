/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums that the device left for the driver (spec 5.1.6.4), and tags taken out in software.
 *
 * The header is the device's word: it is copied once, and only the copy is looked at. The packet's
 * bytes can change at any time; places in it are checked against its length, sums are of 32 bits,
 * and nothing is written outside.
 */
#include "rx_offload.h"

#include <endian.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "pseudo.h"

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
is_outer_l4(uint32_t ptype, const struct rte_net_hdr_lens *lens, uint32_t start, uint32_t offset)
{
	if (start != (uint32_t)lens->l2_len + lens->l3_len)
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

static void
put_sum(struct rte_mbuf *mbuf, uint32_t at, uint16_t sum)
{
	*packet_byte(mbuf, at) = ((const uint8_t *)&sum)[0];
	*packet_byte(mbuf, at + 1) = ((const uint8_t *)&sum)[1];
}

/* The field holds the sum of the pseudo header: the rest is added (spec 5.1.6.4.1). */
static void
complete(struct rte_mbuf *mbuf, uint32_t start, uint32_t offset)
{
	uint16_t sum = sum_from(mbuf, start);

	/* UDP says "no checksum" by 0. */
	sum = sum == 0xffff ? sum : ~sum;
	put_sum(mbuf, start + offset, sum);
}

static uint16_t
load(const uint16_t *field)
{
	return le16toh(*(const volatile uint16_t *)field);
}

/* In the CPU's byte order. flags and gso_type were loaded before. */
static struct vio_net_hdr
load_header(const struct vio_net_hdr *hdr, uint8_t flags, uint8_t gso_type)
{
	return (struct vio_net_hdr){
		.flags = flags,
		.gso_type = gso_type,
		.hdr_len = load(&hdr->hdr_len),
		.gso_size = load(&hdr->gso_size),
		.csum_start = load(&hdr->csum_start),
		.csum_offset = load(&hdr->csum_offset),
	};
}

/* What a packet of a gso_type must be itself. */
static bool
is_of_type(uint32_t ptype, uint8_t type)
{
	uint32_t l4 = ptype & RTE_PTYPE_L4_MASK;
	bool v4 = RTE_ETH_IS_IPV4_HDR(ptype), v6 = RTE_ETH_IS_IPV6_HDR(ptype);

	switch (type) {
	case VIO_NET_HDR_GSO_TCPV4:
		return v4 && l4 == RTE_PTYPE_L4_TCP;
	case VIO_NET_HDR_GSO_TCPV6:
		return v6 && l4 == RTE_PTYPE_L4_TCP;
	default:
		return (v4 || v6) && l4 == RTE_PTYPE_L4_UDP;
	}
}

/* hdr_len is a hint, and may be short; but not longer than the packet. What it says of the headers
 * is not relied on: they are looked at. */
static bool
headers_agree(const struct rte_mbuf *mbuf, uint32_t ptype, const struct rte_net_hdr_lens *lens,
	      uint8_t type, uint16_t hdr_len)
{
	uint32_t least = type == VIO_NET_HDR_GSO_UDP_L4 ? sizeof(struct rte_udp_hdr)
							: sizeof(struct rte_tcp_hdr);
	uint32_t headers = (uint32_t)lens->l2_len + lens->l3_len + lens->l4_len;

	return is_of_type(ptype, type) && lens->l4_len >= least && headers <= mbuf->pkt_len &&
	       hdr_len <= mbuf->pkt_len;
}

/* A packet that stands for several. */
static enum vio_rx_verdict
take_segments(struct rte_mbuf *mbuf, const struct vio_net_hdr *hdr, uint32_t ptype,
	      const struct rte_net_hdr_lens *lens, const struct vio_rx_wants *wants)
{
	uint8_t type = hdr->gso_type & ~VIO_NET_HDR_GSO_ECN;
	bool ecn = hdr->gso_type & VIO_NET_HDR_GSO_ECN;

	if (type >= 8 || !(wants->gso & 1u << type))
		return VIO_RX_BAD_GSO_TYPE;
	if (ecn && (!wants->ecn || type == VIO_NET_HDR_GSO_UDP_L4))
		return VIO_RX_BAD_GSO_TYPE;
	if (hdr->gso_size == 0)
		return VIO_RX_BAD_GSO_SIZE;
	if (!headers_agree(mbuf, ptype, lens, type, hdr->hdr_len))
		return VIO_RX_BAD_HDR_LEN;
	mbuf->ol_flags |= RTE_MBUF_F_RX_LRO;
	mbuf->tso_segsz = hdr->gso_size;
	return VIO_RX_GOOD;
}

/* The checksum at start + offset is missing. */
static enum vio_rx_verdict
take_partial(struct rte_mbuf *mbuf, const struct vio_net_hdr *hdr, uint32_t ptype,
	     const struct rte_net_hdr_lens *lens, const struct vio_rx_wants *wants)
{
	uint32_t start = hdr->csum_start, offset = hdr->csum_offset;

	if (start + offset + sizeof(uint16_t) > mbuf->pkt_len)
		return VIO_RX_BAD_CSUM;
	if (wants->l4_marks && is_outer_l4(ptype, lens, start, offset))
		mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
	else
		complete(mbuf, start, offset);
	return VIO_RX_GOOD;
}

/* What the field of a packet that stands for several holds differs between devices: some leave the
 * length out of it. Its own headers, which agree with the rest by now, tell. */
static void
seed(struct rte_mbuf *mbuf, const struct vio_net_hdr *hdr, uint32_t ptype,
     const struct rte_net_hdr_lens *lens)
{
	uint32_t start = hdr->csum_start, offset = hdr->csum_offset;
	bool tcp = (ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP;
	uint16_t sum;

	if (mbuf->data_len < start || !is_outer_l4(ptype, lens, start, offset) ||
	    start + offset + sizeof(sum) > mbuf->pkt_len)
		return;
	sum = vio_pseudo_sum(rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, lens->l2_len),
			     lens->l3_len, RTE_ETH_IS_IPV4_HDR(ptype),
			     tcp ? IPPROTO_TCP : IPPROTO_UDP);
	put_sum(mbuf, start + offset, sum);
}

enum vio_rx_verdict
vio_rx_header(struct rte_mbuf *mbuf, const struct vio_net_hdr *shared, uint8_t flags,
	      uint8_t gso_type, const struct vio_rx_wants *wants)
{
	const struct vio_net_hdr hdr = load_header(shared, flags, gso_type);
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t ptype = rte_net_get_ptype(mbuf, &lens, VIO_RX_PTYPES);
	enum vio_rx_verdict verdict = VIO_RX_GOOD;

	mbuf->packet_type = ptype;
	if (gso_type != VIO_NET_HDR_GSO_NONE)
		verdict = take_segments(mbuf, &hdr, ptype, &lens, wants);
	if (verdict != VIO_RX_GOOD)
		return verdict;
	if (gso_type != VIO_NET_HDR_GSO_NONE && flags & VIO_NET_HDR_F_NEEDS_CSUM &&
	    !wants->l4_marks)
		seed(mbuf, &hdr, ptype, &lens);
	if (flags & VIO_NET_HDR_F_NEEDS_CSUM)
		return take_partial(mbuf, &hdr, ptype, &lens, wants);
	if (flags & VIO_NET_HDR_F_DATA_VALID)
		mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return VIO_RX_GOOD;
}

void
vio_rx_ip_checksum(struct rte_mbuf *mbuf)
{
	const struct rte_ether_hdr *frame = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);
	const struct rte_vlan_hdr *vlan = (const struct rte_vlan_hdr *)(frame + 1);
	uint32_t at = sizeof(*frame), len;
	uint16_t type = frame->ether_type;
	const struct rte_ipv4_hdr *ip;

	if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN) && mbuf->data_len >= at + sizeof(*vlan)) {
		at += sizeof(*vlan);
		type = vlan->eth_proto;
	}
	if (type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || mbuf->data_len < at + sizeof(*ip))
		return;
	ip = rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, at);
	len = rte_ipv4_hdr_len(ip);
	if (len < sizeof(*ip) || mbuf->data_len < at + len)
		return;
	mbuf->ol_flags |= rte_raw_cksum(ip, len) == 0xffff ? RTE_MBUF_F_RX_IP_CKSUM_GOOD
							   : RTE_MBUF_F_RX_IP_CKSUM_BAD;
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

bool
vio_rx_vlan_strip(struct rte_mbuf *mbuf)
{
	const struct rte_vlan_hdr *vlan;
	struct rte_ether_hdr *frame = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

	if (mbuf->data_len < sizeof(*frame) + sizeof(*vlan))
		return false;
	vlan = (const struct rte_vlan_hdr *)(frame + 1);
	mbuf->packet_type = 0; /* what it was with the tag in it */
	mbuf->vlan_tci = rte_be_to_cpu_16(vlan->vlan_tci);
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	memmove(rte_pktmbuf_adj(mbuf, sizeof(*vlan)), frame, 2 * RTE_ETHER_ADDR_LEN);
	return true;
}
