/* SPDX-License-Identifier: BSD-3-Clause */
/* The queues of a vhost-user device: each is a handful of messages, and two eventfds. */
#include "vhost_user_front.h"

#include <errno.h>

#include "doorbell.h"
#include "features.h"
#include "log.h"

static int
tell_vring(struct vhost_user *v, enum vio_vu_request request, uint16_t queue, uint32_t num)
{
	struct vio_vu_msg msg = { .request = request, .size = sizeof(struct vio_vu_vring_state) };

	msg.payload.state = (struct vio_vu_vring_state){ queue, num };
	return vio_vu_tell(&v->channel, &msg, NULL, 0);
}

static int
tell_vring_fd(struct vhost_user *v, enum vio_vu_request request, uint16_t queue, int fd)
{
	struct vio_vu_msg msg = { .request = request, .size = sizeof(uint64_t) };

	msg.payload.u64 = queue; /* bits 0..7; bit 8 would say that there is no descriptor */
	return vio_vu_tell(&v->channel, &msg, &fd, 1);
}

static bool
wants_enabled(const struct vhost_user *v, uint16_t queue)
{
	return queue / 2 < v->pairs;
}

/* Without protocol features a ring is enabled as soon as it is started, and there is no message. */
static int
enable(struct vhost_user *v, uint16_t queue, bool on)
{
	struct vhost_user_queue *q = &v->queues[queue];
	int ret = 0;

	if (q->enabled == on)
		return 0;
	if (v->features & F_PROTOCOL_FEATURES)
		ret = tell_vring(v, VU_SET_VRING_ENABLE, queue, on);
	if (ret == 0)
		q->enabled = on;
	return ret;
}

/* Once GET_VRING_BASE is answered the back-end has let go of the queue and its buffers. */
static int
stop(struct vhost_user *v, uint16_t queue)
{
	struct vio_vu_msg msg = {
		.request = VU_GET_VRING_BASE,
		.size = sizeof(struct vio_vu_vring_state),
	};
	struct vhost_user_queue *q = &v->queues[queue];
	int ret, disabled;

	if (!q->started)
		return 0;
	disabled = enable(v, queue, false);
	msg.payload.state = (struct vio_vu_vring_state){ queue, 0 };
	ret = vio_vu_ask(&v->channel, &msg);
	if (ret == 0 && msg.payload.state.index != queue)
		ret = vio_vu_nonsense(v, VU_GET_VRING_BASE, msg.payload.u64);
	if (ret < 0)
		return disabled < 0 ? disabled : ret; /* the first error says why */
	q->started = false;
	q->enabled = false; /* even where that was refused: the next start says it again */
	return disabled;
}

int
vio_vu_stop_queues(struct vhost_user *v)
{
	int ret, first = 0;

	for (unsigned i = 0; i < v->n_queues; i++) {
		ret = stop(v, (uint16_t)i);
		if (first == 0)
			first = ret;
	}
	v->pairs = 1;
	return first;
}

/* Rings are new at each start: both sides begin at index 0, and in a packed ring with both wrap
 * counters at 1, of which the message holds one, in bit 15. */
static uint32_t
first_base(const struct vhost_user *v)
{
	return vio_has(v->features, VIRTIO_F_RING_PACKED) ? 1u << 15 : 0;
}

static int
tell_vring_addr(struct vhost_user *v, uint16_t queue, const struct vio_queue_conf *conf)
{
	struct vio_vu_msg msg = {
		.request = VU_SET_VRING_ADDR,
		.size = sizeof(struct vio_vu_vring_addr),
	};

	/* Rings by this process's addresses; only descriptors speak in iova. */
	msg.payload.addr = (struct vio_vu_vring_addr){
		.index = queue,
		.desc = (uint64_t)(uintptr_t)conf->desc,
		.avail = (uint64_t)(uintptr_t)conf->driver,
		.used = (uint64_t)(uintptr_t)conf->device,
	};
	return vio_vu_tell(&v->channel, &msg, NULL, 0);
}

/* The kick descriptor comes last: for some back-ends the queue is live from there. */
static int
start(struct vhost_user *v, uint16_t queue, const struct vio_queue_conf *conf)
{
	struct vhost_user_queue *q = &v->queues[queue];
	int ret;

	ret = tell_vring(v, VU_SET_VRING_NUM, queue, conf->size);
	if (ret == 0)
		ret = tell_vring(v, VU_SET_VRING_BASE, queue, first_base(v));
	if (ret == 0)
		ret = tell_vring_addr(v, queue, conf);
	if (ret == 0)
		ret = tell_vring_fd(v, VU_SET_VRING_CALL, queue, q->call_fd);
	if (ret < 0)
		return ret;
	q->started = true; /* also where this fails: who knows how far the back-end came */
	ret = tell_vring_fd(v, VU_SET_VRING_KICK, queue, q->kick_fd);
	if (ret == 0 && wants_enabled(v, queue))
		ret = enable(v, queue, true);
	return ret;
}

static int
check_queue(const struct vhost_user *v, uint16_t queue, const struct vio_queue_conf *conf)
{
	if (queue >= v->n_queues || v->queues[queue].started || conf->size == 0 ||
	    conf->size > v->queue_size)
		return -EINVAL;
	if (vio_vu_table_has(&v->table, conf->desc) && vio_vu_table_has(&v->table, conf->driver) &&
	    vio_vu_table_has(&v->table, conf->device))
		return 0;
	vio_err("%s: the memory of queue %u is not shared with the vhost-user back-end",
		v->base.name, queue);
	return -EFAULT;
}

void
vio_vhost_user_kick(const struct vio_notifier *notifier, uint16_t next)
{
	(void)next;
	vio_doorbell_ring(notifier->fd);
}

int
vio_vu_queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
		   struct vio_notifier *notifier)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	if (ret < 0)
		return ret;
	ret = check_queue(v, queue, conf);
	if (ret == 0)
		ret = start(v, queue, conf);
	if (ret == 0)
		*notifier = (struct vio_notifier){
			.kick = vio_vhost_user_kick,
			.fd = v->queues[queue].kick_fd,
			.value = queue,
		};
	return vio_vu_leave(v, ret);
}

int
vio_vu_set_queue_pairs(struct vio_transport *t, uint16_t pairs)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	if (ret < 0)
		return ret;
	if (pairs == 0 || pairs > v->config.pairs)
		return vio_vu_leave(v, -EINVAL);
	v->pairs = pairs;
	for (unsigned i = 0; i < v->n_queues && ret == 0; i++) {
		if (v->queues[i].started)
			ret = enable(v, (uint16_t)i, wants_enabled(v, (uint16_t)i));
	}
	return vio_vu_leave(v, ret);
}

int
vio_vu_queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	*size = 0;
	if (ret < 0)
		return ret;
	if (queue < v->n_queues)
		*size = v->queue_size;
	return vio_vu_leave(v, 0);
}

/* VIRTIO_F_RING_RESET is never offered: back-ends stop as a whole when one queue stops. */
int
vio_vu_queue_reset(struct vio_transport *t, uint16_t queue)
{
	(void)t;
	(void)queue;
	return -ENOTSUP;
}

int
vio_vu_queue_event_fd(struct vio_transport *t, uint16_t queue)
{
	return queue < vio_vu_of(t)->n_queues ? vio_vu_of(t)->queues[queue].call_fd : -1;
}

int
vio_vu_queue_kick_fd(struct vio_transport *t, uint16_t queue)
{
	return queue < vio_vu_of(t)->n_queues ? vio_vu_of(t)->queues[queue].kick_fd : -1;
}
