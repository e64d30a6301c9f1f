/* SPDX-License-Identifier: BSD-3-Clause */
/* What each message means, as an honest back-end does it. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "server.h"
#include "virtio/transport.h"

#define F_PROTOCOL_FEATURES (UINT64_C(1) << 30)

enum {
	PROTOCOL_MQ = 1 << 0,
	PROTOCOL_REPLY_ACK = 1 << 3,
	PROTOCOL_STATUS = 1 << 16,
	PROTOCOL = PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_STATUS,
};

/* --- memory ----------------------------------------------------------------------------------- */

/* What a table replaces stays mapped until the connection ends, as queues may still stand in it; it
 * is the same memory. */
static void
map_region(struct server *s, const struct vio_vu_region *r, int fd)
{
	struct mapping *m = &s->maps[s->map_count];
	struct stat st;
	uint64_t bytes = r->size + r->mmap_offset, unit;
	void *map;

	if (s->map_count == MAPS_MAX || fstat(fd, &st) < 0)
		return;
	unit = (uint64_t)st.st_blksize; /* a file of huge pages is mapped by whole ones */
	bytes = (bytes + unit - 1) / unit * unit;
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		perror("hostile: mmap");
		return;
	}
	*m = (struct mapping){
		.guest = r->guest_addr,
		.user = r->user_addr,
		.bytes = r->size,
		.at = (char *)map + r->mmap_offset,
		.map = map,
		.map_bytes = bytes,
	};
	device_memory_add(s->dev, m->at, m->guest, m->bytes);
	s->map_count++;
}

static bool
set_mem_table(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	struct vio_vu_memory table;

	memcpy(&table, &msg->payload.memory, sizeof(table));
	device_memory_clear(s->dev);
	s->first_map = s->map_count;
	for (unsigned i = 0; i < table.count && i < n_fds; i++)
		map_region(s, &table.regions[i], fds[i]);
	return false;
}

static void
unmap_all(struct server *s)
{
	for (unsigned i = 0; i < s->map_count; i++)
		munmap(s->maps[i].map, s->maps[i].map_bytes);
	s->map_count = s->first_map = 0;
}

/* Rings are told by the driver's own addresses, descriptors by the table's. */
static uint64_t
guest_address(const struct server *s, uint64_t user)
{
	for (unsigned i = s->first_map; i < s->map_count; i++)
		if (user - s->maps[i].user < s->maps[i].bytes)
			return user - s->maps[i].user + s->maps[i].guest;
	return UINT64_MAX;
}

/* --- queues ----------------------------------------------------------------------------------- */

/* The model wants the steps of spec 3.1.1, of which a vhost-user driver need not tell. */
static void
bring_up_device(struct server *s)
{
	struct vio_transport *t = device_transport(s->dev);
	uint8_t status;

	if (device_status(s->dev) & DEVICE_S_DRIVER_OK)
		return;
	t->ops->set_status(t, 0);
	t->ops->get_status(t, &status);
	t->ops->set_status(t, 1);
	t->ops->set_status(t, 3);
	t->ops->set_features(t, s->driver_features);
	t->ops->set_status(t, 11);
	t->ops->get_status(t, &status);
	t->ops->set_status(t, 15);
	/* Steps of its own, and queues that come after DRIVER_OK, are no faults of the driver's. */
	device_faults_clear(s->dev);
}

static void
start_when_ready(struct server *s, unsigned queue)
{
	struct vring *v = &s->vrings[queue];
	struct vio_transport *t = device_transport(s->dev);
	struct vio_queue_conf conf = { .size = (uint16_t)v->size, .vector = VIO_NO_VECTOR };
	struct vio_notifier bell;

	if (!v->has_addr || !v->has_kick || !v->enabled ||
	    device_queue_enabled(s->dev, (uint16_t)queue))
		return;
	bring_up_device(s);
	conf.desc_iova = guest_address(s, v->addr.desc);
	conf.driver_iova = guest_address(s, v->addr.avail);
	conf.device_iova = guest_address(s, v->addr.used);
	if (t->ops->queue_setup(t, (uint16_t)queue, &conf, &bell) < 0) {
		device_faults_print(s->dev, stderr);
		return;
	}
	device_faults_clear(s->dev);
	device_want_kicks(s->dev, (uint16_t)queue, DEVICE_KICK_NEVER, 0);
	v->interrupts = 0;
	s->starts++;
	report("queue", "{s:i, s:i}", "queue", (int)queue, "size", (int)v->size);
}

static void
close_call(struct vring *v)
{
	if (v->call_fd >= 0)
		close(v->call_fd);
	v->call_fd = -1;
}

static void
stop_queue(struct server *s, unsigned queue)
{
	if (device_queue_enabled(s->dev, (uint16_t)queue))
		report("queue stopped", "{s:i}", "queue", (int)queue);
	device_queue_stop(s->dev, (uint16_t)queue);
	s->vrings[queue].has_kick = false;
}

/* After the last one the device is as after power on. */
static void
reset_when_idle(struct server *s)
{
	struct vio_transport *t = device_transport(s->dev);
	uint8_t status;

	for (unsigned i = 0; i < 2 * s->pairs; i++)
		if (device_queue_enabled(s->dev, (uint16_t)i))
			return;
	t->ops->set_status(t, 0);
	t->ops->get_status(t, &status);
}

void
message_reset(struct server *s)
{
	device_free(s->dev);
	s->dev = NULL;
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		close_call(&s->vrings[i]);
	unmap_all(s);
	s->driver_features = s->protocol = 0;
	s->status = 0;
}

bool
server_live(const struct server *s)
{
	if (s->fd < 0 || s->silent || !(device_status(s->dev) & DEVICE_S_DRIVER_OK))
		return false;
	return !(s->protocol & PROTOCOL_STATUS) || (s->status & DEVICE_S_DRIVER_OK);
}

/* --- messages: true where msg is an answer now -------------------------------------------------
 */

static bool
give(struct vio_vu_msg *msg, uint64_t value)
{
	msg->payload.u64 = value;
	msg->size = sizeof(uint64_t);
	return true;
}

static bool
get_features(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	return give(msg, s->features | F_PROTOCOL_FEATURES);
}

static bool
set_features(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	s->driver_features = msg->payload.u64 & ~F_PROTOCOL_FEATURES;
	report("features", "{s:I}", "features", (long long)s->driver_features);
	return false;
}

static bool
get_protocol(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)s;
	(void)fds;
	(void)n_fds;
	return give(msg, PROTOCOL);
}

static bool
set_protocol(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	s->protocol = msg->payload.u64;
	return false;
}

static bool
get_queue_num(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	return give(msg, s->pairs);
}

static bool
set_vring_num(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	s->vrings[msg->payload.state.index].size = msg->payload.state.num;
	return false;
}

static bool
set_vring_addr(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	struct vring *v = &s->vrings[msg->payload.addr.index];

	(void)fds;
	(void)n_fds;
	v->addr = msg->payload.addr;
	v->has_addr = true;
	return false;
}

static bool
get_vring_base(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	unsigned queue = msg->payload.state.index;

	(void)fds;
	(void)n_fds;
	msg->payload.state.num = device_queue_base(s->dev, (uint16_t)queue);
	stop_queue(s, queue);
	reset_when_idle(s);
	return true;
}

static bool
set_vring_kick(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	unsigned queue = msg->payload.u64 & 0xff;

	(void)fds;
	(void)n_fds;
	if (queue >= 2 * s->pairs)
		return false;
	s->vrings[queue].has_kick = true; /* polled: nobody needs to knock */
	start_when_ready(s, queue);
	return false;
}

static bool
set_vring_call(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	unsigned queue = msg->payload.u64 & 0xff;

	if (queue >= 2 * s->pairs)
		return false;
	close_call(&s->vrings[queue]);
	if (n_fds > 0)
		s->vrings[queue].call_fd = dup(fds[0]);
	return false;
}

static bool
set_vring_enable(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	unsigned queue = msg->payload.state.index;

	(void)fds;
	(void)n_fds;
	s->vrings[queue].enabled = msg->payload.state.num;
	start_when_ready(s, queue);
	return false;
}

static bool
set_status(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	s->status = (uint8_t)msg->payload.u64;
	return false;
}

static bool
get_status(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	(void)fds;
	(void)n_fds;
	return give(msg, s->status);
}

/* names_queue: the payload begins with a queue's index. */
static const struct handler {
	bool (*handle)(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds);
	bool names_queue;
} handlers[] = {
	[VU_GET_FEATURES] = { get_features, false },
	[VU_SET_FEATURES] = { set_features, false },
	[VU_SET_MEM_TABLE] = { set_mem_table, false },
	[VU_SET_VRING_NUM] = { set_vring_num, true },
	[VU_SET_VRING_ADDR] = { set_vring_addr, true },
	[VU_GET_VRING_BASE] = { get_vring_base, true },
	[VU_SET_VRING_KICK] = { set_vring_kick, false },
	[VU_SET_VRING_CALL] = { set_vring_call, false },
	[VU_GET_PROTOCOL_FEATURES] = { get_protocol, false },
	[VU_SET_PROTOCOL_FEATURES] = { set_protocol, false },
	[VU_GET_QUEUE_NUM] = { get_queue_num, false },
	[VU_SET_VRING_ENABLE] = { set_vring_enable, true },
	[VU_SET_STATUS] = { set_status, false },
	[VU_GET_STATUS] = { get_status, false },
};

bool
message_handle(struct server *s, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	const struct handler *h = msg->request < sizeof(handlers) / sizeof(handlers[0])
					  ? &handlers[msg->request]
					  : NULL;
	bool has_answer = false;

	if (h != NULL && h->handle != NULL &&
	    (!h->names_queue || msg->payload.state.index < 2 * s->pairs))
		has_answer = h->handle(s, msg, fds, n_fds);
	for (unsigned i = 0; i < n_fds; i++)
		close(fds[i]);
	return has_answer;
}
