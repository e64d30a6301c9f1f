/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's messages. EAL's option --log-level=pmd.net.vio:debug shows all of them. */
#ifndef VIO_PMD_LOG_H
#define VIO_PMD_LOG_H

#include <stdint.h>

#include <rte_log.h>

struct vio_hush;

extern int vio_logtype;

/* One line of EAL's log; level is one of RTE_LOG_*. */
void vio_say(uint32_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* From now on what this thread says goes by hush (hush.h), and to the level for debugging where
 * that holds it back; NULL: all is said. Returns what held before, which the caller puts back. */
struct vio_hush *vio_log_under(struct vio_hush *hush);

#define VIO_LOG(level, format, ...) vio_say(RTE_LOG_##level, format, ##__VA_ARGS__)

/* For a port: names it. */
#define PORT_LOG(port, level, format, ...) \
	VIO_LOG(level, "%s: " format, (port)->name, ##__VA_ARGS__)

#endif
