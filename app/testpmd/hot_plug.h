/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_HOT_PLUG_H
#define TESTPMD_HOT_PLUG_H

#include "ports.h"

/*
 * Has EAL listen for devices that are pulled out, and live through accesses to what is no longer
 * there. False: the error has been printed.
 */
bool hot_plug_begin(void);

/* Undoes that; no device is released from now on. */
void hot_plug_end(void);

/*
 * Closes each port whose device was pulled out, and gives the device back: a kernel that asked for
 * it waits for that. Such a port must not be polled any more. Called now and then by the main
 * thread; does nothing unless hot_plug_begin() was called.
 */
void hot_plug_look(struct ports *ports);

/* Asks the drivers of ports that nobody polls, and watches, whether their device was pulled out. */
void hot_plug_look_idle(struct ports *ports);

#endif
