/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header's registers are little-endian, and each is accessed by its width. The device-specific
 * configuration behind it is in the guest's byte order (CFG-LEG-01), as are rings and headers of
 * packets; only CPUs where that is the same are served. A device that was unplugged reads as all
 * ones; where that is no answer, or a doubtful one, the status register decides.
 */
#include "pci_legacy.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pci_config.h"

/* The ports (spec 4.1.4.10, "Legacy Interfaces: A Note on PCI Device Layout"). */
enum {
	DEVICE_FEATURES = 0x00,
	DRIVER_FEATURES = 0x04,
	QUEUE_ADDRESS = 0x08,
	QUEUE_SIZE = 0x0c,
	QUEUE_SELECT = 0x0e,
	QUEUE_NOTIFY = 0x10,
	DEVICE_STATUS = 0x12,
	ISR_STATUS = 0x13,
	/* From here on: these two while MSI-X is on, then the configuration (PCILEG-04, -06). */
	HEADER_END = 0x14,
	CONFIG_MSIX_VECTOR = 0x14,
	QUEUE_MSIX_VECTOR = 0x16,
	HEADER_END_MSIX = 0x18,
};

enum {
	PAGE = 4096, /* Queue Align, and the unit of QUEUE_ADDRESS */
	QUEUE_SIZE_MAX = 32768,
	STATUS_GONE = 0xff,
	/* In MSI-X's message control: the second byte of that word. */
	MSIX_CONTROL_HIGH = 3,
	MSIX_ON = 0x80,
};

struct legacy {
	struct vio_transport base;
	const struct vio_pci_access *access;
	void *ctx;
	uint32_t len;             /* of the BAR */
	struct vio_pci_caps caps; /* of which MSI-X counts here */
};

static struct legacy *
of(struct vio_transport *t)
{
	return (struct legacy *)t;
}

static uint32_t
get(const struct legacy *l, uint32_t port, unsigned width)
{
	return l->access->in(l->ctx, port, width) & (UINT32_MAX >> (32 - 8 * width));
}

static void
put(const struct legacy *l, uint32_t port, uint32_t value, unsigned width)
{
	l->access->out(l->ctx, port, value, width);
}

static bool
gone(const struct legacy *l)
{
	return get(l, DEVICE_STATUS, 1) == STATUS_GONE;
}

/* What an operation returns after the device gave an answer that fails it: a device that is gone
 * gives every wrong answer. */
static int
failed(const struct legacy *l, int error)
{
	return gone(l) ? -ENODEV : error;
}

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	*status = (uint8_t)get(of(t), DEVICE_STATUS, 1);
	return *status == STATUS_GONE ? -ENODEV : 0;
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	put(of(t), DEVICE_STATUS, status, 1);
	return 0;
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	*features = get(of(t), DEVICE_FEATURES, 4);
	return *features == UINT32_MAX ? failed(of(t), 0) : 0;
}

/* PCILEG-07: there are no more than 32. */
static int
set_features(struct vio_transport *t, uint64_t features)
{
	if (features > UINT32_MAX)
		return -EINVAL;
	put(of(t), DRIVER_FEATURES, (uint32_t)features, 4);
	return 0;
}

/* Whoever switches MSI-X on or off moves the configuration, so this is asked each time. */
static int
msix_is_on(const struct legacy *l, bool *on)
{
	uint8_t control;
	int ret;

	*on = false;
	if (l->caps.msix_at == 0)
		return 0;
	ret = l->access->read_config(l->ctx, l->caps.msix_at + MSIX_CONTROL_HIGH, &control, 1);
	if (ret < 0) {
		vio_err("%s: reading whether MSI-X is on failed: %s", l->base.name, strerror(-ret));
		return ret;
	}
	*on = control & MSIX_ON;
	return 0;
}

struct config {
	const struct legacy *l;
	uint32_t port;
};

/* Where in the ports the configuration begins, of which there are offset and len bytes. */
static int
find_config(const struct legacy *l, uint32_t offset, uint32_t len, struct config *config)
{
	bool msix;
	int ret = msix_is_on(l, &msix);

	if (ret < 0)
		return ret;
	*config = (struct config){ .l = l, .port = msix ? HEADER_END_MSIX : HEADER_END };
	return (uint64_t)config->port + offset + len > l->len ? -EINVAL : 0;
}

static uint32_t
load_config(void *ctx, uint32_t offset, unsigned width)
{
	const struct config *config = ctx;

	return get(config->l, config->port + offset, width);
}

static void
store_config(void *ctx, uint32_t offset, uint32_t value, unsigned width)
{
	const struct config *config = ctx;

	put(config->l, config->port + offset, value, width);
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct config config;
	int ret = find_config(of(t), offset, len, &config);

	if (ret < 0)
		return ret;
	return vio_pci_config_get(load_config, &config, offset, buf, len) ? failed(of(t), 0) : 0;
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	struct config config;
	int ret = find_config(of(t), offset, len, &config);

	if (ret == 0)
		vio_pci_config_put(store_config, &config, offset, buf, len);
	return ret;
}

/* The device alone chooses the size (SPLIT-LEG-01); rings are split ones. */
static int
queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	struct legacy *l = of(t);

	put(l, QUEUE_SELECT, queue, 2);
	*size = (uint16_t)get(l, QUEUE_SIZE, 2);
	if (*size <= QUEUE_SIZE_MAX && (*size & (*size - 1)) == 0)
		return 0;
	if (gone(l))
		return -ENODEV;
	vio_err("%s: queue %u: the device has %u descriptors, where only a power of two up to %u "
		"can be; it is not usable",
		t->name, queue, *size, QUEUE_SIZE_MAX);
	return -EINVAL;
}

/* The write leaves for the kernel or the bus after every store to the ring before it. */
static void
kick(const struct vio_notifier *n, uint16_t next)
{
	const struct legacy *l = (const struct legacy *)n->addr;

	(void)next;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	put(l, QUEUE_NOTIFY, n->value, 2);
}

/* PCI-MSIX-04, -05. who is what asks, for messages. The registers are only there with MSI-X on. */
static int
write_vector(const struct legacy *l, uint32_t port, uint16_t vector, const char *who)
{
	uint16_t taken;
	bool msix;
	int ret = msix_is_on(l, &msix);

	if (ret < 0)
		return ret;
	if (!msix && vector == VIO_NO_VECTOR)
		return 0;
	if (!msix || (vector != VIO_NO_VECTOR && vector >= l->caps.msix_entries)) {
		vio_err("%s: %s: vector %u asked, where the device has %u MSI-X vectors%s",
			l->base.name, who, vector, l->caps.msix_entries,
			msix ? "" : " and they are off");
		return -EINVAL;
	}
	put(l, port, vector, 2);
	taken = (uint16_t)get(l, port, 2);
	if (taken == vector)
		return vector == VIO_NO_VECTOR ? failed(l, 0) : 0;
	if (gone(l))
		return -ENODEV;
	vio_warn("%s: %s: the device has no room for vector %u (it says 0x%x)", l->base.name, who,
		 vector, taken);
	return -EBUSY;
}

/* SPLIT-LEG-03: the device is told of the first area, and takes the others to follow like this. */
static bool
is_legacy_layout(const struct vio_queue_conf *conf)
{
	uint64_t driver = conf->desc_iova + UINT64_C(16) * conf->size;
	uint64_t driver_end = driver + 2 * (UINT64_C(3) + conf->size);

	return conf->desc_iova % PAGE == 0 && conf->driver_iova == driver &&
	       conf->device_iova == (driver_end + PAGE - 1) / PAGE * PAGE;
}

static int
check_queue(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf)
{
	uint16_t size;
	int ret = queue_max_size(t, queue, &size);

	if (ret < 0)
		return ret;
	if (size == 0 || size != conf->size) {
		vio_err("%s: queue %u: %u descriptors asked, the legacy device has %u and no other "
			"number",
			t->name, queue, conf->size, size);
		return -EINVAL;
	}
	if (!is_legacy_layout(conf))
		return -EINVAL;
	if (conf->desc_iova / PAGE > UINT32_MAX) {
		vio_err("%s: queue %u: its address 0x%" PRIx64 " is beyond the 44 bits that a "
			"legacy device understands; run with --iova-mode=pa",
			t->name, queue, conf->desc_iova);
		return -ERANGE;
	}
	if (get(of(t), QUEUE_ADDRESS, 4) != 0)
		return failed(of(t), -EBUSY);
	return 0;
}

static int
queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
	    struct vio_notifier *notifier)
{
	struct legacy *l = of(t);
	uint32_t pfn = (uint32_t)(conf->desc_iova / PAGE);
	char who[sizeof("queue 65535")];
	int ret;

	ret = check_queue(t, queue, conf);
	if (ret < 0)
		return ret;
	snprintf(who, sizeof(who), "queue %u", queue);
	ret = write_vector(l, QUEUE_MSIX_VECTOR, conf->vector, who);
	if (ret < 0)
		return ret;
	put(l, QUEUE_ADDRESS, pfn, 4);
	if (get(l, QUEUE_ADDRESS, 4) != pfn) {
		vio_err("%s: queue %u: the device did not take the ring's address", t->name, queue);
		return failed(l, -EIO);
	}
	*notifier = (struct vio_notifier){ .kick = kick, .addr = l, .fd = -1, .value = queue };
	return 0;
}

static int
queue_reset(struct vio_transport *t, uint16_t queue)
{
	(void)t;
	(void)queue;
	return -ENOTSUP;
}

static int
config_vector(struct vio_transport *t, uint16_t vector)
{
	return write_vector(of(t), CONFIG_MSIX_VECTOR, vector, "configuration changes");
}

static int
read_isr(struct vio_transport *t, uint8_t *isr)
{
	*isr = (uint8_t)get(of(t), ISR_STATUS, 1);
	return *isr == UINT8_MAX ? failed(of(t), 0) : 0;
}

static void
close_legacy(struct vio_transport *t)
{
	free(of(t));
}

static const struct vio_transport_ops legacy_ops = {
	.name = "legacy PCI",
	.legacy = true,
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max_size = queue_max_size,
	.queue_setup = queue_setup,
	.queue_reset = queue_reset,
	.config_vector = config_vector,
	.read_isr = read_isr,
	.close = close_legacy,
};

int
vio_pci_legacy_open(const struct vio_pci_access *access, void *ctx, uint32_t len, const char *name,
		    struct vio_transport **out)
{
	struct legacy *l;
	int ret;

	if (access->in == NULL || access->out == NULL || htole16(1) != 1)
		return -ENOTSUP;
	if (len < HEADER_END_MSIX) {
		vio_err("%s: BAR 0 has %u I/O ports, where a legacy device has at least %u; it is "
			"not usable",
			name, len, (unsigned)HEADER_END_MSIX);
		return -EINVAL;
	}
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		vio_err("%s: no memory for the device", name);
		return -ENOMEM;
	}
	l->base = (struct vio_transport){ .ops = &legacy_ops, .name = name };
	l->access = access;
	l->ctx = ctx;
	l->len = len;
	ret = vio_pci_caps_read_msix(access, ctx, name, &l->caps);
	if (ret == 0 && gone(l)) {
		vio_err("%s: the device does not answer: unplugged?", name);
		ret = -ENODEV;
	}
	if (ret < 0) {
		free(l);
		return ret;
	}
	*out = &l->base;
	return 0;
}

uint16_t
vio_pci_legacy_vectors(const struct vio_transport *t)
{
	return ((const struct legacy *)t)->caps.msix_entries;
}
