/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock.h"

#include <time.h>

#define LOOK_NS 1000

uint64_t clock_now;
unsigned clock_looks;

int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);

void
clock_restart(void)
{
	clock_now = 0;
	clock_looks = 0;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	clock_looks++;
	clock_now += LOOK_NS;
	now->tv_sec = (time_t)(clock_now / 1000000000);
	now->tv_nsec = (long)(clock_now % 1000000000);
	return 0;
}

int
__wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	clock_now += (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
	return 0;
}
