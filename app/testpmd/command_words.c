/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_string_fns.h>

#include "command_words.h"
#include "commands.h"
#include "fwd.h"

/* A value that a capital word of the syntax stands for. */
struct word_kind {
	const char *name;
	const char *text; /* for "expected ..." */
	bool (*fits)(const char *word);
	/* The choice of that number, or false when there are not so many; NULL: no completion. */
	bool (*choice)(int number, char *word, size_t size);
};

struct word_token {
	struct cmdline_token_hdr hdr;
	const struct word_kind *kind; /* NULL: one of the choices in `text` */
	char text[128];
};

static const struct ports *ports;

void
word_tokens_ports(const struct ports *of)
{
	ports = of;
}

static bool
fits_number(const char *word)
{
	char *end;

	errno = 0;
	if (!isdigit((unsigned char)*word))
		return false;
	strtoull(word, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool
fits_mask(const char *word)
{
	char *end;

	errno = 0;
	if (!isxdigit((unsigned char)*word))
		return false;
	strtoull(word, &end, 16);
	return *end == '\0' && errno == 0;
}

static bool
fits_port(const char *word)
{
	uint64_t id = fits_number(word) ? strtoull(word, NULL, 10) : UINT64_MAX;

	for (uint16_t i = 0; i < ports->count; i++)
		if (ports->of[i].id == id)
			return true;
	return false;
}

static bool
fits_ports(const char *word)
{
	return strcmp(word, "all") == 0 || fits_port(word);
}

static bool
choose_port(int number, char *word, size_t size)
{
	if (number >= ports->count)
		return false;
	snprintf(word, size, "%u", ports->of[number].id);
	return true;
}

static bool
choose_ports(int number, char *word, size_t size)
{
	if (number > 0)
		return choose_port(number - 1, word, size);
	strlcpy(word, "all", size);
	return true;
}

static bool
fits_mac(const char *word)
{
	struct rte_ether_addr address;

	return rte_ether_unformat_addr(word, &address) == 0;
}

static bool
fits_key(const char *word)
{
	size_t length = strspn(word, "0123456789abcdefABCDEF");

	return word[length] == '\0' && length > 0 && length % 2 == 0;
}

static bool
fits_mode(const char *word)
{
	return fwd_mode_find(word) != NULL;
}

static bool
choose_mode(int number, char *word, size_t size)
{
	if (fwd_modes[number] == NULL)
		return false;
	strlcpy(word, fwd_modes[number]->name, size);
	return true;
}

static bool
fits_lengths(const char *word)
{
	struct tx_segments segments;

	return tx_segments_parse(&segments, word);
}

static bool
fits_any(const char *word)
{
	return *word != '\0';
}

static const struct word_kind kinds[] = {
	{ "PORT", "the number of a port", fits_port, choose_port },
	{ "PORTS", "the number of a port or all", fits_ports, choose_ports },
	{ "N", "a number", fits_number, NULL },
	{ "MASK", "a hexadecimal number", fits_mask, NULL },
	{ "MAC", "an address such as 02:00:00:00:00:01", fits_mac, NULL },
	{ "KEY", "hexadecimal digits, two for each byte", fits_key, NULL },
	{ "MODE", "a forward mode (help set)", fits_mode, choose_mode },
	{ "LENS", "segment lengths such as 64 or 64,128", fits_lengths, NULL },
	{ "NAME", "a name", fits_any, NULL },
};

/* Copies the choice of that number out of "one|two|three". */
static bool
listed_choice(const char *list, int number, char *word, size_t size)
{
	for (; number > 0; number--) {
		list = strchr(list, '|');
		if (list == NULL)
			return false;
		list++;
	}
	snprintf(word, size, "%.*s", (int)strcspn(list, "|"), list);
	return true;
}

static bool
token_choice(const struct word_token *token, int number, char *word, size_t size)
{
	if (token->kind == NULL)
		return listed_choice(token->text, number, word, size);
	return token->kind->choice != NULL && token->kind->choice(number, word, size);
}

static bool
fits(const struct word_token *token, const char *word)
{
	char choice[WORD_LENGTH];

	if (token->kind != NULL)
		return token->kind->fits(word);
	for (int i = 0; token_choice(token, i, choice, sizeof(choice)); i++)
		if (strcmp(word, choice) == 0)
			return true;
	return false;
}

static size_t
word_length(const char *text)
{
	return strcspn(text, " \t\r\n#");
}

static int
parse(cmdline_parse_token_hdr_t *header, const char *text, void *result, unsigned int size)
{
	const struct word_token *token = (const struct word_token *)header;
	size_t length = word_length(text);
	char word[WORD_LENGTH];

	if (length == 0 || length >= sizeof(word))
		return -1;
	memcpy(word, text, length);
	word[length] = '\0';
	if (!fits(token, word))
		return -1;
	if (result != NULL && length < size)
		memcpy(result, word, length + 1);
	return length;
}

static int
count_choices(cmdline_parse_token_hdr_t *header)
{
	char word[WORD_LENGTH];
	int count = 0;

	while (token_choice((const struct word_token *)header, count, word, sizeof(word)))
		count++;
	return count;
}

static int
get_choice(cmdline_parse_token_hdr_t *header, int number, char *word, unsigned int size)
{
	return token_choice((const struct word_token *)header, number, word, size) ? 0 : -1;
}

static int
get_help(cmdline_parse_token_hdr_t *header, char *text, unsigned int size)
{
	strlcpy(text, word_token_text(header), size);
	return 0;
}

static struct cmdline_token_ops ops = { parse, count_choices, get_choice, get_help };

static const struct word_kind *
find_kind(const char *name)
{
	for (size_t i = 0; i < RTE_DIM(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return &kinds[i];
	return NULL;
}

bool
word_tokens_make(const char *syntax, cmdline_parse_token_hdr_t **tokens)
{
	for (uint32_t i = 0; i < MAX_WORDS && *syntax != '\0'; i++) {
		struct word_token *token = calloc(1, sizeof(*token));
		size_t length = word_length(syntax);

		tokens[i] = &token->hdr;
		if (token == NULL || length >= sizeof(token->text))
			return false;
		memcpy(token->text, syntax, length);
		token->hdr.ops = &ops;
		token->hdr.offset = i * WORD_LENGTH;
		token->kind = find_kind(token->text);
		syntax += length + strspn(syntax + length, " ");
	}
	return true;
}

void
word_tokens_free(cmdline_parse_token_hdr_t **tokens)
{
	for (; *tokens != NULL; tokens++)
		free(*tokens);
}

/* The next word, or NULL at the end of the line. */
static const char *
next_word(const char *text)
{
	text += strspn(text, " \t");
	return word_length(text) == 0 ? NULL : text;
}

uint32_t
word_tokens_matching(cmdline_parse_token_hdr_t **tokens, const char *line)
{
	uint32_t count = 0;

	while (tokens[count] != NULL && (line = next_word(line)) != NULL) {
		int length = parse(tokens[count], line, NULL, 0);

		if (length < 0)
			break;
		line += length;
		count++;
	}
	return count;
}

const char *
word_token_text(const cmdline_parse_token_hdr_t *token)
{
	const struct word_token *word = (const struct word_token *)token;

	if (word == NULL)
		return NULL;
	return word->kind != NULL ? word->kind->text : word->text;
}

void
word_copy(const char *line, uint32_t at, char *word, size_t size)
{
	while ((line = next_word(line)) != NULL) {
		if (at-- == 0) {
			snprintf(word, size, "%.*s", (int)word_length(line), line);
			return;
		}
		line += word_length(line);
	}
}
