/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost-user transport, and a device's life over it, with a peer that answers anything
 * (vhost_peer.h). What must hold: each message is one that there is, complete and in its turn; only
 * memory that was told is spoken of; what was given up is left alone until the next connection;
 * whatever is returned is 0 or an errno value; every wait ends, and one start in its own bound; and
 * no descriptor is left.
 */
#include <errno.h>

#include "clock.h"
#include "vhost_peer.h"
#include "virtio/device.h"
#include "virtio/features.h"
#include "virtio/vhost_user.h"

enum { QUEUE_SIZE = 256, PAGE = 4096, PIECES = 12 };

/* Never touched: only addresses in it are told. */
static uint8_t memory[64 * PAGE];

struct driver {
	struct input *in;
	struct vio_transport *t;
	struct vio_device dev;
};

static int
checked(int ret)
{
	must(ret <= 0 && ret > -4096, "an operation returns 0 or an errno value");
	return ret;
}

static void
set_memory(struct driver *d)
{
	struct vio_mem_region pieces[PIECES];
	unsigned n = take_below(d->in, PIECES + 1);

	for (unsigned i = 0; i < n; i++) {
		uint8_t at = take8(d->in) % 64;

		pieces[i] = (struct vio_mem_region){
			.addr = memory + at * PAGE,
			.size = (uint64_t)(take8(d->in) % 8) * PAGE,
			.fd = take8(d->in) % 3,
			.fd_offset = (uint64_t)at * PAGE,
		};
		pieces[i].iova = (uint64_t)(uintptr_t)pieces[i].addr;
	}
	checked(vio_vhost_user_set_memory(d->t, pieces, n));
}

static void *
place(struct driver *d)
{
	return memory + (take8(d->in) % 64) * PAGE;
}

static int
queue_setup(struct driver *d, uint16_t queue)
{
	struct vio_queue_conf conf = { .size = QUEUE_SIZE, .vector = VIO_NO_VECTOR };
	struct vio_notifier notifier = { 0 };
	int ret;

	conf.desc = place(d);
	conf.driver = place(d);
	conf.device = place(d);
	ret = checked(d->t->ops->queue_setup(d->t, queue, &conf, &notifier));
	if (ret == 0)
		notifier.kick(&notifier, 0);
	return ret;
}

static int
begin(struct driver *d)
{
	int ret = checked(vio_device_begin(&d->dev));

	if (ret == 0)
		ret = checked(vio_device_negotiate(&d->dev, take64(d->in) | UINT64_C(1) << 32));
	must((d->dev.features & ~d->dev.offered) == 0, "nothing is taken unoffered");
	return ret;
}

/* A whole start, as the driver makes it. */
static void
start(struct driver *d)
{
	uint64_t began = clock_now, most;
	uint16_t queues = 1 + take8(d->in) % (PEER_QUEUES + 1);
	int ret;

	vio_device_begin_many(&d->dev);
	ret = begin(d);
	for (uint16_t i = 0; i < queues && ret == 0; i++)
		ret = queue_setup(d, i);
	if (ret == 0)
		ret = checked(vio_device_go(&d->dev));
	if (ret == 0)
		checked(d->t->ops->set_queue_pairs(d->t, take8(d->in) % 6));
	vio_device_end_many(&d->dev);
	/* And the code's own looks at the clock. */
	most = (VIO_MANY + 1) * PEER_TIMEOUT_MS * UINT64_C(1000000) + 2000000;
	must(clock_now - began <= most, "a start has a bound");
}

static void
reset(struct driver *d)
{
	int ret = checked(vio_device_reset(&d->dev));

	for (unsigned i = 0; i < PEER_QUEUES && ret == 0; i++)
		must(!peer.started[i], "after a reset no queue goes");
}

static void
config(struct driver *d)
{
	uint32_t offset = take8(d->in), len = take8(d->in) % 72;
	uint8_t *buf = calloc(1, len + 1); /* at least 1 */
	int ret = checked(vio_config_read(&d->dev, offset, buf, len));

	must(ret != 0 || offset + len <= 64, "the space has an end");
	checked(d->t->ops->write_config(d->t, offset, buf, len));
	free(buf);
}

static void
turn(struct driver *d)
{
	switch (take8(d->in) % 12) {
	case 0:
	case 1:
		set_memory(d);
		break;
	case 2:
	case 3:
		start(d);
		break;
	case 4:
		queue_setup(d, take8(d->in) % (PEER_QUEUES + 1));
		break;
	case 5:
		checked(d->t->ops->set_queue_pairs(d->t, take8(d->in) % 6));
		break;
	case 6:
		reset(d);
		break;
	case 7:
		config(d);
		break;
	case 8:
		checked(d->t->ops->service(d->t));
		break;
	case 9:
		vio_device_needs_reset(&d->dev);
		break;
	case 10:
		vio_vhost_user_hang_up(d->t);
		break;
	default:
		peer.slow = take8(d->in) & 1;
		checked(vio_vhost_user_reconnect(d->t));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct driver d = { .in = &in };
	uint8_t how = take8(&in);
	struct vio_vhost_user_params params = {
		.path = "/nowhere/fuzz",
		.server = how & 1,
		.queue_pairs = 1 + (how >> 1) % (PEER_QUEUES / 2),
		.queue_size = QUEUE_SIZE,
		.has_mac = how & 8,
		.mtu = how & 16 ? 1500 : 0,
		.speed = how & 32 ? 10000 : 0,
		.timeout_ms = PEER_TIMEOUT_MS,
		.accept_ms = PEER_TIMEOUT_MS,
	};
	int ret;

	clock_restart();
	peer_restart(&in);
	peer.slow = how & 64;
	ret = checked(vio_vhost_user_open(&params, &d.t));
	if (ret == 0) {
		vio_device_init(&d.dev, d.t);
		d.dev.reset_timeout_ms = PEER_TIMEOUT_MS;
		while (in.left > 0)
			turn(&d);
		d.t->ops->close(d.t);
	}
	must(peer.sockets == 0 && peer.eventfds == 0, "no descriptor is left");
	return 0;
}
