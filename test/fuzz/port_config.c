/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probe, set-up, start, stop and close of a port whose device answers anything, or nothing, at any
 * step. What must hold: what the port then promises the application is possible; every step ends;
 * and once the device is honest, everything comes back.
 */
#include "port.h"

#include <rte_ethdev.h>

#include "net/vio/port.h"

static void
check_promises(const struct port *port)
{
	struct rte_eth_dev_info info;
	const struct vio_port *vio = vio_port(port->dev);

	must(rte_eth_dev_info_get(port->dev->data->port_id, &info) == 0, "a port tells");
	must(info.max_rx_queues >= 1 && info.max_rx_queues <= RTE_MAX_QUEUES_PER_PORT, "queues");
	must(info.max_mtu >= 68, "an MTU that IP can live with");
	must(info.rx_desc_lim.nb_max >= 1 && info.rx_desc_lim.nb_max <= 32768, "descriptors");
	must(info.tx_desc_lim.nb_max >= 1 && info.tx_desc_lim.nb_max <= 32768, "both ways");
	must(rte_is_valid_assigned_ether_addr(port->dev->data->mac_addrs), "an address");
	must((vio->features & ~vio->offered) == 0, "no feature that was not offered");
}

static void
operate(struct port *port, struct input *in)
{
	static const uint16_t sizes[] = { 1, 2, 64, 256 };
	uint16_t id = port->dev->data->port_id;
	struct rte_eth_stats stats;
	struct rte_eth_link link;

	port->calls = 0;
	switch (take8(in) % 6) {
	case 0:
	case 1:
		if (!port->dev->data->dev_started)
			must(port_start(port, sizes[take8(in) % 4], 0, 0) <= 0,
			     "an error is negative");
		break;
	case 2:
		rte_eth_dev_stop(id);
		break;
	case 3:
		rte_eth_link_get_nowait(id, &link);
		break;
	case 4:
		rte_eth_stats_get(id, &stats);
		break;
	default:
		rte_eth_dev_set_mtu(id, take16(in));
	}
}

static void
config_init(struct port *port, struct input *in)
{
	uint8_t kind = take8(in);

	port->pairs = 1 + kind % 4;
	port->config = (struct vio_net_config){
		.mac = { 2, 0, 0, 0, 0, 1 },
		.status = VIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = port->pairs,
		.mtu = 1500,
	};
	if (kind & 0x80)
		take_bytes(in, &port->config, sizeof(port->config));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct port port = { .pairs = 1 };
	uint64_t features = take8(&in) & 1 ? UINT64_MAX : take64(&in);

	config_init(&port, &in);
	if (!port_open(&port, &in, features, true))
		return 0;
	check_promises(&port);
	while (in.left > 0)
		operate(&port, &in);
	port_close(&port);
	return 0;
}
