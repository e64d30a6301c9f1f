/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A started net_vio_user port with the hostile back-end's server, honest unless told, at the other
 * end of its socket, in this process and thread. Time passes only where the driver waits, and where
 * alarms go off (inject.h).
 */
#ifndef PMD_PEER_H
#define PMD_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/hostile/server.h"

enum { PEER_SIZE = 64 }; /* descriptors of each queue */

struct peer {
	struct server server;
	uint16_t port;
	uint16_t pairs; /* for peer_arrive(); 0: 1 */
	char told[64];  /* ERR_RECOVERING r, RECOVERY_SUCCESS s, RECOVERY_FAILED f */
};

extern struct peer peer;

/* Once a program, as a cmocka setup: the pool of mbufs. */
int peer_setup(void **state);
/* A server, and a port with peer.pairs queues each way and these devargs besides its path, started.
 */
void peer_arrive(const char *devargs, bool lsc);
/* Removes the port, and ends the server; nothing is left. */
void peer_leave(void);
/* The server answers all that has come. */
void peer_serve(void);
/* One frame each way; true where both arrived. */
bool peer_moves(void);
/* One frame to the port, which may have no room for it. */
void peer_send(void);
/* Alarms go off, at most so many, until the application was told this. */
bool peer_await(char letter, unsigned alarms);

#endif
