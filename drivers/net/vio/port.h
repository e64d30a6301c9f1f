/* SPDX-License-Identifier: BSD-3-Clause */
/* A port: one virtio-net device as an ethdev. */
#ifndef VIO_PMD_PORT_H
#define VIO_PMD_PORT_H

#include <pthread.h>

#include <ethdev_driver.h>
#include <rte_ether.h>

#include "virtio/device.h"
#include "virtio/features.h"
#include "virtio/net.h"
#include "ctrl.h"
#include "devargs.h"
#include "filter.h"
#include "queue.h"
#include "recover.h"
#include "rss.h"
#include "secondary.h"
#include "watch.h"

struct vio_path;

/* Receive offloads that cost the burst function something. */
#define VIO_RX_OFFLOADS_L4     (RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define VIO_RX_OFFLOADS_DRIVER (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
#define VIO_RX_OFFLOADS        (VIO_RX_OFFLOADS_L4 | VIO_RX_OFFLOADS_DRIVER | RTE_ETH_RX_OFFLOAD_TCP_LRO)
/* Transmit offloads that packets ask for one by one; the first are done without the device. */
#define VIO_TX_OFFLOADS_DRIVER (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_VLAN_INSERT)
#define VIO_TX_OFFLOADS                                                                         \
	(VIO_TX_OFFLOADS_DRIVER | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO)

struct vio_port {
	struct rte_eth_dev *dev;       /* the primary process's */
	struct rte_eth_dev_data *data; /* every process's */
	const char *name;              /* for messages, in memory that processes share */
	char transport_name[32];       /* such as "vhost-user" */
	intptr_t build;                /* vio_build_stamp() of the primary */
	uint64_t pid_namespace;        /* vio_pid_namespace() of the primary */
	enum vio_doorbells doorbells;
	bool filters_nothing; /* of the transport, which only the primary has */
	struct vio_transport *transport;
	struct vio_device device;
	struct vio_args args;
	uint64_t offered;  /* features, as offered at probe */
	uint64_t wanted;   /* features that this driver uses, less those declined by devargs */
	uint64_t usable;   /* negotiated at probe: all that device and driver can */
	uint64_t features; /* negotiated last; kept while stopped, to answer questions */
	struct vio_net_config config; /* read once at probe, checked; CPU byte order */
	uint16_t max_pairs;
	enum vq_simd simd;
	uint16_t max_rx_size; /* descriptors of the smallest of the device's receive queues, */
	uint16_t max_tx_size; /* and of its transmit queues */
	uint16_t default_size;
	uint16_t mtu_max;
	uint32_t ptypes;  /* layers whose types received packets tell, of VIO_RX_PTYPES */
	uint16_t addr_at; /* offset in struct rte_mbuf of the address that the device knows */
	uint32_t speed;   /* Mbit/s, as the device said last; 0: it does not know, or say */
	bool gone;        /* the device was unplugged, or the peer has left */
	bool link_up;
	bool announcing;         /* an alarm is set for it */
	bool announce_late;      /* it was asked for while the application held the link down */
	uint32_t announced;      /* frames sent because the device asked to announce the port */
	uint32_t refused;        /* what was refused with a line in the log: bits, by vio_refusal */
	bool lro_off;            /* somebody switched LRO off while the port ran */
	bool link_held;          /* the application has set the link down: gates stay closed */
	uint8_t told_unreadable; /* which fields of the link cannot be read: bits, by link.c */
	bool told_unannounced, told_unacknowledged; /* that an announcement went wrong */
	bool intr_on;                               /* the interrupt callback is registered */
	bool msix_on;                               /* PCI: the bus delivers interrupts */
	struct vio_ctrl ctrl;
	struct vio_filter
		filter; /* what was asked for, to be told to each new life of the device */
	struct vio_rss rss;
	struct vio_device_stats device_stats;
	struct vio_ring *idle; /* [nb_idle] halves of pairs that the application does not use */
	uint16_t nb_idle;
	struct vio_orphan *orphans; /* rings released while the device still had them */
	const struct vio_path *rx_path;
	const struct vio_path *tx_path;
	/* The same as places in their tables, and explained: for processes with other addresses. */
	uint8_t rx_path_at, tx_path_at;
	char rx_text[RTE_ETH_BURST_MODE_INFO_SIZE];
	char tx_text[RTE_ETH_BURST_MODE_INFO_SIZE];
	struct vio_pci_ports *ports; /* of a legacy device, else NULL */
	/* Of the bus part of the driver: undoes what it did, before the transport is closed; */
	void (*release)(struct vio_port *port);
	/* ends what may still report on the device, NULL: nothing does; */
	void (*unwatch)(struct vio_port *port);
	/* keeps a device that seems gone from reaching memory; */
	void (*isolate)(struct vio_port *port);
	/* looks, without waiting, for one in the place of a device that is gone: 0, and it is as
	 * after a reset; -EAGAIN: not yet; or what went wrong with it. NULL: none will come. */
	int (*reconnect)(struct vio_port *port);
	struct vio_recovery recovery;
	struct vio_watch watch;
	struct rte_intr_handle *intr; /* the PCI device's, or one for the vhost-user socket */
	bool intr_is_socket;
	uint16_t vectors; /* MSI-X vectors of a PCI device */
	/* Serialises control operations with the interrupt thread. No polling thread takes it, and
	 * no callback of the application runs under it. */
	pthread_mutex_t lock;
	/* Queues that are set up, by id, under the lock: for look.h. ethdev's arrays of them change
	 * without it. */
	struct vio_rxq *known_rx[RTE_MAX_QUEUES_PER_PORT];
	struct vio_txq *known_tx[RTE_MAX_QUEUES_PER_PORT];
};

static inline struct vio_port *
vio_port(const struct rte_eth_dev *dev)
{
	return dev->data->dev_private;
}

extern const struct eth_dev_ops vio_ops;

/* The lock for those who only read. A secondary process, which has none, may see a change half
 * made.
 */
static inline void
vio_read_lock(struct vio_port *port)
{
	if (!vio_in_secondary)
		pthread_mutex_lock(&port->lock);
}

static inline void
vio_read_unlock(struct vio_port *port)
{
	if (!vio_in_secondary)
		pthread_mutex_unlock(&port->lock);
}

/* Differs from one build of the driver to another. */
intptr_t vio_build_stamp(void);

/* Rings the doorbell of a virtqueue, from whichever process polls it. */
static inline void
vio_ring_kick(const struct vio_ring *ring, const struct vio_port *port)
{
	uint16_t next = vq_notify_data(ring->vq);

	if (likely(!vio_in_secondary))
		ring->notifier.kick(&ring->notifier, next);
	else
		vio_secondary_kick(ring, port, next);
}

/*
 * Takes over an open transport: looks at the device, and makes dev a port of it. possible masks the
 * features that make sense over this transport. The device is reset afterwards, and stays so until
 * the port is started. Returns 0 or a negative errno value; then vio_port_fini() is still due.
 */
int vio_port_init(struct rte_eth_dev *dev, struct vio_transport *transport,
		  const struct vio_args *args, uint64_t possible);
/* Undoes vio_port_init(), and closes the transport. */
void vio_port_fini(struct vio_port *port);

/* Looks at the device as at probe, and leaves it reset. 0 or a negative errno value. */
int vio_port_inspect(struct vio_port *port);

/* Does the device want each packet's header in a descriptor of its own (NET-LEG-07)? */
bool vio_header_is_apart(const struct vio_port *port);
/* Agrees again on the features that the queues were set up for, and what is not asked for left out:
 * 0, or a negative errno value where the device offers others now. */
int vio_port_renegotiate(struct vio_port *port);

/* Brings the device to life with the queues that are set up. 0 or a negative errno value. */
int vio_port_start(struct vio_port *port);
/* Once more after vio_port_stop(), with all that was set since: nobody has noticed. */
int vio_port_restart(struct vio_port *port);
/* Looks at the device, stopped before, as at probe: it may be another one. Where it has gone, waits
 * for one to come, at most args.timeout_ms. 0 or a negative errno value. */
int vio_port_reset(struct vio_port *port);
/* Silences the device, and takes every buffer back. Returns 0, or the transport's error
 * (-ETIMEDOUT) where the device does not let go, or a thread does not return from its burst: then
 * buffers and rings stay out of use. */
int vio_port_stop(struct vio_port *port);
/* Its two halves, with the gates closed: in between nobody but the caller has the rings. */
int vio_port_silence(struct vio_port *port);
void vio_port_take_back(struct vio_port *port);
/* Counts what is lost with the rings, before they are drained (losses.c). */
void vio_losses_count(struct vio_port *port);

/* Opens the gates of all queues, which are live, but for those that are stopped; of none while the
 * application holds the link down. */
void vio_port_open_gates(struct vio_port *port);
/* Shuts them: bursts that begin from now on do nothing. */
void vio_port_shut_gates(struct vio_port *port);
/* Also waits, at most timeout_ms, until no thread is in a burst. Returns 0, or -ETIMEDOUT with a
 * line in the log that names the queue. */
int vio_port_close_gates(struct vio_port *port, unsigned timeout_ms);

/* Puts the port on the burst functions that its features and offloads ask for, also while it is
 * polled, and says which. */
void vio_port_choose_paths(struct vio_port *port);

/* The same for a started port whose receive function is to be another while it is polled. */
void vio_port_switch_paths(struct vio_port *port);

/* Notes that the device has gone for good. With the lock held; the caller tells the application
 * afterwards. */
void vio_port_gone(struct vio_port *port);

/* Empty rings for the queues that complete a pair (idle.c). */
int vio_idle_start(struct vio_port *port);
void vio_idle_stop(struct vio_port *port);

/* dev_infos_get and the other answers (info.c). */
int vio_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info);
void vio_rxq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info);
void vio_txq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info);
int vio_rx_burst_mode_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_burst_mode *mode);
int vio_tx_burst_mode_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_burst_mode *mode);
int vio_rx_descriptor_status(void *queue, uint16_t offset);
int vio_tx_descriptor_status(void *queue, uint16_t offset);
uint32_t vio_rx_queue_count(void *queue);
int vio_priv_dump(struct rte_eth_dev *dev, FILE *file);

/* rte_eth_get_monitor_addr() (monitor.c). */
int vio_get_monitor_addr(void *queue, struct rte_power_monitor_cond *condition);

/* Statistics (stats.c). */
int vio_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats);
int vio_stats_reset(struct rte_eth_dev *dev);
int vio_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned n);
int vio_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned n);

/* Tells a device that has come to life all that the application has asked for and that only a live
 * one can be told, with the lock held (restore.c). 0 or a negative errno value. */
int vio_restore(struct vio_port *port);

/* Link (link.c). Without wait, what is known already where somebody else is at work on the port. */
int vio_link_update(struct rte_eth_dev *dev, int wait);
/* A speed that is none counts as unknown, which is 0. */
static inline uint32_t
vio_known_speed(uint32_t speed)
{
	return speed <= INT32_MAX ? speed : 0;
}

/* Looks whether the device is well and wants an announcement, and says nothing of the link. With
 * the lock. */
void vio_link_look(struct vio_port *port);

/* The link as the application wants it (link_set.c). Down: bursts give and take nothing, until up
 * or a start of the port. Both return 0, -ETIMEDOUT where a thread does not return from its burst
 * or the device does not let go, -EIO where the port is given up, or what a restart failed with
 * (the recovery then goes on trying). Down returns -ENOTSUP of a stopped port. */
int vio_set_link_up(struct rte_eth_dev *dev);
int vio_set_link_down(struct rte_eth_dev *dev);
/* The port is about to be closed: no event of these comes any more. Without the lock. */
void vio_link_fini(struct vio_port *port);

/* The MTU (mtu.c). */
int vio_mtu_set(struct rte_eth_dev *dev, uint16_t mtu);

/* Interrupts (intr.c): configuration changes, and peers that leave. vio_intr_stop() waits for the
 * interrupt thread, and so must not be called with the lock held. */
int vio_intr_start(struct vio_port *port);
void vio_intr_stop(struct vio_port *port);
/* No longer listens to the socket that the device is behind, which is about to be closed; receive
 * interrupts stay as they are. On the interrupt thread, where it does not wait, also with the lock.
 */
void vio_intr_leave(struct vio_port *port);

/* Receive interrupts (rx_intr.c). Whether the queues and vectors are there for them, where they are
 * configured: 0, or -ENOTSUP with a line in the log. */
int vio_rx_intr_check(const struct vio_port *port);
/* Before the bus delivers interrupts, and after. Where none are configured, nothing. */
int vio_rx_intr_start(struct vio_port *port);
void vio_rx_intr_stop(struct vio_port *port);
/* The vector of a receive queue, or VIO_NO_VECTOR. */
uint16_t vio_rx_intr_vector(const struct vio_port *port, uint16_t queue);
/* Wakes whoever sleeps on a queue that was started anew. */
void vio_rx_intr_wake(struct vio_port *port);
int vio_rx_queue_intr_enable(struct rte_eth_dev *dev, uint16_t id);
int vio_rx_queue_intr_disable(struct rte_eth_dev *dev, uint16_t id);

#endif
