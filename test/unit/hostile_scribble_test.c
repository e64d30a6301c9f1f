/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random bytes over everything that a device can write, between two calls of the driver's and while
 * they run. Whatever the queue makes of it: no cookie comes back that is not out, none twice, no
 * length exceeds its buffer, and at the end all that were out come back. The rest is the
 * sanitizers' to say.
 */
#include "hostile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define COOKIES 1024 /* more than any queue here holds */

struct ledger {
	bool out[COOKIES];
	uint32_t room[COOKIES]; /* bytes that the device may write */
	unsigned count;
};

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void
came_back(struct ledger *ledger, const void *cookie)
{
	uint32_t number = rig_number(cookie);

	assert_in_range(number, 0, COOKIES - 1);
	assert_true(ledger->out[number]);
	ledger->out[number] = false;
	ledger->count--;
}

static void
add_some(struct rig *rig, struct ledger *ledger, uint32_t *random)
{
	for (unsigned n = next_random(random) % 6; n > 0; n--) {
		uint16_t out = next_random(random) % 3, in = (out == 0) + next_random(random) % 3;
		uint32_t number = next_random(random) % COOKIES;

		if (ledger->out[number] || rig_add(rig, out, in, number) < 0)
			continue;
		ledger->out[number] = true;
		ledger->room[number] = 16u * in;
		ledger->count++;
	}
}

static void
take_some(struct rig *rig, struct ledger *ledger, uint32_t *random)
{
	void *cookies[8];
	uint32_t lens[8];
	uint16_t n = vq_get(rig->vq, cookies, lens, 1 + next_random(random) % 8);

	assert_in_range(n, 0, 8);
	for (uint16_t i = 0; i < n; i++) {
		came_back(ledger, cookies[i]);
		if (lens[i] != VQ_LENGTH_LIE)
			assert_in_range(lens[i], 0, ledger->room[rig_number(cookies[i])]);
	}
	assert_int_equal(vq_in_flight(rig->vq), ledger->count);
}

static void
ask_around(struct rig *rig)
{
	assert_in_range(vq_used_count(rig->vq, UINT16_MAX), 0, rig->conf.size);
	assert_in_range(vq_free_count(rig->vq), 0, rig->conf.size);
	vq_enable_cb(rig->vq);
	vq_disable_cb(rig->vq);
	vq_publish(rig->vq);
	(void)vq_kick_prepare(rig->vq);
}

static void
all_come_back(struct rig *rig, struct ledger *ledger)
{
	void *cookie;

	while ((cookie = vq_detach(rig->vq)) != NULL)
		came_back(ledger, cookie);
	assert_int_equal(ledger->count, 0);
}

/* What the model made of its own noise is nothing that the driver did. */
static void
free_scribbled(struct rig *rig)
{
	device_queue_stop(rig->dev, RIG_QUEUE);
	device_faults_clear(rig->dev);
	assert_int_equal(rig_free(rig), 0);
}

/* Few numbers at a time let a queue live on for long, many break it at once. Returns the turns that
 * it lived. */
static unsigned
one_history(const struct rig_conf *conf, uint32_t seed, unsigned areas, unsigned most)
{
	struct rig *rig = rig_new(conf);
	struct ledger ledger = { 0 };
	uint32_t random = seed, noise = seed * 2654435761u | 1;
	unsigned turn;

	for (turn = 0; turn < 60 && vq_error(rig->vq) == VQ_OK; turn++) {
		add_some(rig, &ledger, &random);
		ask_around(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		device_complete(rig->dev, RIG_QUEUE, next_random(&random) % 4, DEVICE_RANDOM);
		device_scribble(rig->dev, &noise, areas, next_random(&random) % (most + 1));
		take_some(rig, &ledger, &random);
	}
	ask_around(rig);
	take_some(rig, &ledger, &random);
	device_scribble(rig->dev, &noise, areas, 100);
	all_come_back(rig, &ledger);
	free_scribbled(rig);
	return turn;
}

static void
scribbled_between(void **state)
{
	static const unsigned most[] = { 1, 4, 64 };
	struct rig *first = *state;
	unsigned long_lives = 0;

	for (uint32_t seed = 1; seed <= 15; seed++)
		for (size_t i = 0; i < ARRAY_SIZE(most); i++)
			long_lives += one_history(&first->conf, seed, DEVICE_AREA_ALL, most[i]) > 5;
	assert_true(long_lives > 5); /* else nothing was tried but the first moments */
}

/* Where the driver never looks: the queue must not even notice. */
static void
where_nobody_looks(void **state)
{
	struct rig *first = *state;
	unsigned areas = DEVICE_AREA_BUFFERS | DEVICE_AREA_TABLES;

	if (!rig_has(first, VQ_PACKED))
		areas |= DEVICE_AREA_AVAIL;
	for (uint32_t seed = 1; seed <= 10; seed++)
		assert_int_equal(one_history(&first->conf, seed, areas, 16), 60);
}

struct noise {
	uint8_t *ring;
	size_t bytes;
	uint32_t random;
	_Atomic bool stop;
};

static void *
scribble_on(void *arg)
{
	struct noise *noise = arg;

	while (!atomic_load(&noise->stop)) {
		size_t at = next_random(&noise->random) % (noise->bytes / 2) * 2;
		uint32_t value = next_random(&noise->random);

		if (value % 2) /* small ones pass for ids and indices */
			value = value >> 16 & 31;
		__atomic_store_n((uint16_t *)(noise->ring + at), (uint16_t)value, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* The device model is not asked: all that the driver finds is noise, at the time it looks. */
static void
scribbled_while_polled(void **state)
{
	struct rig *first = *state;

	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct rig *rig = rig_new(&first->conf);
		struct noise noise = {
			.ring = rig->ring,
			.bytes = vq_ring_bytes(rig->conf.size, rig->conf.flags),
			.random = seed,
		};
		struct ledger ledger = { 0 };
		uint32_t random = seed;
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, scribble_on, &noise), 0);
		for (unsigned turn = 0; turn < 200; turn++) {
			add_some(rig, &ledger, &random);
			ask_around(rig);
			take_some(rig, &ledger, &random);
		}
		all_come_back(rig, &ledger);
		atomic_store(&noise.stop, true);
		pthread_join(thread, NULL);
		free_scribbled(rig);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "scribbled between calls", scribbled_between, RIG_NO_DATA, 0, 4 },
		{ "scribbled where nobody looks", where_nobody_looks, RIG_NO_DATA, 0, 4 },
		{ "scribbled while polled", scribbled_while_polled, RIG_NO_DATA, 0, 4 },
	};
	static const uint16_t sizes[] = { 4, 7, 8, 64 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
