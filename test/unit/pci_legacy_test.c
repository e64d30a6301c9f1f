/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The legacy PCI transport against a model of the legacy header (spec 4.1.4.10), which also watches
 * how it is used: widths, read-only registers, and where the configuration is with MSI-X on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pci_fake.h"
#include "virtio/device.h"
#include "virtio/features.h"
#include "virtio/pci_legacy.h"
#include "virtqueue/virtqueue.h"

enum { N_QUEUES = 3, N_VECTORS = 4, N_CONFIG = 16, N_PORTS = 0x18 + N_CONFIG, RING = 64 };

static struct model {
	struct pci_fake pci; /* first: the transport's ctx is both */
	uint8_t *msix_control;
	uint32_t features, driver_features;
	uint16_t queue_select, config_vector;
	struct {
		uint16_t size, vector;
		uint32_t pfn;
	} queues[N_QUEUES];
	uint8_t status;
	uint8_t config[N_CONFIG], isr;

	/* How it misbehaves. */
	bool gone, no_vector_room, ignores_address, ignores_reset;
	unsigned gone_after_reads; /* unplugged at that many reads from now; 0: not */
	unsigned config_changes;   /* how many reads of the first byte change all of the MAC */

	/* What it saw. */
	unsigned violations;
	unsigned writes; /* to any port */
	uint16_t notified[8];
	unsigned notifications;
	uint8_t statuses[16];
	unsigned n_statuses;
} m;

static struct vio_transport *t;

static void
violation(const char *what, uint32_t port, uint32_t value)
{
	m.violations++;
	print_error("violation: %s at port 0x%02x, value 0x%x\n", what, port, value);
}

static bool
msix_on(void)
{
	return m.msix_control != NULL && (*m.msix_control & 0x80);
}

static uint32_t
header_len(void)
{
	return msix_on() ? 24 : 20;
}

static const struct reg {
	uint8_t port, width;
	bool readable, writable;
} regs[] = {
	{ 0x00, 4, true, false }, { 0x04, 4, true, true },  { 0x08, 4, true, true },
	{ 0x0c, 2, true, false }, { 0x0e, 2, true, true },  { 0x10, 2, false, true },
	{ 0x12, 1, true, true },  { 0x13, 1, true, false }, { 0x14, 2, true, true },
	{ 0x16, 2, true, true },
};

static void
check_access(uint32_t port, unsigned width, bool write, uint32_t value)
{
	if (port >= header_len()) {
		if (port + width > header_len() + N_CONFIG)
			violation("beyond the configuration", port, value);
		return;
	}
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		if (regs[i].port != port)
			continue;
		if (regs[i].width != width)
			violation("wrong width", port, width);
		if (!(write ? regs[i].writable : regs[i].readable))
			violation("wrong direction", port, value);
		return;
	}
	violation("no such register", port, value);
}

static uint32_t
load_config(uint32_t offset, unsigned width)
{
	uint32_t value = 0;

	if (offset == 0 && m.config_changes > 0) {
		m.config_changes--;
		memset(m.config, (int)(0x10 + m.config_changes), 6);
	}
	memcpy(&value, m.config + offset, width);
	return value;
}

static uint8_t
take_isr(void)
{
	uint8_t isr = m.isr;

	m.isr = 0;
	return isr;
}

static uint32_t
load_register(uint32_t port)
{
	bool exists = m.queue_select < N_QUEUES;

	switch (port) {
	case 0x00:
		return m.features;
	case 0x04:
		return m.driver_features;
	case 0x08:
		return exists ? m.queues[m.queue_select].pfn : 0;
	case 0x0c:
		return exists ? m.queues[m.queue_select].size : 0;
	case 0x0e:
		return m.queue_select;
	case 0x12:
		return m.status;
	case 0x13:
		return take_isr();
	case 0x14:
		return m.config_vector;
	case 0x16:
		return exists ? m.queues[m.queue_select].vector : 0xffff;
	default:
		return 0;
	}
}

static uint32_t
in(void *ctx, uint32_t port, unsigned width)
{
	assert_ptr_equal(ctx, &m);
	check_access(port, width, false, 0);
	if (m.gone_after_reads > 0 && --m.gone_after_reads == 0)
		m.gone = true;
	if (m.gone)
		return UINT32_MAX;
	return port < header_len() ? load_register(port) : load_config(port - header_len(), width);
}

static void
store_status(uint8_t value)
{
	if (m.n_statuses < sizeof(m.statuses))
		m.statuses[m.n_statuses++] = value;
	if (value != 0 || !m.ignores_reset)
		m.status = value;
	if (value != 0)
		return;
	m.driver_features = 0;
	m.config_vector = 0xffff;
	for (unsigned i = 0; i < N_QUEUES; i++) {
		m.queues[i].pfn = 0;
		m.queues[i].vector = 0xffff;
	}
}

static void
store_queue(uint32_t port, uint32_t value)
{
	if (m.queue_select >= N_QUEUES) {
		violation("a queue that there is not", port, m.queue_select);
		return;
	}
	if (port == 0x08 && !m.ignores_address)
		m.queues[m.queue_select].pfn = value;
	if (port == 0x16)
		m.queues[m.queue_select].vector = m.no_vector_room ? 0xffff : (uint16_t)value;
}

static void
out(void *ctx, uint32_t port, uint32_t value, unsigned width)
{
	assert_ptr_equal(ctx, &m);
	check_access(port, width, true, value);
	m.writes++;
	if (m.gone)
		return;
	if (port >= header_len()) {
		memcpy(m.config + port - header_len(), &value, width);
		return;
	}
	if (port == 0x04)
		m.driver_features = value;
	else if (port == 0x0e)
		m.queue_select = (uint16_t)value;
	else if (port == 0x10 && m.notifications < 8)
		m.notified[m.notifications++] = (uint16_t)value;
	else if (port == 0x12)
		store_status((uint8_t)value);
	else if (port == 0x14)
		m.config_vector = m.no_vector_room ? 0xffff : (uint16_t)value;
	else
		store_queue(port, value);
}

static const struct vio_pci_access access = {
	.read_config = fake_read_config,
	.bar = fake_bar,
	.in = in,
	.out = out,
};

static int
setup(void **state)
{
	(void)state;
	m = (struct model){ .features = 1u << 27 | 1u << 5, .config_vector = 0xffff };
	fake_init(&m.pci);
	for (unsigned i = 0; i < N_QUEUES; i++) {
		m.queues[i].size = RING << i;
		m.queues[i].vector = 0xffff;
	}
	for (unsigned i = 0; i < N_CONFIG; i++)
		m.config[i] = (uint8_t)(0xa0 + i);
	m.msix_control = fake_add_raw(&m.pci, 0x11, 12) + 3;
	fake_put16(m.msix_control - 1, N_VECTORS - 1);
	assert_int_equal(vio_pci_legacy_open(&access, &m, N_PORTS, FAKE_NAME, &t), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	t->ops->close(t);
	fake_free(&m.pci);
	return m.violations == 0 ? 0 : -1;
}

static void
opening_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(m.writes, 0);
	assert_true(t->ops->legacy);
	assert_null(t->ops->get_generation);
	assert_int_equal(vio_pci_legacy_vectors(t), N_VECTORS);
}

static void
opening_fails(void **state)
{
	static const struct vio_pci_access portless = { .read_config = fake_read_config,
							.bar = fake_bar };
	struct vio_transport *other;

	(void)state;
	assert_int_equal(vio_pci_legacy_open(&access, &m, 0x17, FAKE_NAME, &other), -EINVAL);
	assert_int_equal(vio_pci_legacy_open(&portless, &m, N_PORTS, FAKE_NAME, &other), -ENOTSUP);
	m.gone = true;
	assert_int_equal(vio_pci_legacy_open(&access, &m, N_PORTS, FAKE_NAME, &other), -ENODEV);
	m.gone = false;
	m.pci.fail_at = m.pci.reads + 2;
	assert_int_equal(vio_pci_legacy_open(&access, &m, N_PORTS, FAKE_NAME, &other), -EIO);
}

/* A transitional device's modern interface is not looked at, usable or not. */
static void
transitional_device(void **state)
{
	struct vio_transport *other;

	(void)state;
	fake_add(&m.pci, (struct fake_cap){ .type = 1, .bar = 5 });
	assert_int_equal(vio_pci_legacy_open(&access, &m, N_PORTS, FAKE_NAME, &other), 0);
	assert_int_equal(vio_pci_legacy_vectors(other), N_VECTORS);
	other->ops->close(other);
}

/* PCILEG-07, INIT-LEG-01: 32 bits, and no FEATURES_OK. */
static void
negotiation(void **state)
{
	static const uint8_t expected[] = { 0, 1, 3, 7 };
	struct vio_device device;

	(void)state;
	vio_device_init(&device, t);
	assert_int_equal(vio_device_begin(&device), 0);
	assert_int_equal(device.offered, m.features);
	assert_int_equal(vio_device_negotiate(&device, UINT64_MAX), 0);
	assert_int_equal(device.features, m.features);
	assert_int_equal(m.driver_features, m.features);
	assert_int_equal(vio_device_go(&device), 0);
	assert_int_equal(m.n_statuses, sizeof(expected));
	assert_memory_equal(m.statuses, expected, sizeof(expected));
	assert_int_equal(t->ops->set_features(t, UINT64_C(1) << 32), -EINVAL);
	assert_int_equal(m.driver_features, m.features);
}

/* RSVD-LEG-01: taken without being asked for. */
static void
any_layout_is_accepted(void **state)
{
	struct vio_device device;

	(void)state;
	m.features |= 1u << 30 | 1u << 24; /* RSVD-LEG-02, -03: and those are not */
	vio_device_init(&device, t);
	assert_int_equal(vio_device_begin(&device), 0);
	assert_int_equal(vio_device_negotiate(&device, 1 << 5), 0);
	assert_int_equal(m.driver_features, 1u << 27 | 1u << 5);
}

static void
reset_that_never_ends(void **state)
{
	struct vio_device device;

	(void)state;
	m.status = 7;
	m.ignores_reset = true;
	vio_device_init(&device, t);
	device.reset_timeout_ms = 5;
	assert_int_equal(vio_device_reset(&device), -ETIMEDOUT);
}

/* PCILEG-04: it moves when MSI-X goes on, and back. */
static void
configuration_moves(void **state)
{
	uint8_t got[6];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		*m.msix_control = i % 2 ? 0x80 : 0x40; /* masked is not on */
		assert_int_equal(t->ops->read_config(t, 0, got, 6), 0);
		assert_memory_equal(got, m.config, 6);
		assert_int_equal(t->ops->read_config(t, 8, got, 2), 0);
		assert_memory_equal(got, m.config + 8, 2);
		assert_int_equal(t->ops->read_config(t, 12, got, 4), 0);
		assert_memory_equal(got, m.config + 12, 4);
	}
	m.pci.fail_at = m.pci.reads + 1;
	assert_int_equal(t->ops->read_config(t, 0, got, 6), -EIO);
	assert_int_equal(t->ops->read_config(t, 300, got, 1), -EINVAL);
	assert_int_equal(t->ops->read_config(t, UINT32_MAX, got, 2), -EINVAL);
	/* What lies behind the ports may be another device's, a little further on without MSI-X. */
	*m.msix_control |= 0x80;
	assert_int_equal(t->ops->read_config(t, N_CONFIG - 1, got, 1), 0);
	assert_int_equal(t->ops->read_config(t, N_CONFIG, got, 1), -EINVAL);
	assert_int_equal(t->ops->write_config(t, N_CONFIG - 1, got, 2), -EINVAL);
	*m.msix_control &= 0x7f;
	assert_int_equal(t->ops->read_config(t, N_CONFIG + 4, got, 1), -EINVAL);
}

static void
configuration_is_written(void **state)
{
	static const uint8_t mac[6] = { 2, 3, 4, 5, 6, 7 };

	(void)state;
	*m.msix_control = 0x80;
	assert_int_equal(t->ops->write_config(t, 0, mac, 6), 0);
	assert_memory_equal(m.config, mac, 6);
	assert_int_equal(m.config[6], 0xa6);
	assert_int_equal(t->ops->write_config(t, 250, mac, 6), -EINVAL);
}

/* CFG-LEG-02: two reads that agree, and a bound. */
static void
configuration_is_read_twice(void **state)
{
	static const uint8_t last[6] = { 0x10, 0x10, 0x10, 0x10, 0x10, 0x10 };
	struct vio_device device;
	uint8_t got[6], large[VIO_CONFIG_FIELD_MAX + 1];

	(void)state;
	vio_device_init(&device, t);
	m.config_changes = 5;
	assert_int_equal(vio_config_read(&device, 0, got, 6), 0);
	assert_memory_equal(got, last, 6);
	assert_int_equal(m.config_changes, 0);
	m.config_changes = 1000;
	assert_int_equal(vio_config_read(&device, 0, got, 6), -EAGAIN);
	assert_int_equal(m.config_changes, 1000 - 1 - VIO_CONFIG_TRIES);
	m.config_changes = 0;
	assert_int_equal(vio_config_read(&device, 0, large, sizeof(large)), -EINVAL);
}

static void
queue_sizes(void **state)
{
	static const uint16_t lies[] = { 3, 100, 32769, 65535, 40000 };
	uint16_t size;

	(void)state;
	for (uint16_t i = 0; i < N_QUEUES; i++) {
		assert_int_equal(t->ops->queue_max_size(t, i, &size), 0);
		assert_int_equal(size, RING << i);
	}
	assert_int_equal(t->ops->queue_max_size(t, N_QUEUES, &size), 0);
	assert_int_equal(size, 0);
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		m.queues[1].size = lies[i];
		assert_int_equal(t->ops->queue_max_size(t, 1, &size), -EINVAL);
	}
	m.queues[1].size = 32768;
	assert_int_equal(t->ops->queue_max_size(t, 1, &size), 0);
	m.gone = true;
	assert_int_equal(t->ops->queue_max_size(t, 1, &size), -ENODEV);
}

/* A ring of the legacy layout at this address; SPLIT-LEG-02, -03. */
static struct vio_queue_conf
ring_at(uint64_t iova, uint16_t size)
{
	uint64_t used = iova + UINT64_C(16) * size + 2 * (3 + size);

	return (struct vio_queue_conf){
		.size = size,
		.vector = VIO_NO_VECTOR,
		.desc_iova = iova,
		.driver_iova = iova + UINT64_C(16) * size,
		.device_iova = (used + 4095) / 4096 * 4096,
	};
}

static void
queue_is_set_up(void **state)
{
	struct vio_queue_conf conf = ring_at(UINT64_C(0xfffffff0000), RING << 2);
	struct vio_notifier bell;

	(void)state;
	assert_int_equal(t->ops->queue_setup(t, 2, &conf, &bell), 0);
	assert_int_equal(m.queues[2].pfn, 0xfffffff0);
	assert_int_equal(m.queues[0].pfn | m.queues[1].pfn, 0);
	bell.kick(&bell, 77);
	assert_int_equal(m.notifications, 1);
	assert_int_equal(m.notified[0], 2);
	assert_int_equal(t->ops->queue_setup(t, 2, &conf, &bell), -EBUSY);
	assert_int_equal(t->ops->queue_reset(t, 2), -ENOTSUP);
}

static void
queue_is_refused(void **state)
{
	struct vio_queue_conf good = ring_at(0x40000, RING), conf;
	struct vio_notifier bell;

	(void)state;
	conf = ring_at(0x40000, RING / 2); /* SPLIT-LEG-01, PCILEG-15 */
	assert_int_equal(t->ops->queue_setup(t, 0, &conf, &bell), -EINVAL);
	conf = ring_at(0x40800, RING);
	assert_int_equal(t->ops->queue_setup(t, 0, &conf, &bell), -EINVAL);
	conf = good;
	conf.driver_iova += 64;
	assert_int_equal(t->ops->queue_setup(t, 0, &conf, &bell), -EINVAL);
	conf = good;
	conf.device_iova -= 4096;
	assert_int_equal(t->ops->queue_setup(t, 0, &conf, &bell), -EINVAL);
	conf = ring_at(UINT64_C(1) << 44, RING);
	assert_int_equal(t->ops->queue_setup(t, 0, &conf, &bell), -ERANGE);
	assert_int_equal(t->ops->queue_setup(t, N_QUEUES, &good, &bell), -EINVAL);
	m.queues[0].size = 0;
	assert_int_equal(t->ops->queue_setup(t, 0, &good, &bell), -EINVAL);
	m.queues[0].size = RING;
	m.ignores_address = true;
	assert_int_equal(t->ops->queue_setup(t, 0, &good, &bell), -EIO);
	for (unsigned i = 0; i < N_QUEUES; i++)
		assert_int_equal(m.queues[i].pfn, 0);
}

/* PCILEG-06: the registers are there with MSI-X on, and no other time. */
static void
vectors(void **state)
{
	struct vio_queue_conf conf = ring_at(0x40000, RING);
	struct vio_notifier bell;

	(void)state;
	assert_int_equal(t->ops->config_vector(t, VIO_NO_VECTOR), 0);
	assert_int_equal(m.writes, 0);
	assert_int_equal(t->ops->config_vector(t, 0), -EINVAL);
	*m.msix_control = 0x80;
	assert_int_equal(t->ops->config_vector(t, 0), 0);
	assert_int_equal(m.config_vector, 0);
	assert_int_equal(t->ops->config_vector(t, N_VECTORS), -EINVAL);
	conf.vector = N_VECTORS - 1;
	assert_int_equal(t->ops->queue_setup(t, 0, &conf, &bell), 0);
	assert_int_equal(m.queues[0].vector, N_VECTORS - 1);
	m.no_vector_room = true;
	assert_int_equal(t->ops->config_vector(t, 1), -EBUSY);
	conf = ring_at(0x40000, RING << 1);
	conf.vector = 1;
	assert_int_equal(t->ops->queue_setup(t, 1, &conf, &bell), -EBUSY);
	assert_int_equal(m.queues[1].pfn, 0);
}

static void
isr_is_read(void **state)
{
	uint8_t isr;

	(void)state;
	m.isr = 3;
	assert_int_equal(t->ops->read_isr(t, &isr), 0);
	assert_int_equal(isr, 3);
	assert_int_equal(t->ops->read_isr(t, &isr), 0);
	assert_int_equal(isr, 0);
	m.gone = true;
	assert_int_equal(t->ops->read_isr(t, &isr), -ENODEV);
}

/* Wherever in an operation it goes, the error says so, or the answer is one that was given before.
 */
static void
unplugged(void **state)
{
	struct vio_queue_conf conf = ring_at(0x40000, RING);
	struct vio_notifier bell;
	uint64_t features;
	uint8_t got[6];

	(void)state;
	*m.msix_control = 0x80;
	for (unsigned reads = 1; reads <= 4; reads++) {
		int ret;

		m.gone = false;
		m.queues[0].pfn = 0;
		m.gone_after_reads = reads;
		ret = t->ops->queue_setup(t, 0, &conf, &bell);
		assert_int_equal(ret, reads <= 4 && m.gone ? -ENODEV : 0);
	}
	m.gone = true;
	assert_int_equal(t->ops->get_status(t, got), -ENODEV);
	assert_int_equal(t->ops->get_features(t, &features), -ENODEV);
	assert_int_equal(t->ops->read_config(t, 0, got, 6), -ENODEV);
	assert_int_equal(t->ops->config_vector(t, 1), -ENODEV);
	assert_int_equal(t->ops->config_vector(t, VIO_NO_VECTOR), -ENODEV);
}

/* The ring library's legacy layout is what the transport, and so the device, expects. */
static void
rings_fit(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 4, 64, 128, 256, 1024, 32768 };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t bytes = vq_ring_bytes(sizes[i], VQ_LEGACY);
		struct vio_queue_conf conf = ring_at(0x7000000, sizes[i]);
		struct vq_params params = {
			.size = sizes[i],
			.flags = VQ_LEGACY,
			.ring = aligned_alloc(4096, bytes),
			.ring_iova = conf.desc_iova,
			.state = aligned_alloc(VQ_ALIGN, vq_state_bytes(sizes[i])),
		};
		struct vq_areas areas;

		vq_get_areas(vq_init(&params), &areas);
		assert_int_equal(areas.desc_iova, conf.desc_iova);
		assert_int_equal(areas.driver_iova, conf.driver_iova);
		assert_int_equal(areas.device_iova, conf.device_iova);
		assert_int_equal((char *)areas.device - (char *)areas.desc,
				 conf.device_iova - conf.desc_iova);
		/* Two parts, each of whole pages: virtq_size() of the specification. */
		assert_int_equal(bytes, conf.device_iova - conf.desc_iova +
						(6 + 8u * sizes[i] + 4095) / 4096 * 4096);
		params.ring_iova += 64;
		assert_null(vq_init(&params));
		free(params.ring);
		free(params.state);
	}
	assert_int_equal(vq_ring_bytes(256, VQ_LEGACY | VQ_PACKED), 0);
	assert_int_equal(vq_ring_bytes(96, VQ_LEGACY), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(opening_writes_nothing),
		TEST(opening_fails),
		TEST(transitional_device),
		TEST(negotiation),
		TEST(any_layout_is_accepted),
		TEST(reset_that_never_ends),
		TEST(configuration_moves),
		TEST(configuration_is_written),
		TEST(configuration_is_read_twice),
		TEST(queue_sizes),
		TEST(queue_is_set_up),
		TEST(queue_is_refused),
		TEST(vectors),
		TEST(isr_is_read),
		TEST(unplugged),
		TEST(rings_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
