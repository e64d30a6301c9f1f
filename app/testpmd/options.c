/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "frame.h"
#include "fwd.h"
#include "msg.h"
#include "option_kinds.h"
#include "verify_frame.h"

#define FIELD(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ .name = "interactive",
	  .letter = 'i',
	  .help = "take commands at a prompt; help lists them",
	  .kind = &kind_flag,
	  .field = FIELD(interactive) },
	{ .name = "cmdline-file",
	  .argument = "FILE",
	  .help = "do the commands in FILE first",
	  .kind = &kind_input_path,
	  .field = FIELD(cmdline_file) },
	{ .name = "auto-start",
	  .letter = 'a',
	  .help = "start forwarding at once (always so without a prompt)",
	  .kind = &kind_flag,
	  .field = FIELD(auto_start) },
	{ .name = "forward-mode",
	  .argument = "MODE",
	  .help = "what is done with each packet",
	  .kind = &kind_mode,
	  .field = FIELD(mode) },
	{ .name = "port-topology",
	  .argument = "NAME",
	  .help = "which port sends what another received: paired, chained or loop",
	  .kind = &kind_topology,
	  .field = FIELD(topology) },
	{ .name = "nb-cores",
	  .argument = "N",
	  .help = "forwarding lcores, besides the main one",
	  .kind = &kind_number,
	  .field = FIELD(nb_cores),
	  .min = 1,
	  .max = RTE_MAX_LCORE },
	{ .name = "nb-ports",
	  .argument = "N",
	  .help = "ports to use, the first ones; 0 for all",
	  .kind = &kind_number,
	  .field = FIELD(nb_ports),
	  .max = RTE_MAX_ETHPORTS },
	{ .name = "portmask",
	  .argument = "MASK",
	  .help = "ports to use, a bit for each, in hexadecimal",
	  .kind = &kind_mask,
	  .field = FIELD(portmask),
	  .min = 1,
	  .max = UINT64_MAX },
	{ .name = "num-procs",
	  .argument = "N",
	  .help = "processes that share the queues of the ports (with --proc-type=auto)",
	  .kind = &kind_number,
	  .field = FIELD(num_procs),
	  .min = 1,
	  .max = RTE_MAX_LCORE },
	{ .name = "proc-id",
	  .argument = "N",
	  .help = "which of these processes this is, from 0",
	  .kind = &kind_number,
	  .field = FIELD(proc_id),
	  .max = RTE_MAX_LCORE },
	{ .name = "rxq",
	  .argument = "N",
	  .help = "receive queues per port",
	  .kind = &kind_number,
	  .field = FIELD(rxq),
	  .max = RTE_MAX_QUEUES_PER_PORT },
	{ .name = "txq",
	  .argument = "N",
	  .help = "transmit queues per port",
	  .kind = &kind_number,
	  .field = FIELD(txq),
	  .max = RTE_MAX_QUEUES_PER_PORT },
	{ .name = "rxd",
	  .argument = "N",
	  .help = "descriptors in each receive ring, 0 for the driver's default",
	  .kind = &kind_number,
	  .field = FIELD(rxd),
	  .max = UINT16_MAX },
	{ .name = "txd",
	  .argument = "N",
	  .help = "descriptors in each transmit ring, 0 for the driver's default",
	  .kind = &kind_number,
	  .field = FIELD(txd),
	  .max = UINT16_MAX },
	{ .name = "burst",
	  .argument = "N",
	  .help = "packets per burst, 0 for the driver's default",
	  .kind = &kind_number,
	  .field = FIELD(burst),
	  .max = MAX_BURST },
	{ .name = "mbuf-size",
	  .argument = "BYTES",
	  .help = "data room of each mbuf, headroom included",
	  .kind = &kind_number,
	  .field = FIELD(mbuf_size),
	  .min = RTE_PKTMBUF_HEADROOM + 1,
	  .max = UINT16_MAX },
	{ .name = "total-num-mbufs",
	  .argument = "N",
	  .help = "mbufs in each pool, 0 for what rings and caches need",
	  .kind = &kind_number,
	  .field = FIELD(total_num_mbufs),
	  .max = INT32_MAX },
	{ .name = "mbcache",
	  .argument = "N",
	  .help = "mbufs in each lcore's cache of a pool",
	  .kind = &kind_number,
	  .field = FIELD(mbcache),
	  .max = RTE_MEMPOOL_CACHE_MAX_SIZE },
	{ .name = "max-pkt-len",
	  .argument = "BYTES",
	  .help = "longest frame, with Ethernet header and CRC; 0 for the driver's default MTU",
	  .kind = &kind_number,
	  .field = FIELD(max_pkt_len),
	  .max = UINT16_MAX },
	{ .name = "enable-scatter",
	  .help = "receive frames longer than one mbuf",
	  .kind = &kind_flag,
	  .field = FIELD(enable_scatter) },
	{ .name = "enable-rx-cksum",
	  .help = "let the device check received checksums",
	  .kind = &kind_flag,
	  .field = FIELD(enable_rx_cksum) },
	{ .name = "enable-lro",
	  .help = "let the device merge received TCP segments",
	  .kind = &kind_flag,
	  .field = FIELD(enable_lro) },
	{ .name = "rss-ip",
	  .help = "spread received packets over the queues by IP addresses (the default)",
	  .kind = &kind_flag,
	  .field = FIELD(rss_ip) },
	{ .name = "rss-udp",
	  .help = "spread them by IP addresses and UDP ports",
	  .kind = &kind_flag,
	  .field = FIELD(rss_udp) },
	{ .name = "rx-offloads",
	  .argument = "MASK",
	  .help = "receive offloads to ask for, in hexadecimal",
	  .kind = &kind_mask,
	  .field = FIELD(rx_offloads),
	  .max = UINT64_MAX },
	{ .name = "tx-offloads",
	  .argument = "MASK",
	  .help = "transmit offloads to ask for, in hexadecimal",
	  .kind = &kind_mask,
	  .field = FIELD(tx_offloads),
	  .max = UINT64_MAX },
	{ .name = "txpkts",
	  .argument = "LEN[,LEN...]",
	  .help = "segment lengths of the frames that txonly sends",
	  .kind = &kind_segments,
	  .field = FIELD(txpkts),
	  .min = 1,
	  .max = UINT16_MAX },
	{ .name = "txonly-multi-flow",
	  .help = "txonly: 256 source addresses in turn",
	  .kind = &kind_flag,
	  .field = FIELD(txonly_multi_flow) },
	{ .name = "eth-peer",
	  .argument = "PORT,MAC",
	  .help = "destination address of the frames that txonly sends from a port",
	  .kind = &kind_peer,
	  .field = FIELD(peers),
	  .max = RTE_MAX_ETHPORTS - 1 },
	{ .name = "tx-first",
	  .help = "send one burst from every stream before forwarding",
	  .kind = &kind_flag,
	  .field = FIELD(tx_first) },
	{ .name = "no-flush-rx",
	  .help = "keep the packets that waited in the receive queues before the start",
	  .kind = &kind_flag,
	  .field = FIELD(no_flush_rx) },
	{ .name = "hot-plug",
	  .help = "close and detach a port whose device is pulled out, and go on",
	  .kind = &kind_flag,
	  .field = FIELD(hot_plug) },
	{ .name = "rate",
	  .argument = "RATE",
	  .help = "what each port sends, as 1.5Mpps or 10Gbps, in modes that make frames",
	  .kind = &kind_rate,
	  .field = FIELD(rate),
	  .min = 1 },
	{ .name = "verify-role",
	  .argument = "ROLE",
	  .help = "verify: both, or only send or receive",
	  .kind = &kind_role,
	  .field = FIELD(verify_role) },
	{ .name = "verify-any-mac",
	  .help = "verify: the path writes Ethernet addresses, leave them out",
	  .kind = &kind_flag,
	  .field = FIELD(verify_any_mac) },
	{ .name = "duration",
	  .argument = "SECONDS",
	  .help = "end after this time, 0 for no limit",
	  .kind = &kind_seconds,
	  .field = FIELD(duration),
	  .max = 100 * 365 * 86400ULL },
	{ .name = "packets",
	  .argument = "N",
	  .help = "end after exactly N packets in all: received, or in txonly sent; 0 for no limit",
	  .kind = &kind_count,
	  .field = FIELD(packets),
	  .max = INT64_MAX },
	{ .name = "warmup",
	  .argument = "SECONDS",
	  .help = "forward for this time before what is measured",
	  .kind = &kind_seconds,
	  .field = FIELD(warmup),
	  .max = 86400 },
	{ .name = "repeat",
	  .argument = "N",
	  .help = "measure N times; the report has median and spread",
	  .kind = &kind_number,
	  .field = FIELD(repeat),
	  .min = 1,
	  .max = 10000 },
	{ .name = "search",
	  .help = "find the highest rate without loss (RFC 2544 throughput), in mode verify",
	  .kind = &kind_flag,
	  .field = FIELD(search) },
	{ .name = "search-sizes",
	  .argument = "SIZE[,SIZE...]",
	  .help = "frame sizes to search for, with CRC",
	  .kind = &kind_sizes,
	  .field = FIELD(search_sizes),
	  .min = 64,
	  .max = 16384 },
	{ .name = "search-time",
	  .argument = "SECONDS",
	  .help = "length of each trial",
	  .kind = &kind_seconds,
	  .field = FIELD(search_time),
	  .max = 86400 },
	{ .name = "search-loss",
	  .argument = "PERCENT",
	  .help = "loss that counts as none",
	  .kind = &kind_percent,
	  .field = FIELD(search_loss),
	  .max = 100 },
	{ .name = "search-resolution",
	  .argument = "PERCENT",
	  .help = "how near to the true rate the search ends",
	  .kind = &kind_percent,
	  .field = FIELD(search_resolution),
	  .max = 50 },
	{ .name = "expect-loss",
	  .argument = "PERCENT",
	  .help = "exit status 3 when more is lost",
	  .kind = &kind_percent,
	  .field = FIELD(expect_loss),
	  .max = 100 },
	{ .name = "expect-pps",
	  .argument = "RATE",
	  .help = "exit status 3 when fewer packets per second get through",
	  .kind = &kind_pps,
	  .field = FIELD(expect_pps),
	  .min = 1 },
	{ .name = "stats-period",
	  .argument = "SECONDS",
	  .help = "print rates so often, 0 for never",
	  .kind = &kind_seconds,
	  .field = FIELD(stats_period),
	  .max = 86400 },
	{ .name = "json",
	  .argument = "FILE",
	  .help = "write options, results and the driver's own words to FILE at the end",
	  .kind = &kind_output_path,
	  .field = FIELD(json) },
	{ .name = "record-core-cycles",
	  .help = "measure TSC cycles per packet",
	  .kind = &kind_flag,
	  .field = FIELD(record_core_cycles) },
	{ .name = "record-burst-stats",
	  .help = "count how full the bursts are",
	  .kind = &kind_flag,
	  .field = FIELD(record_burst_stats) },
};

/* getopt_long's values: the letters stand for themselves, rows begin after them. */
#define FIRST_ROW 256

static void
options_default(struct options *options)
{
	*options = (struct options){
		.mode = fwd_modes[0],
		.nb_cores = 1,
		.rxq = 1,
		.txq = 1,
		.burst = 32,
		.mbuf_size = RTE_MBUF_DEFAULT_BUF_SIZE,
		.mbcache = 250,
		.txpkts = { .count = 1, .length = { 64 } },
		.num_procs = 1,
		.repeat = 1,
		.search_sizes = { .count = 7, .of = { 64, 128, 256, 512, 1024, 1280, 1518 } },
		.search_time = 1,
		.search_resolution = 1,
		.expect_loss = -1,
	};
	for (uint16_t port = 0; port < RTE_MAX_ETHPORTS; port++) {
		options->peers.of_port[port].addr_bytes[0] = RTE_ETHER_LOCAL_ADMIN_ADDR;
		options->peers.of_port[port].addr_bytes[5] = port;
	}
}

bool
options_make_frames(const struct options *options)
{
	return options->mode->makes_frames || options->tx_first;
}

uint32_t
tx_segments_total(const struct tx_segments *segments)
{
	uint32_t total = 0;

	for (uint16_t i = 0; i < segments->count; i++)
		total += segments->length[i];
	return total;
}

static void
print_default(FILE *out, const struct option_row *row, const struct options *defaults)
{
	json_t *value;
	char *text;

	if (row->argument == NULL)
		return;
	value = row->kind->value((const char *)defaults + row->field);
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
	/* Without the quotes of a string and the brackets of a list. */
	if (text != NULL && (json_is_string(value) || json_is_array(value)))
		fprintf(out, " (default %.*s)", (int)strlen(text) - 2, text + 1);
	else if (text != NULL && json_is_number(value))
		fprintf(out, " (default %s)", text);
	free(text);
	json_decref(value);
}

void
options_usage(FILE *out)
{
	struct options defaults;

	options_default(&defaults);
	fprintf(out, "Usage: vio-testpmd [EAL options] -- [options]\n\n"
		     "Drives every ethdev port and measures it.\n"
		     "  -h, --help                    this text\n");
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name,
			 rows[i].argument == NULL ? "" : " ",
			 rows[i].argument == NULL ? "" : rows[i].argument);
		if (rows[i].letter != 0)
			fprintf(out, "  -%c, %-25s %s", rows[i].letter, name, rows[i].help);
		else
			fprintf(out, "  %-29s %s", name, rows[i].help);
		print_default(out, &rows[i], &defaults);
		fputc('\n', out);
	}
	fprintf(out, "\nForward modes:\n");
	for (size_t i = 0; fwd_modes[i] != NULL; i++)
		fprintf(out, "  %-29s %s\n", fwd_modes[i]->name, fwd_modes[i]->help);
}

json_t *
options_json(const struct options *options)
{
	json_t *object = json_object();

	for (size_t i = 0; i < RTE_DIM(rows); i++)
		json_object_set_new(object, rows[i].name,
				    rows[i].kind->value((const char *)options + rows[i].field));
	return object;
}

static bool
bad_value(const char *name, const char *found, const char *expected)
{
	msg_error("--%s: found '%s', expected %s", name, found, expected);
	return false;
}

static bool
check_segments(const struct options *options)
{
	uint32_t total = tx_segments_total(&options->txpkts);
	uint32_t room = options->mbuf_size - RTE_PKTMBUF_HEADROOM;
	char found[32], expected[128];

	for (uint16_t i = 0; i < options->txpkts.count; i++) {
		if (options->txpkts.length[i] <= room)
			continue;
		snprintf(found, sizeof(found), "%u", options->txpkts.length[i]);
		snprintf(expected, sizeof(expected),
			 "segments of at most %u bytes (--mbuf-size less headroom)", room);
		return bad_value("txpkts", found, expected);
	}
	if (total < FRAME_HEADER_LENGTH || total > FRAME_MAX_LENGTH) {
		snprintf(found, sizeof(found), "%u bytes in all", total);
		snprintf(expected, sizeof(expected),
			 "from %d (Ethernet, IPv4 and UDP header) to %d (the longest IPv4 packet)",
			 FRAME_HEADER_LENGTH, FRAME_MAX_LENGTH);
		return bad_value("txpkts", found, expected);
	}
	return true;
}

static bool
check_first_segment(const struct options *options)
{
	const struct fwd_mode *mode = options->mode;
	char found[32], expected[128];

	if (mode != &fwd_flowgen && mode != &fwd_verify && !options->txonly_multi_flow)
		return true;
	if (options->txpkts.length[0] >= FRAME_HEADER_LENGTH)
		return true;
	snprintf(found, sizeof(found), "first segment %u", options->txpkts.length[0]);
	snprintf(expected, sizeof(expected), "at least %d: %s changes the headers",
		 FRAME_HEADER_LENGTH,
		 options->txonly_multi_flow ? "--txonly-multi-flow" : mode->name);
	return bad_value("txpkts", found, expected);
}

static bool
check_mode(const struct options *options)
{
	uint32_t total = tx_segments_total(&options->txpkts);
	char found[32], expected[128];

	if (options->rate.value > 0 && !options->mode->makes_frames)
		return bad_value("rate", options->mode->name,
				 "a mode that makes frames: txonly, flowgen or verify");
	if (options->mode == &fwd_verify && !options->search && total < VERIFY_MIN_LENGTH) {
		snprintf(found, sizeof(found), "%u bytes in all", total);
		snprintf(expected, sizeof(expected), "at least %d: headers and verify's own fields",
			 VERIFY_MIN_LENGTH);
		return bad_value("txpkts", found, expected);
	}
	return check_first_segment(options);
}

static bool
check_processes(const struct options *options)
{
	char found[32], expected[128];

	if (options->proc_id >= options->num_procs) {
		snprintf(found, sizeof(found), "%u", options->proc_id);
		snprintf(expected, sizeof(expected), "less than --num-procs, which is %u",
			 options->num_procs);
		return bad_value("proc-id", found, expected);
	}
	if (options->rxq % options->num_procs != 0 || options->txq % options->num_procs != 0) {
		snprintf(found, sizeof(found), "%u", options->num_procs);
		snprintf(expected, sizeof(expected), "a divisor of --rxq %u and --txq %u",
			 options->rxq, options->txq);
		return bad_value("num-procs", found, expected);
	}
	if (options->nb_ports != 0 && options->portmask != 0)
		return bad_value("nb-ports", "--portmask as well", "one of the two");
	return true;
}

bool
options_check(const struct options *options)
{
	char found[32], expected[128];

	if (options->mode->receives && options->rxq == 0) {
		snprintf(expected, sizeof(expected), "at least 1: mode %s receives",
			 options->mode->name);
		return bad_value("rxq", "0", expected);
	}
	if ((options->mode->sends || options->tx_first) && options->txq == 0) {
		snprintf(expected, sizeof(expected), "at least 1: %s sends",
			 options->tx_first ? "--tx-first" : options->mode->name);
		return bad_value("txq", "0", expected);
	}
	if (options->total_num_mbufs != 0 && options->mbcache * 3 / 2 > options->total_num_mbufs) {
		snprintf(found, sizeof(found), "%u", options->total_num_mbufs);
		snprintf(expected, sizeof(expected), "at least 1.5 times --mbcache, which is %u",
			 options->mbcache);
		return bad_value("total-num-mbufs", found, expected);
	}
	return check_processes(options) && check_segments(options) && check_mode(options);
}

static bool
take_row(const struct option_row *row, const char *text, struct options *options)
{
	char expected[256];

	if (row->kind->parse(row, text, (char *)options + row->field))
		return true;
	row->kind->expected(row, expected, sizeof(expected));
	return bad_value(row->name, text, expected);
}

static void
fill_getopt(char *letters, struct option *longs)
{
	/* '+': stop at the first word that is no option; ':': tell a missing argument apart. */
	*letters++ = '+';
	*letters++ = ':';
	*letters++ = 'h';
	*longs++ = (struct option){ "help", no_argument, NULL, 'h' };
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		*longs++ = (struct option){ rows[i].name,
					    rows[i].argument == NULL ? no_argument
								     : required_argument,
					    NULL, FIRST_ROW + (int)i };
		if (rows[i].letter == 0)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].argument != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
	*longs = (struct option){ 0 };
}

static const struct option_row *
row_of(int value)
{
	for (size_t i = 0; i < RTE_DIM(rows); i++)
		if (value == FIRST_ROW + (int)i || value == rows[i].letter)
			return &rows[i];
	return NULL;
}

/* getopt_long returned '?' or ':' for the word `found`. */
static enum options_result
refuse(int value, const char *found)
{
	const struct option_row *row = optopt == 0 ? NULL : row_of(optopt);
	char expected[256];

	if (row != NULL && value == ':') {
		row->kind->expected(row, expected, sizeof(expected));
		msg_error("--%s: found no argument, expected %s", row->name, expected);
	} else if (row != NULL || optopt == 'h') {
		msg_error("%s: found an argument, expected none", found);
	} else {
		msg_error("%s: found an unknown option, expected one of those in --help", found);
		msg_hint("vio-testpmd -- --help lists the options; EAL's go before the --");
	}
	return OPTIONS_BAD;
}

enum options_result
options_parse(struct options *options, int argc, char **argv)
{
	char letters[2 * RTE_DIM(rows) + 4];
	struct option longs[RTE_DIM(rows) + 2];
	int value;

	options_default(options);
	fill_getopt(letters, longs);
	/* 0 makes glibc start afresh: EAL uses getopt too. */
	optind = 0;
	opterr = 0;
	for (;;) {
		int at = optind == 0 ? 1 : optind;

		value = getopt_long(argc, argv, letters, longs, NULL);
		if (value == -1)
			break;
		if (value == '?' || value == ':')
			return refuse(value, argv[RTE_MIN(at, argc - 1)]);
		if (value == 'h') {
			options_usage(stdout);
			return OPTIONS_HELP;
		}
		if (!take_row(row_of(value), optarg, options))
			return OPTIONS_BAD;
	}
	if (optind < argc) {
		msg_error("%s: found a word that is no option, expected options only",
			  argv[optind]);
		return OPTIONS_BAD;
	}
	/* A trial is a run of mode verify; there is no prompt in one. */
	if (options->search)
		options->mode = &fwd_verify;
	return options_check(options) ? OPTIONS_OK : OPTIONS_BAD;
}
