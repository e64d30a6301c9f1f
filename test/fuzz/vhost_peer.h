/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peer of the target vhost_user, in the place of the C library's sockets (the linker puts it
 * there: --wrap). It takes the driver's messages apart, and answers as the input says: rightly or
 * not, in pieces, late, twice, unasked or never. Time passes only where somebody waits.
 */
#ifndef FUZZ_VHOST_PEER_H
#define FUZZ_VHOST_PEER_H

#include "input.h"

enum { PEER_QUEUES = 8, PEER_TIMEOUT_MS = 20 };

struct vhost_peer {
	struct input *in;
	int fd, last_fd;            /* of the connection, and handed out last */
	bool connected, shut;       /* a socket of the driver's is open; it was given up */
	bool gone;                  /* the peer has hung up */
	bool slow;                  /* each answer comes as late as one may, */
	bool late;                  /* as the one that is on its way */
	unsigned sockets, eventfds; /* open ones */
	unsigned sent;              /* messages, since the operation began */
	uint8_t out[512], back[64]; /* a message on its way here, and bytes on their way back */
	size_t out_len, back_at, back_len;
	uint8_t status;
	uint64_t base[8], size[8]; /* of the memory told: first address, bytes */
	unsigned regions;
	bool has_addr[PEER_QUEUES], started[PEER_QUEUES];
};

extern struct vhost_peer peer;

/* No descriptor is open, nothing was told. */
void peer_restart(struct input *in);

#endif
