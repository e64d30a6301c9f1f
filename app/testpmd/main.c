/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "fwd.h"
#include "json.h"
#include "lcores.h"
#include "msg.h"
#include "options.h"
#include "port_events.h"
#include "ports.h"
#include "report.h"
#include "results.h"
#include "run.h"
#include "streams.h"

#define EXIT_USAGE 2

/* Large, and reached from the interrupt thread: not on the stack. */
static struct options options;
static struct ports ports;
static struct streams streams;
static struct lcores lcores;

/* The position of "--", which parts EAL's arguments from ours; argc when there is none. */
static int
find_separator(int argc, char **argv)
{
	int i = 1;

	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	return i;
}

static void
eal_usage(const char *program)
{
	RTE_SET_USED(program);
	options_usage(stdout);
}

static bool
start_eal(int argc, char **argv)
{
	rte_set_application_usage_hook(eal_usage);
	if (rte_eal_init(argc, argv) >= 0)
		return true;
	msg_error("EAL did not start: %s", rte_strerror(rte_errno));
	msg_hint("its messages above say why; without hugepages: --no-huge");
	return false;
}

/* A driver should have given all mbufs back at the stop; some do so at the close. */
static void
close_and_count(struct results *results)
{
	ports_stop(&ports);
	results->mbufs_missing = pools_missing(&ports.pools);
	ports_close(&ports);
	results->mbufs_missing_closed = pools_missing(&ports.pools);
	results->mbufs_counted = true;
}

/* Reports, closes the ports and counts mbufs. True when nothing went wrong. */
static bool
finish(const struct run *run)
{
	struct results results;
	bool good = run->lcores_stopped && run->end != RUN_NO_PORT;

	if (!results_gather(&results, run)) {
		results_free(&results);
		return false;
	}
	report_print(stdout, &results);
	port_events_unwatch((struct port_watch *)(uintptr_t)&run->watch);
	if (run->lcores_stopped)
		close_and_count(&results);
	report_print_mbufs(stdout, &results);
	if (options.json != NULL && !json_write(options.json, &results))
		good = false;
	results_free(&results);
	return good;
}

static bool
run_once(void)
{
	struct run run = {
		.watch = { .ports = &ports, .streams = &streams },
		.lcores = &lcores,
		.options = &options,
	};

	port_events_watch(&run.watch);
	run_wait_for_links(&ports);
	if (!options.no_flush_rx && options.mode->receives)
		ports_flush_rx(&ports);
	ports_clear_stats(&ports);
	if (options.tx_first)
		streams_send_first(&streams);
	msg_notice("forwarding: mode %s, %u port%s, %u stream%s on %u lcore%s", options.mode->name,
		   ports.count, ports.count == 1 ? "" : "s", streams.count,
		   streams.count == 1 ? "" : "s", lcores.count, lcores.count == 1 ? "" : "s");
	run_forward(&run);
	if (finish(&run))
		return true;
	/* A port that an lcore still polls cannot be closed. */
	if (!run.lcores_stopped) {
		fflush(NULL);
		_Exit(EXIT_FAILURE);
	}
	port_events_unwatch(&run.watch);
	return false;
}

int
main(int argc, char **argv)
{
	int separator = find_separator(argc, argv);
	bool good;

	/* Ours first: a slip there need not wait for hugepages and devices. */
	if (separator < argc) {
		char *own_name = argv[separator];
		enum options_result result;

		argv[separator] = argv[0];
		result = options_parse(&options, argc - separator, argv + separator);
		argv[separator] = own_name;
		if (result != OPTIONS_OK)
			return result == OPTIONS_HELP ? EXIT_SUCCESS : EXIT_USAGE;
	} else if (options_parse(&options, 1, argv) != OPTIONS_OK) {
		return EXIT_USAGE;
	}
	if (!start_eal(argc, argv))
		return EXIT_FAILURE;
	run_catch_signals();
	good = ports_open(&ports, &options) && streams_make(&streams, &ports, &options) &&
	       lcores_assign(&lcores, &streams, &options) && run_once();
	ports_close(&ports);
	streams_free(&streams);
	pools_free(&ports.pools);
	rte_eal_cleanup();
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
