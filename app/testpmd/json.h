/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_JSON_H
#define TESTPMD_JSON_H

#include "results.h"

/* Raised whenever a key changes its meaning or goes away. */
#define JSON_SCHEMA 1

/*
 * Writes the results to the file. A reader sees the old file or the whole new one. False when
 * that fails; the error has been printed.
 */
bool json_write(const char *path, const struct results *results);

#endif
