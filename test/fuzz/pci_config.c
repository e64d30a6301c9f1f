/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The modern PCI transport, and a device's life over it, where each register reads as the driver
 * left it, or as anything. What must hold: every access is to a register, of its width; doorbells
 * ring inside the notification structure; whatever is returned is 0 or an errno value; and each
 * operation ends, by a clock that only the driver's own looks move.
 */
#include <errno.h>

#include "clock.h"
#include "pci.h"
#include "virtio/device.h"
#include "virtio/features.h"
#include "virtio/pci_modern.h"

enum { QUEUES = 8, TIMEOUT_MS = 3, REGISTERS = 0x40 };
enum { DEVICE_FEATURE_SELECT = 0x00, DEVICE_FEATURE = 0x04, NUM_QUEUES = 0x12, STATUS = 0x14 };
enum { QUEUE_SIZE = 0x18, NOTIFY_OFF = 0x1e };

/* The width of the register at each offset of the common configuration; 0: none begins there. */
static const uint8_t widths[REGISTERS] = {
	[0x00] = 4, [0x04] = 4, [0x08] = 4, [0x0c] = 4, [0x10] = 2, [0x12] = 2, [0x14] = 1,
	[0x15] = 1, [0x16] = 2, [0x18] = 2, [0x1a] = 2, [0x1c] = 2, [0x1e] = 2, [0x20] = 4,
	[0x24] = 4, [0x28] = 4, [0x2c] = 4, [0x30] = 4, [0x34] = 4, [0x38] = 2, [0x3a] = 2,
};

struct device {
	struct pci pci; /* first: the transport's ctx is both */
	struct vio_pci_caps caps;
	uint8_t registers[REGISTERS];
	uint64_t features;
	unsigned loads; /* since the operation began */
	void *doorbell[QUEUES];
	struct vio_transport *t;
	struct vio_device dev;
};

static bool
is_in(const struct vio_pci_region *region, const volatile void *addr, unsigned width)
{
	uintptr_t at = (uintptr_t)addr, from = (uintptr_t)region->addr;

	return from != 0 && at >= from && at + width <= from + region->len;
}

/* The offset of a register of the common configuration, or REGISTERS for what is none. Structures
 * may overlap. */
static size_t
register_at(const struct device *d, const volatile void *addr, unsigned width)
{
	size_t at = (uintptr_t)addr - (uintptr_t)d->caps.common.addr;

	return is_in(&d->caps.common, addr, width) && at + width <= REGISTERS ? at : REGISTERS;
}

static void
check_access(const struct device *d, const volatile void *addr, unsigned width)
{
	size_t at = register_at(d, addr, width);

	must((uintptr_t)addr % width == 0, "an access is aligned");
	if (at < REGISTERS && widths[at] == width)
		return;
	must(is_in(&d->caps.device, addr, width) || is_in(&d->caps.isr, addr, width),
	     "every access is to a register, of its width");
}

static uint32_t
honest(const struct device *d, size_t at, unsigned width)
{
	uint32_t value = 0, select;

	memcpy(&value, d->registers + at, width);
	memcpy(&select, d->registers + DEVICE_FEATURE_SELECT, sizeof(select));
	if (at == DEVICE_FEATURE)
		value = (uint32_t)(d->features >> (select == 0 ? 0 : 32));
	return value;
}

static uint32_t
load(void *ctx, const volatile void *addr, unsigned width)
{
	struct device *d = ctx;
	uint8_t kind = take8(d->pci.in);
	size_t at = register_at(d, addr, width);
	uint32_t value;

	check_access(d, addr, width);
	/* The longest waits sleep 100 us between looks of three loads at most. */
	must(++d->loads <= 4 * (10 * TIMEOUT_MS + 10) + 8 * VIO_CONFIG_TRIES + 65536,
	     "each operation ends");
	if (at < REGISTERS && kind < 224)
		return honest(d, at, width);
	value = kind == 0xff ? UINT32_MAX : take32(d->pci.in);
	return value & UINT32_MAX >> (32 - 8 * width);
}

static void
store(void *ctx, volatile void *addr, uint32_t value, unsigned width)
{
	struct device *d = ctx;
	size_t at = register_at(d, addr, width);

	check_access(d, addr, width);
	if (at < REGISTERS)
		memcpy(d->registers + at, &value, width);
}

static const struct vio_pci_access access_table = {
	.read_config = pci_read_config,
	.bar = pci_bar,
	.load = load,
	.store = store,
};

static void
check_errno(int ret)
{
	must(ret <= 0 && ret > -4096, "an operation returns 0 or an errno value");
}

static void
queue_setup(struct device *d, struct input *in)
{
	uint16_t queue = take8(in) % QUEUES, size = 0;
	struct vio_queue_conf conf = { .vector = take8(in) < 128 ? VIO_NO_VECTOR : take8(in) % 6 };
	struct vio_notifier notifier = { 0 };
	unsigned width;
	int ret = d->t->ops->queue_max_size(d->t, queue, &size);

	check_errno(ret);
	must(ret != 0 || size <= 32768, "no queue is larger than the largest");
	conf.size = ret == 0 ? size : take16(in);
	conf.desc_iova = take64(in);
	ret = d->t->ops->queue_setup(d->t, queue, &conf, &notifier);
	check_errno(ret);
	if (ret != 0)
		return;
	must(conf.size > 0, "no queue is empty");
	width = vio_has(d->dev.features, VIRTIO_F_NOTIFICATION_DATA) ? 4 : 2;
	must(is_in(&d->caps.notify, notifier.addr, width), "a doorbell is where doorbells are");
	must((uintptr_t)notifier.addr % width == 0, "and aligned");
	must(d->doorbell[queue] == NULL || d->doorbell[queue] == (void *)(uintptr_t)notifier.addr,
	     "and stays where it was");
	d->doorbell[queue] = (void *)(uintptr_t)notifier.addr;
	notifier.kick(&notifier, take16(in));
}

static void
config_access(struct device *d, struct input *in)
{
	uint32_t offset = take8(in) < 200 ? take8(in) : take32(in), len = take8(in) % 72;
	uint8_t *buf = malloc(len + 1); /* at least 1 */
	int ret;

	memset(buf, 0, len + 1);
	if (take8(in) & 1)
		ret = d->t->ops->write_config(d->t, offset, buf, len);
	else
		ret = vio_config_read(&d->dev, offset, buf, len);
	check_errno(ret);
	must(ret != 0 || (uint64_t)offset + len <= d->caps.device.len,
	     "configuration is read inside its structure");
	free(buf);
}

static void
negotiate(struct device *d, struct input *in)
{
	uint64_t wanted = take8(in) < 128 ? UINT64_MAX : take64(in);

	check_errno(vio_device_negotiate(&d->dev, wanted));
	must((d->dev.features & ~d->dev.offered) == 0, "no feature is taken that was not offered");
}

static void
life(struct device *d, struct input *in)
{
	uint32_t generation;
	uint8_t byte;
	int ret;

	switch (take8(in) % 10) {
	case 0:
		ret = vio_device_begin(&d->dev);
		break;
	case 1:
		ret = vio_device_go(&d->dev);
		break;
	case 2:
		ret = vio_device_reset(&d->dev);
		break;
	case 3:
		ret = vio_device_needs_reset(&d->dev);
		ret = ret == 1 ? 0 : ret;
		break;
	case 4:
		ret = d->t->ops->queue_reset(d->t, take8(in));
		break;
	case 5:
		ret = d->t->ops->config_vector(d->t, take8(in));
		break;
	case 6:
		ret = vio_pci_modern_isr(d->t, &byte);
		break;
	case 7:
		ret = d->t->ops->get_generation(d->t, &generation);
		break;
	default:
		negotiate(d, in);
		return;
	}
	check_errno(ret);
}

static void
registers_init(struct device *d, struct input *in)
{
	uint16_t queues = take8(in) % (QUEUES + 1), size = 1u << (take8(in) % 16);

	d->features = VIO_BIT(VIRTIO_F_VERSION_1) | take64(in);
	memcpy(d->registers + NUM_QUEUES, &queues, sizeof(queues));
	memcpy(d->registers + QUEUE_SIZE, &size, sizeof(size));
	d->registers[NOTIFY_OFF] = take8(in) % 70;
}

static int
open_device(struct device *d, struct input *in)
{
	static const struct vio_pci_access walk = { .read_config = pci_read_config,
						    .bar = pci_bar };
	int ret;

	pci_init(&d->pci, in);
	d->pci.steady = true; /* so that both walks see the same */
	ret = vio_pci_caps_read(&walk, &d->pci, "fuzz", &d->caps);
	pci_check_caps(&d->pci, ret, &d->caps);
	d->pci.reads = 0;
	if (ret != 0)
		return ret;
	registers_init(d, in);
	return vio_pci_modern_open(&access_table, d, "fuzz", &d->t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct device d = { 0 };

	clock_restart();
	if (open_device(&d, &in) == 0) {
		must(vio_pci_modern_vectors(d.t) <= 2048, "no MSI-X table is longer");
		d.t->timeout_ms = TIMEOUT_MS;
		vio_device_init(&d.dev, d.t);
		d.dev.reset_timeout_ms = TIMEOUT_MS;
		while (in.left > 0) {
			uint8_t turn = take8(&in) % 8;

			d.loads = 0;
			if (turn < 3)
				queue_setup(&d, &in);
			else if (turn < 5)
				config_access(&d, &in);
			else
				life(&d, &in);
		}
		d.t->ops->close(d.t);
	}
	pci_free(&d.pci);
	return 0;
}
