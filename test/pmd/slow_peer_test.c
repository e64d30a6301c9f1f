/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user peer that answers each message, at the last moment that is allowed for one: a start
 * or a stop of many queues has a bound of its own.
 */
#include "harness.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "inject.h"
#include "peer.h"

#define SECOND UINT64_C(1000000)

enum { PAIRS = 4 };

/* The wait for one answer is 1 s. */
static void
answer_late(void)
{
	int waiting = 0;

	if (peer.server.fd >= 0 && ioctl(peer.server.fd, FIONREAD, &waiting) == 0 && waiting > 0)
		seam_now_us += SECOND - 10000;
	server_turn(&peer.server);
}

static void
answer(void)
{
	server_turn(&peer.server);
}

static void
arrive(void)
{
	peer.pairs = PAIRS;
	peer_arrive("recover=manual,reconnect=10,timeout=1000", false);
	assert_true(peer_moves());
}

/* What was said is not what one message would have brought. */
static void
was_given_up(uint64_t began)
{
	assert_in_range(seam_now_us - began, 9 * SECOND, 12 * SECOND);
	assert_true(harness_said("took 10000 ms over"));
	assert_false(harness_said("did not answer"));
}

/* With an honest peer all is as it was. */
static void
goes_on(void)
{
	seam_peer_turn = answer;
	assert_int_equal(rte_eth_dev_reset(peer.port), 0);
	assert_int_equal(rte_eth_dev_start(peer.port), 0);
	peer_serve();
	assert_true(peer_moves());
	peer_leave();
	harness_nothing_left();
}

static void
start_ends(void **state)
{
	uint64_t began;

	(void)state;
	arrive();
	assert_int_equal(rte_eth_dev_stop(peer.port), 0);
	seam_peer_turn = answer_late;
	harness_quiet();
	began = seam_now_us;
	assert_int_equal(rte_eth_dev_start(peer.port), -ETIMEDOUT);
	was_given_up(began);
	assert_true(harness_said("could not be started"));
	goes_on();
}

static void
stop_ends(void **state)
{
	uint64_t began;

	(void)state;
	arrive();
	seam_peer_turn = answer_late;
	harness_quiet();
	began = seam_now_us;
	rte_eth_dev_stop(peer.port);
	was_given_up(began);
	goes_on();
}

/* One message alone may take its whole time, however many there were: the bound is of one start. */
static void
later_ones_have_their_time(void **state)
{
	struct rte_eth_link link;

	(void)state;
	arrive();
	seam_now_us += 100 * SECOND;
	seam_peer_turn = answer_late;
	harness_quiet();
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(rte_eth_link_get(peer.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	assert_int_equal(harness_errors(), 0);
	seam_peer_turn = answer;
	assert_true(peer_moves());
	peer_leave();
	harness_nothing_left();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(start_ends, peer_setup),
	cmocka_unit_test(stop_ends),
	cmocka_unit_test(later_ones_have_their_time),
};

HARNESS_MAIN(tests)
