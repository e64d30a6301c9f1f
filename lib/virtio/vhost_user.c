/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user back-end as a transport: the device as a whole, and its memory. */
#include "vhost_user_front.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "features.h"
#include "log.h"

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

int
vio_vu_tell_u64(struct vhost_user *v, enum vio_vu_request request, uint64_t value)
{
	struct vio_vu_msg msg = { .request = request, .size = sizeof(uint64_t) };

	msg.payload.u64 = value;
	return vio_vu_tell(&v->channel, &msg, NULL, 0);
}

int
vio_vu_tell_nothing(struct vhost_user *v, enum vio_vu_request request)
{
	struct vio_vu_msg msg = { .request = request };

	return vio_vu_tell(&v->channel, &msg, NULL, 0);
}

int
vio_vu_ask_u64(struct vhost_user *v, enum vio_vu_request request, uint64_t *value)
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
		ret = vio_vu_ask_u64(v, VU_GET_STATUS, &value);
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
		return vio_vu_tell_u64(v, VU_SET_STATUS, 0);
	if (v->protocol & PROTOCOL_F_RESET_DEVICE)
		return vio_vu_tell_nothing(v, VU_RESET_DEVICE);
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
		ret = vio_vu_tell_u64(v, VU_SET_STATUS, status);
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
	ret = vio_vu_tell_u64(v, VU_SET_FEATURES, v->features);
	if (ret == 0 && vio_has(features, VIRTIO_NET_F_MTU) && (v->protocol & PROTOCOL_F_NET_MTU))
		ret = vio_vu_tell_u64(v, VU_NET_SET_MTU, v->mtu);
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

void
vio_vu_close(struct vio_transport *t)
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

const struct vio_transport_ops vio_vu_ops = {
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
	.close = vio_vu_close,
};
