/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive interrupts: an application sleeps on a file descriptor of a queue, by EAL's epoll, until
 * the device has used a buffer. Over PCI it is the eventfd of an MSI-X vector, one for each queue;
 * over vhost-user the call eventfd.
 *
 * None is lost: what was used before the device knew that it is to notify comes without a
 * notification, so arming a queue looks at the ring once more, and signals the descriptor itself
 * where something waits (spec 2.7.7.1, 2.8.21.1).
 */
#include <errno.h>

#include <rte_interrupts.h>

#include "virtio/doorbell.h"
#include "log.h"
#include "port.h"
#include "refuse.h"
#include "rx.h"

static bool
is_on(const struct vio_port *port)
{
	return port->intr != NULL && rte_intr_dp_is_en(port->intr);
}

static bool
is_asked_for(const struct vio_port *port)
{
	return port->dev->data->dev_conf.intr_conf.rxq && port->dev->data->nb_rx_queues > 0;
}

/* A shared vector would wake one of the threads that sleep on it, and not the other: EAL has one
 * place for each. */
static int
check_vectors(const struct vio_port *port)
{
	uint16_t queues = port->dev->data->nb_rx_queues;
	unsigned needed = queues + RTE_INTR_VEC_RXTX_OFFSET;

	if (!rte_intr_cap_multiple(port->intr)) {
		PORT_LOG(port, ERR,
			 "receive interrupts need MSI-X; bind the device to vfio-pci, or poll "
			 "(intr_conf.rxq = 0)");
		return -ENOTSUP;
	}
	if (needed <= port->vectors)
		return 0;
	PORT_LOG(
		port, ERR,
		"receive interrupts of %u queues need %u MSI-X vectors, the device has %u; give it "
		"more (QEMU: vectors=%u), or use fewer queues",
		queues, needed, port->vectors, needed);
	return -ENOTSUP;
}

int
vio_rx_intr_check(const struct vio_port *port)
{
	if (!is_asked_for(port))
		return 0;
	if (port->intr == NULL || port->dev->data->nb_rx_queues > RTE_MAX_RXTX_INTR_VEC_ID) {
		PORT_LOG(port, ERR,
			 "receive interrupts are not to be had for %u queues; at most %u",
			 port->dev->data->nb_rx_queues, RTE_MAX_RXTX_INTR_VEC_ID);
		return -ENOTSUP;
	}
	return port->intr_is_socket ? 0 : check_vectors(port);
}

/*
 * The eventfds are the transport's, and stay open: with as many interrupts as descriptors, EAL
 * closes none. Nor is it to read them: the peer could have read before, and EAL would try for ever.
 * It sleeps on edges, of which each signal is one, whatever the counter says.
 */
static int
take_call_fds(struct vio_port *port, uint16_t queues)
{
	int ret = rte_intr_efd_counter_size_set(port->intr, 0);
	struct vio_transport *t = port->transport;

	for (uint16_t i = 0; i < queues && ret == 0; i++) {
		int fd = t->ops->queue_event_fd(t, VIO_NET_RXQ(i));

		ret = fd < 0 ? -ENODEV : rte_intr_efds_index_set(port->intr, i, fd);
	}
	if (ret == 0)
		ret = rte_intr_nb_efd_set(port->intr, queues);
	if (ret == 0)
		ret = rte_intr_max_intr_set(port->intr, queues);
	return ret;
}

/* Which descriptor is whose. */
static int
list_vectors(struct vio_port *port, uint16_t queues)
{
	int ret = rte_intr_vec_list_alloc(port->intr, "vio_rx_intr", queues);

	for (uint16_t i = 0; i < queues && ret == 0; i++)
		ret = rte_intr_vec_list_index_set(port->intr, i, i + RTE_INTR_VEC_RXTX_OFFSET);
	return ret;
}

int
vio_rx_intr_start(struct vio_port *port)
{
	uint16_t queues = port->dev->data->nb_rx_queues;
	int ret;

	if (!is_asked_for(port) || is_on(port))
		return 0;
	if (port->intr_is_socket)
		ret = take_call_fds(port, queues);
	else
		ret = rte_intr_efd_enable(port->intr, queues);
	if (ret == 0)
		ret = list_vectors(port, queues);
	if (ret < 0) {
		PORT_LOG(port, ERR, "receive interrupts cannot be set up: %s; poll instead",
			 strerror(-ret));
		vio_rx_intr_stop(port);
	}
	return ret;
}

void
vio_rx_intr_stop(struct vio_port *port)
{
	if (!is_on(port))
		return;
	rte_intr_efd_disable(port->intr);
	rte_intr_vec_list_free(port->intr);
}

uint16_t
vio_rx_intr_vector(const struct vio_port *port, uint16_t queue)
{
	if (port->intr_is_socket || !is_on(port))
		return VIO_NO_VECTOR;
	return queue + RTE_INTR_VEC_RXTX_OFFSET;
}

/* As the device would: whoever sleeps on the queue looks at it. */
static void
wake(const struct vio_rxq *q)
{
	vio_doorbell_ring(rte_intr_efds_index_get(q->port->intr, q->id));
}

int
vio_rx_queue_intr_enable(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_rxq *q = dev->data->rx_queues[id];

	if (!is_on(q->port))
		return vio_refuse(dev, VIO_NO_RX_INTR);
	__atomic_store_n(&q->armed, true, __ATOMIC_SEQ_CST);
	if (vio_rx_arm(q))
		wake(q);
	return 0;
}

int
vio_rx_queue_intr_disable(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_rxq *q = dev->data->rx_queues[id];

	if (!is_on(q->port))
		return vio_refuse(dev, VIO_NO_RX_INTR);
	__atomic_store_n(&q->armed, false, __ATOMIC_RELAXED);
	vio_rx_disarm(q);
	return 0;
}

void
vio_rx_intr_wake(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	if (!is_on(port))
		return;
	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		if (__atomic_load_n(&q->armed, __ATOMIC_SEQ_CST))
			wake(q);
	}
}
