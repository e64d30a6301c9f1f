/* SPDX-License-Identifier: BSD-3-Clause */
#include "paths.h"

#include <rte_common.h>

#include "log.h"
#include "port.h"
#include "rx.h"
#include "simd.h"
#include "tx.h"

static bool
has_no_mergeable(const struct vio_port *port)
{
	return !vio_has(port->features, VIRTIO_NET_F_MRG_RXBUF);
}

static bool
has_mergeable(const struct vio_port *port)
{
	return !has_no_mergeable(port);
}

static bool
has_chains(const struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (((const struct vio_rxq *)data->rx_queues[i])->chain > 1)
			return true;
	return false;
}

static bool
has_no_chains(const struct vio_port *port)
{
	return !has_chains(port);
}

static bool
has_no_tx_offloads(const struct vio_port *port)
{
	return (port->dev->data->dev_conf.txmode.offloads & VIO_TX_OFFLOADS) == 0;
}

static bool
has_no_rx_offloads(const struct vio_port *port)
{
	return (port->dev->data->dev_conf.rxmode.offloads & VIO_RX_OFFLOADS) == 0 &&
	       port->ptypes == 0;
}

static bool
has_header_beside(const struct vio_port *port)
{
	return !vio_header_is_apart(port);
}

static bool
has_usual_header(const struct vio_port *port)
{
	return vio_net_hdr_len(port->features) == VIO_NET_HDR_LEN;
}

#define NO_MERGEABLE                                                                  \
	{                                                                             \
		has_no_mergeable, "MRG_RXBUF is negotiated (mrg_rxbuf=0 declines it)" \
	}
#define NO_OFFLOADS                                           \
	{                                                     \
		has_no_rx_offloads, "a receive offload is on" \
	}
#define MERGEABLE                                            \
	{                                                    \
		has_mergeable, "MRG_RXBUF is not negotiated" \
	}
#define CHAINS                                                 \
	{                                                      \
		has_chains, "each buffer takes one descriptor" \
	}
#define NO_CHAINS                                                   \
	{                                                           \
		has_no_chains, "a buffer takes several descriptors" \
	}
#define NO_TX_OFFLOADS                                         \
	{                                                      \
		has_no_tx_offloads, "a transmit offload is on" \
	}

#define BESIDE                                                                      \
	{                                                                           \
		has_header_beside, "headers have to be in descriptors of their own" \
	}
#define USUAL_HEADER                                                                 \
	{                                                                            \
		has_usual_header, "the header of packets has 10 or 20 bytes, not 12" \
	}

static const struct vio_path rx_paths[] = {
	{
		.name = "plain",
		.rx = vio_rx_plain,
		.rx_words = vio_rx_plain_words,
		.conditions = { NO_MERGEABLE, NO_CHAINS, NO_OFFLOADS, USUAL_HEADER },
	},
	{
		.name = "mergeable",
		.rx = vio_rx_mergeable,
		.rx_words = vio_rx_mergeable_words,
		.conditions = { MERGEABLE, NO_OFFLOADS, USUAL_HEADER },
	},
	{
		.name = "large buffers",
		.rx = vio_rx_chains,
		.conditions = { NO_MERGEABLE, CHAINS, NO_OFFLOADS, USUAL_HEADER },
	},
	{
		.name = "plain with offloads",
		.rx = vio_rx_plain_offloads,
		.rx_words = vio_rx_plain_offloads_words,
		.conditions = { NO_MERGEABLE, NO_CHAINS, USUAL_HEADER },
	},
	{
		.name = "mergeable with offloads",
		.rx = vio_rx_mergeable_offloads,
		.rx_words = vio_rx_mergeable_offloads_words,
		.conditions = { MERGEABLE, USUAL_HEADER },
	},
	{
		.name = "plain, other header",
		.rx = vio_rx_plain_other_header,
		.conditions = { NO_MERGEABLE, NO_CHAINS },
	},
	{
		.name = "mergeable, other header",
		.rx = vio_rx_mergeable_other_header,
		.conditions = { MERGEABLE },
	},
	{
		.name = "large buffers with offloads",
		.rx = vio_rx_chains_offloads,
	},
};

static const struct vio_path tx_paths[] = {
	{
		.name = "chains",
		.tx = vio_tx,
		.conditions = { NO_TX_OFFLOADS, USUAL_HEADER },
	},
	{
		.name = "chains, other header",
		.tx = vio_tx_other_header,
		.conditions = { NO_TX_OFFLOADS, BESIDE },
	},
	{
		.name = "chains with offloads",
		.tx = vio_tx_offloads,
		.conditions = { BESIDE },
	},
	{
		.name = "headers apart",
		.tx = vio_tx_apart_header,
		.conditions = { NO_TX_OFFLOADS },
	},
	{
		.name = "headers apart with offloads",
		.tx = vio_tx_apart_header_offloads,
	},
};

/* The first condition that does not hold, or NULL. */
static const struct vio_condition *
refusal(const struct vio_path *path, const struct vio_port *port)
{
	for (size_t i = 0; i < RTE_DIM(path->conditions) && path->conditions[i].holds; i++)
		if (!path->conditions[i].holds(port))
			return &path->conditions[i];
	return NULL;
}

static const struct vio_path *
choose(const struct vio_path *paths, size_t n, const struct vio_port *port)
{
	for (size_t i = 0; i < n - 1; i++)
		if (refusal(&paths[i], port) == NULL)
			return &paths[i];
	return &paths[n - 1];
}

static void
explain(const struct vio_path *paths, const struct vio_path *chosen, const struct vio_port *port,
	char *text, size_t size)
{
	bool packed = vio_has(port->features, VIRTIO_F_RING_PACKED);
	bool in_order = vio_has(port->features, VIRTIO_F_IN_ORDER);
	char simd[96];
	int at;

	vio_simd_explain(port->simd, port->args.simd, simd, sizeof(simd));
	at = snprintf(text, size, "vio %s (%s ring, %s, %s", chosen->name,
		      packed ? "packed" : "split", in_order ? "in order" : "any order", simd);

	for (const struct vio_path *path = paths; path < chosen; path++)
		if ((size_t)at < size)
			at += snprintf(text + at, size - at, "; not '%s': %s", path->name,
				       refusal(path, port)->otherwise);
	if ((size_t)at < size)
		snprintf(text + at, size - at, ")");
}

const struct vio_path *
vio_rx_path_choose(const struct vio_port *port)
{
	return choose(rx_paths, RTE_DIM(rx_paths), port);
}

const struct vio_path *
vio_tx_path_choose(const struct vio_port *port)
{
	return choose(tx_paths, RTE_DIM(tx_paths), port);
}

void
vio_rx_path_explain(const struct vio_port *port, char *text, size_t size)
{
	explain(rx_paths, port->rx_path, port, text, size);
}

void
vio_tx_path_explain(const struct vio_port *port, char *text, size_t size)
{
	explain(tx_paths, port->tx_path, port, text, size);
}

const struct vio_path *
vio_rx_path_at(uint8_t place)
{
	return &rx_paths[RTE_MIN(place, RTE_DIM(rx_paths) - 1)];
}

const struct vio_path *
vio_tx_path_at(uint8_t place)
{
	return &tx_paths[RTE_MIN(place, RTE_DIM(tx_paths) - 1)];
}

eth_rx_burst_t
vio_rx_function(const struct vio_port *port)
{
	const struct vio_path *path = vio_rx_path_at(port->rx_path_at);

	return port->simd == VQ_SIMD_WORDS && path->rx_words != NULL ? path->rx_words : path->rx;
}

void
vio_port_choose_paths(struct vio_port *port)
{
	port->rx_path = vio_rx_path_choose(port);
	port->tx_path = vio_tx_path_choose(port);
	port->rx_path_at = port->rx_path - vio_rx_path_at(0);
	port->tx_path_at = port->tx_path - vio_tx_path_at(0);
	port->dev->rx_pkt_burst = vio_rx_function(port);
	port->dev->tx_pkt_burst = port->tx_path->tx;
	vio_rx_path_explain(port, port->rx_text, sizeof(port->rx_text));
	PORT_LOG(port, NOTICE, "receive: %s", port->rx_text);
	vio_tx_path_explain(port, port->tx_text, sizeof(port->tx_text));
	PORT_LOG(port, NOTICE, "transmit: %s", port->tx_text);
}

void
vio_port_switch_paths(struct vio_port *port)
{
	struct rte_eth_dev *dev = port->dev;

	vio_port_choose_paths(port);
	__atomic_store_n(&rte_eth_fp_ops[dev->data->port_id].rx_pkt_burst, dev->rx_pkt_burst,
			 __ATOMIC_RELEASE);
}
