/* SPDX-License-Identifier: BSD-3-Clause */
/* The link that the application sets down: bursts give and take nothing, whatever the device does,
 * until it is up again. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inject.h"

#include "net/vio/port.h"

#define FEATURES                                                                                 \
	(DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_CTRL_RX) | DEVICE_BIT(DEVICE_F_MQ) | \
	 DEVICE_BIT(DEVICE_F_STATUS) | DEVICE_BIT(DEVICE_F_RING_RESET) |                         \
	 DEVICE_BIT(DEVICE_F_GUEST_ANNOUNCE))

/* Alarms that the driver sets for at once; one that comes back each second is not among them. */
#define SOON_US 100000

static unsigned events; /* that told of the link */
/* What the application does when it is told of a recovery. */
static int (*act)(uint16_t port);
static int acted;

static int
note_event(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
	(void)arg;
	(void)ret;
	if (event == RTE_ETH_EVENT_INTR_LSC)
		events++;
	else if (act != NULL)
		acted = act(port);
	return 0;
}

static const enum rte_eth_event_type heard[] = { RTE_ETH_EVENT_INTR_LSC,
						 RTE_ETH_EVENT_ERR_RECOVERING };

static void
start_with(struct harness *h, uint8_t recover, unsigned tries, bool lsc)
{
	struct harness_options options = {
		.features = FEATURES,
		.pairs = 2,
		.recover = recover,
		.recover_tries = tries,
	};
	struct rte_eth_conf conf = { .intr_conf.lsc = lsc };

	events = 0;
	act = NULL;
	for (size_t i = 0; i < RTE_DIM(heard); i++)
		rte_eth_dev_callback_register(RTE_ETH_ALL, heard[i], note_event, NULL);
	harness_quiet();
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 2, 2, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 20, 100), 0);
}

static void
start(struct harness *h)
{
	start_with(h, VIO_RECOVER_AUTO, 0, false);
}

static void
end(struct harness *h)
{
	for (size_t i = 0; i < RTE_DIM(heard); i++)
		rte_eth_dev_callback_unregister(RTE_ETH_ALL, heard[i], note_event, NULL);
	assert_int_equal(harness_close(h), 0);
}

/* With link interrupts it is what ethdev was told last, else what the driver finds now. */
static bool
is_up(const struct harness *h)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(h->port, &link), 0);
	return link.link_status;
}

static uint64_t
counter(const struct harness *h, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(h->port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(h->port, &id, &value, 1), 1);
	return value;
}

/* The device has n frames for each queue, and neither is taken; nor is one to be sent. */
static void
expect_silence(struct harness *h, unsigned n)
{
	static const uint8_t frame[200];

	assert_false(is_up(h));
	for (uint16_t queue = 0; queue < 2; queue++) {
		struct rte_mbuf *in[4], *out = rte_pktmbuf_alloc(harness_tx_pool);

		for (unsigned i = 0; i < n; i++)
			assert_int_equal(
				device_receive_packet(h->dev, queue, NULL, frame, sizeof(frame)),
				1);
		assert_int_equal(rte_eth_rx_burst(h->port, queue, in, 4), 0);
		rte_pktmbuf_append(out, 100);
		assert_int_equal(rte_eth_tx_burst(h->port, queue, &out, 1), 0);
		rte_pktmbuf_free(out);
		harness_poll(h);
		assert_null(device_next_packet(h->dev, queue));
	}
}

static void
expect_up(struct harness *h)
{
	struct rte_mbuf *mbuf;

	assert_int_equal(rte_eth_dev_set_link_up(h->port), 0);
	assert_true(is_up(h));
	for (uint16_t queue = 0; queue < 2; queue++)
		assert_int_equal(rte_eth_rx_burst(h->port, queue, &mbuf, 1), 0);
	assert_int_equal(harness_pass(h, 100, 300), 0);
	assert_int_equal(harness_errors(), 0);
}

static void
expect_announcement(struct harness *h, bool sent)
{
	struct device_packet *packet;

	harness_poll(h);
	packet = device_next_packet(h->dev, 0);
	assert_true((packet != NULL) == sent);
	free(packet);
}

/* Frames of the time without a link do not come later, but are counted; and what the device asked
 * for meanwhile is done then. */
static void
down_and_up(void **state)
{
	struct harness h;

	(void)state;
	start(&h);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
		assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
		expect_silence(&h, 3);
		assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
		assert_int_equal(device_net_state(h.dev)->rx_mode[0], 1);
		device_ask_announce(h.dev);
		expect_silence(&h, 0);
		seam_alarms_within(SOON_US);
		assert_int_equal(device_net_state(h.dev)->announced, 1);
		assert_false(harness_said("no frame could be sent"));
		expect_announcement(&h, false);
		assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
		expect_announcement(&h, true);
		expect_announcement(&h, false);
		expect_up(&h);
		/* Since the reset: nothing was asked, and nothing is acknowledged. */
		assert_int_equal(device_net_state(h.dev)->announced, 0);
		assert_int_equal(device_net_state(h.dev)->rx_mode[0], 1);
		assert_int_equal(counter(&h, "rx_q1_drop_recovery"), 3 * i);
		assert_int_equal(rte_eth_promiscuous_disable(h.port), 0);
	}
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	expect_up(&h);
	expect_announcement(&h, false);
	end(&h);
}

/* A frame that the device had when the link went down is sent once, and those in doubt are told. */
static void
sent_meanwhile(void **state)
{
	struct rte_eth_stats stats;
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	start(&h);
	assert_int_equal(rte_eth_stats_reset(h.port), 0);
	device_hold_transmit(h.dev, true);
	for (unsigned i = 0; i < 5; i++) {
		mbuf = rte_pktmbuf_alloc(harness_tx_pool);
		memset(rte_pktmbuf_append(mbuf, 100), 0, 100);
		assert_int_equal(rte_eth_tx_burst(h.port, 0, &mbuf, 1), 1);
	}
	harness_poll(&h);
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	assert_int_equal(device_complete(h.dev, 1, 3, DEVICE_OLDEST_FIRST), 3);
	device_hold_transmit(h.dev, false);
	assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
	assert_int_equal(rte_eth_stats_get(h.port, &stats), 0);
	assert_int_equal(stats.opackets, 5);
	assert_int_equal(counter(&h, "tx_q0_drop_recovery"), 2);
	end(&h);
}

/* The event comes later, on the interrupt thread, and once for each change. */
static void
told(void **state)
{
	struct harness h;

	(void)state;
	for (unsigned lsc = 0; lsc < 2; lsc++) {
		start_with(&h, VIO_RECOVER_AUTO, 0, lsc);
		seam_alarms_within(SOON_US);
		events = 0;
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
			assert_false(is_up(&h));
		}
		assert_int_equal(events, 0);
		seam_alarms_within(SOON_US);
		assert_int_equal(events, 1);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
			assert_true(is_up(&h));
		}
		seam_alarms_within(SOON_US);
		assert_int_equal(events, 2);
		seam_no_alarms = true;
		harness_quiet();
		assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
		seam_no_alarms = false;
		assert_true(harness_said("no event tells that the link is down"));
		/* One that is due still does not outlive the port. */
		assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
		end(&h);
		assert_int_equal(events, 2);
	}
}

/* The device's own link is its own: up is as far as the application goes. */
static void
device_is_down(void **state)
{
	struct harness h;

	(void)state;
	start(&h);
	device_set_link(h.dev, false);
	assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	device_set_link(h.dev, true);
	expect_silence(&h, 1);
	expect_up(&h);
	end(&h);
}

/* A recovery, and queues that are stopped and started, leave it down. */
static void
stays_down(void **state)
{
	struct harness h;

	(void)state;
	start(&h);
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	device_ask_announce(h.dev);
	is_up(&h);
	seam_alarms_within(SOON_US);
	device_need_reset(h.dev);
	assert_false(is_up(&h));
	seam_alarms_within(SOON_US);
	assert_true(harness_said("recovered in"));
	assert_int_equal(events, 1);
	expect_silence(&h, 2);
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_stop(h.port, 1), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_start(h.port, 1), 0);
	expect_silence(&h, 2);
	harness_quiet();
	assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
	expect_announcement(&h, true);
	expect_up(&h);
	end(&h);
}

/* While the port recovers a wish is noted, and comes true with the end of that. */
static void
while_recovering(void **state)
{
	struct harness h;

	(void)state;
	start(&h);
	act = rte_eth_dev_set_link_down;
	device_need_reset(h.dev);
	is_up(&h);
	seam_alarms_within(SOON_US);
	assert_true(harness_said("recovered in"));
	assert_int_equal(acted, 0);
	expect_silence(&h, 2);
	device_ask_announce(h.dev);
	is_up(&h);
	seam_alarms_within(SOON_US);
	expect_announcement(&h, false);
	act = rte_eth_dev_set_link_up;
	acted = -1;
	device_need_reset(h.dev);
	is_up(&h);
	seam_alarms_within(SOON_US);
	assert_int_equal(acted, 0);
	assert_true(is_up(&h));
	expect_announcement(&h, true);
	assert_int_equal(harness_pass(&h, 100, 300), 0);
	end(&h);
}

/* A port that nothing but the application can bring back is not set up; its start does it. */
static void
given_up(void **state)
{
	struct harness h;

	(void)state;
	start_with(&h, VIO_RECOVER_MANUAL, 0, false);
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	device_need_reset(h.dev);
	is_up(&h);
	seam_alarms_within(SOON_US);
	assert_int_equal(rte_eth_dev_set_link_up(h.port), -EIO);
	assert_true(harness_said("the link cannot be set up: the port is down (waits for"));
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	assert_false(is_up(&h));
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_true(is_up(&h));
	assert_int_equal(harness_pass(&h, 20, 100), 0);
	end(&h);
}

/* A thread that never returns from its burst: the link stays up, for all others. */
static void
thread_inside(void **state)
{
	struct vio_rxq *q;
	struct harness h;

	(void)state;
	start(&h);
	q = h.eth->data->rx_queues[0];
	q->gate.inside = 1;
	harness_quiet();
	assert_int_equal(rte_eth_dev_set_link_down(h.port), -ETIMEDOUT);
	assert_true(harness_said("rx queue 0: a thread does not return from its burst"));
	q->gate.inside = 0;
	assert_true(is_up(&h));
	assert_int_equal(harness_pass(&h, 20, 100), 0);
	end(&h);
}

/* A start of the port brings the link up; a stopped port has none to set. */
static void
stop_and_start(void **state)
{
	const char *line;
	struct harness h;

	(void)state;
	start(&h);
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	device_ask_announce(h.dev);
	is_up(&h);
	seam_alarms_within(SOON_US);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_set_link_up(h.port), 0);
	harness_quiet();
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(rte_eth_dev_set_link_down(h.port), -ENOTSUP);
	line = strstr(harness_log(), "the link of a stopped port is down");
	assert_non_null(line);
	assert_null(strstr(line + 1, "the link of a stopped port is down"));
	assert_false(is_up(&h));
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_true(is_up(&h));
	assert_int_equal(harness_pass(&h, 20, 100), 0);
	assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
	expect_up(&h);
	end(&h);
}

/* Whatever fails while the link comes up: it is tried again. */
static void
up_fails(void **state)
{
	unsigned k;

	(void)state;
	for (k = 1;; k++) {
		struct harness h;
		bool failed;
		int ret;

		start(&h);
		assert_int_equal(rte_eth_dev_set_link_down(h.port), 0);
		inject_at(k);
		ret = rte_eth_dev_set_link_up(h.port);
		failed = inject_failed() != NULL;
		inject_at(0);
		if (ret < 0)
			assert_false(is_up(&h));
		seam_alarms_within(SOON_US);
		assert_true(is_up(&h));
		if (ret < 0)
			assert_int_equal(counter(&h, "recovery_restart_failed"), 1);
		assert_int_equal(harness_pass(&h, 20, 100), 0);
		end(&h);
		if (!failed)
			break;
	}
	assert_in_range(k, 10, 200);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(down_and_up),    cmocka_unit_test(sent_meanwhile),
	cmocka_unit_test(told),           cmocka_unit_test(device_is_down),
	cmocka_unit_test(stays_down),     cmocka_unit_test(while_recovering),
	cmocka_unit_test(given_up),       cmocka_unit_test(thread_inside),
	cmocka_unit_test(stop_and_start), cmocka_unit_test(up_fails),
};

HARNESS_MAIN(tests)
