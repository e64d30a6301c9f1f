/* SPDX-License-Identifier: BSD-3-Clause */
/* Negotiation: what is offered, what is wanted, and what each feature needs. */
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

#define V1   VIO_BIT(VIRTIO_F_VERSION_1)
#define B(x) VIO_BIT(VIRTIO_NET_F_##x)

/* Negotiates with a device that offers this; the model's faults must be none. */
static int
negotiate(uint64_t offered, uint64_t wanted, uint64_t *accepted)
{
	struct device_options options = { .features = offered };
	struct device *model = device_new(&options);
	struct vio_device dev;
	int rc;

	assert_non_null(model);
	vio_device_init(&dev, device_transport(model));
	assert_int_equal(vio_device_begin(&dev), 0);
	rc = vio_device_negotiate(&dev, wanted);
	*accepted = rc == 0 ? device_driver_features(model) : 0;
	if (rc == 0)
		assert_int_equal(dev.features, *accepted);
	device_faults_print(model, stderr);
	assert_int_equal(device_faults(model), 0);
	device_free(model);
	return rc;
}

static void
only_what_both_know(void **state)
{
	uint64_t got;

	(void)state;
	assert_int_equal(negotiate(V1 | B(MAC) | B(STATUS), B(MAC) | B(MTU), &got), 0);
	assert_int_equal(got, V1 | B(MAC)); /* VERSION_1 without being asked for (RSVD-01) */
	assert_int_equal(negotiate(V1, 0, &got), 0);
	assert_int_equal(got, V1);
}

static void
legacy_device(void **state)
{
	uint64_t got;

	(void)state;
	assert_int_equal(negotiate(B(MAC) | B(CSUM), UINT64_MAX, &got), -ENOTSUP);
}

/* Each of these without its prerequisite is dropped, with all that hangs on it. */
static void
dependences(void **state)
{
	static const struct {
		uint64_t offered, expect;
	} cases[] = {
		{ B(GUEST_TSO4) | B(GUEST_TSO6) | B(GUEST_UFO) | B(GUEST_USO4) | B(GUEST_USO6), 0 },
		{ B(HOST_TSO4) | B(HOST_TSO6) | B(HOST_UFO) | B(HOST_USO), 0 },
		{ B(GUEST_CSUM) | B(GUEST_ECN), B(GUEST_CSUM) },
		{ B(GUEST_ECN) | B(GUEST_TSO4), 0 },
		{ B(HOST_ECN) | B(HOST_TSO4), 0 },
		{ B(CSUM) | B(HOST_ECN), B(CSUM) },
		{ B(CSUM) | B(HOST_ECN) | B(HOST_TSO6), B(CSUM) | B(HOST_ECN) | B(HOST_TSO6) },
		{ B(CTRL_RX) | B(CTRL_VLAN) | B(CTRL_RX_EXTRA) | B(GUEST_ANNOUNCE) | B(MQ) |
			  B(CTRL_MAC_ADDR) | B(RSS) | B(NOTF_COAL) | B(VQ_NOTF_COAL) |
			  B(HASH_REPORT),
		  0 },
		{ B(CTRL_VQ) | B(MQ), B(CTRL_VQ) | B(MQ) },
		{ B(CTRL_VQ) | B(HASH_TUNNEL), B(CTRL_VQ) },
		{ B(RSC_EXT), 0 },
		{ B(RSC_EXT) | B(HOST_TSO4), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got;

		assert_int_equal(negotiate(V1 | cases[i].offered, UINT64_MAX, &got), 0);
		assert_int_equal(got & ~V1, cases[i].expect);
		assert_int_equal(vio_features_closed(cases[i].offered), cases[i].expect);
	}
}

/* Any offer at all: the model's own table of dependences finds nothing to object to. */
static void
random_offers(void **state)
{
	static const uint64_t not_to_be_accepted = VIO_BIT(VIRTIO_F_SR_IOV) |
						   VIO_BIT(VIRTIO_F_ADMIN_VQ);
	uint64_t random = 88172645463325252ull, got;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t offered;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		offered = random | V1;
		assert_int_equal(negotiate(offered, ~not_to_be_accepted, &got), 0);
		assert_int_equal(got & ~offered, 0);
		assert_int_equal(vio_features_closed(got), got);
	}
}

/* Features that change between reads: what is accepted was offered at the one time it was read. */
static void
changing_offers(void **state)
{
	struct device_options options = { .features = V1 | B(MAC) };
	struct device *model = device_new(&options);
	struct vio_device dev;

	(void)state;
	assert_non_null(model);
	device_lie(model, 0, DEVICE_LIE_FEATURES_CHANGE, B(MAC) | B(MTU));
	vio_device_init(&dev, device_transport(model));
	for (unsigned i = 0; i < 4; i++) {
		uint64_t offered;

		assert_int_equal(vio_device_begin(&dev), 0);
		offered = dev.offered;
		assert_int_equal(vio_device_negotiate(&dev, UINT64_MAX), 0);
		assert_int_equal(dev.offered, offered);
		assert_int_equal(dev.features & ~offered, 0);
		assert_int_equal(device_driver_features(model), dev.features);
	}
	device_free(model);
}

static void
names(void **state)
{
	char text[512];

	(void)state;
	assert_string_equal(vio_feature_name(VIRTIO_NET_F_MRG_RXBUF), "MRG_RXBUF");
	assert_string_equal(vio_feature_name(VIRTIO_F_RING_PACKED), "RING_PACKED");
	assert_string_equal(vio_feature_name(VIRTIO_NET_F_SPEED_DUPLEX), "SPEED_DUPLEX");
	assert_null(vio_feature_name(4));
	assert_null(vio_feature_name(64));
	assert_string_equal(vio_features_text(V1 | B(MAC) | VIO_BIT(4), text, sizeof(text)),
			    "bit 4 MAC VERSION_1");
	for (size_t size = 1; size < 64; size++) {
		memset(text, 0x7f, sizeof(text));
		vio_features_text(UINT64_MAX, text, size);
		assert_true(strnlen(text, size) < size);
		assert_int_equal(text[size], 0x7f);
	}
	assert_string_equal(vio_features_text(0, text, sizeof(text)), "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_both_know), cmocka_unit_test(legacy_device),
		cmocka_unit_test(dependences),         cmocka_unit_test(random_offers),
		cmocka_unit_test(changing_offers),     cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
