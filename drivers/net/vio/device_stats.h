/* SPDX-License-Identifier: BSD-3-Clause */
/* The counters that the device keeps itself, as xstats device_*. */
#ifndef VIO_PMD_DEVICE_STATS_H
#define VIO_PMD_DEVICE_STATS_H

#include <stdbool.h>
#include <stdint.h>

struct rte_eth_dev;
struct rte_eth_xstat;
struct rte_eth_xstat_name;
struct vio_port;

/* Counters of a queue, of all types together. */
#define VIO_DEVICE_COUNTERS 16

/* Of one virtqueue, written under the port's lock. */
struct vio_device_counters {
	uint64_t now[VIO_DEVICE_COUNTERS];  /* as the device told them last, */
	uint64_t from[VIO_DEVICE_COUNTERS]; /* and what they were when they were set to 0 */
	bool refused; /* the device was asked for them in this life of its, and refused */
};

/* Of the port, written under its lock. Types are bits, as the device numbers them. */
struct vio_device_stats {
	uint64_t types; /* those that are told: they change only where the application starts the
			 * port, so that the list of xstats stays as it is */
	uint64_t asked; /* those of them that the live device has */
	bool told;      /* that an answer was no good */
	struct vio_device_counters ctrl;
};

/*
 * Asks a device that has come to life which statistics it has, with the lock held. Returns 0, also
 * where it has none; -ETIMEDOUT where the control queue is broken.
 */
int vio_device_stats_restore(struct vio_port *port);

/* Asks for all of them anew, where the device is live and this is the primary process. */
void vio_device_stats_refresh(struct vio_port *port);

/* The types that are told: to be asked for once by who counts and then writes, as a start on
 * another thread may change them. */
uint64_t vio_device_stats_types(const struct rte_eth_dev *dev);
/* How many xstats such types make (device_xstats.c); their names; and their values, the first of
 * which gets the id first_id. Where the device cannot be asked, they are the last known ones. The
 * latter two return how many they have written. */
unsigned vio_device_stats_count(const struct rte_eth_dev *dev, uint64_t types);
unsigned vio_device_stats_names(const struct rte_eth_dev *dev, uint64_t types,
				struct rte_eth_xstat_name *names);
unsigned vio_device_stats_get(struct rte_eth_dev *dev, uint64_t types, struct rte_eth_xstat *xstats,
			      unsigned first_id);
/* They count from 0 again. */
void vio_device_stats_reset(struct rte_eth_dev *dev);

#endif
