/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk over the capability list: what it takes, what it skips, what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pci_fake.h"

static const struct vio_pci_access access_table = {
	.read_config = fake_read_config,
	.bar = fake_bar,
};

enum { COMMON = 1, NOTIFY, ISR, DEVICE };

static struct pci_fake fake;
static struct vio_pci_caps caps;

static int
setup(void **state)
{
	(void)state;
	fake_init(&fake);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fake_free(&fake);
	return 0;
}

static int
walk(void)
{
	fake.reads = 0;
	return vio_pci_caps_read(&access_table, &fake, FAKE_NAME, &caps);
}

static void
add_common(void)
{
	fake_add(&fake, (struct fake_cap){ .type = COMMON, .bar = 4, .length = 0x38 });
}

static void
add_notify(void)
{
	fake_add(&fake,
		 (struct fake_cap){ .type = NOTIFY, .bar = 4, .offset = 0x3000, .multiplier = 4 });
}

static ptrdiff_t
at(const struct vio_pci_region *region)
{
	return region->addr - (volatile uint8_t *)fake.bar[4];
}

static void
assert_logged(const char *what)
{
	if (strstr(fake_log, what) == NULL || strstr(fake_log, FAKE_NAME) == NULL)
		fail_msg("the log does not say \"%s\" of %s:\n%s", what, FAKE_NAME, fake_log);
}

static void
takes_all_structures(void **state)
{
	uint8_t *msix = fake_add_raw(&fake, 0x11, 12);

	(void)state;
	fake_put16(msix + 2, 0xc000 | 2);
	fake_add(&fake, (struct fake_cap){ .type = 5 });
	fake_add(&fake, (struct fake_cap){ .type = DEVICE, .bar = 4, .offset = 0x2000 });
	add_notify();
	fake_add(&fake, (struct fake_cap){ .type = ISR, .bar = 4, .offset = 0x1001, .length = 1 });
	add_common();

	assert_int_equal(walk(), 0);
	assert_int_equal(at(&caps.common), 0);
	assert_int_equal(caps.common.len, 0x38);
	assert_int_equal(at(&caps.notify), 0x3000);
	assert_int_equal(caps.notify.len, 0x1000);
	assert_int_equal(caps.notify_multiplier, 4);
	assert_int_equal(at(&caps.isr), 0x1001);
	assert_int_equal(at(&caps.device), 0x2000);
	assert_int_equal(caps.msix_entries, 3);
}

static void
isr_and_device_are_optional(void **state)
{
	(void)state;
	add_common();
	add_notify();
	assert_int_equal(walk(), 0);
	assert_null(caps.isr.addr);
	assert_null(caps.device.addr);
	assert_int_equal(caps.msix_entries, 0);
}

static void
largest_msix_table(void **state)
{
	(void)state;
	fake_put16(fake_add_raw(&fake, 0x11, 12) + 2, 0xffff);
	add_common();
	add_notify();
	assert_int_equal(walk(), 0);
	assert_int_equal(caps.msix_entries, 2048);
}

static void
legacy_device(void **state)
{
	(void)state;
	fake_add_raw(&fake, 0x11, 12);
	fake_add(&fake, (struct fake_cap){ .type = 9 }); /* PCI-CAP-01 */
	assert_int_equal(walk(), -ENOTSUP);
	assert_logged("legacy");

	/* No list at all: its pointer means nothing then. */
	add_common();
	add_notify();
	fake_put16(fake.config + 6, 0);
	assert_int_equal(walk(), -ENOTSUP);
}

static void
missing_structure_is_named(void **state)
{
	(void)state;
	add_common();
	assert_int_equal(walk(), -EINVAL);
	assert_logged("no usable notification structure");

	fake_free(&fake);
	fake_init(&fake);
	add_notify();
	assert_int_equal(walk(), -EINVAL);
	assert_logged("no usable common configuration structure");
}

/* PCI-CAP-02 */
static void
first_instance_wins(void **state)
{
	(void)state;
	fake_add(&fake, (struct fake_cap){ .type = COMMON, .bar = 4, .offset = 0x100 });
	add_common();
	fake_add(&fake,
		 (struct fake_cap){ .type = NOTIFY, .bar = 4, .offset = 0x200, .multiplier = 8 });
	add_notify();
	assert_int_equal(walk(), 0);
	assert_int_equal(at(&caps.common), 0x100);
	assert_int_equal(at(&caps.notify), 0x200);
	assert_int_equal(caps.notify_multiplier, 8);
}

/* Every way for a structure to be unusable, and what the log says. */
static const struct bad {
	struct fake_cap cap;
	const char *said;
} bad[] = {
	{ { .type = COMMON, .bar = 6 }, "BAR 6" }, /* PCI-CAP-04 */
	{ { .type = COMMON, .bar = 255 }, "BAR 255" },
	{ { .type = COMMON, .bar = 1 }, "BAR 1 is not mapped" },
	{ { .type = COMMON, .bar = 4, .cap_len = 15 }, "cap_len 15, where 16" },
	{ { .type = NOTIFY, .bar = 4, .cap_len = 19 }, "cap_len 19, where 20" },
	{ { .type = COMMON, .bar = 4, .offset = 2 }, "no multiple of 4" },
	{ { .type = NOTIFY, .bar = 4, .offset = 1 }, "no multiple of 2" },
	{ { .type = DEVICE, .bar = 4, .offset = 6 }, "no multiple of 4" },
	{ { .type = COMMON, .bar = 4, .length = 55 }, "55 bytes, where 56" },
	{ { .type = NOTIFY, .bar = 4, .length = 1 }, "1 bytes, where 2" },
	{ { .type = COMMON, .bar = 4, .offset = 0xfffffffc, .length = 0x38 }, "pass the end" },
	{ { .type = COMMON, .bar = 4, .offset = 0x100, .length = 0xffffff00 }, "pass the end" },
	{ { .type = NOTIFY, .bar = 4, .offset = 0x3ffe, .length = 3 }, "pass the end" },
	{ { .type = DEVICE, .bar = 4, .offset = 0x4000, .length = 1 }, "pass the end" },
	{ { .type = ISR, .bar = 4, .offset = 0x4000, .length = 1 }, "pass the end" },
};

/* Skipped, so that the next instance is taken; and where there is none, the device is refused. */
static void
unusable_instances(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool needed = bad[i].cap.type == COMMON || bad[i].cap.type == NOTIFY;

		fake_free(&fake);
		fake_init(&fake);
		fake_add(&fake, bad[i].cap);
		if (bad[i].cap.type != COMMON)
			add_common();
		if (bad[i].cap.type != NOTIFY)
			add_notify();
		assert_int_equal(walk(), needed ? -EINVAL : 0);
		assert_logged(bad[i].said);
		assert_null(caps.device.addr);
		assert_null(caps.isr.addr);

		add_common();
		add_notify();
		assert_int_equal(walk(), 0);
		assert_int_equal(at(&caps.common), 0);
		assert_int_equal(at(&caps.notify), 0x3000);
	}
}

static void
bounds_are_inclusive(void **state)
{
	(void)state;
	/* PCI-CAP-03, -06: larger than known is fine, up to the last byte of the BAR. */
	fake_add(&fake,
		 (struct fake_cap){ .type = COMMON, .bar = 4, .cap_len = 64, .length = 0x4000 });
	fake_add(&fake,
		 (struct fake_cap){ .type = NOTIFY, .bar = 4, .offset = 0x3ffe, .length = 2 });
	fake_add(&fake, (struct fake_cap){ .type = ISR, .bar = 4, .offset = 0x3fff, .length = 1 });
	assert_int_equal(walk(), 0);
	assert_int_equal(caps.common.len, 0x4000);
	assert_int_equal(at(&caps.notify), 0x3ffe);
	assert_int_equal(at(&caps.isr), 0x3fff);
}

static void
cyclic_lists(void **state)
{
	(void)state;
	add_common();
	add_notify();
	fake.config[fake.link] = 0x40; /* the last leads to the first */
	assert_int_equal(walk(), -EINVAL);
	assert_logged("returns to an entry");
	assert_true(fake.reads < 10);

	fake.config[0x41] = 0x40; /* the first leads to itself */
	assert_int_equal(walk(), -EINVAL);
	assert_true(fake.reads < 10);
}

static void
list_into_the_header(void **state)
{
	(void)state;
	add_common();
	add_notify();
	fake.config[fake.link] = 0x10;
	assert_int_equal(walk(), -EINVAL);
	assert_logged("points into the header");
}

static void
reserved_bits_of_pointers(void **state)
{
	(void)state;
	add_common();
	add_notify();
	fake.config[0x34] |= 3;
	fake.config[0x41] |= 1;
	fake.config[fake.link] = 2; /* 0 but for reserved bits: the end */
	assert_int_equal(walk(), 0);
}

static void
longest_list(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 48 - 4 - 5; i++)
		fake_add_raw(&fake, 0x01, 4);
	add_common();
	add_notify();
	assert_int_equal(fake.end, 256);
	assert_int_equal(walk(), 0);
}

static void
capability_past_the_space(void **state)
{
	(void)state;
	add_common();
	add_notify();
	fake.config[fake.link] = 0xf4;
	fake.config[0xf4] = 0x09;
	fake.config[0xf6] = 16;
	fake.config[0xf7] = COMMON;
	assert_int_equal(walk(), 0);
	assert_logged("passes the end of the configuration space");
}

static void
unplugged(void **state)
{
	(void)state;
	memset(fake.config, 0xff, sizeof(fake.config));
	assert_int_equal(walk(), -ENODEV);
	assert_logged("unplugged");
}

static void
each_read_may_fail(void **state)
{
	unsigned n;

	(void)state;
	add_common();
	add_notify();
	assert_int_equal(walk(), 0);
	n = fake.reads;
	for (fake.fail_at = 1; fake.fail_at <= n; fake.fail_at++) {
		assert_int_equal(walk(), -EIO);
		assert_logged("failed");
	}
}

static void
assert_inside(const struct vio_pci_region *r, uint32_t least)
{
	bool inside = false;

	if (r->addr == NULL)
		return;
	for (unsigned i = 0; i < 6; i++) {
		uint64_t off = (uintptr_t)r->addr - (uintptr_t)fake.bar[i];

		if (fake.bar[i] != NULL && off <= fake.bar_len[i] &&
		    r->len <= fake.bar_len[i] - off)
			inside = true;
	}
	assert_true(inside);
	assert_true(r->len >= least);
}

/* Whatever the space holds: the walk ends, and all that it gives out lies inside a BAR. */
static void
random_spaces(void **state)
{
	unsigned seed = 1, good = 0;

	(void)state;
	fake.bar[0] = calloc(1, 64);
	fake.bar_len[0] = 64;
	for (unsigned round = 0; round < 50000; round++) {
		fake.end = 0x40;
		fake.link = 0x34;
		for (unsigned i = 0x40; i < 256; i++)
			fake.config[i] = (uint8_t)rand_r(&seed);
		for (unsigned i = 0; i < 6; i++)
			fake_add(&fake, (struct fake_cap){
						.type = (uint8_t)(1 + rand_r(&seed) % 4),
						.bar = (uint8_t)(rand_r(&seed) % 2 * 4),
						.offset = (uint32_t)rand_r(&seed) % 0x5000 & ~1u,
						.length = (uint32_t)rand_r(&seed) % 0x5000,
						.multiplier = (uint32_t)rand_r(&seed) });
		fake.config[fake.link] = (uint8_t)(rand_r(&seed) % 2 ? rand_r(&seed) : 0);
		fake_log[0] = '\0';
		good += walk() == 0;
		assert_true(fake.reads <= 2 + 2 * 48);
		assert_inside(&caps.common, 56);
		assert_inside(&caps.notify, 2);
		assert_inside(&caps.isr, 1);
		assert_inside(&caps.device, 1);
	}
	assert_true(good > 100); /* else nothing was tried */
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(takes_all_structures),
		TEST(isr_and_device_are_optional),
		TEST(largest_msix_table),
		TEST(legacy_device),
		TEST(missing_structure_is_named),
		TEST(first_instance_wins),
		TEST(unusable_instances),
		TEST(bounds_are_inclusive),
		TEST(cyclic_lists),
		TEST(list_into_the_header),
		TEST(reserved_bits_of_pointers),
		TEST(longest_list),
		TEST(capability_past_the_space),
		TEST(unplugged),
		TEST(each_read_may_fail),
		TEST(random_spaces),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
