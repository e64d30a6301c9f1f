/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device says by itself: its configuration has changed, or it has gone. */
#include <errno.h>

#include <rte_interrupts.h>

#include "log.h"
#include "port.h"

/* MSI-X vectors: EAL sets up the first one for events that are no queue's. */
#define CONFIG_VECTOR 0

static void
tell_link(struct vio_port *port)
{
	if (vio_link_update(port->dev, 1) == 0)
		rte_eth_dev_callback_process(port->dev, RTE_ETH_EVENT_INTR_LSC, NULL);
}

/* Without MSI-X (uio_pci_generic) there is a line, which stays up until its cause was read. */
static bool
is_line(const struct vio_port *port)
{
	return !port->intr_is_socket && rte_intr_type_get(port->intr) != RTE_INTR_HANDLE_VFIO_MSIX;
}

static void
lower_line(struct vio_port *port)
{
	struct vio_transport *t = port->transport;
	uint8_t isr;

	if (is_line(port) && t->ops->read_isr != NULL)
		t->ops->read_isr(t, &isr);
}

/* The configuration may have changed: look at the link, and whether the device is still there. */
static void
config_changed(void *arg)
{
	struct vio_port *port = arg;
	int ret;

	pthread_mutex_lock(&port->lock);
	lower_line(port);
	ret = vio_device_needs_reset(&port->device);
	if (ret == -ENODEV)
		vio_recover_notice(port, VIO_CAUSE_UNPLUGGED);
	else if (ret == 1)
		vio_recover_notice(port, VIO_CAUSE_NEEDS_RESET);
	else if (ret < 0)
		PORT_LOG(port, ERR, "the device's status cannot be read: %s", strerror(-ret));
	pthread_mutex_unlock(&port->lock);
	rte_intr_ack(port->intr);
	/* The application may close the port in its callback: nothing may follow. */
	tell_link(port);
}

static void
socket_readable(void *arg)
{
	struct vio_port *port = arg;
	int ret;

	pthread_mutex_lock(&port->lock);
	vio_log_under(&port->recovery.hush);
	ret = port->transport->ops->service(port->transport);
	vio_log_under(NULL);
	if (ret < 0) {
		/* A closed socket stays readable: without this the thread would come back at once.
		 */
		rte_intr_callback_unregister_pending(port->intr, socket_readable, port, NULL);
		vio_recover_notice(port, VIO_CAUSE_PEER);
	}
	pthread_mutex_unlock(&port->lock);
}

static int
start_socket(struct vio_port *port)
{
	int fd = port->transport->ops->event_fd(port->transport);
	int ret;

	if (fd < 0)
		return -ENODEV;
	rte_intr_fd_set(port->intr, fd);
	/* Of this type, EAL reads eventfds that it was woken by, and leaves the socket alone. */
	rte_intr_type_set(port->intr, RTE_INTR_HANDLE_VDEV);
	ret = rte_intr_callback_register(port->intr, socket_readable, port);
	port->intr_on = ret == 0;
	return ret;
}

static int
enable_msix(struct vio_port *port)
{
	int ret = rte_intr_enable(port->intr);

	port->msix_on = ret == 0;
	/* EAL takes VFIO's MSI-X also where there are no vectors. */
	if (ret < 0)
		PORT_LOG(port, ERR,
			 "interrupts cannot be switched on: %s; %srun without link interrupts "
			 "(testpmd: --no-lsc-interrupt)%s",
			 strerror(-ret),
			 port->vectors == 0 ? "the device has no MSI-X: give EAL "
					      "--vfio-intr=legacy, or "
					    : "",
			 port->dev->data->dev_conf.intr_conf.rxq ? " and receive interrupts" : "");
	return ret;
}

/* Before the device's vectors are set: they count only while MSI-X is on. */
static int
start_msix(struct vio_port *port)
{
	bool lsc = port->dev->data->dev_conf.intr_conf.lsc;
	/* Of no handle EAL says an error, which is not false. */
	bool queues = port->intr != NULL && rte_intr_dp_is_en(port->intr) > 0;
	struct vio_transport *t = port->transport;
	int ret = 0;

	if (lsc && !port->intr_on) {
		ret = rte_intr_callback_register(port->intr, config_changed, port);
		port->intr_on = ret == 0;
	}
	if (ret == 0 && !port->msix_on && (lsc || queues))
		ret = enable_msix(port);
	if (ret < 0)
		return ret;
	return t->ops->config_vector(t, lsc && !is_line(port) ? CONFIG_VECTOR : VIO_NO_VECTOR);
}

int
vio_intr_start(struct vio_port *port)
{
	int ret = vio_rx_intr_start(port);

	if (ret < 0)
		return ret;
	if (!port->intr_is_socket)
		return start_msix(port);
	return port->intr_on ? 0 : start_socket(port);
}

/* From within a callback of the interrupt thread it cannot wait for that thread. */
static void
unregister(struct vio_port *port, rte_intr_callback_fn callback)
{
	if (!rte_thread_is_intr())
		rte_intr_callback_unregister_sync(port->intr, callback, port);
	else if (rte_intr_callback_unregister(port->intr, callback, port) == -EAGAIN)
		rte_intr_callback_unregister_pending(port->intr, callback, port, NULL);
}

void
vio_intr_leave(struct vio_port *port)
{
	if (port->intr_on)
		unregister(port, port->intr_is_socket ? socket_readable : config_changed);
	port->intr_on = false;
}

void
vio_intr_stop(struct vio_port *port)
{
	if (port->msix_on)
		rte_intr_disable(port->intr);
	port->msix_on = false;
	vio_intr_leave(port);
	vio_rx_intr_stop(port);
}
