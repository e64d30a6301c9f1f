/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which burst functions there are, what each of them needs, and why the chosen one was chosen.
 * Choosing is a walk down a table, fastest first; explaining is telling which condition refused the
 * rows above.
 */
#ifndef VIO_PMD_PATHS_H
#define VIO_PMD_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include <ethdev_driver.h>

struct vio_port;

struct vio_condition {
	bool (*holds)(const struct vio_port *port);
	const char *otherwise; /* in words, what refused the path */
};

struct vio_path {
	const char *name;
	union {
		eth_rx_burst_t rx;
		eth_tx_burst_t tx;
	};
	eth_rx_burst_t rx_words;            /* without vectors; NULL: it has none anyway */
	struct vio_condition conditions[4]; /* ends at the first without holds */
	uint64_t flags;                     /* RTE_ETH_BURST_FLAG_* */
};

/* The first path of which every condition holds. There always is one. */
const struct vio_path *vio_rx_path_choose(const struct vio_port *port);
const struct vio_path *vio_tx_path_choose(const struct vio_port *port);

/* By their places in the tables, which are the same in every process. */
const struct vio_path *vio_rx_path_at(uint8_t place);
const struct vio_path *vio_tx_path_at(uint8_t place);

/* The receive function of the path that was chosen. */
eth_rx_burst_t vio_rx_function(const struct vio_port *port);

/* Writes into text the path's name, the ring that it works on, and why the rows above were refused.
 */
void vio_rx_path_explain(const struct vio_port *port, char *text, size_t size);
void vio_tx_path_explain(const struct vio_port *port, char *text, size_t size);

#endif
