/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks at a port by another thread (the dump goes the way of telemetry), while the application's
 * is at work on it: what is looked at does not go away meanwhile.
 */
#include "harness.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/vio/port.h"

/* Real time: long enough for a thread that does not wait to be done. */
enum { PAUSE_US = 100000 };

/* A thread that stops in the middle of its dump. */
struct looker {
	pthread_t thread;
	const struct harness *h;
	bool inside; /* with the first line written */
	bool *gone;  /* becomes true where what it looks at has gone */
	bool saw_it_go;
	char text[8192];
	size_t len;
};

static ssize_t
take_text(void *cookie, const char *text, size_t len)
{
	struct looker *looker = cookie;

	if (looker->len + len >= sizeof(looker->text))
		return 0;
	memcpy(looker->text + looker->len, text, len);
	looker->len += len;
	if (looker->gone == NULL || __atomic_exchange_n(&looker->inside, true, __ATOMIC_SEQ_CST))
		return (ssize_t)len;
	usleep(PAUSE_US);
	looker->saw_it_go = __atomic_load_n(looker->gone, __ATOMIC_SEQ_CST);
	return (ssize_t)len;
}

static void *
look(void *arg)
{
	static const cookie_io_functions_t functions = { .write = take_text };
	struct looker *looker = arg;
	FILE *file = fopencookie(looker, "w", functions);

	setvbuf(file, NULL, _IOLBF, 256);
	rte_eth_dev_priv_dump(looker->h->port, file);
	fclose(file);
	return NULL;
}

static void
begin_to_look(struct looker *looker)
{
	assert_int_equal(pthread_create(&looker->thread, NULL, look, looker), 0);
	while (!__atomic_load_n(&looker->inside, __ATOMIC_SEQ_CST))
		usleep(100);
}

static void
open_port(struct harness *h)
{
	struct harness_options options = {
		.features = DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_MQ),
		.pairs = 2,
	};

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, NULL), 0);
}

/* Queues stay until the look is over. */
static void
release(void **state)
{
	(void)state;
	for (unsigned rx = 0; rx < 2; rx++) {
		struct harness h;
		bool gone = false;
		struct looker looker = { .h = &h, .gone = &gone };

		open_port(&h);
		begin_to_look(&looker);
		if (rx)
			vio_rx_queue_release(h.eth, 0);
		else
			vio_tx_queue_release(h.eth, 0);
		__atomic_store_n(&gone, true, __ATOMIC_SEQ_CST);
		pthread_join(looker.thread, NULL);
		assert_false(looker.saw_it_go);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Both kinds are there after the setup, and after a setup with fewer, or none of a kind, no more of
 * them than that. */
static void
reconfigure(void **state)
{
	static const struct {
		uint16_t rx, tx;
	} steps[] = { { 2, 2 }, { 1, 2 }, { 2, 0 }, { 0, 1 }, { 1, 1 } };
	struct harness h;

	(void)state;
	open_port(&h);
	for (size_t i = 0; i < RTE_DIM(steps); i++) {
		struct looker looker = { .h = &h };

		assert_int_equal(harness_setup(&h, steps[i].rx, steps[i].tx, 64, NULL), 0);
		look(&looker);
		for (unsigned q = 0; q < 2; q++) {
			char rx[] = "rx queue 0: stopped", tx[] = "tx queue 0: stopped";

			rx[9] = tx[9] = (char)('0' + q);
			assert_int_equal(strstr(looker.text, rx) != NULL, q < steps[i].rx);
			assert_int_equal(strstr(looker.text, tx) != NULL, q < steps[i].tx);
		}
	}
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(release),
	cmocka_unit_test(reconfigure),
};

HARNESS_MAIN(tests)
