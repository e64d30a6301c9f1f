/* SPDX-License-Identifier: BSD-3-Clause */
#include "doorbell.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include "log.h"

/* Ends that the kernel keeps until somebody takes them; and how many are taken at once. */
#define ENDS       256
#define ENDS_TAKEN 64
/* Other threads may use up what one has made room for: not so often. */
#define TRIES 16

static pthread_once_t once = PTHREAD_ONCE_INIT;
static aio_context_t context;
static int null_fd = -1;

static void
init(void)
{
	int error;

	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd >= 0 && syscall(SYS_io_setup, ENDS, &context) == 0)
		return;
	error = errno;
	if (null_fd >= 0)
		close(null_fd);
	null_fd = -1;
	vio_notice("no asynchronous I/O to be had (%s): a vhost-user back-end that means harm can "
		   "make a thread wait that kicks it; raise fs.aio-max-nr, or allow io_setup(2)",
		   strerror(error));
}

void
vio_doorbell_init(void)
{
	pthread_once(&once, init);
}

/* Returns whether the eventfd was signalled; else errno says why not. */
static int
submit(int fd)
{
	struct iocb nothing = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = (uint32_t)null_fd,
		.aio_buf = (uint64_t)(uintptr_t)&nothing,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *list[] = { &nothing };

	return syscall(SYS_io_submit, context, 1, list) == 1;
}

/* They say nothing that is not known. */
static void
take_ends(void)
{
	struct io_event ends[ENDS_TAKEN];
	struct timespec at_once = { 0 };

	syscall(SYS_io_getevents, context, 0, ENDS_TAKEN, ends, &at_once);
}

void
vio_doorbell_ring(int fd)
{
	const uint64_t one = 1;
	ssize_t n;

	for (unsigned i = 0; null_fd >= 0 && i < TRIES; i++) {
		if (submit(fd))
			return;
		if (errno != EAGAIN)
			break; /* after a fork() the context is the parent's alone */
		take_ends();
	}
	n = write(fd, &one, sizeof(one));
	(void)n;
}
