/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses, modes and VLANs (spec 5.1.6.5.1 to 5.1.6.5.3): what arrives at the device, what it is
 * told again after a restart, and what happens where it has no filter, or takes no table.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include <ethdev_driver.h>

#include "net/vio/filter.h"
#include "net/vio/recover.h"
#include "inject.h"

#define B(name)     DEVICE_BIT(DEVICE_F_##name)
#define CONTROL     (B(CTRL_VQ) | B(CTRL_RX) | B(CTRL_MAC_ADDR) | B(MAC))
#define CTRL_QUEUE  2
#define REFUSED_ACK 1

enum { PROMISC, ALLMULTI, ALLUNI };

static struct rte_ether_addr
address(uint8_t first, uint8_t last)
{
	return (struct rte_ether_addr){ { first, 0, 0x5e, 0, 0, last } };
}

static void
start(struct harness *h, uint64_t features, const struct rte_eth_conf *conf)
{
	struct harness_options options = { .features = features };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
restart(struct harness *h)
{
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
add(struct harness *h, uint8_t first, uint8_t last)
{
	struct rte_ether_addr mac = address(first, last);

	assert_int_equal(rte_eth_dev_mac_addr_add(h->port, &mac, 0), 0);
}

static void
tables(void **state)
{
	struct rte_ether_addr mac = address(2, 2), groups[3];
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	start(&h, CONTROL, NULL);
	net = device_net_state(h.dev);
	add(&h, 2, 1);
	add(&h, 2, 2);
	add(&h, 1, 7); /* ethdev takes group addresses here, too */
	for (uint8_t i = 0; i < RTE_DIM(groups); i++)
		groups[i] = address(1, i);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, groups, RTE_DIM(groups)), 0);
	for (unsigned life = 0; life < 2; life++) {
		assert_int_equal(net->unicast, 2);
		assert_int_equal(net->multicast, 4);
		assert_int_equal(net->first_unicast[5], 1);
		restart(&h);
	}
	assert_int_equal(rte_eth_dev_mac_addr_remove(h.port, &mac), 0);
	assert_int_equal(net->unicast, 1);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, NULL, 0), 0);
	assert_int_equal(net->multicast, 1);
	assert_int_equal(net->refused, 0);
	assert_int_equal(harness_close(&h), 0);
}

static unsigned table_parts;

/* How many parts the driver's half of a MAC_TABLE_SET has. */
static void
watch_tables(struct harness *h)
{
	const struct device_buffer *b;
	uint8_t head[2];

	device_fetch(h->dev, CTRL_QUEUE);
	b = device_held(h->dev, CTRL_QUEUE, 0);
	if (b != NULL && device_buffer_read(b, 0, head, 2) == 2 && head[0] == 1 && head[1] == 0)
		table_parts = device_buffer_out(b);
	harness_poll(h);
}

/* Each table in an element of its own, as the legacy interface demands; and no word more to a
 * device that starts than it needs, though ethdev repeats what it knows. */
static void
told_once(void **state)
{
	struct harness h;

	(void)state;
	start(&h, CONTROL, NULL);
	add(&h, 2, 1);
	add(&h, 2, 2);
	h.turn = watch_tables;
	restart(&h);
	h.turn = NULL;
	assert_int_equal(table_parts, 3);
	/* The tables and both modes; then ethdev's: address, promiscuous, and all-multicast. */
	assert_int_equal(device_net_state(h.dev)->commands, 1 + 2 + 1 + 2 + 2);
	assert_int_equal(harness_close(&h), 0);
}

/* A list that was refused, or makes no sense, is forgotten: the one before it holds. */
static void
list_refused(void **state)
{
	struct rte_ether_addr groups[3];
	const struct device_net_state *net;
	const char *line;
	struct harness h;

	(void)state;
	start(&h, CONTROL, NULL);
	net = device_net_state(h.dev);
	for (uint8_t i = 0; i < RTE_DIM(groups); i++)
		groups[i] = address(1, i);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, groups, 1), 0);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, REFUSED_ACK);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, NULL, 0), -EIO);
	device_honest(h.dev);
	restart(&h);
	assert_int_equal(net->multicast, 1);
	groups[1] = address(2, 1);
	harness_quiet();
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, groups, 2), -EINVAL);
	line = strstr(harness_log(), "02:00:5E:00:00:01");
	assert_non_null(line);
	assert_null(strstr(line + 1, "02:00:5E:00:00:01"));
	restart(&h);
	assert_int_equal(net->multicast, 1);
	assert_int_equal(harness_close(&h), 0);
}

/* A recovery, of which ethdev knows nothing, tells everything as well. */
static void
recovered(void **state)
{
	struct harness_options options = { .features = CONTROL, .recover = VIO_RECOVER_AUTO };
	struct rte_ether_addr own = address(2, 99);
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	net = device_net_state(h.dev);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &own), 0);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	add(&h, 2, 1);
	device_need_reset(h.dev);
	assert_int_equal(rte_eth_link_get_nowait(h.port, &(struct rte_eth_link){ 0 }), 0);
	seam_alarms_within(3000000);
	assert_true(harness_started(&h));
	assert_memory_equal(net->mac, &own, sizeof(own));
	assert_int_equal(net->unicast, 1);
	assert_int_equal(net->rx_mode[PROMISC], 1);
	assert_int_equal(harness_close(&h), 0);
}

/* One that comes before ethdev has written down what the driver did: here it never does. */
static void
recovered_before_ethdev(void **state)
{
	struct harness_options options = { .features = CONTROL | B(CTRL_VLAN),
					   .recover = VIO_RECOVER_AUTO };
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER };
	struct rte_ether_addr own = address(2, 99), other = address(2, 1);
	const struct eth_dev_ops *ops;
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	net = device_net_state(h.dev);
	ops = h.eth->dev_ops;
	assert_int_equal(ops->mac_addr_set(h.eth, &own), 0);
	assert_int_equal(ops->mac_addr_add(h.eth, &other, 1, 0), 0);
	assert_int_equal(ops->promiscuous_enable(h.eth), 0);
	assert_int_equal(ops->allmulticast_enable(h.eth), 0);
	assert_int_equal(ops->vlan_filter_set(h.eth, 5, 1), 0);
	device_need_reset(h.dev);
	assert_int_equal(rte_eth_link_get_nowait(h.port, &(struct rte_eth_link){ 0 }), 0);
	seam_alarms_within(3000000);
	assert_memory_equal(net->mac, &own, sizeof(own));
	assert_int_equal(net->unicast, 1);
	assert_memory_equal(net->first_unicast, &other, sizeof(other));
	assert_int_equal(net->rx_mode[PROMISC], 1);
	assert_int_equal(net->rx_mode[ALLMULTI], 1);
	assert_int_equal(net->vlan[0], 1 << 5);
	assert_int_equal(harness_close(&h), 0);
}

/* What was asked for while the port was stopped counts as well. */
static void
while_stopped(void **state)
{
	struct rte_ether_addr own = address(2, 99), group = address(1, 1);
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	start(&h, CONTROL, NULL);
	net = device_net_state(h.dev);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	add(&h, 2, 1);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &own), 0);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, &group, 1), 0);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_memory_equal(net->mac, &own, sizeof(own));
	assert_int_equal(net->unicast, 1);
	assert_int_equal(net->multicast, 1);
	assert_int_equal(net->rx_mode[PROMISC], 1);
	assert_int_equal(net->rx_mode[ALLMULTI], 0);
	assert_int_equal(harness_close(&h), 0);
}

/* More multicast addresses than are told one by one: all multicast, until there are fewer. */
static void
too_many_groups(void **state)
{
	static struct rte_ether_addr groups[VIO_MULTICAST_MAX + 1];
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(groups); i++)
		groups[i] = (struct rte_ether_addr){ { 1, 0, 0x5e, 0, i >> 8, i } };
	start(&h, CONTROL, NULL);
	net = device_net_state(h.dev);
	harness_quiet();
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, groups, RTE_DIM(groups)), 0);
	assert_true(harness_said("257 multicast addresses"));
	assert_int_equal(net->multicast, 0);
	assert_int_equal(net->rx_mode[ALLMULTI], 1);
	restart(&h);
	assert_int_equal(net->rx_mode[ALLMULTI], 1);
	assert_int_equal(rte_eth_allmulticast_enable(h.port), 0);
	assert_int_equal(rte_eth_allmulticast_disable(h.port), 0);
	assert_int_equal(net->rx_mode[ALLMULTI], 1);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, groups, VIO_MULTICAST_MAX), 0);
	assert_int_equal(net->multicast, VIO_MULTICAST_MAX);
	assert_int_equal(net->rx_mode[ALLMULTI], 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that refuses the table: too much comes rather than too little. */
static void
table_refused(void **state)
{
	struct rte_ether_addr mac = address(2, 1);
	bool extra = *(bool *)*state;
	const struct device_net_state *net;
	struct harness h;

	start(&h, CONTROL | (extra ? B(CTRL_RX_EXTRA) : 0), NULL);
	net = device_net_state(h.dev);
	harness_quiet();
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, REFUSED_ACK);
	assert_int_equal(rte_eth_dev_mac_addr_add(h.port, &mac, 0), 0);
	assert_true(harness_said("does not take 1 addresses"));
	assert_int_equal(net->rx_mode[PROMISC], !extra);
	assert_int_equal(net->rx_mode[ALLUNI], extra);
	assert_int_equal(net->rx_mode[ALLMULTI], 1);
	/* The application's own wish does not end it. */
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	assert_int_equal(rte_eth_promiscuous_disable(h.port), 0);
	assert_int_equal(net->rx_mode[PROMISC], !extra);
	/* A table that is taken does. */
	assert_int_equal(rte_eth_dev_mac_addr_remove(h.port, &mac), 0);
	assert_int_equal(net->rx_mode[PROMISC], 0);
	assert_int_equal(net->rx_mode[ALLUNI], 0);
	assert_int_equal(net->rx_mode[ALLMULTI], 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A mode that is refused is not taken as set. */
static void
mode_refused(void **state)
{
	struct harness h;

	(void)state;
	start(&h, CONTROL, NULL);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, REFUSED_ACK);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), -EIO);
	assert_int_equal(rte_eth_promiscuous_get(h.port), 0);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	assert_int_equal(harness_close(&h), 0);
}

static unsigned
count_lines(const char *words)
{
	const char *at = harness_log();
	unsigned n = 0;

	while ((at = strstr(at, words)) != NULL) {
		at += strlen(words);
		n++;
	}
	return n;
}

/* No filter: refused, with one line that says why. */
static void
no_filter(void **state)
{
	struct rte_ether_addr mac = address(2, 1), group = address(1, 1);
	struct harness h;

	(void)state;
	start(&h, B(CTRL_VQ) | B(MAC), NULL);
	harness_quiet();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rte_eth_promiscuous_enable(h.port), -ENOTSUP);
		assert_int_equal(rte_eth_allmulticast_enable(h.port), -ENOTSUP);
		assert_int_equal(rte_eth_dev_set_mc_addr_list(h.port, &group, 1), -ENOTSUP);
		assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &mac), -ENOTSUP);
	}
	assert_int_equal(count_lines("does not offer CTRL_RX;"), 2); /* modes, and table */
	assert_int_equal(count_lines("does not offer CTRL_MAC_ADDR;"), 1);
	assert_int_equal(device_net_state(h.dev)->commands, 0);
	assert_int_equal(harness_close(&h), 0);
}

static void
vlans(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER };
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	start(&h, CONTROL | B(CTRL_VLAN), &conf);
	net = device_net_state(h.dev);
	assert_int_equal(rte_eth_dev_vlan_filter(h.port, 5, 1), 0);
	assert_int_equal(rte_eth_dev_vlan_filter(h.port, 4095, 1), 0);
	for (unsigned life = 0; life < 2; life++) {
		assert_int_equal(net->vlan[0], 1 << 5);
		assert_int_equal(net->vlan[511], 1 << 7);
		restart(&h);
	}
	assert_int_equal(rte_eth_dev_vlan_filter(h.port, 5, 0), 0);
	assert_int_equal(net->vlan[0], 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, 0), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(device_driver_features(h.dev) & B(CTRL_VLAN), 0);
	assert_int_equal(harness_close(&h), 0);
}

static unsigned
vlans_received(const struct harness *h)
{
	const struct device_net_state *net = device_net_state(h->dev);
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(net->vlan); i++)
		n += __builtin_popcount(net->vlan[i]);
	return n;
}

static void
recover(struct harness *h)
{
	device_need_reset(h->dev);
	assert_int_equal(rte_eth_link_get_nowait(h->port, &(struct rte_eth_link){ 0 }), 0);
	seam_alarms_within(3000000);
	assert_int_equal(device_driver_features(h->dev) & B(CTRL_VLAN), B(CTRL_VLAN));
}

/* Switched off and on while the port runs: every VLAN comes, then those that were asked for; also
 * after a recovery in either state, and a restart begins anew. */
static void
vlans_switched(void **state)
{
	struct harness_options options = { .features = CONTROL | B(CTRL_VLAN),
					   .recover = VIO_RECOVER_AUTO };
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rte_eth_dev_vlan_filter(h.port, 5, 1), 0);
	for (unsigned lap = 0; lap < 2; lap++) {
		assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, 0), 0);
		assert_int_equal(vlans_received(&h), 4096);
		recover(&h);
		assert_int_equal(vlans_received(&h), 4096);
		assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, RTE_ETH_VLAN_FILTER_OFFLOAD),
				 0);
		assert_int_equal(vlans_received(&h), 1);
		recover(&h);
		assert_int_equal(vlans_received(&h), 1);
	}
	/* Refused: as it was, for both. */
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, REFUSED_ACK);
	assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, 0), -EIO);
	device_honest(h.dev);
	assert_int_equal(rte_eth_dev_get_vlan_offload(h.port), RTE_ETH_VLAN_FILTER_OFFLOAD);
	assert_int_equal(vlans_received(&h), 1);
	assert_int_equal(device_net_state(h.dev)->vlan[0], 1 << 5);
	assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, 0), 0);
	restart(&h);
	assert_int_equal(device_driver_features(h.dev) & B(CTRL_VLAN), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Not asked for: the device must not learn of a filter that would stop everything. */
static void
vlans_unasked(void **state)
{
	struct harness h;

	(void)state;
	start(&h, CONTROL | B(CTRL_VLAN), NULL);
	assert_int_equal(device_driver_features(h.dev) & B(CTRL_VLAN), 0);
	assert_true(rte_eth_dev_vlan_filter(h.port, 5, 1) < 0);
	harness_quiet();
	assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, RTE_ETH_VLAN_FILTER_OFFLOAD), -EBUSY);
	assert_true(harness_said("stop the port"));
	assert_int_equal(harness_close(&h), 0);
}

static bool with_extra = true, without_extra;

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tables),
	cmocka_unit_test(told_once),
	cmocka_unit_test(list_refused),
	cmocka_unit_test(recovered),
	cmocka_unit_test(recovered_before_ethdev),
	cmocka_unit_test(while_stopped),
	cmocka_unit_test(too_many_groups),
	cmocka_unit_test_prestate(table_refused, &with_extra),
	cmocka_unit_test_prestate(table_refused, &without_extra),
	cmocka_unit_test(mode_refused),
	cmocka_unit_test(no_filter),
	cmocka_unit_test(vlans),
	cmocka_unit_test(vlans_switched),
	cmocka_unit_test(vlans_unasked),
};

HARNESS_MAIN(tests)
