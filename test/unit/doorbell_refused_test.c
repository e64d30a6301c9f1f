/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells where the kernel gives no asynchronous I/O (a seccomp filter): they ring all the same,
 * by write(2), and the log says what that means. Each case is a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "virtio/doorbell.h"
#include "virtio/log.h"

enum { RINGS = 300, GOOD = 0, LOST, UNTOLD, TOLD, CANNOT };

static char said[512];

static void
keep(enum vio_log_level level, const char *format, va_list args)
{
	if (level == VIO_LOG_NOTICE)
		vsnprintf(said, sizeof(said), format, args);
}

/* From now on this call fails with EPERM. */
static int
refuse(long call)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(rules) / sizeof(rules[0]), .filter = rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The child's end. */
static int
rings(long refused, int told)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t count = 0;

	vio_log_to(keep);
	if (refuse(refused) < 0)
		return CANNOT; /* an emulator's system calls are its own */
	vio_doorbell_init();
	for (unsigned i = 0; i < RINGS; i++)
		vio_doorbell_ring(fd);
	if (read(fd, &count, sizeof(count)) != sizeof(count) || count != RINGS)
		return LOST;
	if (told && strstr(said, "no asynchronous I/O to be had (Operation not") == NULL)
		return UNTOLD;
	return !told && said[0] != '\0' ? TOLD : GOOD;
}

static void
check(long refused, int told)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(rings(refused, told));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT)
		skip();
	assert_int_equal(WEXITSTATUS(status), GOOD);
}

static void
setup_refused(void **state)
{
	(void)state;
	check(SYS_io_setup, 1);
}

/* As with a filter that came later, or after a fork(). */
static void
submit_refused(void **state)
{
	(void)state;
	check(SYS_io_submit, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(setup_refused),
	cmocka_unit_test(submit_refused),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
