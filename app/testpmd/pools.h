/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_POOLS_H
#define TESTPMD_POOLS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "options.h"

/* The mbuf pools of this program: one for each NUMA node that a port is on. */
struct pool {
	struct rte_mempool *mempool;
	int socket;
};

struct pools {
	struct pool of[RTE_MAX_NUMA_NODES];
	uint16_t count;
};

/*
 * The pool on that NUMA node, made when there is none yet. `needed` is the number of mbufs that
 * all rings and caches can hold, for where --total-num-mbufs does not say. NULL when it cannot be
 * made; the error has been printed.
 */
struct rte_mempool *pools_get(struct pools *pools, int socket, uint64_t needed,
			      const struct options *options);

/* The pool that another process made for that node, or NULL. */
struct rte_mempool *pools_find(int socket);

/* Mbufs that are in no pool now. To be called when no packet is under way. */
uint32_t pools_missing(const struct pools *pools);

/* Frees all pools. No mbuf may be in use. */
void pools_free(struct pools *pools);

#endif
