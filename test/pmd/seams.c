/* SPDX-License-Identifier: BSD-3-Clause */
/* The other side of seams.h. */
#define SEAMS_BEHIND
#include "seams.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>

#include "harness.h"
#include "inject.h"

enum { BLOCKS_MAX = 1024, LOOK_US = 1 };

static unsigned calls, failing;
static const char *failed;
int inject_error = -EIO;

void
inject_at(unsigned k)
{
	calls = 0;
	failing = k;
	failed = NULL;
}

const char *
inject_failed(void)
{
	return failed;
}

bool
inject_now(const char *what)
{
	if (++calls != failing)
		return false;
	failed = what;
	return true;
}

/* --- the C library ------------------------------------------------------------------------------
 */

/* Blocks that were allocated and not freed, the C library's and EAL's. */
static void *blocks[BLOCKS_MAX];

static void **
place_of(const void *ptr)
{
	for (unsigned i = 0; i < BLOCKS_MAX; i++)
		if (blocks[i] == ptr)
			return &blocks[i];
	return NULL;
}

static void *
note_block(void *ptr)
{
	void **place = place_of(NULL);

	if (place == NULL || ptr == NULL)
		abort();
	return *place = ptr;
}

unsigned
seam_blocks(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BLOCKS_MAX; i++)
		n += blocks[i] != NULL;
	return n;
}

void *
seam_malloc(size_t size)
{
	return inject_now("malloc") ? NULL : note_block(malloc(size));
}

void *
seam_calloc(size_t n, size_t size)
{
	return inject_now("calloc") ? NULL : note_block(calloc(n, size));
}

void *
seam_realloc(void *old, size_t size)
{
	void **place = old != NULL ? place_of(old) : NULL;

	if (inject_now("realloc"))
		return NULL;
	if (place != NULL)
		*place = NULL;
	return note_block(realloc(old, size));
}

char *
seam_strdup(const char *text)
{
	return inject_now("strdup") ? NULL : note_block(strdup(text));
}

void
seam_free(void *ptr)
{
	void **place = ptr != NULL ? place_of(ptr) : NULL;

	if (place != NULL)
		*place = NULL;
	free(ptr);
}

int
seam_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	return inject_now("pthread_mutex_init") ? ENOMEM : pthread_mutex_init(mutex, attr);
}

/* --- EAL's memory -------------------------------------------------------------------------------
 */

static struct rte_memzone zones[RTE_MAX_MEMZONE / 8];
bool seam_memory_is_eal;
void (*seam_zone_made)(const struct rte_memzone *mz);
void (*seam_zone_freed)(const struct rte_memzone *mz);

/* Of exactly this size, so that a sanitizer sees the first byte beyond. */
static void *
aligned_zeros(size_t size, size_t align)
{
	void *p = NULL;

	align = align < sizeof(void *) ? sizeof(void *) : align;
	if (posix_memalign(&p, align, size) != 0)
		abort();
	memset(p, 0, size);
	return p;
}

/* ethdev itself frees what is allocated without a socket (addresses, private data). */
void *
seam_zmalloc(const char *type, size_t size, unsigned align)
{
	return inject_now("rte_zmalloc") ? NULL : rte_zmalloc(type, size, align);
}

void *
seam_zmalloc_socket(const char *type, size_t size, unsigned align, int socket)
{
	if (inject_now("rte_zmalloc_socket"))
		return NULL;
	if (seam_memory_is_eal)
		return rte_zmalloc_socket(type, size, align, socket);
	return note_block(aligned_zeros(size, align));
}

void
seam_rte_free(void *ptr)
{
	if (ptr != NULL && place_of(ptr) != NULL)
		seam_free(ptr);
	else
		rte_free(ptr);
}

static struct rte_memzone *
free_zone(const char *name)
{
	struct rte_memzone *mz = NULL;

	for (unsigned i = 0; i < RTE_DIM(zones); i++) {
		if (zones[i].addr == NULL)
			mz = &zones[i];
		else if (strcmp(zones[i].name, name) == 0)
			rte_errno = EEXIST;
	}
	if (mz == NULL)
		abort();
	return rte_errno == EEXIST ? NULL : mz;
}

uint64_t seam_iova_mask = UINT64_MAX;
unsigned seam_zone_flags;

const struct rte_memzone *
seam_memzone_reserve(const char *name, size_t len, int socket, unsigned flags, unsigned align)
{
	struct rte_memzone *mz;

	rte_errno = 0;
	seam_zone_flags = flags;
	if (inject_now("rte_memzone_reserve_aligned")) {
		rte_errno = ENOMEM;
		return NULL;
	}
	if (seam_memory_is_eal)
		return rte_memzone_reserve_aligned(name, len, socket, flags, align);
	mz = free_zone(name);
	if (mz == NULL)
		return NULL;
	*mz = (struct rte_memzone){ .len = len, .socket_id = socket };
	snprintf(mz->name, sizeof(mz->name), "%s", name);
	mz->addr = aligned_zeros(len, align);
	mz->iova = ((uintptr_t)mz->addr + HARNESS_IOVA) & seam_iova_mask;
	if (seam_zone_made != NULL)
		seam_zone_made(mz);
	return mz;
}

int
seam_memzone_free(const struct rte_memzone *mz)
{
	struct rte_memzone *mine;

	if (mz == NULL)
		return -EINVAL;
	if (mz < zones || mz >= zones + RTE_DIM(zones))
		return rte_memzone_free(mz);
	mine = &zones[mz - zones];
	if (mine->addr == NULL)
		abort(); /* freed twice */
	if (seam_zone_freed != NULL)
		seam_zone_freed(mine);
	free(mine->addr);
	*mine = (struct rte_memzone){ .addr = NULL };
	return 0;
}

unsigned
seam_zones(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RTE_DIM(zones); i++)
		n += zones[i].addr != NULL;
	return n;
}

/* --- interrupts ---------------------------------------------------------------------------------
 */

static struct {
	rte_intr_callback_fn callback;
	void *arg;
	bool on, within;
} interrupt;

void (*seam_unregistering)(void);

int
seam_intr_register(const struct rte_intr_handle *handle, rte_intr_callback_fn callback, void *arg)
{
	(void)handle;
	if (inject_now("rte_intr_callback_register"))
		return -ENOMEM;
	if (interrupt.callback != NULL)
		abort(); /* registered twice */
	interrupt.callback = callback;
	interrupt.arg = arg;
	return 0;
}

int
seam_intr_unregister(const struct rte_intr_handle *handle, rte_intr_callback_fn callback, void *arg)
{
	(void)handle;
	if (interrupt.callback != callback || interrupt.arg != arg)
		return -ENOENT;
	if (seam_unregistering != NULL && !interrupt.within)
		seam_unregistering();
	interrupt.callback = NULL;
	return 1;
}

int
seam_intr_enable(const struct rte_intr_handle *handle)
{
	(void)handle;
	if (inject_now("rte_intr_enable"))
		return -EIO;
	interrupt.on = true;
	return 0;
}

int
seam_intr_disable(const struct rte_intr_handle *handle)
{
	(void)handle;
	interrupt.on = false;
	return 0;
}

int
seam_intr_ack(const struct rte_intr_handle *handle)
{
	(void)handle;
	return 0;
}

int
seam_intr_efd_enable(struct rte_intr_handle *handle, uint32_t n)
{
	return inject_now("rte_intr_efd_enable") ? -EMFILE : rte_intr_efd_enable(handle, n);
}

int
seam_intr_vec_list_alloc(struct rte_intr_handle *handle, const char *name, int size)
{
	if (inject_now("rte_intr_vec_list_alloc"))
		return -ENOMEM;
	return rte_intr_vec_list_alloc(handle, name, size);
}

int
seam_is_intr(void)
{
	return interrupt.within;
}

bool
seam_interrupt(void)
{
	if (interrupt.callback == NULL)
		return false;
	interrupt.within = true;
	interrupt.callback(interrupt.arg);
	interrupt.within = false;
	return true;
}

bool
seam_interrupts_on(void)
{
	return interrupt.callback != NULL && interrupt.on;
}

bool
seam_interrupts_left_on(void)
{
	return interrupt.callback == NULL && interrupt.on;
}

bool
seam_interrupt_registered(void)
{
	return interrupt.callback != NULL;
}

/* --- alarms -------------------------------------------------------------------------------------
 */

static struct alarm {
	rte_eal_alarm_callback callback;
	void *arg;
	uint64_t due;
} alarms[8];

bool seam_no_alarms;

int
seam_alarm_set(uint64_t us, rte_eal_alarm_callback callback, void *arg)
{
	if (seam_no_alarms || inject_now("rte_eal_alarm_set"))
		return -ENOMEM;
	for (unsigned i = 0; i < RTE_DIM(alarms); i++) {
		if (alarms[i].callback != NULL)
			continue;
		alarms[i] = (struct alarm){ callback, arg, seam_now_us + us };
		return 0;
	}
	abort();
}

int
seam_alarm_cancel(rte_eal_alarm_callback callback, void *arg)
{
	int n = 0;

	for (unsigned i = 0; i < RTE_DIM(alarms); i++) {
		if (alarms[i].callback != callback || alarms[i].arg != arg)
			continue;
		alarms[i].callback = NULL;
		n++;
	}
	return n;
}

unsigned
seam_alarms(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RTE_DIM(alarms); i++)
		n += alarms[i].callback != NULL;
	return n;
}

static struct alarm *
next_alarm(void)
{
	struct alarm *next = NULL;

	for (unsigned i = 0; i < RTE_DIM(alarms); i++)
		if (alarms[i].callback != NULL && (next == NULL || alarms[i].due < next->due))
			next = &alarms[i];
	return next;
}

bool
seam_alarm(void)
{
	struct alarm *next = next_alarm(), now;

	if (next == NULL)
		return false;
	now = *next;
	next->callback = NULL;
	if (seam_now_us < now.due)
		seam_now_us = now.due;
	interrupt.within = true;
	now.callback(now.arg);
	interrupt.within = false;
	return true;
}

void
seam_alarms_within(uint64_t us)
{
	uint64_t until = seam_now_us + us;

	for (unsigned i = 0; next_alarm() != NULL && next_alarm()->due <= until; i++) {
		if (i == 200)
			fail_msg("alarms without end");
		seam_alarm();
	}
}

/* --- time ---------------------------------------------------------------------------------------
 */

uint64_t seam_now_us;
void (*seam_slept)(void);

int
seam_clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	seam_now_us += LOOK_US;
	now->tv_sec = (time_t)(seam_now_us / 1000000);
	now->tv_nsec = (long)(seam_now_us % 1000000 * 1000);
	return 0;
}

int
seam_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	seam_sleep((unsigned)(time->tv_sec * 1000000 + time->tv_nsec / 1000));
	return 0;
}

uint64_t
seam_cycles(void)
{
	return seam_now_us += LOOK_US;
}

uint64_t
seam_hz(void)
{
	return 1000000;
}

void
seam_sleep(unsigned us)
{
	seam_now_us += us;
	if (seam_slept != NULL)
		seam_slept();
}
