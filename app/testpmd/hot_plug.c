/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include "hot_plug.h"
#include "msg.h"
#include "run.h"

/* Whoever says that a device is gone still uses it at that time; it is EAL's interrupt thread,
 * which runs alarms as well, one thing after the other. */
#define LEAVE_US 10000

static bool begun;
static bool asked;  /* of the main thread: an alarm is set */
static bool passed; /* written by the interrupt thread, once for each alarm */

bool
hot_plug_begin(void)
{
	int ret = rte_dev_hotplug_handle_enable();

	if (ret == 0) {
		ret = rte_dev_event_monitor_start();
		if (ret != 0)
			rte_dev_hotplug_handle_disable();
	}
	begun = ret == 0;
	if (begun)
		return true;
	msg_error("--hot-plug: EAL cannot listen for devices that go: %s", rte_strerror(-ret));
	msg_hint("it needs the kernel's netlink messages; leave the option out to run without");
	return false;
}

static void
on_passed(void *unused)
{
	RTE_SET_USED(unused);
	__atomic_store_n(&passed, true, __ATOMIC_RELEASE);
	run_wake();
}

void
hot_plug_end(void)
{
	if (!begun)
		return;
	begun = false;
	rte_eal_alarm_cancel(on_passed, NULL);
	rte_dev_event_monitor_stop();
	rte_dev_hotplug_handle_disable();
}

static void
release(struct port *port)
{
	struct rte_device *device = port->info.device;
	bool there = rte_eth_dev_is_valid_port(port->id);
	int ret;

	port->pulled = port->leaves = false;
	port_stop(port);
	ret = there ? rte_eth_dev_close(port->id) : 0;
	if (ret != 0)
		msg_notice("port %u (%s): close failed: %s", port->id, port->name,
			   rte_strerror(-ret));
	/* It has gone with another of its ports, where it had several. */
	ret = there ? rte_dev_remove(device) : 0;
	if (ret == 0)
		msg_notice("port %u (%s): closed, its device is detached", port->id, port->name);
	else
		msg_notice("port %u (%s): closed, its device was not detached: %s", port->id,
			   port->name, rte_strerror(-ret));
}

static bool
is_pulled(const struct port *port)
{
	return __atomic_load_n(&port->pulled, __ATOMIC_ACQUIRE);
}

/* One that is found later waits for the next alarm. */
static void
ask(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		ports->of[i].leaves = is_pulled(&ports->of[i]);
		asked = asked || ports->of[i].leaves;
	}
	if (asked && rte_eal_alarm_set(LEAVE_US, on_passed, NULL) != 0)
		asked = false; /* the next look tries again */
}

void
hot_plug_look(struct ports *ports)
{
	if (!begun || ports->secondary)
		return;
	if (!asked) {
		ask(ports);
	} else if (__atomic_exchange_n(&passed, false, __ATOMIC_ACQUIRE)) {
		asked = false;
		for (uint16_t i = 0; i < ports->count; i++)
			if (ports->of[i].leaves)
				release(&ports->of[i]);
	}
}

void
hot_plug_look_idle(struct ports *ports)
{
	for (uint16_t i = 0; begun && i < ports->count; i++) {
		struct port *port = &ports->of[i];

		if (port_is_gone(port) || !rte_eth_dev_is_valid_port(port->id) ||
		    rte_eth_dev_is_removed(port->id) == 0)
			continue;
		port->gone = port->pulled = true;
		msg_notice("port %u (%s): the device is gone", port->id, port->name);
	}
	hot_plug_look(ports);
}
