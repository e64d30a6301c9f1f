/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After a migration the device asks the driver to make itself known, so that switches learn where
 * the guest is now (spec 5.1.6.5.4). A driver knows its MAC address, and nothing of the IP
 * addresses of the application: so it says what a MAC address alone can say, a broadcast RARP
 * request.
 *
 * The frame goes out on the first transmit queue, whose gate is closed meanwhile: a burst of the
 * application's finds no room for a moment.
 */
#include "announce.h"

#include <errno.h>

#include <rte_alarm.h>
#include <rte_arp.h>

#include "log.h"
#include "port.h"
#include "tx.h"

/* Beyond this the polling thread is not coming back, and the announcement not urgent. */
#define GATE_MS 100

/* What follows the Ethernet header in the shortest frame. */
#define REST_LEN (RTE_ETHER_MIN_LEN - RTE_ETHER_CRC_LEN - RTE_ETHER_HDR_LEN)

static void
fill_ether(struct rte_ether_hdr *frame, const struct rte_ether_addr *own)
{
	memset(&frame->dst_addr, 0xff, sizeof(frame->dst_addr));
	frame->src_addr = *own;
	frame->ether_type = RTE_BE16(RTE_ETHER_TYPE_RARP);
}

static void
fill_rarp(void *rest, const struct rte_ether_addr *own)
{
	struct rte_arp_hdr *arp = rest;

	memset(rest, 0, REST_LEN);
	arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = sizeof(arp->arp_data.arp_sip);
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REVREQUEST);
	arp->arp_data.arp_sha = *own;
	arp->arp_data.arp_tha = *own;
}

/*
 * Out of a receive pool: a driver has no other. Of two segments, as a transmit queue with
 * MBUF_FAST_FREE gives back all others to the one pool that the application sends from, and looks
 * at the pools of chains.
 */
static struct rte_mbuf *
make_frame(const struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	const struct vio_rxq *rxq = data->nb_rx_queues > 0 ? data->rx_queues[0] : NULL;
	struct rte_mbuf *parts[2];
	char *begin, *end;

	if (rxq == NULL || rte_pktmbuf_alloc_bulk(rxq->pool, parts, RTE_DIM(parts)) < 0)
		return NULL;
	begin = rte_pktmbuf_append(parts[0], RTE_ETHER_HDR_LEN);
	end = rte_pktmbuf_append(parts[1], REST_LEN);
	if (begin == NULL || end == NULL || rte_pktmbuf_chain(parts[0], parts[1]) < 0) {
		rte_pktmbuf_free_bulk(parts, RTE_DIM(parts));
		return NULL;
	}
	fill_ether((struct rte_ether_hdr *)begin, &data->mac_addrs[0]);
	fill_rarp(end, &data->mac_addrs[0]);
	return parts[0];
}

/* Returns 0 or a negative errno value. */
static int
send_frame(const struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	struct vio_txq *q = data->nb_tx_queues > 0 ? data->tx_queues[0] : NULL;
	struct rte_mbuf *mbuf;
	int ret;

	/* Closed already: the port is stopped, or somebody is at work on it. */
	if (q == NULL || vio_gate_is_closed(&q->gate))
		return -EBUSY;
	mbuf = make_frame(port);
	if (mbuf == NULL)
		return -ENOMEM;
	ret = vio_gate_close(&q->gate, GATE_MS);
	if (ret == 0 && vio_tx_behind_gate(q, mbuf) != 1)
		ret = -ENOSPC;
	vio_gate_open(&q->gate);
	if (ret < 0)
		rte_pktmbuf_free(mbuf);
	return ret;
}

static void
announce(struct vio_port *port)
{
	int ret = send_frame(port);

	/* Once: the device may ask as often as it likes. */
	if (ret < 0 && !port->told_unannounced)
		PORT_LOG(port, WARNING,
			 "the device asked to announce the port, but no frame could be sent (%s); "
			 "send a frame of your own",
			 strerror(-ret));
	if (ret == 0 && port->announced++ == 0)
		PORT_LOG(port, NOTICE, "announced the port to the network, as the device asked");
	port->told_unannounced = ret < 0;
}

/* In any case: the device asks again if it wants to. */
static void
acknowledge(struct vio_port *port)
{
	const struct vio_ctrl_command ack = {
		.what = "acknowledgement of the announcement",
		.class = VIO_NET_CTRL_ANNOUNCE,
		.command = VIO_NET_CTRL_ANNOUNCE_ACK,
		.told = &port->told_unacknowledged,
	};

	vio_ctrl_run(port, &ack);
}

/* On the interrupt thread. The port may have been stopped since. */
static void
announce_now(void *arg)
{
	struct vio_port *port = arg;

	pthread_mutex_lock(&port->lock);
	port->announcing = false;
	if (port->ctrl.live && !port->gone && port->recovery.health == VIO_HEALTH_WELL) {
		port->announce_late = port->link_held;
		if (!port->link_held)
			announce(port);
		acknowledge(port);
	}
	pthread_mutex_unlock(&port->lock);
}

void
vio_announce_soon(struct vio_port *port)
{
	if (port->announcing)
		return;
	port->announcing = rte_eal_alarm_set(1, announce_now, port) == 0;
	if (!port->announcing)
		PORT_LOG(port, WARNING,
			 "no memory for an alarm; going without the announcement that the device "
			 "asked for, until the link is looked at again");
}

void
vio_announce_late(struct vio_port *port)
{
	if (!port->announce_late || port->link_held)
		return;
	port->announce_late = false;
	announce(port);
}

void
vio_announce_fini(struct vio_port *port)
{
	rte_eal_alarm_cancel(announce_now, port);
}
