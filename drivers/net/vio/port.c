/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's device: found at probe, brought to life at start, silenced at stop. */
#include "port.h"

#include <endian.h>
#include <errno.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "log.h"
#include "offload.h"
#include "paths.h"
#include "rx.h"
#include "simd.h"
#include "tx.h"

/* What this driver can make use of. */
#define FEATURES_USED                                                             \
	(VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_F_RING_PACKED) |            \
	 VIO_BIT(VIRTIO_F_IN_ORDER) | VIO_BIT(VIRTIO_F_INDIRECT_DESC) |           \
	 VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | VIO_BIT(VIRTIO_F_ORDER_PLATFORM) |   \
	 VIO_BIT(VIRTIO_F_NOTIFICATION_DATA) | VIO_BIT(VIRTIO_NET_F_MRG_RXBUF) |  \
	 VIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIO_BIT(VIRTIO_NET_F_MAC) |           \
	 VIO_BIT(VIRTIO_NET_F_STATUS) | VIO_BIT(VIRTIO_NET_F_MTU) |               \
	 VIO_BIT(VIRTIO_NET_F_SPEED_DUPLEX) | VIO_BIT(VIRTIO_NET_F_MQ) |          \
	 VIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIO_BIT(VIRTIO_NET_F_CTRL_RX) |          \
	 VIO_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) | VIO_BIT(VIRTIO_NET_F_CTRL_VLAN) |  \
	 VIO_BIT(VIRTIO_NET_F_RSS) | VIO_BIT(VIRTIO_NET_F_HASH_REPORT) |          \
	 VIO_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | VIO_BIT(VIRTIO_NET_F_NOTF_COAL) | \
	 VIO_BIT(VIRTIO_NET_F_VQ_NOTF_COAL) | VIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* What packets can leave to the device, or the device to the driver. */
#define FEATURES_OFFLOADS                                                      \
	(VIO_BIT(VIRTIO_NET_F_CSUM) | VIO_BIT(VIRTIO_NET_F_HOST_TSO4) |        \
	 VIO_BIT(VIRTIO_NET_F_HOST_TSO6) | VIO_BIT(VIRTIO_NET_F_HOST_ECN) |    \
	 VIO_BIT(VIRTIO_NET_F_HOST_USO) | VIO_BIT(VIRTIO_NET_F_GUEST_HDRLEN) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_ECN) | VIO_BIT(VIRTIO_NET_F_GUEST_USO4) |  \
	 VIO_BIT(VIRTIO_NET_F_GUEST_USO6))

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
	port->dev->data->mac_addrs[0] = mac;
	return 0;
}

/* Header and frame lie side by side in one descriptor here, which a legacy device must allow
 * (NET-LEG-07). */
static int
check_framing(const struct vio_port *port)
{
	if (!port->transport->ops->legacy || vio_has(port->features, VIRTIO_F_ANY_LAYOUT))
		return 0;
	PORT_LOG(port, ERR,
		 "a legacy device without ANY_LAYOUT, which wants headers in descriptors of their "
		 "own; not supported: use a newer device, or the modern interface");
	return -ENOTSUP;
}

/* Asks the device all that must be known before it is started, and leaves it reset. */
static int
inspect(struct vio_port *port)
{
	int ret = negotiate(port, port->wanted);

	if (ret == 0)
		ret = check_framing(port);
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
	port->filters_nothing = transport->ops->filters_nothing;
	port->transport = transport;
	port->args = *args;
	port->name = args->path[0] != '\0' ? port->args.path : dev->data->name;
	port->wanted = features_wanted(args) & possible;
	port->ptypes = args->ptypes ? VIO_RX_PTYPES : 0;
	vio_device_init(&port->device, transport);
	port->device.reset_timeout_ms = args->timeout_ms;
	transport->timeout_ms = args->timeout_ms;
	ret = init_lock(&port->lock);
	if (ret == 0 && vio_gate_init() < 0)
		PORT_LOG(port, NOTICE,
			 "the kernel has no membarrier(2): each burst runs a fence of its own");
	if (ret == 0)
		ret = vio_simd_choose(transport->name, args->simd, &port->simd);
	if (ret == 0)
		ret = inspect(port);
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
	return 0;
}

void
vio_port_fini(struct vio_port *port)
{
	if (port->transport != NULL)
		port->transport->ops->close(port->transport);
	port->transport = NULL;
	pthread_mutex_destroy(&port->lock);
}

static int
start_queues(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	int ret;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		vio_rx_set_header(q, vio_net_hdr_len(port->features));
		q->hash_types = port->rss.supported;
		ret = vio_ring_start(&q->ring, port, VIO_NET_RXQ(i), vio_rx_intr_vector(port, i));
		if (ret == 0 && !q->stopped)
			ret = vio_rx_fill(q);
		if (ret < 0)
			return ret;
	}
	for (uint16_t i = 0; i < data->nb_tx_queues; i++) {
		struct vio_txq *q = data->tx_queues[i];

		vio_tx_set_header(q, vio_net_hdr_len(port->features));
		ret = vio_ring_start(&q->ring, port, VIO_NET_TXQ(i), VIO_NO_VECTOR);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The device looks at buffers that were made available before it was live only when told so. */
static void
kick_receive_queues(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		if (!q->stopped)
			vio_rx_kick(q);
	}
}

void
vio_port_open_gates(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	struct vio_rxq **rx = (struct vio_rxq **)data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)data->tx_queues;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (!rx[i]->stopped)
			vio_gate_open(&rx[i]->gate);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		if (!tx[i]->stopped)
			vio_gate_open(&tx[i]->gate);
	/* Who armed a queue's interrupt while it was closed is seen by vio_rx_intr_wake(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static int
wait_for_gate(const struct vio_port *port, const char *kind, uint16_t id,
	      const struct vio_gate *gate, uint64_t end)
{
	int ret = vio_gate_wait(gate, end);

	if (ret < 0)
		PORT_LOG(port, ERR, "%s queue %u: a thread does not return from its burst", kind,
			 id);
	return ret;
}

void
vio_port_shut_gates(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	struct vio_rxq **rx = (struct vio_rxq **)data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)data->tx_queues;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (rx[i] != NULL)
			vio_gate_shut(&rx[i]->gate);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		if (tx[i] != NULL)
			vio_gate_shut(&tx[i]->gate);
	vio_gates_barrier();
}

int
vio_port_close_gates(struct vio_port *port, unsigned timeout_ms)
{
	uint64_t end = rte_get_timer_cycles() + (uint64_t)timeout_ms * rte_get_timer_hz() / 1000;
	struct rte_eth_dev_data *data = port->dev->data;
	struct vio_rxq **rx = (struct vio_rxq **)data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)data->tx_queues;
	int ret = 0;

	vio_port_shut_gates(port);
	for (uint16_t i = 0; i < data->nb_rx_queues && ret == 0; i++)
		if (rx[i] != NULL)
			ret = wait_for_gate(port, "rx", i, &rx[i]->gate, end);
	for (uint16_t i = 0; i < data->nb_tx_queues && ret == 0; i++)
		if (tx[i] != NULL)
			ret = wait_for_gate(port, "tx", i, &tx[i]->gate, end);
	return ret;
}

void
vio_port_choose_paths(struct vio_port *port)
{
	port->rx_path = vio_rx_path_choose(port);
	port->tx_path = vio_tx_path_choose(port);
	port->rx_path_at = port->rx_path - vio_rx_path_at(0);
	port->tx_path_at = port->tx_path - vio_tx_path_at(0);
	port->dev->rx_pkt_burst = port->rx_path->rx;
	port->dev->tx_pkt_burst = port->tx_path->tx;
	vio_rx_path_explain(port, port->rx_text, sizeof(port->rx_text));
	PORT_LOG(port, NOTICE, "receive: %s", port->rx_text);
	vio_tx_path_explain(port, port->tx_text, sizeof(port->tx_text));
	PORT_LOG(port, NOTICE, "transmit: %s", port->tx_text);
}

void
vio_port_switch_paths(struct vio_port *port)
{
	struct rte_eth_dev *dev = port->dev;

	vio_port_choose_paths(port);
	__atomic_store_n(&rte_eth_fp_ops[dev->data->port_id].rx_pkt_burst, dev->rx_pkt_burst,
			 __ATOMIC_RELEASE);
}

/* The features may not be others than those that the queues were set up for. */
static int
renegotiate(struct vio_port *port)
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

/* Takes every buffer back. The device no longer has them: it was reset, or is gone. */
static void
take_back(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (data->rx_queues[i] != NULL)
			vio_rx_drain(data->rx_queues[i]);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		if (data->tx_queues[i] != NULL)
			vio_tx_drain(data->tx_queues[i]);
	vio_idle_stop(port);
	vio_ctrl_stop(port);
	vio_ring_drain_orphans(port);
}

/* ethdev starts ports whose queues were never set up, or whose setup failed. */
static int
check_queues_set_up(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < RTE_MAX(data->nb_rx_queues, data->nb_tx_queues); i++) {
		bool rx = i < data->nb_rx_queues && data->rx_queues[i] == NULL;
		bool tx = i < data->nb_tx_queues && data->tx_queues[i] == NULL;

		if (!rx && !tx)
			continue;
		PORT_LOG(port, ERR, "%s queue %u is not set up", rx ? "rx" : "tx", i);
		return -EINVAL;
	}
	return 0;
}

/* Steps 4 to 8 of spec 3.1.1, and what can only be said to a live device. */
static int
bring_up(struct vio_port *port)
{
	int ret = renegotiate(port);

	if (ret < 0)
		return ret;
	/* What an earlier reset, which did not finish, left with the device. */
	take_back(port);
	ret = vio_offloads_start(port);
	if (ret == 0)
		ret = vio_intr_start(port);
	if (ret == 0)
		ret = start_queues(port);
	if (ret == 0)
		ret = vio_idle_start(port);
	if (ret == 0)
		ret = vio_ctrl_start(port);
	if (ret == 0)
		ret = vio_device_go(&port->device);
	if (ret == 0)
		ret = vio_restore(port);
	return ret;
}

int
vio_port_stop(struct vio_port *port)
{
	int ret;

	/* Where a thread does not come out, it has ended in there: ethdev allows no burst during a
	 * stop. */
	vio_port_close_gates(port, port->args.timeout_ms);
	ret = vio_device_reset(&port->device);
	port->ctrl.live = false;
	if (ret < 0 && ret != -ENODEV) {
		PORT_LOG(port, ERR,
			 "the device did not let go of its buffers (%s); for safety they and the "
			 "rings "
			 "stay out of use",
			 strerror(-ret));
		return ret;
	}
	/* A device that only pretends to be gone must not reach memory that is used for other
	 * things next. */
	if (ret == -ENODEV)
		port->isolate(port);
	take_back(port);
	return 0;
}

static int
could_not_start(struct vio_port *port, int error)
{
	PORT_LOG(port, ERR, "could not be started: %s", strerror(-error));
	/* Nothing is written before a reset has been seen to end (RESET-01). */
	if (port->device.status != 0)
		vio_device_fail(&port->device);
	vio_port_stop(port);
	return error;
}

int
vio_port_start(struct vio_port *port)
{
	int ret;

	if (port->gone) {
		PORT_LOG(port, ERR, "the device is gone; close the port and probe it again");
		return -ENODEV;
	}
	ret = check_queues_set_up(port);
	if (ret < 0)
		return ret;
	ret = bring_up(port);
	if (ret < 0)
		return could_not_start(port, ret);
	vio_port_choose_paths(port);
	kick_receive_queues(port);
	vio_port_open_gates(port);
	vio_rx_intr_wake(port);
	return 0;
}

int
vio_port_restart(struct vio_port *port)
{
	int ret = bring_up(port);

	if (ret < 0)
		return could_not_start(port, ret);
	kick_receive_queues(port);
	vio_port_open_gates(port);
	vio_rx_intr_wake(port);
	return 0;
}

static int
await_peer(struct vio_port *port)
{
	uint64_t end = rte_get_timer_cycles() +
		       (uint64_t)port->args.timeout_ms * rte_get_timer_hz() / 1000;
	bool late;
	int ret;

	if (port->reconnect == NULL)
		return -ENODEV;
	do {
		late = rte_get_timer_cycles() >= end;
		ret = port->reconnect(port);
		if (ret != -EAGAIN)
			return ret;
		rte_delay_us_sleep(1000);
	} while (!late);
	PORT_LOG(port, ERR, "no vhost-user back-end came in %u ms", port->args.timeout_ms);
	return -ETIMEDOUT;
}

int
vio_port_reset(struct vio_port *port)
{
	int ret = vio_port_stop(port);

	if (ret == 0 && vio_device_needs_reset(&port->device) == -ENODEV)
		ret = await_peer(port);
	if (ret == 0)
		ret = inspect(port);
	if (ret < 0)
		PORT_LOG(port, ERR, "could not be reset: %s", strerror(-ret));
	return ret;
}

void
vio_port_gone(struct vio_port *port)
{
	if (port->gone)
		return;
	port->gone = true;
	PORT_LOG(port, ERR, "the device is gone: the link is down; close the port");
}
