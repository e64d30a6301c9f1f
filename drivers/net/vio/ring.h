/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtqueue with the memory behind it, from queue setup to release. */
#ifndef VIO_PMD_RING_H
#define VIO_PMD_RING_H

#include <stdbool.h>

#include <rte_memzone.h>

#include "virtio/transport.h"
#include "virtqueue/virtqueue.h"

struct vio_port;

/* Elements of an indirect table, and so of the longest buffer that needs one descriptor. */
#define VIO_INDIRECT_MAX 16

struct vio_ring {
	struct vq *vq;                    /* NULL while the device does not have the ring */
	const struct rte_memzone *mz;     /* the ring, then headers or commands */
	const struct rte_memzone *tables; /* indirect tables; NULL without them */
	void *state;
	unsigned flags; /* enum vq_flag that the memory was laid out for */
	uint16_t size;  /* descriptors */
	uint16_t index; /* of the virtqueue */
	size_t hdrs_at; /* offset in mz of the headers or commands */
	bool stuck;     /* a reset or a setup of the queue failed: the device may have it */
	struct vio_notifier notifier;
};

/* How many descriptors the virtqueue shall have where asked are asked for: a legacy device's own
 * number, whatever is asked for. 0 or a negative errno value. */
int vio_ring_size(const struct vio_port *port, uint16_t index, uint16_t asked, uint16_t *size);

/*
 * Gives the ring memory for size descriptors, laid out as the port's features demand, with
 * hdr_bytes of room for headers and, if asked and negotiated and there is memory for them, indirect
 * tables. name must be unique among memzones. Returns 0 or -ENOMEM.
 */
int vio_ring_alloc(struct vio_ring *ring, const struct vio_port *port, const char *name,
		   uint16_t size, size_t hdr_bytes, bool indirect, int socket);

/* The device address of the ring's memory. */
uint64_t vio_ring_iova(const struct vio_ring *ring, const struct vio_port *port);

/* Makes an empty virtqueue in the memory and gives it to the device. 0 or a negative errno value.
 */
int vio_ring_start(struct vio_ring *ring, struct vio_port *port, uint16_t index, uint16_t vector);

/* Frees every mbuf that the device had, once it was reset or is gone. */
void vio_ring_drain(struct vio_ring *ring);

/* Frees the memory. A ring that the device still has becomes an orphan of the port: its memory and
 * mbufs wait for the next reset that succeeds. */
void vio_ring_release(struct vio_ring *ring, struct vio_port *port);
/* Drains and frees all orphans, once the device was reset or is gone. */
void vio_ring_drain_orphans(struct vio_port *port);

#endif
