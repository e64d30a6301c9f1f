/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user_front.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "features.h"
#include "log.h"
#include "vhost_user_socket.h"

#define QUEUE_SIZE_MAX 32768

/* The protocol features that this front-end makes use of. */
enum {
	PROTOCOL_F_MQ = 1 << 0,
	PROTOCOL_F_REPLY_ACK = 1 << 3,
	PROTOCOL_F_NET_MTU = 1 << 4,
	PROTOCOL_F_RESET_DEVICE = 1 << 13,
	PROTOCOL_F_STATUS = 1 << 16,
	PROTOCOL_F_USED = PROTOCOL_F_MQ | PROTOCOL_F_REPLY_ACK | PROTOCOL_F_NET_MTU |
			  PROTOCOL_F_RESET_DEVICE | PROTOCOL_F_STATUS,
};

int
vio_vu_enter(struct vhost_user *v)
{
	pthread_mutex_lock(&v->lock);
	if (!v->channel.dead)
		return 0;
	pthread_mutex_unlock(&v->lock);
	return -ENODEV;
}

int
vio_vu_leave(struct vhost_user *v, int ret)
{
	pthread_mutex_unlock(&v->lock);
	return ret;
}

static int
tell_u64(struct vhost_user *v, enum vio_vu_request request, uint64_t value)
{
	struct vio_vu_msg msg = { .request = request, .size = sizeof(uint64_t) };

	msg.payload.u64 = value;
	return vio_vu_tell(&v->channel, &msg, NULL, 0);
}

static int
tell_nothing(struct vhost_user *v, enum vio_vu_request request)
{
	struct vio_vu_msg msg = { .request = request };

	return vio_vu_tell(&v->channel, &msg, NULL, 0);
}

static int
ask_u64(struct vhost_user *v, enum vio_vu_request request, uint64_t *value)
{
	struct vio_vu_msg msg = { .request = request };
	int ret = vio_vu_ask(&v->channel, &msg);

	*value = ret < 0 ? 0 : msg.payload.u64;
	return ret;
}

int
vio_vu_nonsense(struct vhost_user *v, enum vio_vu_request request, uint64_t value)
{
	vio_err("%s: the vhost-user back-end answered %s with 0x%" PRIx64 ", which makes no sense",
		v->base.name, vio_vu_request_name(request), value);
	return vio_vu_give_up(&v->channel, -EPROTO);
}

/* Memory */

static int
tell_memory(struct vhost_user *v, const struct vio_vu_table *table)
{
	struct vio_vu_msg msg = { .request = VU_SET_MEM_TABLE };
	int fds[VIO_VHOST_USER_REGIONS_MAX];

	msg.payload.memory.count = table->count;
	msg.size = 8 + table->count * sizeof(struct vio_vu_region);
	for (unsigned i = 0; i < table->count; i++) {
		const struct vio_mem_region *r = &table->regions[i];

		fds[i] = r->fd;
		msg.payload.memory.regions[i] = (struct vio_vu_region){
			.guest_addr = r->iova,
			.size = r->size,
			.user_addr = (uint64_t)(uintptr_t)r->addr,
			.mmap_offset = r->fd_offset,
		};
	}
	return vio_vu_tell(&v->channel, &msg, fds, table->count);
}

int
vio_vhost_user_set_memory(struct vio_transport *t, const struct vio_mem_region *pieces,
			  unsigned count)
{
	struct vhost_user *v = vio_vu_of(t);
	struct vio_vu_table table;
	int ret;

	ret = vio_vu_table_make(&table, pieces, count, t->name);
	if (ret < 0)
		return ret;
	ret = vio_vu_enter(v);
	if (ret < 0)
		return ret;
	ret = tell_memory(v, &table);
	if (ret == 0)
		v->table = table;
	return vio_vu_leave(v, ret);
}

/* The device as a whole */

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	struct vhost_user *v = vio_vu_of(t);
	uint64_t value;
	int ret = vio_vu_enter(v);

	*status = 0;
	if (ret < 0)
		return ret;
	value = v->status;
	if (v->protocol & PROTOCOL_F_STATUS) {
		ret = ask_u64(v, VU_GET_STATUS, &value);
		if (ret == 0 && value > UINT8_MAX)
			ret = vio_vu_nonsense(v, VU_GET_STATUS, value);
	} else {
		/* There is nothing to ask, but whether anybody is there can be seen. */
		ret = vio_vu_check(&v->channel);
	}
	if (ret == 0)
		*status = (uint8_t)value;
	return vio_vu_leave(v, ret);
}

/* After it the back-end holds no buffer, whether it knows of status or not. */
static int
reset(struct vhost_user *v)
{
	int ret = vio_vu_stop_queues(v);

	if (ret < 0)
		return ret;
	if (v->protocol & PROTOCOL_F_STATUS)
		return tell_u64(v, VU_SET_STATUS, 0);
	if (v->protocol & PROTOCOL_F_RESET_DEVICE)
		return tell_nothing(v, VU_RESET_DEVICE);
	return 0;
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	if (ret < 0)
		return ret;
	if (status == 0)
		ret = reset(v);
	else if (v->protocol & PROTOCOL_F_STATUS)
		ret = tell_u64(v, VU_SET_STATUS, status);
	if (ret == 0)
		v->status = status;
	return vio_vu_leave(v, ret);
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	*features = 0;
	if (ret < 0)
		return ret;
	*features = v->config.offered;
	return vio_vu_leave(v, 0);
}

static int
set_features(struct vio_transport *t, uint64_t features)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	if (ret < 0)
		return ret;
	if (features & ~v->config.offered)
		return vio_vu_leave(v, -EINVAL);
	v->features = (features & ~v->config.own) | (v->backend_features & F_PROTOCOL_FEATURES);
	ret = tell_u64(v, VU_SET_FEATURES, v->features);
	if (ret == 0 && vio_has(features, VIRTIO_NET_F_MTU) && (v->protocol & PROTOCOL_F_NET_MTU))
		ret = tell_u64(v, VU_NET_SET_MTU, v->mtu);
	return vio_vu_leave(v, ret);
}

static int
get_generation(struct vio_transport *t, uint32_t *generation)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	*generation = 0;
	return ret < 0 ? ret : vio_vu_leave(v, 0);
}

/* The space says that the link is up; a peer found gone here is link down: -ENODEV. */
static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	if (ret < 0)
		return ret;
	ret = vio_vu_check(&v->channel);
	if (ret == 0)
		ret = vio_vu_config_read(&v->config, offset, buf, len);
	return vio_vu_leave(v, ret);
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	if (ret < 0)
		return ret;
	return vio_vu_leave(v, vio_vu_config_write(&v->config, offset, buf, len));
}

static int
config_vector(struct vio_transport *t, uint16_t vector)
{
	(void)t;
	return vector == VIO_NO_VECTOR ? 0 : -EBUSY;
}

static int
event_fd(struct vio_transport *t)
{
	return vio_vu_of(t)->channel.fd;
}

static int
service(struct vio_transport *t)
{
	struct vhost_user *v = vio_vu_of(t);
	int ret = vio_vu_enter(v);

	return ret < 0 ? ret : vio_vu_leave(v, vio_vu_check(&v->channel));
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void
close_vhost_user(struct vio_transport *t)
{
	struct vhost_user *v = vio_vu_of(t);

	for (unsigned i = 0; i < v->n_queues; i++) {
		close_fd(v->queues[i].kick_fd);
		close_fd(v->queues[i].call_fd);
	}
	close_fd(v->channel.fd);
	if (v->listen_fd >= 0) {
		close(v->listen_fd);
		unlink(v->path);
	}
	pthread_mutex_destroy(&v->lock);
	free(v->path);
	free(v);
}

static const struct vio_transport_ops vhost_user_ops = {
	.name = "vhost-user",
	.filters_nothing = true,
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_generation = get_generation,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max_size = vio_vu_queue_max_size,
	.queue_setup = vio_vu_queue_setup,
	.set_queue_pairs = vio_vu_set_queue_pairs,
	.queue_reset = vio_vu_queue_reset,
	.config_vector = config_vector,
	.event_fd = event_fd,
	.service = service,
	.queue_event_fd = vio_vu_queue_event_fd,
	.queue_kick_fd = vio_vu_queue_kick_fd,
	.close = close_vhost_user,
};

/* Opening */

static int
check_queue_pairs(struct vhost_user *v, uint16_t asked)
{
	uint64_t has = 1;
	int ret = 0;

	if (asked == 1)
		return 0;
	if ((v->protocol & PROTOCOL_F_MQ) && vio_has(v->backend_features, VIRTIO_NET_F_MQ))
		ret = ask_u64(v, VU_GET_QUEUE_NUM, &has);
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
	ret = ask_u64(v, VU_GET_PROTOCOL_FEATURES, &v->protocol);
	if (ret < 0)
		return ret;
	v->protocol &= PROTOCOL_F_USED;
	ret = tell_u64(v, VU_SET_PROTOCOL_FEATURES, v->protocol);
	v->channel.reply_ack = v->protocol & PROTOCOL_F_REPLY_ACK;
	return ret;
}

static int
begin_session(struct vhost_user *v)
{
	int ret;

	ret = tell_nothing(v, VU_SET_OWNER);
	if (ret == 0)
		ret = ask_u64(v, VU_GET_FEATURES, &v->backend_features);
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

/* A transport without connection, which close_vhost_user() can take apart at any point. */
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
	v->base = (struct vio_transport){ .ops = &vhost_user_ops,
					  .name = v->path,
					  .timeout_ms = params->timeout_ms };
	v->channel = (struct vio_vu_channel){ .fd = -1,
					      .name = v->path,
					      .timeout_ms = &v->base.timeout_ms };
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
		close_vhost_user(&v->base);
		return ret;
	}
	*out = &v->base;
	return 0;
}
