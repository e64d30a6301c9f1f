/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "msg.h"
#include "pools.h"

static struct rte_mempool *
make_pool(int socket, uint64_t count, const struct options *options)
{
	struct rte_mempool *mempool;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "mbufs_%d", socket);
	mempool = rte_pktmbuf_pool_create(name, count, options->mbcache, 0, options->mbuf_size,
					  socket);
	if (mempool != NULL)
		return mempool;
	msg_error("pool of %" PRIu64 " mbufs of %u bytes on NUMA node %d: %s", count,
		  options->mbuf_size, socket, rte_strerror(rte_errno));
	msg_hint("give EAL more memory (-m, hugepages) or ask for less (--total-num-mbufs, "
		 "--mbuf-size)");
	return NULL;
}

struct rte_mempool *
pools_get(struct pools *pools, int socket, uint64_t needed, const struct options *options)
{
	uint64_t count = options->total_num_mbufs != 0 ? options->total_num_mbufs : needed;
	struct pool *pool;

	for (pool = pools->of; pool < pools->of + pools->count; pool++)
		if (pool->socket == socket)
			return pool->mempool;
	if (pools->count == RTE_DIM(pools->of)) {
		msg_error("NUMA node %d: more nodes than the %zu that EAL knows", socket,
			  RTE_DIM(pools->of));
		return NULL;
	}
	pool->mempool = make_pool(socket, count, options);
	pool->socket = socket;
	if (pool->mempool != NULL)
		pools->count++;
	return pool->mempool;
}

struct rte_mempool *
pools_find(int socket)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "mbufs_%d", socket);
	return rte_mempool_lookup(name);
}

uint32_t
pools_missing(const struct pools *pools)
{
	uint32_t missing = 0;

	for (uint16_t i = 0; i < pools->count; i++)
		missing += pools->of[i].mempool->size -
			   rte_mempool_avail_count(pools->of[i].mempool);
	return missing;
}

void
pools_free(struct pools *pools)
{
	while (pools->count > 0)
		rte_mempool_free(pools->of[--pools->count].mempool);
}
