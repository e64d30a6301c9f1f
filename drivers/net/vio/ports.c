/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports.h"

#include <pthread.h>

#include <ethdev_driver.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rte_eth_dev *ports[RTE_MAX_ETHPORTS];

void
vio_ports_enter(struct rte_eth_dev *dev)
{
	pthread_mutex_lock(&lock);
	ports[dev->data->port_id] = dev;
	pthread_mutex_unlock(&lock);
}

void
vio_ports_leave(const struct rte_eth_dev *dev)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < RTE_DIM(ports); i++)
		if (ports[i] == dev)
			ports[i] = NULL;
	pthread_mutex_unlock(&lock);
}

struct rte_eth_dev *
vio_ports_hold(uint16_t id)
{
	pthread_mutex_lock(&lock);
	if (id < RTE_DIM(ports) && ports[id] != NULL)
		return ports[id];
	pthread_mutex_unlock(&lock);
	return NULL;
}

void
vio_ports_let_go(void)
{
	pthread_mutex_unlock(&lock);
}
