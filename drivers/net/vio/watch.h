/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user back-end has no way to say DEVICE_NEEDS_RESET by itself, and a PCI device has none
 * where the application did not ask for link interrupts (intr_conf.lsc): the driver has to ask for
 * the status, and for the wish for an announcement, which stands beside it. EAL's interrupt thread
 * does so while the port is started, ever more rarely up to once in VIO_WATCH_MOST_S seconds, as
 * back-ends write a line for each question; but at once where nothing can be sent any more. PCI
 * devices that interrupt are not asked.
 */
#ifndef VIO_PMD_WATCH_H
#define VIO_PMD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct vio_port;

/* Between two looks at the counters, and between two questions at most, in seconds. */
#define VIO_WATCH_S      1
#define VIO_WATCH_MOST_S 32

/* Changes under the port's lock. */
struct vio_watch {
	bool armed;          /* an alarm is set */
	unsigned wait, left; /* seconds between questions, and until the next */
	uint64_t sent, full; /* packets, and bursts that found no room, at the last look */
};

/* The application has started the port. With the lock. Once it is stopped, this ends by itself. */
void vio_watch_start(struct vio_port *port);
/* The port is about to be closed: nobody looks any more. Without the lock. */
void vio_watch_fini(struct vio_port *port);

#endif
