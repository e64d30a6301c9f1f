/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <stdio.h>

#include <rte_common.h>

#include "virtio/log.h"
#include "hush.h"

RTE_LOG_REGISTER_SUFFIX(vio_logtype, , NOTICE);

static _Thread_local struct vio_hush *current_hush;

struct vio_hush *
vio_log_under(struct vio_hush *hush)
{
	struct vio_hush *before = current_hush;

	current_hush = hush;
	return before;
}

static void
say(uint32_t level, const char *format, va_list args)
{
	char text[1024];

	/* A line that nobody sees must not count as said. */
	if (!rte_log_can_log(vio_logtype, level))
		return;
	vsnprintf(text, sizeof(text), format, args);
	if (current_hush != NULL && level < RTE_LOG_INFO && !vio_hush_lets(current_hush, text))
		level = RTE_LOG_DEBUG;
	rte_log(level, vio_logtype, "vio: %s\n", text);
}

void
vio_say(uint32_t level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(level, format, args);
	va_end(args);
}

/* What lib/virtio says goes the same way as what the driver says. */
static void
to_eal(enum vio_log_level level, const char *format, va_list args)
{
	static const uint32_t levels[] = {
		[VIO_LOG_ERR] = RTE_LOG_ERR,       [VIO_LOG_WARNING] = RTE_LOG_WARNING,
		[VIO_LOG_NOTICE] = RTE_LOG_NOTICE, [VIO_LOG_INFO] = RTE_LOG_INFO,
		[VIO_LOG_DEBUG] = RTE_LOG_DEBUG,
	};

	say(levels[level], format, args);
}

RTE_INIT(vio_log_init)
{
	vio_log_to(to_eal);
}
