/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_COMMAND_WORDS_H
#define TESTPMD_COMMAND_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmdline_parse.h>

#include "ports.h"

/* Words of a command's syntax as tokens of DPDK's parser; see struct command for the syntax. */

/* Fills tokens[] up to a NULL. False when out of memory. */
bool word_tokens_make(const char *syntax, cmdline_parse_token_hdr_t **tokens);
void word_tokens_free(cmdline_parse_token_hdr_t **tokens);

/* The ports that PORT and PORTS can name. */
void word_tokens_ports(const struct ports *ports);

/* How many words at the beginning of the line fit. */
uint32_t word_tokens_matching(cmdline_parse_token_hdr_t **tokens, const char *line);

/* What a token takes, in words; NULL for the end. */
const char *word_token_text(const cmdline_parse_token_hdr_t *token);

/* Copies word number `at` of the line, when it has so many. */
void word_copy(const char *line, uint32_t at, char *word, size_t size);

#endif
