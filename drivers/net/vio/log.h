/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's messages. EAL's option --log-level=pmd.net.vio:debug shows all of them. */
#ifndef VIO_PMD_LOG_H
#define VIO_PMD_LOG_H

#include <rte_log.h>

extern int vio_logtype;

#define VIO_LOG(level, format, ...) \
	rte_log(RTE_LOG_##level, vio_logtype, "vio: " format "\n", ##__VA_ARGS__)

/* For a port: names it. */
#define PORT_LOG(port, level, format, ...) \
	VIO_LOG(level, "%s: " format, (port)->name, ##__VA_ARGS__)

#endif
