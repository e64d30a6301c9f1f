/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user device on DPDK's rte_vhost, which does the messages; the rings are served here, by
 * one thread. */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "serve.h"

#define QUEUES_MAX 16

struct device_params {
	const char *socket;
	uint64_t features; /* offered, as bits of the specification */
	uint32_t frame;    /* bytes of each received frame */
	unsigned batch;    /* buffers of a queue before it is the next one's turn */
	enum touch touch;  /* at least; with MRG_RXBUF, received headers are written */
	bool shuffle;
};

/* Listens at the socket. Returns 0, or -1 after telling why. */
int device_start(const struct device_params *params);
void device_stop(void);

/* Serves until device_end(). For rte_eal_remote_launch(). Returns 0. */
int device_serve(void *unused);
void device_end(void);

/* How many buffers were used since the start, of receive queues and of transmit queues. Exact only
 * after device_serve() has returned. */
void device_completed(uint64_t *received, uint64_t *transmitted);

#endif
