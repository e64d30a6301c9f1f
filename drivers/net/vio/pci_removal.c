/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_removal.h"

#include <errno.h>
#include <string.h>

#include <ethdev_pci.h>
#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_pause.h>

#include "log.h"
#include "port.h"
#include "recover.h"

/* PCI Local Bus 3.0, 6.1: what reads as all ones is no vendor, but an empty slot. */
#define CFG_VENDOR_ID 0x00
#define NO_VENDOR     UINT16_MAX

/* Is this the device's name as EAL's events have it? They come with its address, or with the name
 * by which the user asked for it. */
static bool
is_name_of(const struct rte_pci_device *pci, const char *name)
{
	return strcmp(name, pci->name) == 0 || strcmp(name, pci->device.name) == 0;
}

/*
 * With VFIO, the kernel asks for the device back and waits, however long it takes; with UIO it is
 * gone already, and EAL has put plain memory in the place of its BARs. EAL holds a lock meanwhile
 * that is needed to let go of the device, so the application hears of it later, by an alarm.
 */
static void
device_event(const char *name, enum rte_dev_event_type type, void *arg)
{
	struct vio_port *port = arg;

	if (type == RTE_DEV_EVENT_REMOVE && is_name_of(RTE_ETH_DEV_TO_PCI(port->dev), name))
		vio_recover_notice(port, VIO_CAUSE_UNPLUGGED);
}

int
vio_pci_watch(struct vio_port *port)
{
	int ret = rte_dev_event_callback_register(NULL, device_event, port);

	if (ret < 0)
		PORT_LOG(port, ERR, "EAL does not tell when the device is to go: %s",
			 strerror(-ret));
	return ret;
}

void
vio_pci_unwatch(struct vio_port *port)
{
	/* It only sets an alarm, so one that runs on EAL's thread is over soon. */
	while (rte_dev_event_callback_unregister(NULL, device_event, port) == -EAGAIN)
		rte_pause();
}

bool
vio_pci_is_there(struct rte_pci_device *pci)
{
	uint16_t vendor = NO_VENDOR;

	return rte_pci_read_config(pci, &vendor, sizeof(vendor), CFG_VENDOR_ID) ==
		       (int)sizeof(vendor) &&
	       vendor != NO_VENDOR;
}
