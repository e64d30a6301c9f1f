/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device model as a network device: packets both ways, the control queue. A small driver of the
 * test's own stands at the other end, over the rings under test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "device/lie.h"
#include "device/net.h"
#include "virtio/device.h"
#include "virtio/features.h"
#include "virtqueue/virtqueue.h"

#define IOVA    UINT64_C(0x700000000000)
#define PAIRS   2
#define SIZE    8
#define BUFFER  256
#define CTRL    (2 * PAIRS)
#define B(name) VIO_BIT(VIRTIO_NET_F_##name)
#define FEATURES                                                                                   \
	(VIO_BIT(VIRTIO_F_VERSION_1) | B(CTRL_VQ) | B(CTRL_RX) | B(CTRL_VLAN) | B(CTRL_MAC_ADDR) | \
	 B(MQ) | B(RSS) | B(GUEST_ANNOUNCE) | B(MRG_RXBUF) | B(CSUM) | B(STATUS))

struct nic {
	struct device *model;
	struct vio_device dev;
	struct vq *vq[CTRL + 1];
	struct vio_notifier bell[CTRL + 1];
	void *ring[CTRL + 1], *state[CTRL + 1];
	uint8_t *data;
};

static void *
shared(struct nic *n, size_t len)
{
	void *p = NULL;

	assert_int_equal(posix_memalign(&p, VQ_ALIGN, len), 0);
	memset(p, 0, len);
	device_memory_add(n->model, p, (uintptr_t)p + IOVA, len);
	return p;
}

static void
set_up_queue(struct nic *n, uint16_t i, unsigned flags)
{
	struct vio_transport *t = n->dev.transport;
	struct vio_queue_conf conf = { .size = SIZE, .vector = VIO_NO_VECTOR };
	struct vq_params params = { .size = SIZE, .flags = flags };
	struct vq_areas areas;

	n->ring[i] = shared(n, vq_ring_bytes(SIZE, flags));
	assert_int_equal(posix_memalign(&n->state[i], VQ_ALIGN, vq_state_bytes(SIZE)), 0);
	params.ring = n->ring[i];
	params.ring_iova = (uintptr_t)n->ring[i] + IOVA;
	params.state = n->state[i];
	n->vq[i] = vq_init(&params);
	assert_non_null(n->vq[i]);
	vq_get_areas(n->vq[i], &areas);
	conf.desc_iova = areas.desc_iova;
	conf.driver_iova = areas.driver_iova;
	conf.device_iova = areas.device_iova;
	assert_int_equal(t->ops->queue_setup(t, i, &conf, &n->bell[i]), 0);
}

static struct nic *
nic_new(uint64_t features)
{
	struct device_options options = { .features = features, .pairs = PAIRS };
	struct nic *n = calloc(1, sizeof(*n));
	unsigned flags = features & VIO_BIT(VIRTIO_F_RING_PACKED) ? VQ_PACKED : 0;

	assert_non_null(n);
	n->model = device_new(&options);
	assert_non_null(n->model);
	n->data = shared(n, 64 * BUFFER);
	vio_device_init(&n->dev, device_transport(n->model));
	assert_int_equal(vio_device_begin(&n->dev), 0);
	assert_int_equal(vio_device_negotiate(&n->dev, features), 0);
	for (uint16_t i = 0; i <= CTRL; i++)
		set_up_queue(n, i, flags);
	assert_int_equal(vio_device_go(&n->dev), 0);
	return n;
}

static unsigned
nic_free(struct nic *n)
{
	unsigned faults = device_faults(n->model);

	device_faults_print(n->model, stderr);
	device_free(n->model);
	for (uint16_t i = 0; i <= CTRL; i++) {
		free(n->ring[i]);
		free(n->state[i]);
	}
	free(n->data);
	free(n);
	return faults;
}

static struct vq_sg
sg_at(const struct nic *n, uint32_t at, uint32_t len)
{
	return (struct vq_sg){ .iova = (uintptr_t)n->data + IOVA + at, .len = len };
}

static void
publish(struct nic *n, uint16_t queue)
{
	vq_publish(n->vq[queue]);
	if (vq_kick_prepare(n->vq[queue]))
		n->bell[queue].kick(&n->bell[queue], 0);
}

static void
post_buffers(struct nic *n, uint16_t queue, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct vq_sg sg = sg_at(n, i * BUFFER, BUFFER);

		assert_int_equal(vq_add(n->vq[queue], &sg, 0, 1, n->data + i * BUFFER), 0);
	}
	publish(n, queue);
}

static void
pattern(uint8_t *p, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 31 + seed);
}

/* A packet over several buffers, one header before the first (spec 5.1.6.4). */
static void
receive_mergeable(void **state)
{
	struct nic *n = nic_new(FEATURES |
				(*(unsigned *)*state ? VIO_BIT(VIRTIO_F_RING_PACKED) : 0));
	uint8_t packet[600], got[640], *at = got;
	struct device_net_header h = { .flags = DEVICE_HDR_NEEDS_CSUM, .csum_start = 0x1234 };
	void *cookies[4];
	uint32_t lens[4];

	post_buffers(n, 2, 3);
	pattern(packet, sizeof(packet), 5);
	assert_int_equal(device_receive_packet(n->model, 1, &h, packet, 800), 0); /* no room */
	assert_int_equal(device_receive_packet(n->model, 1, &h, packet, 600), 3);
	assert_int_equal(vq_get(n->vq[2], cookies, lens, 4), 3);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(at, cookies[i], lens[i]);
		at += lens[i];
	}
	assert_int_equal(at - got, 12 + 600);
	assert_memory_equal(got + 12, packet, 600);
	assert_int_equal(got[0], DEVICE_HDR_NEEDS_CSUM);
	assert_int_equal(got[6] | got[7] << 8, 0x1234);
	assert_int_equal(got[10] | got[11] << 8, 3);
	assert_int_equal(nic_free(n), 0);
}

static void
receive_lies(void **state)
{
	struct nic *n = nic_new(FEATURES);
	uint8_t packet[60] = { 0 }, *got;
	void *cookie;

	(void)state;
	post_buffers(n, 0, 2);
	device_lie(n->model, 0, DEVICE_LIE_NUM_BUFFERS, 65535);
	device_lie(n->model, 0, DEVICE_LIE_GSO_TYPE, 0x7f);
	device_lie(n->model, 0, DEVICE_LIE_CSUM, 0xfff0fffe);
	assert_int_equal(device_receive_packet(n->model, 0, NULL, packet, 60), 1);
	assert_int_equal(vq_get(n->vq[0], &cookie, NULL, 1), 1);
	got = cookie;
	assert_int_equal(got[10] | got[11] << 8, 65535);
	assert_int_equal(got[1], 0x7f);
	assert_int_equal(got[6] | got[7] << 8, 0xfff0);
	assert_int_equal(got[8] | got[9] << 8, 0xfffe);
	assert_int_equal(device_receive_packet(n->model, 0, NULL, packet, 60), 1);
	assert_int_equal(vq_get(n->vq[0], &cookie, NULL, 1), 1);
	got = cookie;
	assert_int_equal(got[10] | got[11] << 8, 1); /* once only */
	assert_int_equal(nic_free(n), 0);
}

static void
transmit(struct nic *n, uint32_t len, unsigned segments)
{
	struct vq_sg sg[4];
	uint32_t at = 12;

	sg[0] = sg_at(n, 0, 12);
	for (unsigned i = 1; i <= segments; i++) {
		uint32_t part = i < segments ? len / segments : 12 + len - at;

		sg[i] = sg_at(n, at, part);
		at += part;
	}
	assert_int_equal(vq_add(n->vq[1], sg, (uint16_t)(segments + 1), 0, n), 0);
	publish(n, 1);
}

static void
transmits(void **state)
{
	struct nic *n = nic_new(FEATURES |
				(*(unsigned *)*state ? VIO_BIT(VIRTIO_F_RING_PACKED) : 0));
	struct device_packet *p;

	for (unsigned i = 1; i <= 3; i++) {
		pattern(n->data + 12, 1000, i);
		transmit(n, 1000, i);
		device_poll(n->model, true);
		p = device_next_packet(n->model, 0);
		assert_non_null(p);
		assert_int_equal(p->len, 1000);
		assert_int_equal(p->segments, i + 1);
		assert_memory_equal(p->data, n->data + 12, 1000);
		free(p);
		assert_null(device_next_packet(n->model, 0));
		assert_int_equal(vq_get(n->vq[1], (void *[1]){ 0 }, NULL, 1), 1);
	}
	device_hold_transmit(n->model, true);
	transmit(n, 60, 1);
	device_poll(n->model, false);
	device_poll(n->model, false);
	p = device_next_packet(n->model, 0);
	assert_non_null(p);
	free(p);
	assert_null(device_next_packet(n->model, 0));
	assert_int_equal(vq_get(n->vq[1], (void *[1]){ 0 }, NULL, 1), 0);
	assert_int_equal(device_complete(n->model, 1, 1, DEVICE_OLDEST_FIRST), 1);
	assert_int_equal(vq_get(n->vq[1], (void *[1]){ 0 }, NULL, 1), 1);
	assert_int_equal(nic_free(n), 0);
}

/* Headers that no driver may send, each with its rule. */
static void
transmit_faults(void **state)
{
	static const struct {
		const char *rule;
		uint8_t header[12];
	} cases[] = {
		{ "NET-TX-02", { [10] = 1 } },
		{ "NET-TX-39", { [0] = 2 } },
		{ "NET-TX-40", { [0] = 4 } },
		{ "NET-TX-28", { [0] = 1, [6] = 50, [8] = 9 } },
		{ "NET-TX-07", { [0] = 1, [1] = 1, [4] = 100 } },
		{ "NET-TX-30", { [1] = 0x7f, [4] = 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nic *n = nic_new(FEATURES);

		memcpy(n->data, cases[i].header, 12);
		transmit(n, 60, 1);
		device_poll(n->model, false);
		assert_true(device_has_fault(n->model, cases[i].rule));
		nic_free(n);
	}
}

/* Sends a command. Returns the ack, or -1 where none came. */
static int
command(struct nic *n, const void *bytes, uint32_t len)
{
	struct vq_sg sg[3] = { sg_at(n, 0, 2), sg_at(n, 2, len - 2), sg_at(n, 4096, 1) };
	void *cookie;

	memcpy(n->data, bytes, len);
	n->data[4096] = 0xee;
	if (len == 2)
		sg[1] = sg[2];
	assert_int_equal(vq_add(n->vq[CTRL], sg, len > 2 ? 2 : 1, 1, n), 0);
	publish(n, CTRL);
	device_poll(n->model, true);
	if (vq_get(n->vq[CTRL], &cookie, NULL, 1) == 0)
		return -1;
	return n->data[4096];
}

static void
commands(void **state)
{
	struct nic *n = nic_new(FEATURES);
	const struct device_net_state *s = device_net_state(n->model);
	uint8_t tables[2 + 4 + 12 + 4 + 6] = { 1, 0, 2, 0, 0, 0,        0x02,
					       1, 2, 3, 4, 5, [18] = 1, [22] = 1 };
	uint8_t rss[2 + 8 + 2 * 4 + 2 + 1 + 4] = { 4, 1, 7, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1,
						   0, 0, 0, 1, 0, 2, 0, 4, 9, 9, 9, 9 };

	(void)state;
	assert_int_equal(s->pairs, 1);
	assert_int_equal(command(n, (uint8_t[]){ 0, 0, 1 }, 3), 0);
	assert_int_equal(s->rx_mode[0], 1);
	assert_int_equal(command(n, (uint8_t[]){ 0, 1, 1 }, 3), 0);
	assert_int_equal(command(n, (uint8_t[]){ 0, 0, 0 }, 3), 0);
	assert_int_equal(s->rx_mode[0], 0);
	assert_int_equal(s->rx_mode[1], 1);
	assert_int_equal(command(n, (uint8_t[]){ 1, 1, 2, 4, 6, 8, 10, 12 }, 8), 0);
	assert_int_equal(s->mac[5], 12);
	assert_int_equal(command(n, tables, sizeof(tables)), 0);
	assert_int_equal(s->unicast, 2);
	assert_int_equal(s->multicast, 1);
	assert_int_equal(s->first_unicast[5], 5);
	assert_int_equal(command(n, (uint8_t[]){ 2, 0, 0x34, 0x02 }, 4), 0);
	assert_int_equal(s->vlan[0x234 / 8], 1 << 0x234 % 8);
	assert_int_equal(command(n, (uint8_t[]){ 2, 1, 0x34, 0x02 }, 4), 0);
	assert_int_equal(s->vlan[0x234 / 8], 0);
	assert_int_equal(command(n, (uint8_t[]){ 4, 0, 2, 0 }, 4), 0);
	assert_int_equal(s->pairs, 2);
	assert_int_equal(command(n, rss, sizeof(rss)), 0);
	assert_int_equal(s->rss_entries, 4);
	assert_int_equal(s->rss_table[1], 1);
	assert_int_equal(s->rss_key_len, 4);
	device_ask_announce(n->model);
	assert_int_equal(command(n, (uint8_t[]){ 3, 0 }, 2), 0);
	assert_int_equal(s->announced, 1);
	assert_int_equal(command(n, (uint8_t[]){ 99, 0, 0 }, 3), 1); /* unknown: VIRTIO_NET_ERR */
	assert_int_equal(s->refused, 1);
	assert_int_equal(nic_free(n), 0);
}

static void
command_faults(void **state)
{
	static const struct {
		const char *rule;
		uint8_t bytes[6], len;
	} cases[] = {
		{ "NETCTRL-RX-03", { 0, 0, 2 }, 3 },
		{ "NETCTRL-RX-02", { 0, 2, 1 }, 3 },
		{ "NETCTRL-MQ-02", { 4, 0, 0, 0 }, 4 },
		{ "NETCTRL-MQ-03", { 4, 0, 3, 0 }, 4 },
		{ "NETCTRL-MAC-03", { 1, 0, 1, 0, 0, 0 }, 6 },
		{ "NETCTRL-VLAN-02", { 2, 0, 0, 0x10 }, 4 },
		{ "NETCTRL-OFFL-05", { 5, 0, 0 }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nic *n = nic_new(FEATURES);

		assert_int_equal(command(n, cases[i].bytes, cases[i].len), 1);
		assert_true(device_has_fault(n->model, cases[i].rule));
		nic_free(n);
	}
}

static void
command_lies(void **state)
{
	struct nic *n = nic_new(FEATURES);

	(void)state;
	device_lie(n->model, CTRL, DEVICE_LIE_CTRL_ACK, 0x55);
	assert_int_equal(command(n, (uint8_t[]){ 0, 0, 1 }, 3), 0x55);
	device_lie(n->model, CTRL, DEVICE_LIE_CTRL_SILENT, 0);
	assert_int_equal(command(n, (uint8_t[]){ 0, 0, 1 }, 3), -1);
	nic_free(n);
	n = nic_new(FEATURES);
	device_lie(n->model, CTRL, DEVICE_LIE_CTRL_TWICE, 0);
	assert_int_equal(command(n, (uint8_t[]){ 0, 0, 1 }, 3), -1);
	assert_int_equal(vq_error(n->vq[CTRL]), VQ_ERR_INDEX_JUMP); /* two used, one in flight */
	nic_free(n);
	n = nic_new(FEATURES);
	device_lie(n->model, CTRL, DEVICE_LIE_CTRL_ID, 0x1234);
	assert_int_equal(command(n, (uint8_t[]){ 0, 0, 1 }, 3), -1);
	assert_int_equal(vq_error(n->vq[CTRL]), VQ_ERR_ID_RANGE);
	nic_free(n);
}

int
main(void)
{
	static unsigned split = 0, packed = 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(receive_mergeable, &split),
		cmocka_unit_test_prestate(receive_mergeable, &packed),
		cmocka_unit_test_prestate(transmits, &split),
		cmocka_unit_test_prestate(transmits, &packed),
		cmocka_unit_test(receive_lies),
		cmocka_unit_test(transmit_faults),
		cmocka_unit_test(commands),
		cmocka_unit_test(command_faults),
		cmocka_unit_test(command_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
