/* SPDX-License-Identifier: BSD-3-Clause */
/* The control queue (spec 5.1.6.5). */
#include <string.h>

#include "control.h"
#include "internal.h"

enum { ACK_OK = 0, ACK_ERR = 1 };
enum { COMMAND_MAX = 8192 };

static bool
set_rx_mode(struct device *dev, struct command *c)
{
	if (c->len != 1 || c->data[0] > 1) {
		fault(dev, control_index(dev), "NETCTRL-RX-03", "rx mode %u: %u bytes", c->code,
		      c->len);
		return false;
	}
	dev->net.rx_mode[c->code] = c->data[0];
	return true;
}

/* Two tables, each a count and that many addresses. */
static bool
set_mac_table(struct device *dev, struct command *c)
{
	uint64_t at = 0;
	uint32_t counts[2];
	uint64_t first[2];

	for (int i = 0; i < 2; i++) {
		if (at + 4 > c->len)
			goto malformed;
		counts[i] = le32_at(c->data + at);
		first[i] = at + 4;
		at += 4 + UINT64_C(6) * counts[i];
		for (uint64_t mac = at - UINT64_C(6) * counts[i]; mac < at && mac < c->len;
		     mac += 6)
			if ((c->data[mac] & 1) != i)
				goto malformed;
	}
	if (at != c->len)
		goto malformed;
	dev->net.unicast = counts[0];
	dev->net.multicast = counts[1];
	if (counts[0] > 0)
		memcpy(dev->net.first_unicast, c->data + first[0], 6);
	if (counts[1] > 0)
		memcpy(dev->net.first_multicast, c->data + first[1], 6);
	dev->net.tables = 0;
	for (uint32_t i = 0; i < c->len; i++)
		dev->net.tables = dev->net.tables * 31 + c->data[i];
	return true;
malformed:
	fault(dev, control_index(dev), "NETCTRL-MAC-03", "MAC tables of %u bytes", c->len);
	return false;
}

static bool
set_mac(struct device *dev, struct command *c)
{
	if (c->len != 6)
		return false;
	memcpy(dev->net.mac, c->data, 6);
	return true;
}

static bool
change_vlan(struct device *dev, struct command *c)
{
	uint16_t id;

	if (c->len != 2 || le16_at(c->data) >= 4096) {
		fault(dev, control_index(dev), "NETCTRL-VLAN-02", "a VLAN id of %u bytes", c->len);
		return false;
	}
	id = le16_at(c->data);
	if (c->code == 0)
		dev->net.vlan[id / 8] |= (uint8_t)(1 << id % 8);
	else
		dev->net.vlan[id / 8] &= (uint8_t) ~(1 << id % 8);
	return true;
}

static bool
acknowledge_announce(struct device *dev, struct command *c)
{
	if (c->len != 0)
		return false;
	dev->net.announced++;
	device_config_set(dev, 6, dev->config[6] & ~2u, 1);
	return true;
}

/* A pair may be switched on only when its queues are there (spec 5.1.6.5.6). */
static bool
pairs_ready(struct device *dev, uint16_t pairs)
{
	for (uint16_t i = 0; i < 2 * pairs; i++)
		if (!dev->queues[i].enabled)
			return false;
	return true;
}

static bool
set_pairs(struct device *dev, struct command *c)
{
	uint16_t pairs = c->len == 2 ? le16_at(c->data) : 0;

	if (pairs == 0 || pairs > dev->options.pairs) {
		fault(dev, control_index(dev), pairs == 0 ? "NETCTRL-MQ-02" : "NETCTRL-MQ-03",
		      "%u pairs of %u", pairs, dev->options.pairs);
		return false;
	}
	if (!pairs_ready(dev, pairs))
		fault(dev, control_index(dev), "NETCTRL-MQ-01", "%u pairs: not all set up", pairs);
	dev->net.pairs = pairs;
	/* The last command of the class decides (spec 5.1.6.5.5). */
	dev->net.rss_entries = 0;
	dev->net.hash_types = 0;
	return true;
}

static bool
rss_fault(struct device *dev, const char *rule, const char *what)
{
	fault(dev, control_index(dev), rule, "rss: %s", what);
	return false;
}

static bool
set_rss_key(struct device *dev, const struct command *c, uint32_t at)
{
	uint8_t len;

	if (at + 1 > c->len)
		return rss_fault(dev, "NETCTRL-RSS-08", "cut off before the key's length");
	len = c->data[at];
	if (len > dev->config[17] || at + 1 + len != c->len)
		return rss_fault(dev, "NETCTRL-RSS-08", "the key's length");
	dev->net.rss_key_len = len;
	memcpy(dev->net.rss_key, c->data + at + 1, len);
	return true;
}

static bool
check_hash_types(struct device *dev, uint32_t types)
{
	if (types & ~le32_at(dev->config + 20))
		return rss_fault(dev, "NETCTRL-RSS-05", "a hash type that is not supported");
	return true;
}

/* struct virtio_net_rss_config: types, mask, unclassified, table, max_tx_vq, key (spec 5.1.6.5.7).
 */
static bool
set_rss(struct device *dev, struct command *c)
{
	uint32_t entries, at;

	if (c->len < 8 || !check_hash_types(dev, le32_at(c->data)))
		return false;
	entries = le16_at(c->data + 4) + 1u;
	if (entries & (entries - 1))
		return rss_fault(dev, "NETCTRL-RSS-03", "entries are no power of two");
	if (entries > le16_at(dev->config + 18) || entries > 512)
		return rss_fault(dev, "NETCTRL-RSS-04", "too many entries");
	at = 8 + 2 * entries;
	if (at + 2 > c->len)
		return rss_fault(dev, "NETCTRL-RSS-08", "cut off");
	for (uint32_t i = 0; i < entries; i++) {
		uint16_t rq = le16_at(c->data + 8 + 2 * i);

		if (rq >= dev->options.pairs || !dev->queues[2 * rq].enabled)
			return rss_fault(dev, "NETCTRL-RSS-02", "an entry names no receive queue");
		dev->net.rss_table[i] = rq;
	}
	if (!set_rss_key(dev, c, at + 2))
		return false;
	dev->net.rss_entries = (uint16_t)entries;
	dev->net.hash_types = le32_at(c->data);
	dev->net.pairs = le16_at(c->data + at); /* max_tx_vq */
	return true;
}

/* struct virtio_net_hash_config: types, four reserved words, key (spec 5.1.6.5.6.4). */
static bool
set_hash(struct device *dev, struct command *c)
{
	static const uint8_t zero[8];

	if (c->len < 13 || !check_hash_types(dev, le32_at(c->data)))
		return false;
	if (memcmp(c->data + 4, zero, sizeof(zero)) != 0)
		return rss_fault(dev, "NETCTRL-HASH-01", "reserved bytes are not zero");
	if (!set_rss_key(dev, c, 12))
		return false;
	dev->net.hash_types = le32_at(c->data);
	return true;
}

/* Bits of the mask are feature bits, as far as the first 64 (spec 5.1.6.5.8). */
static bool
set_offloads(struct device *dev, struct command *c)
{
	uint64_t mask;

	if (c->len != 8)
		return false;
	mask = le32_at(c->data) | (uint64_t)le32_at(c->data + 4) << 32;
	if (mask & ~dev->driver_features) {
		fault(dev, control_index(dev), "NETCTRL-OFFL-01", "offloads 0x%jx",
		      (uintmax_t)mask);
		return false;
	}
	dev->net.offloads = mask;
	return true;
}

/* struct virtio_net_ctrl_coal (spec 5.1.6.5.9). */
static struct device_coal
coal_at(const uint8_t *p)
{
	return (struct device_coal){ .packets = le32_at(p), .usecs = le32_at(p + 4) };
}

static bool
set_coal(struct device *dev, struct command *c)
{
	if (c->len != 8)
		return false;
	dev->net.coal[c->code] = coal_at(c->data);
	return true;
}

static bool
set_coal_queue(struct device *dev, struct command *c)
{
	uint16_t index = c->len == 12 ? le16_at(c->data) : UINT16_MAX;

	if (index >= control_index(dev) || index >= 64 || !dev->queues[index].enabled) {
		fault(dev, control_index(dev), "NETCTRL-COAL-01", "coalescing of queue %u", index);
		return false;
	}
	dev->net.coal_queue[index] = coal_at(c->data + 4);
	return true;
}

static const struct {
	uint8_t class, code;
	enum device_feature feature;
	const char *rule;
	bool (*run)(struct device *dev, struct command *c);
} commands[] = {
	{ 0, 0, DEVICE_F_CTRL_RX, "NETCTRL-RX-01", set_rx_mode },
	{ 0, 1, DEVICE_F_CTRL_RX, "NETCTRL-RX-01", set_rx_mode },
	{ 0, 2, DEVICE_F_CTRL_RX_EXTRA, "NETCTRL-RX-02", set_rx_mode },
	{ 0, 3, DEVICE_F_CTRL_RX_EXTRA, "NETCTRL-RX-02", set_rx_mode },
	{ 0, 4, DEVICE_F_CTRL_RX_EXTRA, "NETCTRL-RX-02", set_rx_mode },
	{ 0, 5, DEVICE_F_CTRL_RX_EXTRA, "NETCTRL-RX-02", set_rx_mode },
	{ 1, 0, DEVICE_F_CTRL_RX, "NETCTRL-MAC-01", set_mac_table },
	{ 1, 1, DEVICE_F_CTRL_MAC_ADDR, "NETCTRL-MAC-05", set_mac },
	{ 2, 0, DEVICE_F_CTRL_VLAN, "NETCTRL-VLAN-01", change_vlan },
	{ 2, 1, DEVICE_F_CTRL_VLAN, "NETCTRL-VLAN-01", change_vlan },
	{ 3, 0, DEVICE_F_GUEST_ANNOUNCE, "NETCTRL-ANN-02", acknowledge_announce },
	{ 4, 0, DEVICE_F_MQ, "NETCTRL-MQ-01", set_pairs },
	{ 4, 1, DEVICE_F_RSS, "NETCTRL-RSS-01", set_rss },
	{ 4, 2, DEVICE_F_HASH_REPORT, "NETCTRL-HASH-02", set_hash },
	{ 6, 0, DEVICE_F_NOTF_COAL, "NETCTRL-COAL-02", set_coal },
	{ 6, 1, DEVICE_F_NOTF_COAL, "NETCTRL-COAL-02", set_coal },
	{ 6, 2, DEVICE_F_VQ_NOTF_COAL, "NETCTRL-COAL-03", set_coal_queue },
	{ 5, 0, DEVICE_F_CTRL_GUEST_OFFLOADS, "NETCTRL-OFFL-05", set_offloads },
	{ 8, 0, DEVICE_F_DEVICE_STATS, "NETCTRL-STATS-01", query_stats },
	{ 8, 1, DEVICE_F_DEVICE_STATS, "NETCTRL-STATS-01", get_stats },
};

static uint8_t
execute(struct device *dev, struct command *c)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].class != c->class || commands[i].code != c->code)
			continue;
		if (!has_feature(dev, commands[i].feature)) {
			fault(dev, control_index(dev), commands[i].rule,
			      "class %u command %u without its feature", c->class, c->code);
			return ACK_ERR;
		}
		return commands[i].run(dev, c) ? ACK_OK : ACK_ERR;
	}
	return ACK_ERR;
}

/* Runs the oldest command held and gives it back, unless told not to. */
static void
answer(struct device *dev, struct queue *q, const struct device_buffer *b)
{
	uint8_t bytes[COMMAND_MAX], result[COMMAND_MAX], ack = ACK_ERR;
	uint32_t len = device_buffer_read(b, 0, bytes, sizeof(bytes)), written;
	struct command c = { .class = bytes[0],
			     .code = bytes[1],
			     .data = bytes + 2,
			     .len = len - 2,
			     .room = device_buffer_writable(b) - 1,
			     .result = result };
	uint64_t arg;

	if (len < 2 || b->writable < 1)
		fault(dev, q->index, "NETCTRL-CMD-01", "a command of %u bytes, %ju writable", len,
		      (uintmax_t)b->writable);
	else
		ack = execute(dev, &c);
	dev->net.commands++;
	dev->net.refused += ack != ACK_OK;
	if (lie_take(dev, -1, DEVICE_LIE_CTRL_ACK, &arg))
		ack = (uint8_t)arg;
	if (lie_take(dev, -1, DEVICE_LIE_CTRL_ID, &arg))
		device_lie(dev, q->index, DEVICE_LIE_ID, arg);
	written = device_buffer_write(b, 0, &ack, 1);
	if (ack == ACK_OK)
		written += device_buffer_write(b, 1, result, c.result_len);
	device_use(dev, q->index, 0, written);
	if (lie_take(dev, -1, DEVICE_LIE_CTRL_TWICE, NULL))
		device_lie(dev, q->index, DEVICE_LIE_ID_REPEATED, 0);
}

void
control_poll(struct device *dev, struct queue *q)
{
	while (q->count > 0 && !lie_on(dev, -1, DEVICE_LIE_CTRL_SILENT, NULL))
		answer(dev, q, device_held(dev, q->index, 0));
}

const struct device_net_state *
device_net_state(const struct device *dev)
{
	return &dev->net;
}
