/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums and segments that the device makes (spec 5.1.6.2), and what the driver does itself: the
 * IPv4 checksum, and VLAN tags.
 *
 * Lengths in the mbuf are the application's word, and right or its own loss; but nothing is written
 * outside the packet, nor into a buffer that others share.
 */
#include "tx_offload.h"

#include <endian.h>
#include <errno.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "pseudo.h"

#define TAG_LEN  ((uint16_t)sizeof(struct rte_vlan_hdr))
#define MACS_LEN (2 * RTE_ETHER_ADDR_LEN)
/* Most bytes behind an IPv4 header's begin, or an IPv6 header's end. */
#define IP_PAYLOAD_MAX 65535

/* What the mbuf's field holds. */
#define L2_LEN_MAX ((1 << RTE_MBUF_L2_LEN_BITS) - 1)

#define SEGMENTATION (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)
/* Neither announced nor done. */
#define NEVER           \
	(VIO_TX_FLAGS & \
	 ~(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | SEGMENTATION | RTE_MBUF_F_TX_VLAN))

/* Whose checksum is left to the device: IPPROTO_TCP, IPPROTO_UDP, or 0. */
static uint8_t
transport(uint64_t flags)
{
	uint64_t checksum = flags & RTE_MBUF_F_TX_L4_MASK;

	if (flags & RTE_MBUF_F_TX_TCP_SEG || checksum == RTE_MBUF_F_TX_TCP_CKSUM)
		return IPPROTO_TCP;
	if (flags & RTE_MBUF_F_TX_UDP_SEG || checksum == RTE_MBUF_F_TX_UDP_CKSUM)
		return IPPROTO_UDP;
	return 0;
}

/* The offloads that flags ask for; 0 where some that no port has are among them. */
static uint64_t
asked(uint64_t flags)
{
	uint64_t offloads = 0;

	if (flags & NEVER || (flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_SCTP_CKSUM)
		return 0;
	offloads |= flags & RTE_MBUF_F_TX_VLAN ? RTE_ETH_TX_OFFLOAD_VLAN_INSERT : 0;
	offloads |= flags & RTE_MBUF_F_TX_IP_CKSUM ? RTE_ETH_TX_OFFLOAD_IPV4_CKSUM : 0;
	if (flags & RTE_MBUF_F_TX_TCP_SEG)
		return offloads | (flags & RTE_MBUF_F_TX_IPV6 ? VIO_TX_TSO6 : VIO_TX_TSO4);
	if (flags & RTE_MBUF_F_TX_UDP_SEG)
		return offloads | RTE_ETH_TX_OFFLOAD_UDP_TSO;
	if (transport(flags) == IPPROTO_TCP)
		return offloads | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	if (transport(flags) == IPPROTO_UDP)
		return offloads | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	return offloads;
}

/* Bytes of headers that must be looked at. */
static uint32_t
headers_len(const struct rte_mbuf *mbuf)
{
	uint64_t flags = mbuf->ol_flags;
	uint32_t to_l4 = (uint32_t)mbuf->l2_len + mbuf->l3_len;

	if (flags & SEGMENTATION)
		return to_l4 + mbuf->l4_len;
	if (transport(flags) == IPPROTO_TCP)
		return to_l4 + sizeof(struct rte_tcp_hdr);
	if (transport(flags) == IPPROTO_UDP)
		return to_l4 + sizeof(struct rte_udp_hdr);
	return flags & RTE_MBUF_F_TX_IP_CKSUM ? to_l4 : sizeof(struct rte_ether_hdr);
}

/* Which IP it is must be said, and said once. */
static bool
lengths_make_sense(const struct rte_mbuf *mbuf)
{
	uint64_t flags = mbuf->ol_flags;
	bool v4 = flags & RTE_MBUF_F_TX_IPV4, v6 = flags & RTE_MBUF_F_TX_IPV6;

	if (!(flags & (SEGMENTATION | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM)))
		return true;
	/* Of the IPv4 checksum, DPDK asks that drivers look at that one flag alone. */
	v4 = v4 || (flags & RTE_MBUF_F_TX_IP_CKSUM && transport(flags) == 0);
	if (v4 == v6 || mbuf->l2_len < RTE_ETHER_HDR_LEN)
		return false;
	return v4 ? mbuf->l3_len >= sizeof(struct rte_ipv4_hdr) && mbuf->l3_len <= 60
		  : mbuf->l3_len >= sizeof(struct rte_ipv6_hdr) &&
			       !(flags & RTE_MBUF_F_TX_IP_CKSUM);
}

static bool
segments_make_sense(const struct rte_mbuf *mbuf)
{
	uint64_t flags = mbuf->ol_flags & SEGMENTATION;
	uint32_t most = mbuf->l2_len + IP_PAYLOAD_MAX;

	if (flags == 0)
		return true;
	if (flags == SEGMENTATION || mbuf->tso_segsz == 0)
		return false;
	if (mbuf->ol_flags & RTE_MBUF_F_TX_IPV6)
		most += sizeof(struct rte_ipv6_hdr);
	if (mbuf->pkt_len > most)
		return false;
	return flags == RTE_MBUF_F_TX_TCP_SEG
		       ? mbuf->l4_len >= sizeof(struct rte_tcp_hdr) && mbuf->l4_len <= 60
		       : mbuf->l4_len == sizeof(struct rte_udp_hdr);
}

/* Without HOST_ECN no packet with CWR may be segmented: each segment would carry it (NET-TX-14). */
static bool
has_cwr(const struct rte_mbuf *mbuf)
{
	uint32_t at = (uint32_t)mbuf->l2_len + mbuf->l3_len +
		      offsetof(struct rte_tcp_hdr, tcp_flags);
	uint8_t flags;
	const uint8_t *found = rte_pktmbuf_read(mbuf, at, sizeof(flags), &flags);

	return found != NULL && *found & RTE_TCP_CWR_FLAG;
}

/* What fits one segment is sent as one. */
bool
vio_tx_is_segmented(const struct rte_mbuf *mbuf)
{
	return mbuf->ol_flags & SEGMENTATION && mbuf->pkt_len > headers_len(mbuf) + mbuf->tso_segsz;
}

int
vio_tx_check(const struct rte_mbuf *mbuf, const struct vio_tx_offer *offer)
{
	uint64_t offloads = asked(mbuf->ol_flags);
	uint32_t len = headers_len(mbuf);

	if (offloads == 0 || offloads & ~offer->offloads)
		return -ENOTSUP;
	if (!lengths_make_sense(mbuf) || !segments_make_sense(mbuf))
		return -EINVAL;
	if (len > mbuf->pkt_len || len > VIO_TX_HEADERS_MAX)
		return -EINVAL;
	if (mbuf->ol_flags & RTE_MBUF_F_TX_TCP_SEG && !offer->ecn && vio_tx_is_segmented(mbuf) &&
	    has_cwr(mbuf))
		return -ENOTSUP;
	return len;
}

static void
set_ip_checksum(uint8_t *l3, uint16_t l3_len)
{
	struct rte_ipv4_hdr *ip = (void *)l3;

	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, l3_len);
}

static uint8_t
gso_type(const struct rte_mbuf *mbuf, const uint8_t *l4)
{
	bool ecn;

	if (mbuf->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		return VIO_NET_HDR_GSO_UDP_L4;
	ecn = ((const struct rte_tcp_hdr *)(const void *)l4)->tcp_flags & RTE_TCP_CWR_FLAG;
	return (mbuf->ol_flags & RTE_MBUF_F_TX_IPV4 ? VIO_NET_HDR_GSO_TCPV4
						    : VIO_NET_HDR_GSO_TCPV6) |
	       (ecn ? VIO_NET_HDR_GSO_ECN : 0);
}

/* headers are the packet's, whole, with its tag already in them, which makes them `tag` bytes
 * longer than the mbuf's lengths say. */
static void
write_headers(struct vio_net_hdr *hdr, uint8_t *headers, const struct rte_mbuf *mbuf, uint16_t tag)
{
	uint64_t flags = mbuf->ol_flags;
	uint16_t l2_len = mbuf->l2_len + tag, l3_len = mbuf->l3_len;
	uint8_t *l3 = headers + l2_len, *l4 = l3 + l3_len, protocol = transport(flags);
	uint16_t offset, sum;

	if (flags & RTE_MBUF_F_TX_IP_CKSUM)
		set_ip_checksum(l3, l3_len);
	if (protocol == 0)
		return;
	offset = protocol == IPPROTO_TCP ? offsetof(struct rte_tcp_hdr, cksum)
					 : offsetof(struct rte_udp_hdr, dgram_cksum);
	sum = vio_pseudo_sum(l3, l3_len, flags & RTE_MBUF_F_TX_IPV4, protocol);
	memcpy(l4 + offset, &sum, sizeof(sum));
	hdr->flags = VIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = htole16(l2_len + l3_len);
	hdr->csum_offset = htole16(offset);
	if (!vio_tx_is_segmented(mbuf))
		return;
	hdr->gso_type = gso_type(mbuf, l4);
	hdr->gso_size = htole16(mbuf->tso_segsz);
	hdr->hdr_len = htole16(l2_len + l3_len + mbuf->l4_len);
}

static void
write_tag(uint8_t *at, uint16_t tci)
{
	const uint16_t tag[2] = { RTE_BE16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(tci) };

	memcpy(at, tag, sizeof(tag));
}

/* From here on the mbuf says that its tag is in. */
static void
insert_tag(struct rte_mbuf *mbuf)
{
	const uint8_t *from = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint8_t *to = (uint8_t *)rte_pktmbuf_prepend(mbuf, TAG_LEN);

	memmove(to, from, MACS_LEN);
	write_tag(to + MACS_LEN, mbuf->vlan_tci);
	mbuf->ol_flags &= ~RTE_MBUF_F_TX_VLAN;
	if (mbuf->l2_len > 0)
		mbuf->l2_len += TAG_LEN;
}

bool
vio_tx_in_place(struct rte_mbuf *mbuf, const struct vio_tx_offer *offer, uint16_t hdr_len)
{
	uint16_t tag = mbuf->ol_flags & RTE_MBUF_F_TX_VLAN ? TAG_LEN : 0;
	struct vio_net_hdr *hdr;
	int len = vio_tx_check(mbuf, offer);

	if (len < 0 || len > mbuf->data_len || rte_pktmbuf_headroom(mbuf) < hdr_len + tag ||
	    mbuf->l2_len > L2_LEN_MAX - tag)
		return false;
	if (tag > 0)
		insert_tag(mbuf);
	hdr = rte_pktmbuf_mtod_offset(mbuf, struct vio_net_hdr *, -(int)hdr_len);
	memset(hdr, 0, hdr_len);
	write_headers(hdr, rte_pktmbuf_mtod(mbuf, uint8_t *), mbuf, 0);
	return true;
}

int
vio_tx_apart(uint8_t *apart, uint16_t *len, const struct rte_mbuf *mbuf,
	     const struct vio_tx_offer *offer, uint16_t hdr_len)
{
	uint16_t tag = mbuf->ol_flags & RTE_MBUF_F_TX_VLAN ? TAG_LEN : 0;
	uint8_t buffer[VIO_TX_HEADERS_MAX], *headers = apart + hdr_len;
	int taken = vio_tx_check(mbuf, offer);
	const uint8_t *from;

	RTE_BUILD_BUG_ON(VIO_TX_APART_MAX <
			 VIO_TX_HEADERS_MAX + VIO_TX_NET_HDR_MAX + sizeof(struct rte_vlan_hdr));
	if (taken < 0)
		return taken;
	from = rte_pktmbuf_read(mbuf, 0, taken, buffer);
	if (from == NULL)
		return -EINVAL;
	memset(apart, 0, hdr_len);
	memcpy(headers, from, MACS_LEN);
	if (tag > 0)
		write_tag(headers + MACS_LEN, mbuf->vlan_tci);
	memcpy(headers + MACS_LEN + tag, from + MACS_LEN, taken - MACS_LEN);
	write_headers((struct vio_net_hdr *)apart, headers, mbuf, tag);
	*len = hdr_len + taken + tag;
	return taken;
}
