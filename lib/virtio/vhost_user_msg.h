/* SPDX-License-Identifier: BSD-3-Clause */
/* vhost-user messages and the channel that carries them. Private to the vhost-user transport. */
#ifndef VIO_VHOST_USER_MSG_H
#define VIO_VHOST_USER_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost_user.h"

enum vio_vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_NET_SET_MTU = 20,
	VU_RESET_DEVICE = 34,
	VU_SET_STATUS = 39,
	VU_GET_STATUS = 40,
};

enum {
	VU_VERSION = 0x1, /* in flags */
	VU_VERSION_MASK = 0x3,
	VU_REPLY = 1 << 2,
	VU_NEED_REPLY = 1 << 3,
	VU_HEADER_SIZE = 12,
	VU_ANSWER_SIZE = 8, /* of all payloads that come back: an u64 or a vring state */
};

struct vio_vu_vring_state {
	uint32_t index;
	uint32_t num;
};

struct vio_vu_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vio_vu_region {
	uint64_t guest_addr;
	uint64_t size;
	uint64_t user_addr;
	uint64_t mmap_offset;
};

struct vio_vu_memory {
	uint32_t count;
	uint32_t padding;
	struct vio_vu_region regions[VIO_VHOST_USER_REGIONS_MAX];
};

/* All numbers are in the machine's own byte order. */
struct vio_vu_msg {
	uint32_t request;
	uint32_t flags; /* set when sent */
	uint32_t size;  /* bytes of the payload */
	union {
		uint64_t u64;
		struct vio_vu_vring_state state;
		struct vio_vu_vring_addr addr;
		struct vio_vu_memory memory;
	} payload;
} __attribute__((packed));

struct vio_vu_channel {
	int fd;           /* connected, non-blocking; -1 without a connection */
	const char *name; /* for messages */
	const struct vio_transport *transport; /* has the bounds of waits */
	bool reply_ack;                        /* VHOST_USER_PROTOCOL_F_REPLY_ACK was agreed on */
	bool dead;                             /* nothing goes through any more */
};

/* "SET_MEM_TABLE" and the like. */
const char *vio_vu_request_name(uint32_t request);

/*
 * Both send msg with the file descriptors, which stay the caller's. vio_vu_tell() then waits for
 * the acknowledgement where the back-end gives such; vio_vu_ask() waits for the answer to a request
 * that has one, and puts its payload in place of the request's.
 *
 * Return 0; -EIO: refused (tell only, the channel stays good); -ENODEV, -ETIMEDOUT, -EPROTO or what
 * sendmsg() gave: the channel is dead from now on. Each has its line in the log.
 */
int vio_vu_tell(struct vio_vu_channel *ch, struct vio_vu_msg *msg, const int *fds, unsigned n_fds);
int vio_vu_ask(struct vio_vu_channel *ch, struct vio_vu_msg *msg);

/* Makes the channel dead; the peer sees its end. Returns error. */
int vio_vu_give_up(struct vio_vu_channel *ch, int error);

/* Looks whether the peer is still there, while no answer is due: 0 or -ENODEV. */
int vio_vu_check(struct vio_vu_channel *ch);

#endif
