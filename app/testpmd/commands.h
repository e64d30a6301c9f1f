/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_COMMANDS_H
#define TESTPMD_COMMANDS_H

#include "session.h"

#define MAX_WORDS   10U
#define WORD_LENGTH 512U

/* The words of a line, as the syntax has them; each holds what its place asks for. */
struct words {
	char of[MAX_WORDS][WORD_LENGTH];
};

/*
 * A command of the prompt: what the parser, completion, help and error messages all read. In the
 * syntax, small letters stand for themselves, with | between choices, and capitals for a value:
 *   PORT   number of a port           PORTS  the same, or all
 *   N      number                     MASK   hexadecimal number
 *   MAC    Ethernet address           KEY    hexadecimal digits, two for each byte
 *   MODE   forward mode               LENS   lengths with commas between them
 *   NAME   any word
 */
struct command {
	const char *syntax;
	const char *help;
	bool when_stopped; /* refused while forwarding */
	void (*run)(struct session *session, const struct words *words);
};

/* Each group in its own file; ended by a row without syntax. */
extern const struct command commands_forward[];
extern const struct command commands_set[];
extern const struct command commands_show[];
extern const struct command commands_port[];
extern const struct command commands_config[];
extern const struct command commands_address[];
extern const struct command *const command_groups[];

/* Makes the parser's tables. False when out of memory. */
bool commands_open(struct session *session);
void commands_close(void);

/* Does the command in a line; what is wrong with it is printed. */
void commands_do(const char *line);

/* For rdline: see cmdline_complete(). */
int commands_complete(const char *line, char *text, unsigned int size, int *state);

/* What the functions of the groups share. */

/* A number of a line: the syntax has made sure that it is one. */
uint64_t word_number(const struct words *words, unsigned int at);
bool word_is(const struct words *words, unsigned int at, const char *text);

/* The port of a line. The syntax has made sure that it is there. */
struct port *word_port(struct session *session, const struct words *words, unsigned int at);

/*
 * Calls `act` for the port or all ports that a word names. Its result is 0, or a negative errno
 * that is printed as the failure of `what`.
 */
void for_ports(struct session *session, const struct words *words, unsigned int at,
	       const char *what, int (*act)(struct session *, struct port *, const struct words *));

/* Prints why `what` failed, when ret is not 0. Returns whether it is 0. */
bool port_did(const struct port *port, const char *what, int ret);

/* False, with a message, when a number is out of its range. */
bool in_range(const char *what, uint64_t found, uint64_t min, uint64_t max);

#endif
