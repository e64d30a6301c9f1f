/* SPDX-License-Identifier: BSD-3-Clause */
/* What a virtio-net device lays out in memory (spec 5.1). Multi-byte fields are little-endian. */
#ifndef VIO_NET_H
#define VIO_NET_H

#include <stdint.h>

#include "features.h"

/* Device configuration (spec 5.1.4). A field exists where the feature beside it is offered. */
struct vio_net_config {
	uint8_t mac[6];                            /* MAC */
	uint16_t status;                           /* STATUS */
	uint16_t max_virtqueue_pairs;              /* MQ or RSS */
	uint16_t mtu;                              /* MTU */
	uint32_t speed;                            /* SPEED_DUPLEX: Mbit/s, or 0xffffffff */
	uint8_t duplex;                            /* SPEED_DUPLEX */
	uint8_t rss_max_key_size;                  /* RSS or HASH_REPORT */
	uint16_t rss_max_indirection_table_length; /* RSS */
	uint32_t supported_hash_types;             /* RSS or HASH_REPORT */
} __attribute__((packed));

/* Bits of status. */
#define VIO_NET_S_LINK_UP  1
#define VIO_NET_S_ANNOUNCE 2

/* Bounds of max_virtqueue_pairs (spec 5.1.4.1) and the least MTU. */
#define VIO_NET_PAIRS_MAX 0x8000
#define VIO_NET_MTU_MIN   68

/* speed and duplex where the device does not know (spec 5.1.4). */
#define VIO_NET_SPEED_UNKNOWN 0xffffffff
#define VIO_NET_DUPLEX_HALF   0
#define VIO_NET_DUPLEX_FULL   1

/*
 * Before each packet, both ways (spec 5.1.6). num_buffers counts only on receive with MRG_RXBUF;
 * with VERSION_1 the field is always there, without either it is not (NET-LEG). What HASH_REPORT
 * adds stands behind it.
 */
struct vio_net_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

/* With HASH_REPORT it goes on (spec 5.1.6.4.4). A type of 0: no hash was taken. */
struct vio_net_hdr_hash {
	struct vio_net_hdr hdr;
	uint32_t hash_value;
	uint16_t hash_report;
	uint16_t padding;
};

/* How long the header is, in bytes: by a legacy device without mergeable buffers; usually; and with
 * HASH_REPORT. */
#define VIO_NET_HDR_LEN_SHORT 10
#define VIO_NET_HDR_LEN       12
#define VIO_NET_HDR_LEN_HASH  20

static inline uint16_t
vio_net_hdr_len(uint64_t features)
{
	if (vio_has(features, VIRTIO_NET_F_HASH_REPORT))
		return VIO_NET_HDR_LEN_HASH;
	if (vio_has(features, VIRTIO_F_VERSION_1) || vio_has(features, VIRTIO_NET_F_MRG_RXBUF))
		return VIO_NET_HDR_LEN;
	return VIO_NET_HDR_LEN_SHORT;
}

#define VIO_NET_HDR_F_NEEDS_CSUM 1
#define VIO_NET_HDR_F_DATA_VALID 2

/* gso_type: one of these, and ECN with TCP's. */
#define VIO_NET_HDR_GSO_NONE   0
#define VIO_NET_HDR_GSO_TCPV4  1
#define VIO_NET_HDR_GSO_UDP    3
#define VIO_NET_HDR_GSO_TCPV6  4
#define VIO_NET_HDR_GSO_UDP_L4 5
#define VIO_NET_HDR_GSO_ECN    0x80

/* Queues: receive 0, transmit 0, receive 1, transmit 1, ...; the control queue comes after the last
 * pair that the device could have (spec 5.1.2). */
#define VIO_NET_RXQ(pair) ((uint16_t)(2 * (pair)))
#define VIO_NET_TXQ(pair) ((uint16_t)(2 * (pair) + 1))

/* Control commands (spec 5.1.6.5): class, command, data, and the ack that the device writes. */
struct vio_net_ctrl_hdr {
	uint8_t class;
	uint8_t command;
};

#define VIO_NET_CTRL_OK  0
#define VIO_NET_CTRL_ERR 1

/* Which frames are received; one byte of data each, 0 or 1 (spec 5.1.6.5.1). */
#define VIO_NET_CTRL_RX          0
#define VIO_NET_CTRL_RX_PROMISC  0
#define VIO_NET_CTRL_RX_ALLMULTI 1
#define VIO_NET_CTRL_RX_ALLUNI   2 /* this and those that follow: CTRL_RX_EXTRA */
#define VIO_NET_CTRL_RX_NOMULTI  3
#define VIO_NET_CTRL_RX_NOUNI    4
#define VIO_NET_CTRL_RX_NOBCAST  5

/* The tables, each le32 count and addresses, unicast first; or one address (spec 5.1.6.5.2). */
#define VIO_NET_CTRL_MAC           1
#define VIO_NET_CTRL_MAC_TABLE_SET 0
#define VIO_NET_CTRL_MAC_ADDR_SET  1

/* le16 VLAN id (spec 5.1.6.5.3). */
#define VIO_NET_CTRL_VLAN     2
#define VIO_NET_CTRL_VLAN_ADD 0
#define VIO_NET_CTRL_VLAN_DEL 1

/* No data: the driver has seen VIO_NET_S_ANNOUNCE (spec 5.1.6.5.4). */
#define VIO_NET_CTRL_ANNOUNCE     3
#define VIO_NET_CTRL_ANNOUNCE_ACK 0

/* le64 of feature bits: the GUEST_* offloads that are on (spec 5.1.6.5.8). */
#define VIO_NET_CTRL_GUEST_OFFLOADS     5
#define VIO_NET_CTRL_GUEST_OFFLOADS_SET 0

/* Notification coalescing (spec 5.1.6.5.9): of all queues of a direction, or of one. */
#define VIO_NET_CTRL_NOTF_COAL        6
#define VIO_NET_CTRL_NOTF_COAL_TX_SET 0
#define VIO_NET_CTRL_NOTF_COAL_RX_SET 1
#define VIO_NET_CTRL_NOTF_COAL_VQ_SET 2

struct vio_net_ctrl_coal {
	uint32_t max_packets;
	uint32_t max_usecs;
};

struct vio_net_ctrl_coal_vq {
	uint16_t vq_index;
	uint16_t reserved;
	struct vio_net_ctrl_coal coal;
};

/* The device's own counters (spec 5.1.6.5.10), with DEVICE_STATS. QUERY: le64 of types, bit by bit;
 * GET: one vio_net_stats_get for each virtqueue. Either answers with a result behind the ack, GET
 * with one vio_net_stats_reply for each type, and its le64 counters behind that. */
#define VIO_NET_CTRL_STATS       8
#define VIO_NET_CTRL_STATS_QUERY 0
#define VIO_NET_CTRL_STATS_GET   1

/* The number of a type: of its bit, and in a reply. */
#define VIO_NET_STATS_RX_BASIC 0
#define VIO_NET_STATS_RX_CSUM  1
#define VIO_NET_STATS_RX_GSO   2
#define VIO_NET_STATS_RX_SPEED 3
#define VIO_NET_STATS_TX_BASIC 16
#define VIO_NET_STATS_TX_CSUM  17
#define VIO_NET_STATS_TX_GSO   18
#define VIO_NET_STATS_TX_SPEED 19
#define VIO_NET_STATS_CTRL     32

struct vio_net_stats_get {
	uint16_t vq_index;
	uint16_t reserved[3];
	uint64_t types;
};

struct vio_net_stats_reply {
	uint8_t type;
	uint8_t reserved;
	uint16_t vq_index;
	uint16_t reserved1;
	uint16_t size; /* of all of it, this header included */
};

/* le16 pairs; or struct vio_net_rss_config; or struct vio_net_hash_config (spec 5.1.6.5.5). */
#define VIO_NET_CTRL_MQ              4
#define VIO_NET_CTRL_MQ_VQ_PAIRS_SET 0
#define VIO_NET_CTRL_MQ_RSS_CONFIG   1
#define VIO_NET_CTRL_MQ_HASH_CONFIG  2

/* Bounds of what the configuration says of RSS (spec 5.1.4.1, "Device Requirements"). */
#define VIO_NET_RSS_KEY_MIN   40
#define VIO_NET_RSS_TABLE_MIN 128

/* What a hash is taken over (spec 5.1.6.4.3.1); what a header says of it is the bit's number + 1.
 */
#define VIO_NET_HASH_TYPE_IPV4   (1 << 0)
#define VIO_NET_HASH_TYPE_TCPV4  (1 << 1)
#define VIO_NET_HASH_TYPE_UDPV4  (1 << 2)
#define VIO_NET_HASH_TYPE_IPV6   (1 << 3)
#define VIO_NET_HASH_TYPE_TCPV6  (1 << 4)
#define VIO_NET_HASH_TYPE_UDPV6  (1 << 5)
#define VIO_NET_HASH_TYPE_IP_EX  (1 << 6)
#define VIO_NET_HASH_TYPE_TCP_EX (1 << 7)
#define VIO_NET_HASH_TYPE_UDP_EX (1 << 8)

#endif
