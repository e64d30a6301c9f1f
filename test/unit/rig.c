/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly as long as asked for, so that the address sanitizer sees the first byte beyond. */
static void *
shared_memory(struct rig *rig, size_t len, size_t align)
{
	void *p = NULL;

	assert_int_equal(posix_memalign(&p, align, len), 0);
	memset(p, 0x5a, len);
	if (rig->dev != NULL)
		device_memory_add(rig->dev, p, (uintptr_t)p + RIG_IOVA, len);
	return p;
}

static uint64_t
features_of(unsigned flags)
{
	uint64_t f = DEVICE_BIT(DEVICE_F_VERSION_1);

	if (!(flags & RIG_NO_DATA))
		f |= DEVICE_BIT(DEVICE_F_NOTIFICATION_DATA);
	if (flags & VQ_PACKED)
		f |= DEVICE_BIT(DEVICE_F_RING_PACKED);
	if (flags & VQ_IN_ORDER)
		f |= DEVICE_BIT(DEVICE_F_IN_ORDER);
	if (flags & VQ_EVENT_IDX)
		f |= DEVICE_BIT(DEVICE_F_EVENT_IDX);
	if (flags & VQ_INDIRECT)
		f |= DEVICE_BIT(DEVICE_F_INDIRECT_DESC);
	if (flags & VQ_ORDER_PLATFORM)
		f |= DEVICE_BIT(DEVICE_F_ORDER_PLATFORM);
	return f;
}

static void
bring_up(struct rig *rig, uint64_t features)
{
	struct vio_transport *t = device_transport(rig->dev);
	struct vio_queue_conf conf = { .size = rig->conf.size, .vector = VIO_NO_VECTOR };
	struct vq_areas areas;
	uint8_t status;

	vq_get_areas(rig->vq, &areas);
	conf.desc = areas.desc;
	conf.driver = areas.driver;
	conf.device = areas.device;
	conf.desc_iova = areas.desc_iova;
	conf.driver_iova = areas.driver_iova;
	conf.device_iova = areas.device_iova;
	t->ops->set_status(t, 0);
	t->ops->get_status(t, &status);
	t->ops->set_status(t, 1);
	t->ops->set_status(t, 3);
	t->ops->set_features(t, features);
	t->ops->set_status(t, 11);
	t->ops->get_status(t, &status);
	assert_int_equal(t->ops->queue_setup(t, RIG_QUEUE, &conf, &rig->bell), 0);
	t->ops->set_status(t, 15);
}

/* VQ_SIMD names the vector instructions that all queues use; plain C without it. */
static enum vq_simd
simd_asked_for(void)
{
	const char *name = getenv("VQ_SIMD");

	for (enum vq_simd simd = VQ_SIMD_NONE; simd < VQ_SIMD_COUNT; simd++)
		if (name != NULL && strcmp(name, vq_simd_name(simd)) == 0)
			return simd;
	assert_null(name);
	return VQ_SIMD_NONE;
}

struct rig *
rig_new(const struct rig_conf *conf)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct device_options options = {
		.features = features_of(conf->flags),
		.queue_size = VQ_SIZE_MAX,
	};
	struct vq_params params = { .size = conf->size, .flags = conf->flags & ~RIG_NO_DATA };

	assert_non_null(rig);
	rig->conf = *conf;
	rig->state = shared_memory(rig, vq_state_bytes(conf->size),
				   VQ_ALIGN); /* not known to the device */
	rig->dev = device_new(&options);
	assert_non_null(rig->dev);
	rig->ring = shared_memory(rig, vq_ring_bytes(conf->size, conf->flags),
				  conf->flags & VQ_LEGACY ? VQ_LEGACY_ALIGN : VQ_ALIGN);
	rig->data = shared_memory(rig, RIG_DATA, VQ_ALIGN);
	params.ring = rig->ring;
	params.ring_iova = (uintptr_t)rig->ring + RIG_IOVA;
	params.state = rig->state;
	if (conf->flags & VQ_INDIRECT) {
		rig->indirect = shared_memory(rig, 16u * RIG_INDIRECT_MAX * conf->size, VQ_ALIGN);
		params.indirect = rig->indirect;
		params.indirect_iova = (uintptr_t)rig->indirect + RIG_IOVA;
		params.indirect_max = RIG_INDIRECT_MAX;
	}
	params.simd = simd_asked_for();
	rig->vq = vq_init(&params);
	assert_non_null(rig->vq);
	bring_up(rig, options.features);
	return rig;
}

unsigned
rig_free(struct rig *rig)
{
	unsigned faults;

	device_check(rig->dev, RIG_QUEUE);
	faults = device_faults(rig->dev);
	device_faults_print(rig->dev, stderr);
	device_free(rig->dev);
	free(rig->ring);
	free(rig->state);
	free(rig->indirect);
	free(rig->data);
	free(rig);
	return faults;
}

struct vq_sg
rig_sg(const struct rig *rig, uint32_t offset, uint32_t len)
{
	return (struct vq_sg){ .iova = (uintptr_t)rig->data + RIG_IOVA + offset, .len = len };
}

void *
rig_cookie(uint32_t number)
{
	return (void *)((uintptr_t)number + 1);
}

/* The data begins somewhere in an object's memory, and something goes along before it: both are
 * seen if they are mixed up. */
#define SHIFT  100
#define BEFORE 3

static struct object {
	uint32_t number;
	uint16_t len;
	uint64_t addr;
	uint16_t offset;
} objects[RIG_OBJECTS];

void *
rig_object(const struct rig *rig, uint32_t number, uint32_t offset, uint16_t len)
{
	struct object *object = &objects[number % RIG_OBJECTS];

	*object = (struct object){
		.number = number,
		.len = len - BEFORE,
		.addr = rig_sg(rig, offset, len).iova - SHIFT,
		.offset = SHIFT + BEFORE,
	};
	return object;
}

struct vq_view
rig_view(uint32_t in_len)
{
	return (struct vq_view){
		.addr_at = offsetof(struct object, addr),
		.in_offset = SHIFT,
		.in_len = in_len,
		.offset_at = offsetof(struct object, offset),
		.len_at = offsetof(struct object, len),
		.before = BEFORE,
	};
}

uint16_t
rig_add_many(const struct rig *rig, void *const *cookies, uint16_t n, bool in, uint32_t in_len)
{
	struct vq_view view = rig_view(in_len);

	return in ? vq_add_in(rig->vq, cookies, n, &view) : vq_add_out(rig->vq, cookies, n, &view);
}

uint32_t
rig_number(const void *cookie)
{
	uintptr_t at = (uintptr_t)cookie;

	if (at >= (uintptr_t)objects && at < (uintptr_t)(objects + RIG_OBJECTS))
		return ((const struct object *)cookie)->number;
	return (uint32_t)(at - 1);
}

bool
rig_publish(struct rig *rig)
{
	vq_publish(rig->vq);
	if (!vq_kick_prepare(rig->vq))
		return false;
	rig->bell.kick(&rig->bell, vq_notify_data(rig->vq));
	return true;
}

int
rig_add(struct rig *rig, uint16_t out, uint16_t in, uint32_t number)
{
	struct vq_sg sg[64];

	assert_true(out + in <= 64);
	for (int i = 0; i < out + in; i++)
		sg[i] = rig_sg(rig, 16 * (uint32_t)i, 16);
	return vq_add(rig->vq, sg, out, in, rig_cookie(number));
}

uint16_t
rig_cost(const struct rig *rig, unsigned elements)
{
	if (rig_has(rig, VQ_INDIRECT) && elements > 1 && elements <= RIG_INDIRECT_MAX)
		return 1;
	return (uint16_t)elements;
}

void
rig_advance(struct rig *rig, uint32_t n)
{
	void *object = rig_object(rig, 0, 0, 64), *back[64];

	while (n > 0) {
		uint16_t burst = 0, got = 0;

		while (burst < n && burst < 64 && rig_add_many(rig, &object, 1, true, 64) == 1)
			burst++;
		rig_publish(rig);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), burst);
		assert_int_equal(device_complete(rig->dev, RIG_QUEUE, burst, DEVICE_OLDEST_FIRST),
				 burst);
		got = vq_get(rig->vq, back, NULL, 64);
		assert_int_equal(got, burst);
		n -= burst;
	}
}

uint32_t
rig_get(struct rig *rig, uint32_t *len)
{
	void *cookie;

	assert_int_equal(vq_get(rig->vq, &cookie, len, 1), 1);
	return rig_number(cookie);
}

/* --- one test for each combination -------------------------------------------------------------
 */

static int
setup(void **state)
{
	*state = rig_new(*state);
	return 0;
}

static int
teardown(void **state)
{
	return rig_free(*state) == 0 ? 0 : -1;
}

static const char *
title(const struct rig_test *test, const struct rig_conf *conf)
{
	char *text;

	if (asprintf(&text, "%s: %s%s%s%s%s%s, size %u", test->name,
		     conf->flags & VQ_PACKED ? "packed" : "split",
		     conf->flags & VQ_IN_ORDER ? " in_order" : "",
		     conf->flags & VQ_EVENT_IDX ? " event_idx" : "",
		     conf->flags & VQ_INDIRECT ? " indirect" : "",
		     conf->flags & VQ_LEGACY ? " legacy" : "",
		     conf->flags & VQ_ORDER_PLATFORM ? " order_platform" : "", conf->size) < 0)
		abort();
	return text;
}

static bool
applies(const struct rig_test *test, const struct rig_conf *conf)
{
	if ((conf->flags & test->with) != test->with || (conf->flags & test->without))
		return false;
	if (conf->size < test->min_size)
		return false;
	/* The legacy layout differs in where things are: one set of features shows that. */
	if ((conf->flags & VQ_LEGACY) &&
	    (conf->flags & ~RIG_NO_DATA) != (VQ_LEGACY | (test->with & ~RIG_NO_DATA)) &&
	    (conf->flags & ~RIG_NO_DATA) != (VQ_LEGACY | VQ_EVENT_IDX | VQ_INDIRECT))
		return false;
	if ((conf->flags & VQ_LEGACY) && (conf->flags & (VQ_PACKED | VQ_IN_ORDER)))
		return false;
	return (conf->flags & VQ_PACKED) || (conf->size & (conf->size - 1)) == 0;
}

/* All sets of the first four flags, then those once more with the legacy layout, and with the
 * barriers for hardware; barriers know no size, so these are tried on small rings. */
#define KINDS 48
#define SMALL 8

static unsigned
kind_flags(unsigned kind)
{
	static const unsigned more[] = { 0, VQ_LEGACY, VQ_ORDER_PLATFORM };

	return kind % 16 | more[kind / 16];
}

int
rig_main(const struct rig_test *tests, size_t n, const uint16_t *sizes, size_t size_count)
{
	size_t max = n * KINDS * size_count, count = 0;
	struct CMUnitTest *all;
	struct rig_conf *confs;
	int failed;

	if (!vq_simd_runs(simd_asked_for())) {
		fprintf(stderr, "this CPU does not run %s\n", getenv("VQ_SIMD"));
		return 77; /* meson: skipped */
	}
	all = calloc(max, sizeof(*all));
	confs = calloc(max, sizeof(*confs));
	for (size_t t = 0; t < n; t++) {
		for (size_t k = 0; k < KINDS * size_count; k++) {
			struct rig_conf *conf = &confs[count];

			*conf = (struct rig_conf){ .flags = kind_flags(k % KINDS),
						   .size = sizes[k / KINDS] };
			conf->flags |= tests[t].with & RIG_NO_DATA;
			if (!applies(&tests[t], conf) ||
			    (conf->flags & VQ_ORDER_PLATFORM && conf->size > SMALL))
				continue;
			all[count++] = (struct CMUnitTest){
				.name = title(&tests[t], conf),
				.test_func = tests[t].run,
				.setup_func = setup,
				.teardown_func = teardown,
				.initial_state = conf,
			};
		}
	}
	failed = _cmocka_run_group_tests("rings", all, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)all[i].name);
	free(all);
	free(confs);
	return failed == 0 ? 0 : 1;
}
