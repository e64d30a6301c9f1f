/* SPDX-License-Identifier: BSD-3-Clause */
#include "features.h"

#include <stdio.h>

#define CTRL_VQ    VIO_BIT(VIRTIO_NET_F_CTRL_VQ)
#define CSUM       VIO_BIT(VIRTIO_NET_F_CSUM)
#define GUEST_CSUM VIO_BIT(VIRTIO_NET_F_GUEST_CSUM)
#define GUEST_TSO  (VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6))
#define HOST_TSO   (VIO_BIT(VIRTIO_NET_F_HOST_TSO4) | VIO_BIT(VIRTIO_NET_F_HOST_TSO6))
#define HASHING    (VIO_BIT(VIRTIO_NET_F_RSS) | VIO_BIT(VIRTIO_NET_F_HASH_REPORT))

/*
 * Every bit that a virtio-net device may mean, and its prerequisites (spec 5.1.3.1): all of "needs"
 * and, unless that is 0, one of "any". What the specification
 * only says SHOULD of is kept as well.
 */
static const struct feature {
	const char *name;
	uint64_t needs;
	uint64_t any;
} features[64] = {
	[VIRTIO_NET_F_CSUM] = { "CSUM", 0, 0 },
	[VIRTIO_NET_F_GUEST_CSUM] = { "GUEST_CSUM", 0, 0 },
	[VIRTIO_NET_F_CTRL_GUEST_OFFLOADS] = { "CTRL_GUEST_OFFLOADS", CTRL_VQ, 0 },
	[VIRTIO_NET_F_MTU] = { "MTU", 0, 0 },
	[VIRTIO_NET_F_MAC] = { "MAC", 0, 0 },
	[VIRTIO_NET_F_GUEST_TSO4] = { "GUEST_TSO4", GUEST_CSUM, 0 },
	[VIRTIO_NET_F_GUEST_TSO6] = { "GUEST_TSO6", GUEST_CSUM, 0 },
	[VIRTIO_NET_F_GUEST_ECN] = { "GUEST_ECN", 0, GUEST_TSO },
	[VIRTIO_NET_F_GUEST_UFO] = { "GUEST_UFO", GUEST_CSUM, 0 },
	[VIRTIO_NET_F_HOST_TSO4] = { "HOST_TSO4", CSUM, 0 },
	[VIRTIO_NET_F_HOST_TSO6] = { "HOST_TSO6", CSUM, 0 },
	[VIRTIO_NET_F_HOST_ECN] = { "HOST_ECN", 0, HOST_TSO },
	[VIRTIO_NET_F_HOST_UFO] = { "HOST_UFO", CSUM, 0 },
	[VIRTIO_NET_F_MRG_RXBUF] = { "MRG_RXBUF", 0, 0 },
	[VIRTIO_NET_F_STATUS] = { "STATUS", 0, 0 },
	[VIRTIO_NET_F_CTRL_VQ] = { "CTRL_VQ", 0, 0 },
	[VIRTIO_NET_F_CTRL_RX] = { "CTRL_RX", CTRL_VQ, 0 },
	[VIRTIO_NET_F_CTRL_VLAN] = { "CTRL_VLAN", CTRL_VQ, 0 },
	[VIRTIO_NET_F_CTRL_RX_EXTRA] = { "CTRL_RX_EXTRA", CTRL_VQ, 0 },
	[VIRTIO_NET_F_GUEST_ANNOUNCE] = { "GUEST_ANNOUNCE", CTRL_VQ, 0 },
	[VIRTIO_NET_F_MQ] = { "MQ", CTRL_VQ, 0 },
	[VIRTIO_NET_F_CTRL_MAC_ADDR] = { "CTRL_MAC_ADDR", CTRL_VQ, 0 },
	[VIRTIO_F_ANY_LAYOUT] = { "ANY_LAYOUT", 0, 0 },
	[VIRTIO_F_INDIRECT_DESC] = { "INDIRECT_DESC", 0, 0 },
	[VIRTIO_F_EVENT_IDX] = { "EVENT_IDX", 0, 0 },
	[VIRTIO_F_VERSION_1] = { "VERSION_1", 0, 0 },
	[VIRTIO_F_ACCESS_PLATFORM] = { "ACCESS_PLATFORM", 0, 0 },
	[VIRTIO_F_RING_PACKED] = { "RING_PACKED", 0, 0 },
	[VIRTIO_F_IN_ORDER] = { "IN_ORDER", 0, 0 },
	[VIRTIO_F_ORDER_PLATFORM] = { "ORDER_PLATFORM", 0, 0 },
	[VIRTIO_F_SR_IOV] = { "SR_IOV", 0, 0 },
	[VIRTIO_F_NOTIFICATION_DATA] = { "NOTIFICATION_DATA", 0, 0 },
	[VIRTIO_F_NOTIF_CONFIG_DATA] = { "NOTIF_CONFIG_DATA", 0, 0 },
	[VIRTIO_F_RING_RESET] = { "RING_RESET", 0, 0 },
	[VIRTIO_F_ADMIN_VQ] = { "ADMIN_VQ", 0, 0 },
	[VIRTIO_F_SUSPEND] = { "SUSPEND", 0, 0 },
	[VIRTIO_NET_F_DEVICE_STATS] = { "DEVICE_STATS", CTRL_VQ, 0 },
	[VIRTIO_NET_F_HASH_TUNNEL] = { "HASH_TUNNEL", CTRL_VQ, HASHING },
	[VIRTIO_NET_F_VQ_NOTF_COAL] = { "VQ_NOTF_COAL", CTRL_VQ, 0 },
	[VIRTIO_NET_F_NOTF_COAL] = { "NOTF_COAL", CTRL_VQ, 0 },
	[VIRTIO_NET_F_GUEST_USO4] = { "GUEST_USO4", GUEST_CSUM, 0 },
	[VIRTIO_NET_F_GUEST_USO6] = { "GUEST_USO6", GUEST_CSUM, 0 },
	[VIRTIO_NET_F_HOST_USO] = { "HOST_USO", CSUM, 0 },
	[VIRTIO_NET_F_HASH_REPORT] = { "HASH_REPORT", CTRL_VQ, 0 },
	[VIRTIO_NET_F_GUEST_HDRLEN] = { "GUEST_HDRLEN", 0, 0 },
	[VIRTIO_NET_F_RSS] = { "RSS", CTRL_VQ, 0 },
	[VIRTIO_NET_F_RSC_EXT] = { "RSC_EXT", 0, HOST_TSO },
	[VIRTIO_NET_F_STANDBY] = { "STANDBY", 0, 0 },
	[VIRTIO_NET_F_SPEED_DUPLEX] = { "SPEED_DUPLEX", 0, 0 },
};

const char *
vio_feature_name(unsigned bit)
{
	return bit < 64 ? features[bit].name : NULL;
}

char *
vio_features_text(uint64_t set, char *text, size_t size)
{
	size_t at = 0;

	if (size > 0)
		text[0] = '\0';
	for (unsigned bit = 0; bit < 64 && at < size; bit++) {
		const char *space = at > 0 ? " " : "";

		if (!vio_has(set, bit))
			continue;
		if (features[bit].name != NULL)
			at += snprintf(text + at, size - at, "%s%s", space, features[bit].name);
		else
			at += snprintf(text + at, size - at, "%sbit %u", space, bit);
	}
	return text;
}

static bool
is_satisfied(const struct feature *feature, uint64_t set)
{
	return (set & feature->needs) == feature->needs &&
	       (feature->any == 0 || (set & feature->any) != 0);
}

uint64_t
vio_features_closed(uint64_t set)
{
	uint64_t before;

	do {
		before = set;
		for (unsigned bit = 0; bit < 64; bit++)
			if (vio_has(set, bit) && !is_satisfied(&features[bit], set))
				set &= ~VIO_BIT(bit);
	} while (set != before);
	return set;
}
