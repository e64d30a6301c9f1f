/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_dev.h>
#include <rte_errno.h>

#include "commands.h"
#include "msg.h"

static int
start_port(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(words);
	if (port->started) {
		msg_notice("port %u (%s): is started already", port->id, port->name);
		return 0;
	}
	if (port_start(port, &session->options))
		msg_notice("port %u (%s): started", port->id, port->name);
	return 0;
}

static int
stop_port(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	if (port_stop(port))
		msg_notice("port %u (%s): stopped", port->id, port->name);
	return 0;
}

static bool
must_be_stopped(const struct port *port)
{
	if (!port->started)
		return true;
	msg_error("port %u (%s): is started, expected a stopped port", port->id, port->name);
	msg_hint("port stop %u", port->id);
	return false;
}

static int
reset_port(struct session *session, struct port *port, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	if (!must_be_stopped(port))
		return 0;
	port->renew = true;
	return rte_eth_dev_reset(port->id);
}

static void
port_start_all(struct session *session, const struct words *words)
{
	for_ports(session, words, 2, "start", start_port);
}

static void
port_stop_all(struct session *session, const struct words *words)
{
	for_ports(session, words, 2, "stop", stop_port);
}

static void
port_reset_all(struct session *session, const struct words *words)
{
	for_ports(session, words, 2, "reset", reset_port);
}

/* The run before refers to ports by their place: forget it before places change. */
static void
close_port(struct session *session, struct port *port)
{
	int ret;

	if (!port_is_gone(port) && !must_be_stopped(port))
		return;
	session_forget(session);
	port_stop(port);
	ret = rte_eth_dev_close(port->id);
	if (ret != 0 && !port_is_gone(port))
		port_did(port, "close", ret);
	else
		msg_notice("port %u (%s): closed", port->id, port->name);
	session_lock();
	ports_remove(&session->ports, port);
	session_unlock();
}

static void
port_close(struct session *session, const struct words *words)
{
	bool all = word_is(words, 2, "all");

	for (uint16_t i = session->ports.count; i-- > 0;)
		if (all || session->ports.of[i].id == word_number(words, 2))
			close_port(session, &session->ports.of[i]);
}

/* One device may have several ports. */
static uint16_t
take_new_ports(struct session *session)
{
	uint16_t id, taken = 0;

	RTE_ETH_FOREACH_DEV (id) {
		const struct port *port;

		if (ports_find(&session->ports, id) != NULL)
			continue;
		session_lock();
		port = ports_add(&session->ports, id, &session->options);
		session_unlock();
		if (port == NULL)
			continue;
		msg_notice("port %u (%s): attached, stopped as yet", id, port->name);
		taken++;
	}
	return taken;
}

/* What takes their place may get their numbers. */
static void
forget_gone_ports(struct session *session)
{
	session_lock();
	for (uint16_t i = session->ports.count; i-- > 0;)
		if (!rte_eth_dev_is_valid_port(session->ports.of[i].id))
			ports_remove(&session->ports, &session->ports.of[i]);
	session_unlock();
}

static void
port_attach(struct session *session, const struct words *words)
{
	const char *name = words->of[2];
	int ret;

	session_forget(session);
	forget_gone_ports(session);
	ret = rte_dev_probe(name);
	if (ret != 0) {
		msg_error("port attach: found '%s', expected a device that a driver takes: %s",
			  name, rte_strerror(-ret));
		msg_hint("a PCI address bound to vfio-pci, or a virtual device such as net_null0");
	} else if (take_new_ports(session) == 0) {
		msg_error("port attach: %s brought no new port", name);
	}
}

static void
port_detach(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 2);
	struct rte_device *device = port->info.device;
	uint16_t id = port->id;
	bool has_device = rte_eth_dev_is_valid_port(id);
	int ret;

	if (!port_is_gone(port) && !must_be_stopped(port))
		return;
	close_port(session, port);
	ret = has_device ? rte_dev_remove(device) : 0;
	if (ret == 0)
		msg_notice("port %u: its device is detached", id);
	else
		msg_error("port %u: its device was not detached: %s", id, rte_strerror(-ret));
}

static const struct {
	const char *way, *what;
	int (*act)(uint16_t port, uint16_t queue);
	const char *name;
} queue_acts[] = {
	{ "rxq", "start", rte_eth_dev_rx_queue_start, "starting a receive queue" },
	{ "rxq", "stop", rte_eth_dev_rx_queue_stop, "stopping a receive queue" },
	{ "txq", "start", rte_eth_dev_tx_queue_start, "starting a transmit queue" },
	{ "txq", "stop", rte_eth_dev_tx_queue_stop, "stopping a transmit queue" },
};

static void
port_queue(struct session *session, const struct words *words)
{
	struct port *port = word_port(session, words, 1);
	bool receives = word_is(words, 2, "rxq"), stops = word_is(words, 4, "stop");
	uint16_t count = receives ? port->nb_rxq : port->nb_txq;

	if (count == 0 || !in_range(receives ? "rxq" : "txq", word_number(words, 3), 0, count - 1))
		return;
	for (size_t i = 0; i < RTE_DIM(queue_acts); i++) {
		if (!word_is(words, 2, queue_acts[i].way) || !word_is(words, 4, queue_acts[i].what))
			continue;
		if (port_did(port, queue_acts[i].name,
			     queue_acts[i].act(port->id, word_number(words, 3))))
			(receives ? port->rxq_stopped
				  : port->txq_stopped)[word_number(words, 3)] = stops;
	}
}

const struct command commands_port[] = {
	{ "port start PORTS", "configure if need be, and start", true, port_start_all },
	{ "port stop PORTS", "stop a port", true, port_stop_all },
	{ "port close PORTS", "close a stopped port", true, port_close },
	{ "port reset PORTS", "reset a stopped port", true, port_reset_all },
	{ "port attach NAME", "add a device: PCI address or virtual device", true, port_attach },
	{ "port detach PORT", "close a stopped port, remove its device", true, port_detach },
	{ "port PORT rxq|txq N start|stop", "start or stop one queue", true, port_queue },
	{ 0 },
};
