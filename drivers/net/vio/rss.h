/* SPDX-License-Identifier: BSD-3-Clause */
/* How the device spreads frames over the receive queues. */
#ifndef VIO_PMD_RSS_H
#define VIO_PMD_RSS_H

#include <stdint.h>

#include <rte_ethdev.h>

struct rte_eth_dev;
struct vio_port;

/* The largest table that ethdev knows. */
#define VIO_RSS_TABLE_MAX RTE_ETH_RSS_RETA_SIZE_512
#define VIO_RSS_KEY_MAX   255

/* What was asked for, under the port's lock; and what the device can. Kept while stopped. */
struct vio_rss {
	uint32_t supported;  /* hash types that both sides know; 0 without RSS and HASH_REPORT */
	uint8_t key_max;     /* the longest key that the device takes */
	uint16_t table_size; /* a power of two; 0 without RSS */
	uint32_t types;      /* hash types asked for; 0: no RSS */
	uint8_t key_len;
	uint8_t key[VIO_RSS_KEY_MAX];
	uint16_t table_queues; /* how many queues the table was made for */
	uint16_t table[VIO_RSS_TABLE_MAX];
};

/*
 * Reads what the device says of RSS, between FEATURES_OK and DRIVER_OK. Sizes that make no sense
 * take the feature out of port->wanted and port->features, after a warning that names them.
 * Returns 0 or the transport's error.
 */
int vio_rss_inspect(struct vio_port *port);

/* dev_configure's part: takes over what rx_adv_conf says. 0 or -EINVAL. */
int vio_rss_configure(struct vio_port *port);

/* The hash types that an application may ask for, as RTE_ETH_RSS_*. */
uint64_t vio_rss_offloads(const struct vio_port *port);

/*
 * Tells a live device how many queue pairs it shall use, and how it chooses among them. With the
 * lock held. 0 or a negative errno value.
 */
int vio_rss_restore(struct vio_port *port);

int vio_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int vio_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int vio_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta, uint16_t size);
int vio_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta, uint16_t size);

#endif
