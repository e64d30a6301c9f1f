/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl.h"

#include <errno.h>

#include <rte_cycles.h>

#include "log.h"
#include "port.h"

/* A command as the device sees it (spec 5.1.6.5): header and data to read, ack to write. */
struct command {
	struct vio_net_ctrl_hdr hdr;
	uint8_t data[VIO_CTRL_DATA_MAX];
	uint8_t ack;
};

/* Its queue is the one after the last pair that the device could have, used or not (spec 5.1.2). */
static uint16_t
ctrl_index(const struct vio_port *port)
{
	bool mq = vio_has(port->features, VIRTIO_NET_F_MQ);

	return 2 * (mq ? port->config.max_virtqueue_pairs : 1);
}

static int
ctrl_alloc(struct vio_port *port, uint16_t index)
{
	struct vio_transport *t = port->transport;
	char name[RTE_MEMZONE_NAMESIZE];
	uint16_t size;
	int ret;

	ret = t->ops->queue_max_size(t, index, &size);
	if (ret < 0)
		return ret;
	if (size == 0) {
		PORT_LOG(port, ERR, "offers CTRL_VQ, but has no queue %u", index);
		return -EPROTO;
	}
	snprintf(name, sizeof(name), "vio_p%u_ctrl", port->dev->data->port_id);
	return vio_ring_alloc(&port->ctrl.ring, port, name, RTE_MIN(size, VIO_CTRL_SIZE),
			      sizeof(struct command), false, port->dev->data->numa_node);
}

int
vio_ctrl_start(struct vio_port *port)
{
	uint16_t index = ctrl_index(port);
	int ret;

	port->ctrl.live = false;
	port->ctrl.broken = false;
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_VQ))
		return 0;
	ret = ctrl_alloc(port, index);
	if (ret == 0)
		ret = vio_ring_start(&port->ctrl.ring, port, index, VIO_NO_VECTOR);
	port->ctrl.live = ret == 0;
	return ret;
}

void
vio_ctrl_stop(struct vio_port *port)
{
	port->ctrl.live = false;
	port->ctrl.ring.vq = NULL; /* a command that was never answered has nothing to free */
	if (port->ctrl.ring.mz != NULL)
		vio_ring_release(&port->ctrl.ring, port);
}

static int
add_command(struct vio_port *port, const struct command *command, uint16_t len)
{
	struct vio_ring *ring = &port->ctrl.ring;
	struct vq_areas areas;
	uint64_t iova;
	struct vq_sg sg[3];

	vq_get_areas(ring->vq, &areas);
	iova = areas.desc_iova + ring->hdrs_at;
	sg[0] = (struct vq_sg){ iova + offsetof(struct command, hdr), sizeof(command->hdr) };
	sg[1] = (struct vq_sg){ iova + offsetof(struct command, data), len };
	sg[2] = (struct vq_sg){ iova + offsetof(struct command, ack), sizeof(command->ack) };
	return vq_add(ring->vq, sg, 2, 1, ring);
}

/* Waits until the device has used the command, at most args.timeout_ms. */
static int
wait_used(struct vio_port *port, const char *what)
{
	struct vq *vq = port->ctrl.ring.vq;
	uint64_t end = rte_get_timer_cycles() +
		       (uint64_t)port->args.timeout_ms * rte_get_timer_hz() / 1000;
	void *cookie;
	bool late;

	do {
		late = rte_get_timer_cycles() >= end;
		if (vq_get(vq, &cookie, NULL, 1) == 1)
			return 0;
		rte_delay_us_sleep(10);
	} while (vq_error(vq) == VQ_OK && !late);
	port->ctrl.broken = true;
	PORT_LOG(port, ERR, "%s: the control queue gave no answer in %u ms (%s); restart the port",
		 what, port->args.timeout_ms, vq_error_text(vq_error(vq)));
	return -ETIMEDOUT;
}

int
vio_ctrl_send(struct vio_port *port, const char *what, uint8_t class, uint8_t command_id,
	      const void *data, uint16_t len)
{
	struct vio_ring *ring = &port->ctrl.ring;
	struct command *command;
	uint8_t ack;
	int ret;

	if (!port->ctrl.live)
		return -ENOTSUP;
	if (port->ctrl.broken)
		return -ETIMEDOUT;
	if (len == 0 || len > VIO_CTRL_DATA_MAX)
		return -EINVAL;
	command = RTE_PTR_ADD(ring->mz->addr, ring->hdrs_at);
	command->hdr.class = class;
	command->hdr.command = command_id;
	memcpy(command->data, data, len);
	command->ack = VIO_NET_CTRL_ERR;
	ret = add_command(port, command, len);
	if (ret < 0)
		return ret;
	vq_publish(ring->vq);
	if (vq_kick_prepare(ring->vq))
		ring->notifier.kick(&ring->notifier, vq_notify_data(ring->vq));
	ret = wait_used(port, what);
	if (ret < 0)
		return ret;
	ack = *(volatile uint8_t *)&command->ack;
	if (ack == VIO_NET_CTRL_OK)
		return 0;
	PORT_LOG(port, ERR, "%s: the device refused (ack %u)", what, ack);
	return -EIO;
}
