/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_TELEMETRY_H
#define TESTPMD_TELEMETRY_H

#include "session.h"

/*
 * Adds the endpoints below /vio_testpmd, which tell the figures of the run that goes on or was
 * last. The session must stay.
 */
void telemetry_register(struct session *session);

#endif
