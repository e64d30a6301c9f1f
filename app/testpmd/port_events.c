/* SPDX-License-Identifier: BSD-3-Clause */
#include "msg.h"
#include "port_events.h"
#include "run.h"

static void
port_gone(struct port_watch *watch, struct port *port)
{
	/* The interrupt thread and the main one can both learn of it. */
	if (__atomic_exchange_n(&port->gone, true, __ATOMIC_RELAXED))
		return;
	streams_disable(watch->streams, port->id);
	/* Whoever removes it frees its memory when this returns. */
	lcores_pass_turn(watch->lcores);
	msg_notice("port %u (%s): the device is gone, it is no longer polled", port->id,
		   port->name);
	run_wake();
}

static int
on_removal(uint16_t id, enum rte_eth_event_type event, void *argument, void *unused)
{
	struct port_watch *watch = argument;
	struct port *port = ports_find(watch->ports, id);

	RTE_SET_USED(unused);
	if (port == NULL)
		return 0;
	if (event == RTE_ETH_EVENT_INTR_RMV && !port_is_gone(port))
		__atomic_store_n(&port->pulled, true, __ATOMIC_RELEASE);
	port_gone(watch, port);
	return 0;
}

static int
on_link_change(uint16_t id, enum rte_eth_event_type event, void *argument, void *unused)
{
	struct port_watch *watch = argument;
	struct port *port = ports_find(watch->ports, id);
	struct rte_eth_link link;
	char text[RTE_ETH_LINK_MAX_STR_LEN];

	RTE_SET_USED(event);
	RTE_SET_USED(unused);
	if (port == NULL || rte_eth_link_get_nowait(id, &link) != 0)
		return 0;
	rte_eth_link_to_str(text, sizeof(text), &link);
	msg_notice("port %u (%s): %s", id, port->name, text);
	return 0;
}

static const struct {
	enum rte_eth_event_type event;
	rte_eth_dev_cb_fn callback;
} handlers[] = {
	{ RTE_ETH_EVENT_INTR_LSC, on_link_change },
	{ RTE_ETH_EVENT_INTR_RMV, on_removal },
	{ RTE_ETH_EVENT_DESTROY, on_removal },
};

void
port_events_watch(struct port_watch *watch)
{
	for (size_t i = 0; i < RTE_DIM(handlers); i++)
		rte_eth_dev_callback_register(RTE_ETH_ALL, handlers[i].event, handlers[i].callback,
					      watch);
}

void
port_events_unwatch(struct port_watch *watch)
{
	for (size_t i = 0; i < RTE_DIM(handlers); i++)
		rte_eth_dev_callback_unregister(RTE_ETH_ALL, handlers[i].event,
						handlers[i].callback, watch);
}

/* Its driver may have given the port up while nobody watched: ethdev then knows it no more. */
static bool
is_there(struct port *port)
{
	if (!rte_eth_dev_is_valid_port(port->id))
		return false;
	if (rte_eth_dev_is_removed(port->id) == 0)
		return true;
	__atomic_store_n(&port->pulled, true, __ATOMIC_RELEASE);
	return false;
}

void
port_events_check(struct port_watch *watch)
{
	for (uint16_t i = 0; i < watch->ports->count; i++) {
		struct port *port = &watch->ports->of[i];

		if (!port_is_gone(port) && !is_there(port))
			port_gone(watch, port);
	}
}
