/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device model itself: a driver that breaks its duties is found out, by the right rule. The
 * ring is written by hand here, as a driver that makes just this mistake would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "virtio/transport.h"

#define SIZE 8
#define IOVA UINT64_C(0x10000)

#define BIT(name) DEVICE_BIT(DEVICE_F_##name)

struct bench {
	struct device *dev;
	struct vio_transport *t;
	struct vio_notifier bell;
	/* Descriptors at 0, driver area at 1024, device area at 2048, a table at 3072, data behind.
	 */
	uint8_t *memory;
};

static uint16_t *
half(struct bench *b, uint32_t at)
{
	return (uint16_t *)(b->memory + at);
}

/* Both layouts: the last two halves of a descriptor are flags and next, or id and flags. */
static void
put_desc(struct bench *b, uint32_t at, uint64_t addr, uint32_t len, uint16_t third, uint16_t fourth)
{
	uint64_t a = htole64(addr);
	uint32_t l = htole32(len);

	memcpy(b->memory + at, &a, 8);
	memcpy(b->memory + at + 8, &l, 4);
	*half(b, at + 12) = htole16(third);
	*half(b, at + 14) = htole16(fourth);
}

static int
set_up(struct bench *b, uint64_t features, const struct vio_queue_conf *other)
{
	struct device_options options = { .features = features | BIT(VERSION_1), .queue_size = 64 };
	struct vio_queue_conf conf = {
		.size = SIZE,
		.desc_iova = IOVA,
		.driver_iova = IOVA + 1024,
		.device_iova = IOVA + 2048,
	};
	uint8_t status;
	int rc;

	if (b->dev == NULL) {
		b->memory = calloc(1, 8192);
		b->dev = device_new(&options);
		assert_non_null(b->dev);
		assert_non_null(b->memory);
		device_memory_add(b->dev, b->memory, IOVA, 8192);
	}
	b->t = device_transport(b->dev);
	b->t->ops->set_status(b->t, 0);
	b->t->ops->get_status(b->t, &status);
	b->t->ops->set_status(b->t, 1);
	b->t->ops->set_status(b->t, 3);
	b->t->ops->set_features(b->t, options.features);
	b->t->ops->set_status(b->t, 11);
	b->t->ops->get_status(b->t, &status);
	rc = b->t->ops->queue_setup(b->t, 0, other ? other : &conf, &b->bell);
	b->t->ops->set_status(b->t, 15);
	return rc;
}

static void
tear_down(struct bench *b)
{
	device_free(b->dev);
	free(b->memory);
}

static void
only_fault(struct bench *b, const char *rule)
{
	if (!device_has_fault(b->dev, rule)) {
		device_faults_print(b->dev, stderr);
		fail_msg("%s was not found", rule);
	}
	for (unsigned i = 0; i < device_faults(b->dev); i++)
		assert_string_equal(device_fault_rule(b->dev, i), rule);
	device_faults_clear(b->dev);
}

/* --- split -------------------------------------------------------------------------------------
 */

static void
avail(struct bench *b, uint16_t index, uint16_t head)
{
	*half(b, 1024 + 4 + 2 * (index % SIZE)) = htole16(head);
	*half(b, 1024 + 2) = htole16((uint16_t)(index + 1));
}

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

/* One mistake: descriptors and table as given, head 0 made available. */
struct split_case {
	const char *rule;
	uint64_t features;
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc[3], table[3];
	uint16_t head;
};

#define DATA  (IOVA + 4096)
#define TABLE (IOVA + 3072)

static const struct split_case split_cases[] = {
	{ "RSVD-04", 0, .desc = { { 0x900000, 16, 0, 0 } } },
	{ "RSVD-04", 0, .desc = { { DATA, 4097, 0, 0 } } },
	{ "RSVD-04", 0, .desc = { { UINT64_MAX - 7, 16, 0, 0 } } },
	{ "SPLIT-DESC-05", 0, .desc = { { DATA, 16, 0x10, 0 } } },
	{ "SPLIT-DESC-05", 0, .desc = { { DATA, 16, NEXT, 9 } } },
	{ "SPLIT-DESC-02", 0, .desc = { { DATA, 16, NEXT, 0 } } },
	{ "SPLIT-DESC-02", 0, .desc = { { DATA, 16, NEXT, 1 }, { DATA, 16, NEXT, 0 } } },
	{ "SPLIT-FRAME-01", 0, .desc = { { DATA, 16, NEXT | WRITE, 1 }, { DATA, 16, 0, 0 } } },
	{ "spec 2.7.6", 0, .head = 8 },
	{ "SPLIT-IND-01", 0, .desc = { { TABLE, 16, INDIRECT, 0 } } },
	{ "SPLIT-IND-02", BIT(INDIRECT_DESC), .desc = { { TABLE, 16, INDIRECT, 0 } },
	  .table = { { TABLE, 16, INDIRECT, 0 } } },
	{ "SPLIT-IND-03", BIT(INDIRECT_DESC), .desc = { { TABLE, 16 * 9, INDIRECT, 0 } } },
	{ "SPLIT-IND-04", BIT(INDIRECT_DESC), .desc = { { TABLE, 16, INDIRECT | NEXT, 1 } } },
	{ "SPLIT-IND-06", BIT(INDIRECT_DESC), .desc = { { TABLE, 17, INDIRECT, 0 } } },
	{ "SPLIT-IND-06", BIT(INDIRECT_DESC), .desc = { { TABLE, 0, INDIRECT, 0 } } },
	{ "SPLIT-IND-06", BIT(INDIRECT_DESC), .desc = { { TABLE, 32, INDIRECT, 0 } },
	  .table = { { DATA, 16, 0, 0 } } },
	{ "SPLIT-DESC-02", BIT(INDIRECT_DESC), .desc = { { TABLE, 32, INDIRECT, 0 } },
	  .table = { { DATA, 16, NEXT, 1 }, { DATA, 16, NEXT, 0 } } },
	{ "SPLIT-DESC-02", BIT(INDIRECT_DESC), .desc = { { TABLE, 16, INDIRECT, 0 } },
	  .table = { { DATA, 16, NEXT, 1 } } },
	{ "SPLIT-DESC-03", BIT(IN_ORDER),
	  .desc = { { DATA, 16, NEXT, 2 }, { 0 }, { DATA, 16, 0, 0 } } },
	{ "SPLIT-DESC-04", BIT(IN_ORDER), .desc = { { 0 }, { DATA, 16, 0, 0 } }, .head = 1 },
	{ "SPLIT-IND-05", BIT(IN_ORDER) | BIT(INDIRECT_DESC),
	  .desc = { { TABLE, 48, INDIRECT, 0 } },
	  .table = { { DATA, 16, NEXT, 2 }, { 0 }, { DATA, 16, 0, 0 } } },
};

static void
split_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(split_cases) / sizeof(split_cases[0]); i++) {
		const struct split_case *c = &split_cases[i];
		struct bench b = { 0 };

		assert_int_equal(set_up(&b, c->features, NULL), 0);
		for (unsigned k = 0; k < 3; k++) {
			put_desc(&b, 16 * k, c->desc[k].addr, c->desc[k].len, c->desc[k].flags,
				 c->desc[k].next);
			put_desc(&b, 3072 + 16 * k, c->table[k].addr, c->table[k].len,
				 c->table[k].flags, c->table[k].next);
		}
		avail(&b, 0, c->head);
		device_fetch(b.dev, 0);
		only_fault(&b, c->rule);
		tear_down(&b);
	}
}

/* A good buffer is in flight; then the driver does something it must not. */
static void
split_in_flight(void **state)
{
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(set_up(&b, 0, NULL), 0);
	put_desc(&b, 0, DATA, 16, WRITE, 0);
	avail(&b, 0, 0);
	assert_int_equal(device_fetch(b.dev, 0), 1);
	device_check(b.dev, 0);
	assert_int_equal(device_faults(b.dev), 0);

	put_desc(&b, 0, DATA, 17, WRITE, 0);
	device_check(b.dev, 0);
	only_fault(&b, "INIT-CLEANUP-01");
	put_desc(&b, 0, DATA, 16, WRITE, 0);

	*half(&b, 1024 + 2) = 0;
	device_fetch(b.dev, 0);
	only_fault(&b, "SPLIT-AVAIL-01");
	*half(&b, 1024 + 2) = htole16(1 + SIZE);
	device_fetch(b.dev, 0);
	only_fault(&b, "SPLIT-AVAIL-01");

	avail(&b, 1, 0);
	device_fetch(b.dev, 0);
	only_fault(&b, "INIT-CLEANUP-01");
	*half(&b, 1024 + 2) = htole16(1);

	*half(&b, 1024) = htole16(2);
	device_fetch(b.dev, 0);
	only_fault(&b, "SPLIT-UBNS-01");
	*half(&b, 1024) = 0;

	*half(&b, 2048 + 2) = htole16(5);
	device_check(b.dev, 0);
	only_fault(&b, "spec 2.7.8");
	*half(&b, 2048 + 2) = 0;

	device_memory_remove(b.dev, b.memory);
	assert_true(device_has_fault(b.dev, "RESET-VQ-03"));
	assert_true(device_has_fault(b.dev, "INIT-CLEANUP-02"));
	tear_down(&b);
}

static void
split_event_flags(void **state)
{
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(set_up(&b, BIT(EVENT_IDX), NULL), 0);
	*half(&b, 1024) = htole16(1);
	device_fetch(b.dev, 0);
	only_fault(&b, "SPLIT-UBNS-03");
	tear_down(&b);
}

/* --- packed ------------------------------------------------------------------------------------
 */

enum { AVAIL = 1 << 7, USED = 1 << 15 };

struct packed_case {
	const char *rule;
	uint64_t features;
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t id, flags;
	} desc[3], table[2];
};

static const struct packed_case packed_cases[] = {
	{ "RSVD-04", 0, .desc = { { 0x900000, 16, 0, AVAIL } } },
	{ "PACKED-DESC-07", 0, .desc = { { DATA, 16, 0, AVAIL | 8 } } },
	{ "PACKED-SG-06", 0, .desc = { { DATA, 16, 0, AVAIL | NEXT } } },
	{ "PACKED-SG-06", 0, .desc = { { DATA, 16, 0, AVAIL | NEXT }, { DATA, 16, 0, USED } } },
	{ "PACKED-SG-03", 0,
	  .desc = { { DATA, 16, 0, AVAIL | NEXT | WRITE }, { DATA, 16, 0, AVAIL } } },
	{ "PACKED-SUPPLY-02", 0, .desc = { { DATA, 16, 3, AVAIL }, { DATA, 16, 3, AVAIL } } },
	{ "spec 2.8.21.3", 0, .desc = { { DATA, 16, 8, AVAIL } } },
	{ "PACKED-IND-01", 0, .desc = { { TABLE, 16, 0, AVAIL | INDIRECT } } },
	{ "PACKED-IND-02", BIT(INDIRECT_DESC), .desc = { { TABLE, 32, 0, AVAIL | INDIRECT } },
	  .table = { { DATA, 16, 0, NEXT }, { DATA, 16, 0, 0 } } },
	{ "PACKED-SG-02", BIT(INDIRECT_DESC), .desc = { { TABLE, 16 * 9, 0, AVAIL | INDIRECT } } },
	{ "PACKED-IND-04", BIT(INDIRECT_DESC),
	  .desc = { { DATA, 16, 0, AVAIL | NEXT }, { TABLE, 16, 0, AVAIL | INDIRECT } } },
	{ "PACKED-IND-05", BIT(INDIRECT_DESC), .desc = { { TABLE, 15, 0, AVAIL | INDIRECT } } },
};

static void
packed_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(packed_cases) / sizeof(packed_cases[0]); i++) {
		const struct packed_case *c = &packed_cases[i];
		struct bench b = { 0 };

		assert_int_equal(set_up(&b, c->features | BIT(RING_PACKED), NULL), 0);
		for (unsigned k = 0; k < 3; k++)
			put_desc(&b, 16 * k, c->desc[k].addr, c->desc[k].len, c->desc[k].id,
				 c->desc[k].flags);
		for (unsigned k = 0; k < 2; k++)
			put_desc(&b, 3072 + 16 * k, c->table[k].addr, c->table[k].len,
				 c->table[k].id, c->table[k].flags);
		device_fetch(b.dev, 0);
		only_fault(&b, c->rule);
		tear_down(&b);
	}
}

/* All eight in one list, and a ninth: the list bites its own tail. */
static void
packed_endless_list(void **state)
{
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(set_up(&b, BIT(RING_PACKED), NULL), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		put_desc(&b, 16 * i, DATA, 16, 0, AVAIL | NEXT);
	device_fetch(b.dev, 0);
	only_fault(&b, "PACKED-SG-02");
	tear_down(&b);
}

static void
packed_in_flight(void **state)
{
	static const struct {
		uint16_t off, flags;
		const char *rule;
	} events[] = {
		{ 0, 3, "PACKED-EVENT-05" },
		{ 0, 4, "PACKED-LAYOUT-08" },
		{ 0, 2, "PACKED-EVENT-04" },
	};
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(set_up(&b, BIT(RING_PACKED), NULL), 0);
	put_desc(&b, 0, DATA, 16, 0, AVAIL | WRITE);
	assert_int_equal(device_fetch(b.dev, 0), 1);
	device_check(b.dev, 0);
	assert_int_equal(device_faults(b.dev), 0);
	put_desc(&b, 0, DATA, 17, 0, AVAIL | WRITE);
	device_check(b.dev, 0);
	only_fault(&b, "PACKED-DESC-02");
	put_desc(&b, 0, DATA, 16, 0, AVAIL | WRITE);
	*half(&b, 2048) = htole16(1);
	device_check(b.dev, 0);
	only_fault(&b, "PACKED-EVENT-06");
	*half(&b, 2048) = 0;
	for (unsigned i = 0; i < 3; i++) {
		*half(&b, 1024) = htole16(events[i].off);
		*half(&b, 1026) = htole16(events[i].flags);
		device_fetch(b.dev, 0);
		only_fault(&b, events[i].rule);
	}
	tear_down(&b);
}

/* --- where a queue lies -------------------------------------------------------------------------
 */

static void
areas(void **state)
{
	static const struct {
		const char *rule;
		bool packed, refused;
		uint16_t size;
		uint16_t desc, driver, device;
	} cases[] = {
		{ "SPLIT-LAYOUT-01", false, false, 8, 8, 1024, 2048 },
		{ "SPLIT-LAYOUT-02", false, false, 8, 0, 1025, 2048 },
		{ "SPLIT-LAYOUT-03", false, false, 8, 0, 1024, 2050 },
		{ "SPLIT-LAYOUT-05", false, true, 7, 0, 1024, 2048 },
		{ "PACKED-LAYOUT-01", true, false, 8, 8, 1024, 2048 },
		{ "PACKED-LAYOUT-02", true, false, 8, 0, 1026, 2048 },
		{ "PACKED-LAYOUT-03", true, false, 8, 0, 1024, 2050 },
		{ "RSVD-04", true, true, 8, 0, 1024, 8192 },
		{ "RSVD-04", false, true, 64, 7680, 1024, 2048 },
		{ "PCI-COMMON-15", true, true, 65, 0, 2048, 4096 },
		{ "PCI-COMMON-15", true, true, 0, 0, 2048, 4096 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vio_queue_conf conf = {
			.size = cases[i].size,
			.desc_iova = IOVA + cases[i].desc,
			.driver_iova = IOVA + cases[i].driver,
			.device_iova = IOVA + cases[i].device,
		};
		struct bench b = { 0 };

		assert_int_equal(set_up(&b, cases[i].packed ? BIT(RING_PACKED) : 0, &conf) != 0,
				 cases[i].refused);
		if (cases[i].device % 2 == 0 && cases[i].driver % 2 == 0)
			only_fault(&b, cases[i].rule);
		else
			assert_true(device_has_fault(b.dev, cases[i].rule));
		tear_down(&b);
	}
}

static void
not_zeroed(void **state)
{
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(set_up(&b, BIT(RING_PACKED), NULL), 0);
	b.memory[40] = 1;
	assert_int_equal(set_up(&b, BIT(RING_PACKED), NULL), 0);
	only_fault(&b, "PACKED-LAYOUT-07");
	tear_down(&b);
	b = (struct bench){ 0 };
	assert_int_equal(set_up(&b, 0, NULL), 0);
	b.memory[2048] = 1;
	assert_int_equal(set_up(&b, 0, NULL), 0);
	assert_true(device_has_fault(b.dev, "SPLIT-ABNS-01"));
	tear_down(&b);
}

static void
notifications(void **state)
{
	struct bench b = { 0 };

	(void)state;
	assert_int_equal(set_up(&b, BIT(NOTIFICATION_DATA), NULL), 0);
	put_desc(&b, 0, DATA, 16, WRITE, 0);
	avail(&b, 0, 0);
	b.bell.kick(&b.bell, 1);
	assert_int_equal(device_faults(b.dev), 0);
	assert_int_equal(device_kicks(b.dev, 0), 1);
	b.bell.kick(&b.bell, 2);
	only_fault(&b, "NOTIF-03");
	b.bell.value = 3;
	b.bell.kick(&b.bell, 1);
	only_fault(&b, "NOTIF-02");
	b.bell.value = 0;
	b.t->ops->set_status(b.t, 0);
	b.t->ops->get_status(b.t, &(uint8_t){ 0 });
	b.bell.kick(&b.bell, 1);
	only_fault(&b, "INIT-15");
	tear_down(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_mistakes),
		cmocka_unit_test(split_in_flight),
		cmocka_unit_test(split_event_flags),
		cmocka_unit_test(packed_mistakes),
		cmocka_unit_test(packed_endless_list),
		cmocka_unit_test(packed_in_flight),
		cmocka_unit_test(areas),
		cmocka_unit_test(not_zeroed),
		cmocka_unit_test(notifications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
