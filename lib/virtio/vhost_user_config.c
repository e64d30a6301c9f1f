/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user_config.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "features.h"

_Static_assert(offsetof(struct vio_net_config, duplex) + 1 == VIO_VU_CONFIG_SIZE,
	       "the space ends with duplex");

/*
 * What a back-end offers and this transport can carry. Not among them, though some back-ends offer
 * it: what needs a control virtqueue, which would be the front-end's; ACCESS_PLATFORM, which needs
 * a translation service; notification data and queue reset, for which there are no messages; and
 * bits with a meaning of their own in vhost (26, 30).
 */
#define PASSED                                                                 \
	(VIO_BIT(VIRTIO_NET_F_CSUM) | VIO_BIT(VIRTIO_NET_F_GUEST_CSUM) |       \
	 VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_ECN) | VIO_BIT(VIRTIO_NET_F_GUEST_UFO) |   \
	 VIO_BIT(VIRTIO_NET_F_HOST_TSO4) | VIO_BIT(VIRTIO_NET_F_HOST_TSO6) |   \
	 VIO_BIT(VIRTIO_NET_F_HOST_ECN) | VIO_BIT(VIRTIO_NET_F_HOST_UFO) |     \
	 VIO_BIT(VIRTIO_NET_F_MRG_RXBUF) | VIO_BIT(VIRTIO_F_INDIRECT_DESC) |   \
	 VIO_BIT(VIRTIO_F_EVENT_IDX) | VIO_BIT(VIRTIO_F_VERSION_1) |           \
	 VIO_BIT(VIRTIO_F_RING_PACKED) | VIO_BIT(VIRTIO_F_IN_ORDER) |          \
	 VIO_BIT(VIRTIO_F_ORDER_PLATFORM) | VIO_BIT(VIRTIO_NET_F_GUEST_USO4) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_USO6) | VIO_BIT(VIRTIO_NET_F_HOST_USO) |   \
	 VIO_BIT(VIRTIO_NET_F_GUEST_HDRLEN))

void
vio_vu_config_init(struct vio_vu_config *config, const struct vio_vhost_user_params *params,
		   uint64_t backend_features)
{
	struct vio_net_config *space = &config->space;

	*config = (struct vio_vu_config){ .pairs = params->queue_pairs };
	config->own = VIO_BIT(VIRTIO_NET_F_STATUS);
	config->offered = backend_features & PASSED;
	space->status = htole16(VIO_NET_S_LINK_UP);
	space->max_virtqueue_pairs = htole16(params->queue_pairs);
	if (params->queue_pairs > 1)
		config->offered |= VIO_BIT(VIRTIO_NET_F_MQ);
	if (params->has_mac) {
		config->own |= VIO_BIT(VIRTIO_NET_F_MAC);
		memcpy(space->mac, params->mac, sizeof(space->mac));
	}
	if (params->mtu != 0) {
		config->offered |= backend_features & VIO_BIT(VIRTIO_NET_F_MTU);
		space->mtu = htole16(params->mtu);
	}
	if (params->speed != 0) {
		config->own |= VIO_BIT(VIRTIO_NET_F_SPEED_DUPLEX);
		space->speed = htole32(params->speed);
		space->duplex = VIO_NET_DUPLEX_FULL;
	}
	config->offered |= config->own;
}

int
vio_vu_config_read(const struct vio_vu_config *config, uint32_t offset, void *buf, uint32_t len)
{
	if ((uint64_t)offset + len > VIO_VU_CONFIG_SIZE)
		return -EINVAL;
	memcpy(buf, (const uint8_t *)&config->space + offset, len);
	return 0;
}

int
vio_vu_config_write(struct vio_vu_config *config, uint32_t offset, const void *buf, uint32_t len)
{
	if ((uint64_t)offset + len > sizeof(config->space.mac))
		return -EINVAL;
	memcpy((uint8_t *)&config->space + offset, buf, len);
	return 0;
}
