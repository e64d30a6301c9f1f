/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port that comes back by itself. Whoever notices that something is wrong (a polling thread, an
 * interrupt, a control operation) calls vio_recover_notice(), which only marks it and wakes EAL's
 * interrupt thread. That thread makes the bursts no-ops, tells the application, resets the device
 * and starts it again with the same queues and settings, a bounded number of times.
 *
 * Devarg recover=manual leaves the second half to the application's rte_eth_dev_reset().
 */
#ifndef VIO_PMD_RECOVER_H
#define VIO_PMD_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "hush.h"

struct vio_port;

/* What can be wrong. */
enum vio_cause {
	VIO_CAUSE_RESTART,     /* it did not start again when the link was set up */
	VIO_CAUSE_QUEUE,       /* a queue is broken */
	VIO_CAUSE_CONTROL,     /* the control queue is broken, or does not answer */
	VIO_CAUSE_NEEDS_RESET, /* the device says DEVICE_NEEDS_RESET */
	VIO_CAUSE_PEER,        /* the vhost-user peer has gone */
	VIO_CAUSE_UNPLUGGED,   /* the PCI device has gone for good, or is asked back */
	VIO_CAUSES             /* number of the above */
};

/* Devarg recover. NEVER is for programs that drive the port's code themselves. */
enum vio_recover_mode { VIO_RECOVER_NEVER, VIO_RECOVER_MANUAL, VIO_RECOVER_AUTO };

enum vio_health {
	VIO_HEALTH_WELL,
	VIO_HEALTH_RECOVERING,
	VIO_HEALTH_WAITS,    /* for the application's reset: recover=manual */
	VIO_HEALTH_GIVEN_UP, /* until the application starts the port again */
};

/* Tries in a row before a port is given up, unless the user says otherwise. */
#define VIO_RECOVER_TRIES 8
/* How often a port looks for a new vhost-user peer, unless the user says otherwise. */
#define VIO_RECOVER_PEER_MS 10

struct vio_recovery {
	uint32_t
		noticed; /* bits of enum vio_cause; set by anyone, atomically, cleared by control */
	/* The rest changes under the port's lock. */
	bool on;             /* the application has started the port */
	bool removal_told;   /* to the application, by INTR_RMV: once in the port's life */
	bool ill;            /* from a fault to the next life: what the device has now is lost */
	uint8_t health;      /* enum vio_health */
	unsigned serial;     /* of starts and stops */
	unsigned tries;      /* since the port was last well for a while */
	unsigned departures; /* of peers, one of them forgotten each VIO_FORGET_PEER_MS; */
	uint64_t departed;   /* the last one; timer cycles */
	uint64_t began;      /* when it was last found ill, and when well again; timer cycles */
	uint64_t recovered;  /* 0: never yet */
	uint64_t recoveries, failures;
	uint64_t causes[VIO_CAUSES];
	char words[192];      /* the last fault */
	struct vio_hush hush; /* since the port was last well for a while */
};

/* Something is wrong. From any thread and any context of the process that owns the port; neither
 * blocks nor takes the port's lock. Says nothing to the application itself. */
void vio_recover_notice(struct vio_port *port, enum vio_cause cause);
/* Looks whether a started device asks for a reset, or has gone, and notices that. With the lock. */
void vio_recover_look(struct vio_port *port);

/* The application has started or stopped the port. With the lock; what is noticed after the stop is
 * of the life that begins with the next start. */
void vio_recover_start(struct vio_port *port);
void vio_recover_stop(struct vio_port *port);
/* The port is about to be closed: no recovery begins any more, and none runs afterwards, but for
 * the one that this call is made from. Without the lock. */
void vio_recover_fini(struct vio_port *port);

#endif
