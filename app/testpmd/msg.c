/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "asides.h"
#include "msg.h"

/* One write per line: the interrupt thread and the main thread both print. */
static void
print_line(const char *prefix, const char *format, va_list args)
{
	char text[1024], line[1088];

	vsnprintf(text, sizeof(text), format, args);
	snprintf(line, sizeof(line), "%s%s\n", prefix, text);
	asides_say(line);
}

void
msg_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("vio-testpmd: ", format, args);
	va_end(args);
}

void
msg_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("vio-testpmd: error: ", format, args);
	va_end(args);
}

void
msg_hint(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("  what to do: ", format, args);
	va_end(args);
}
