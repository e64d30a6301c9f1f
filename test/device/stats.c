/* SPDX-License-Identifier: BSD-3-Clause */
/* The statistics that a device keeps (spec 5.1.6.5.10). */
#include "control.h"
#include "internal.h"

/* Each type: which virtqueues it is for, what must be negotiated, and its counters. */
static const struct stat_type {
	uint8_t number, count;
	enum { OF_RECEIVE, OF_TRANSMIT, OF_CONTROL } of;
	uint64_t any_of;
} stat_types[] = {
	{ 0, 6, OF_RECEIVE, 0 },
	{ 1, 4, OF_RECEIVE, DEVICE_BIT(DEVICE_F_GUEST_CSUM) },
	{ 2, 4, OF_RECEIVE, DEVICE_BIT(DEVICE_F_GUEST_TSO4) | DEVICE_BIT(DEVICE_F_GUEST_TSO6) },
	{ 3, 2, OF_RECEIVE, 0 },
	{ 16, 6, OF_TRANSMIT, 0 },
	{ 17, 2, OF_TRANSMIT, DEVICE_BIT(DEVICE_F_CSUM) },
	{ 18, 6, OF_TRANSMIT,
	  DEVICE_BIT(DEVICE_F_HOST_TSO4) | DEVICE_BIT(DEVICE_F_HOST_TSO6) |
		  DEVICE_BIT(DEVICE_F_HOST_USO) },
	{ 19, 2, OF_TRANSMIT, 0 },
	{ 32, 2, OF_CONTROL, 0 },
};

static uint8_t *
put_le(uint8_t *p, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		*p++ = (uint8_t)(value >> 8 * i);
	return p;
}

bool
query_stats(struct device *dev, struct command *c)
{
	if (c->len != 0 || c->room < 8)
		return false;
	dev->net.stats_queried = true;
	c->result_len = (uint32_t)(put_le(c->result, dev->stats_types, 8) - c->result);
	return true;
}

/* Is this type one that may be asked of the virtqueue now? Why not otherwise: the rule. */
static const char *
stat_breach(const struct device *dev, uint16_t index, const struct stat_type *t)
{
	int of = index == control_index(dev) ? OF_CONTROL
		 : index % 2 == 0            ? OF_RECEIVE
					     : OF_TRANSMIT;

	if (!dev->net.stats_queried || !(dev->stats_types & UINT64_C(1) << t->number))
		return "NETCTRL-STATS-01";
	if (t->any_of != 0 && !(t->any_of & dev->driver_features))
		return "NETCTRL-STATS-01";
	return of == (int)t->of ? NULL : "NETCTRL-STATS-02";
}

/* One virtqueue's replies to the end of result, which has room for all that there can be. */
static bool
put_stats(struct device *dev, struct command *c, uint16_t index, uint64_t types)
{
	uint8_t *p = c->result + c->result_len;
	uint64_t known = 0;

	for (size_t i = 0; i < sizeof(stat_types) / sizeof(stat_types[0]); i++) {
		const struct stat_type *t = &stat_types[i];
		const char *rule;

		known |= UINT64_C(1) << t->number;
		if (!(types & UINT64_C(1) << t->number))
			continue;
		rule = stat_breach(dev, index, t);
		if (rule != NULL) {
			fault(dev, control_index(dev), rule, "statistics %u of queue %u", t->number,
			      index);
			return false;
		}
		p = put_le(p, t->number, 2);
		p = put_le(p, index, 2);
		p = put_le(p, 0, 2);
		p = put_le(p, 8u + 8u * t->count + dev->stats_more, 2);
		for (unsigned n = 0; n < t->count; n++)
			p = put_le(p, device_stat(dev, index, t->number, n), 8);
		for (unsigned n = 0; n < dev->stats_more; n++)
			p = put_le(p, 0xee, 1);
	}
	c->result_len = (uint32_t)(p - c->result);
	if (types == 0 || types & ~known)
		fault(dev, control_index(dev), "NETCTRL-STATS-01", "unknown statistics 0x%jx",
		      (uintmax_t)types);
	return types != 0 && !(types & ~known);
}

static unsigned
count_bits(uint64_t set)
{
	unsigned n = 0;

	for (; set != 0; set &= set - 1)
		n++;
	return n;
}

bool
get_stats(struct device *dev, struct command *c)
{
	uint32_t headers = 0;

	if (c->len == 0 || c->len % 16 != 0 || c->len > 16 * 16)
		return false;
	for (uint32_t at = 0; at < c->len; at += 16) {
		const uint8_t *p = c->data + at;
		uint64_t types = le32_at(p + 8) | (uint64_t)le32_at(p + 12) << 32;

		headers += 8 * count_bits(types);
		if (le16_at(p) > control_index(dev) || !put_stats(dev, c, le16_at(p), types))
			return false;
	}
	if (c->room < headers)
		fault(dev, control_index(dev), "NETCTRL-STATS-03", "room for %u bytes", c->room);
	if (dev->stats_hook != NULL)
		c->result_len = dev->stats_hook(c->result, c->result_len);
	return true;
}

uint64_t
device_stat(const struct device *dev, uint16_t queue, unsigned type, unsigned n)
{
	return dev->stats_base + 10000u * queue + 100u * type + n;
}

void
device_set_stats(struct device *dev, uint64_t types, uint64_t base, unsigned more)
{
	dev->stats_types = types;
	dev->stats_base = base;
	dev->stats_more = more;
}

void
device_stats_hook(struct device *dev, uint32_t (*hook)(uint8_t *result, uint32_t len))
{
	dev->stats_hook = hook;
}
