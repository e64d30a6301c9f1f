/* SPDX-License-Identifier: BSD-3-Clause */
#include "devargs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_kvargs.h>

#include "virtio/device.h"
#include "virtio/vhost_user.h"
#include "log.h"
#include "recover.h"
#include "simd.h"

/* Each handler gets the value and where it goes, and returns what it would have accepted, or NULL
 * if it accepted the value. */
typedef const char *(*handler)(const char *value, void *out);

static const char *
read_number(const char *value, unsigned long least, unsigned long most, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(value, &end, 0);
	if (errno != 0 || end == value || *end != '\0' || value[0] == '-' || *out < least ||
	    *out > most)
		return "out of range";
	return NULL;
}

static const char *
read_bool(const char *value, void *out)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return "0 or 1";
	*(bool *)out = value[0] == '1';
	return NULL;
}

static const char *
read_unused_bool(const char *value, void *out)
{
	RTE_SET_USED(out);
	return strcmp(value, "0") == 0 || strcmp(value, "1") == 0 ? NULL : "0 or 1";
}

static const char *
read_ignored_bool(const char *value, void *out)
{
	if (read_unused_bool(value, out) != NULL)
		return "0 or 1";
	VIO_LOG(NOTICE,
		"vectorized=%s is ignored: the fastest path that fits is always chosen; "
		"simd=scalar forces the plain one",
		value);
	return NULL;
}

static const char *
read_simd(const char *value, void *out)
{
	unsigned *simd = out;

	for (*simd = VQ_SIMD_NONE; *simd < VQ_SIMD_COUNT; (*simd)++)
		if (strcmp(value, vq_simd_name(*simd)) == 0)
			return NULL;
	if (strcmp(value, "auto") != 0)
		return "auto, scalar, words, avx2, avx512 or neon";
	*simd = VIO_SIMD_AUTO;
	return NULL;
}

static const char *
read_speed(const char *value, void *out)
{
	unsigned long speed;

	if (read_number(value, 1, INT32_MAX, &speed) != NULL)
		return "a speed in Mbit/s, from 1 to 2147483647";
	*(uint32_t *)out = speed;
	return NULL;
}

static const char *
read_timeout(const char *value, void *out)
{
	unsigned long ms;

	if (read_number(value, 1, 600000, &ms) != NULL)
		return "milliseconds, from 1 to 600000";
	*(uint32_t *)out = ms;
	return NULL;
}

static const char *
read_recover(const char *value, void *out)
{
	uint8_t *mode = out;

	if (strcmp(value, "auto") == 0)
		*mode = VIO_RECOVER_AUTO;
	else if (strcmp(value, "manual") == 0)
		*mode = VIO_RECOVER_MANUAL;
	else
		return "auto or manual";
	return NULL;
}

static const char *
read_tries(const char *value, void *out)
{
	unsigned long n;

	if (read_number(value, 0, 1000000, &n) != NULL)
		return "a number of tries, from 0 to 1000000";
	*(uint32_t *)out = n;
	return NULL;
}

static const char *
read_coalesce(const char *value, void *out)
{
	struct vio_args *args = out;
	unsigned usecs, packets;
	char end;

	if (strspn(value, "0123456789:") != strlen(value) ||
	    sscanf(value, "%7u:%7u%c", &usecs, &packets, &end) != 2 || usecs > 1000000 ||
	    packets > 32768)
		return "microseconds (up to 1000000) and packets (up to 32768), such as 50:32";
	args->coalesce.given = true;
	args->coalesce.usecs = usecs;
	args->coalesce.packets = packets;
	return NULL;
}

static const char *
read_path(const char *value, void *out)
{
	if (value[0] == '\0')
		return "the path of a socket";
	if (strlen(value) >= sizeof(((struct vio_args *)NULL)->path))
		return "a path of at most 107 bytes";
	strcpy(out, value);
	return NULL;
}

static const char *
read_mac(const char *value, void *out)
{
	struct vio_args *args = out;

	if (rte_ether_unformat_addr(value, &args->mac) != 0 ||
	    !rte_is_valid_assigned_ether_addr(&args->mac))
		return "a unicast MAC address such as 02:00:00:00:00:01";
	args->has_mac = true;
	return NULL;
}

static const char *
read_queues(const char *value, void *out)
{
	unsigned long n;

	if (read_number(value, 1, VIO_VHOST_USER_PAIRS_MAX, &n) != NULL)
		return "a number of queue pairs, from 1 to 128";
	*(uint16_t *)out = n;
	return NULL;
}

static const char *
read_queue_size(const char *value, void *out)
{
	unsigned long n;

	if (read_number(value, 1, VQ_SIZE_MAX, &n) != NULL)
		return "a number of descriptors, from 1 to 32768";
	*(uint16_t *)out = n;
	return NULL;
}

struct argument {
	const char *key;
	handler read;
	size_t offset;
	enum { ANY, PCI, USER } of;
};

static const struct argument arguments[] = {
	{ "mrg_rxbuf", read_bool, offsetof(struct vio_args, mrg_rxbuf), ANY },
	{ "in_order", read_bool, offsetof(struct vio_args, in_order), ANY },
	{ "packed_vq", read_bool, offsetof(struct vio_args, packed_vq), ANY },
	{ "event_idx", read_bool, offsetof(struct vio_args, event_idx), ANY },
	{ "ptypes", read_bool, offsetof(struct vio_args, ptypes), ANY },
	{ "lro_udp", read_bool, offsetof(struct vio_args, lro_udp), ANY },
	{ "legacy", read_bool, offsetof(struct vio_args, legacy), PCI },
	{ "speed", read_speed, offsetof(struct vio_args, speed), ANY },
	{ "simd", read_simd, offsetof(struct vio_args, simd), ANY },
	{ "coalesce", read_coalesce, 0, ANY },
	{ "timeout", read_timeout, offsetof(struct vio_args, timeout_ms), ANY },
	{ "recover", read_recover, offsetof(struct vio_args, recover), ANY },
	{ "recover_tries", read_tries, offsetof(struct vio_args, recover_tries), ANY },
	{ "path", read_path, offsetof(struct vio_args, path), USER },
	{ "mac", read_mac, 0, USER },
	{ "cq", read_unused_bool, 0, USER },
	{ "queues", read_queues, offsetof(struct vio_args, queues), USER },
	{ "queue_size", read_queue_size, offsetof(struct vio_args, queue_size), USER },
	{ "server", read_bool, offsetof(struct vio_args, server), USER },
	{ "reconnect", read_timeout, offsetof(struct vio_args, reconnect_ms), USER },
	{ "vectorized", read_ignored_bool, 0, ANY },
};

struct reading {
	const char *name;
	struct vio_args *args;
	bool user;
};

static bool
is_of(const struct argument *argument, bool user)
{
	return argument->of == ANY || (argument->of == USER) == user;
}

/* All valid keys in one line, for messages. */
static const char *
list_keys(bool user)
{
	static char text[256];
	size_t at = 0;

	for (size_t i = 0; i < RTE_DIM(arguments); i++)
		if (is_of(&arguments[i], user))
			at += snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? ", " : "",
				       arguments[i].key);
	return text;
}

static int
read_one(const char *key, const char *value, void *opaque)
{
	struct reading *reading = opaque;

	for (size_t i = 0; i < RTE_DIM(arguments); i++) {
		const struct argument *argument = &arguments[i];
		const char *expected;

		if (strcmp(argument->key, key) != 0 || !is_of(argument, reading->user))
			continue;
		expected = argument->read(value != NULL ? value : "",
					  (char *)reading->args + argument->offset);
		if (expected == NULL)
			return 0;
		VIO_LOG(ERR, "%s: devarg %s=%s is not valid: expected %s", reading->name, key,
			value != NULL ? value : "", expected);
		return -EINVAL;
	}
	VIO_LOG(ERR, "%s: unknown devarg '%s'; valid ones are: %s", reading->name, key,
		list_keys(reading->user));
	return -EINVAL;
}

static int
parse(const char *name, const char *text, bool user, struct vio_args *args)
{
	struct reading reading = { .name = name, .args = args, .user = user };
	struct rte_kvargs *kvargs;
	int ret;

	if (text == NULL || text[0] == '\0')
		return 0;
	kvargs = rte_kvargs_parse(text, NULL);
	if (kvargs == NULL) {
		VIO_LOG(ERR, "%s: devargs '%s' are malformed: expected key=value,... of: %s", name,
			text, list_keys(user));
		return -EINVAL;
	}
	ret = rte_kvargs_process(kvargs, NULL, read_one, &reading);
	rte_kvargs_free(kvargs);
	return ret < 0 ? -EINVAL : 0;
}

int
vio_args_parse_pci(const char *name, const char *text, struct vio_args *args)
{
	*args = (struct vio_args){
		.mrg_rxbuf = true,
		.in_order = true,
		.event_idx = true,
		.packed_vq = true,
		.simd = VIO_SIMD_AUTO,
		.timeout_ms = VIO_TIMEOUT_MS,
		.recover = VIO_RECOVER_AUTO,
		.recover_tries = VIO_RECOVER_TRIES,
	};
	return parse(name, text, false, args);
}

/* The defaults are those of net_virtio_user, so that its users get what they know. */
int
vio_args_parse_user(const char *name, const char *text, struct vio_args *args)
{
	*args = (struct vio_args){
		.mrg_rxbuf = true,
		.in_order = true,
		.event_idx = true,
		.packed_vq = false,
		.simd = VIO_SIMD_AUTO,
		.timeout_ms = VIO_TIMEOUT_MS,
		.recover = VIO_RECOVER_AUTO,
		.recover_tries = VIO_RECOVER_TRIES,
		.queues = 1,
		.queue_size = VIO_VHOST_USER_QUEUE_SIZE,
	};
	if (parse(name, text, true, args) < 0)
		return -EINVAL;
	if (args->server && args->reconnect_ms == 0)
		args->reconnect_ms = VIO_RECOVER_PEER_MS;
	if (args->path[0] == '\0') {
		VIO_LOG(ERR,
			"%s: no path; give the vhost-user socket: --vdev %s,path=/run/vhost0.sock",
			name, name);
		return -EINVAL;
	}
	if (!args->packed_vq && (args->queue_size & (args->queue_size - 1)) != 0) {
		VIO_LOG(ERR,
			"%s: queue_size=%u is not a power of two, as split rings demand; choose "
			"one, or "
			"packed_vq=1",
			name, args->queue_size);
		return -EINVAL;
	}
	return 0;
}
