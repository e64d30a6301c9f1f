/* SPDX-License-Identifier: BSD-3-Clause */
#include "secondary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>

#include "virtio/doorbell.h"
#include "virtio/pci_modern.h"
#include "virtio/vhost_user.h"
#include "gate.h"
#include "log.h"
#include "look.h"
#include "offload.h"
#include "paths.h"
#include "port.h"
#include "ports.h"
#include "rx.h"
#include "tx.h"

#define MP_NAME       "net_vio_kick_fds"
#define MP_NOTICE     "net_vio_notice"
#define MP_TIMEOUT_S  5
#define FDS_A_MESSAGE RTE_MP_MAX_FD_NUM

bool vio_in_secondary;

/* What a secondary has of a port: dev->process_private. */
struct own {
	unsigned n;
	int kick_fds[]; /* by virtqueue */
};

struct question {
	uint16_t port;
	uint16_t first; /* virtqueue */
};

struct answer {
	int32_t result; /* how many virtqueues have descriptors, or a negative errno value */
};

/* In the primary. */

static int
kick_fd(const struct vio_port *port, uint32_t queue)
{
	struct vio_transport *t = port->transport;

	if (t == NULL || t->ops->queue_kick_fd == NULL || queue > UINT16_MAX)
		return -1;
	return t->ops->queue_kick_fd(t, queue);
}

static int
fill_in(const struct question *question, struct rte_mp_msg *reply)
{
	struct rte_eth_dev *dev = vio_ports_hold(question->port);
	struct vio_port *port;
	unsigned n;

	if (dev == NULL)
		return -ENODEV;
	port = vio_port(dev);
	/* Not waited for: whoever is at work may wait for this thread, which EAL's memory needs. */
	if (!vio_look_begin(port)) {
		vio_ports_let_go();
		return -EBUSY;
	}
	for (n = 0; n < FDS_A_MESSAGE; n++) {
		int fd = kick_fd(port, question->first + n);

		if (fd < 0)
			break;
		reply->fds[n] = fd;
	}
	vio_look_end(port);
	vio_ports_let_go();
	reply->num_fds = n;
	return n;
}

static int
answer_secondary(const struct rte_mp_msg *msg, const void *peer)
{
	struct rte_mp_msg reply = { .name = MP_NAME, .len_param = sizeof(struct answer) };
	struct answer *answer = (struct answer *)reply.param;
	struct question question = { 0 };

	if (msg->len_param != sizeof(question))
		return -EINVAL;
	memcpy(&question, msg->param, sizeof(question));
	answer->result = fill_in(&question, &reply);
	return rte_mp_reply(&reply, peer);
}

struct notice {
	uint16_t port;
	uint16_t cause; /* enum vio_cause */
};

static int
take_notice(const struct rte_mp_msg *msg, const void *peer)
{
	struct rte_eth_dev *dev;
	struct notice notice;

	RTE_SET_USED(peer);
	if (msg->len_param != sizeof(notice))
		return -EINVAL;
	memcpy(&notice, msg->param, sizeof(notice));
	dev = notice.cause < VIO_CAUSES ? vio_ports_hold(notice.port) : NULL;
	if (dev == NULL)
		return -EINVAL;
	vio_recover_notice(vio_port(dev), notice.cause);
	vio_ports_let_go();
	return 0;
}

static bool
registered(const char *name, rte_mp_t action)
{
	return rte_mp_action_register(name, action) == 0 || rte_errno == EEXIST ||
	       rte_errno == ENOTSUP;
}

void
vio_primary_init(void)
{
	if (!registered(MP_NAME, answer_secondary) || !registered(MP_NOTICE, take_notice))
		VIO_LOG(WARNING, "secondary processes will not be able to attach: %s",
			rte_strerror(rte_errno));
}

/* In a secondary. */

/* Takes over the descriptors that came. Where there are others than the answer speaks of, none: 0
 * would be somebody else's. */
static int
take_answer(const struct rte_mp_msg *msg, int *fds)
{
	const struct answer *answer = (const struct answer *)msg->param;

	if (answer->result == msg->num_fds) {
		memcpy(fds, msg->fds, answer->result * sizeof(*fds));
		return answer->result;
	}
	for (int i = 0; i < msg->num_fds; i++)
		close(msg->fds[i]);
	return answer->result < 0 ? answer->result : -EPROTO;
}

/* Some of the descriptors: how many came, or a negative errno value. */
static int
ask_fds(uint16_t port, uint16_t first, int *fds)
{
	struct rte_mp_msg msg = { .name = MP_NAME, .len_param = sizeof(struct question) };
	const struct timespec patience = { .tv_sec = MP_TIMEOUT_S };
	const struct question question = { .port = port, .first = first };
	struct rte_mp_reply reply;
	int ret;

	memcpy(msg.param, &question, sizeof(question));
	if (rte_mp_request_sync(&msg, &reply, &patience) < 0)
		return -rte_errno;
	if (reply.nb_received != 1) {
		free(reply.msgs);
		return -ETIMEDOUT;
	}
	ret = take_answer(&reply.msgs[0], fds);
	free(reply.msgs);
	return ret;
}

static int
take_fds(struct rte_eth_dev *dev, const struct vio_port *port)
{
	unsigned most = 2u * port->max_pairs;
	struct own *own = calloc(1, sizeof(*own) + (most + FDS_A_MESSAGE) * sizeof(int));
	int ret = 0;

	if (own == NULL)
		return -ENOMEM;
	dev->process_private = own;
	if (port->doorbells == VIO_DOORBELLS_EVENTFD)
		vio_doorbell_init();
	while (port->doorbells == VIO_DOORBELLS_EVENTFD && own->n < most) {
		ret = ask_fds(dev->data->port_id, own->n, &own->kick_fds[own->n]);
		if (ret <= 0)
			break;
		own->n += ret;
	}
	return ret < 0 ? ret : 0;
}

void
vio_secondary_kick(const struct vio_ring *ring, const struct vio_port *port, uint16_t next)
{
	struct vio_notifier notifier = ring->notifier;
	const struct own *own;

	if (port->doorbells == VIO_DOORBELLS_MODERN) {
		vio_pci_modern_kicker(port->features)(&notifier, next);
		return;
	}
	own = rte_eth_devices[port->data->port_id].process_private;
	if (own == NULL || ring->index >= own->n)
		return;
	notifier.fd = own->kick_fds[ring->index];
	vio_vhost_user_kick(&notifier, next);
}

void
vio_secondary_notice(const struct vio_port *port, unsigned cause)
{
	struct rte_mp_msg msg = { .name = MP_NOTICE, .len_param = sizeof(struct notice) };
	const struct notice notice = { .port = port->data->port_id, .cause = cause };

	memcpy(msg.param, &notice, sizeof(notice));
	if (rte_mp_sendmsg(&msg) < 0)
		PORT_LOG(port, ERR, "the primary process cannot be told of a fault: %s",
			 rte_strerror(rte_errno));
}

/* The primary can exchange the burst functions while this process polls. */
static uint16_t
receive(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct vio_rxq *q = queue;

	return vio_rx_function(q->port)(queue, pkts, n);
}

static uint16_t
transmit(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct vio_txq *q = queue;

	return vio_tx_path_at(q->port->tx_path_at)->tx(queue, pkts, n);
}

static uint16_t
nothing(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	RTE_SET_USED(queue);
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	return 0;
}

/* What the primary found last. */
static int
link_update(struct rte_eth_dev *dev, int wait)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(wait);
	return 0;
}

/* As far as the primary knows. */
static int
is_removed(struct rte_eth_dev *dev)
{
	return vio_port(dev)->gone;
}

static int
close_own(struct rte_eth_dev *dev)
{
	vio_secondary_detach(dev);
	return 0;
}

/* Nothing that takes the port's lock, sends a command, or changes what is set: ethdev refuses what
 * is not here (ENOTSUP). */
static const struct eth_dev_ops secondary_ops = {
	.dev_close = close_own,
	.is_removed = is_removed,
	.dev_infos_get = vio_infos_get,
	.dev_supported_ptypes_get = vio_supported_ptypes_get,
	.rss_hash_conf_get = vio_rss_hash_conf_get,
	.reta_query = vio_reta_query,
	.link_update = link_update,
	.rxq_info_get = vio_rxq_info_get,
	.txq_info_get = vio_txq_info_get,
	.rx_burst_mode_get = vio_rx_burst_mode_get,
	.tx_burst_mode_get = vio_tx_burst_mode_get,
	.get_monitor_addr = vio_get_monitor_addr,
	.tx_done_cleanup = vio_tx_done_cleanup,
	.stats_get = vio_stats_get,
	.stats_reset = vio_stats_reset,
	.xstats_get = vio_xstats_get,
	.xstats_get_names = vio_xstats_get_names,
	.xstats_reset = vio_stats_reset,
	.eth_dev_priv_dump = vio_priv_dump,
};

/* Another build would find other things at the places that this one goes by. */
intptr_t
vio_build_stamp(void)
{
	return (intptr_t)&vio_ops - (intptr_t)vio_build_stamp + (intptr_t)sizeof(struct vio_port);
}

uint64_t
vio_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* Why this process cannot poll the port; NULL where it can. */
static const char *
cannot_poll(const struct vio_port *port)
{
	if (port->doorbells == VIO_DOORBELLS_PRIVATE)
		return "the doorbells of a legacy device are I/O ports, which only the primary "
		       "process can reach";
	/* Whether a process that left a mark in a gate still lives is asked for by its number. */
	if (port->pid_namespace != vio_pid_namespace())
		return "it is in another PID namespace than the primary process; share one "
		       "(docker: --pid)";
	/* Gates that the primary opens may ask for no fence. */
	if (vio_gate_init() < 0)
		return "the kernel has no membarrier(2)";
	return NULL;
}

static int
attach(struct rte_eth_dev *dev)
{
	const struct vio_port *port = dev->data->dev_private;
	const char *why_not;
	int ret;

	if (port->build != vio_build_stamp()) {
		VIO_LOG(ERR,
			"%s: the primary process drives it by another driver, or another build of "
			"this one; load the same",
			dev->data->name);
		return -EINVAL;
	}
	ret = take_fds(dev, port);
	if (ret < 0) {
		VIO_LOG(ERR, "%s: the primary process does not pass its doorbells on: %s",
			dev->data->name, strerror(-ret));
		return ret;
	}
	vio_in_secondary = true;
	vio_gate_mark = getpid();
	why_not = cannot_poll(port);
	dev->dev_ops = &secondary_ops;
	dev->rx_pkt_burst = why_not == NULL ? receive : nothing;
	dev->tx_pkt_burst = why_not == NULL ? transmit : nothing;
	dev->tx_pkt_prepare = vio_tx_prepare;
	dev->rx_queue_count = vio_rx_queue_count;
	dev->rx_descriptor_status = vio_rx_descriptor_status;
	dev->tx_descriptor_status = vio_tx_descriptor_status;
	vio_ports_enter(dev);
	if (why_not == NULL)
		VIO_LOG(NOTICE,
			"%s: attached; its queues can be polled here, and the primary process "
			"changes it",
			dev->data->name);
	else
		VIO_LOG(WARNING, "%s: attached, and can be looked at here, but not polled: %s",
			dev->data->name, why_not);
	return 0;
}

int
vio_secondary_attach(struct rte_eth_dev *dev)
{
	int ret = attach(dev);

	if (ret < 0)
		vio_secondary_detach(dev);
	return ret;
}

void
vio_secondary_detach(struct rte_eth_dev *dev)
{
	struct own *own = dev->process_private;

	vio_ports_leave(dev);
	dev->process_private = NULL;
	for (unsigned i = 0; own != NULL && i < own->n; i++)
		close(own->kick_fds[i]);
	free(own);
}
