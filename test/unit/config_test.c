/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading configuration space under its generation (spec 2.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "device/device.h"
#include "device/lie.h"
#include "virtio/device.h"
#include "virtio/features.h"

static struct vio_device driver;

static int
setup(void **state)
{
	struct device_options options = {
		.features = VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_NET_F_MAC) |
			    VIO_BIT(VIRTIO_NET_F_STATUS),
	};

	*state = device_new(&options);
	if (*state == NULL)
		return -1;
	vio_device_init(&driver, device_transport(*state));
	return vio_device_begin(&driver);
}

static int
teardown(void **state)
{
	unsigned faults = device_faults(*state);

	device_faults_print(*state, stderr);
	device_free(*state);
	return faults == 0 ? 0 : -1;
}

static void
reads(void **state)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x76, 0x69, 0x6f };
	uint8_t got[8];

	(void)state;
	assert_int_equal(vio_config_read(&driver, 0, got, 6), 0);
	assert_memory_equal(got, mac, 6);
	assert_int_equal(vio_config_read(&driver, 6, got, 2), 0);
	assert_int_equal(got[0], 1);
}

struct change {
	unsigned reads, until;
};

/* Replaces the whole MAC by another one of six equal bytes, each time it is read. */
static void
change_mac(struct device *dev, void *arg)
{
	struct change *c = arg;

	if (c->reads++ >= c->until)
		return;
	for (uint32_t i = 0; i < 6; i++)
		device_config_set(dev, i, c->reads & 0xff, 1);
}

/* A change in the middle: the read is repeated until it is of one piece. */
static void
changes_settle(void **state)
{
	for (unsigned until = 0; until < VIO_CONFIG_TRIES - 1; until += 7) {
		struct change c = { .until = until };
		uint8_t mac[6];

		device_config_hook(*state, change_mac, &c);
		assert_int_equal(vio_config_read(&driver, 0, mac, 6), 0);
		for (unsigned i = 1; i < 6 && until > 0; i++)
			assert_int_equal(mac[i], mac[0]);
		assert_true(c.reads > until); /* the last one found nothing changed */
	}
}

/* The counter's value does not matter, only that it is the same: also where it wraps. */
static void
never_settles(void **state)
{
	struct change c = { .until = UINT32_MAX };
	uint8_t mac[6];

	device_lie(*state, 0, DEVICE_LIE_GENERATION, 0);
	assert_int_equal(vio_config_read(&driver, 0, mac, 6), -EAGAIN);
	device_honest(*state);
	device_config_hook(*state, change_mac, &c);
	assert_int_equal(vio_config_read(&driver, 0, mac, 6), -EAGAIN);
	assert_int_equal(c.reads, VIO_CONFIG_TRIES);
	device_config_hook(*state, NULL, NULL);
	assert_int_equal(vio_config_read(&driver, 0, mac, 6), 0);
}

/* A space too short for the field: the transport's error, and no byte is made up. */
static void
too_short(void **state)
{
	uint8_t mac[6];

	device_config_size(*state, 5);
	assert_int_equal(vio_config_read(&driver, 0, mac, 6), -EINVAL);
	assert_int_equal(vio_config_read(&driver, UINT32_MAX, mac, 6), -EINVAL);
	device_config_size(*state, 6);
	assert_int_equal(vio_config_read(&driver, 0, mac, 6), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(never_settles, setup, teardown),
		cmocka_unit_test_setup_teardown(too_short, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
