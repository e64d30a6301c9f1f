/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <stdio.h>

#include <rte_common.h>

#include "virtio/log.h"

RTE_LOG_REGISTER_SUFFIX(vio_logtype, , NOTICE);

/* What lib/virtio says goes the same way as what the driver says. */
static void
to_eal(enum vio_log_level level, const char *format, va_list args)
{
	static const uint32_t levels[] = {
		[VIO_LOG_ERR] = RTE_LOG_ERR,       [VIO_LOG_WARNING] = RTE_LOG_WARNING,
		[VIO_LOG_NOTICE] = RTE_LOG_NOTICE, [VIO_LOG_INFO] = RTE_LOG_INFO,
		[VIO_LOG_DEBUG] = RTE_LOG_DEBUG,
	};
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	rte_log(levels[level], vio_logtype, "vio: %s\n", text);
}

RTE_INIT(vio_log_init)
{
	vio_log_to(to_eal);
}
