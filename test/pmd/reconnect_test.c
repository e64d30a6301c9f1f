/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user peer that goes, and another that comes in its place: each call that can fail on the
 * way does so once, and the new peer lies at each message. Nothing is lost by it, every wait has a
 * bound, and with an honest peer frames go on.
 */
#include "harness.h"

#include <string.h>

#include "inject.h"
#include "peer.h"

#define SECOND UINT64_C(1000000)

static void
arrive(void)
{
	peer_arrive("recover=auto,reconnect=10,recover_tries=100,timeout=50", true);
	assert_true(peer_moves());
	harness_quiet();
}

static void
hang_up(void)
{
	server_hang_up(&peer.server);
	assert_true(seam_interrupt());
}

/* The application's own way, where there was no memory for an alarm. */
static void
restart(void)
{
	rte_eth_dev_stop(peer.port);
	if (rte_eth_dev_start(peer.port) != 0) {
		assert_int_equal(rte_eth_dev_reset(peer.port), 0);
		assert_int_equal(rte_eth_dev_start(peer.port), 0);
	}
	peer_serve();
}

static void
each_call(void **state)
{
	const char *failed;
	unsigned k = 0;

	(void)state;
	do {
		arrive();
		inject_at(++k);
		hang_up();
		peer_await('s', 300);
		failed = inject_failed();
		inject_at(0);
		if (failed != NULL && strcmp(failed, "rte_eal_alarm_set") == 0) {
			assert_true(harness_errors() > 0 || harness_said("going without"));
			restart();
		}
		if (!peer_moves()) {
			/* The call that failed has ended the new connection, too: it is readable.
			 */
			memset(peer.told, 0, sizeof(peer.told));
			seam_interrupt();
			peer_await('s', 300);
		}
		if (!peer_moves())
			fail_msg("call %u, of %s: nothing moves:\n%s", k, failed, harness_log());
		peer_leave();
		harness_nothing_left();
	} while (failed != NULL);
	assert_in_range(k, 20, 1000);
}

/* Each message that a new peer gets, and each way of answering it wrongly, for a while. */
static void
each_lie(void **state)
{
	static const enum vio_vu_request requests[] = {
		VU_GET_FEATURES,
		VU_GET_PROTOCOL_FEATURES,
		VU_SET_PROTOCOL_FEATURES,
		VU_SET_OWNER,
		VU_SET_MEM_TABLE,
		VU_SET_FEATURES,
		VU_SET_STATUS,
		VU_GET_STATUS,
		VU_SET_VRING_NUM,
		VU_SET_VRING_ADDR,
		VU_SET_VRING_BASE,
		VU_SET_VRING_CALL,
		VU_SET_VRING_KICK,
		VU_SET_VRING_ENABLE,
	};
	static const struct {
		enum trap_kind kind;
		uint64_t value;
	} lies[] = {
		{ TRAP_SILENT, 0 },    { TRAP_REFUSE, 0 },          { TRAP_HANG_UP, 0 },
		{ TRAP_ANSWER, 0 },    { TRAP_ANSWER, UINT64_MAX }, { TRAP_TOO_LONG, 4096 },
		{ TRAP_TOO_SHORT, 0 },
	};

	(void)state;
	for (size_t r = 0; r < RTE_DIM(requests); r++) {
		for (size_t l = 0; l < RTE_DIM(lies); l++) {
			uint64_t began;

			arrive();
			peer.server.trap = (struct trap){ lies[l].kind, requests[r],
							  lies[l].value };
			began = seam_now_us;
			hang_up();
			peer_await('s', 10);
			assert_in_range(seam_now_us - began, 0, 15 * SECOND);
			/* Whoever is there now goes too, and an honest one comes. */
			peer.server.trap = (struct trap){ TRAP_NONE, 0, 0 };
			memset(peer.told, 0, sizeof(peer.told));
			server_hang_up(&peer.server);
			seam_interrupt();
			harness_quiet();
			if (!peer_await('s', 300) || !peer_moves())
				fail_msg("%s, lie %zu: nothing moves (%s):\n%s",
					 vio_vu_request_name(requests[r]), l, peer.told,
					 harness_log());
			peer_leave();
			harness_nothing_left();
		}
	}
}

static unsigned
times_said(const char *words)
{
	unsigned n = 0;

	for (const char *at = strstr(harness_log(), words); at != NULL; at = strstr(at + 1, words))
		n++;
	return n;
}

/* Each new peer hangs up at this message, for so long. */
static void
hangs_up_at(enum vio_vu_request request, uint64_t us)
{
	uint64_t began = seam_now_us;

	peer.server.trap = (struct trap){ TRAP_HANG_UP, request, 0 };
	while (seam_now_us - began < us) {
		assert_true(seam_alarm());
		peer_serve();
	}
	assert_null(strchr(peer.told, 'f'));
}

/* A peer that hangs up in its start, each time: the port tries for ever, once a second; the log
 * fills ever more slowly, but with what is new. */
static void
never_stays(void **state)
{
	unsigned errors;

	(void)state;
	arrive();
	peer.server.trap = (struct trap){ TRAP_HANG_UP, VU_GET_FEATURES, 0 };
	hang_up();
	hangs_up_at(VU_GET_FEATURES, 1000 * SECOND);
	assert_in_range(peer.server.trapped, 990, 1020);
	/* Eight, and at 16, 32, ... 512. */
	errors = harness_errors();
	assert_in_range(errors, 8, 8 + 7);
	assert_int_equal(times_said("512 faults since"), 1);
	assert_int_equal(times_said("513 faults since"), 0);
	hangs_up_at(VU_GET_PROTOCOL_FEATURES, 10 * SECOND);
	assert_int_equal(harness_errors(), errors + 1);
	assert_int_equal(times_said("(at GET_PROTOCOL_FEATURES)"), 1);
	peer.server.trap = (struct trap){ TRAP_NONE, 0, 0 };
	assert_true(peer_await('s', 10));
	assert_int_equal(times_said("recovered in"), 1);
	assert_true(peer_moves());
	peer_leave();
	harness_nothing_left();
}

/* So many peers, one after the other, are told goodbye as soon as the port is well. */
static uint64_t
come_and_go(unsigned times, bool move)
{
	uint64_t began = seam_now_us;

	for (unsigned i = 0; i < times; i++) {
		assert_true(!move || peer_moves());
		memset(peer.told, 0, sizeof(peer.told));
		hang_up();
		assert_true(peer_await('s', 300));
	}
	return seam_now_us - began;
}

/* A peer that comes and goes all the time, with a frame in between or without. One that stays ends
 * that. */
static void
comes_and_goes(void **state)
{
	enum { TIMES = 40 };

	(void)state;
	for (unsigned move = 0; move < 2; move++) {
		arrive();
		/* Once or twice is no reason for a pause, or to be short of words. */
		assert_in_range(come_and_go(2, move), 0, SECOND / 10);
		assert_int_equal(times_said("recovered in"), 2);
		assert_in_range(come_and_go(TIMES, move), (TIMES - 10) * SECOND,
				TIMES * 2 * SECOND);
		assert_in_range(times_said("recovered in"), 8, 12);
		assert_in_range(times_said("the vhost-user peer has gone; recovering"), 8, 12);
		assert_in_range(times_said("closed the connection"), 8, 12);
		assert_int_equal(times_said("32 faults since"), 1);
		/* Only time heals. */
		seam_alarms_within(6 * SECOND);
		assert_in_range(come_and_go(1, move), SECOND / 20, SECOND / 5);
		seam_alarms_within(60 * SECOND);
		assert_int_equal(times_said("was well for 10 s, after"), 1);
		harness_quiet();
		assert_in_range(come_and_go(2, move), 0, SECOND / 10);
		assert_int_equal(times_said("recovered in"), 2);
		assert_true(peer_moves());
		peer_leave();
		harness_nothing_left();
	}
}

/* Where nobody is to be looked for, the port is lost with its peer: told, and counted. */
static void
goes_for_good(void **state)
{
	uint64_t id, failures;

	(void)state;
	harness_quiet();
	peer_arrive("recover=auto", true);
	hang_up();
	assert_true(peer_await('f', 10));
	assert_string_equal(peer.told, "rf");
	assert_int_equal(rte_eth_xstats_get_id_by_name(peer.port, "recovery_failures", &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(peer.port, &id, &failures, 1), 1);
	assert_int_equal(failures, 1);
	assert_int_equal(rte_eth_dev_is_removed(peer.port), 1);
	peer_leave();
	harness_nothing_left();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(each_call, peer_setup),
	cmocka_unit_test(each_lie),
	cmocka_unit_test(never_stays),
	cmocka_unit_test(comes_and_goes),
	cmocka_unit_test(goes_for_good),
};

HARNESS_MAIN(tests)
