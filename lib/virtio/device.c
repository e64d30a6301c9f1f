/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "features.h"
#include "log.h"

static void
sleep_us(long us)
{
	struct timespec time = { .tv_nsec = us * 1000 };

	nanosleep(&time, NULL);
}

void
vio_device_init(struct vio_device *device, struct vio_transport *transport)
{
	*device = (struct vio_device){
		.transport = transport,
		.reset_timeout_ms = VIO_TIMEOUT_MS,
	};
}

void
vio_device_begin_many(struct vio_device *device)
{
	struct vio_transport *t = device->transport;
	uint64_t end = vio_now_ms() + (uint64_t)VIO_MANY * t->timeout_ms;

	__atomic_store_n(&t->many_end, end, __ATOMIC_RELAXED);
}

void
vio_device_end_many(struct vio_device *device)
{
	__atomic_store_n(&device->transport->many_end, 0, __ATOMIC_RELAXED);
}

/* Bits are only ever added, but by a reset (GEN-STATUS-02). */
static int
add_status(struct vio_device *device, uint8_t bit)
{
	struct vio_transport *t = device->transport;
	int ret = t->ops->set_status(t, device->status | bit);

	if (ret == 0)
		device->status |= bit;
	return ret;
}

/* Passes ret on, and tells the device where it is an error. */
static int
checked(struct vio_device *device, int ret)
{
	if (ret < 0)
		vio_device_fail(device);
	return ret;
}

void
vio_device_fail(struct vio_device *device)
{
	/* After a reset that did not end, nothing may be written before it has (RESET-01); after
	 * FAILED, nothing but a reset (GEN-STATUS-03). */
	if (device->status == 0 || device->status & VIO_STATUS_FAILED)
		return;
	add_status(device, VIO_STATUS_FAILED);
}

int
vio_device_reset(struct vio_device *device)
{
	struct vio_transport *t = device->transport;
	uint64_t deadline = vio_now_ms() + device->reset_timeout_ms;
	uint8_t status;
	int ret;

	device->status = 0;
	device->features = 0;
	device->told_changing = false;
	ret = t->ops->set_status(t, 0);
	if (ret < 0)
		return ret;
	for (;;) {
		bool late = vio_now_ms() >= deadline;

		ret = t->ops->get_status(t, &status);
		if (ret < 0)
			return ret;
		if (status == 0)
			return 0;
		if (late)
			break;
		sleep_us(100);
	}
	vio_err("%s: reset did not finish in %u ms (status is 0x%02x); the device is not usable",
		t->name, device->reset_timeout_ms, status);
	return -ETIMEDOUT;
}

int
vio_device_begin(struct vio_device *device)
{
	struct vio_transport *t = device->transport;
	int ret;

	ret = vio_device_reset(device);
	if (ret < 0)
		return ret;
	ret = add_status(device, VIO_STATUS_ACKNOWLEDGE);
	if (ret < 0)
		return checked(device, ret);
	ret = add_status(device, VIO_STATUS_DRIVER);
	if (ret < 0)
		return checked(device, ret);
	return checked(device, t->ops->get_features(t, &device->offered));
}

static void
tell_dropped(const struct vio_transport *t, uint64_t dropped)
{
	char text[512];

	if (dropped != 0)
		vio_warn("%s: offers %s without what they need; not used", t->name,
			 vio_features_text(dropped, text, sizeof(text)));
}

static int
confirm_features(struct vio_device *device)
{
	struct vio_transport *t = device->transport;
	char text[512];
	uint8_t status;
	int ret;

	ret = t->ops->get_status(t, &status);
	if (ret < 0)
		return ret;
	if (status & VIO_STATUS_FEATURES_OK)
		return 0;
	vio_err("%s: the device refuses the features %s (FEATURES_OK did not stay); decline some "
		"by "
		"devargs",
		t->name, vio_features_text(device->features, text, sizeof(text)));
	return -EPROTO;
}

int
vio_device_negotiate(struct vio_device *device, uint64_t wanted)
{
	struct vio_transport *t = device->transport;
	/* A modern device is driven as one, whatever else is wanted (RSVD-01); a legacy one in any
	 * layout, if it can (RSVD-LEG-01). */
	uint64_t always = VIO_BIT(t->ops->legacy ? VIRTIO_F_ANY_LAYOUT : VIRTIO_F_VERSION_1);
	uint64_t common = device->offered & (wanted | always);
	uint64_t granted = 0;
	int ret;

	if (!t->ops->legacy && !vio_has(device->offered, VIRTIO_F_VERSION_1)) {
		vio_err("%s: the device offers no VERSION_1 on its modern interface; it is not "
			"usable",
			t->name);
		return checked(device, -ENOTSUP);
	}
	/* A transport that sets queue pairs itself stands in for the control queue that MQ needs.
	 */
	if (t->ops->set_queue_pairs != NULL)
		granted = VIO_BIT(VIRTIO_NET_F_CTRL_VQ);
	device->features = vio_features_closed(common | granted) & common;
	tell_dropped(t, common & ~device->features);
	ret = t->ops->set_features(t, device->features);
	/* A legacy device knows no FEATURES_OK, and refuses nothing (INIT-LEG-01). */
	if (t->ops->legacy)
		return checked(device, ret);
	if (ret == 0)
		ret = add_status(device, VIO_STATUS_FEATURES_OK);
	if (ret == 0)
		ret = confirm_features(device);
	return checked(device, ret);
}

int
vio_device_go(struct vio_device *device)
{
	return checked(device, add_status(device, VIO_STATUS_DRIVER_OK));
}

int
vio_device_needs_reset(struct vio_device *device)
{
	struct vio_transport *t = device->transport;
	uint8_t status;
	int ret = t->ops->get_status(t, &status);

	if (ret < 0)
		return ret;
	/* Somebody has reset a device that was live: the kernel, or an IOMMU's error handling. */
	if ((device->status & VIO_STATUS_DRIVER_OK) && !(status & VIO_STATUS_DRIVER_OK))
		return 1;
	return !!(status & VIO_STATUS_NEEDS_RESET);
}

bool
vio_device_is_gone(struct vio_device *device)
{
	struct vio_transport *t = device->transport;
	struct pollfd peer = { .events = POLLRDHUP };
	uint8_t status;

	if (t->ops->event_fd == NULL)
		return t->ops->get_status(t, &status) == -ENODEV;
	peer.fd = t->ops->event_fd(t);
	return peer.fd < 0 || poll(&peer, 1, 0) > 0;
}

/* Told once: a link is looked at again and again. */
static int
always_changing(struct vio_device *device)
{
	if (!device->told_changing)
		vio_err("%s: the configuration changed during each of %d reads; the device is not "
			"usable",
			device->transport->name, VIO_CONFIG_TRIES);
	device->told_changing = true;
	return -EAGAIN;
}

/* Without a generation a value counts that was read twice in a row (CFG-LEG-02). */
static int
read_until_same(struct vio_device *device, uint32_t offset, void *buf, uint32_t len)
{
	struct vio_transport *t = device->transport;
	uint8_t again[VIO_CONFIG_FIELD_MAX];
	int ret;

	if (len > sizeof(again))
		return -EINVAL;
	ret = t->ops->read_config(t, offset, buf, len);
	for (unsigned i = 0; i < VIO_CONFIG_TRIES; i++) {
		if (ret == 0)
			ret = t->ops->read_config(t, offset, again, len);
		if (ret < 0)
			return ret;
		if (memcmp(buf, again, len) == 0)
			return 0;
		memcpy(buf, again, len);
	}
	return always_changing(device);
}

int
vio_config_read(struct vio_device *device, uint32_t offset, void *buf, uint32_t len)
{
	struct vio_transport *t = device->transport;
	uint32_t before, after;
	int ret;

	if (t->ops->get_generation == NULL)
		return read_until_same(device, offset, buf, len);
	for (unsigned i = 0; i < VIO_CONFIG_TRIES; i++) {
		ret = t->ops->get_generation(t, &before);
		if (ret == 0)
			ret = t->ops->read_config(t, offset, buf, len);
		if (ret == 0)
			ret = t->ops->get_generation(t, &after);
		if (ret < 0)
			return ret;
		if (before == after)
			return 0;
	}
	return always_changing(device);
}
