/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "log.h"

static uint64_t
start(const struct vio_mem_region *r)
{
	return (uint64_t)(uintptr_t)r->addr;
}

static bool
valid(const struct vio_mem_region *r)
{
	return r->size > 0 && r->fd >= 0 && r->size <= UINT64_MAX - start(r) &&
	       r->size <= UINT64_MAX - r->iova && r->size <= UINT64_MAX - r->fd_offset;
}

/* Whether one mapping of their file serves both. Differences are modulo 2^64, and may be. */
static bool
alike(const struct vio_mem_region *a, const struct vio_mem_region *b)
{
	return a->fd == b->fd && start(a) - a->fd_offset == start(b) - b->fd_offset &&
	       start(a) - a->iova == start(b) - b->iova;
}

static bool
touch(const struct vio_mem_region *a, const struct vio_mem_region *b)
{
	return start(a) + a->size == start(b) || start(b) + b->size == start(a);
}

/* Extends region to hold piece and what lies between. */
static void
extend(struct vio_mem_region *region, const struct vio_mem_region *piece)
{
	uint64_t end = start(region) + region->size;
	uint64_t piece_end = start(piece) + piece->size;

	if (start(piece) < start(region)) {
		region->addr = piece->addr;
		region->iova = piece->iova;
		region->fd_offset = piece->fd_offset;
	}
	region->size = (end > piece_end ? end : piece_end) - start(region);
}

static bool
add(struct vio_vu_table *table, const struct vio_mem_region *piece, bool over_holes)
{
	struct vio_mem_region *region;

	for (unsigned i = 0; i < table->count; i++) {
		region = &table->regions[i];
		if (alike(region, piece) && (over_holes || touch(region, piece))) {
			extend(region, piece);
			return true;
		}
	}
	if (table->count == VIO_VHOST_USER_REGIONS_MAX)
		return false;
	table->regions[table->count++] = *piece;
	return true;
}

static bool
fill(struct vio_vu_table *table, const struct vio_mem_region *pieces, unsigned count,
     bool over_holes)
{
	table->count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!add(table, &pieces[i], over_holes))
			return false;
	}
	return true;
}

int
vio_vu_table_make(struct vio_vu_table *table, const struct vio_mem_region *pieces, unsigned count,
		  const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		if (valid(&pieces[i]))
			continue;
		vio_err("%s: memory at %p, 0x%" PRIx64
			" bytes, file descriptor %d cannot be shared",
			name, pieces[i].addr, pieces[i].size, pieces[i].fd);
		return -EINVAL;
	}
	if (count == 0) {
		vio_err("%s: there is no memory to share with the vhost-user back-end", name);
		return -EINVAL;
	}
	/* A hole costs the peer address space, and huge pages that it reserves: better without. */
	if (fill(table, pieces, count, false) || fill(table, pieces, count, true))
		return 0;
	vio_err("%s: this process's memory lies in more than the %d files that a vhost-user "
		"back-end "
		"takes: start with --single-file-segments, or with larger huge pages",
		name, VIO_VHOST_USER_REGIONS_MAX);
	return -E2BIG;
}

bool
vio_vu_table_has(const struct vio_vu_table *table, const void *addr)
{
	for (unsigned i = 0; i < table->count; i++) {
		if ((uint64_t)(uintptr_t)addr - start(&table->regions[i]) < table->regions[i].size)
			return true;
	}
	return false;
}
