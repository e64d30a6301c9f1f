/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * null_device: a vhost-user network device that completes every descriptor at once and does nothing
 * else. Receive buffers come back as frames of a fixed length whose bytes are whatever lay there,
 * transmitted ones vanish. What is measured against it is the driver.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_vhost.h>

#include "device.h"

#define FRAME_DEFAULT 60
#define FRAME_MAX     9216
#define BATCH_DEFAULT 64
#define BATCH_MAX     32768
#define SERVING_LCORE 1

#define BIT(feature) (UINT64_C(1) << (feature))

/* Checksums and segmentation as one switch each way: a driver takes of them what it wants. */
#define GUEST_OFFLOADS \
	(BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6))
#define HOST_OFFLOADS \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6))

static const struct {
	const char *name;
	uint64_t bits;
	bool offered; /* unless --no-NAME says otherwise */
} features[] = {
	{ "packed", BIT(VIRTIO_F_RING_PACKED), true },
	{ "mergeable", BIT(VIRTIO_NET_F_MRG_RXBUF), true },
	{ "in-order", BIT(VIRTIO_F_IN_ORDER), true },
	{ "indirect", BIT(VIRTIO_RING_F_INDIRECT_DESC), true },
	{ "event-idx", BIT(VIRTIO_RING_F_EVENT_IDX), false },
	{ "guest-offloads", GUEST_OFFLOADS, false },
	{ "host-offloads", HOST_OFFLOADS, false },
};

#define N_FEATURES (sizeof(features) / sizeof(features[0]))
#define ALWAYS     (BIT(VIRTIO_F_VERSION_1) | BIT(VHOST_USER_F_PROTOCOL_FEATURES))

struct options {
	struct device_params device;
	unsigned cpu;
};

static void
usage(FILE *out)
{
	fprintf(out,
		"usage: null_device --socket FILE [OPTION...]\n"
		"  --socket FILE    where to listen\n"
		"  --cpu N          the CPU that serves the rings (0)\n"
		"  --size N         bytes of each received frame (%d)\n"
		"  --batch N        buffers of one queue before it is the next one's turn (%d)\n"
		"  --touch WHAT     at least: ring (the default), desc (read each buffer's first\n"
		"                   descriptor), header (and write the header of received "
		"frames);\n"
		"                   mergeable buffers always have their header written\n"
		"  --shuffle        use buffers out of order; offers no in-order\n"
		"features, each with --NAME to offer it and --no-NAME not to:\n ",
		FRAME_DEFAULT, BATCH_DEFAULT);
	for (size_t i = 0; i < N_FEATURES; i++)
		fprintf(out, " %s%s", features[i].name, features[i].offered ? " (on)" : "");
	fprintf(out, "\nIt ends with SIGINT or SIGTERM, and then says what it did.\n");
}

static unsigned
number(const char *option, const char *text, unsigned least, unsigned most)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
		fprintf(stderr, "null_device: --%s %s: expected a number from %u to %u\n", option,
			text, least, most);
		exit(2);
	}
	return value;
}

static enum touch
touch(const char *text)
{
	static const char *const names[N_TOUCH] = { "ring", "desc", "header" };

	for (int i = 0; i < N_TOUCH; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	fprintf(stderr, "null_device: --touch %s: expected ring, desc or header\n", text);
	exit(2);
}

enum { OPT_SOCKET, OPT_CPU, OPT_SIZE, OPT_BATCH, OPT_TOUCH, OPT_SHUFFLE, OPT_HELP, OPT_FEATURE };

static const struct option plain_options[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "batch", required_argument, NULL, OPT_BATCH },
	{ "touch", required_argument, NULL, OPT_TOUCH },
	{ "shuffle", no_argument, NULL, OPT_SHUFFLE },
	{ "help", no_argument, NULL, OPT_HELP },
};

#define N_PLAIN (sizeof(plain_options) / sizeof(plain_options[0]))

/* The plain options, then --NAME and --no-NAME of each feature: OPT_FEATURE + 2 * index + no. */
static struct option *
all_options(void)
{
	struct option *all = calloc(N_PLAIN + 2 * N_FEATURES + 1, sizeof(*all));
	static char refused[N_FEATURES][32];

	if (all == NULL)
		exit(1);
	memcpy(all, plain_options, sizeof(plain_options));
	for (size_t i = 0; i < N_FEATURES; i++) {
		struct option *two = &all[N_PLAIN + 2 * i];

		snprintf(refused[i], sizeof(refused[i]), "no-%s", features[i].name);
		two[0] = (struct option){ features[i].name, no_argument, NULL,
					  OPT_FEATURE + 2 * i };
		two[1] = (struct option){ refused[i], no_argument, NULL, OPT_FEATURE + 2 * i + 1 };
	}
	return all;
}

static void
take_option(struct options *options, int option)
{
	struct device_params *device = &options->device;

	switch (option) {
	case OPT_SOCKET:
		device->socket = optarg;
		break;
	case OPT_CPU:
		options->cpu = number("cpu", optarg, 0, RTE_MAX_LCORE - 1);
		break;
	case OPT_SIZE:
		device->frame = number("size", optarg, 14, FRAME_MAX);
		break;
	case OPT_BATCH:
		device->batch = number("batch", optarg, 1, BATCH_MAX);
		break;
	case OPT_TOUCH:
		device->touch = touch(optarg);
		break;
	case OPT_SHUFFLE:
		device->shuffle = true;
		break;
	case OPT_HELP:
		usage(stdout);
		exit(0);
	default:
		usage(stderr);
		exit(2);
	}
}

static void
parse(int argc, char **argv, struct options *options)
{
	struct option *all = all_options();
	uint64_t *offered = &options->device.features;
	int option;

	*options = (struct options){
		.device = { .features = ALWAYS, .frame = FRAME_DEFAULT, .batch = BATCH_DEFAULT }
	};
	for (size_t i = 0; i < N_FEATURES; i++)
		*offered |= features[i].offered ? features[i].bits : 0;
	while ((option = getopt_long(argc, argv, "", all, NULL)) != -1) {
		if (option < OPT_FEATURE || option == '?')
			take_option(options, option);
		else if ((option - OPT_FEATURE) % 2 == 0)
			*offered |= features[(option - OPT_FEATURE) / 2].bits;
		else
			*offered &= ~features[(option - OPT_FEATURE) / 2].bits;
	}
	free(all);
	if (options->device.socket == NULL || optind < argc) {
		usage(stderr);
		exit(2);
	}
	if (options->device.shuffle)
		*offered &= ~BIT(VIRTIO_F_IN_ORDER);
}

/* The rings lie in the driver's memory, so this process needs no hugepages of its own. */
static void
start_eal(char *name, unsigned cpu)
{
	char lcores[64];
	char *argv[] = { name,
			 "--no-huge",
			 "-m",
			 "64",
			 "--no-pci",
			 "--no-shconf",
			 "--lcores",
			 lcores,
			 "--no-telemetry",
			 "--log-level",
			 "lib.vhost*:error" };

	snprintf(lcores, sizeof(lcores), "0@%u,%d@%u", cpu, SERVING_LCORE, cpu);
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0) {
		fprintf(stderr, "null_device: EAL does not start; is there a CPU %u?\n", cpu);
		exit(1);
	}
}

static void
wait_for_end(const sigset_t *signals)
{
	int got;

	while (sigwait(signals, &got) != 0)
		;
}

int
main(int argc, char **argv)
{
	struct options options;
	uint64_t received, transmitted;
	sigset_t signals;

	parse(argc, argv, &options);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Before any thread, so that they all leave these signals to the main one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);

	start_eal(argv[0], options.cpu);
	if (rte_eal_remote_launch(device_serve, NULL, SERVING_LCORE) < 0 ||
	    device_start(&options.device) < 0)
		return 1;
	printf("listening %s\n", options.device.socket);
	wait_for_end(&signals);
	device_stop();
	device_end();
	rte_eal_wait_lcore(SERVING_LCORE);
	device_completed(&received, &transmitted);
	printf("received %" PRIu64 " transmitted %" PRIu64 "\n", received, transmitted);
	rte_eal_cleanup();
	return 0;
}
