/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_PROMPT_H
#define TESTPMD_PROMPT_H

#include "session.h"

/*
 * Takes commands from standard input until `quit`, its end, or a signal. On a terminal with
 * editing, history and completion; else line by line.
 */
void prompt_run(struct session *session);

/* Does the commands of a file. What a line has wrong is printed, the next one is done. */
void prompt_file(struct session *session, const char *path);

#endif
