/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of a device's life, in order, each with a bound (spec 3.1, 2.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <time.h>

#include "device/device.h"
#include "device/lie.h"
#include "virtio/device.h"
#include "virtio/features.h"

#define ALL_FEATURES UINT64_MAX

static int
setup(void **state)
{
	struct device_options options = {
		.features = VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_NET_F_MAC),
	};

	*state = device_new(&options);
	return *state == NULL;
}

/* No duty may have been broken, whatever the device did. */
static int
teardown(void **state)
{
	unsigned faults = device_faults(*state);

	device_faults_print(*state, stderr);
	device_free(*state);
	return faults == 0 ? 0 : -1;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
by_the_book(void **state)
{
	static const uint8_t expect[] = { 0, 1, 3, 11, 15, 0 };
	struct device *model = *state;
	struct vio_device dev;
	uint8_t seen[16];

	vio_device_init(&dev, device_transport(model));
	assert_int_equal(device_status_writes(model, seen, sizeof(seen)), 0);
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(dev.offered, VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_NET_F_MAC));
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
	assert_int_equal(dev.features, dev.offered);
	assert_int_equal(device_driver_features(model), dev.features);
	assert_int_equal(vio_device_go(&dev), 0);
	assert_int_equal(vio_device_needs_reset(&dev), 0);
	assert_int_equal(vio_device_reset(&dev), 0);
	assert_int_equal(device_status(model), 0);
	assert_int_equal(device_status_writes(model, seen, sizeof(seen)), sizeof(expect));
	assert_memory_equal(seen, expect, sizeof(expect));
}

static void
many_lives(void **state)
{
	struct vio_device dev;

	vio_device_init(&dev, device_transport(*state));
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(vio_device_begin(&dev), 0);
		assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
		assert_int_equal(vio_device_go(&dev), 0);
	}
	assert_int_equal(device_resets(*state), 50);
}

/* A reset that takes its time is waited for. */
static void
slow_reset(void **state)
{
	struct vio_device dev;

	device_reset_takes(*state, 5);
	vio_device_init(&dev, device_transport(*state));
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
	assert_int_equal(vio_device_go(&dev), 0);
	assert_int_equal(vio_device_reset(&dev), 0);
	assert_int_equal(device_status(*state), 0);
}

/* One that never ends is given up in about the time that was set. */
static void
reset_never_ends(void **state)
{
	struct vio_device dev;
	double start;

	vio_device_init(&dev, device_transport(*state));
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
	assert_int_equal(vio_device_go(&dev), 0);
	device_lie(*state, 0, DEVICE_LIE_RESET, 0);
	dev.reset_timeout_ms = 50;
	start = now();
	assert_int_equal(vio_device_reset(&dev), -ETIMEDOUT);
	assert_true(now() - start >= 0.045);
	assert_true(now() - start < 2);
	start = now();
	assert_int_equal(vio_device_begin(&dev), -ETIMEDOUT);
	assert_true(now() - start < 2);
	device_honest(*state);
	assert_int_equal(vio_device_begin(&dev), 0);
}

static void
features_ok_refused(void **state)
{
	struct vio_device dev;

	device_lie(*state, 0, DEVICE_LIE_FEATURES_OK, 0);
	vio_device_init(&dev, device_transport(*state));
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), -EPROTO);
	assert_true(device_status(*state) & DEVICE_S_FAILED || device_status(*state) == 0);
	assert_false(device_status(*state) & DEVICE_S_DRIVER_OK);
	device_honest(*state);
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
	assert_int_equal(vio_device_go(&dev), 0);
}

static void
needs_reset(void **state)
{
	struct vio_device dev;

	vio_device_init(&dev, device_transport(*state));
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
	assert_int_equal(vio_device_go(&dev), 0);
	device_need_reset(*state);
	assert_int_equal(vio_device_needs_reset(&dev), 1);
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_needs_reset(&dev), 0);
}

/* By somebody else, while it was live. */
static void
was_reset(void **state)
{
	struct vio_transport *t = device_transport(*state);
	struct vio_device dev;

	vio_device_init(&dev, t);
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
	assert_int_equal(vio_device_needs_reset(&dev), 0);
	assert_int_equal(vio_device_go(&dev), 0);
	assert_int_equal(vio_device_needs_reset(&dev), 0);
	assert_int_equal(t->ops->set_status(t, 0), 0);
	assert_int_equal(vio_device_needs_reset(&dev), 1);
	assert_int_equal(vio_device_reset(&dev), 0);
	assert_int_equal(vio_device_needs_reset(&dev), 0);
}

static void
failed(void **state)
{
	struct vio_device dev;

	vio_device_init(&dev, device_transport(*state));
	assert_int_equal(vio_device_begin(&dev), 0);
	vio_device_fail(&dev);
	assert_int_equal(device_status(*state), 1 | 2 | 128);
	assert_int_equal(vio_device_begin(&dev), 0);
	assert_int_equal(device_status(*state), 3);
}

/* Gone at any moment: each step says so, none hangs. */
static void
unplugged(void **state)
{
	struct device *model = *state;

	for (unsigned at = 0; at < 4; at++) {
		struct device_options options = { .features = VIO_BIT(VIRTIO_F_VERSION_1) };
		struct device *own = device_new(&options);
		struct vio_device dev;
		uint16_t word;

		assert_non_null(own);
		vio_device_init(&dev, device_transport(own));
		if (at > 0)
			assert_int_equal(vio_device_begin(&dev), 0);
		if (at > 1)
			assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), 0);
		if (at > 2)
			assert_int_equal(vio_device_go(&dev), 0);
		device_unplug(own);
		if (at == 0)
			assert_int_equal(vio_device_begin(&dev), -ENODEV);
		if (at == 1)
			assert_int_equal(vio_device_negotiate(&dev, ALL_FEATURES), -ENODEV);
		if (at == 2)
			assert_int_equal(vio_device_go(&dev), -ENODEV);
		assert_int_equal(vio_device_needs_reset(&dev), -ENODEV);
		assert_int_equal(vio_config_read(&dev, 6, &word, 2), -ENODEV);
		assert_int_equal(vio_device_reset(&dev), -ENODEV);
		vio_device_fail(&dev);
		assert_int_equal(device_faults(own), 0);
		device_free(own);
	}
	assert_int_equal(device_faults(model), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_the_book, setup, teardown),
		cmocka_unit_test_setup_teardown(many_lives, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_never_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(features_ok_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(needs_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(was_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(failed, setup, teardown),
		cmocka_unit_test_setup_teardown(unplugged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
