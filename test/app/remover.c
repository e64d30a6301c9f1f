/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A plug-in that makes ports go away. On SIGUSR1 it sends the removal event of the ethdevs named
 * in VIO_TEST_REMOVE, separated by commas, as a bus driver does that lost a device.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void *
remove_when_asked(void *argument)
{
	char *names = strdup(getenv("VIO_TEST_REMOVE")), *rest = names;

	(void)argument;
	while (!asked)
		usleep(1000);
	for (char *name; (name = strsep(&rest, ",")) != NULL;)
		rte_eth_dev_callback_process(rte_eth_dev_allocated(name), RTE_ETH_EVENT_INTR_RMV,
					     NULL);
	free(names);
	return NULL;
}

static void __attribute__((constructor)) begin(void)
{
	pthread_t thread;

	signal(SIGUSR1, on_signal);
	pthread_create(&thread, NULL, remove_when_asked, NULL);
}
