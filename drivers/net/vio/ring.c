/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "log.h"
#include "port.h"

/* Bytes of one indirect table. */
#define INDIRECT_BYTES ((size_t)VIO_INDIRECT_MAX * 16)

struct vio_orphan {
	struct vio_orphan *next;
	struct vio_ring ring;
};

/* What the ring library needs to know of the features, and of the transport. */
static unsigned
ring_flags(const struct vio_port *port)
{
	uint64_t features = port->features;
	unsigned flags = port->transport->ops->legacy ? VQ_LEGACY : 0;

	flags |= vio_has(features, VIRTIO_F_RING_PACKED) ? VQ_PACKED : 0;
	flags |= vio_has(features, VIRTIO_F_IN_ORDER) ? VQ_IN_ORDER : 0;
	flags |= vio_has(features, VIRTIO_F_EVENT_IDX) ? VQ_EVENT_IDX : 0;
	flags |= vio_has(features, VIRTIO_F_INDIRECT_DESC) ? VQ_INDIRECT : 0;
	flags |= vio_has(features, VIRTIO_F_ORDER_PLATFORM) ? VQ_ORDER_PLATFORM : 0;
	return flags;
}

static void
ring_free(struct vio_ring *ring)
{
	rte_memzone_free(ring->tables);
	rte_memzone_free(ring->mz);
	rte_free(ring->state);
	ring->tables = NULL;
	ring->mz = NULL;
	ring->state = NULL;
}

/* Whether the device knows memory by the process's addresses. */
static bool
by_va(const struct vio_port *port)
{
	return port->addr_at == offsetof(struct rte_mbuf, buf_addr);
}

/* What lies together for the process does so for a device that has its addresses. Physically, few
 * hugepages do. */
static const struct rte_memzone *
reserve(const struct vio_port *port, const char *name, size_t bytes, int socket, unsigned align)
{
	unsigned flags = by_va(port) ? 0 : RTE_MEMZONE_IOVA_CONTIG;

	return rte_memzone_reserve_aligned(name, bytes, socket, flags, align);
}

/* Without tables, long buffers take more descriptors of the ring; nothing else changes. */
static void
alloc_tables(struct vio_ring *ring, const struct vio_port *port, const char *name, int socket)
{
	char tables_name[RTE_MEMZONE_NAMESIZE];

	snprintf(tables_name, sizeof(tables_name), "%s_tables", name);
	ring->tables = reserve(port, tables_name, ring->size * INDIRECT_BYTES, socket, VQ_ALIGN);
	if (ring->tables == NULL) {
		ring->flags &= ~VQ_INDIRECT;
		PORT_LOG(port, NOTICE,
			 "no %zu bytes of memory for the indirect tables of %s; going "
			 "without",
			 ring->size * INDIRECT_BYTES, name);
	}
}

int
vio_ring_size(const struct vio_port *port, uint16_t index, uint16_t asked, uint16_t *size)
{
	struct vio_transport *t = port->transport;

	*size = asked;
	return t->ops->legacy ? t->ops->queue_max_size(t, index, size) : 0;
}

int
vio_ring_alloc(struct vio_ring *ring, const struct vio_port *port, const char *name, uint16_t size,
	       size_t hdr_bytes, bool indirect, int socket)
{
	size_t bytes;

	ring->flags = ring_flags(port);
	if (!indirect)
		ring->flags &= ~VQ_INDIRECT;
	ring->size = size;
	ring->hdrs_at = vq_ring_bytes(size, ring->flags);
	bytes = ring->hdrs_at + hdr_bytes;
	ring->state = rte_zmalloc_socket(name, vq_state_bytes(size), VQ_ALIGN, socket);
	ring->mz = reserve(port, name, bytes, socket,
			   ring->flags & VQ_LEGACY ? VQ_LEGACY_ALIGN : VQ_ALIGN);
	if (ring->state == NULL || ring->mz == NULL) {
		PORT_LOG(port, ERR,
			 "no %zu bytes of memory for %s on NUMA node %d (%s); give EAL more "
			 "hugepages",
			 bytes, name, socket, rte_strerror(ring->mz == NULL ? rte_errno : ENOMEM));
		ring_free(ring);
		return -ENOMEM;
	}
	if (ring->flags & VQ_INDIRECT)
		alloc_tables(ring, port, name, socket);
	return 0;
}

/* What the device is told about mbufs decides which kind of address it is told about rings. */
static uint64_t
zone_iova(const struct rte_memzone *mz, const struct vio_port *port)
{
	return by_va(port) ? (uintptr_t)mz->addr : mz->iova;
}

uint64_t
vio_ring_iova(const struct vio_ring *ring, const struct vio_port *port)
{
	return zone_iova(ring->mz, port);
}

static int
ring_init(struct vio_ring *ring, const struct vio_port *port)
{
	struct vq_params params = {
		.size = ring->size,
		.flags = ring->flags,
		.ring = ring->mz->addr,
		.ring_iova = vio_ring_iova(ring, port),
		.state = ring->state,
		.simd = port->simd,
	};

	if (ring->tables != NULL) {
		params.indirect = ring->tables->addr;
		params.indirect_iova = zone_iova(ring->tables, port);
		params.indirect_max = VIO_INDIRECT_MAX;
	}
	/* The memory fits one layout only. */
	if ((ring_flags(port) ^ ring->flags) & ~VQ_INDIRECT) {
		PORT_LOG(port, ERR, "queue %u was set up for other features; set it up again",
			 ring->index);
		return -EINVAL;
	}
	ring->vq = vq_init(&params);
	return ring->vq != NULL ? 0 : -EINVAL;
}

static int
check_size(const struct vio_ring *ring, const struct vio_port *port)
{
	struct vio_transport *t = port->transport;
	uint16_t most;
	int ret = t->ops->queue_max_size(t, ring->index, &most);

	if (ret < 0 || ring->size <= most)
		return ret;
	PORT_LOG(port, ERR, "queue %u is to have %u descriptors, but the device offers %u",
		 ring->index, ring->size, most);
	return -EINVAL;
}

int
vio_ring_start(struct vio_ring *ring, struct vio_port *port, uint16_t index, uint16_t vector)
{
	struct vio_transport *t = port->transport;
	struct vio_queue_conf conf;
	struct vq_areas areas;
	int ret;

	ring->index = index;
	ring->stuck = false;
	ret = check_size(ring, port);
	if (ret == 0)
		ret = ring_init(ring, port);
	if (ret < 0)
		return ret;
	vq_get_areas(ring->vq, &areas);
	conf = (struct vio_queue_conf){
		.size = ring->size,
		.vector = vector,
		.desc = areas.desc,
		.driver = areas.driver,
		.device = areas.device,
		.desc_iova = areas.desc_iova,
		.driver_iova = areas.driver_iova,
		.device_iova = areas.device_iova,
	};
	/* Nobody sleeps on a queue unless receive interrupts are asked for. */
	vq_disable_cb(ring->vq);
	return t->ops->queue_setup(t, index, &conf, &ring->notifier);
}

void
vio_ring_drain(struct vio_ring *ring)
{
	struct rte_mbuf *mbuf;

	if (ring->vq == NULL)
		return;
	/* Receive buffers are as the pool gave them, one by one or linked to chains. */
	while ((mbuf = vq_detach(ring->vq)) != NULL)
		rte_pktmbuf_free(mbuf);
	ring->vq = NULL;
}

void
vio_ring_release(struct vio_ring *ring, struct vio_port *port)
{
	struct vio_orphan *orphan;

	if (ring->vq == NULL) {
		ring_free(ring);
		return;
	}
	orphan = malloc(sizeof(*orphan));
	/* Without a note of it the memory is lost; with the device still writing there, that is
	 * the lesser harm. */
	if (orphan == NULL)
		return;
	orphan->ring = *ring;
	orphan->next = port->orphans;
	port->orphans = orphan;
}

void
vio_ring_drain_orphans(struct vio_port *port)
{
	while (port->orphans != NULL) {
		struct vio_orphan *orphan = port->orphans;

		port->orphans = orphan->next;
		vio_ring_drain(&orphan->ring);
		ring_free(&orphan->ring);
		free(orphan);
	}
}
