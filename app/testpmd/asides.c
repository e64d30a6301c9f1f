/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_log.h>

#include "asides.h"

/* More than this is of a program in trouble; what does not fit is printed at once. */
#define ROOM 8192

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* From here on all is under the lock. */
static bool editing;
static pthread_t editor;
static char waiting[ROOM];
static size_t used;

static FILE *eal_log;

static void
print(const char *text, size_t length)
{
	/* A terminal that is gone is no reason to fail. */
	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, text, length);

		if (n <= 0)
			return;
		text += n;
		length -= n;
	}
}

static void
say(const char *text, size_t length)
{
	pthread_mutex_lock(&lock);
	if (!editing || pthread_equal(editor, pthread_self()) || length > ROOM - used) {
		print(text, length);
	} else {
		memcpy(waiting + used, text, length);
		used += length;
	}
	pthread_mutex_unlock(&lock);
}

void
asides_say(const char *text)
{
	say(text, strlen(text));
}

static ssize_t
log_write(void *cookie, const char *text, size_t length)
{
	(void)cookie;
	say(text, length);
	return length;
}

void
asides_begin(void)
{
	const cookie_io_functions_t functions = { .write = log_write };

	pthread_mutex_lock(&lock);
	editing = true;
	editor = pthread_self();
	pthread_mutex_unlock(&lock);
	eal_log = fopencookie(NULL, "w", functions);
	if (eal_log != NULL)
		rte_openlog_stream(eal_log);
}

void
asides_end(void)
{
	asides_print();
	pthread_mutex_lock(&lock);
	editing = false;
	pthread_mutex_unlock(&lock);
	/* Another thread may be writing to it just now: it is not closed. */
	rte_openlog_stream(NULL);
}

bool
asides_wait(void)
{
	bool some;

	pthread_mutex_lock(&lock);
	some = used > 0;
	pthread_mutex_unlock(&lock);
	return some;
}

void
asides_print(void)
{
	pthread_mutex_lock(&lock);
	print(waiting, used);
	used = 0;
	pthread_mutex_unlock(&lock);
}
