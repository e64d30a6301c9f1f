/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl.h"

#include <errno.h>

#include <rte_cycles.h>

#include "deadline.h"
#include "log.h"
#include "port.h"

/* A command as the device sees it (spec 5.1.6.5): header and data to read, ack and result to write.
 */
struct command {
	struct vio_net_ctrl_hdr hdr;
	uint8_t data[VIO_CTRL_DATA_MAX];
	uint8_t ack;
	uint8_t result[VIO_CTRL_RESULT_MAX];
};

uint16_t
vio_ctrl_index(const struct vio_port *port)
{
	bool mq = vio_has(port->features, VIRTIO_NET_F_MQ) ||
		  vio_has(port->features, VIRTIO_NET_F_RSS);

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
	ret = vio_ring_size(port, index, RTE_MIN(size, VIO_CTRL_SIZE), &size);
	if (ret < 0)
		return ret;
	return vio_ring_alloc(&port->ctrl.ring, port, name, size, sizeof(struct command), false,
			      port->dev->data->numa_node);
}

int
vio_ctrl_start(struct vio_port *port)
{
	uint16_t index = vio_ctrl_index(port);
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

/* One element for each part, as the legacy interface demands (spec 5.1.6.6). */
static int
add_command(struct vio_port *port, const struct vio_ctrl_command *c)
{
	struct vio_ring *ring = &port->ctrl.ring;
	struct vq_areas areas;
	struct vq_sg sg[5];
	uint16_t out = 0, in = 0;
	uint64_t iova;

	vq_get_areas(ring->vq, &areas);
	iova = areas.desc_iova + ring->hdrs_at;
	sg[out++] = (struct vq_sg){ iova, sizeof(struct vio_net_ctrl_hdr) };
	iova += offsetof(struct command, data);
	if (c->cut > 0)
		sg[out++] = (struct vq_sg){ iova, c->cut };
	if (c->len > c->cut)
		sg[out++] = (struct vq_sg){ iova + c->cut, c->len - c->cut };
	iova += offsetof(struct command, ack) - offsetof(struct command, data);
	sg[out + in++] = (struct vq_sg){ iova, sizeof(uint8_t) };
	if (c->result_len > 0)
		sg[out + in++] = (struct vq_sg){ iova + 1, c->result_len };
	return vq_add(ring->vq, sg, out, in, ring);
}

void
vio_ctrl_begin_many(struct vio_port *port)
{
	port->ctrl.many_end = vio_deadline(VIO_MANY * port->args.timeout_ms);
}

void
vio_ctrl_end_many(struct vio_port *port)
{
	port->ctrl.many_end = 0;
}

/* The command was not answered in time, or not as commands are. */
static int
give_up(struct vio_port *port, const char *what, bool by_itself)
{
	enum vq_error error = vq_error(port->ctrl.ring.vq);

	port->ctrl.broken = true;
	if (by_itself || error != VQ_OK)
		PORT_LOG(port, ERR, "%s: the control queue gave no answer in %u ms (%s)", what,
			 port->args.timeout_ms, vq_error_text(error));
	else
		PORT_LOG(port, ERR,
			 "%s: the device took %u ms over this and the commands before it", what,
			 VIO_MANY * port->args.timeout_ms);
	vio_recover_notice(port, VIO_CAUSE_CONTROL);
	return -ETIMEDOUT;
}

/* Waits until the device has used the command, at most args.timeout_ms. */
static int
wait_used(struct vio_port *port, const char *what)
{
	struct vq *vq = port->ctrl.ring.vq;
	uint64_t alone = vio_deadline(port->args.timeout_ms), many = port->ctrl.many_end;
	uint64_t end = many != 0 && many < alone ? many : alone;
	void *cookie;
	bool late;

	do {
		late = rte_get_timer_cycles() >= end;
		if (vq_get(vq, &cookie, NULL, 1) == 1)
			return 0;
		rte_delay_us_sleep(10);
	} while (vq_error(vq) == VQ_OK && !late);
	return give_up(port, what, end == alone);
}

/* Fills the shared memory, hands it over, and waits until it is back. */
static int
exchange(struct vio_port *port, const struct vio_ctrl_command *c, struct command *command)
{
	struct vio_ring *ring = &port->ctrl.ring;
	int ret;

	command->hdr.class = c->class;
	command->hdr.command = c->command;
	if (c->len > 0)
		memcpy(command->data, c->data, c->len);
	command->ack = VIO_NET_CTRL_ERR;
	memset(command->result, 0, c->result_len);
	ret = add_command(port, c);
	if (ret < 0)
		return ret;
	vq_publish(ring->vq);
	if (vq_kick_prepare(ring->vq))
		ring->notifier.kick(&ring->notifier, vq_notify_data(ring->vq));
	return wait_used(port, c->what);
}

int
vio_ctrl_run(struct vio_port *port, const struct vio_ctrl_command *c)
{
	struct command *command;
	uint8_t ack;
	int ret;

	if (!port->ctrl.live)
		return -ENOTSUP;
	if (port->ctrl.broken)
		return -ETIMEDOUT;
	if (c->len > VIO_CTRL_DATA_MAX || c->result_len > VIO_CTRL_RESULT_MAX || c->cut > c->len)
		return -EINVAL;
	command = RTE_PTR_ADD(port->ctrl.ring.mz->addr, port->ctrl.ring.hdrs_at);
	ret = exchange(port, c, command);
	if (ret < 0)
		return ret;
	ack = *(volatile uint8_t *)&command->ack;
	if (ack != VIO_NET_CTRL_OK) {
		if (c->told == NULL || !*c->told)
			PORT_LOG(port, ERR, "%s: the device refused (ack %u)", c->what, ack);
		if (c->told != NULL)
			*c->told = true;
		return -EIO;
	}
	if (c->result_len > 0)
		memcpy(c->result, command->result, c->result_len);
	return 0;
}

int
vio_ctrl_send(struct vio_port *port, const char *what, uint8_t class, uint8_t command,
	      const void *data, uint16_t len)
{
	const struct vio_ctrl_command c = {
		.what = what,
		.class = class,
		.command = command,
		.data = data,
		.len = len,
	};

	return vio_ctrl_run(port, &c);
}
