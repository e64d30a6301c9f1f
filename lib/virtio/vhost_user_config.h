/* SPDX-License-Identifier: BSD-3-Clause */
/* What the front-end answers itself, in place of the back-end: features and the configuration space
 * of the net device. Private to the vhost-user transport. */
#ifndef VIO_VHOST_USER_CONFIG_H
#define VIO_VHOST_USER_CONFIG_H

#include <stdint.h>

#include "net.h"
#include "vhost_user.h"

/* Bytes of the space: up to and with duplex. */
#define VIO_VU_CONFIG_SIZE 17

struct vio_vu_config {
	struct vio_net_config space;
	uint64_t offered; /* features for the upper side */
	uint64_t own;     /* those of them that the back-end does not hear of */
	uint16_t pairs;
};

void vio_vu_config_init(struct vio_vu_config *config, const struct vio_vhost_user_params *params,
			uint64_t backend_features);

/* -EINVAL outside the space; writes reach the MAC address only. */
int vio_vu_config_read(const struct vio_vu_config *config, uint32_t offset, void *buf,
		       uint32_t len);
int vio_vu_config_write(struct vio_vu_config *config, uint32_t offset, const void *buf,
			uint32_t len);

#endif
