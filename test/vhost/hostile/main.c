/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostile: a vhost-user network device that moves frames honestly and then, once, does what no
 * device may. Frames go to the driver, which is expected to send them back (dpdk-testpmd:
 * --port-topology=loop, io mode); each that returns is compared.
 *
 * What it does stands in JSON lines on stdout. A line on stdin asks for its counters; "lie" makes
 * it lie at once, "rest" and "go" stop its frames and let them go on.
 */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lies.h"
#include "report.h"

#define AFTER_DEFAULT 500
#define WAIT_MS       3000 /* for the frames before the lie to return */
#define WINDOW        32   /* frames on their way */
#define IDLE_US       50
#define BURST_DEFAULT 16

#define B(name) DEVICE_BIT(DEVICE_F_##name)

static const struct {
	const char *name;
	uint64_t bits;
	bool offered;
} features[] = {
	{ "packed", B(RING_PACKED), true },
	{ "mergeable", B(MRG_RXBUF), true },
	{ "in-order", B(IN_ORDER), true },
	{ "indirect", B(INDIRECT_DESC), true },
	{ "event-idx", B(EVENT_IDX), false },
	{ "guest-offloads", B(GUEST_CSUM) | B(GUEST_TSO4) | B(GUEST_TSO6), false },
	{ "host-offloads", B(CSUM) | B(HOST_TSO4) | B(HOST_TSO6), false },
};

#define N_FEATURES (sizeof(features) / sizeof(features[0]))

struct options {
	uint64_t after; /* frames before the lie */
	bool repeat;    /* again after each start of the queues */
};

static struct options options = { .after = AFTER_DEFAULT };
static struct server server = { .pairs = 1, .fd = -1, .listen_fd = -1 };
static struct liar liar = { .burst = BURST_DEFAULT };
static struct traffic traffic = { .frame_bytes = FRAME_MIN };
static volatile sig_atomic_t end_wanted;
static bool lie_wanted;
static bool hushed; /* to the queue that it lied about: nobody can account for those frames */

static void
usage(FILE *out)
{
	fprintf(out,
		"usage: hostile --socket FILE [OPTION...]\n"
		"       hostile --list\n"
		"  --socket FILE   where to listen; the driver connects, again and again\n"
		"  --connect       connect there instead, again and again; the driver listens\n"
		"  --row ROW       what to do wrong, one of --list; without it: nothing\n"
		"  --on rx|tx      in which queue (the first that the row knows)\n"
		"  --after N       after so many frames returned whole (%d)\n"
		"  --repeat        again after each start of the queues; once without it\n"
		"  --seed N        of the random bytes (1)\n"
		"  --burst N       random numbers written at each turn (%d)\n"
		"  --size N        bytes of each frame, from %d to %d (%d)\n"
		"  --pairs N       queue pairs (1)\n"
		"  --offer A,B,... the features offered, of:",
		AFTER_DEFAULT, BURST_DEFAULT, FRAME_MIN, FRAME_MAX, FRAME_MIN);
	for (size_t i = 0; i < N_FEATURES; i++)
		fprintf(out, " %s%s", features[i].name, features[i].offered ? " (on)" : "");
	fprintf(out, "\n"
		     "Without rx, receive is the queue that the driver receives from. A line on "
		     "stdin asks for\nthe counters; lie: lies now; rest, go: gives no more frames, "
		     "gives some again. It ends with\nSIGINT or SIGTERM.\n");
}

static uint64_t
number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end != '\0' || value < least || value > most) {
		fprintf(stderr,
			"hostile: --%s %s: expected a number from %" PRIu64 " to %" PRIu64 "\n",
			option, text, least, most);
		exit(2);
	}
	return value;
}

static uint64_t
offer(char *list)
{
	uint64_t bits = 0;

	for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < N_FEATURES && strcmp(features[i].name, name) != 0)
			i++;
		if (i == N_FEATURES) {
			fprintf(stderr, "hostile: --offer %s: there is no such feature\n", name);
			exit(2);
		}
		bits |= features[i].bits;
	}
	return bits;
}

static void
choose_queue(const char *on)
{
	unsigned known = liar.row == NULL ? ON_DEVICE : liar.row->on;
	unsigned wanted = on == NULL              ? known & -known
			  : strcmp(on, "rx") == 0 ? ON_RX
			  : strcmp(on, "tx") == 0 ? ON_TX
						  : 0;

	if (!(wanted & known)) {
		fprintf(stderr, "hostile: --on %s: row %s is not about that queue, see --list\n",
			on, liar.row == NULL ? "none" : liar.row->name);
		exit(2);
	}
	liar.queue = wanted == ON_TX ? TX_QUEUE : RX_QUEUE;
}

static void
choose_row(const char *name)
{
	liar.row = row_find(name);
	if (liar.row != NULL)
		return;
	fprintf(stderr, "hostile: --row %s: there is no such row; --list has them all\n", name);
	exit(2);
}

enum {
	OPT_SOCKET,
	OPT_CONNECT,
	OPT_LIST,
	OPT_ROW,
	OPT_ON,
	OPT_AFTER,
	OPT_REPEAT,
	OPT_SEED,
	OPT_BURST,
	OPT_SIZE,
	OPT_PAIRS,
	OPT_OFFER,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "connect", no_argument, NULL, OPT_CONNECT },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "row", required_argument, NULL, OPT_ROW },
	{ "on", required_argument, NULL, OPT_ON },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "repeat", no_argument, NULL, OPT_REPEAT },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "burst", required_argument, NULL, OPT_BURST },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "pairs", required_argument, NULL, OPT_PAIRS },
	{ "offer", required_argument, NULL, OPT_OFFER },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static void
take_option(int option, const char **on)
{
	switch (option) {
	case OPT_SOCKET:
		server.path = optarg;
		break;
	case OPT_CONNECT:
		server.connects = true;
		break;
	case OPT_LIST:
		rows_list(stdout);
		exit(0);
	case OPT_ROW:
		choose_row(optarg);
		break;
	case OPT_ON:
		*on = optarg;
		break;
	case OPT_AFTER:
		options.after = number("after", optarg, 1, 1000000000);
		break;
	case OPT_REPEAT:
		options.repeat = true;
		break;
	case OPT_SEED:
		liar.random = (uint32_t)number("seed", optarg, 1, UINT32_MAX);
		break;
	case OPT_BURST:
		liar.burst = (unsigned)number("burst", optarg, 1, 1000000);
		break;
	case OPT_SIZE:
		traffic.frame_bytes = (uint32_t)number("size", optarg, FRAME_MIN, FRAME_MAX);
		break;
	case OPT_PAIRS:
		server.pairs = (unsigned)number("pairs", optarg, 1, QUEUES_MAX / 2);
		break;
	case OPT_OFFER:
		server.features = offer(optarg);
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
parse(int argc, char **argv)
{
	const char *on = NULL;
	int option;

	for (size_t i = 0; i < N_FEATURES; i++)
		server.features |= features[i].offered ? features[i].bits : 0;
	liar.random = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(option, &on);
	if (server.path == NULL || optind < argc) {
		usage(stderr);
		exit(2);
	}
	server.features |= B(VERSION_1) | (server.pairs > 1 ? B(MQ) : 0);
	choose_queue(on);
	traffic.joined = liar.row != NULL && row_joins_frames(liar.row);
	liar_prepare(&liar, &server);
}

static void
on_signal(int signal)
{
	(void)signal;
	end_wanted = 1;
}

static void
report_counters(void)
{
	const struct traffic *t = &traffic;

	report("counters", "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "given",
	       (long long)t->given, "taken", (long long)traffic_taken(t), "returned",
	       (long long)t->returned, "repeated", (long long)t->repeated, "changed",
	       (long long)t->changed, "strange", (long long)t->strange, "overlong",
	       (long long)t->overlong, "longest", (long long)t->longest, "trapped",
	       (long long)server.trapped, "acting", (int)liar.acting);
}

static void
obey(const char *word)
{
	if (strcmp(word, "lie") == 0)
		lie_wanted = true;
	else if (strcmp(word, "rest") == 0 || strcmp(word, "go") == 0)
		traffic.rests = word[0] == 'r';
	else
		report_counters();
}

/* The end of stdin is no question, and none will follow. */
static void
listen_to_stdin(void)
{
	static bool closed;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char text[256];
	ssize_t n;

	if (closed || poll(&p, 1, 0) <= 0)
		return;
	n = read(STDIN_FILENO, text, sizeof(text) - 1);
	closed = n <= 0;
	if (closed)
		return;
	text[n] = '\0';
	for (const char *word = strtok(text, "\n"); word != NULL; word = strtok(NULL, "\n"))
		obey(word);
}

/* What the driver broke before the device did: afterwards its answers are to nonsense. Each rule
 * once. */
static void
report_duties(void)
{
	unsigned n = device_faults(server.dev);

	for (unsigned i = 0; i < n; i++) {
		const char *rule = device_fault_rule(server.dev, i);
		unsigned k = 0;

		while (strcmp(device_fault_rule(server.dev, k), rule) != 0)
			k++;
		if (k == i)
			report("driver broke a duty", "{s:s}", "rule", rule);
	}
}

enum phase { WAITING, HONEST, AFTERWARDS };

static enum phase phase;
static uint64_t phase_ms, phase_given, phase_returned;

static void
enter_phase(enum phase next)
{
	phase = next;
	phase_ms = now_ms();
	phase_given = traffic.given;
	phase_returned = traffic.returned;
}

static bool
lie_is_due(void)
{
	if (lie_wanted && liar.row != NULL)
		return true;
	if (phase != HONEST || liar.row == NULL || liar.row->act == ACT_TRAP)
		return false;
	if (traffic.returned - phase_returned >= options.after)
		return true;
	/* A driver that loses frames of its own accord does not keep the device honest. */
	return traffic.given - phase_given >= options.after && now_ms() - phase_ms > WAIT_MS;
}

static unsigned
give_some(void)
{
	unsigned n = 0;

	while (!traffic.rests && traffic_outstanding(&traffic) < WINDOW &&
	       !(phase == HONEST && liar.row != NULL && liar.row->act != ACT_TRAP &&
		 traffic.given - phase_given >= options.after) &&
	       n < WINDOW && traffic_give(&traffic, server.dev, NULL))
		n++;
	return n;
}

static bool unmoved; /* since the queues began to live, before which so many had returned */
static uint64_t returned_before;

/* The first frame that went there and back. */
static void
report_first(void)
{
	if (!unmoved || traffic.returned == returned_before)
		return;
	unmoved = false;
	report("moves", "{s:I}", "returned", (long long)traffic.returned);
}

/* The life of the queues begins and ends with the driver's. */
static bool
follow_driver(void)
{
	static bool was_live;
	bool live = server_live(&server) && device_queue_enabled(server.dev, RX_QUEUE) &&
		    device_queue_enabled(server.dev, TX_QUEUE);

	if (live && !was_live) {
		enter_phase(phase == WAITING || options.repeat ? HONEST : AFTERWARDS);
		traffic.first = traffic.given;
		traffic.moved_ms = now_ms();
		unmoved = true;
		hushed = false;
		returned_before = traffic.returned;
	}
	if (!live && was_live)
		liar_rest(&liar, &server);
	was_live = live;
	return live;
}

static bool
move(void)
{
	uint64_t before = traffic.returned + traffic.given;

	traffic_collect(&traffic, server.dev);
	report_first();
	if (lie_is_due()) {
		hushed = lie_wanted && liar.row->act == ACT_LIE && liar.queue == RX_QUEUE;
		lie_wanted = false;
		report_duties();
		enter_phase(AFTERWARDS);
		liar_act(&liar, &server, &traffic);
		if (server.dev == NULL)
			return true;
	}
	liar_turn(&liar, &server);
	if (!liar.frozen && now_ms() >= liar.still) {
		traffic_release(server.dev);
		if (!hushed)
			give_some();
	}
	server_interrupt(&server);
	return traffic.returned + traffic.given != before;
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };

	parse(argc, argv);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (server_open(&server) < 0)
		return 1;
	report("listening", "{s:s}", "socket", server.path);
	while (!end_wanted) {
		listen_to_stdin();
		server_turn(&server);
		if (!follow_driver() || !move())
			usleep(IDLE_US);
	}
	report_counters();
	server_close(&server);
	return 0;
}
