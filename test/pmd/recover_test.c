/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port that comes back by itself, against the device model: what the application is told, in
 * which order, what is as before afterwards, when it is given up, and what the application may do
 * meanwhile. Alarms and interrupts come when the test says so.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include "inject.h"
#include "net/vio/port.h"

#define FEATURES                                                         \
	(DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_CTRL_RX) |   \
	 DEVICE_BIT(DEVICE_F_CTRL_MAC_ADDR) | DEVICE_BIT(DEVICE_F_MAC) | \
	 DEVICE_BIT(DEVICE_F_STATUS) | DEVICE_BIT(DEVICE_F_MQ))

enum { QUEUES = 2, SIZE = 64 };

/* What the application was told, one letter an event. */
static char told[64];
/* What it does when it is told that letter. */
static char act_at;
static void (*act)(uint16_t port);

static int
note_event(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
	static const char letters[RTE_ETH_EVENT_MAX] = {
		[RTE_ETH_EVENT_INTR_LSC] = 'l',         [RTE_ETH_EVENT_INTR_RESET] = 'm',
		[RTE_ETH_EVENT_INTR_RMV] = 'g',         [RTE_ETH_EVENT_ERR_RECOVERING] = 'r',
		[RTE_ETH_EVENT_RECOVERY_SUCCESS] = 's', [RTE_ETH_EVENT_RECOVERY_FAILED] = 'f',
	};
	size_t len = strlen(told);
	struct rte_mbuf *mbuf;

	(void)arg;
	(void)ret;
	if (letters[event] == 0 || len + 1 == sizeof(told))
		return 0;
	told[len] = letters[event];
	told[len + 1] = '\0';
	/* Until it has succeeded bursts move nothing, though anybody may call them. */
	if (letters[event] == 'r')
		assert_int_equal(rte_eth_rx_burst(port, 0, &mbuf, 1), 0);
	if (letters[event] == act_at)
		act(port);
	return 0;
}

static const enum rte_eth_event_type events[] = {
	RTE_ETH_EVENT_INTR_LSC,       RTE_ETH_EVENT_INTR_RESET,       RTE_ETH_EVENT_INTR_RMV,
	RTE_ETH_EVENT_ERR_RECOVERING, RTE_ETH_EVENT_RECOVERY_SUCCESS, RTE_ETH_EVENT_RECOVERY_FAILED,
};

static int
setup(void **state)
{
	static struct harness h;

	act_at = 0;
	*state = &h;
	return 0;
}

static void
hear(void)
{
	memset(told, 0, sizeof(told));
	for (size_t i = 0; i < RTE_DIM(events); i++)
		rte_eth_dev_callback_register(RTE_ETH_ALL, events[i], note_event, NULL);
}

/* The harness counts what is left on EAL's heap. */
static void
end(struct harness *h)
{
	for (size_t i = 0; i < RTE_DIM(events); i++)
		rte_eth_dev_callback_unregister(RTE_ETH_ALL, events[i], note_event, NULL);
	harness_close(h);
}

static bool deaf; /* to interrupts */

/* A started port. */
static void
start(struct harness *h, uint64_t more, uint8_t recover, unsigned tries)
{
	struct harness_options options = {
		.features = FEATURES | more,
		.pairs = 4,
		.recover = recover,
		.recover_tries = tries,
	};
	struct rte_eth_conf conf = { .intr_conf.lsc = !deaf };

	hear();
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, QUEUES, QUEUES, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
}

static uint64_t
xstat(uint16_t port, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}

static void
run_alarms(void)
{
	seam_alarms_within(30000000);
}

static void
ask_for_reset(struct harness *h)
{
	device_need_reset(h->dev);
	assert_true(seam_interrupt());
}

static bool
is_up(uint16_t port)
{
	struct rte_eth_link link;

	rte_eth_link_get_nowait(port, &link);
	return link.link_status;
}

/* The receive queue's next used entry is a lie, and the poller finds it. */
static void
break_rx(struct harness *h)
{
	static const uint8_t frame[100];
	struct rte_mbuf *mbuf;

	device_lie(h->dev, VIO_NET_RXQ(1), DEVICE_LIE_ID, SIZE);
	device_receive_packet(h->dev, 1, NULL, frame, sizeof(frame));
	assert_int_equal(rte_eth_rx_burst(h->port, 1, &mbuf, 1), 0);
	device_honest(h->dev);
}

static void
needs_reset(void **state)
{
	static const uint64_t layouts[] = { 0, DEVICE_BIT(DEVICE_F_RING_PACKED) };
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 9 } };
	struct harness *h = *state;

	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		start(h, layouts[i], VIO_RECOVER_AUTO, 0);
		assert_int_equal(rte_eth_promiscuous_enable(h->port), 0);
		assert_int_equal(rte_eth_allmulticast_enable(h->port), 0);
		assert_int_equal(rte_eth_dev_default_mac_addr_set(h->port, &mac), 0);
		told[0] = '\0';
		ask_for_reset(h);
		run_alarms();
		assert_string_equal(told, "lrls");
		assert_true(is_up(h->port));
		assert_int_equal(device_net_state(h->dev)->pairs, QUEUES);
		assert_int_equal(device_net_state(h->dev)->rx_mode[0], 1);
		assert_int_equal(device_net_state(h->dev)->rx_mode[1], 1);
		assert_memory_equal(device_net_state(h->dev)->mac, &mac, sizeof(mac));
		assert_int_equal(harness_pass(h, 200, 300), 0);
		assert_int_equal(xstat(h->port, "recoveries"), 1);
		assert_int_equal(xstat(h->port, "recovery_needs_reset"), 1);
		end(h);
	}
}

/* A control queue that does not answer is a fault like another: the device is reset, and answers.
 */
static void
control_is_silent(void **state)
{
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 9 } };
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	device_lie(h->dev, 2 * 4, DEVICE_LIE_CTRL_SILENT, 0);
	told[0] = '\0';
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h->port, &mac), -ETIMEDOUT);
	device_honest(h->dev);
	run_alarms();
	assert_string_equal(told, "lrls");
	assert_int_equal(xstat(h->port, "recovery_control_queue"), 1);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h->port, &mac), 0);
	assert_int_equal(harness_pass(h, 200, 300), 0);
	end(h);
}

/* Row 17: also while the port is started, stopped or reset, and where no interrupt comes. */
static void
needs_reset_at_any_time(void **state)
{
	struct harness *h = *state;

	deaf = true;
	start(h, 0, VIO_RECOVER_AUTO, 0);
	deaf = false;
	device_need_reset(h->dev);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	run_alarms();
	assert_int_equal(xstat(h->port, "recoveries"), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);

	device_need_reset(h->dev);
	told[0] = '\0';
	is_up(h->port);
	run_alarms();
	assert_string_equal(told, "lrls");
	assert_int_equal(harness_pass(h, 10, 100), 0);

	device_need_reset(h->dev);
	assert_int_equal(rte_eth_dev_reset(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	run_alarms();
	assert_int_equal(xstat(h->port, "recoveries"), 1);
	end(h);
}

/* In the middle of the start, as its status is read to see FEATURES_OK. */
static void
need_reset_at_sleep(struct harness *h)
{
	device_need_reset(h->dev);
	h->turn = NULL;
}

static void
needs_reset_in_start(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	/* The wait is that for the command which sets the number of pairs. */
	h->turn = need_reset_at_sleep;
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_null(h->turn);
	told[0] = '\0';
	run_alarms();
	assert_true(strstr(told, "r") != NULL && strstr(told, "s") != NULL);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

static void
broken_queue(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	told[0] = '\0';
	break_rx(h);
	assert_string_equal(told, "");
	run_alarms();
	assert_string_equal(told, "lrls");
	assert_true(harness_said("rx queue 1 is broken: the device used an id beyond the queue"));
	assert_int_equal(harness_pass(h, 200, 300), 0);
	assert_int_equal(xstat(h->port, "rx_q1_broken"), 1);
	assert_int_equal(xstat(h->port, "rx_q1_broken_id_range"), 1);
	assert_int_equal(xstat(h->port, "recovery_broken_queue"), 1);
	end(h);
}

static void
send_frames(uint16_t port, uint16_t queue, uint16_t n)
{
	struct rte_mbuf *mbufs[16];

	for (uint16_t i = 0; i < n; i++) {
		mbufs[i] = rte_pktmbuf_alloc(harness_tx_pool);
		rte_pktmbuf_append(mbufs[i], 100);
	}
	assert_int_equal(rte_eth_tx_burst(port, queue, mbufs, n), n);
}

/* What was sent and not yet used, and what was received and not yet taken, is counted, as one thing
 * only. */
static void
losses(void **state)
{
	static const uint8_t frame[100];
	struct harness *h = *state;
	struct rte_eth_stats before, after;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	assert_int_equal(rte_eth_stats_get(h->port, &before), 0);
	send_frames(h->port, 0, 3);
	harness_poll(h);
	send_frames(h->port, 1, 5);
	for (unsigned i = 0; i < 3; i++)
		assert_true(device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)));
	ask_for_reset(h);
	run_alarms();
	assert_int_equal(xstat(h->port, "tx_q1_drop_recovery"), 5);
	assert_int_equal(xstat(h->port, "tx_q0_drop_recovery"), 0);
	assert_int_equal(xstat(h->port, "rx_q0_drop_recovery"), 3);
	assert_int_equal(rte_eth_stats_get(h->port, &after), 0);
	assert_int_equal(after.opackets - before.opackets, 8);
	assert_int_equal(after.oerrors, 5);
	assert_int_equal(after.imissed, 3);
	assert_int_equal(after.ipackets, before.ipackets);
	assert_int_equal(harness_pass(h, 20, 100), 0);
	end(h);
}

/* However many tries it takes until the device lets go of it; and not where the application has
 * cleared the counters since it was sent. */
static void
losses_are_counted_once(void **state)
{
	static const uint8_t frame[100];
	struct harness *h = *state;
	struct rte_eth_stats stats;

	start(h, 0, VIO_RECOVER_AUTO, 5);
	send_frames(h->port, 1, 5);
	assert_int_equal(rte_eth_stats_reset(h->port), 0);
	assert_true(device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)));
	ask_for_reset(h);
	device_lie(h->dev, 0, DEVICE_LIE_RESET, 0);
	h->deaf = true;
	for (unsigned i = 0; i < 3; i++)
		assert_true(seam_alarm());
	h->deaf = false;
	device_honest(h->dev);
	run_alarms();
	assert_int_equal(xstat(h->port, "recoveries"), 1);
	assert_int_equal(rte_eth_stats_get(h->port, &stats), 0);
	assert_int_equal(stats.opackets, 0);
	assert_int_equal(stats.oerrors, 5);
	assert_int_equal(stats.imissed, 1);
	assert_int_equal(harness_pass(h, 20, 100), 0);
	/* The next recovery counts again. */
	send_frames(h->port, 1, 2);
	ask_for_reset(h);
	run_alarms();
	assert_int_equal(xstat(h->port, "tx_q1_drop_recovery"), 7);
	end(h);
}

static unsigned given;

static void
give_one(struct harness *h)
{
	static const uint8_t frame[100];

	given += device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)) != 0;
}

/* Also what the device goes on putting into the ring until it is reset; but not once for each try
 * that a reset takes. */
static void
losses_until_the_reset(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	given = 0;
	ask_for_reset(h);
	device_lie(h->dev, 0, DEVICE_LIE_RESET, 0);
	h->on_call = give_one;
	for (unsigned i = 0; i < 3; i++)
		assert_true(seam_alarm());
	h->on_call = NULL;
	device_honest(h->dev);
	run_alarms();
	assert_true(given > 3);
	assert_int_equal(xstat(h->port, "recoveries"), 1);
	assert_int_equal(xstat(h->port, "rx_q0_drop_recovery"), given);
	end(h);
}

static void
gives_up(void **state)
{
	struct harness *h = *state;
	unsigned breaks = 0;

	start(h, 0, VIO_RECOVER_AUTO, 5);
	told[0] = '\0';
	while (strchr(told, 'f') == NULL && breaks < 20) {
		break_rx(h);
		breaks++;
		run_alarms();
	}
	assert_int_equal(breaks, 6);
	assert_int_equal(xstat(h->port, "recoveries"), 5);
	assert_int_equal(xstat(h->port, "recovery_failures"), 1);
	assert_true(harness_said("gave up recovering after 5 tries"));
	assert_false(is_up(h->port));
	assert_int_not_equal(harness_pass(h, 1, 100), 0);
	/* The application may try, and a port that was well for a while begins anew. */
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	for (unsigned i = 0; i < 10; i++) {
		break_rx(h);
		run_alarms();
		seam_now_us += 11000000;
	}
	assert_int_equal(xstat(h->port, "recoveries"), 15);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

/* A device that never finishes its reset: tries come ever later, and end. */
static void
reset_that_never_ends(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 3);
	told[0] = '\0';
	ask_for_reset(h);
	device_lie(h->dev, 0, DEVICE_LIE_RESET, 0);
	run_alarms();
	assert_string_equal(told, "lrf");
	assert_int_equal(xstat(h->port, "recovery_failures"), 1);
	end(h);
}

static void
manual(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_MANUAL, 0);
	told[0] = '\0';
	break_rx(h);
	run_alarms();
	assert_string_equal(told, "lm");
	assert_false(is_up(h->port));
	assert_int_not_equal(harness_pass(h, 1, 100), 0);
	assert_int_equal(rte_eth_dev_reset(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 100, 100), 0);
	end(h);
}

static void
stop_it(uint16_t port)
{
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static void
restart_it(uint16_t port)
{
	act_at = 0;
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
}

static void
reset_it(uint16_t port)
{
	act_at = 0;
	assert_int_equal(rte_eth_dev_reset(port), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
}

/* What a port lay in may be anybody's once it is closed: the driver must not look there. */
static void *closed_port;

static void
forbid(void)
{
	__asan_poison_memory_region(closed_port, sizeof(struct vio_port));
}

static void
allow(void)
{
	if (closed_port != NULL)
		__asan_unpoison_memory_region(closed_port, sizeof(struct vio_port));
	closed_port = NULL;
}

static void
close_it(uint16_t port)
{
	closed_port = rte_eth_devices[port].data->dev_private;
	rte_eth_dev_stop(port);
	assert_int_equal(rte_eth_dev_close(port), 0);
	forbid();
}

static void (*const acts[])(uint16_t) = { stop_it, restart_it, reset_it, close_it };

/* The port ends or begins anew when this letter is told: all that was told is the first letters. */
static void
act_then(struct harness *h, void (*what)(uint16_t), char at, const char *letters)
{
	told[0] = '\0';
	act_at = at;
	act = what;
	ask_for_reset(h);
	run_alarms();
	act_at = 0;
	allow();
	assert_string_equal(told, letters);
	if (what == close_it)
		h->open = false;
}

static void
works(struct harness *h)
{
	if (h->open && !harness_started(h))
		assert_int_equal(rte_eth_dev_start(h->port), 0);
	if (h->open)
		assert_int_equal(harness_pass(h, 10, 100), 0);
}

static void
stop_queues(uint16_t port)
{
	assert_int_equal(rte_eth_dev_rx_queue_stop(port, 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_stop(port, 1), 0);
}

static void
start_queues(uint16_t port)
{
	assert_int_equal(rte_eth_dev_rx_queue_start(port, 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_start(port, 1), 0);
}

static void
stop_and_start_queues(uint16_t port)
{
	struct rte_mbuf *mbuf;

	stop_queues(port);
	start_queues(port);
	/* A port that recovers stays closed, whatever is asked for. */
	assert_int_equal(rte_eth_rx_burst(port, 1, &mbuf, 1), 0);
	assert_true(vio_gate_is_closed(
		&((struct vio_rxq *)rte_eth_devices[port].data->rx_queues[1])->gate));
}

/* What is asked of a queue while the port recovers comes true with the restart. */
static void
queues_meanwhile(void **state)
{
	const uint64_t can_stop = DEVICE_BIT(DEVICE_F_RING_RESET);
	struct harness *h = *state;
	struct rte_eth_rxq_info info;

	start(h, can_stop, VIO_RECOVER_AUTO, 0);
	act_at = 'r';
	act = stop_queues;
	ask_for_reset(h);
	run_alarms();
	act_at = 0;
	assert_int_equal(rte_eth_rx_queue_info_get(h->port, 1, &info), 0);
	assert_int_equal(info.queue_state, RTE_ETH_QUEUE_STATE_STOPPED);
	start_queues(h->port);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	act_at = 'r';
	act = stop_and_start_queues;
	seam_now_us += 11000000;
	ask_for_reset(h);
	run_alarms();
	act_at = 0;
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

static void
find_a_fault(struct harness *h)
{
	h->on_call = NULL;
	vio_recover_notice(h->eth->data->dev_private, VIO_CAUSE_QUEUE);
}

/* A thread that polls all the time finds the queue broken before the start is over. */
static void
noticed_in_start(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	h->on_call = find_a_fault;
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	run_alarms();
	assert_int_equal(xstat(h->port, "recoveries"), 1);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

/* But not what was noticed before it. */
static void
noticed_before_start(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	vio_recover_notice(h->eth->data->dev_private, VIO_CAUSE_QUEUE);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	run_alarms();
	assert_int_equal(xstat(h->port, "recoveries"), 0);
	end(h);
}

/* Where no alarm can be set for the next try, the application is told. */
static void
no_alarm(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	ask_for_reset(h);
	device_lie(h->dev, 0, DEVICE_LIE_RESET, 0);
	told[0] = '\0';
	seam_no_alarms = true;
	assert_true(seam_alarm());
	seam_no_alarms = false;
	assert_string_equal(told, "lrf");
	assert_int_equal(xstat(h->port, "recovery_failures"), 1);
	device_honest(h->dev);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

/* The application stops, restarts, resets or closes the port in each of its callbacks: it hears no
 * more of what was before. */
static void
within_callbacks(void **state)
{
	static const struct {
		char at;
		const char *letters;
	} moments[] = { { 'l', "l" }, { 'r', "lr" }, { 's', "lrls" } };
	struct harness *h = *state;

	for (size_t i = 0; i < RTE_DIM(acts); i++) {
		for (size_t m = 0; m < RTE_DIM(moments); m++) {
			start(h, 0, VIO_RECOVER_AUTO, 0);
			act_then(h, acts[i], moments[m].at, moments[m].letters);
			works(h);
			end(h);
		}
	}
}

/* The same where the port is given up, or waits for the application. */
static void
within_the_last_callback(void **state)
{
	struct harness *h = *state;

	for (size_t i = 0; i < RTE_DIM(acts); i++) {
		start(h, 0, VIO_RECOVER_AUTO, 1);
		ask_for_reset(h);
		run_alarms();
		act_then(h, acts[i], 'f', "lrf");
		works(h);
		end(h);
		start(h, 0, VIO_RECOVER_MANUAL, 0);
		act_then(h, acts[i], 'm', "lm");
		works(h);
		end(h);
	}
}

/* As the port has come back, at the second word about the link. */
static unsigned links;

static void
close_at_second(uint16_t port)
{
	if (++links == 2)
		close_it(port);
}

static void
closed_as_it_comes_back(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	links = 0;
	act_then(h, close_at_second, 'l', "lrl");
	h->open = false;
	end(h);
}

/* The next try is due in a while, and the port is stopped or closed before: it is not made. */
static void
closed_between_tries(void **state)
{
	struct harness *h = *state;
	unsigned resets;

	for (unsigned i = 0; i < 2; i++) {
		start(h, 0, VIO_RECOVER_AUTO, 0);
		ask_for_reset(h);
		device_lie(h->dev, 0, DEVICE_LIE_RESET, 0);
		assert_true(seam_alarm());
		device_honest(h->dev);
		assert_int_equal(rte_eth_dev_stop(h->port), 0);
		told[0] = '\0';
		if (i == 1) {
			assert_int_equal(rte_eth_dev_close(h->port), 0);
			h->open = false;
			assert_false(seam_alarm());
		}
		resets = device_resets(h->dev);
		run_alarms();
		assert_string_equal(told, "");
		assert_int_equal(device_resets(h->dev), resets);
		works(h);
		end(h);
	}
}

/* Something was noticed, and the port closed before anybody acted on it. */
static void
closed_before_it_begins(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	break_rx(h);
	told[0] = '\0';
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_close(h->port), 0);
	h->open = false;
	assert_int_equal(seam_alarms(), 0);
	assert_string_equal(told, "");
	end(h);
}

/* The interrupt thread has its turn just when the application's thread stops the port. */
static void
stopped_as_it_begins(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	break_rx(h);
	told[0] = '\0';
	seam_unregistering = run_alarms;
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	seam_unregistering = NULL;
	assert_int_equal(seam_alarms(), 0);
	assert_string_equal(told, "");
	assert_false(seam_interrupt_registered());
	assert_false(seam_interrupts_left_on());
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

/* The application did not ask for link interrupts, nor asks for the link: the port asks. */
static void
without_interrupts(void **state)
{
	struct harness *h = *state;
	uint64_t since;

	deaf = true;
	start(h, DEVICE_BIT(DEVICE_F_GUEST_ANNOUNCE), VIO_RECOVER_AUTO, 0);
	deaf = false;
	assert_false(seam_interrupt_registered());
	told[0] = '\0';
	device_need_reset(h->dev);
	since = seam_now_us;
	while (xstat(h->port, "recoveries") == 0 && seam_now_us - since < 3000000)
		assert_true(seam_alarm());
	assert_int_equal(xstat(h->port, "recovery_needs_reset"), 1);
	assert_string_equal(told, "lrls");
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

static void
unplugged(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	told[0] = '\0';
	assert_int_equal(rte_eth_dev_is_removed(h->port), 0);
	device_unplug(h->dev);
	assert_true(seam_interrupt());
	run_alarms();
	assert_string_equal(told, "lg");
	assert_false(is_up(h->port));
	assert_int_equal(rte_eth_dev_is_removed(h->port), 1);
	assert_int_equal(xstat(h->port, "recovery_unplugged"), 1);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_close(h->port), 0);
	h->open = false;
	/* The model takes a device that was pulled out for one that still has its queues. */
	device_faults_clear(h->dev);
	end(h);
}

/* The application hears of it also where the driver was the first to find out. */
static void
found_gone(void **state)
{
	struct harness *h = *state;

	for (int up = 0; up < 2; up++) {
		start(h, 0, VIO_RECOVER_AUTO, 0);
		if (up)
			assert_int_equal(rte_eth_dev_set_link_down(h->port), 0);
		told[0] = '\0';
		device_unplug(h->dev);
		if (up) {
			assert_int_equal(rte_eth_dev_set_link_up(h->port), -EIO);
		} else {
			rte_eth_dev_stop(h->port);
			vio_recover_notice(vio_port(h->eth), VIO_CAUSE_UNPLUGGED);
		}
		run_alarms();
		assert_non_null(strchr(told, 'g'));
		/* Once. */
		told[0] = '\0';
		vio_recover_notice(vio_port(h->eth), VIO_CAUSE_UNPLUGGED);
		run_alarms();
		assert_string_equal(told, "");
		assert_int_equal(xstat(h->port, "recovery_unplugged"), 1);
		if (up)
			assert_int_equal(rte_eth_dev_stop(h->port), 0);
		assert_int_equal(rte_eth_dev_close(h->port), 0);
		h->open = false;
		device_faults_clear(h->dev);
		end(h);
	}
}

/* A thread that is off the CPU in the middle of a burst: nothing of its queue is touched. */
static void
within_a_burst(void **state)
{
	struct harness *h = *state;
	struct vio_rxq *q;
	unsigned resets;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	q = h->eth->data->rx_queues[1];
	q->gate.inside = 1;
	resets = device_resets(h->dev);
	told[0] = '\0';
	ask_for_reset(h);
	assert_true(seam_alarm());
	assert_int_equal(device_resets(h->dev), resets);
	assert_true(harness_said("rx queue 1: a thread does not return from its burst"));
	q->gate.inside = 0;
	run_alarms();
	assert_string_equal(told, "lrls");
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

/* Such a thread keeps its queue through a stop, a start and the end of the queue. */
static void
within_a_burst_at_stop(void **state)
{
	struct harness *h = *state;
	struct vio_rxq *q;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	q = h->eth->data->rx_queues[1];
	q->gate.inside = 1;
	assert_int_equal(rte_eth_dev_stop(h->port), -ETIMEDOUT);
	assert_non_null(q->ring.vq);
	assert_int_equal(rte_eth_dev_start(h->port), -ETIMEDOUT);
	assert_non_null(q->ring.vq);
	vio_rx_queue_release(h->eth, 1);
	assert_non_null(q->ring.vq);
	assert_true(harness_said("a thread is in a burst still"));
	h->eth->data->rx_queues[1] = q;
	q->gate.inside = 0;
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

static void
notice_queue(uint16_t port)
{
	vio_recover_notice(vio_port(&rte_eth_devices[port]), VIO_CAUSE_QUEUE);
}

/* A burst that was under way when the recovery began finds its queue broken: that is over with it.
 */
static void
noticed_late(void **state)
{
	struct harness *h = *state;

	start(h, 0, VIO_RECOVER_AUTO, 0);
	told[0] = '\0';
	act_at = 'r';
	act = notice_queue;
	ask_for_reset(h);
	run_alarms();
	assert_string_equal(told, "lrls");
	assert_int_equal(xstat(h->port, "recoveries"), 1);
	assert_int_equal(harness_pass(h, 10, 100), 0);
	end(h);
}

/* Each call of a recovery fails once: the next try succeeds, and nothing is lost. */
static void
calls_that_fail(void **state)
{
	struct harness *h = *state;
	const char *failed;
	unsigned k = 0;

	do {
		start(h, 0, VIO_RECOVER_AUTO, 0);
		ask_for_reset(h);
		inject_at(++k);
		run_alarms();
		failed = inject_failed();
		inject_at(0);
		/* No memory for the alarm itself: that much has to be there. */
		if (failed == NULL || strcmp(failed, "rte_eal_alarm_set") != 0)
			if (harness_pass(h, 5, 100) != 0)
				fail_msg("call %u, of %s", k, failed);
		end(h);
	} while (failed != NULL);
	assert_true(k > 30);
}

static void
guests(void **state)
{
	struct vio_gate gate = { .state = VIO_GATE_OPEN };
	pid_t dead = fork();

	(void)state;
	if (dead == 0)
		_exit(0);
	assert_int_equal(waitpid(dead, NULL, 0), dead);
	/* A secondary that lives is waited for, one that has ended is not. */
	gate.guest = getppid();
	assert_int_equal(vio_gate_close(&gate, 1), -ETIMEDOUT);
	gate.guest = dead;
	assert_int_equal(vio_gate_close(&gate, 1), 0);
	/* From within a secondary: a place for one, which the dead leave. */
	vio_gate_mark = getpid();
	assert_false(vio_gate_visit(&gate));
	assert_int_equal(gate.guest, 0);
	vio_gate_open(&gate);
	gate.guest = getppid();
	assert_false(vio_gate_visit(&gate));
	assert_int_equal(gate.guest, getppid());
	gate.guest = dead;
	assert_true(vio_gate_visit(&gate));
	assert_int_equal(gate.guest, getpid());
	assert_int_equal(gate.visitors, 0);
	assert_int_equal(vio_gate_close(&gate, 1), -ETIMEDOUT);
	vio_gate_end_visit(&gate);
	assert_int_equal(gate.guest, 0);
	vio_gate_mark = 1;
	assert_int_equal(vio_gate_close(&gate, 1), 0);
}

static void
gates(void **state)
{
	struct vio_gate gate = { 0 };

	(void)state;
	assert_false(vio_gate_enter(&gate));
	assert_int_equal(gate.inside, 0);
	assert_false(vio_gate_visit(&gate));
	assert_int_equal(gate.visitors, 0);
	for (unsigned open = VIO_GATE_OPEN; open <= VIO_GATE_FENCED; open++) {
		gate.state = open;
		assert_true(vio_gate_enter(&gate));
		assert_int_equal(vio_gate_close(&gate, 1), -ETIMEDOUT);
		vio_gate_leave(&gate);
		assert_int_equal(vio_gate_close(&gate, 1), 0);
		assert_false(vio_gate_enter(&gate));
		gate.state = open;
		assert_true(vio_gate_visit(&gate));
		assert_int_equal(vio_gate_close(&gate, 1), -ETIMEDOUT);
		vio_gate_end_visit(&gate);
		assert_int_equal(vio_gate_close(&gate, 1), 0);
	}
	assert_int_equal(vio_gate_init(), 0);
	vio_gate_open(&gate);
	assert_int_equal(gate.state, VIO_GATE_OPEN);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(needs_reset),
	TEST(control_is_silent),
	TEST(needs_reset_at_any_time),
	TEST(needs_reset_in_start),
	TEST(broken_queue),
	TEST(losses),
	TEST(losses_are_counted_once),
	TEST(losses_until_the_reset),
	TEST(gives_up),
	TEST(reset_that_never_ends),
	TEST(manual),
	TEST(queues_meanwhile),
	TEST(noticed_in_start),
	TEST(noticed_before_start),
	TEST(no_alarm),
	TEST(within_callbacks),
	TEST(within_the_last_callback),
	TEST(closed_as_it_comes_back),
	TEST(closed_between_tries),
	TEST(closed_before_it_begins),
	TEST(stopped_as_it_begins),
	TEST(without_interrupts),
	TEST(unplugged),
	TEST(found_gone),
	TEST(within_a_burst),
	TEST(within_a_burst_at_stop),
	TEST(noticed_late),
	TEST(calls_that_fail),
	TEST(guests),
	TEST(gates),
};

HARNESS_MAIN(tests)
