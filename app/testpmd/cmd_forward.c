/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "commands.h"
#include "fwd.h"
#include "msg.h"
#include "report.h"

static void
print_last_report(struct session *session)
{
	struct results results;

	if (results_gather(&results, &session->run))
		report_print(stdout, &results);
	results_free(&results);
}

static void
start_with(struct session *session, uint32_t first_bursts)
{
	session->options.tx_first = first_bursts > 0;
	session_start(session, first_bursts);
}

static void
start(struct session *session, const struct words *words)
{
	RTE_SET_USED(words);
	start_with(session, 0);
}

static void
start_tx_first(struct session *session, const struct words *words)
{
	RTE_SET_USED(words);
	start_with(session, 1);
}

static void
start_tx_first_n(struct session *session, const struct words *words)
{
	if (in_range("start tx_first", word_number(words, 2), 1, 1000000))
		start_with(session, word_number(words, 2));
}

static void
stop(struct session *session, const struct words *words)
{
	RTE_SET_USED(words);
	if (!session->forwarding) {
		msg_notice("not forwarding, nothing to stop");
		return;
	}
	session->run.end = RUN_COMMAND;
	session_stop(session);
	print_last_report(session);
}

static void
quit(struct session *session, const struct words *words)
{
	RTE_SET_USED(words);
	session->quit = true;
}

static void
print_help(const char *word)
{
	bool found = false;

	for (uint32_t group = 0; command_groups[group] != NULL; group++) {
		const struct command *command = command_groups[group];

		for (; command->syntax != NULL; command++) {
			if (strncmp(command->syntax, word, strlen(word)) != 0)
				continue;
			printf("  %-46s %s%s\n", command->syntax, command->help,
			       command->when_stopped ? " (when stopped)" : "");
			found = true;
		}
	}
	if (!found)
		msg_error("help: found '%s', expected the beginning of a command", word);
}

static void
help(struct session *session, const struct words *words)
{
	RTE_SET_USED(session);
	RTE_SET_USED(words);
	print_help("");
	printf("\nForward modes:\n");
	for (size_t i = 0; fwd_modes[i] != NULL; i++)
		printf("  %-46s %s\n", fwd_modes[i]->name, fwd_modes[i]->help);
}

static void
help_word(struct session *session, const struct words *words)
{
	RTE_SET_USED(session);
	print_help(words->of[1]);
}

const struct command commands_forward[] = {
	{ "start", "begin forwarding", true, start },
	{ "start tx_first", "send a burst from every stream, then forward", true, start_tx_first },
	{ "start tx_first N", "send N bursts from every stream, then forward", true,
	  start_tx_first_n },
	{ "stop", "end forwarding and report", false, stop },
	{ "quit", "end the program, with a report of the last run", false, quit },
	{ "help", "list all commands", false, help },
	{ "help NAME", "list the commands that begin so", false, help_word },
	{ 0 },
};
