/* SPDX-License-Identifier: BSD-3-Clause */
/* LRO switched while the port runs, by the guest offloads' command (spec 5.1.6.5.8). */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include "inject.h"
#include "net/vio/lro.h"
#include "net/vio/port.h"

#define B(name)  DEVICE_BIT(DEVICE_F_##name)
#define SEGMENTS (B(GUEST_TSO4) | B(GUEST_TSO6) | B(GUEST_ECN) | B(GUEST_USO4) | B(GUEST_USO6))
#define CAN      (B(CTRL_VQ) | B(CTRL_GUEST_OFFLOADS) | B(MRG_RXBUF) | B(GUEST_CSUM) | SEGMENTS)
#define LRO      RTE_ETH_RX_OFFLOAD_TCP_LRO

static struct vio_port *
opened(struct harness *h, uint64_t features, uint64_t offloads)
{
	struct harness_options options = { .features = features,
					   .devargs = "lro_udp=1",
					   .recover = VIO_RECOVER_AUTO };
	struct rte_eth_conf conf = { .rxmode.offloads = offloads,
				     .rxmode.max_lro_pkt_size = 65550 };

	harness_quiet();
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 256, &conf), 0);
	return vio_port(h->eth);
}

static struct vio_port *
started(struct harness *h, uint64_t features, uint64_t offloads)
{
	struct vio_port *port = opened(h, features, offloads);

	assert_int_equal(rte_eth_dev_start(h->port), 0);
	return port;
}

/* The command names what is on, and nothing that was not negotiated. */
static void
expect(const struct harness *h, unsigned commands, uint64_t offloads)
{
	assert_int_equal(device_net_state(h->dev)->commands, commands);
	assert_true(device_net_state(h->dev)->offloads == offloads);
	assert_int_equal(device_net_state(h->dev)->refused, 0);
}

/* A frame that stands for several is taken, as it may have been on its way. */
static void
take_segments(struct harness *h)
{
	struct device_net_header header = { .gso_type = DEVICE_GSO_UDP_L4, .gso_size = 1000 };
	uint8_t frame[4000] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
	struct rte_mbuf *mbuf = NULL;

	memcpy(frame + 16, "\x0f\x92", 2);
	frame[23] = IPPROTO_UDP;
	assert_true(device_receive_packet(h->dev, 0, &header, frame, sizeof(frame)) > 0);
	assert_int_equal(rte_eth_rx_burst(h->port, 0, &mbuf, 1), 1);
	assert_true(mbuf->ol_flags & RTE_MBUF_F_RX_LRO);
	assert_int_equal(mbuf->tso_segsz, 1000);
	rte_pktmbuf_free(mbuf);
}

static void
switched(void **state)
{
	struct harness h;
	struct vio_port *port = started(&h, CAN, LRO);

	(void)state;
	assert_true((device_driver_features(h.dev) & CAN) == CAN);
	expect(&h, 0, 0); /* what was negotiated is on, unsaid */
	assert_string_equal(vio_lro_state(port), "on");
	take_segments(&h);
	assert_int_equal(vio_lro_switch(port, false), 0);
	expect(&h, 1, B(GUEST_CSUM));
	assert_string_equal(vio_lro_state(port), "off");
	take_segments(&h);
	assert_int_equal(harness_pass(&h, 50, 300), 0);
	assert_int_equal(vio_lro_switch(port, true), 0);
	expect(&h, 2, B(GUEST_CSUM) | SEGMENTS);
	assert_string_equal(vio_lro_state(port), "on");
	assert_int_equal(harness_close(&h), 0);
}

/* Only what was negotiated is named, of whatever the device has. */
static void
some(void **state)
{
	struct harness h;
	struct vio_port *port = started(&h, CAN & ~(B(GUEST_TSO6) | B(GUEST_USO4)), LRO);

	(void)state;
	assert_int_equal(vio_lro_switch(port, true), 0);
	expect(&h, 1, B(GUEST_CSUM) | (SEGMENTS & ~(B(GUEST_TSO6) | B(GUEST_USO4))));
	assert_int_equal(harness_close(&h), 0);
}

/* It lasts over a stop, and what was said of a stopped port counts when it starts; a start with
 * LRO on says nothing. */
static void
lasts(void **state)
{
	struct harness h;
	struct vio_port *port = opened(&h, CAN, LRO);

	(void)state;
	assert_int_equal(vio_lro_switch(port, false), 0);
	for (unsigned life = 0; life < 2; life++) {
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		expect(&h, 1, B(GUEST_CSUM));
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
	}
	assert_int_equal(vio_lro_switch(port, true), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	expect(&h, 0, 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A recovery tells it anew. */
static void
recovered(void **state)
{
	struct harness h;
	struct vio_port *port = started(&h, CAN, LRO);
	static const uint8_t frame[100];
	struct rte_mbuf *mbuf;

	(void)state;
	assert_int_equal(vio_lro_switch(port, false), 0);
	device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_ID, 999);
	device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame));
	assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
	seam_alarms_within(3000000);
	assert_true(harness_said("recovered"));
	expect(&h, 1, B(GUEST_CSUM));
	assert_string_equal(vio_lro_state(port), "off");
	assert_int_equal(harness_pass(&h, 50, 300), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* What it has begun to do to the device it is left alone with; the switch is told at the start. */
static int
switch_meanwhile(uint16_t port_id, enum rte_eth_event_type event, void *arg, void *ret)
{
	const struct harness *h = arg;

	(void)port_id;
	(void)event;
	(void)ret;
	assert_int_equal(device_net_state(h->dev)->commands, 0);
	assert_int_equal(vio_lro_switch(vio_port(h->eth), false), 0);
	assert_int_equal(device_net_state(h->dev)->commands, 0);
	return 0;
}

static void
switched_meanwhile(void **state)
{
	struct harness h;
	struct vio_port *port = started(&h, CAN, LRO);
	static const uint8_t frame[100];
	struct rte_mbuf *mbuf;

	(void)state;
	rte_eth_dev_callback_register(h.port, RTE_ETH_EVENT_ERR_RECOVERING, switch_meanwhile, &h);
	device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_ID, 999);
	device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame));
	assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
	seam_alarms_within(3000000);
	rte_eth_dev_callback_unregister(h.port, RTE_ETH_EVENT_ERR_RECOVERING, switch_meanwhile, &h);
	assert_true(harness_said("recovered"));
	expect(&h, 1, B(GUEST_CSUM));
	assert_string_equal(vio_lro_state(port), "off");
	assert_int_equal(harness_close(&h), 0);
}

/* A device that says no: all is as it was, and at a start LRO is on again, with a line. */
static void
refused(void **state)
{
	struct harness h;
	struct vio_port *port = started(&h, CAN, LRO);

	(void)state;
	device_lie(h.dev, 0, DEVICE_LIE_CTRL_ACK, VIO_NET_CTRL_ERR);
	assert_int_equal(vio_lro_switch(port, false), -EIO);
	assert_true(harness_said("LRO off: the device refused"));
	assert_string_equal(vio_lro_state(port), "on");
	assert_int_equal(vio_lro_switch(port, false), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	device_lie(h.dev, 0, DEVICE_LIE_CTRL_ACK, VIO_NET_CTRL_ERR);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_true(harness_said("LRO is on again"));
	assert_string_equal(vio_lro_state(port), "on");
	take_segments(&h);
	assert_int_equal(harness_close(&h), 0);
}

static const struct vio_transport_ops *honest;

static int
without_switch(struct vio_transport *t, uint64_t *features)
{
	int ret = honest->get_features(t, features);

	*features &= ~B(CTRL_GUEST_OFFLOADS);
	return ret;
}

/* After a reset the device is one that cannot be told: LRO is on, and nobody says otherwise. With
 * an application that does not ask for it, there is nothing to say, and the switch is kept. */
static void
lost(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = LRO, .rxmode.max_lro_pkt_size = 65550 };
	struct rte_eth_conf plain = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_CKSUM };
	struct vio_transport_ops ops;
	struct harness h;
	struct vio_port *port = started(&h, CAN, LRO);

	(void)state;
	assert_int_equal(vio_lro_switch(port, false), 0);
	honest = h.transport.ops;
	ops = *honest;
	ops.get_features = without_switch;
	h.transport.ops = &ops;
	assert_int_equal(rte_eth_dev_reset(h.port), 0);
	harness_quiet();
	assert_int_equal(harness_setup(&h, 1, 1, 256, &plain), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_false(harness_said("LRO is on again"));
	assert_true(port->lro_off);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 256, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_true(device_driver_features(h.dev) & B(GUEST_TSO4));
	assert_string_equal(vio_lro_state(port), "on");
	assert_true(harness_said("LRO is on again"));
	assert_int_equal(vio_lro_switch(port, false), -ENOTSUP);
	take_segments(&h);
	h.transport.ops = honest;
	assert_int_equal(harness_close(&h), 0);
}

/* Nobody asked for LRO, or the device has no such command: none is sent. */
static void
cannot(void **state)
{
	struct harness h;
	struct vio_port *port = started(&h, CAN, RTE_ETH_RX_OFFLOAD_TCP_CKSUM);

	(void)state;
	assert_int_equal(device_driver_features(h.dev) & B(CTRL_GUEST_OFFLOADS), 0);
	assert_string_equal(vio_lro_state(port), "not asked for by the application");
	assert_int_equal(vio_lro_switch(port, false), 0);
	expect(&h, 0, 0);
	assert_int_equal(harness_close(&h), 0);
	port = started(&h, CAN & ~B(CTRL_GUEST_OFFLOADS), LRO);
	assert_int_equal(vio_lro_switch(port, false), -ENOTSUP);
	assert_string_equal(vio_lro_state(port), "on");
	expect(&h, 0, 0);
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(switched),
	cmocka_unit_test(some),
	cmocka_unit_test(lasts),
	cmocka_unit_test(recovered),
	cmocka_unit_test(switched_meanwhile),
	cmocka_unit_test(refused),
	cmocka_unit_test(lost),
	cmocka_unit_test(cannot),
};

HARNESS_MAIN(tests)
