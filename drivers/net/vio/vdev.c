/* SPDX-License-Identifier: BSD-3-Clause */
/* net_vio_user: a vhost-user back-end as the device. */
#include <errno.h>
#include <stdlib.h>

#include <bus_vdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_eal_memconfig.h>
#include <rte_memory.h>

#include "virtio/vhost_user.h"
#include "log.h"
#include "port.h"

#define MEM_EVENT_NAME "net_vio_user"

/* A back-end reaches memory through its own mappings: no IOMMU, no platform between. And it is no
 * PCI device, with registers or virtual functions (RSVD-09). */
#define FEATURES_POSSIBLE                                                         \
	(~(VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | VIO_BIT(VIRTIO_F_ORDER_PLATFORM) | \
	   VIO_BIT(VIRTIO_F_RING_RESET) | VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA) |   \
	   VIO_BIT(VIRTIO_F_SR_IOV)))

/* All of EAL's shared memory, collected by a walk, but for what is about to be freed. */
struct pieces {
	struct vio_mem_region *all;
	unsigned count, room;
	const void *freed;
	size_t freed_len;
};

static int
count_piece(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct pieces *pieces = arg;

	RTE_SET_USED(ms);
	if (!msl->external)
		pieces->room++;
	return 0;
}

static bool
is_freed(const struct pieces *pieces, const struct rte_memseg *ms)
{
	uintptr_t at = (uintptr_t)ms->addr, freed = (uintptr_t)pieces->freed;

	return at >= freed && at - freed < pieces->freed_len;
}

static int
add_piece(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct pieces *pieces = arg;
	struct vio_mem_region *piece = &pieces->all[pieces->count];
	size_t offset;

	if (msl->external || pieces->count == pieces->room || is_freed(pieces, ms))
		return 0;
	piece->fd = rte_memseg_get_fd_thread_unsafe(ms);
	if (piece->fd < 0 || rte_memseg_get_fd_offset_thread_unsafe(ms, &offset) < 0)
		return -1;
	/* Descriptors carry this process's addresses. */
	piece->iova = (uintptr_t)ms->addr;
	piece->addr = ms->addr;
	piece->size = ms->len;
	piece->fd_offset = offset;
	pieces->count++;
	return 0;
}

/* Tells the back-end EAL's memory as it is now, less len bytes at freed. EAL's memory lock is held,
 * so that no newer table can be overtaken by this one. */
static int
share_memory_locked(struct vio_transport *transport, const void *freed, size_t len)
{
	struct pieces pieces = { .freed = freed, .freed_len = len };
	int ret;

	rte_memseg_walk_thread_unsafe(count_piece, &pieces);
	pieces.all = calloc(RTE_MAX(pieces.room, 1u), sizeof(*pieces.all));
	if (pieces.all == NULL) {
		VIO_LOG(ERR, "%s: no memory for a table of EAL's memory", transport->name);
		return -ENOMEM;
	}
	if (rte_memseg_walk_thread_unsafe(add_piece, &pieces) < 0) {
		VIO_LOG(ERR,
			"%s: EAL's memory cannot be shared: it is not backed by files; run with "
			"hugepages and --single-file-segments",
			transport->name);
		ret = -EINVAL;
	} else {
		ret = vio_vhost_user_set_memory(transport, pieces.all, pieces.count);
	}
	free(pieces.all);
	return ret;
}

static int
share_memory(struct vio_transport *transport)
{
	int ret;

	rte_mcfg_mem_read_lock();
	ret = share_memory_locked(transport, NULL, 0);
	rte_mcfg_mem_read_unlock();
	return ret;
}

/* EAL calls with its lock held, from the thread that allocates or frees memory; before memory goes,
 * and after it came. */
static void
memory_changed(enum rte_mem_event event, const void *addr, size_t len, void *arg)
{
	struct vio_transport *transport = arg;
	bool freed = event == RTE_MEM_EVENT_FREE;
	int ret;

	ret = share_memory_locked(transport, freed ? addr : NULL, freed ? len : 0);
	if (ret < 0 && ret != -ENODEV)
		VIO_LOG(ERR, "%s: the peer could not be told of new memory: %s", transport->name,
			strerror(-ret));
}

static void
release(struct vio_port *port)
{
	rte_mem_event_callback_unregister(MEM_EVENT_NAME, port->transport);
	rte_intr_instance_free(port->intr);
	port->intr = NULL;
}

/* A closed socket keeps no process from the memory that it has mapped: there is nothing to do. */
static void
isolate(struct vio_port *port)
{
	RTE_SET_USED(port);
}

static int
reconnect(struct vio_port *port)
{
	int ret = vio_vhost_user_reconnect(port->transport);

	if (ret < 0)
		return ret;
	ret = share_memory(port->transport);
	/* Without the memory it can do nothing: the next try begins with the connection. */
	if (ret < 0)
		vio_vhost_user_hang_up(port->transport);
	return ret;
}

/* Tells all memory that there is, and from now on whatever comes and goes. */
static int
follow_memory(struct vio_transport *transport)
{
	int ret;

	/* Without memory events (--legacy-mem) nothing comes or goes. */
	if (rte_mem_event_callback_register(MEM_EVENT_NAME, memory_changed, transport) < 0 &&
	    rte_errno != ENOTSUP) {
		VIO_LOG(ERR, "%s: EAL does not tell of new memory: %s", transport->name,
			rte_strerror(rte_errno));
		return -rte_errno;
	}
	ret = share_memory(transport);
	if (ret < 0)
		rte_mem_event_callback_unregister(MEM_EVENT_NAME, transport);
	return ret;
}

static int
open_transport(const struct vio_args *args, struct vio_transport **transport)
{
	struct vio_vhost_user_params params = {
		.path = args->path,
		.server = args->server,
		.queue_pairs = args->queues,
		.queue_size = VQ_SIZE_MAX,
		.has_mac = true,
		.speed = args->speed,
		.timeout_ms = args->timeout_ms,
	};
	struct rte_ether_addr mac = args->mac;
	int ret;

	if (!args->has_mac)
		rte_eth_random_addr(mac.addr_bytes);
	memcpy(params.mac, &mac, sizeof(params.mac));
	ret = vio_vhost_user_open(&params, transport);
	if (ret < 0)
		return ret;
	ret = follow_memory(*transport);
	if (ret < 0)
		(*transport)->ops->close(*transport);
	return ret;
}

/* The port takes the transport over: when this fails, it is closed. */
static int
init_port(struct rte_eth_dev *dev, struct vio_transport *transport, const struct vio_args *args)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	port->addr_at = offsetof(struct rte_mbuf, buf_addr);
	port->intr_is_socket = true;
	port->doorbells = VIO_DOORBELLS_EVENTFD;
	port->release = release;
	port->isolate = isolate;
	port->reconnect = args->reconnect_ms != 0 ? reconnect : NULL;
	port->intr = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	dev->intr_handle = port->intr;
	ret = vio_port_init(dev, transport, args, FEATURES_POSSIBLE);
	if (ret == 0 && port->intr == NULL) {
		PORT_LOG(port, ERR, "no memory for an interrupt handle");
		ret = -ENOMEM;
	}
	if (ret < 0) {
		release(port);
		vio_port_fini(port);
	}
	return ret;
}

static int
attach_secondary(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_attach_secondary(rte_vdev_device_name(vdev));
	int ret;

	if (dev == NULL)
		return -ENODEV;
	ret = vio_secondary_attach(dev);
	if (ret < 0) {
		rte_eth_dev_release_port(dev);
		return ret;
	}
	dev->device = &vdev->device;
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct vio_transport *transport;
	struct rte_eth_dev *dev;
	struct vio_args args;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return attach_secondary(vdev);
	ret = vio_args_parse_user(name, rte_vdev_device_args(vdev), &args);
	if (ret == 0)
		ret = open_transport(&args, &transport);
	if (ret < 0)
		return ret;
	dev = rte_eth_vdev_allocate(vdev, sizeof(struct vio_port));
	if (dev == NULL) {
		VIO_LOG(ERR, "%s: no ethdev port or no memory for one", name);
		rte_mem_event_callback_unregister(MEM_EVENT_NAME, transport);
		transport->ops->close(transport);
		return -ENOMEM;
	}
	ret = init_port(dev, transport, &args);
	if (ret < 0) {
		rte_eth_dev_release_port(dev);
		return ret;
	}
	dev->data->dev_flags |= RTE_ETH_DEV_INTR_LSC;
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
remove_device(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	if (dev == NULL)
		return 0;
	if (vio_in_secondary) {
		vio_secondary_detach(dev);
		return rte_eth_dev_release_port(dev);
	}
	if (dev->data->dev_started)
		rte_eth_dev_stop(dev->data->port_id);
	return rte_eth_dev_close(dev->data->port_id);
}

static struct rte_vdev_driver driver = {
	.probe = probe,
	.remove = remove_device,
};

RTE_PMD_REGISTER_VDEV(net_vio_user, driver);
RTE_PMD_REGISTER_PARAM_STRING(net_vio_user, VIO_ARGS_USER VIO_ARGS_COMMON);
