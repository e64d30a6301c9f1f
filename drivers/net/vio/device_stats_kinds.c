/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_stats_kinds.h"

#include "virtio/net.h"

#define TSO_IN (VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6))
#define TSO_OUT                                                              \
	(VIO_BIT(VIRTIO_NET_F_HOST_TSO4) | VIO_BIT(VIRTIO_NET_F_HOST_TSO6) | \
	 VIO_BIT(VIRTIO_NET_F_HOST_USO))

const struct vio_stat_kind vio_stats_receive = {
	"rx_q",
	4,
	{ { VIO_NET_STATS_RX_BASIC,
	    6,
	    0,
	    0,
	    { "notifications", "packets", "bytes", "interrupts", "drops", "drop_overruns" } },
	  { VIO_NET_STATS_RX_CSUM,
	    4,
	    6,
	    VIO_BIT(VIRTIO_NET_F_GUEST_CSUM),
	    { "csum_valid", "needs_csum", "csum_none", "csum_bad" } },
	  { VIO_NET_STATS_RX_GSO,
	    4,
	    10,
	    TSO_IN,
	    { "gso_packets", "gso_bytes", "gso_packets_coalesced", "gso_bytes_coalesced" } },
	  { VIO_NET_STATS_RX_SPEED,
	    2,
	    14,
	    0,
	    { "packets_allowance_exceeded", "bytes_allowance_exceeded" } } },
};

const struct vio_stat_kind vio_stats_transmit = {
	"tx_q",
	4,
	{ { VIO_NET_STATS_TX_BASIC,
	    6,
	    0,
	    0,
	    { "notifications", "packets", "bytes", "interrupts", "drops", "drop_malformed" } },
	  { VIO_NET_STATS_TX_CSUM,
	    2,
	    6,
	    VIO_BIT(VIRTIO_NET_F_CSUM),
	    { "csum_none", "needs_csum" } },
	  { VIO_NET_STATS_TX_GSO,
	    6,
	    8,
	    TSO_OUT,
	    { "gso_packets", "gso_bytes", "gso_segments", "gso_segments_bytes", "gso_packets_noseg",
	      "gso_bytes_noseg" } },
	  { VIO_NET_STATS_TX_SPEED,
	    2,
	    14,
	    0,
	    { "packets_allowance_exceeded", "bytes_allowance_exceeded" } } },
};

const struct vio_stat_kind vio_stats_control = {
	"ctrl",
	1,
	{ { VIO_NET_STATS_CTRL, 2, 0, 0, { "commands", "commands_ok" } } },
};
