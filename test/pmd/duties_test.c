/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port does from probe to close, watched by the device model: harness_close() fails the test
 * for each duty of a driver that was not kept. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include <ethdev_driver.h>
#include <rte_interrupts.h>

#include "inject.h"
#include "net/vio/port.h"

#define B(bit) DEVICE_BIT(bit)
#define F(x)   DEVICE_BIT(DEVICE_F_##x)
#define PLAIN  (F(MAC) | F(STATUS))

/* Bits that nobody may accept: undefined ones (FEAT-04), reserved and legacy ones (FEAT-05), those
 * of other transports and devices (FEAT-06, -07), and those that this driver has no use for. */
#define NEVER                                                                                    \
	(B(4) | B(6) | B(24) | B(25) | B(26) | B(30) | B(31) | B(42) | B(44) | B(45) | B(46) |   \
	 B(47) | B(48) | B(49) | B(58) | F(ADMIN_VQ) | F(SUSPEND) | F(GUEST_UFO) | F(HOST_UFO) | \
	 F(HASH_TUNNEL) | F(RSC_EXT) | F(STANDBY))

/* Bits that are accepted wherever they are offered, whatever the application asks for: those of
 * rings and doorbells (RSVD-07, RSVD-12), and what the driver tells and is told. */
#define ALWAYS                                                                                  \
	(F(VERSION_1) | F(RING_PACKED) | F(IN_ORDER) | F(INDIRECT_DESC) | F(EVENT_IDX) |        \
	 F(ACCESS_PLATFORM) | F(ORDER_PLATFORM) | F(NOTIFICATION_DATA) | F(NOTIF_CONFIG_DATA) | \
	 F(RING_RESET) | F(MRG_RXBUF) | F(MAC) | F(MTU) | F(STATUS) | F(SPEED_DUPLEX) |         \
	 F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_RX_EXTRA) | F(CTRL_MAC_ADDR) | F(GUEST_ANNOUNCE) |    \
	 F(MQ) | F(RSS) | F(NOTF_COAL) | F(VQ_NOTF_COAL) | F(DEVICE_STATS))

static void
open_and_start(struct harness *h, uint64_t features, const struct rte_eth_conf *conf)
{
	struct harness_options options = { .features = features };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* Twice started and stopped, with frames both ways, over every kind of ring. */
static void
life(void **state)
{
	static const uint64_t rings[] = {
		0,
		F(RING_PACKED),
		F(IN_ORDER),
		F(RING_PACKED) | F(IN_ORDER),
		F(EVENT_IDX),
		F(RING_PACKED) | F(EVENT_IDX),
	};
	static const uint64_t more[] = {
		0,
		F(MRG_RXBUF),
		F(CTRL_VQ) | F(CTRL_RX) | F(MQ),
		F(NOTIFICATION_DATA) | F(CTRL_VQ),
	};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(rings) * RTE_DIM(more); i++) {
		struct harness h;

		open_and_start(&h, PLAIN | rings[i / RTE_DIM(more)] | more[i % RTE_DIM(more)],
			       NULL);
		for (unsigned times = 0; times < 2; times++) {
			assert_true(device_status(h.dev) & DEVICE_S_DRIVER_OK);
			assert_int_equal(harness_pass(&h, 200, 700), 0);
			assert_int_equal(rte_eth_dev_stop(h.port), 0);
			assert_int_equal(device_status(h.dev), 0);
			if (times == 0)
				assert_int_equal(rte_eth_dev_start(h.port), 0);
		}
		assert_int_equal(harness_close(&h), 0);
	}
}

/* More buffers than a ring holds are made available after the device is live only: a device that
 * sleeps until it is told finds the first ones as well (INIT-15, NET-INIT-02). */
static void
woken_by_kicks(void **state)
{
	uint8_t frame[100] = { 2 };
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	open_and_start(&h, PLAIN, NULL);
	device_poll(h.dev, true);
	assert_int_equal(device_fetch(h.dev, 0), 64);
	assert_int_equal(device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame)), 1);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(harness_close(&h), 0);
}

static void
strange_features(void **state)
{
	struct harness h;

	(void)state;
	open_and_start(&h, UINT64_MAX, NULL);
	assert_int_equal(device_driver_features(h.dev) & NEVER, 0);
	assert_int_equal(device_driver_features(h.dev) & ALWAYS, ALWAYS);
	assert_int_equal(harness_close(&h), 0);
}

/* No field is read whose feature is not offered (CFG-04), and the port has what it then must: a
 * link that is up, and an address of its own (NET-CFG-04, -05). */
static void
config_without_features(void **state)
{
	struct rte_ether_addr mac;
	struct rte_eth_link link;
	struct harness h;

	(void)state;
	open_and_start(&h, 0, NULL);
	assert_int_equal(rte_eth_macaddr_get(h.port, &mac), 0);
	assert_true(rte_is_local_admin_ether_addr(&mac));
	assert_true(rte_is_unicast_ether_addr(&mac));
	assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	assert_int_equal(harness_pass(&h, 50, 200), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* The MAC address is the device's (NET-CFG-03), and the largest MTU (NET-CFG-08, -09). */
static void
config_is_taken(void **state)
{
	static const uint8_t expect[6] = { 0x52, 0x54, 0x00, 0x76, 0x69, 0x6f };
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	struct harness h;

	(void)state;
	open_and_start(&h, PLAIN | F(MTU), NULL);
	assert_int_equal(rte_eth_macaddr_get(h.port, &mac), 0);
	assert_memory_equal(&mac, expect, sizeof(expect));
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	assert_int_equal(info.max_mtu, 1500);
	assert_true(device_driver_features(h.dev) & F(MTU));
	assert_int_equal(harness_close(&h), 0);
}

static struct rte_mbuf *
packet(uint16_t segments, uint16_t len)
{
	struct rte_mbuf *first = NULL;

	while (segments-- > 0) {
		struct rte_mbuf *segment = rte_pktmbuf_alloc(harness_tx_pool);

		assert_non_null(segment);
		memset(rte_pktmbuf_append(segment, len), 0x5a, len);
		if (first != NULL)
			assert_int_equal(rte_pktmbuf_chain(segment, first), 0);
		first = segment;
	}
	return first;
}

/* What is too long for a buffer is dropped, and what is behind it is sent (SPLIT-FRAME-02). */
static void
too_many_segments(void **state)
{
	struct rte_eth_dev_info info;
	struct rte_mbuf *packets[2];
	struct device_packet *sent;
	struct harness h;

	(void)state;
	open_and_start(&h, PLAIN, NULL);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 256, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	packets[0] = packet(info.tx_desc_lim.nb_seg_max + 1, 4);
	packets[1] = packet(3, 100);
	assert_int_equal(rte_eth_tx_burst(h.port, 0, packets, 2), 2);
	harness_poll(&h);
	sent = device_next_packet(h.dev, 0);
	assert_non_null(sent);
	assert_int_equal(sent->len, 300);
	assert_int_equal(sent->header.gso_type, DEVICE_GSO_NONE);
	free(sent);
	assert_null(device_next_packet(h.dev, 0));
	assert_int_equal(harness_close(&h), 0);
}

static void
expect_link(const struct harness *h, unsigned status, uint32_t speed)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(h->port, &link), 0);
	assert_int_equal(link.link_status, status);
	if (status == RTE_ETH_LINK_UP)
		assert_int_equal(link.link_speed, speed);
}

/* Link and speed are looked at again with each change of the configuration (INIT-CFGCHG-01,
 * NET-CFG-06, -13), and a speed that is none counts as unknown (NET-CFG-11, -12). */
static void
configuration_change(void **state)
{
	struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
	struct rte_eth_link link;
	struct harness h;

	(void)state;
	open_and_start(&h, PLAIN | F(SPEED_DUPLEX), &conf);
	expect_link(&h, RTE_ETH_LINK_UP, 10000);
	device_set_link(h.dev, false);
	assert_true(seam_interrupt());
	expect_link(&h, RTE_ETH_LINK_DOWN, 0);
	device_config_set(h.dev, 12, 25000, 4);
	device_set_link(h.dev, true);
	assert_true(seam_interrupt());
	expect_link(&h, RTE_ETH_LINK_UP, 25000);
	device_config_set(h.dev, 12, UINT32_C(0x80000000), 4);
	device_config_set(h.dev, 16, 0, 1);
	assert_true(seam_interrupt());
	expect_link(&h, RTE_ETH_LINK_UP, RTE_ETH_SPEED_NUM_UNKNOWN);
	assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
	assert_int_equal(link.link_duplex, RTE_ETH_LINK_HALF_DUPLEX);
	device_config_set(h.dev, 16, 77, 1);
	assert_true(seam_interrupt());
	assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
	assert_int_equal(link.link_duplex, RTE_ETH_LINK_FULL_DUPLEX);
	assert_int_equal(harness_close(&h), 0);
}

/* Without its feature no command is sent (NETCTRL-RX-01, NETCTRL-MAC-05, NET-VQ-03). */
static void
commands_without_features(void **state)
{
	static const uint64_t features[] = { 0, F(CTRL_VQ), F(CTRL_RX), F(CTRL_MAC_ADDR) };
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 9 } };

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(features); i++) {
		struct harness h;

		open_and_start(&h, PLAIN | features[i], NULL);
		assert_int_equal(rte_eth_promiscuous_enable(h.port), -ENOTSUP);
		assert_int_equal(rte_eth_allmulticast_enable(h.port), -ENOTSUP);
		assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &mac), -ENOTSUP);
		assert_int_equal(device_net_state(h.dev)->commands, 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Modes and address go to the device as it wants them (NETCTRL-RX-03, NETCTRL-CMD-01), and a
 * refusal is an error (NETCTRL-CMD-02). */
static void
commands(void **state)
{
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 9 } };
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	open_and_start(&h, PLAIN | F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_MAC_ADDR), NULL);
	net = device_net_state(h.dev);
	for (unsigned on = 1; on < 2; on--) {
		assert_int_equal(on ? rte_eth_promiscuous_enable(h.port)
				    : rte_eth_promiscuous_disable(h.port),
				 0);
		assert_int_equal(net->rx_mode[0], on);
		assert_int_equal(on ? rte_eth_allmulticast_enable(h.port)
				    : rte_eth_allmulticast_disable(h.port),
				 0);
		assert_int_equal(net->rx_mode[1], on);
	}
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &mac), 0);
	assert_memory_equal(net->mac, &mac, sizeof(mac));
	device_lie(h.dev, 0, DEVICE_LIE_CTRL_ACK, 1);
	assert_true(rte_eth_promiscuous_enable(h.port) < 0);
	device_honest(h.dev);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Pairs: all their queues are set up, then the device is told, one number between 1 and its most;
 * the control queue comes after the most, not after those in use (NETCTRL-MQ-01 to -03, NET-VQ). */
static void
pairs(void **state)
{
	static const uint16_t queues[][2] = { { 1, 1 }, { 4, 4 }, { 2, 2 }, { 1, 3 }, { 3, 1 } };
	struct harness_options options = { .features = PLAIN | F(CTRL_VQ) | F(MQ) | F(CTRL_RX),
					   .pairs = 4 };
	struct rte_eth_dev_info info;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	/* ethdev refuses more (NETCTRL-MQ-03). */
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	assert_int_equal(info.max_rx_queues, 4);
	assert_int_equal(info.max_tx_queues, 4);
	for (unsigned i = 0; i < RTE_DIM(queues); i++) {
		uint16_t rx = queues[i][0], tx = queues[i][1];

		assert_int_equal(harness_setup(&h, rx, tx, 64, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(device_net_state(h.dev)->pairs, RTE_MAX(rx, tx));
		assert_int_equal(harness_pass(&h, 20, 300), 0);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
	}
	assert_true(harness_setup(&h, 5, 5, 64, NULL) < 0);
	assert_int_equal(harness_close(&h), 0);
}

static unsigned isr_reads;

static int
read_isr(struct vio_transport *t, uint8_t *isr)
{
	(void)t;
	isr_reads++;
	*isr = 2;
	return 0;
}

/* The cause of an interrupt is read where that lowers its line, and with MSI-X never (PCI-ISR-01,
 * -02); the configuration is looked at again either way. */
static void
interrupt_status(void **state)
{
	struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
	struct vio_transport_ops ops;
	struct harness h;

	(void)state;
	for (unsigned msix = 0; msix < 2; msix++) {
		struct harness_options options = { .features = PLAIN };

		assert_int_equal(harness_open(&h, &options), 0);
		ops = *h.transport.ops;
		ops.read_isr = read_isr;
		h.transport.ops = &ops;
		rte_intr_type_set(vio_port(h.eth)->intr,
				  msix ? RTE_INTR_HANDLE_VFIO_MSIX : RTE_INTR_HANDLE_VFIO_LEGACY);
		assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		isr_reads = 0;
		device_set_link(h.dev, false);
		assert_true(seam_interrupt());
		expect_link(&h, RTE_ETH_LINK_DOWN, 0);
		assert_int_equal(isr_reads, msix ? 0 : 1);
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(life),
	cmocka_unit_test(woken_by_kicks),
	cmocka_unit_test(strange_features),
	cmocka_unit_test(config_without_features),
	cmocka_unit_test(config_is_taken),
	cmocka_unit_test(too_many_segments),
	cmocka_unit_test(configuration_change),
	cmocka_unit_test(interrupt_status),
	cmocka_unit_test(commands_without_features),
	cmocka_unit_test(commands),
	cmocka_unit_test(pairs),
};

HARNESS_MAIN(tests)
