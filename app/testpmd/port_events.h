/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_PORT_EVENTS_H
#define TESTPMD_PORT_EVENTS_H

#include "lcores.h"
#include "ports.h"
#include "streams.h"

/* Who is to know when a port goes away. */
struct port_watch {
	struct ports *ports;
	struct streams *streams;
	const struct lcores *lcores;
};

/*
 * From now on link changes are printed, and a port that is removed is marked gone, its streams
 * are disabled, and the run is woken. *watch must outlive port_events_unwatch().
 */
void port_events_watch(struct port_watch *watch);
void port_events_unwatch(struct port_watch *watch);

/* Asks each driver whether its device is still there: not every one sends an event. */
void port_events_check(struct port_watch *watch);

#endif
