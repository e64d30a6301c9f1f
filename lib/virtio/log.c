/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <stddef.h>

static vio_log_sink current_sink;

void
vio_log_to(vio_log_sink sink)
{
	current_sink = sink;
}

void
vio_log(enum vio_log_level level, const char *format, ...)
{
	va_list args;

	if (current_sink == NULL)
		return;
	va_start(args, format);
	current_sink(level, format, args);
	va_end(args);
}
