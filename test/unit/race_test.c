/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lost event: the device uses a buffer between the driver's last look at the ring and its
 * request to be notified. Device and driver run in two threads here, each of which sleeps unless
 * the other one's notification is due: one lost notification stops both.
 */
#include "rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define BUFFERS    5000
#define PATIENCE_S 10

struct race {
	struct rig *rig;
	_Atomic bool stop;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
wait_a_little(unsigned *spins)
{
	struct timespec t = { .tv_nsec = 20000 };

	if (++*spins % 256 == 0) /* one core may be all there is */
		nanosleep(&t, NULL);
}

/* Looks at the ring only after a kick. */
static void *
device_side(void *arg)
{
	struct race *race = arg;
	struct device *dev = race->rig->dev;
	unsigned spins = 0;

	while (!atomic_load(&race->stop)) {
		if (!device_was_kicked(dev, RIG_QUEUE)) {
			wait_a_little(&spins);
			continue;
		}
		device_fetch(dev, RIG_QUEUE);
		while (device_complete(dev, RIG_QUEUE, 1, DEVICE_OLDEST_FIRST) == 1)
			;
	}
	return NULL;
}

/* Waits for a used buffer notification. False where none came in time. */
static bool
sleep_until_notified(struct rig *rig, uint64_t seen)
{
	double end = now() + PATIENCE_S;
	unsigned spins = 0;

	while (device_interrupts(rig->dev, RIG_QUEUE) == seen) {
		if (now() > end)
			return false;
		wait_a_little(&spins);
	}
	return true;
}

/* Looks at the ring only after a notification, or where vq_enable_cb() said that something waits.
 */
static unsigned
driver_side(struct rig *rig)
{
	unsigned taken = 0, added = 0;

	while (taken < BUFFERS) {
		uint64_t seen;

		while (added < BUFFERS && added - taken < 1 + taken % 3 &&
		       rig_add(rig, 0, 1, added) == 0)
			added++;
		rig_publish(rig);
		seen = device_interrupts(rig->dev, RIG_QUEUE);
		if (!vq_enable_cb(rig->vq) && !sleep_until_notified(rig, seen))
			return taken;
		vq_disable_cb(rig->vq);
		while (vq_get(rig->vq, (void *[1]){ 0 }, NULL, 1) == 1)
			taken++;
		if (vq_error(rig->vq) != VQ_OK)
			return taken;
	}
	return taken;
}

static void
nothing_is_lost(void **state)
{
	struct race race = { .rig = *state };
	pthread_t thread;
	unsigned taken;

	assert_int_equal(pthread_create(&thread, NULL, device_side, &race), 0);
	taken = driver_side(race.rig);
	atomic_store(&race.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(vq_error(race.rig->vq), VQ_OK);
	assert_int_equal(taken, BUFFERS);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "nothing is lost", nothing_is_lost, RIG_NO_DATA, VQ_INDIRECT, 1 },
	};
	static const uint16_t sizes[] = { 4 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
