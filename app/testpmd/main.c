/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "bench.h"
#include "hot_plug.h"
#include "json.h"
#include "msg.h"
#include "prompt.h"
#include "report.h"
#include "search.h"
#include "session.h"
#include "telemetry.h"

#define EXIT_USAGE 2

/* Large, and reached from other threads: not on the stack. */
static struct session session;
static struct bench bench;
static struct search search;

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
	ports_stop(&session.ports);
	results->mbufs_missing = pools_missing(&session.ports.pools);
	ports_close(&session.ports);
	results->mbufs_missing_closed = pools_missing(&session.ports.pools);
	results->mbufs_counted = !session.ports.secondary;
}

/* Reports the last run, closes the ports and counts mbufs. False when something went wrong. */
static bool
finish(const struct bench *measured, const struct search *searched)
{
	struct results results;
	bool good = !session.stuck && session.run.end != RUN_NO_PORT;

	if (!session.prepared)
		return true;
	if (!results_gather(&results, &session.run)) {
		results_free(&results);
		return false;
	}
	results.bench = measured;
	results.search = searched;
	report_print(stdout, &results);
	if (!session.stuck)
		close_and_count(&results);
	report_print_mbufs(stdout, &results);
	if (session.options.json != NULL && !json_write(session.options.json, &results))
		good = false;
	results_free(&results);
	return good;
}

static int
run_search(void)
{
	bool good = search_run(&search, &session);

	good = finish(NULL, &search) && good;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_bench(void)
{
	if (!bench_run(&bench, &session))
		return EXIT_FAILURE;
	bench_judge(&bench, &session.options);
	if (!finish(&bench, NULL))
		return EXIT_FAILURE;
	return bench.loss_met && bench.pps_met ? EXIT_SUCCESS : EXIT_UNMET;
}

static int
run_prompt(void)
{
	const struct options *options = &session.options;

	if (options->auto_start)
		session_start(&session, options->tx_first ? 1 : 0);
	prompt_run(&session);
	if (session.forwarding) {
		session.run.end = run_signalled() ? RUN_SIGNAL : RUN_COMMAND;
		session_stop(&session);
	}
	return finish(NULL, NULL) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run(void)
{
	const struct options *options = &session.options;

	if (options->hot_plug && !hot_plug_begin())
		return EXIT_FAILURE;
	if (!ports_open(&session.ports, options))
		return EXIT_FAILURE;
	telemetry_register(&session);
	run_wait_for_links(&session.ports);
	if (options->cmdline_file != NULL)
		prompt_file(&session, options->cmdline_file);
	if (options->interactive || session.quit || session.forwarding)
		return run_prompt();
	return options->search ? run_search() : run_bench();
}

/* A port that an lcore still polls cannot be closed. */
static void
clean_up(void)
{
	if (session.stuck) {
		fflush(NULL);
		_Exit(EXIT_FAILURE);
	}
	hot_plug_end();
	ports_close(&session.ports);
	session_forget(&session);
	free(bench.trials);
	pools_free(&session.ports.pools);
	rte_eal_cleanup();
}

int
main(int argc, char **argv)
{
	int separator = find_separator(argc, argv);
	int status;

	/* Ours first: a slip there need not wait for hugepages and devices. */
	if (separator < argc) {
		char *own_name = argv[separator];
		enum options_result result;

		argv[separator] = argv[0];
		result = options_parse(&session.options, argc - separator, argv + separator);
		argv[separator] = own_name;
		if (result != OPTIONS_OK)
			return result == OPTIONS_HELP ? EXIT_SUCCESS : EXIT_USAGE;
	} else if (options_parse(&session.options, 1, argv) != OPTIONS_OK) {
		return EXIT_USAGE;
	}
	if (!start_eal(argc, argv))
		return EXIT_FAILURE;
	run_catch_signals();
	status = run();
	clean_up();
	return status;
}
