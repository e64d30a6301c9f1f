/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole driver, as an ethdev port, over a transport of the fuzzer's. Rings are in ordinary
 * memory, device addresses are pointers. The peer is the device's end of one ring: it gives buffers
 * back as a device should, or writes what the input says.
 */
#ifndef FUZZ_PORT_H
#define FUZZ_PORT_H

#include <ethdev_driver.h>
#include <rte_mbuf.h>

#include "input.h"
#include "virtio/features.h"
#include "virtio/net.h"
#include "virtio/transport.h"

enum { PORT_QUEUES = 16, PEER_HELD_MAX = 256, POOL_MBUFS = 1023, TIMEOUT_MS = 2 };

/* An element that the device may reach. */
struct element {
	uint8_t *addr;
	uint32_t len;
	bool writable;
};

/* A buffer that the device has. */
struct held {
	struct element elements[4]; /* the first ones, and in the last place the last one */
	uint16_t n;                 /* how many there are */
	uint16_t id;
	uint16_t descriptors;
};

struct peer {
	bool live;
	struct vio_queue_conf conf;
	uint16_t avail, used;
	bool avail_wrap, used_wrap;
	struct held held[PEER_HELD_MAX];
	uint16_t n_held;
	unsigned kicks;
};

struct port {
	struct vio_transport transport; /* first: operations get this one */
	struct input *in;
	bool lies;         /* the transport answers anything */
	uint64_t offered;  /* features, */
	uint64_t features; /* and those accepted */
	uint8_t status;
	uint16_t pairs;
	struct vio_net_config config;
	uint32_t generation; /* of the configuration */
	bool coalesces;      /* the user asks for that */
	uint16_t queues;     /* each way that the application uses; 0: one */
	bool rss;            /* the application asks for all hashes that there are */
	struct peer peers[PORT_QUEUES];
	unsigned calls; /* of the transport, since the last operation began */
	struct rte_eth_dev *dev;
	struct rte_mempool *pool;
	/* The device's turn while the driver waits for the control queue. */
	void (*turn)(struct port *port);
};

/* A port of an honest device with these features beside VERSION_1; lies come later. NULL where the
 * driver refuses it, which only a liar can bring about. */
bool port_open(struct port *port, struct input *in, uint64_t features, bool lies);
/* The queues, of so many descriptors each, set up and started: 0 or an error. */
int port_start(struct port *port, uint16_t size, uint64_t rx_offloads, uint64_t tx_offloads);
/* The device is honest from now on: stops and closes, and checks that all mbufs came back. */
void port_close(struct port *port);

/* Those that were set go off. */
void port_alarms(void);

/* Takes in what the driver has made available. */
void peer_fetch(struct port *port, struct peer *peer);
/* Gives back the oldest buffer, or the one of that age. */
void peer_use(struct port *port, struct peer *peer, uint16_t age, uint32_t len);
/* Writes a used entry that is a lie, or bytes anywhere in what the device may write. */
void peer_lie(struct port *port, struct peer *peer);
void peer_scribble(struct port *port, struct peer *peer);

#endif
