/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One interrupt that has several causes: the device tells of a link, a speed, an announcement, a
 * reset that it needs, and used buffers by one and the same (PCI-CFGCHG-01, INIT-CFGCHG-01).
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include <ethdev_driver.h>

#include "inject.h"
#include "net/vio/port.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)
#define FEATURES \
	(B(STATUS) | B(CTRL_VQ) | B(CTRL_MAC_ADDR) | B(MAC) | B(GUEST_ANNOUNCE) | B(SPEED_DUPLEX))

/* One letter for each event that the application was told of. */
static char told[16];

static int
note_event(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
	size_t len = strlen(told);

	(void)port;
	(void)arg;
	(void)ret;
	if (len + 1 < sizeof(told))
		told[len] = event == RTE_ETH_EVENT_INTR_LSC         ? 'l'
			    : event == RTE_ETH_EVENT_ERR_RECOVERING ? 'r'
								    : 's';
	return 0;
}

static const enum rte_eth_event_type heard[] = {
	RTE_ETH_EVENT_INTR_LSC,
	RTE_ETH_EVENT_ERR_RECOVERING,
	RTE_ETH_EVENT_RECOVERY_SUCCESS,
};

static uint8_t isr;
static unsigned isr_reads;

static int
read_isr(struct vio_transport *t, uint8_t *value)
{
	(void)t;
	isr_reads++;
	*value = isr;
	isr = 0;
	return 0;
}

/* With MSI-X, or on a line, whose cause is to be read. */
static void
start(struct harness *h, bool msix)
{
	static struct vio_transport_ops ops;
	struct harness_options options = { .features = FEATURES, .recover = VIO_RECOVER_AUTO };
	struct rte_eth_conf conf = { .intr_conf.lsc = 1 };

	assert_int_equal(harness_open(h, &options), 0);
	ops = *h->transport.ops;
	ops.read_isr = read_isr;
	h->transport.ops = &ops;
	rte_intr_type_set(vio_port(h->eth)->intr,
			  msix ? RTE_INTR_HANDLE_VFIO_MSIX : RTE_INTR_HANDLE_VFIO_LEGACY);
	assert_int_equal(harness_setup(h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	for (size_t i = 0; i < RTE_DIM(heard); i++)
		rte_eth_dev_callback_register(h->port, heard[i], note_event, NULL);
	memset(told, 0, sizeof(told));
	isr_reads = 0;
}

static void
end(struct harness *h)
{
	for (size_t i = 0; i < RTE_DIM(heard); i++)
		rte_eth_dev_callback_unregister(h->port, heard[i], note_event, NULL);
	assert_int_equal(harness_close(h), 0);
}

static struct rte_eth_link
link_of(const struct harness *h)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(h->port, &link), 0);
	return link;
}

static void
put_frames(struct harness *h, unsigned n)
{
	static const uint8_t frame[200];

	while (n-- > 0)
		assert_int_equal(device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)), 1);
}

static void
expect_frames(struct harness *h, unsigned n)
{
	struct rte_mbuf *mbufs[16];

	assert_int_equal(rte_eth_rx_burst(h->port, 0, mbufs, RTE_DIM(mbufs)), n);
	rte_pktmbuf_free_bulk(mbufs, n);
}

/* The frames of the application's own, and those that the driver sends for it. */
static unsigned
sent(struct harness *h)
{
	struct device_packet *packet;
	unsigned n = 0;

	harness_poll(h);
	while ((packet = device_next_packet(h->dev, 0)) != NULL) {
		free(packet);
		n++;
	}
	return n;
}

static void
link_speed_announcement_and_buffers(void **state)
{
	struct harness h;

	(void)state;
	for (unsigned msix = 0; msix < 2; msix++) {
		start(&h, msix);
		device_set_link(h.dev, false);
		assert_true(seam_interrupt());
		assert_false(link_of(&h).link_status);
		device_set_link(h.dev, true);
		device_config_set(h.dev, 12, 25000, 4);
		device_ask_announce(h.dev);
		put_frames(&h, 3);
		isr = 3; /* both */
		assert_true(seam_interrupt());
		assert_string_equal(told, "ll");
		assert_true(link_of(&h).link_status);
		assert_int_equal(link_of(&h).link_speed, 25000);
		assert_true(seam_alarm());
		assert_int_equal(device_net_state(h.dev)->announced, 1);
		assert_int_equal(sent(&h), 1);
		expect_frames(&h, 3);
		assert_int_equal(isr_reads, msix ? 0 : 2);
		assert_int_equal(harness_pass(&h, 50, 300), 0);
		end(&h);
	}
}

/* The announcement is asked for with a link that goes down, or by a device that needs a reset: each
 * is seen, and what cannot be done now is not lost, or said. */
static void
reset_and_link(void **state)
{
	struct harness h;

	(void)state;
	for (unsigned msix = 0; msix < 2; msix++) {
		start(&h, msix);
		device_set_link(h.dev, false);
		device_need_reset(h.dev);
		isr = 3;
		assert_true(seam_interrupt());
		/* By what the device says of the link; the recovery has still to begin. */
		assert_string_equal(told, "l");
		seam_alarms_within(100000);
		/* The device is well again, and its link is where it was. */
		assert_string_equal(told, "lrs");
		assert_false(link_of(&h).link_status);
		device_set_link(h.dev, true);
		assert_true(seam_interrupt());
		assert_string_equal(told, "lrsl");
		assert_true(link_of(&h).link_status);
		assert_int_equal(harness_pass(&h, 50, 300), 0);
		end(&h);
	}
}

static void
reset_and_announcement(void **state)
{
	struct harness h;

	(void)state;
	start(&h, true);
	device_ask_announce(h.dev);
	device_need_reset(h.dev);
	put_frames(&h, 3);
	assert_true(seam_interrupt());
	assert_string_equal(told, "");
	seam_alarms_within(100000);
	assert_string_equal(told, "lrls");
	assert_true(link_of(&h).link_status);
	/* In the life that has begun; the one frame of the two lives. */
	assert_int_equal(sent(&h), 1);
	expect_frames(&h, 0);
	assert_int_equal(harness_pass(&h, 50, 300), 0);
	end(&h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(link_speed_announcement_and_buffers),
	cmocka_unit_test(reset_and_link),
	cmocka_unit_test(reset_and_announcement),
};

HARNESS_MAIN(tests)
