/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "fwd.h"
#include "option_kinds.h"

/* strtoull takes signs and leading spaces; a value of ours begins with a digit. */
static bool
read_number(const char *text, int base, uint64_t min, uint64_t max, uint64_t *number)
{
	unsigned long long value;
	char *end;

	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
		return false;
	*number = value;
	return true;
}

static void
expect_number(const struct option_row *row, char *text, size_t size)
{
	if (row->max == UINT64_MAX)
		snprintf(text, size, "a number of at least %" PRIu64, row->min);
	else
		snprintf(text, size, "a number from %" PRIu64 " to %" PRIu64, row->min, row->max);
}

static bool
parse_flag(const struct option_row *row, const char *text, void *field)
{
	RTE_SET_USED(row);
	RTE_SET_USED(text);
	*(bool *)field = true;
	return true;
}

static json_t *
flag_value(const void *field)
{
	return json_boolean(*(const bool *)field);
}

const struct option_kind kind_flag = { parse_flag, flag_value, NULL };

static bool
parse_u32(const struct option_row *row, const char *text, void *field)
{
	uint64_t number;

	if (!read_number(text, 10, row->min, row->max, &number))
		return false;
	*(uint32_t *)field = number;
	return true;
}

static json_t *
u32_value(const void *field)
{
	return json_integer(*(const uint32_t *)field);
}

const struct option_kind kind_number = { parse_u32, u32_value, expect_number };

static bool
parse_u64(const struct option_row *row, const char *text, void *field)
{
	return read_number(text, 10, row->min, row->max, field);
}

static json_t *
u64_value(const void *field)
{
	return json_integer(*(const uint64_t *)field);
}

const struct option_kind kind_count = { parse_u64, u64_value, expect_number };

static bool
parse_seconds(const struct option_row *row, const char *text, void *field)
{
	double seconds;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	seconds = strtod(text, &end);
	if (*end != '\0' || !isfinite(seconds) || seconds < row->min || seconds > row->max)
		return false;
	*(double *)field = seconds;
	return true;
}

static json_t *
seconds_value(const void *field)
{
	return json_real(*(const double *)field);
}

static void
expect_seconds(const struct option_row *row, char *text, size_t size)
{
	snprintf(text, size, "seconds from %" PRIu64 " to %" PRIu64 ", such as 10 or 0.5", row->min,
		 row->max);
}

const struct option_kind kind_seconds = { parse_seconds, seconds_value, expect_seconds };

static bool
parse_mask(const struct option_row *row, const char *text, void *field)
{
	return read_number(text, 16, row->min, row->max, field);
}

static json_t *
mask_value(const void *field)
{
	return json_sprintf("0x%" PRIx64, *(const uint64_t *)field);
}

static void
expect_mask(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "a hexadecimal mask of offloads, such as 0x8000");
}

const struct option_kind kind_mask = { parse_mask, mask_value, expect_mask };

static bool
parse_mode(const struct option_row *row, const char *text, void *field)
{
	const struct fwd_mode *mode = fwd_mode_find(text);

	RTE_SET_USED(row);
	if (mode == NULL)
		return false;
	*(const struct fwd_mode **)field = mode;
	return true;
}

static json_t *
mode_value(const void *field)
{
	const struct fwd_mode *const *mode = field;

	return json_string((*mode)->name);
}

static void
expect_mode(const struct option_row *row, char *text, size_t size)
{
	size_t used = snprintf(text, size, "one of");

	RTE_SET_USED(row);
	for (size_t i = 0; fwd_modes[i] != NULL && used < size; i++)
		used += snprintf(text + used, size - used, "%s %s", i == 0 ? "" : ",",
				 fwd_modes[i]->name);
}

const struct option_kind kind_mode = { parse_mode, mode_value, expect_mode };

static const char *const topology_names[] = {
	[TOPOLOGY_PAIRED] = "paired",
	[TOPOLOGY_CHAINED] = "chained",
	[TOPOLOGY_LOOP] = "loop",
};

static bool
parse_topology(const struct option_row *row, const char *text, void *field)
{
	RTE_SET_USED(row);
	for (size_t i = 0; i < RTE_DIM(topology_names); i++) {
		if (strcmp(text, topology_names[i]) == 0) {
			*(enum port_topology *)field = i;
			return true;
		}
	}
	return false;
}

static json_t *
topology_value(const void *field)
{
	return json_string(topology_names[*(const enum port_topology *)field]);
}

static void
expect_topology(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "one of paired, chained, loop");
}

const struct option_kind kind_topology = { parse_topology, topology_value, expect_topology };

static bool
parse_segments(const struct option_row *row, const char *text, void *field)
{
	struct tx_segments segments = { 0 };
	char word[8];

	for (const char *next = text; next != NULL;) {
		size_t length = strcspn(next, ",");
		uint64_t number;

		if (length >= sizeof(word) || segments.count == MAX_TX_SEGS)
			return false;
		memcpy(word, next, length);
		word[length] = '\0';
		if (!read_number(word, 10, row->min, row->max, &number))
			return false;
		segments.length[segments.count++] = number;
		next = next[length] == ',' ? next + length + 1 : NULL;
	}
	*(struct tx_segments *)field = segments;
	return true;
}

static json_t *
segments_value(const void *field)
{
	const struct tx_segments *segments = field;
	json_t *array = json_array();

	for (uint16_t i = 0; i < segments->count; i++)
		json_array_append_new(array, json_integer(segments->length[i]));
	return array;
}

static void
expect_segments(const struct option_row *row, char *text, size_t size)
{
	snprintf(text, size,
		 "up to %u segment lengths from %" PRIu64 " to %" PRIu64 ", such as 64 or 64,128",
		 MAX_TX_SEGS, row->min, row->max);
}

const struct option_kind kind_segments = { parse_segments, segments_value, expect_segments };

static bool
parse_peer(const struct option_row *row, const char *text, void *field)
{
	struct peer_addresses *peers = field;
	const char *comma = strchr(text, ',');
	struct rte_ether_addr address;
	char number[8];
	uint64_t port;

	if (comma == NULL || (size_t)(comma - text) >= sizeof(number))
		return false;
	memcpy(number, text, comma - text);
	number[comma - text] = '\0';
	if (!read_number(number, 10, row->min, row->max, &port) ||
	    rte_ether_unformat_addr(comma + 1, &address) != 0)
		return false;
	peers->of_port[port] = address;
	peers->given[port] = true;
	return true;
}

static json_t *
peer_value(const void *field)
{
	const struct peer_addresses *peers = field;
	json_t *object = json_object();

	for (uint16_t port = 0; port < RTE_MAX_ETHPORTS; port++) {
		char number[8], text[RTE_ETHER_ADDR_FMT_SIZE];

		if (!peers->given[port])
			continue;
		snprintf(number, sizeof(number), "%u", port);
		rte_ether_format_addr(text, sizeof(text), &peers->of_port[port]);
		json_object_set_new(object, number, json_string(text));
	}
	return object;
}

static void
expect_peer(const struct option_row *row, char *text, size_t size)
{
	snprintf(text, size, "a port number up to %" PRIu64 " and an address, such as %s", row->max,
		 "0,02:00:00:00:00:01");
}

const struct option_kind kind_peer = { parse_peer, peer_value, expect_peer };

/* A file that cannot be written is found before the run, not after it. */
static bool
parse_output_path(const struct option_row *row, const char *text, void *field)
{
	char copy[PATH_MAX];

	RTE_SET_USED(row);
	if (*text == '\0' || strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	if (access(dirname(copy), W_OK | X_OK) != 0 ||
	    (access(text, F_OK) == 0 && access(text, W_OK) != 0))
		return false;
	*(const char **)field = text;
	return true;
}

static json_t *
output_path_value(const void *field)
{
	const char *path = *(const char *const *)field;

	return path == NULL ? json_null() : json_string(path);
}

static void
expect_output_path(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "a file that can be written, in a folder that exists");
}

const struct option_kind kind_output_path = { parse_output_path, output_path_value,
					      expect_output_path };
