/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A modern virtio-net function on a PCI bus, and what EAL's bus does with it: registers and
 * configuration space in front of the device model of test/device. One at a time. Calls of the bus
 * can be made to fail (inject.h); the BAR is memory only while it is mapped, so that a sanitizer
 * sees each access before and after.
 */
#ifndef PMD_PCI_FUNCTION_H
#define PMD_PCI_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"

#define FUNCTION_NAME "0000:fa:1c.0"

enum function_state {
	FUNCTION_THERE,
	FUNCTION_GONE,     /* unplugged: all reads as ones */
	FUNCTION_REPLACED, /* unplugged from UIO: EAL has put zeroes in the place of the BAR */
};

struct function {
	struct device *dev;
	enum function_state state;
	bool bus_master;        /* may it reach memory? As mapping it leaves it, until told else */
	bool loads_fail;        /* the load of a register counts as a call, and the device goes: */
	enum function_state to; /* to this */
	bool virtual_addresses; /* that is what EAL uses */
	bool not_bound;         /* to a driver of user space */
	bool has_ports;         /* at BAR 0, instead of the modern capabilities, */
	bool headers_apart;     /* and without ANY_LAYOUT */
	bool has_functions;     /* virtual ones */
	const char *sysfs;      /* where the kernel shows functions; NULL: nowhere */
};

extern struct function function;

/* A device is plugged in that has just been made, and the one before taken away, with nothing of it
 * mapped or listened for. NULL: none. */
void function_plug(struct device *dev);

/* What EAL does to probe it with net_vio (devargs: as a user writes them) and to remove it. */
int function_probe(const char *devargs);
int function_remove(void);

/* The device's turn: it sees the doorbells that were rung, and those queues alone. */
void function_turn(void);

/* EAL's word that the device is to go. */
void function_ask_back(void);

/* How many of these there are now. */
unsigned function_mapped(void);
unsigned function_ports_mapped(void);
/* Queues whose rings the legacy device has been told of. */
unsigned function_port_rings(void);
unsigned function_watched(void);

#endif
