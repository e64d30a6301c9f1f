/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's device: what it is and what is negotiated with it. start.c brings it to life. */
#include "port.h"

#include <endian.h>
#include <errno.h>

#include <rte_malloc.h>

#include "log.h"
#include "ports.h"
#include "offload.h"
#include "rx.h"
#include "simd.h"
#include "tx.h"

/* What this driver can make use of. */
#define FEATURES_USED                                                              \
	(VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_F_RING_PACKED) |             \
	 VIO_BIT(VIRTIO_F_IN_ORDER) | VIO_BIT(VIRTIO_F_INDIRECT_DESC) |            \
	 VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | VIO_BIT(VIRTIO_F_ORDER_PLATFORM) |    \
	 VIO_BIT(VIRTIO_F_NOTIFICATION_DATA) | VIO_BIT(VIRTIO_NET_F_MRG_RXBUF) |   \
	 VIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIO_BIT(VIRTIO_NET_F_MAC) |            \
	 VIO_BIT(VIRTIO_NET_F_STATUS) | VIO_BIT(VIRTIO_NET_F_MTU) |                \
	 VIO_BIT(VIRTIO_NET_F_SPEED_DUPLEX) | VIO_BIT(VIRTIO_NET_F_MQ) |           \
	 VIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIO_BIT(VIRTIO_NET_F_CTRL_RX) |           \
	 VIO_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) | VIO_BIT(VIRTIO_NET_F_CTRL_VLAN) |   \
	 VIO_BIT(VIRTIO_NET_F_RSS) | VIO_BIT(VIRTIO_NET_F_HASH_REPORT) |           \
	 VIO_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | VIO_BIT(VIRTIO_NET_F_NOTF_COAL) |  \
	 VIO_BIT(VIRTIO_NET_F_VQ_NOTF_COAL) | VIO_BIT(VIRTIO_NET_F_DEVICE_STATS) | \
	 VIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* What packets can leave to the device, or the device to the driver. */
#define FEATURES_OFFLOADS                                                      \
	(VIO_BIT(VIRTIO_NET_F_CSUM) | VIO_BIT(VIRTIO_NET_F_HOST_TSO4) |        \
	 VIO_BIT(VIRTIO_NET_F_HOST_TSO6) | VIO_BIT(VIRTIO_NET_F_HOST_ECN) |    \
	 VIO_BIT(VIRTIO_NET_F_HOST_USO) | VIO_BIT(VIRTIO_NET_F_GUEST_HDRLEN) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_ECN) | VIO_BIT(VIRTIO_NET_F_GUEST_USO4) |  \
	 VIO_BIT(VIRTIO_NET_F_GUEST_USO6) | VIO_BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))

/* How rings and doorbells are used. */
#define FEATURES_EVENTS                                                      \
	(VIO_BIT(VIRTIO_F_EVENT_IDX) | VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA) | \
	 VIO_BIT(VIRTIO_F_SR_IOV) | VIO_BIT(VIRTIO_F_RING_RESET))

/* Where the device does not say: what net_virtio and most back-ends take. */
#define MTU_MAX_DEFAULT 9702
/* Descriptors of a queue, where nobody asks for a number. */
#define DEFAULT_SIZE 256

static uint64_t
features_wanted(const struct vio_args *args)
{
	uint64_t wanted = FEATURES_USED | FEATURES_EVENTS | FEATURES_OFFLOADS;

	wanted &= args->packed_vq ? ~UINT64_C(0) : ~VIO_BIT(VIRTIO_F_RING_PACKED);
	wanted &= args->in_order ? ~UINT64_C(0) : ~VIO_BIT(VIRTIO_F_IN_ORDER);
	wanted &= args->event_idx ? ~UINT64_C(0) : ~VIO_BIT(VIRTIO_F_EVENT_IDX);
	wanted &= args->lro_udp
			  ? ~UINT64_C(0)
			  : ~(VIO_BIT(VIRTIO_NET_F_GUEST_USO4) | VIO_BIT(VIRTIO_NET_F_GUEST_USO6));
	wanted &= args->mrg_rxbuf ? ~UINT64_C(0) : ~VIO_BIT(VIRTIO_NET_F_MRG_RXBUF);
	return wanted;
}

/* One field of the configuration, where its feature is there; else it stays as it is. */
static int
read_field(struct vio_port *port, enum vio_feature feature, size_t offset, void *field, size_t size)
{
	if (!vio_has(port->features, feature))
		return 0;
	return vio_config_read(&port->device, offset, field, size);
}

#define READ_FIELD(port, feature, field)                                             \
	read_field(port, feature, offsetof(struct vio_net_config, field),            \
		   (char *)&(port)->config + offsetof(struct vio_net_config, field), \
		   sizeof((port)->config.field))

static int
read_config(struct vio_port *port)
{
	struct vio_net_config *config = &port->config;
	int ret;

	*config = (struct vio_net_config){
		.max_virtqueue_pairs = htole16(1),
	};
	ret = READ_FIELD(port, VIRTIO_NET_F_MAC, mac);
	if (ret == 0)
		ret = READ_FIELD(port, VIRTIO_NET_F_STATUS, status);
	if (ret == 0)
		ret = vio_rss_inspect(port);
	if (ret == 0 && vio_has(port->features, VIRTIO_NET_F_MQ))
		ret = READ_FIELD(port, VIRTIO_NET_F_MQ, max_virtqueue_pairs);
	else if (ret == 0)
		ret = READ_FIELD(port, VIRTIO_NET_F_RSS, max_virtqueue_pairs);
	if (ret == 0)
		ret = READ_FIELD(port, VIRTIO_NET_F_MTU, mtu);
	if (ret == 0)
		ret = READ_FIELD(port, VIRTIO_NET_F_SPEED_DUPLEX, speed);
	port->speed = vio_known_speed(le32toh(config->speed));
	config->status = le16toh(config->status);
	config->max_virtqueue_pairs = le16toh(config->max_virtqueue_pairs);
	config->mtu = le16toh(config->mtu);
	return ret;
}

/* Every field is the device's word: one that makes no sense is refused by name. */
static int
check_config(struct vio_port *port)
{
	const struct vio_net_config *config = &port->config;
	uint16_t pairs = config->max_virtqueue_pairs;

	if (pairs == 0 || pairs > VIO_NET_PAIRS_MAX) {
		PORT_LOG(port, ERR,
			 "max_virtqueue_pairs is %u, expected 1 to %u; the device is not "
			 "usable",
			 pairs, VIO_NET_PAIRS_MAX);
		return -EPROTO;
	}
	if (2 * pairs > UINT16_MAX && vio_has(port->features, VIRTIO_NET_F_CTRL_VQ)) {
		PORT_LOG(port, ERR,
			 "max_virtqueue_pairs is %u, which leaves no index for the control "
			 "queue; the device is not usable",
			 pairs);
		return -EPROTO;
	}
	port->max_pairs = RTE_MIN(pairs, RTE_MAX_QUEUES_PER_PORT);
	if (vio_has(port->features, VIRTIO_NET_F_MTU) && config->mtu < VIO_NET_MTU_MIN) {
		PORT_LOG(port, WARNING, "offers an MTU of %u, expected at least %u; not used",
			 config->mtu, VIO_NET_MTU_MIN);
		port->wanted &= ~VIO_BIT(VIRTIO_NET_F_MTU);
		port->features &= ~VIO_BIT(VIRTIO_NET_F_MTU);
	}
	port->mtu_max = vio_has(port->features, VIRTIO_NET_F_MTU) ? config->mtu : MTU_MAX_DEFAULT;
	return 0;
}

/* All queues of a pair must exist; the smallest of a kind sets the limit that the port tells. */
static int
check_queues(struct vio_port *port)
{
	struct vio_transport *t = port->transport;
	uint16_t size;
	int ret;

	port->max_rx_size = port->max_tx_size = VQ_SIZE_MAX;
	for (uint32_t i = 0; i < 2u * port->max_pairs; i++) {
		uint16_t *most = i % 2 == 0 ? &port->max_rx_size : &port->max_tx_size;

		ret = t->ops->queue_max_size(t, i, &size);
		if (ret < 0)
			return ret;
		if (size == 0 && i >= 2) {
			PORT_LOG(port, WARNING,
				 "promises %u queue pairs, but has no queue %u; using %u",
				 port->max_pairs, i, i / 2);
			port->max_pairs = i / 2;
			break;
		}
		if (size == 0) {
			PORT_LOG(port, ERR, "has no queue %u; the device is not usable", i);
			return -EPROTO;
		}
		*most = RTE_MIN(*most, size);
	}
	return 0;
}

static int
negotiate(struct vio_port *port, uint64_t wanted)
{
	int ret = vio_device_begin(&port->device);

	if (ret < 0)
		return ret;
	port->offered = port->device.offered;
	ret = vio_device_negotiate(&port->device, wanted);
	port->features = port->device.features;
	return ret;
}

static int
set_mac(struct vio_port *port)
{
	struct rte_ether_addr mac;

	memcpy(&mac, port->config.mac, sizeof(mac));
	if (!vio_has(port->features, VIRTIO_NET_F_MAC)) {
		rte_eth_random_addr(mac.addr_bytes);
	} else if (!rte_is_valid_assigned_ether_addr(&mac)) {
		PORT_LOG(port, WARNING,
			 "offers MAC " RTE_ETHER_ADDR_PRT_FMT ", which no port can have; "
			 "using a random one",
			 RTE_ETHER_ADDR_BYTES(&mac));
		rte_eth_random_addr(mac.addr_bytes);
	}
	port->dev->data->mac_addrs = rte_zmalloc("vio_mac", VIO_MAC_MAX * sizeof(mac), 0);
	if (port->dev->data->mac_addrs == NULL)
		return -ENOMEM;
	port->dev->data->mac_addrs[0] = port->filter.addresses[0] = mac;
	return 0;
}

bool
vio_header_is_apart(const struct vio_port *port)
{
	return port->transport->ops->legacy && !vio_has(port->features, VIRTIO_F_ANY_LAYOUT);
}

/* Of mergeable buffers each may be a frame's first, so that each would have to begin with a
 * descriptor of the header's size: they are declined where headers have to stand apart. */
static int
negotiate_layout(struct vio_port *port)
{
	int ret = negotiate(port, port->wanted);

	if (ret < 0 || !vio_header_is_apart(port))
		return ret;
	PORT_LOG(port, NOTICE,
		 "a legacy device without ANY_LAYOUT: headers take descriptors of their own, "
		 "which costs speed, and MRG_RXBUF is declined; a newer device, or the modern "
		 "interface, does without");
	port->wanted &= ~VIO_BIT(VIRTIO_NET_F_MRG_RXBUF);
	if (!vio_has(port->features, VIRTIO_NET_F_MRG_RXBUF))
		return 0;
	return negotiate(port, port->wanted);
}

/* Asks the device all that must be known before it is started, and leaves it reset. */
int
vio_port_inspect(struct vio_port *port)
{
	int ret = negotiate_layout(port);

	if (ret == 0)
		ret = read_config(port);
	if (ret == 0)
		ret = check_config(port);
	if (ret == 0)
		ret = check_queues(port);
	if (ret < 0) {
		vio_device_fail(&port->device);
		return ret;
	}
	port->usable = port->features;
	if (vio_has(port->offered, VIRTIO_NET_F_STANDBY))
		PORT_LOG(port, NOTICE,
			 "offers STANDBY, which is not used: to pair two ports is the "
			 "application's task (net_failsafe)");
	return vio_device_reset(&port->device);
}

static int
init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int ret;

	/* EAL's memory events can come while a control operation allocates. */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	ret = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -ret;
}

int
vio_port_init(struct rte_eth_dev *dev, struct vio_transport *transport, const struct vio_args *args,
	      uint64_t possible)
{
	struct vio_port *port = vio_port(dev);
	int ret;

	port->dev = dev;
	port->data = dev->data;
	port->build = vio_build_stamp();
	snprintf(port->transport_name, sizeof(port->transport_name), "%s", transport->ops->name);
	port->pid_namespace = vio_pid_namespace();
	port->filters_nothing = transport->ops->filters_nothing;
	port->transport = transport;
	port->args = *args;
	port->name = args->path[0] != '\0' ? port->args.path : dev->data->name;
	port->wanted = features_wanted(args) & possible;
	port->ptypes = args->ptypes ? VIO_RX_PTYPES : 0;
	vio_device_init(&port->device, transport);
	port->device.reset_timeout_ms = args->timeout_ms;
	transport->timeout_ms = args->timeout_ms;
	vio_primary_init();
	ret = init_lock(&port->lock);
	if (ret == 0 && vio_gate_init() < 0)
		PORT_LOG(port, NOTICE,
			 "the kernel has no membarrier(2): each burst runs a fence of its own");
	if (ret == 0)
		ret = vio_simd_choose(transport->name, args->simd, &port->simd);
	if (ret == 0)
		ret = vio_port_inspect(port);
	if (ret == 0)
		ret = set_mac(port);
	if (ret < 0) {
		PORT_LOG(port, ERR, "the device cannot be used: %s", strerror(-ret));
		return ret;
	}
	port->default_size = args->queue_size != 0 ? args->queue_size : DEFAULT_SIZE;
	dev->dev_ops = &vio_ops;
	dev->tx_pkt_prepare = vio_tx_prepare;
	dev->rx_queue_count = vio_rx_queue_count;
	dev->rx_descriptor_status = vio_rx_descriptor_status;
	dev->tx_descriptor_status = vio_tx_descriptor_status;
	vio_ports_enter(dev);
	return 0;
}

void
vio_port_fini(struct vio_port *port)
{
	vio_ports_leave(port->dev);
	if (port->transport != NULL)
		port->transport->ops->close(port->transport);
	port->transport = NULL;
	pthread_mutex_destroy(&port->lock);
}

/* The features may not be others than those that the queues were set up for. */
int
vio_port_renegotiate(struct vio_port *port)
{
	uint64_t before = port->features, unasked = vio_features_unasked(port), changed;
	char text[512];
	int ret = negotiate(port, port->wanted & ~unasked);

	changed = (port->usable & ~unasked) ^ port->features;
	if (ret == 0 && changed == 0)
		return 0;
	port->features = before;
	if (ret < 0)
		return ret;
	PORT_LOG(port, ERR,
		 "the device changed its features since probe (%s); close the port and probe it "
		 "again",
		 vio_features_text(changed, text, sizeof(text)));
	return -EPROTO;
}

void
vio_port_gone(struct vio_port *port)
{
	if (port->gone)
		return;
	port->gone = true;
	PORT_LOG(port, ERR, "the device is gone: the link is down; close the port");
}
