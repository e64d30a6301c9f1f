/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL's log, kept in memory. */
#include "harness_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "net/vio/log.h"

static char kept[65536];
static size_t used;
static unsigned errors;

static ssize_t
keep(void *cookie, const char *text, size_t len)
{
	size_t n = len < sizeof(kept) - 1 - used ? len : sizeof(kept) - 1 - used;

	(void)cookie;
	errors += rte_log_cur_msg_logtype() == vio_logtype &&
		  rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR;
	memcpy(kept + used, text, n);
	used += n;
	kept[used] = '\0';
	if (getenv("HARNESS_LOG") != NULL)
		fwrite(text, 1, len, stderr);
	return (ssize_t)len;
}

void
log_keep(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = keep });

	if (stream == NULL)
		abort();
	setvbuf(stream, NULL, _IONBF, 0);
	rte_openlog_stream(stream);
}

const char *
harness_log(void)
{
	return kept;
}

void
harness_quiet(void)
{
	used = errors = 0;
	kept[0] = '\0';
}

bool
harness_said(const char *words)
{
	for (const char *line = kept; *line != '\0'; line += strcspn(line, "\n") + 1) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, "vio: ", 5) == 0 &&
		    memmem(line, len, words, strlen(words)) != NULL)
			return true;
		if (line[len] == '\0')
			break;
	}
	return false;
}

unsigned
harness_errors(void)
{
	return errors;
}
