/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cmdline.h>
#include <cmdline_parse.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

#include "command_words.h"
#include "commands.h"
#include "msg.h"

#define MAX_COMMANDS 128U

const struct command *const command_groups[] = {
	commands_forward, commands_set,     commands_show, commands_port,
	commands_config,  commands_address, NULL,
};

static struct session *session;
static cmdline_parse_inst_t *instances[MAX_COMMANDS + 1];
static uint32_t count;
static struct cmdline *parser;

/* The parser has found the command and filled its words in. */
static void
run_command(void *words, struct cmdline *cl, void *data)
{
	const struct command *command = data;

	RTE_SET_USED(cl);
	if (command->when_stopped && session->forwarding) {
		msg_error("%s: cannot be done while forwarding, which goes on", command->syntax);
		msg_hint("stop");
		return;
	}
	command->run(session, words);
}

static cmdline_parse_inst_t *
make_instance(const struct command *command)
{
	cmdline_parse_inst_t *instance = calloc(
		1, sizeof(*instance) + (MAX_WORDS + 1) * sizeof(instance->tokens[0]));

	if (instance == NULL)
		return NULL;
	instance->f = run_command;
	instance->data = (void *)(uintptr_t)command;
	instance->help_str = command->help;
	if (word_tokens_make(command->syntax, instance->tokens))
		return instance;
	free(instance);
	return NULL;
}

bool
commands_open(struct session *for_session)
{
	session = for_session;
	word_tokens_ports(&session->ports);
	for (uint32_t group = 0; command_groups[group] != NULL; group++) {
		const struct command *command = command_groups[group];

		for (; command->syntax != NULL && count < MAX_COMMANDS; command++) {
			instances[count] = make_instance(command);
			if (instances[count] == NULL)
				return false;
			count++;
		}
	}
	parser = cmdline_new(instances, "", -1, -1);
	return parser != NULL;
}

void
commands_close(void)
{
	for (uint32_t i = 0; i < count; i++) {
		word_tokens_free(instances[i]->tokens);
		free(instances[i]);
		instances[i] = NULL;
	}
	count = 0;
	cmdline_free(parser);
	parser = NULL;
}

/* Adds what a command would take at place `at`; false when it is there already. */
static bool
add_expected(char *expected, size_t size, cmdline_parse_inst_t *instance, uint32_t at)
{
	const char *text = word_token_text(instance->tokens[at]);
	size_t used = strlen(expected);

	if (text == NULL)
		text = "the end of the line";
	/* Each is followed by a comma, the last one too until the end. */
	for (const char *at_text = expected; (at_text = strstr(at_text, text)) != NULL; at_text++)
		if ((at_text == expected || at_text[-1] == ' ') && at_text[strlen(text)] == ',')
			return false;
	snprintf(expected + used, size - used, "%s%s,", used == 0 ? "" : " ", text);
	return true;
}

/* Names the word that no command has at its place, and what could stand there. */
static void
explain(const char *line)
{
	char expected[1024] = "", found[WORD_LENGTH] = "the end of the line";
	uint32_t best = 0, choices = 0;

	for (uint32_t i = 0; i < count; i++)
		best = RTE_MAX(best, word_tokens_matching(instances[i]->tokens, line));
	for (uint32_t i = 0; i < count; i++)
		if (word_tokens_matching(instances[i]->tokens, line) == best)
			choices += add_expected(expected, sizeof(expected), instances[i], best);
	if (expected[0] != '\0')
		expected[strlen(expected) - 1] = '\0';
	word_copy(line, best, found, sizeof(found));
	msg_error("%s: found '%s', expected %s%s", line, found,
		  choices > 1 || strchr(expected, '|') != NULL ? "one of " : "", expected);
	if (best == 0)
		msg_hint("help lists the commands");
}

void
commands_do(const char *line)
{
	char text[CMDLINE_PARSE_RESULT_BUFSIZE];
	int ret;

	/* The parser wants an end of line. */
	snprintf(text, sizeof(text), "%.*s\n", (int)strcspn(line, "\r\n"), line);
	ret = cmdline_parse(parser, text);
	text[strlen(text) - 1] = '\0';
	if (ret < 0)
		explain(text);
	fflush(stdout);
}

int
commands_complete(const char *line, char *text, unsigned int size, int *state)
{
	return cmdline_complete(parser, line, state, text, size);
}

uint64_t
word_number(const struct words *words, unsigned int at)
{
	return strtoull(words->of[at], NULL, 10);
}

bool
word_is(const struct words *words, unsigned int at, const char *text)
{
	return strcmp(words->of[at], text) == 0;
}

struct port *
word_port(struct session *of, const struct words *words, unsigned int at)
{
	return ports_find(&of->ports, word_number(words, at));
}

bool
port_did(const struct port *port, const char *what, int ret)
{
	if (ret == 0)
		return true;
	if (ret == -ENOTSUP || ret == -ENOSYS)
		msg_error("port %u (%s): driver %s does not support: %s", port->id, port->name,
			  port->driver, what);
	else
		msg_error("port %u (%s): %s failed: %s", port->id, port->name, what,
			  rte_strerror(-ret));
	return false;
}

void
for_ports(struct session *of, const struct words *words, unsigned int at, const char *what,
	  int (*act)(struct session *, struct port *, const struct words *))
{
	bool all = word_is(words, at, "all");

	for (uint16_t i = 0; i < of->ports.count; i++) {
		struct port *port = &of->ports.of[i];

		if (!all && port->id != word_number(words, at))
			continue;
		if (port_is_gone(port))
			msg_error("port %u (%s): the device is gone", port->id, port->name);
		else
			port_did(port, what, act(of, port, words));
	}
}

bool
in_range(const char *what, uint64_t found, uint64_t min, uint64_t max)
{
	if (found >= min && found <= max)
		return true;
	msg_error("%s: found '%" PRIu64 "', expected a number from %" PRIu64 " to %" PRIu64, what,
		  found, min, max);
	return false;
}
