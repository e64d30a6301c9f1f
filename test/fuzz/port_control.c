/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control queue: each operation that sends commands, and each start, while the device answers
 * as it likes (control.h). What must hold: an operation succeeds only if the device said OK to each
 * of its commands, and only then changes what the port tells; a counter of the device's is told
 * only as the device told it; every wait ends, and after a command without an answer no other is
 * sent.
 */
#include "control.h"

#include <errno.h>

#include <rte_ethdev.h>

#include "net/vio/lro.h"
#include "net/vio/port.h"

enum { SIZE = 8, TABLE_MAX = 512, KEY_MAX = 255, XSTATS_MAX = 512, VLANS = 4 };

static bool tricked; /* since the last start the driver may have taken an answer for one that was
			none */
static bool silent;  /* a command was never answered: nothing more is sent before the next start */

static bool
is_live(const struct port *port)
{
	return vio_port(port->dev)->ctrl.live;
}

/* --- what the port tells of RSS -----------------------------------------------------------------
 */

struct rss {
	uint16_t size;
	struct rte_eth_rss_reta_entry64 table[TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
	uint8_t key[KEY_MAX], key_len;
	uint64_t types;
};

static void
look_at_rss(const struct port *port, struct rss *rss)
{
	uint16_t id = port->dev->data->port_id;
	struct rte_eth_rss_conf conf = { rss->key, sizeof(rss->key), 0 };
	struct rte_eth_dev_info info;

	memset(rss, 0, sizeof(*rss));
	rte_eth_dev_info_get(id, &info);
	rss->size = info.reta_size;
	must(rss->size <= TABLE_MAX, "a table that fits");
	for (uint16_t i = 0; i < rss->size / RTE_ETH_RETA_GROUP_SIZE; i++)
		rss->table[i].mask = UINT64_MAX;
	if (rss->size > 0)
		must(rte_eth_dev_rss_reta_query(id, rss->table, rss->size) == 0, "a table is told");
	if (rte_eth_dev_rss_hash_conf_get(id, &conf) == 0) {
		rss->key_len = conf.rss_key_len;
		rss->types = conf.rss_hf;
	}
}

static void
has_not_changed(const struct port *port, const struct rss *before)
{
	struct rss now;

	look_at_rss(port, &now);
	must(memcmp(&now, before, sizeof(now)) == 0, "what the device refused is not told");
}

static int
update_hash(struct port *port, struct input *in)
{
	uint8_t key[KEY_MAX], len = 40 + take8(in) % 32;
	struct rte_eth_rss_conf conf = { key, len, take64(in) };

	memset(key, take8(in), sizeof(key));
	return rte_eth_dev_rss_hash_update(port->dev->data->port_id, &conf);
}

static int
update_table(struct port *port, struct input *in)
{
	struct rte_eth_rss_reta_entry64 table[TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE] = { 0 };
	uint16_t size = vio_port(port->dev)->rss.table_size;

	for (uint8_t n = take8(in) % 8; n > 0; n--) {
		uint8_t group = take8(in) % RTE_DIM(table), at = take8(in) % 64;

		table[group].mask |= UINT64_C(1) << at;
		table[group].reta[at] = take8(in) % 4;
	}
	return size == 0 ? -ENOTSUP
			 : rte_eth_dev_rss_reta_update(port->dev->data->port_id, table, size);
}

static int
change_rss(struct port *port, struct input *in)
{
	struct rss before;
	int ret;

	look_at_rss(port, &before);
	ret = take8(in) & 1 ? update_hash(port, in) : update_table(port, in);
	if (ret != 0)
		has_not_changed(port, &before);
	return ret;
}

/* --- counters of the device's -------------------------------------------------------------------
 */

static unsigned
check_counters(const struct port *port, const struct rte_eth_xstat *values, uint16_t queue,
	       uint8_t first, uint8_t last)
{
	uint64_t types = vio_port(port->dev)->device_stats.types;
	unsigned at = 0;

	for (uint8_t type = first; type <= last; type++)
		for (uint8_t i = 0; types & UINT64_C(1) << type && i < control_counters(type);
		     i++, at++)
			must(control.any_counter || values[at].value == 0 ||
				     values[at].value == control_counter(queue, type, i),
			     "a counter is what the device said of it");
	return at;
}

static void
tell_counters(const struct port *port)
{
	static struct rte_eth_xstat_name names[XSTATS_MAX];
	static struct rte_eth_xstat values[XSTATS_MAX];
	const struct rte_eth_dev_data *data = port->dev->data;
	int n = rte_eth_xstats_get(data->port_id, values, XSTATS_MAX), at = 0;

	must(n > 0 && n <= XSTATS_MAX, "there are counters");
	must(rte_eth_xstats_get_names(data->port_id, names, XSTATS_MAX) == n, "each has a name");
	while (at < n && strncmp(names[at].name, "device_", 7) != 0)
		at++;
	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		at += check_counters(port, values + at, VIO_NET_RXQ(i), 0, 3);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		at += check_counters(port, values + at, VIO_NET_TXQ(i), 16, 19);
	at += check_counters(port, values + at, control_queue(port), 32, 32);
	must(at == n, "and there are no others");
}

/* --- other operations ---------------------------------------------------------------------------
 */

static int
change_mode(const struct port *port, uint8_t which)
{
	uint16_t id = port->dev->data->port_id;

	/* Or ethdev does not ask the driver again. */
	port->dev->data->promiscuous = which & 1;
	port->dev->data->all_multicast = which & 1;
	switch (which % 4) {
	case 0:
		return rte_eth_promiscuous_enable(id);
	case 1:
		return rte_eth_promiscuous_disable(id);
	case 2:
		return rte_eth_allmulticast_enable(id);
	default:
		return rte_eth_allmulticast_disable(id);
	}
}

static int
change_addresses(const struct port *port, struct input *in)
{
	struct rte_ether_addr macs[300];
	uint16_t id = port->dev->data->port_id, n;
	uint8_t kind = take8(in);

	memset(macs, 0, sizeof(macs));
	for (size_t i = 0; i < RTE_DIM(macs); i++) {
		macs[i].addr_bytes[0] = kind % 4 == 3 ? 1 : 2;
		macs[i].addr_bytes[5] = (uint8_t)i;
	}
	n = take8(in);
	switch (kind % 4) {
	case 0:
		return rte_eth_dev_default_mac_addr_set(id, &macs[n]);
	case 1:
		return rte_eth_dev_mac_addr_add(id, &macs[n], 0);
	case 2:
		rte_eth_dev_mac_addr_remove(id,
					    &macs[n]); /* tells nothing of what the driver did */
		return -EAGAIN;
	default:
		return rte_eth_dev_set_mc_addr_list(id, macs, n > 250 ? RTE_DIM(macs) : n);
	}
}

/* The device asks to be announced, until it is told that this was done. */
static void
announce(struct port *port)
{
	struct peer *tx = &port->peers[VIO_NET_TXQ(0)];
	struct rte_eth_link link;

	port->config.status |= VIO_NET_S_ANNOUNCE;
	rte_eth_link_get_nowait(port->dev->data->port_id, &link);
	port_alarms();
	port->config.status &= ~VIO_NET_S_ANNOUNCE;
	peer_fetch(port, tx);
	while (tx->n_held > SIZE / 2)
		peer_use(port, tx, 0, 0);
}

static int
change_queue(const struct port *port, uint8_t kind)
{
	uint16_t id = port->dev->data->port_id, queue = (kind >> 2) % port->queues;
	int ret;

	switch (kind % 4) {
	case 0:
		ret = rte_eth_dev_rx_queue_stop(id, queue);
		break;
	case 1:
		ret = rte_eth_dev_rx_queue_start(id, queue);
		break;
	case 2:
		ret = rte_eth_dev_tx_queue_stop(id, queue);
		break;
	default:
		ret = rte_eth_dev_tx_queue_start(id, queue);
	}
	return ret == 0 ? -EAGAIN : ret; /* mostly without a command */
}

/* A start that fails works as soon as the device is honest. */
static int
restart(struct port *port)
{
	uint16_t id = port->dev->data->port_id;
	int ret;

	rte_eth_dev_stop(id);
	silent = tricked = false;
	port->calls = 0;
	ret = rte_eth_dev_start(id);
	if (ret < 0) {
		must(!port->dev->data->dev_started, "a start that failed leaves it stopped");
		control.honest = true;
		port->calls = 0;
		must(rte_eth_dev_start(id) == 0, "a start after it works");
		control.honest = false;
	}
	return ret == 0 ? -EAGAIN : ret; /* one table may be refused */
}

/* Commands that the device may refuse all the same: where it takes no table of addresses, it is
 * asked for all frames. */
static unsigned may_refuse;

/* Returns what the operation did; -EAGAIN: what does not tell whether the device agreed. */
static int
operate(struct port *port, struct input *in)
{
	uint16_t id = port->dev->data->port_id;
	uint8_t kind = take8(in);

	may_refuse = 0;
	switch (kind % 16) {
	case 0:
	case 1:
	case 2:
		return change_mode(port, kind / 16);
	case 3:
	case 4:
	case 5:
		may_refuse = 1;
		return change_addresses(port, in);
	case 6:
	case 7:
		return rte_eth_dev_vlan_filter(id, 1 + take8(in) % VLANS, kind >> 7);
	case 8:
	case 9:
	case 10:
		return change_rss(port, in);
	case 11:
		announce(port);
		return -EAGAIN;
	case 14:
		return vio_lro_switch(vio_port(port->dev), kind >> 7);
	case 12:
		return change_queue(port, take8(in));
	case 13:
		return restart(port);
	default:
		tell_counters(port);
		return -EAGAIN;
	}
}

static void
command(struct port *port, struct input *in)
{
	const struct peer *peer = &port->peers[control_queue(port)];
	unsigned kicks = peer->kicks;
	bool was_silent = silent;
	int ret;

	control_next();
	port->calls = 0;
	ret = operate(port, in);
	must(ret <= 0, "an error is negative");
	if (ret == 0 && is_live(port) && !control.unsure) {
		must(peer->kicks == kicks || control.oks > 0, "the device said OK to a success");
		must(control.refusals <= may_refuse, "and to each of its commands");
	}
	must(!was_silent || !silent || peer->kicks == kicks,
	     "after a command without an answer none is sent");
	tricked |= control.unsure;
	silent |= is_live(port) && !tricked && control_is_waiting(port);
}

static uint64_t
choose(uint32_t shape)
{
	static const struct {
		uint32_t bit;
		enum vio_feature feature;
	} table[] = {
		{ 0, VIRTIO_F_RING_PACKED },
		{ 1, VIRTIO_F_IN_ORDER },
		{ 2, VIRTIO_NET_F_MQ },
		{ 3, VIRTIO_NET_F_RSS },
		{ 4, VIRTIO_NET_F_HASH_REPORT },
		{ 5, VIRTIO_NET_F_DEVICE_STATS },
		{ 6, VIRTIO_NET_F_NOTF_COAL },
		{ 7, VIRTIO_NET_F_VQ_NOTF_COAL },
		{ 8, VIRTIO_NET_F_CTRL_VLAN },
		{ 9, VIRTIO_NET_F_CTRL_RX_EXTRA },
		{ 10, VIRTIO_NET_F_GUEST_ANNOUNCE },
		{ 11, VIRTIO_F_RING_RESET },
		{ 12, VIRTIO_NET_F_MRG_RXBUF },
		{ 12, VIRTIO_NET_F_GUEST_CSUM },
		{ 12, VIRTIO_NET_F_GUEST_TSO4 },
		{ 12, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS },
		{ 13, VIRTIO_F_INDIRECT_DESC },
	};
	uint64_t features = VIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIO_BIT(VIRTIO_NET_F_CTRL_RX) |
			    VIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | VIO_BIT(VIRTIO_NET_F_STATUS);

	for (size_t i = 0; i < RTE_DIM(table); i++)
		features |= shape & 1u << table[i].bit ? VIO_BIT(table[i].feature) : 0;
	return features;
}

static void
config_init(struct port *port, struct input *in)
{
	static const uint16_t tables[] = { 0, 64, 128, 300, 1024, 65535 };
	uint8_t kind = take8(in);

	port->config = (struct vio_net_config){
		.status = VIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = port->pairs,
		.rss_max_key_size = kind & 3 ? 36 + 4 * (kind & 15) : take8(in),
		.rss_max_indirection_table_length = tables[(kind >> 4) % RTE_DIM(tables)],
		.supported_hash_types = kind & 128 ? take32(in) : 0x1ff,
	};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint16_t shape = take16(&in);
	struct port port = { .pairs = shape & 1 << 14 ? 3 : 1, .turn = control_turn };
	struct rte_eth_dev_info info;
	uint64_t offloads;

	port.coalesces = shape & 1 << 15;
	port.rss = true;
	control_init(true);
	silent = tricked = false;
	config_init(&port, &in);
	must(port_open(&port, &in, choose(shape), false), "a port");
	rte_eth_dev_info_get(port.dev->data->port_id, &info);
	port.queues = RTE_MIN(info.max_rx_queues, 2);
	offloads = info.rx_offload_capa &
		   (RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_RSS_HASH |
		    RTE_ETH_RX_OFFLOAD_TCP_LRO);
	must(port_start(&port, SIZE, offloads, 0) == 0, "starts");
	control.honest = false;
	while (in.left > 0)
		command(&port, &in);
	port_close(&port);
	return 0;
}
