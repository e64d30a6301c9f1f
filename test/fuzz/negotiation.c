/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Status, features and configuration over a transport that answers anything: the device's life as
 * far as no ring is needed. What must hold: the order of spec 3.1.1; no feature without the one
 * that it needs; configuration of one generation; every wait ends.
 */
#include <errno.h>

#include "clock.h"
#include "input.h"
#include "virtio/device.h"
#include "virtio/features.h"

enum { TIMEOUT_MS = 3, CONFIG_MAX = 64, NO_STATUS = 0x100 };

struct device {
	struct vio_transport base;
	struct input *in;
	struct vio_device dev;
	/* What it has said and been told. */
	unsigned said_status; /* NO_STATUS: the read failed */
	unsigned told_status; /* NO_STATUS: nothing yet */
	bool told_failed;     /* VIO_STATUS_FAILED was set since the operation began */
	bool lost;            /* a write of the status failed since */
	uint64_t said_features;
	uint64_t told_features;
	unsigned features_told;     /* how often, since the last reset */
	uint32_t generations[2];    /* the last two */
	uint8_t config[CONFIG_MAX]; /* as read last */
	unsigned calls;             /* since the operation began */
	uint8_t stuck;              /* status that it shows until the operation ends; 0: not */
	bool unsettled;             /* the generation moves until then */
	enum { NOWHERE, BEGUN, AGREED } stage; /* how far the life has come without an error */
};

/* Spec 5.1.3.1: the bit, and those of which it needs at least one. A bit can stand twice. */
static const struct need {
	uint8_t bit;
	uint64_t any;
} needs[] = {
	{ 2, 1 << 17 },
	{ 7, 1 << 1 },
	{ 8, 1 << 1 },
	{ 9, 1 << 7 | 1 << 8 },
	{ 10, 1 << 1 },
	{ 11, 1 << 0 },
	{ 12, 1 << 0 },
	{ 13, 1 << 11 | 1 << 12 },
	{ 14, 1 << 0 },
	{ 18, 1 << 17 },
	{ 19, 1 << 17 },
	{ 20, 1 << 17 },
	{ 21, 1 << 17 },
	{ 22, 1 << 17 },
	{ 23, 1 << 17 },
	{ 51, 1 << 17 },
	{ 51, UINT64_C(1) << 57 | UINT64_C(1) << 60 },
	{ 52, 1 << 17 },
	{ 53, 1 << 17 },
	{ 54, 1 << 1 },
	{ 55, 1 << 1 },
	{ 56, 1 << 0 },
	{ 57, 1 << 17 },
	{ 60, 1 << 17 },
	{ 61, 1 << 11 | 1 << 12 },
};

static struct device *
of(struct vio_transport *t)
{
	return (struct device *)t;
}

/* Some operations fail, all of them when the device is gone. */
static int
outcome(struct device *d)
{
	uint8_t kind = take8(d->in);

	must(++d->calls <= 2 * (10 * TIMEOUT_MS + 10) + 4 * VIO_CONFIG_TRIES, "every wait ends");
	if (kind < 240)
		return 0;
	return kind < 248 ? -ENODEV : -EIO;
}

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	struct device *d = of(t);
	int ret = outcome(d);
	uint8_t kind = take8(d->in);

	if (kind >= 250)
		d->stuck = take8(d->in);
	*status = d->stuck != 0 ? d->stuck
		  : kind < 200  ? (uint8_t)(d->told_status & 0xff)
				: take8(d->in);
	d->said_status = ret == 0 ? *status : NO_STATUS;
	return ret;
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	struct device *d = of(t);
	int ret = outcome(d);

	if (d->told_status != NO_STATUS && status != 0)
		must((status & d->told_status) == d->told_status,
		     "no bit of the status is cleared");
	must(d->told_status != NO_STATUS || status == 0, "a device is reset first");
	d->told_failed |= !!(status & VIO_STATUS_FAILED);
	d->lost |= ret < 0;
	if (ret == 0)
		d->told_status = status;
	if (status == 0)
		d->features_told = 0;
	return ret;
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	struct device *d = of(t);

	*features = take64(d->in);
	if (take8(d->in) < 200)
		*features |= VIO_BIT(VIRTIO_F_VERSION_1);
	d->said_features = *features;
	return outcome(d);
}

static int
set_features(struct vio_transport *t, uint64_t features)
{
	struct device *d = of(t);

	d->told_features = features;
	d->features_told++;
	return outcome(d);
}

static int
get_generation(struct vio_transport *t, uint32_t *generation)
{
	struct device *d = of(t);
	uint8_t kind;

	d->generations[0] = d->generations[1];
	kind = take8(d->in);
	d->unsettled |= kind >= 250;
	if (d->unsettled)
		d->generations[1]++;
	else if (kind & 1)
		d->generations[1] = take8(d->in);
	*generation = d->generations[1];
	return outcome(d);
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct device *d = of(t);

	if ((uint64_t)offset + len > CONFIG_MAX)
		return -EINVAL;
	take_bytes(d->in, buf, len);
	memcpy(d->config, buf, len);
	return outcome(d);
}

static int
set_queue_pairs(struct vio_transport *t, uint16_t pairs)
{
	(void)pairs;
	return outcome(of(t));
}

static const struct vio_transport_ops ops = {
	.name = "fuzz",
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_generation = get_generation,
	.read_config = read_config,
};
static struct vio_transport_ops ops_with_pairs;

static void
check_features(const struct device *d, uint64_t wanted)
{
	uint64_t features = d->dev.features, granted = 0;

	if (d->base.ops->set_queue_pairs != NULL) /* stands in for the control queue */
		granted = VIO_BIT(VIRTIO_NET_F_CTRL_VQ);
	must(features == d->told_features && d->features_told >= 1, "the device was told them");
	must((features & ~d->dev.offered) == 0, "they were offered");
	must((features & ~wanted & ~VIO_BIT(VIRTIO_F_VERSION_1)) == 0, "and wanted");
	must(vio_has(features, VIRTIO_F_VERSION_1), "a modern device is driven as one");
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		must(!(features >> needs[i].bit & 1) || (features | granted) & needs[i].any,
		     "none lacks what it needs");
	must(d->said_status & VIO_STATUS_FEATURES_OK && d->said_status != NO_STATUS,
	     "the device agreed");
}

static void
check_failure(const struct device *d)
{
	must(d->told_failed || d->lost, "the device is told that the driver has given up");
}

static void
begin(struct device *d)
{
	int ret = vio_device_begin(&d->dev);

	must(ret <= 0, "an error is negative");
	d->stage = ret == 0 ? BEGUN : NOWHERE;
	if (ret == 0) {
		must(d->told_status == (VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER),
		     "the device was noticed, and has a driver");
		must(d->dev.offered == d->said_features, "its offer is remembered");
		must(d->dev.features == 0, "nothing is negotiated yet");
	}
}

static void
negotiate(struct device *d, struct input *in)
{
	uint64_t wanted = take8(in) < 128 ? UINT64_MAX : take64(in);
	int ret;

	if (d->stage != BEGUN)
		return;
	ret = vio_device_negotiate(&d->dev, wanted);
	d->stage = ret == 0 ? AGREED : NOWHERE;
	must(ret <= 0, "an error is negative");
	if (ret == 0)
		check_features(d, wanted);
	else
		check_failure(d);
}

static void
reset(struct device *d)
{
	int ret = vio_device_reset(&d->dev);

	d->stage = NOWHERE;
	must(ret <= 0, "an error is negative");
	must(ret != 0 || d->said_status == 0, "a reset is done when the status reads 0");
	must(d->dev.features == 0 && d->dev.status == 0, "nothing is left of what was agreed");
}

static void
config(struct device *d, struct input *in)
{
	uint32_t offset = take8(in) % 80, len = take8(in) % 9;
	uint8_t buf[8];
	int ret = vio_config_read(&d->dev, offset, buf, len);

	must(ret <= 0, "an error is negative");
	if (ret != 0)
		return;
	must(d->generations[0] == d->generations[1], "all bytes are of one generation");
	must(memcmp(buf, d->config, len) == 0, "and as read last");
}

static void
go(struct device *d)
{
	int ret;

	if (d->stage != AGREED)
		return;
	ret = vio_device_go(&d->dev);
	d->stage = NOWHERE;
	if (ret == 0)
		must(d->told_status & VIO_STATUS_DRIVER_OK, "a live device knows it");
	else
		check_failure(d);
}

static void
turn(struct device *d, struct input *in)
{
	d->calls = 0;
	d->told_failed = d->lost = false;
	d->stuck = 0;
	d->unsettled = false;
	switch (take8(in) % 7) {
	case 0:
	case 1:
		begin(d);
		break;
	case 2:
	case 3:
		negotiate(d, in);
		break;
	case 4:
		config(d, in);
		break;
	case 5:
		reset(d);
		break;
	default:
		go(d);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct device d = { .in = &in, .told_status = NO_STATUS };
	char text[64];

	clock_restart();
	ops_with_pairs = ops;
	ops_with_pairs.set_queue_pairs = set_queue_pairs;
	d.base = (struct vio_transport){
		.ops = take8(&in) & 1 ? &ops_with_pairs : &ops,
		.name = "fuzz",
		.timeout_ms = TIMEOUT_MS,
	};
	vio_device_init(&d.dev, &d.base);
	d.dev.reset_timeout_ms = TIMEOUT_MS;
	while (in.left > 0)
		turn(&d, &in);
	must(strlen(vio_features_text(d.told_features, text, sizeof(text))) < sizeof(text),
	     "a text of features ends");
	return 0;
}
