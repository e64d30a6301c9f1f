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

/* Enumerations: the values' names in their order, NULL at the end. */
static const char *const topology_names[] = {
	[TOPOLOGY_PAIRED] = "paired",
	[TOPOLOGY_CHAINED] = "chained",
	[TOPOLOGY_LOOP] = "loop",
	NULL,
};

static const char *const role_names[] = {
	[VERIFY_ROLE_BOTH] = "both",
	[VERIFY_ROLE_SEND] = "send",
	[VERIFY_ROLE_RECEIVE] = "receive",
	NULL,
};

static bool
parse_name(const char *const *names, const char *text, void *field)
{
	for (unsigned int i = 0; names[i] != NULL; i++) {
		if (strcmp(text, names[i]) == 0) {
			*(unsigned int *)field = i;
			return true;
		}
	}
	return false;
}

static bool
parse_topology(const struct option_row *row, const char *text, void *field)
{
	RTE_SET_USED(row);
	return parse_name(topology_names, text, field);
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
parse_role(const struct option_row *row, const char *text, void *field)
{
	RTE_SET_USED(row);
	return parse_name(role_names, text, field);
}

static json_t *
role_value(const void *field)
{
	return json_string(role_names[*(const enum verify_role *)field]);
}

static void
expect_role(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "one of both, send, receive");
}

const struct option_kind kind_role = { parse_role, role_value, expect_role };

/* A number, a factor (k, M, G), a unit (pps, bps); factor and unit can be left out. */
static bool
parse_rate(const struct option_row *row, const char *text, void *field)
{
	struct rate rate = { 0 };
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	rate.value = strtod(text, &end);
	if (*end == 'k')
		rate.value *= 1e3;
	else if (*end == 'M')
		rate.value *= 1e6;
	else if (*end == 'G')
		rate.value *= 1e9;
	if (*end == 'k' || *end == 'M' || *end == 'G')
		end++;
	rate.bits = strcmp(end, "bps") == 0;
	if ((*end != '\0' && !rate.bits && strcmp(end, "pps") != 0) || !isfinite(rate.value) ||
	    rate.value < row->min)
		return false;
	*(struct rate *)field = rate;
	return true;
}

static json_t *
rate_value(const void *field)
{
	const struct rate *rate = field;

	if (rate->value == 0)
		return json_null();
	return json_pack("{s:f, s:s}", "value", rate->value, "unit", rate->bits ? "bps" : "pps");
}

static void
expect_rate(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "packets or bits per second, such as 1000000, 1.5Mpps or 10Gbps");
}

const struct option_kind kind_rate = { parse_rate, rate_value, expect_rate };

static bool
parse_pps(const struct option_row *row, const char *text, void *field)
{
	struct rate rate;

	if (!parse_rate(row, text, &rate) || rate.bits)
		return false;
	*(double *)field = rate.value;
	return true;
}

static json_t *
pps_value(const void *field)
{
	double value = *(const double *)field;

	return value == 0 ? json_null() : json_real(value);
}

static void
expect_pps(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "packets per second, such as 1000000 or 1.5Mpps");
}

const struct option_kind kind_pps = { parse_pps, pps_value, expect_pps };

static bool
parse_percent(const struct option_row *row, const char *text, void *field)
{
	double value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	value = strtod(text, &end);
	if (*end == '%')
		end++;
	if (*end != '\0' || !isfinite(value) || value < row->min || value > row->max)
		return false;
	*(double *)field = value;
	return true;
}

static json_t *
percent_value(const void *field)
{
	double value = *(const double *)field;

	return value < 0 ? json_null() : json_real(value);
}

static void
expect_percent(const struct option_row *row, char *text, size_t size)
{
	snprintf(text, size, "percent from %" PRIu64 " to %" PRIu64 ", such as 0 or 0.01", row->min,
		 row->max);
}

const struct option_kind kind_percent = { parse_percent, percent_value, expect_percent };

/* Lengths with commas between them. Returns how many; 0 when text is no such list. */
static uint16_t
read_list(const char *text, uint64_t min, uint64_t max, uint16_t *list, uint16_t room)
{
	uint16_t count = 0;
	char word[8];

	for (const char *next = text; next != NULL;) {
		size_t length = strcspn(next, ",");
		uint64_t number;

		if (length >= sizeof(word) || count == room)
			return 0;
		memcpy(word, next, length);
		word[length] = '\0';
		if (!read_number(word, 10, min, max, &number))
			return 0;
		list[count++] = number;
		next = next[length] == ',' ? next + length + 1 : NULL;
	}
	return count;
}

static json_t *
list_value(const uint16_t *list, uint16_t count)
{
	json_t *array = json_array();

	for (uint16_t i = 0; i < count; i++)
		json_array_append_new(array, json_integer(list[i]));
	return array;
}

static bool
parse_sizes(const struct option_row *row, const char *text, void *field)
{
	struct frame_sizes sizes;

	sizes.count = read_list(text, row->min, row->max, sizes.of, MAX_FRAME_SIZES);
	if (sizes.count == 0)
		return false;
	*(struct frame_sizes *)field = sizes;
	return true;
}

static json_t *
sizes_value(const void *field)
{
	const struct frame_sizes *sizes = field;

	return list_value(sizes->of, sizes->count);
}

static void
expect_sizes(const struct option_row *row, char *text, size_t size)
{
	snprintf(text, size,
		 "up to %u frame sizes from %" PRIu64 " to %" PRIu64 ", such as 64,512,1518",
		 MAX_FRAME_SIZES, row->min, row->max);
}

const struct option_kind kind_sizes = { parse_sizes, sizes_value, expect_sizes };

bool
tx_segments_parse(struct tx_segments *segments, const char *text)
{
	struct tx_segments read;

	read.count = read_list(text, 1, UINT16_MAX, read.length, MAX_TX_SEGS);
	if (read.count == 0)
		return false;
	*segments = read;
	return true;
}

static bool
parse_segments(const struct option_row *row, const char *text, void *field)
{
	RTE_SET_USED(row);
	return tx_segments_parse(field, text);
}

static json_t *
segments_value(const void *field)
{
	const struct tx_segments *segments = field;

	return list_value(segments->length, segments->count);
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

static bool
parse_input_path(const struct option_row *row, const char *text, void *field)
{
	RTE_SET_USED(row);
	if (access(text, R_OK) != 0)
		return false;
	*(const char **)field = text;
	return true;
}

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

static void
expect_input_path(const struct option_row *row, char *text, size_t size)
{
	RTE_SET_USED(row);
	snprintf(text, size, "a file that can be read");
}

const struct option_kind kind_input_path = { parse_input_path, output_path_value,
					     expect_input_path };
