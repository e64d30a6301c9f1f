/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_MSG_H
#define TESTPMD_MSG_H

/*
 * What a user reads on stderr: one line that says what happened and, where there is something to
 * do about it, one more that says what. stdout belongs to the statistics and the report.
 */

/* Prints "vio-testpmd: <text>". */
void msg_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As msg_notice, for what ends the program. */
void msg_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the line that tells the user what to do about the message before. */
void msg_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
