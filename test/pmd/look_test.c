/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks at a port by another thread (the dump goes the way of telemetry), while the application's
 * is at work on it: what is looked at does not go away meanwhile, and nobody waits long.
 */
#include "harness.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_telemetry.h>

#include "net/vio/look.h"
#include "net/vio/port.h"
#include "net/vio/queue.h"

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
		.features = DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_MQ) |
			    DEVICE_BIT(DEVICE_F_STATUS),
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

/* Somebody who keeps the port's lock, as a recovery does, until all that may not wait for it was
 * done. */
struct holder {
	pthread_t thread;
	pthread_mutex_t *lock;
	bool holds, done;
};

static void *
hold(void *arg)
{
	struct holder *holder = arg;

	pthread_mutex_lock(holder->lock);
	__atomic_store_n(&holder->holds, true, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&holder->done, __ATOMIC_SEQ_CST))
		usleep(100);
	pthread_mutex_unlock(holder->lock);
	return NULL;
}

static void
begin_to_hold(struct holder *holder, const struct harness *h)
{
	*holder = (struct holder){ .lock = &vio_port(h->eth)->lock };
	assert_int_equal(pthread_create(&holder->thread, NULL, hold, holder), 0);
	while (!__atomic_load_n(&holder->holds, __ATOMIC_SEQ_CST))
		usleep(100);
}

static void
end_hold(struct holder *holder)
{
	__atomic_store_n(&holder->done, true, __ATOMIC_SEQ_CST);
	pthread_join(holder->thread, NULL);
}

/* A port that somebody is at work on says so, and what state it is in. */
static void
busy_dump(void **state)
{
	struct harness h;
	struct looker looker = { .h = &h };
	struct holder holder;

	(void)state;
	open_port(&h);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	vio_port(h.eth)->recovery.health = VIO_HEALTH_RECOVERING;
	begin_to_hold(&holder, &h);
	look(&looker);
	end_hold(&holder);
	vio_port(h.eth)->recovery.health = VIO_HEALTH_WELL;
	assert_non_null(strstr(looker.text, "state: recovering\nat work"));
	assert_null(strstr(looker.text, "queue 0"));
	looker.len = 0;
	look(&looker);
	assert_non_null(strstr(looker.text, "rx queue 0: started"));
	assert_int_equal(harness_close(&h), 0);
}

/* Questions that must not wait are answered with what is known, without a call to the device. */
static void
busy_link(void **state)
{
	struct rte_eth_link link;
	struct holder holder;
	struct harness h;
	unsigned calls;

	(void)state;
	open_port(&h);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	device_set_link(h.dev, false);
	begin_to_hold(&holder, &h);
	calls = h.transport_calls;
	assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	assert_int_equal(rte_eth_dev_is_removed(h.port), 0);
	vio_port(h.eth)->gone = true;
	assert_int_equal(rte_eth_dev_is_removed(h.port), 1);
	vio_port(h.eth)->gone = false;
	h.eth->state = RTE_ETH_DEV_ATTACHED;
	assert_int_equal(h.transport_calls, calls);
	end_hold(&holder);
	assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_DOWN);
	assert_int_equal(harness_close(&h), 0);
}

/* The same by way of telemetry, whose data end here. */
static telemetry_cb show_port, show_queue, show_lro;
static char answer[4096];

int
rte_telemetry_register_cmd(const char *cmd, telemetry_cb fn, const char *help)
{
	(void)help;
	if (strcmp(cmd, "/vio/port") == 0)
		show_port = fn;
	if (strcmp(cmd, "/vio/queue") == 0)
		show_queue = fn;
	if (strcmp(cmd, "/vio/lro") == 0)
		show_lro = fn;
	return 0;
}

int
rte_tel_data_start_dict(struct rte_tel_data *d)
{
	(void)d;
	answer[0] = '\0';
	return 0;
}

int
rte_tel_data_add_dict_string(struct rte_tel_data *d, const char *name, const char *val)
{
	size_t len = strlen(answer);

	(void)d;
	snprintf(answer + len, sizeof(answer) - len, "%s=%s\n", name, val);
	return 0;
}

int
rte_tel_data_add_dict_u64(struct rte_tel_data *d, const char *name, uint64_t val)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)val);
	return rte_tel_data_add_dict_string(d, name, text);
}

struct rte_tel_data *
rte_tel_data_alloc(void)
{
	return NULL;
}

static const char *
ask(telemetry_cb show, const struct harness *h, const char *rest)
{
	char params[32];

	snprintf(params, sizeof(params), "%u%s", h->port, rest);
	assert_int_equal(show("", params, NULL), 0);
	return answer;
}

static void
busy_telemetry(void **state)
{
	struct holder holder;
	struct harness h;

	(void)state;
	open_port(&h);
	begin_to_hold(&holder, &h);
	assert_non_null(strstr(ask(show_port, &h, ""), "state=stopped\nbusy=at work"));
	assert_non_null(strstr(ask(show_queue, &h, ",rx,0"), "error=at work"));
	assert_non_null(strstr(ask(show_lro, &h, ""), "error=at work"));
	assert_non_null(strstr(ask(show_lro, &h, ",off"), "error=at work"));
	end_hold(&holder);
	assert_null(strstr(ask(show_port, &h, ""), "at work"));
	assert_non_null(strstr(answer, "state=stopped"));
	assert_non_null(strstr(answer, "rx_queues=1"));
	assert_non_null(strstr(ask(show_lro, &h, ""), "lro=not asked for"));
	assert_non_null(strstr(ask(show_queue, &h, ",rx,0"), "descriptors=64"));
	assert_non_null(strstr(answer, "good_packets=0"));
	assert_non_null(strstr(ask(show_queue, &h, ",rx,1"), "error=the port has no rx queue 1"));
	assert_int_equal(harness_close(&h), 0);
}

/* In a secondary process nothing keeps the primary from releasing a queue between two looks. */
static void
released_meanwhile(void **state)
{
	struct vio_queue_look found;
	struct harness h;
	uint64_t value;

	(void)state;
	open_port(&h);
	vio_in_secondary = true;
	for (unsigned rx = 0; rx < 2; rx++) {
		assert_true(vio_look_at_queue(h.eth, rx, 0, &found));
		assert_non_null(rx ? vio_rx_counter(h.eth, 0, 0, &value)
				   : vio_tx_counter(h.eth, 0, 0, &value));
		vio_in_secondary = false;
		(rx ? vio_rx_queue_release : vio_tx_queue_release)(h.eth, 0);
		vio_in_secondary = true;
		assert_null(rx ? vio_rx_counter(h.eth, 0, 1, &value)
			       : vio_tx_counter(h.eth, 0, 1, &value));
		assert_false(vio_look_at_queue(h.eth, rx, 0, &found));
	}
	vio_in_secondary = false;
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(release),   cmocka_unit_test(reconfigure),
	cmocka_unit_test(busy_dump), cmocka_unit_test(busy_telemetry),
	cmocka_unit_test(busy_link), cmocka_unit_test(released_meanwhile),
};

HARNESS_MAIN(tests)
