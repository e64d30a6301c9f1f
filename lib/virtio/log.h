/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of lib/virtio. The program that links it says where they go. */
#ifndef VIO_LOG_H
#define VIO_LOG_H

#include <stdarg.h>

enum vio_log_level { VIO_LOG_ERR, VIO_LOG_WARNING, VIO_LOG_NOTICE, VIO_LOG_INFO, VIO_LOG_DEBUG };

/* Receives each message, without a newline at its end. */
typedef void (*vio_log_sink)(enum vio_log_level level, const char *format, va_list args);

/* Sends all later messages to sink; NULL (as at the start) drops them. Not thread-safe: call it
 * once, before the first device is opened. */
void vio_log_to(vio_log_sink sink);

void vio_log(enum vio_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define vio_err(...)    vio_log(VIO_LOG_ERR, __VA_ARGS__)
#define vio_warn(...)   vio_log(VIO_LOG_WARNING, __VA_ARGS__)
#define vio_notice(...) vio_log(VIO_LOG_NOTICE, __VA_ARGS__)
#define vio_info(...)   vio_log(VIO_LOG_INFO, __VA_ARGS__)
#define vio_debug(...)  vio_log(VIO_LOG_DEBUG, __VA_ARGS__)

#endif
