/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the harness share. */
#ifndef PMD_HARNESS_PARTS_H
#define PMD_HARNESS_PARTS_H

#include "harness.h"

/* Makes both pools; makes their memory known to a device. */
void pools_make(void);
void pools_tell(struct device *dev);

/* A transport that hands each operation to the device's, unless it is one that is to fail. */
void transport_wrap(struct harness *h, bool legacy);

/* From now on EAL's log is kept (harness_log()). With HARNESS_LOG in the environment it is shown.
 */
void log_keep(void);

#endif
