/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole driver in one process and one thread: an ethdev port whose device is the model of
 * test/device, for what neither a vhost-user peer nor a VM can show: control commands, offloads,
 * lies of the device and calls that fail, each at a moment that the test chooses. EAL runs without
 * hugepages; driver and device library are compiled once more with the seams of seams.h before each
 * file and with both sanitizers, whatever the build's options are. harness_test.c is the example:
 *
 *     struct harness h;
 *
 *     harness_open(&h, &(struct harness_options){ .features = DEVICE_BIT(DEVICE_F_MQ) | ... });
 *     harness_setup(&h, 2, 2, 64, NULL);     // configure, and set up queues
 *     rte_eth_dev_start(h.port);             // ... any ethdev function
 *     harness_pass(&h, 100, 200);            // frames each way through every queue, compared
 *     device_lie(h.dev, ...);                // ... any function of test/device
 *     harness_poll(&h);                      // the device's turn
 *     harness_close(&h);                     // and nothing is left
 *
 * The device acts while the driver waits (a control command), in harness_poll() and in
 * harness_pass(), else never. Time passes only while the driver waits, so that a bound of minutes
 * is tested at once: seam_now_us of inject.h. That header also makes calls fail, and has the
 * interrupts. A new foo_test.c goes into `harness_tests` of meson.build.
 */
#ifndef PMD_HARNESS_H
#define PMD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "device/device.h"
#include "device/lie.h"
#include "device/net.h"
#include "virtio/transport.h"

/* Device addresses differ from pointers by this, so that to mix them up is seen. */
#define HARNESS_IOVA UINT64_C(0x400000000000)
/* Mbufs of each of the two pools, and the longest frame that one of them holds. */
#define HARNESS_MBUFS 2048
#define HARNESS_ROOM  1600

struct harness_options {
	uint64_t features;      /* of the device, beside VERSION_1: DEVICE_BIT(...) | ... */
	bool legacy;            /* it has no VERSION_1, and the legacy interface */
	uint16_t queue_size;    /* descriptors that each queue may have; 0: 256 */
	uint16_t pairs;         /* queue pairs; 0: 1 */
	const char *devargs;    /* as a user writes them, without recover; NULL: none */
	uint32_t timeout_ms;    /* the devarg; 0: what devargs say, 1000 without any */
	uint8_t recover;        /* enum vio_recover_mode; 0: never */
	uint32_t recover_tries; /* the devarg; 0: the default */
	/* Called with the device just made, before the driver sees it: to make it lie. */
	void (*prepare)(struct device *dev);
};

struct harness {
	struct device *dev;
	struct rte_eth_dev *eth;
	uint16_t port; /* ethdev's number, */
	bool open;     /* while there is a port */
	bool cut_off;  /* the driver has taken the device's way to memory away */
	void (*on_call)(struct harness *); /* before each operation of the transport */
	bool deaf;                         /* the device does nothing while the driver waits, */
	void (*turn)(struct harness *);    /* or this, where it is set */
	struct vio_transport transport;    /* counts calls, and hands them to the device's */
	unsigned transport_calls;
};

/* The pools: rx is the driver's (harness_setup() gives it to the queues), and its mbufs can fail to
 * come (inject.h); tx is the test's. */
extern struct rte_mempool *harness_rx_pool, *harness_tx_pool;

/* Starts EAL, and runs the tests. What main() returns. */
int harness_main(const char *name, const struct CMUnitTest *tests, size_t n);
#define HARNESS_MAIN(tests)                                                               \
	int main(void)                                                                    \
	{                                                                                 \
		return harness_main(__FILE__, tests, sizeof(tests) / sizeof((tests)[0])); \
	}

/* A new device, and the driver probes it. Returns what the driver did: 0, or a negative errno
 * value; then nothing is left of either. */
int harness_open(struct harness *h, const struct harness_options *options);
/* Configures so many queues (conf: NULL for the default) and sets them up with size descriptors;
 * the port must be stopped. Returns 0, or the first error. */
int harness_setup(struct harness *h, uint16_t rx, uint16_t tx, uint16_t size,
		  const struct rte_eth_conf *conf);
bool harness_started(const struct harness *h);
/* The device looks at all its queues. */
void harness_poll(struct harness *h);
/* Sends n frames of len bytes each way through every queue, and compares each. Returns how many
 * went wrong or did not come. */
unsigned harness_pass(struct harness *h, unsigned n, uint16_t len);
/* Closes the port, with an honest device, and the device. Fails the test where the driver broke a
 * duty, or anything is left: mbufs, memory, zones, file descriptors, an alarm. Returns what
 * rte_eth_dev_close() did. */
int harness_close(struct harness *h);
/* What there is now is what has to be there. Done by harness_main(). */
void harness_take_stock(void);
/* Fails the test where there is more, or less, than at that time. */
void harness_nothing_left(void);

/* What was logged since the last harness_quiet(), errors and warnings and all. */
const char *harness_log(void);
void harness_quiet(void);
/* How many of these lines were errors of the driver's. */
unsigned harness_errors(void);
/* Whether a line of the driver's says this. */
bool harness_said(const char *words);

#endif
