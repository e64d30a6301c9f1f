/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools of mbufs that notice what is freed twice, and run dry when told to. Their memory is the C
 * library's, and has device addresses of its own. */
#include "harness_parts.h"

#include <stdlib.h>

#include <rte_errno.h>
#include <rte_mempool.h>

#include "inject.h"

enum { ROOM = RTE_PKTMBUF_HEADROOM + HARNESS_ROOM };

struct stack {
	bool fails;    /* its calls are counted, and can be made to fail */
	bool again;    /* so does the call after one that failed: DPDK makes it by itself */
	bool complete; /* all mbufs were put into it once */
	unsigned n;
	void *objects[HARNESS_MBUFS];
};

/* In each mbuf's private area. */
struct note {
	uint64_t taken;
};

struct rte_mempool *harness_rx_pool, *harness_tx_pool;

static int
stack_alloc(struct rte_mempool *pool)
{
	struct stack *stack = calloc(1, sizeof(*stack));

	if (stack == NULL)
		return -ENOMEM;
	stack->fails = strcmp(pool->name, "rx") == 0;
	pool->pool_data = stack;
	return 0;
}

static void
stack_free(struct rte_mempool *pool)
{
	free(pool->pool_data);
}

static struct note *
note_of(void *object)
{
	return rte_mbuf_to_priv(object);
}

static int
stack_put(struct rte_mempool *pool, void *const *objects, unsigned n)
{
	struct stack *stack = pool->pool_data;

	for (unsigned i = 0; i < n; i++) {
		if (stack->complete && !note_of(objects[i])->taken)
			abort(); /* freed twice */
		if (stack->complete)
			note_of(objects[i])->taken = 0;
		stack->objects[stack->n++] = objects[i];
	}
	return 0;
}

static bool
runs_dry(struct stack *stack)
{
	bool again = stack->again;

	stack->again = !again && stack->fails && inject_now("mempool dequeue");
	return again || stack->again;
}

static int
stack_get(struct rte_mempool *pool, void **objects, unsigned n)
{
	struct stack *stack = pool->pool_data;

	if (n > stack->n || runs_dry(stack))
		return -ENOBUFS;
	stack->complete = true;
	for (unsigned i = 0; i < n; i++) {
		objects[i] = stack->objects[--stack->n];
		note_of(objects[i])->taken = 1;
	}
	return 0;
}

static unsigned
stack_count(const struct rte_mempool *pool)
{
	return ((const struct stack *)pool->pool_data)->n;
}

static const struct rte_mempool_ops ops = {
	.name = "harness",
	.alloc = stack_alloc,
	.free = stack_free,
	.enqueue = stack_put,
	.dequeue = stack_get,
	.get_count = stack_count,
};

RTE_MEMPOOL_REGISTER_OPS(ops);

static void
free_chunk(struct rte_mempool_memhdr *chunk, void *arg)
{
	(void)chunk;
	free(arg);
}

static struct rte_mempool *
make_pool(const char *name)
{
	struct rte_pktmbuf_pool_private private = {
		.mbuf_data_room_size = ROOM,
		.mbuf_priv_size = sizeof(struct note),
	};
	size_t size = sizeof(struct rte_mbuf) + sizeof(struct note) + ROOM, bytes;
	struct rte_mempool *pool;
	void *memory;

	pool = rte_mempool_create_empty(name, HARNESS_MBUFS, size, 32, sizeof(private),
					SOCKET_ID_ANY, 0);
	if (pool == NULL || rte_mempool_set_ops_byname(pool, "harness", NULL) < 0)
		abort();
	rte_pktmbuf_pool_init(pool, &private);
	bytes = HARNESS_MBUFS * (rte_mempool_calc_obj_size(size, 0, NULL) + RTE_CACHE_LINE_SIZE);
	if (posix_memalign(&memory, 4096, bytes) != 0 ||
	    rte_mempool_populate_iova(pool, memory, (uintptr_t)memory + HARNESS_IOVA, bytes,
				      free_chunk, memory) != HARNESS_MBUFS)
		abort();
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

void
pools_make(void)
{
	harness_rx_pool = make_pool("rx");
	harness_tx_pool = make_pool("tx");
}

static void
tell(struct rte_mempool *pool, void *arg, struct rte_mempool_memhdr *chunk, unsigned index)
{
	(void)pool;
	(void)index;
	device_memory_add(arg, chunk->addr, chunk->iova, chunk->len);
}

void
pools_tell(struct device *dev)
{
	rte_mempool_mem_iter(harness_rx_pool, tell, dev);
	rte_mempool_mem_iter(harness_tx_pool, tell, dev);
}
