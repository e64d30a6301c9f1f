/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user back-end that asks for a reset cannot say so by itself: net_vio_user asks it, rarely
 * where all is well, at once where nothing can be sent any more, and never again once the port is
 * stopped.
 */
#include "harness.h"

#include <string.h>

#include "inject.h"
#include "net/vio/watch.h"
#include "peer.h"

#define SECOND UINT64_C(1000000)

static void
arrive(bool lsc)
{
	peer_arrive("recover=auto,timeout=1000", lsc);
	/* This trap changes nothing, and counts the questions. */
	peer.server.trap = (struct trap){ TRAP_OR, VU_GET_STATUS, 0 };
	peer.server.trapped = 0;
}

static void
ask_for_reset(void)
{
	peer.server.status |= DEVICE_S_NEEDS_RESET;
}

static void
pass_seconds(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		assert_true(seam_alarm());
		peer_serve();
	}
}

/* With interrupts for the link, in which case ethdev asks the driver for it no more, and without.
 */
static void
is_noticed(void **state)
{
	(void)state;
	for (unsigned idle = 0; idle < 80; idle += 13) {
		uint64_t began;

		arrive(idle % 2 == 0);
		pass_seconds(idle);
		assert_true(peer_moves());
		ask_for_reset();
		began = seam_now_us;
		assert_true(peer_await('s', 100));
		assert_in_range(seam_now_us - began, 1, (VIO_WATCH_MOST_S + 1) * SECOND);
		assert_string_equal(peer.told, "rs");
		assert_true(peer_moves());
		peer_leave();
	}
}

/* An application that goes on sending has not to wait for so long. */
static void
is_noticed_at_once(void **state)
{
	uint64_t began;

	(void)state;
	arrive(true);
	pass_seconds(70);
	ask_for_reset();
	began = seam_now_us;
	while (strchr(peer.told, 'r') == NULL && seam_now_us - began < 10 * SECOND) {
		for (unsigned i = 0; i < 2 * PEER_SIZE; i++)
			peer_send();
		pass_seconds(1);
	}
	assert_true(peer_await('s', 10));
	assert_in_range(seam_now_us - began, 1, 3 * SECOND);
	assert_true(peer_moves());
	peer_leave();
}

/* Busy or idle, a back-end that is well is asked rarely. */
static void
is_asked_rarely(void **state)
{
	unsigned usual = 1024 / VIO_WATCH_MOST_S;

	(void)state;
	for (unsigned busy = 0; busy < 2; busy++) {
		arrive(true);
		for (unsigned i = 0; i < 1024; i++) {
			assert_true(!busy || peer_moves());
			pass_seconds(1);
		}
		assert_in_range(peer.server.trapped, usual, usual + 5);
		assert_string_equal(peer.told, "");
		peer_leave();
	}
}

/* Once stopped, nobody asks; and however often it is started, one alarm is set. */
static void
ends_with_the_port(void **state)
{
	(void)state;
	arrive(true);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(rte_eth_dev_stop(peer.port), 0);
		peer_serve();
		assert_int_equal(rte_eth_dev_start(peer.port), 0);
		peer_serve();
		assert_int_equal(seam_alarms(), 1);
	}
	assert_int_equal(rte_eth_dev_stop(peer.port), 0);
	peer_serve();
	peer.server.trapped = 0;
	assert_true(seam_alarm());
	assert_int_equal(seam_alarms(), 0);
	assert_int_equal(peer.server.trapped, 0);
	assert_int_equal(rte_eth_dev_start(peer.port), 0);
	peer_serve();
	ask_for_reset();
	assert_true(peer_await('s', 100));
	peer_leave();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(is_noticed, peer_setup),
	cmocka_unit_test(is_noticed_at_once),
	cmocka_unit_test(is_asked_rarely),
	cmocka_unit_test(ends_with_the_port),
};

HARNESS_MAIN(tests)
