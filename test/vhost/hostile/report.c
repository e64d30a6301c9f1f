/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
now_ms(void)
{
	static uint64_t first;
	uint64_t ms = now_us() / 1000;

	if (first == 0)
		first = ms;
	return ms - first;
}

void
report(const char *event, const char *format, ...)
{
	json_t *line = json_pack("{s:s, s:I, s:I}", "event", event, "ms", (json_int_t)now_ms(),
				 "us", (json_int_t)now_us());
	json_t *more;
	json_error_t error;
	va_list args;

	va_start(args, format);
	more = json_vpack_ex(&error, 0, format, args);
	va_end(args);
	if (line == NULL || more == NULL) {
		fprintf(stderr, "hostile: %s: %s\n", event, error.text);
		exit(1);
	}
	json_object_update(line, more);
	json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	fflush(stdout);
	json_decref(more);
	json_decref(line);
}
