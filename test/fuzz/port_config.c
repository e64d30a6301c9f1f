/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probe, set-up, start, stop and close of a port whose device answers anything, or nothing, at any
 * step. What must hold: what the port then promises the application is possible; every step ends;
 * and once the device is honest, everything comes back.
 */
#include "control.h"

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
	must(info.reta_size == 0 || (info.reta_size >= 128 && info.reta_size <= 512 &&
				     rte_is_power_of_2(info.reta_size)),
	     "a table that ethdev can name");
	must((info.flow_type_rss_offloads == 0) == (info.hash_key_size == 0),
	     "a key where there is something to hash");
	must(info.hash_key_size == 0 || info.hash_key_size >= 40, "of a length that hashes need");
	must((vio->features & ~vio->offered) == 0, "no feature that was not offered");
}

/* The device changes a field, and tells it by another generation; or does not. */
static void
change_config(struct port *port, struct input *in)
{
	uint8_t at = take8(in) % sizeof(port->config);

	((uint8_t *)&port->config)[at] = take8(in);
	port->generation += take8(in) & 1;
}

static void
operate(struct port *port, struct input *in)
{
	static const uint16_t sizes[] = { 1, 2, 64, 256 };
	uint16_t id = port->dev->data->port_id;
	struct rte_eth_stats stats;
	struct rte_eth_link link;

	port->calls = 0;
	control_next();
	switch (take8(in) % 7) {
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
	case 5:
		change_config(port, in);
		rte_eth_link_get_nowait(id, &link);
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
		.speed = 1000,
		.duplex = 1,
		.rss_max_key_size = 40,
		.rss_max_indirection_table_length = 128,
		.supported_hash_types = 0x1ff,
	};
	if (kind & 0x80)
		take_bytes(in, &port->config, sizeof(port->config));
	else if (kind & 0x40)
		for (uint8_t n = 1 + take8(in) % 3; n > 0; n--)
			change_config(port, in);
	port->coalesces = kind & 0x20;
	port->rss = kind & 0x10;
	port->queues = kind & 0x08 ? 2 : 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct port port = { .pairs = 1, .turn = control_turn };
	uint64_t features = take8(&in) & 1 ? UINT64_MAX : take64(&in);

	control_init(false);
	config_init(&port, &in);
	if (!port_open(&port, &in, features, true))
		return 0;
	check_promises(&port);
	while (in.left > 0)
		operate(&port, &in), port_alarms();
	port_close(&port);
	return 0;
}
