/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device says: one JSON object a line, with the milliseconds since its start, and the
 * microseconds of the clock that all processes of the machine share (CLOCK_MONOTONIC). */
#ifndef HOSTILE_REPORT_H
#define HOSTILE_REPORT_H

#include <stdint.h>

uint64_t now_ms(void);

/* An event with further members as jansson's json_pack() takes them: "{s:i}", "key", 1. */
void report(const char *event, const char *format, ...);

#endif
