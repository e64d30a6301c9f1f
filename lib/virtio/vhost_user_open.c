/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user connection: made, begun, made again with a next back-end. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "doorbell.h"
#include "features.h"
#include "log.h"
#include "vhost_user_front.h"
#include "vhost_user_socket.h"

#define QUEUE_SIZE_MAX 32768

static int
check_queue_pairs(struct vhost_user *v, uint16_t asked)
{
	uint64_t has = 1;
	int ret = 0;

	if (asked == 1)
		return 0;
	if ((v->protocol & PROTOCOL_F_MQ) && vio_has(v->backend_features, VIRTIO_NET_F_MQ))
		ret = vio_vu_ask_u64(v, VU_GET_QUEUE_NUM, &has);
	if (ret < 0 || asked <= has)
		return ret;
	vio_err("%s: %u queue pairs asked, the vhost-user back-end has %" PRIu64
		": ask for less, or give the back-end more",
		v->base.name, asked, has);
	return -EINVAL;
}

static int
agree_on_protocol(struct vhost_user *v)
{
	int ret;

	if (!(v->backend_features & F_PROTOCOL_FEATURES))
		return 0;
	ret = vio_vu_ask_u64(v, VU_GET_PROTOCOL_FEATURES, &v->protocol);
	if (ret < 0)
		return ret;
	v->protocol &= PROTOCOL_F_USED;
	ret = vio_vu_tell_u64(v, VU_SET_PROTOCOL_FEATURES, v->protocol);
	v->channel.reply_ack = v->protocol & PROTOCOL_F_REPLY_ACK;
	return ret;
}

static int
begin_session(struct vhost_user *v)
{
	int ret;

	ret = vio_vu_tell_nothing(v, VU_SET_OWNER);
	if (ret == 0)
		ret = vio_vu_ask_u64(v, VU_GET_FEATURES, &v->backend_features);
	if (ret == 0)
		ret = agree_on_protocol(v);
	if (ret == 0)
		ret = check_queue_pairs(v, v->params.queue_pairs);
	if (ret < 0)
		return ret;
	vio_vu_config_init(&v->config, &v->params, v->backend_features);
	vio_info("%s: connected to a vhost-user back-end: features 0x%" PRIx64
		 ", protocol features 0x%" PRIx64,
		 v->base.name, v->backend_features, v->protocol);
	return 0;
}

static int
reach_peer(struct vhost_user *v)
{
	const struct vio_vhost_user_params *p = &v->params;
	int fd;

	if (p->server) {
		v->listen_fd = vio_vu_listen(v->path);
		if (v->listen_fd < 0)
			return v->listen_fd;
		fd = vio_vu_accept(v->listen_fd, v->path, p->accept_ms);
	} else {
		fd = vio_vu_connect(v->path, p->timeout_ms);
	}
	if (fd < 0)
		return fd;
	v->channel.fd = fd;
	return 0;
}

/* Nothing that was said to the peer before holds for the next one. The descriptors of the queues
 * stay: a thread may sleep on one. */
static void
forget_peer(struct vhost_user *v, int fd)
{
	close(v->channel.fd);
	v->channel.fd = fd;
	v->channel.reply_ack = false;
	v->channel.dead = false;
	v->table.count = 0;
	v->backend_features = 0;
	v->protocol = 0;
	v->features = 0;
	v->status = 0;
	v->pairs = 1;
	for (unsigned i = 0; i < v->n_queues; i++) {
		v->queues[i].started = false;
		v->queues[i].enabled = false;
	}
}

int
vio_vhost_user_reconnect(struct vio_transport *t)
{
	struct vhost_user *v = vio_vu_of(t);
	int fd, ret;

	fd = v->listen_fd >= 0 ? vio_vu_try_accept(v->listen_fd, v->path)
			       : vio_vu_try_connect(v->path);
	if (fd < 0)
		return fd;
	pthread_mutex_lock(&v->lock);
	if (!v->channel.dead)
		vio_vu_give_up(&v->channel, 0);
	forget_peer(v, fd);
	ret = begin_session(v);
	if (ret < 0)
		vio_vu_give_up(&v->channel, ret);
	return vio_vu_leave(v, ret);
}

void
vio_vhost_user_hang_up(struct vio_transport *t)
{
	struct vhost_user *v = vio_vu_of(t);

	pthread_mutex_lock(&v->lock);
	if (!v->channel.dead)
		vio_vu_give_up(&v->channel, 0);
	pthread_mutex_unlock(&v->lock);
}

static int
make_eventfd(struct vhost_user *v, int *fd)
{
	int ret;

	*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*fd >= 0)
		return 0;
	ret = -errno;
	vio_err("%s: no eventfd to be had for a queue: %s", v->base.name, strerror(-ret));
	return ret;
}

static int
make_eventfds(struct vhost_user *v)
{
	int ret = 0;

	for (unsigned i = 0; i < v->n_queues && ret == 0; i++) {
		ret = make_eventfd(v, &v->queues[i].kick_fd);
		if (ret == 0)
			ret = make_eventfd(v, &v->queues[i].call_fd);
	}
	return ret;
}

/* A transport without connection, which vio_vu_close() can take apart at any point. */
static struct vhost_user *
allocate(const struct vio_vhost_user_params *params)
{
	unsigned n_queues = 2u * params->queue_pairs;
	struct vhost_user *v = calloc(1, sizeof(*v) + n_queues * sizeof(v->queues[0]));

	if (v == NULL)
		return NULL;
	v->path = strdup(params->path);
	if (v->path == NULL || pthread_mutex_init(&v->lock, NULL) != 0) {
		free(v->path);
		free(v);
		return NULL;
	}
	v->base = (struct vio_transport){ .ops = &vio_vu_ops,
					  .name = v->path,
					  .timeout_ms = params->timeout_ms };
	v->channel = (struct vio_vu_channel){ .fd = -1, .name = v->path, .transport = &v->base };
	v->params = *params;
	v->params.path = v->path;
	v->listen_fd = -1;
	v->pairs = 1;
	v->queue_size = params->queue_size;
	v->mtu = params->mtu;
	v->n_queues = n_queues;
	for (unsigned i = 0; i < n_queues; i++)
		v->queues[i] = (struct vhost_user_queue){ .kick_fd = -1, .call_fd = -1 };
	return v;
}

static int
check_params(const struct vio_vhost_user_params *p)
{
	if (p->queue_pairs > VIO_VHOST_USER_PAIRS_MAX) {
		vio_err("%s: %u queue pairs asked, vhost-user has at most %d", p->path,
			p->queue_pairs, VIO_VHOST_USER_PAIRS_MAX);
		return -EINVAL;
	}
	if (p->queue_size > QUEUE_SIZE_MAX) {
		vio_err("%s: queues of %u descriptors asked, at most %d are possible", p->path,
			p->queue_size, QUEUE_SIZE_MAX);
		return -EINVAL;
	}
	if (p->mtu != 0 && p->mtu < VIO_NET_MTU_MIN) {
		vio_err("%s: an MTU of %u asked, at least %d is possible", p->path, p->mtu,
			VIO_NET_MTU_MIN);
		return -EINVAL;
	}
	return 0;
}

static void
fill_in_defaults(struct vio_vhost_user_params *p)
{
	if (p->path == NULL)
		p->path = "";
	if (p->queue_pairs == 0)
		p->queue_pairs = 1;
	if (p->queue_size == 0)
		p->queue_size = VIO_VHOST_USER_QUEUE_SIZE;
	if (p->timeout_ms == 0)
		p->timeout_ms = VIO_VHOST_USER_TIMEOUT_MS;
	if (p->accept_ms == 0)
		p->accept_ms = VIO_VHOST_USER_ACCEPT_MS;
}

int
vio_vhost_user_open(const struct vio_vhost_user_params *params, struct vio_transport **out)
{
	struct vio_vhost_user_params p = *params;
	struct vhost_user *v;
	int ret;

	vio_doorbell_init();
	fill_in_defaults(&p);
	ret = check_params(&p);
	if (ret < 0)
		return ret;
	v = allocate(&p);
	if (v == NULL) {
		vio_err("%s: no memory for a vhost-user connection", p.path);
		return -ENOMEM;
	}
	ret = make_eventfds(v);
	if (ret == 0)
		ret = reach_peer(v);
	if (ret == 0)
		ret = begin_session(v);
	if (ret < 0) {
		vio_vu_close(&v->base);
		return ret;
	}
	*out = &v->base;
	return 0;
}
