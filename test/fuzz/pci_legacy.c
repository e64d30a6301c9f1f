/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The legacy PCI transport, and a device's life over it, where each port reads as the driver left
 * it, or as anything, and MSI-X goes on and off. What must hold: every access is to a register, of
 * its width, or to the configuration behind the header; a queue has a size that one can have;
 * whatever is returned is 0 or an errno value; and each operation ends, by a clock that only the
 * driver's own looks move.
 */
#include <errno.h>

#include "clock.h"
#include "pci.h"
#include "virtio/device.h"
#include "virtio/features.h"
#include "virtio/pci_legacy.h"

enum { TIMEOUT_MS = 3, PORTS = 256, HEADER_END = 0x14, HEADER_END_MSIX = 0x18 };
enum { FEATURES = 0x00, QUEUE_ADDRESS = 0x08, QUEUE_SIZE = 0x0c, MSIX_AT = 0x40 };

/* The width of the register at each port of the header; 0: none begins there. */
static const uint8_t widths[HEADER_END_MSIX] = {
	[0x00] = 4, [0x04] = 4, [0x08] = 4, [0x0c] = 2, [0x0e] = 2,
	[0x10] = 2, [0x12] = 1, [0x13] = 1, [0x14] = 2, [0x16] = 2,
};

struct device {
	struct input *in;
	uint8_t config[256];
	uint8_t ports[PORTS];
	unsigned loads; /* since the operation began */
	struct vio_transport *t;
	struct vio_device dev;
};

static int
read_config(void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	struct device *d = ctx;
	uint8_t kind = take8(d->in);

	must((uint64_t)offset + len <= sizeof(d->config), "reads stay in the space");
	if (kind == 0xff)
		return -EIO;
	d->config[MSIX_AT + 3] = kind; /* on, off, and how long the table is */
	memcpy(buf, d->config + offset, len);
	return 0;
}

static int
no_bar(void *ctx, unsigned bar, void **addr, uint64_t *len)
{
	(void)ctx;
	(void)bar;
	(void)addr;
	(void)len;
	return -ENOENT;
}

/* The header ends where MSI-X says, so its last two registers can be configuration too. */
static void
check_access(uint32_t port, unsigned width)
{
	must(width == 1 || width == 2 || width == 4, "an access has a width");
	must((uint64_t)port + width <= PORTS, "every access is to the ports");
	must(port >= HEADER_END || widths[port] == width, "and in the header to a register");
}

static uint32_t
port_in(void *ctx, uint32_t port, unsigned width)
{
	struct device *d = ctx;
	uint8_t kind = take8(d->in);
	uint32_t value = 0;

	check_access(port, width);
	must(++d->loads <= 4 * (10 * TIMEOUT_MS + 10) + 65 * (VIO_CONFIG_TRIES + 1) + 65536,
	     "each operation ends");
	memcpy(&value, d->ports + port, width);
	if (kind == 0xff)
		return UINT32_MAX; /* more than the width has, as a careless access() may */
	return kind < 224 ? value : take32(d->in);
}

static void
port_out(void *ctx, uint32_t port, uint32_t value, unsigned width)
{
	struct device *d = ctx;

	check_access(port, width);
	must(port != FEATURES && port != QUEUE_SIZE, "what is only read is not written");
	memcpy(d->ports + port, &value, width);
}

static const struct vio_pci_access access_table = {
	.read_config = read_config,
	.bar = no_bar,
	.in = port_in,
	.out = port_out,
};

static void
check_errno(int ret)
{
	must(ret <= 0 && ret > -4096, "an operation returns 0 or an errno value");
}

static void
queue_setup(struct device *d)
{
	struct vio_queue_conf conf = { .vector = take8(d->in) < 128 ? VIO_NO_VECTOR : 1 };
	struct vio_notifier notifier = { 0 };
	uint16_t queue = take16(d->in), size = 0;
	uint64_t used;
	int ret = d->t->ops->queue_max_size(d->t, queue, &size);

	check_errno(ret);
	must(ret != 0 || (size <= 32768 && (size & (size - 1)) == 0), "a queue can be as large");
	conf.size = size;
	conf.desc_iova = take64(d->in) & ~UINT64_C(0xfff);
	conf.driver_iova = conf.desc_iova + UINT64_C(16) * size;
	used = conf.driver_iova + 6 + UINT64_C(2) * size;
	conf.device_iova = (used + 4095) / 4096 * 4096;
	memset(d->ports + QUEUE_ADDRESS, 0, take8(d->in) & 1 ? 4 : 0);
	ret = d->t->ops->queue_setup(d->t, queue, &conf, &notifier);
	check_errno(ret);
	if (ret != 0)
		return;
	must(conf.size > 0 && conf.desc_iova < UINT64_C(1) << 44, "a ring is one that can be told");
	notifier.kick(&notifier, take16(d->in));
}

static void
config_access(struct device *d)
{
	uint32_t offset = take8(d->in) < 200 ? take8(d->in) : take32(d->in);
	uint32_t len = take8(d->in) % 72;
	uint8_t *buf = calloc(1, len + 1); /* at least 1 */

	if (take8(d->in) & 1)
		check_errno(d->t->ops->write_config(d->t, offset, buf, len));
	else
		check_errno(vio_config_read(&d->dev, offset, buf, len));
	free(buf);
}

static void
life(struct device *d)
{
	uint8_t byte;
	int ret = 0;

	switch (take8(d->in) % 6) {
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
		ret = d->t->ops->config_vector(d->t, take8(d->in));
		break;
	case 4:
		ret = d->t->ops->read_isr(d->t, &byte);
		break;
	default:
		ret = vio_device_negotiate(&d->dev, take64(d->in));
		must((d->dev.features & ~d->dev.offered) == 0, "nothing is taken unoffered");
		must(d->dev.features <= UINT32_MAX, "and nothing beyond 32 bits");
	}
	check_errno(ret);
}

static int
open_device(struct device *d)
{
	d->config[0] = 0xf4;
	d->config[1] = 0x1a;
	d->config[6] = 0x10;
	d->config[0x34] = MSIX_AT;
	d->config[MSIX_AT] = take8(d->in) & 1 ? 0x11 : 0;
	d->config[MSIX_AT + 2] = take8(d->in);
	take_bytes(d->in, d->ports, HEADER_END);
	return vio_pci_legacy_open(&access_table, d, sizeof(d->ports), "fuzz", &d->t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct device d = { .in = &in };
	int ret;

	clock_restart();
	ret = open_device(&d);
	check_errno(ret);
	if (ret != 0)
		return 0;
	must(vio_pci_legacy_vectors(d.t) <= 2048, "no MSI-X table is longer");
	d.t->timeout_ms = TIMEOUT_MS;
	vio_device_init(&d.dev, d.t);
	d.dev.reset_timeout_ms = TIMEOUT_MS;
	while (in.left > 0) {
		uint8_t turn = take8(&in) % 8;

		d.loads = 0;
		if (turn < 3)
			queue_setup(&d);
		else if (turn < 5)
			config_access(&d);
		else
			life(&d);
	}
	d.t->ops->close(d.t);
	return 0;
}
