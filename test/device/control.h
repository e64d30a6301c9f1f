/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands of the control queue, as the parts of the model that run them see them. */
#ifndef DEVICE_CONTROL_H
#define DEVICE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct device;

/* A command: what the driver sent after class and command, and what it gets behind the ack. */
struct command {
	uint8_t class, code;
	const uint8_t *data;
	uint32_t len;
	uint32_t room; /* for a result, as the driver has it */
	uint8_t *result;
	uint32_t result_len;
};

static inline uint16_t
le16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
le32_at(const uint8_t *p)
{
	return le16_at(p) | (uint32_t)le16_at(p + 2) << 16;
}

/* Statistics (stats.c): VIRTIO_NET_CTRL_STATS_QUERY and _GET. */
bool query_stats(struct device *dev, struct command *c);
bool get_stats(struct device *dev, struct command *c);

#endif
