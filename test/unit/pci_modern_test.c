/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The modern PCI transport against a model of the common configuration structure, which also
 * watches how it is used: widths, read-only fields, the order of a queue's fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pci_fake.h"
#include "virtio/features.h"
#include "virtio/pci_modern.h"

enum { COMMON_AT = 0, ISR_AT = 0x1000, DEVICE_AT = 0x2000, NOTIFY_AT = 0x3000 };
enum { N_QUEUES = 3, N_VECTORS = 4 };

struct queue_regs {
	uint16_t offered, size, vector, enable, notify_off, notif_data, reset;
	uint32_t addr[6]; /* desc, driver, device: low, high */
};

static struct model {
	struct pci_fake pci; /* first: the transport's ctx is both */
	uint64_t features;
	uint64_t driver_features;
	uint32_t device_select, driver_select;
	uint16_t config_vector, num_queues, queue_select;
	uint8_t status, generation;
	struct queue_regs queues[N_QUEUES];
	uint8_t device_config[64];
	uint8_t isr;
	bool pairs_come_with_mq; /* num_queues is 1 until MQ is accepted, as QEMU has it */

	/* How it misbehaves. */
	bool gone;
	bool replaced;  /* gone, and its registers read as nothing */
	unsigned asked; /* whether it is there */
	bool ignores_size, ignores_enable, no_vector_room;
	bool stays_enabled;        /* after a queue reset */
	unsigned reset_reads;      /* how many reads of queue_reset show 1 */
	unsigned gone_after_reads; /* unplugged at that many loads from now; 0: not */

	/* What it saw. */
	unsigned violations;
	unsigned stores;
	unsigned notify_off_reads;
	unsigned device_loads[5]; /* by width */
	unsigned size_stores;
} m;

static struct vio_transport *t;

static void
violation(const char *what, unsigned off, uint32_t value)
{
	m.violations++;
	print_error("violation: %s at 0x%02x, value 0x%x\n", what, off, value);
}

/* The registers, their width, and whether the driver may write them. */
static const struct reg {
	uint8_t off, width;
	bool writable;
} regs[] = {
	{ 0x00, 4, true },  { 0x04, 4, false }, { 0x08, 4, true }, { 0x0c, 4, true },
	{ 0x10, 2, true },  { 0x12, 2, false }, { 0x14, 1, true }, { 0x15, 1, false },
	{ 0x16, 2, true },  { 0x18, 2, true },  { 0x1a, 2, true }, { 0x1c, 2, true },
	{ 0x1e, 2, false }, { 0x20, 4, true },  { 0x24, 4, true }, { 0x28, 4, true },
	{ 0x2c, 4, true },  { 0x30, 4, true },  { 0x34, 4, true }, { 0x38, 2, false },
	{ 0x3a, 2, true },
};

static void
check_access(unsigned off, unsigned width, bool write, uint32_t value)
{
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		if (regs[i].off != off)
			continue;
		if (regs[i].width != width)
			violation("wrong width", off, width);
		if (write && !regs[i].writable)
			violation("write to a read-only field", off, value);
		return;
	}
	violation("no such field", off, value);
}

static struct queue_regs *
selected(void)
{
	static struct queue_regs none;

	return m.queue_select < m.num_queues && m.queue_select < N_QUEUES
		       ? &m.queues[m.queue_select]
		       : &none;
}

static uint32_t
read_reset(struct queue_regs *q)
{
	if (m.reset_reads > 0) {
		m.reset_reads--;
		return 1;
	}
	q->reset = 0;
	return 0;
}

static uint32_t
load_common(unsigned off)
{
	struct queue_regs *q = selected();

	switch (off) {
	case 0x04:
		return m.device_select < 2 ? (uint32_t)(m.features >> (32 * m.device_select)) : 0;
	case 0x10:
		return m.config_vector;
	case 0x12:
		if (m.pairs_come_with_mq && !(m.driver_features & VIO_BIT(VIRTIO_NET_F_MQ)))
			return 1;
		return m.num_queues;
	case 0x14:
		return m.status;
	case 0x15:
		return m.generation;
	case 0x18:
		return q->size;
	case 0x1a:
		return q->vector;
	case 0x1c:
		return q->enable;
	case 0x1e:
		m.notify_off_reads++;
		return q->notify_off;
	case 0x38:
		if (!(m.driver_features & VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA)))
			violation("a field whose feature was not negotiated", off, 0);
		return q->notif_data;
	case 0x3a:
		return read_reset(q);
	default:
		return 0;
	}
}

static void
store_size(struct queue_regs *q, uint32_t value)
{
	m.size_stores++;
	if (value > q->offered || value == 0)
		violation("queue size raised, or 0", 0x18, value);
	if (!m.ignores_size)
		q->size = (uint16_t)value;
}

static void
store_enable(struct queue_regs *q, uint32_t value)
{
	if (value != 1)
		violation("only 1 may be written", 0x1c, value); /* PCI-COMMON-07 */
	q->enable = !m.ignores_enable;
}

static void
store_reset(struct queue_regs *q, uint32_t value)
{
	if (!(m.driver_features & VIO_BIT(VIRTIO_F_RING_RESET)))
		violation("a field whose feature was not negotiated", 0x3a, value);
	q->reset = (uint16_t)value;
	q->enable = m.stays_enabled;
	q->size = q->offered;
}

static void
store_common(unsigned off, uint32_t value)
{
	struct queue_regs *q = selected();

	if (q->enable && off >= 0x18 && off < 0x38)
		violation("a field of an enabled queue", off, value); /* PCI-COMMON-05 */
	if (off == 0x00)
		m.device_select = value;
	else if (off == 0x08)
		m.driver_select = value;
	else if (off == 0x0c && m.driver_select < 2)
		m.driver_features = (m.driver_features &
				     ~(UINT64_C(0xffffffff) << (32 * m.driver_select))) |
				    (uint64_t)value << (32 * m.driver_select);
	else if (off == 0x10)
		m.config_vector = m.no_vector_room ? 0xffff : (uint16_t)value;
	else if (off == 0x14)
		m.status = (uint8_t)value;
	else if (off == 0x16)
		m.queue_select = (uint16_t)value;
	else if (off == 0x18)
		store_size(q, value);
	else if (off == 0x1a)
		q->vector = m.no_vector_room ? 0xffff : (uint16_t)value;
	else if (off == 0x1c)
		store_enable(q, value);
	else if (off >= 0x20 && off < 0x38)
		q->addr[(off - 0x20) / 4] = value;
	else if (off == 0x3a)
		store_reset(q, value);
}

static uint32_t
load_device(unsigned off, unsigned width)
{
	uint32_t value = 0;

	m.device_loads[width]++;
	if (off % width != 0)
		violation("unaligned access to device configuration", off, width);
	memcpy(&value, m.device_config + off, width);
	return le32toh(value);
}

static uint32_t
load(void *ctx, const volatile void *addr, unsigned width)
{
	unsigned off = (unsigned)((const volatile uint8_t *)addr - m.pci.bar[4]);

	assert_ptr_equal(ctx, &m);
	if (m.gone_after_reads > 0 && --m.gone_after_reads == 0)
		m.gone = true;
	if (m.gone)
		return UINT32_MAX >> (32 - 8 * width);
	if (off >= DEVICE_AT && off < DEVICE_AT + sizeof(m.device_config))
		return load_device(off - DEVICE_AT, width);
	if (off == ISR_AT && width == 1)
		return m.isr;
	check_access(off, width, false, 0);
	return load_common(off);
}

static void
store(void *ctx, volatile void *addr, uint32_t value, unsigned width)
{
	unsigned off = (unsigned)((volatile uint8_t *)addr - m.pci.bar[4]);

	assert_ptr_equal(ctx, &m);
	m.stores++;
	if (m.gone)
		return;
	if (off >= DEVICE_AT && off < DEVICE_AT + sizeof(m.device_config)) {
		value = htole32(value);
		memcpy(m.device_config + off - DEVICE_AT, &value, width);
		return;
	}
	check_access(off, width, true, value);
	store_common(off, value);
}

static bool
is_there(void *ctx)
{
	assert_ptr_equal(ctx, &m);
	m.asked++;
	return !m.gone && !m.replaced;
}

static const struct vio_pci_access access_table = {
	.read_config = fake_read_config,
	.bar = fake_bar,
	.load = load,
	.store = store,
	.is_there = is_there,
};

static void
build(uint32_t common_len, uint32_t notify_len, uint32_t multiplier)
{
	struct pci_fake *f = &m.pci;

	fake_put16(fake_add_raw(f, 0x11, 12) + 2, N_VECTORS - 1);
	fake_add(f, (struct fake_cap){ .type = 1, .bar = 4, .length = common_len });
	fake_add(f, (struct fake_cap){ .type = 3, .bar = 4, .offset = ISR_AT, .length = 1 });
	fake_add(f, (struct fake_cap){ .type = 4, .bar = 4, .offset = DEVICE_AT, .length = 64 });
	fake_add(f, (struct fake_cap){ .type = 2,
				       .bar = 4,
				       .offset = NOTIFY_AT,
				       .length = notify_len,
				       .multiplier = multiplier });
}

static int
prepare(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	fake_init(&m.pci);
	m.features = 0x1234567889abcdef;
	m.num_queues = N_QUEUES;
	m.config_vector = 0xffff;
	for (unsigned i = 0; i < N_QUEUES; i++)
		m.queues[i] = (struct queue_regs){ .offered = 256,
						   .size = 256,
						   .vector = 0xffff,
						   .notify_off = (uint16_t)i,
						   .notif_data = (uint16_t)(0x70 + i) };
	t = NULL;
	return 0;
}

static void
open_device(void)
{
	assert_int_equal(vio_pci_modern_open(&access_table, &m, FAKE_NAME, &t), 0);
}

static int
setup(void **state)
{
	prepare(state);
	build(60, 64, 4);
	open_device();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (t != NULL)
		t->ops->close(t);
	fake_free(&m.pci);
	return m.violations == 0 ? 0 : -1;
}

static void
reopen(uint32_t common_len, uint32_t notify_len, uint32_t multiplier)
{
	t->ops->close(t);
	t = NULL;
	fake_free(&m.pci);
	fake_init(&m.pci);
	build(common_len, notify_len, multiplier);
	open_device();
}

static void
assert_logged(const char *what)
{
	if (strstr(fake_log, what) == NULL || strstr(fake_log, FAKE_NAME) == NULL)
		fail_msg("the log does not say \"%s\" of %s:\n%s", what, FAKE_NAME, fake_log);
}

static const struct vio_queue_conf conf = {
	.size = 256,
	.vector = 2,
	.desc_iova = 0x1111222233334000,
	.driver_iova = 0x4444555566667000,
	.device_iova = 0x7777888899990000,
};

static int
setup_queue(uint16_t queue, struct vio_notifier *notifier)
{
	return t->ops->queue_setup(t, queue, &conf, notifier);
}

static void
opening_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(m.stores, 0);
	assert_string_equal(t->name, FAKE_NAME);
	assert_int_equal(vio_pci_modern_vectors(t), N_VECTORS);
}

static void
status(void **state)
{
	uint8_t value;

	(void)state;
	assert_int_equal(t->ops->set_status(t, 0x0b), 0);
	assert_int_equal(m.status, 0x0b);
	assert_int_equal(t->ops->get_status(t, &value), 0);
	assert_int_equal(value, 0x0b);
}

static void
features_in_two_words(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(t->ops->get_features(t, &value), 0);
	assert_true(value == m.features);
	assert_int_equal(t->ops->set_features(t, 0x0234567089abcd00), 0);
	assert_true(m.driver_features == 0x0234567089abcd00);
}

/* PCI-COMMON-16: what has no register is neither offered nor accepted. */
static void
features_without_registers(void **state)
{
	const uint64_t ring_reset = VIO_BIT(VIRTIO_F_RING_RESET);
	const uint64_t config_data = VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA);
	const uint64_t data = VIO_BIT(VIRTIO_F_NOTIFICATION_DATA);
	uint64_t value;

	(void)state;
	m.features = UINT64_MAX;
	reopen(58, 64, 4);
	assert_int_equal(t->ops->get_features(t, &value), 0);
	assert_true(value == ~ring_reset);
	assert_logged("no room");
	assert_int_equal(t->ops->set_features(t, ring_reset), -EINVAL);
	reopen(56, 3, 0);
	assert_int_equal(t->ops->get_features(t, &value), 0);
	assert_true(value == ~(ring_reset | config_data | data));
	assert_int_equal(t->ops->set_features(t, data), -EINVAL);
}

/* PCI-ACC-01..03: each field by its width. */
static void
config_widths(void **state)
{
	uint8_t buf[8];

	(void)state;
	for (unsigned i = 0; i < sizeof(m.device_config); i++)
		m.device_config[i] = (uint8_t)(0x10 + i);
	assert_int_equal(t->ops->read_config(t, 0, buf, 6), 0); /* the MAC address */
	assert_memory_equal(buf, m.device_config, 6);
	assert_int_equal(m.device_loads[1], 6);
	assert_int_equal(t->ops->read_config(t, 6, buf, 2), 0); /* status */
	assert_memory_equal(buf, m.device_config + 6, 2);
	assert_int_equal(m.device_loads[2], 1);
	assert_int_equal(t->ops->read_config(t, 12, buf, 4), 0); /* speed */
	assert_memory_equal(buf, m.device_config + 12, 4);
	assert_int_equal(m.device_loads[4], 1);
	assert_int_equal(t->ops->read_config(t, 16, buf, 8), 0);
	assert_memory_equal(buf, m.device_config + 16, 8);
	assert_int_equal(m.device_loads[4], 3);
	assert_int_equal(t->ops->read_config(t, 18, buf, 4), 0); /* no field lies so */
	assert_int_equal(m.device_loads[1], 10);

	memcpy(buf, "abcdef", 6);
	assert_int_equal(t->ops->write_config(t, 2, buf, 2), 0);
	assert_int_equal(t->ops->write_config(t, 4, buf + 2, 4), 0);
	assert_memory_equal(m.device_config + 2, "abcdef", 6);
}

static void
config_bounds(void **state)
{
	uint8_t buf[8] = { 0 };

	(void)state;
	assert_int_equal(t->ops->read_config(t, 60, buf, 4), 0);
	assert_int_equal(t->ops->read_config(t, 61, buf, 4), -EINVAL);
	assert_int_equal(t->ops->read_config(t, 64, buf, 1), -EINVAL);
	assert_int_equal(t->ops->read_config(t, UINT32_MAX - 3, buf, 8), -EINVAL);
	assert_int_equal(t->ops->write_config(t, 61, buf, 4), -EINVAL);
}

static void
no_device_config(void **state)
{
	uint8_t buf[2];

	prepare(state);
	fake_add(&m.pci, (struct fake_cap){ .type = 1, .bar = 4 });
	fake_add(&m.pci, (struct fake_cap){ .type = 2, .bar = 4, .offset = NOTIFY_AT });
	open_device();
	assert_int_equal(t->ops->read_config(t, 6, buf, 2), -ENOTSUP);
	assert_int_equal(t->ops->write_config(t, 6, buf, 2), -ENOTSUP);
	assert_int_equal(vio_pci_modern_isr(t, buf), -ENOTSUP);
}

static void
generation(void **state)
{
	uint32_t value;

	(void)state;
	m.generation = 7;
	assert_int_equal(t->ops->get_generation(t, &value), 0);
	assert_int_equal(value, 7);
}

static void
queue_sizes(void **state)
{
	uint16_t size;

	(void)state;
	m.queues[1].size = 1000;
	assert_int_equal(t->ops->queue_max_size(t, 1, &size), 0);
	assert_int_equal(size, 1000);
	m.queues[2].size = 0;
	assert_int_equal(t->ops->queue_max_size(t, 2, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(t->ops->queue_max_size(t, N_QUEUES, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(m.queue_select, 2); /* never one that does not exist */
	m.queues[0].size = 32769;
	assert_int_equal(t->ops->queue_max_size(t, 0, &size), -EINVAL);
	assert_logged("32769");
}

static void
setup_programs_all(void **state)
{
	struct vio_notifier n;
	const uint32_t addr[] = { 0x33334000, 0x11112222, 0x66667000,
				  0x44445555, 0x99990000, 0x77778888 };

	(void)state;
	assert_int_equal(setup_queue(1, &n), 0);
	assert_memory_equal(m.queues[1].addr, addr, sizeof(addr));
	assert_int_equal(m.queues[1].vector, 2);
	assert_int_equal(m.queues[1].enable, 1);
	assert_int_equal(m.queues[0].enable, 0);
	assert_int_equal(m.size_stores, 0);
	assert_int_equal(m.notify_off_reads, 1);
	assert_int_equal(setup_queue(1, &n), -EBUSY); /* enabled already */
	assert_int_equal(setup_queue(N_QUEUES, &n), -EINVAL);
}

static void
fewer_descriptors(void **state)
{
	struct vio_queue_conf c = conf;
	struct vio_notifier n;

	(void)state;
	c.size = 64;
	assert_int_equal(t->ops->queue_setup(t, 0, &c, &n), 0);
	assert_int_equal(m.queues[0].size, 64);
	assert_int_equal(m.size_stores, 1);

	m.ignores_size = true;
	assert_int_equal(t->ops->queue_setup(t, 1, &c, &n), -EIO);
	assert_logged("asked for 64 descriptors, the device says 256");
	assert_int_equal(m.queues[1].enable, 0);
	c.size = 257;
	assert_int_equal(t->ops->queue_setup(t, 2, &c, &n), -EINVAL);
	assert_logged("257 descriptors asked, where the device offers 256");
	c.size = 0;
	assert_int_equal(t->ops->queue_setup(t, 2, &c, &n), -EINVAL);
	assert_int_equal(m.queues[2].enable, 0);
}

static void
vectors(void **state)
{
	struct vio_queue_conf c = conf;
	struct vio_notifier n;

	(void)state;
	c.vector = N_VECTORS;
	assert_int_equal(t->ops->queue_setup(t, 0, &c, &n), -EINVAL);
	c.vector = VIO_NO_VECTOR;
	assert_int_equal(t->ops->queue_setup(t, 0, &c, &n), 0);
	assert_int_equal(m.queues[0].vector, 0xffff);
	assert_int_equal(t->ops->config_vector(t, 3), 0);
	assert_int_equal(m.config_vector, 3);
	assert_int_equal(t->ops->config_vector(t, N_VECTORS), -EINVAL);

	m.no_vector_room = true;
	assert_int_equal(setup_queue(1, &n), -EBUSY);
	assert_logged("queue 1: the device has no room for vector 2");
	assert_int_equal(m.queues[1].enable, 0);
	assert_int_equal(t->ops->config_vector(t, 0), -EBUSY);
	assert_int_equal(t->ops->config_vector(t, VIO_NO_VECTOR), 0);
}

static void
enable_refused(void **state)
{
	struct vio_notifier n;

	(void)state;
	m.ignores_enable = true;
	assert_int_equal(setup_queue(0, &n), -EIO);
	assert_logged("did not enable");
}

static void
doorbell_of_16_bits(void **state)
{
	uint8_t *notify = m.pci.bar[4] + NOTIFY_AT;
	const uint8_t rung[8] = { 0, 0, 0, 0, 2, 0, 0, 0 };
	struct vio_notifier n;

	(void)state;
	m.queues[2].notify_off = 1;
	assert_int_equal(setup_queue(2, &n), 0);
	n.kick(&n, 0xffff);
	assert_memory_equal(notify, rung, sizeof(rung));
}

static void
doorbell_of_32_bits(void **state)
{
	uint8_t *notify = m.pci.bar[4] + NOTIFY_AT;
	const uint8_t rung[8] = { 0, 0, 0, 0, 1, 0, 0x34, 0x92 };
	struct vio_notifier n;

	(void)state;
	assert_int_equal(t->ops->set_features(t, VIO_BIT(VIRTIO_F_NOTIFICATION_DATA)), 0);
	assert_int_equal(setup_queue(1, &n), 0);
	n.kick(&n, 0x9234);
	assert_memory_equal(notify, rung, sizeof(rung));
}

/* PCI-NOTIF-07, -08 */
static void
doorbell_with_config_data(void **state)
{
	uint8_t *notify = m.pci.bar[4] + NOTIFY_AT;
	const uint8_t rung[12] = { 0, 0, 0, 0, 0x71, 0, 0, 0, 0x72, 0, 0x01, 0x80 };
	struct vio_notifier n;

	(void)state;
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA));
	assert_int_equal(setup_queue(1, &n), 0);
	n.kick(&n, 0);
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA) |
					VIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	assert_int_equal(setup_queue(2, &n), 0);
	n.kick(&n, 0x8001);
	assert_memory_equal(notify, rung, sizeof(rung));
}

/* PCI-NOTIF-02 */
static void
one_doorbell_for_all(void **state)
{
	struct vio_notifier a, b;

	(void)state;
	reopen(60, 2, 0);
	m.queues[1].notify_off = 0xffff;
	assert_int_equal(setup_queue(0, &a), 0);
	assert_int_equal(setup_queue(1, &b), 0);
	assert_ptr_equal(a.addr, b.addr);
	assert_ptr_equal((uint8_t *)(uintptr_t)a.addr, m.pci.bar[4] + NOTIFY_AT);
}

static void
doorbell_outside(void **state)
{
	struct vio_notifier n;

	(void)state;
	m.queues[0].notify_off = 15; /* the last of 64 bytes */
	assert_int_equal(setup_queue(0, &n), 0);
	m.queues[1].notify_off = 16;
	assert_int_equal(setup_queue(1, &n), -EINVAL);
	assert_logged("queue 1: doorbell at 0x40");
	assert_int_equal(m.queues[1].enable, 0);

	/* 63 bytes have room for 2 at 60, not for 4. */
	m.queues[0].enable = 0;
	reopen(60, 63, 4);
	assert_int_equal(setup_queue(0, &n), 0);
	m.queues[0].enable = 0;
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	assert_int_equal(setup_queue(0, &n), -EINVAL);

	/* A product that wraps in 32 bits, and then would be 0. */
	reopen(60, 64, 0x80000000);
	m.queues[1].notify_off = 2;
	assert_int_equal(setup_queue(1, &n), -EINVAL);
	assert_logged("0x100000000");
}

static void
doorbell_misaligned(void **state)
{
	struct vio_notifier n;

	(void)state;
	reopen(60, 64, 3);
	m.queues[1].notify_off = 1;
	assert_int_equal(setup_queue(1, &n), -EINVAL);
	assert_logged("not aligned");
	reopen(60, 64, 2);
	assert_int_equal(setup_queue(1, &n), 0);
	m.queues[1].enable = 0;
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	assert_int_equal(setup_queue(1, &n), -EINVAL);
}

static void
doorbell_that_moves(void **state)
{
	struct vio_notifier n;

	(void)state;
	assert_int_equal(setup_queue(1, &n), 0);
	m.queues[1].enable = 0;
	m.queues[1].notify_off = 2;
	assert_int_equal(setup_queue(1, &n), -EINVAL);
	assert_logged("queue_notify_off changed from 1 to 2");
	m.queues[1].notify_off = 1;
	assert_int_equal(setup_queue(1, &n), 0);
}

static void
queue_reset(void **state)
{
	struct vio_notifier n;

	(void)state;
	assert_int_equal(setup_queue(1, &n), 0);
	assert_int_equal(t->ops->queue_reset(t, 1), -ENOTSUP);
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_RING_RESET));
	m.reset_reads = 5;
	assert_int_equal(t->ops->queue_reset(t, 1), 0);
	assert_int_equal(m.reset_reads, 0);
	assert_int_equal(setup_queue(1, &n), 0);
	assert_int_equal(t->ops->queue_reset(t, N_QUEUES), -EINVAL);

	m.stays_enabled = true;
	assert_int_equal(t->ops->queue_reset(t, 1), -EIO);
	t->ops->set_status(t, 0); /* forgets what was negotiated */
	assert_int_equal(t->ops->queue_reset(t, 1), -ENOTSUP);
}

static void
queue_reset_is_bounded(void **state)
{
	(void)state;
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_RING_RESET));
	t->timeout_ms = 20;
	m.reset_reads = UINT32_MAX;
	assert_int_equal(t->ops->queue_reset(t, 1), -ETIMEDOUT);
	assert_logged("queue 1: the device did not reset it in 20 ms");
	m.gone_after_reads = 10;
	assert_int_equal(t->ops->queue_reset(t, 1), -ENODEV);
}

static void
isr(void **state)
{
	uint8_t value;

	(void)state;
	m.isr = 3;
	assert_int_equal(vio_pci_modern_isr(t, &value), 0);
	assert_int_equal(value, 3);
	m.gone = true;
	assert_int_equal(vio_pci_modern_isr(t, &value), -ENODEV);
}

/* Whatever a device that is no longer there is asked. */
static void
unplugged(void **state)
{
	struct vio_notifier n;
	uint64_t features;
	uint32_t gen;
	uint16_t size;
	uint8_t value, buf[6];

	(void)state;
	t->ops->set_features(t, VIO_BIT(VIRTIO_F_RING_RESET));
	m.gone = true;
	assert_int_equal(t->ops->get_status(t, &value), -ENODEV);
	assert_int_equal(t->ops->get_features(t, &features), -ENODEV);
	assert_int_equal(t->ops->get_generation(t, &gen), -ENODEV);
	assert_int_equal(t->ops->read_config(t, 0, buf, 6), -ENODEV);
	assert_int_equal(t->ops->read_config(t, 6, buf, 2), -ENODEV);
	assert_int_equal(t->ops->read_config(t, 12, buf, 4), -ENODEV);
	assert_int_equal(t->ops->queue_max_size(t, 0, &size), -ENODEV);
	assert_int_equal(setup_queue(0, &n), -ENODEV);
	assert_int_equal(t->ops->queue_reset(t, 0), -ENODEV);
	assert_int_equal(t->ops->config_vector(t, 0), -ENODEV);
}

/* Unplugged, and there is memory where its registers were. */
static void
replaced_by_memory(void **state)
{
	uint8_t status;

	(void)state;
	m.asked = 0;
	assert_int_equal(t->ops->set_status(t, 15), 0);
	assert_int_equal(t->ops->get_status(t, &status), 0);
	assert_int_equal(m.asked, 0); /* a status is answer enough */
	assert_int_equal(t->ops->set_status(t, 0), 0);
	assert_int_equal(t->ops->get_status(t, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(m.asked, 1);
	m.replaced = true;
	assert_int_equal(t->ops->get_status(t, &status), -ENODEV);
}

/* Unplugged at any load of a queue's setup. */
static void
unplugged_during_setup(void **state)
{
	struct vio_notifier n;
	unsigned after;
	int ret = -1;

	(void)state;
	for (after = 1; ret != 0 && after < 50; after++) {
		m.gone = false;
		m.queues[0].enable = 0;
		m.gone_after_reads = after;
		ret = setup_queue(0, &n);
		assert_true(ret == 0 || ret == -ENODEV);
	}
	assert_in_range(after, 5, 49);
}

static void
ones_that_are_no_end(void **state)
{
	uint8_t buf[6];
	uint32_t gen;

	(void)state;
	memset(m.device_config, 0xff, sizeof(m.device_config));
	m.generation = 0xff;
	assert_int_equal(t->ops->read_config(t, 12, buf, 4), 0);
	assert_int_equal(t->ops->get_generation(t, &gen), 0);
	assert_int_equal(gen, 0xff);
}

static void
opening_fails(void **state)
{
	prepare(state);
	fake_add_raw(&m.pci, 0x11, 12);
	assert_int_equal(vio_pci_modern_open(&access_table, &m, FAKE_NAME, &t), -ENOTSUP);
	build(40, 64, 4);
	assert_int_equal(vio_pci_modern_open(&access_table, &m, FAKE_NAME, &t), -EINVAL);
	fake_free(&m.pci);
	fake_init(&m.pci);
	build(60, 64, 4);
	m.gone = true; /* the BARs only */
	assert_int_equal(vio_pci_modern_open(&access_table, &m, FAKE_NAME, &t), -ENODEV);
	assert_logged("unplugged");
	assert_null(t);
}

/* Without hooks: registers are memory, little-endian. */
static void
plain_memory(void **state)
{
	const struct vio_pci_access plain = { .read_config = fake_read_config, .bar = fake_bar };
	uint8_t *bar = m.pci.bar[4];
	uint64_t features;
	uint16_t size;
	uint8_t buf[8];

	t->ops->close(t);
	assert_int_equal(vio_pci_modern_open(&plain, &m, FAKE_NAME, &t), 0);
	(void)state;
	fake_put16(bar + 0x12, 1);
	t->ops->close(t);
	assert_int_equal(vio_pci_modern_open(&plain, &m, FAKE_NAME, &t), 0);
	fake_put16(bar + 0x18, 0x0234);
	assert_int_equal(t->ops->queue_max_size(t, 0, &size), 0);
	assert_int_equal(size, 0x0234);
	fake_put32(bar + 0x04, 0x12345678);
	assert_int_equal(t->ops->get_features(t, &features), 0);
	assert_true(features == 0x1234567812345678);
	assert_int_equal(t->ops->set_features(t, UINT64_C(0x8877665500000000)), 0);
	assert_memory_equal(bar + 0x0c, "\x55\x66\x77\x88", 4);
	memcpy(bar + DEVICE_AT, "virtio-net", 10);
	assert_int_equal(t->ops->read_config(t, 0, buf, 8), 0);
	assert_memory_equal(buf, "virtio-n", 8);
	assert_int_equal(t->ops->set_status(t, 0x0f), 0);
	assert_int_equal(bar[0x14], 0x0f);
}

/* The number of queues is read again when features are chosen, in both directions. */
static void
queues_that_come_with_a_feature(void **state)
{
	uint16_t size;

	(void)state;
	t->ops->close(t);
	t = NULL;
	m.pairs_come_with_mq = true;
	open_device();
	assert_int_equal(t->ops->queue_max_size(t, N_QUEUES - 1, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(t->ops->set_features(t, VIO_BIT(VIRTIO_NET_F_MQ)), 0);
	assert_int_equal(t->ops->queue_max_size(t, N_QUEUES - 1, &size), 0);
	assert_int_equal(size, 256);
	assert_int_equal(t->ops->set_features(t, 0), 0);
	assert_int_equal(t->ops->queue_max_size(t, N_QUEUES - 1, &size), 0);
	assert_int_equal(size, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define BARE(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)
	const struct CMUnitTest tests[] = {
		TEST(queues_that_come_with_a_feature),
		TEST(opening_writes_nothing),
		TEST(status),
		TEST(features_in_two_words),
		TEST(features_without_registers),
		TEST(config_widths),
		TEST(config_bounds),
		BARE(no_device_config),
		TEST(generation),
		TEST(queue_sizes),
		TEST(setup_programs_all),
		TEST(fewer_descriptors),
		TEST(vectors),
		TEST(enable_refused),
		TEST(doorbell_of_16_bits),
		TEST(doorbell_of_32_bits),
		TEST(doorbell_with_config_data),
		TEST(one_doorbell_for_all),
		TEST(doorbell_outside),
		TEST(doorbell_misaligned),
		TEST(doorbell_that_moves),
		TEST(queue_reset),
		TEST(queue_reset_is_bounded),
		TEST(isr),
		TEST(unplugged),
		TEST(replaced_by_memory),
		TEST(unplugged_during_setup),
		TEST(ones_that_are_no_end),
		BARE(opening_fails),
		TEST(plain_memory),
	};
#undef TEST
#undef BARE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
