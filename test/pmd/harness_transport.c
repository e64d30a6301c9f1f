/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands between the driver and the device's transport, where each operation may be made to fail.
 */
#include "harness_parts.h"

#include "inject.h"

static struct harness *
of(struct vio_transport *t)
{
	return (struct harness *)((char *)t - offsetof(struct harness, transport));
}

/* Whether this operation is to fail. With -ENODEV, the device goes at that moment. */
static bool
fails(struct harness *h, const char *what)
{
	h->transport_calls++;
	if (h->on_call != NULL)
		h->on_call(h);
	if (!inject_now(what))
		return false;
	if (inject_error == -ENODEV)
		device_unplug(h->dev);
	return true;
}

/* The operation goes to the device's transport, or fails without a look at the device. */
#define HAND_ON(t, op, ...)                                                                  \
	do {                                                                                 \
		struct vio_transport *inner = device_transport(of(t)->dev);                  \
                                                                                             \
		return fails(of(t), "transport: " #op) ? inject_error                        \
						       : inner->ops->op(inner, __VA_ARGS__); \
	} while (0)

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	HAND_ON(t, get_status, status);
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	HAND_ON(t, set_status, status);
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	HAND_ON(t, get_features, features);
}

static int
set_features(struct vio_transport *t, uint64_t features)
{
	HAND_ON(t, set_features, features);
}

static int
get_generation(struct vio_transport *t, uint32_t *generation)
{
	HAND_ON(t, get_generation, generation);
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	HAND_ON(t, read_config, offset, buf, len);
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	HAND_ON(t, write_config, offset, buf, len);
}

static int
queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	HAND_ON(t, queue_max_size, queue, size);
}

static int
queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
	    struct vio_notifier *notifier)
{
	HAND_ON(t, queue_setup, queue, conf, notifier);
}

static int
queue_reset(struct vio_transport *t, uint16_t queue)
{
	HAND_ON(t, queue_reset, queue);
}

static int
config_vector(struct vio_transport *t, uint16_t vector)
{
	HAND_ON(t, config_vector, vector);
}

static void
close_transport(struct vio_transport *t)
{
	struct vio_transport *inner = device_transport(of(t)->dev);

	inner->ops->close(inner);
}

static const struct vio_transport_ops ops = {
	.name = "device model",
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_generation = get_generation,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max_size = queue_max_size,
	.queue_setup = queue_setup,
	.queue_reset = queue_reset,
	.config_vector = config_vector,
	.close = close_transport,
};

/* The model has no legacy interface. What a driver does not say by that, and how it lays out rings,
 * is all that differs for it. */
static int
legacy_set_features(struct vio_transport *t, uint64_t features)
{
	struct vio_transport *inner = device_transport(of(t)->dev);
	uint8_t status;
	int ret = set_features(t, features);

	if (ret == 0)
		ret = inner->ops->get_status(inner, &status);
	if (ret == 0)
		ret = inner->ops->set_status(inner, status | DEVICE_S_FEATURES_OK);
	return ret == 0 ? inner->ops->get_status(inner, &status) : ret;
}

static int
legacy_set_status(struct vio_transport *t, uint8_t status)
{
	return set_status(t, status | (device_status(of(t)->dev) & DEVICE_S_FEATURES_OK && status
					       ? DEVICE_S_FEATURES_OK
					       : 0));
}

void
transport_wrap(struct harness *h, bool legacy)
{
	static struct vio_transport_ops legacy_ops;

	legacy_ops = ops;
	legacy_ops.legacy = true;
	legacy_ops.set_features = legacy_set_features;
	legacy_ops.set_status = legacy_set_status;
	h->transport = (struct vio_transport){ .ops = legacy ? &legacy_ops : &ops,
					       .name = "model0" };
}
