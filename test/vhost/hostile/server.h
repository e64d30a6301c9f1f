/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user back-end for one driver at a time: the socket, the driver's memory, and the life of
 * the queues. The queues themselves are the device model's (test/device).
 *
 * One thread does everything: a call of server_turn() answers what has come.
 */
#ifndef HOSTILE_SERVER_H
#define HOSTILE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"
#include "virtio/vhost_user_msg.h"

#define QUEUES_MAX 16
#define MAPS_MAX   64

/* How a message is answered instead of rightly. */
enum trap_kind {
	TRAP_NONE,
	TRAP_SILENT,    /* never, and nothing after it */
	TRAP_REFUSE,    /* refused, by the acknowledgement */
	TRAP_HANG_UP,   /* the connection ends */
	TRAP_ANSWER,    /* value is the answer */
	TRAP_OR,        /* these bits are set in the right answer, */
	TRAP_CLEAR,     /* or these are not, */
	TRAP_TOGGLE,    /* or these are turned round at every second time */
	TRAP_TOO_LONG,  /* an answer of value bytes */
	TRAP_TOO_SHORT, /* 4 bytes and no more */
};

struct trap {
	enum trap_kind kind;
	enum vio_vu_request request;
	uint64_t value;
};

struct mapping {
	uint64_t guest, user, bytes;
	void *at; /* where the region itself begins */
	void *map;
	uint64_t map_bytes;
};

struct vring {
	uint32_t size;
	struct vio_vu_vring_addr addr;
	bool has_addr, has_kick, enabled;
	int call_fd;
	uint64_t interrupts; /* told so far */
};

struct server {
	/* The caller's. */
	const char *path;
	bool connects;     /* to a driver that listens there */
	uint64_t features; /* offered, without vhost-user's own */
	unsigned pairs;
	struct trap trap; /* acts from the first message to the last */

	/* The server's. */
	int listen_fd, fd; /* -1: none */
	struct device *dev;
	struct mapping maps[MAPS_MAX]; /* the last table's, after those that it replaced */
	unsigned map_count, first_map;
	struct vring vrings[QUEUES_MAX];
	uint64_t driver_features, protocol;
	uint8_t status;
	unsigned trapped; /* how often the trap has sprung */
	unsigned starts;  /* queues set going since the connection */
	bool silent;
};

/* Listens, where the driver connects. Returns 0, or -1 after telling why. */
int server_open(struct server *s);
void server_close(struct server *s);

/* Accepts or connects, or answers one message, if there is one. */
void server_turn(struct server *s);
/* Ends the connection. */
void server_hang_up(struct server *s);

/* May the device look at its queues? */
bool server_live(const struct server *s);
/* Sends the used buffer notifications that are due. */
void server_interrupt(struct server *s);

/* Does what the message asks, and closes its descriptors. True where msg is the answer now. */
bool message_handle(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds);
/* Forgets all that messages have set. */
void message_reset(struct server *s);

#endif
