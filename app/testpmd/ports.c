/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_errno.h>
#include <rte_string_fns.h>

#include "fwd.h"
#include "msg.h"
#include "ports.h"

/* Mbufs that every pool has, for drivers that keep some besides their rings. */
#define SPARE_MBUFS 8192

/* ethdev's own default where neither user nor driver names a size. */
#define RING_SIZE_FALLBACK 512

static uint16_t
ring_size(uint32_t asked, uint16_t driver_default, uint16_t limit)
{
	if (asked != 0)
		return asked;
	if (driver_default != 0)
		return driver_default;
	return limit == 0 ? RING_SIZE_FALLBACK : RTE_MIN(RING_SIZE_FALLBACK, limit);
}

static bool
enough_queues(const struct port *port)
{
	if (port->nb_rxq > port->info.max_rx_queues) {
		msg_error("port %u (%s): --rxq %u, the device has %u", port->id, port->name,
			  port->nb_rxq, port->info.max_rx_queues);
		msg_hint("ask for at most %u receive queues, or give the device more",
			 port->info.max_rx_queues);
		return false;
	}
	if (port->nb_txq > port->info.max_tx_queues) {
		msg_error("port %u (%s): --txq %u, the device has %u", port->id, port->name,
			  port->nb_txq, port->info.max_tx_queues);
		msg_hint("ask for at most %u transmit queues, or give the device more",
			 port->info.max_tx_queues);
		return false;
	}
	return true;
}

static void
choose_rings(struct port *port, const struct options *options)
{
	port->rxd = ring_size(options->rxd, port->info.default_rxportconf.ring_size,
			      port->info.rx_desc_lim.nb_max);
	port->txd = ring_size(options->txd, port->info.default_txportconf.ring_size,
			      port->info.tx_desc_lim.nb_max);
}

/* Reads what the port is and offers. */
static bool
learn_port(struct port *port, uint16_t id, const struct options *options)
{
	int ret;

	*port = (struct port){
		.id = id, .nb_rxq = options->rxq, .nb_txq = options->txq, .renew = true
	};
	if (rte_eth_dev_get_name_by_port(id, port->name) != 0)
		strlcpy(port->name, "unnamed", sizeof(port->name));
	ret = rte_eth_dev_info_get(id, &port->info);
	if (ret != 0) {
		msg_error("port %u (%s): cannot read what the device offers: %s", id, port->name,
			  rte_strerror(-ret));
		msg_hint("check the driver's messages above");
		return false;
	}
	strlcpy(port->driver, port->info.driver_name, sizeof(port->driver));
	choose_rings(port, options);
	return enough_queues(port);
}

/* As many mbufs as rings, caches and bursts can hold at once. */
static uint64_t
mbufs_needed(const struct ports *ports, const struct options *options)
{
	uint64_t per_sent = options_make_frames(options) ? options->txpkts.count : 1;
	uint64_t per_lcore = options->mbcache * 3 / 2 + MAX_BURST * per_sent;
	uint64_t needed = SPARE_MBUFS + (options->nb_cores + 1) * per_lcore;

	for (uint16_t i = 0; i < ports->count; i++) {
		const struct port *port = &ports->of[i];

		needed += port->nb_rxq * port->rxd + port->nb_txq * port->txd * per_sent;
	}
	return needed;
}

static bool
give_pools(struct ports *ports, const struct options *options)
{
	uint64_t needed = mbufs_needed(ports, options);

	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->of[i];
		int socket = rte_eth_dev_socket_id(port->id);

		/* A virtual device is on no node. */
		if (socket < 0)
			socket = rte_socket_id();
		port->pool = pools_get(&ports->pools, socket, needed, options);
		if (port->pool == NULL)
			return false;
	}
	return true;
}

static void
tell_pools(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++)
		ports->of[i].many_pools = ports->pools.count > 1;
}

static bool
is_wanted(const struct ports *ports, uint16_t id, const struct options *options)
{
	if (options->portmask != 0)
		return id < 64 && (options->portmask & RTE_BIT64(id)) != 0;
	return options->nb_ports == 0 || ports->count < options->nb_ports;
}

static bool
find_ports(struct ports *ports, const struct options *options)
{
	uint64_t missing = options->portmask;
	uint16_t id;

	RTE_ETH_FOREACH_DEV (id) {
		if (!is_wanted(ports, id, options))
			continue;
		if (id < 64)
			missing &= ~RTE_BIT64(id);
		if (!learn_port(&ports->of[ports->count], id, options))
			return false;
		ports->count++;
	}
	if (missing != 0 || ports->count < options->nb_ports) {
		msg_error("%s names more ports than the %u that there are",
			  missing != 0 ? "--portmask" : "--nb-ports", rte_eth_dev_count_avail());
		msg_hint("ask for fewer, or give EAL more devices");
		return false;
	}
	if (ports->count > 0 || options->interactive)
		return true;
	msg_error("no port: EAL found no network device that a driver takes");
	msg_hint("bind one (dpdk-devbind.py -b vfio-pci ADDRESS) or name one (--vdev)");
	return false;
}

/* The first process made the pools and started the ports. */
static bool
join_ports(struct ports *ports)
{
	ports->secondary = true;
	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->of[i];
		int socket = RTE_MAX(rte_eth_dev_socket_id(port->id), 0);

		port->pool = pools_find(socket);
		if (port->pool == NULL) {
			msg_error("port %u (%s): the first process has no mbuf pool for it",
				  port->id, port->name);
			msg_hint("start the process with --proc-id 0 first, with the same ports");
			return false;
		}
		port->renew = false;
		port->started = true;
		rte_eth_macaddr_get(port->id, &port->mac);
	}
	return true;
}

bool
ports_open(struct ports *ports, const struct options *options)
{
	*ports = (struct ports){ 0 };
	if (!find_ports(ports, options))
		return false;
	if (rte_eal_process_type() == RTE_PROC_SECONDARY)
		return join_ports(ports);
	if (!give_pools(ports, options))
		return false;
	tell_pools(ports);
	for (uint16_t i = 0; i < ports->count; i++)
		if (!port_start(&ports->of[i], options))
			return false;
	return true;
}

struct port *
ports_add(struct ports *ports, uint16_t id, const struct options *options)
{
	struct port *port = &ports->of[ports->count];

	if (ports->count == RTE_DIM(ports->of) || !learn_port(port, id, options))
		return NULL;
	ports->count++;
	if (give_pools(ports, options)) {
		tell_pools(ports);
		return port;
	}
	ports->count--;
	return NULL;
}

void
ports_remove(struct ports *ports, struct port *port)
{
	uint16_t after = ports->of + ports->count - port - 1;

	memmove(port, port + 1, after * sizeof(*port));
	ports->count--;
}

bool
ports_renew(struct ports *ports, const struct options *options)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->of[i];
		struct port wanted = *port;

		wanted.nb_rxq = options->rxq;
		wanted.nb_txq = options->txq;
		if (!enough_queues(&wanted))
			return false;
	}
	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->of[i];

		port->nb_rxq = options->rxq;
		port->nb_txq = options->txq;
		choose_rings(port, options);
		port->renew = true;
	}
	return true;
}

bool
port_stop(struct port *port)
{
	int ret;

	if (!port->started)
		return true;
	port->started = false;
	if (!rte_eth_dev_is_valid_port(port->id))
		return true;
	ret = rte_eth_dev_stop(port->id);
	if (ret == 0 || port_is_gone(port))
		return true;
	msg_notice("port %u (%s): stop failed: %s", port->id, port->name, rte_strerror(-ret));
	return false;
}

void
ports_stop(struct ports *ports)
{
	/* The last one first: it may hang on to one before it, as a vhost-user device does. */
	for (uint16_t i = ports->secondary ? 0 : ports->count; i-- > 0;)
		port_stop(&ports->of[i]);
}

void
ports_close(struct ports *ports)
{
	ports_stop(ports);
	for (uint16_t i = ports->secondary ? 0 : ports->count; i-- > 0;) {
		struct port *port = &ports->of[i];
		int ret;

		if (!rte_eth_dev_is_valid_port(port->id))
			continue;
		ret = rte_eth_dev_close(port->id);
		if (ret != 0 && !port_is_gone(port))
			msg_notice("port %u (%s): close failed: %s", port->id, port->name,
				   rte_strerror(-ret));
	}
}

static void
flush_queue(const struct port *port, uint16_t queue)
{
	struct rte_mbuf *packets[MAX_BURST];
	uint32_t left = port->rxd;
	uint16_t count;

	/* A generator such as net_null never runs dry. */
	do {
		count = rte_eth_rx_burst(port->id, queue, packets, MAX_BURST);
		rte_pktmbuf_free_bulk(packets, count);
		left -= RTE_MIN(left, count);
	} while (count > 0 && left > 0);
}

void
ports_flush_rx(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++)
		for (uint16_t queue = 0; queue < ports->of[i].nb_rxq; queue++)
			if (ports->of[i].started && !port_is_gone(&ports->of[i]) &&
			    !ports->of[i].rxq_stopped[queue])
				flush_queue(&ports->of[i], queue);
}

void
ports_clear_stats(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		rte_eth_stats_reset(ports->of[i].id);
		rte_eth_xstats_reset(ports->of[i].id);
	}
}

void
ports_begin_stats(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->of[i];

		if (port_is_gone(port) || rte_eth_stats_get(port->id, &port->base) != 0)
			port->base = (struct rte_eth_stats){ 0 };
	}
}

/* A counter that was set to 0 in between counts from there. */
static void
subtract(uint64_t *now, const uint64_t *base)
{
	if (*now >= *base)
		*now -= *base;
}

bool
port_stats(const struct port *port, struct rte_eth_stats *stats)
{
	const uint64_t *base = (const uint64_t *)&port->base;
	uint64_t *now = (uint64_t *)stats;

	if (port_is_gone(port) || rte_eth_stats_get(port->id, stats) != 0)
		return false;
	for (size_t i = 0; i < sizeof(*stats) / sizeof(*now); i++)
		subtract(&now[i], &base[i]);
	return true;
}

bool
ports_links_up(const struct ports *ports)
{
	struct rte_eth_link link;

	for (uint16_t i = 0; i < ports->count; i++) {
		if (port_is_gone(&ports->of[i]))
			continue;
		if (rte_eth_link_get_nowait(ports->of[i].id, &link) == 0 &&
		    link.link_status == RTE_ETH_LINK_DOWN)
			return false;
	}
	return true;
}

struct port *
ports_find(struct ports *ports, uint16_t id)
{
	for (uint16_t i = 0; i < ports->count; i++)
		if (ports->of[i].id == id)
			return &ports->of[i];
	return NULL;
}
