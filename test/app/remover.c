/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A plug-in that makes ports go away, on SIGUSR1: those named in VIO_TEST_REMOVE, separated by
 * commas. It sends their removal event, as a bus driver does that lost a device; or where a + is
 * before the name, has the device removed, with all that its driver has of it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

/* Of ethdev's driver interface, whose headers are not installed. */
struct rte_eth_dev;
struct rte_eth_dev *rte_eth_dev_allocated(const char *name);
int rte_eth_dev_callback_process(struct rte_eth_dev *dev, enum rte_eth_event_type event,
				 void *argument);

static volatile sig_atomic_t asked;

static void
on_signal(int number)
{
	(void)number;
	asked = 1;
}

static void
remove_device(const char *name)
{
	struct rte_eth_dev_info info;
	uint16_t port;

	if (rte_eth_dev_get_port_by_name(name, &port) != 0 ||
	    rte_eth_dev_info_get(port, &info) != 0 || rte_dev_remove(info.device) != 0)
		abort();
	fprintf(stderr, "remover: %s removed\n", name);
}

static void *
remove_when_asked(void *argument)
{
	char *names = strdup(getenv("VIO_TEST_REMOVE")), *rest = names;

	(void)argument;
	while (!asked)
		usleep(1000);
	for (char *name; (name = strsep(&rest, ",")) != NULL;)
		if (name[0] == '+')
			remove_device(name + 1);
		else
			rte_eth_dev_callback_process(rte_eth_dev_allocated(name),
						     RTE_ETH_EVENT_INTR_RMV, NULL);
	free(names);
	return NULL;
}

static void __attribute__((constructor)) begin(void)
{
	pthread_t thread;

	signal(SIGUSR1, on_signal);
	pthread_create(&thread, NULL, remove_when_asked, NULL);
}
