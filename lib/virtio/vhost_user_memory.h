/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of shared memory. Private to the vhost-user transport. */
#ifndef VIO_VHOST_USER_MEMORY_H
#define VIO_VHOST_USER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost_user.h"

struct vio_vu_table {
	struct vio_mem_region regions[VIO_VHOST_USER_REGIONS_MAX];
	unsigned count;
};

/* Makes as few regions of the pieces as it takes: neighbours become one; where these are too many,
 * all of one file that one mapping can hold. Returns 0, -EINVAL or -E2BIG (both logged). */
int vio_vu_table_make(struct vio_vu_table *table, const struct vio_mem_region *pieces,
		      unsigned count, const char *name);

/* Whether one byte at addr is shared. */
bool vio_vu_table_has(const struct vio_vu_table *table, const void *addr);

#endif
