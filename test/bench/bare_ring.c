/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bare_ring: what a ring costs when there is nothing but the ring. A driver without mbufs, in which
 * each descriptor has one fixed buffer, plays against the null device's code in another thread, a
 * cache line of descriptors at a time. A yardstick for drivers, not a lower bound: it is plain C.
 *
 * Cycles are counted as dpdk-testpmd counts them: only of bursts that found something, of up to 32.
 */
#include <getopt.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <rte_cycles.h>

#include "packed.h"

#define SIZE         256  /* descriptors */
#define BURST        32   /* descriptors a look */
#define LINE         4    /* packed descriptors a cache line */
#define STRIDE       2368 /* of buffers: 37 cache lines, so that headers spread over the cache */
#define HEADROOM     64
#define FRAME        60
#define DEVICE_BATCH 64
#define AREA         (UINT64_C(2) << 20) /* bytes of memory: one hugepage */
#define RING_BYTES   (64 << 10)          /* of it, for the ring */

struct bare {
	struct queue q; /* the device's; of it the driver knows the ring's addresses only */
	struct memory memory;
	uint8_t *buffers;
	bool header; /* the driver reads each header */
	uint16_t next;
	bool wrap;
	unsigned wrong; /* used descriptors that are not what they must be */
	bool stop;
	int device_cpu;
};

/* One case, and one line of the result. */
struct bare_case {
	const char *name;
	bool packed;
	bool receive;
	bool header;
};

static const struct bare_case cases[] = {
	{ "packed transmit", true, false, false },
	{ "packed receive", true, true, false },
	{ "packed receive, header read", true, true, true },
	{ "split transmit", false, false, false },
	{ "split receive", false, true, false },
	{ "split receive, header read", false, true, true },
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static uint8_t *
buffer(const struct bare *b, uint16_t id)
{
	return b->buffers + (size_t)id * STRIDE + HEADROOM;
}

static void
read_header(struct bare *b, uint16_t id)
{
	uint16_t num_buffers;

	memcpy(&num_buffers, buffer(b, id) + 10, sizeof(num_buffers));
	b->wrong += num_buffers != 1;
}

static void
put_packed(struct bare *b, uint16_t at, bool wrap)
{
	struct vring_packed_desc *desc = &b->q.packed[at];
	uint64_t flags = packed_available(wrap) | (b->q.receive ? VRING_DESC_F_WRITE : 0);

	desc->addr = (uintptr_t)buffer(b, at);
	__atomic_store_n(packed_word(desc), flags << 48 | (uint64_t)at << 32 | (STRIDE - HEADROOM),
			 __ATOMIC_RELEASE);
}

/* The words of a cache line that is used as a whole. Lines that come later are asked for already,
 * to be written. */
static bool
load_line(const struct bare *b, uint16_t at, uint64_t *words)
{
	struct vring_packed_desc *desc = &b->q.packed[at];

	__builtin_prefetch(&b->q.packed[(at + BURST) % SIZE], 1);
	for (int i = 0; i < LINE; i++) {
		words[i] = __atomic_load_n(packed_word(&desc[i]), __ATOMIC_ACQUIRE);
		if ((word_flags(words[i]) & PACKED_STATE) != (b->wrap ? PACKED_STATE : 0))
			return false;
	}
	return true;
}

static void
check_packed(struct bare *b, uint16_t id, uint64_t word)
{
	uint64_t expected = (uint64_t)packed_used(b->wrap, b->q.receive) << 48 |
			    (uint64_t)id << 32 | (b->q.receive ? b->q.used_bytes : 0);

	b->wrong += word != expected;
	if (b->header)
		read_header(b, id);
}

/* Takes lines back and makes them available again, the first descriptor last: the device looks
 * there. */
static unsigned
burst_packed(struct bare *b)
{
	uint64_t words[BURST];
	unsigned n = 0;

	while (n < BURST && b->next + n < SIZE && load_line(b, b->next + n, &words[n]))
		n += LINE;
	for (unsigned i = 0; i < n; i++)
		check_packed(b, b->next + i, words[i]);
	for (unsigned i = n; i-- > 0;)
		put_packed(b, b->next + i, !b->wrap);
	b->next += n;
	if (b->next == SIZE) {
		b->next = 0;
		b->wrap = !b->wrap;
	}
	return n;
}

static void
put_split(struct bare *b, uint16_t id)
{
	b->q.desc[id] = (struct vring_desc){
		.addr = (uintptr_t)buffer(b, id),
		.len = STRIDE - HEADROOM,
		.flags = b->q.receive ? VRING_DESC_F_WRITE : 0,
	};
	b->q.avail->ring[id] = id;
}

static unsigned
burst_split(struct bare *b)
{
	uint16_t waiting = __atomic_load_n(&b->q.used->idx, __ATOMIC_ACQUIRE) - b->next;
	uint32_t bytes = b->q.receive ? b->q.used_bytes : 0;

	if (waiting > BURST)
		waiting = BURST;
	for (uint16_t i = 0; i < waiting; i++) {
		uint16_t slot = (b->next + i) % SIZE;
		const struct vring_used_elem *used = &b->q.used->ring[slot];

		b->wrong += used->id != slot || used->len != bytes;
		if (b->header)
			read_header(b, slot);
		put_split(b, slot);
	}
	b->next += waiting;
	if (waiting > 0)
		__atomic_store_n(&b->q.avail->idx, b->next + SIZE, __ATOMIC_RELEASE);
	return waiting;
}

/* Makes every descriptor available; desc, avail and used lie one after the other, the entries of
 * the used ring at the start of a cache line. */
static void
fill_ring(struct bare *b, bool packed, uint8_t *ring)
{
	b->wrap = true;
	if (packed) {
		b->q.packed = (struct vring_packed_desc *)ring;
		for (int i = SIZE - 1; i >= 0; i--)
			put_packed(b, i, true);
		return;
	}
	b->q.desc = (struct vring_desc *)ring;
	b->q.avail = (struct vring_avail *)(ring + 8192 - 4);
	b->q.used = (struct vring_used *)(ring + 16384 - 4);
	for (int i = 0; i < SIZE; i++)
		put_split(b, i);
	b->q.avail->idx = SIZE;
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0) {
		fprintf(stderr, "bare_ring: there is no CPU %d to run on: choose with --cpus\n",
			cpu);
		exit(2);
	}
}

static void *
device(void *arg)
{
	struct bare *b = arg;

	pin(b->device_cpu);
	while (!__atomic_load_n(&b->stop, __ATOMIC_RELAXED) && b->q.fault == NULL)
		b->q.completed += b->q.serve(&b->q, DEVICE_BATCH);
	return NULL;
}

struct figures {
	double busy; /* cycles a descriptor, of bursts that found something */
	double wall; /* of all */
	uint64_t descriptors;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct figures
drive(struct bare *b, bool packed, double seconds)
{
	uint64_t start = rte_rdtsc(), end = start, busy = 0, descriptors = 0;
	double stop = now() + seconds;

	for (unsigned round = 0; round % 4096 != 0 || now() < stop; round++) {
		uint64_t from = rte_rdtsc();
		unsigned n = packed ? burst_packed(b) : burst_split(b);

		end = rte_rdtsc();
		if (n > 0)
			busy += end - from;
		descriptors += n;
	}
	return (struct figures){ .busy = descriptors ? (double)busy / descriptors : 0,
				 .wall = descriptors ? (double)(end - start) / descriptors : 0,
				 .descriptors = descriptors };
}

static void
prepare(struct bare *b, const struct bare_case *c, uint8_t *area, int device_cpu)
{
	struct serve_kind kind = { .packed = c->packed,
				   .receive = c->receive,
				   .touch = c->header ? TOUCH_HEADER : TOUCH_RING };

	memset(area, 0, AREA);
	*b = (struct bare){
		.q = { .serve = serve_choose(kind),
		       .size = SIZE,
		       .wrap = true,
		       .receive = c->receive,
		       .used_bytes = HEADER_BYTES + FRAME },
		.memory = { .regions = { { (uintptr_t)area, AREA, area } }, .count = 1 },
		.buffers = area + RING_BYTES,
		.header = c->header,
		.device_cpu = device_cpu,
	};
	b->q.memory = &b->memory;
	fill_ring(b, c->packed, area);
}

/* Returns false after telling what went wrong. */
static bool
run_case(const struct bare_case *c, uint8_t *area, int device_cpu, double seconds,
	 struct figures *figures)
{
	static struct bare b;
	pthread_t thread;

	prepare(&b, c, area, device_cpu);
	if (pthread_create(&thread, NULL, device, &b) != 0) {
		fprintf(stderr, "bare_ring: cannot start a thread\n");
		return false;
	}
	*figures = drive(&b, c->packed, seconds);
	__atomic_store_n(&b.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	if (b.q.fault != NULL)
		fprintf(stderr, "bare_ring: %s: the device stopped: %s\n", c->name, b.q.fault);
	if (b.wrong > 0)
		fprintf(stderr, "bare_ring: %s: %u used descriptors were wrong\n", c->name,
			b.wrong);
	if (figures->descriptors < SIZE)
		fprintf(stderr, "bare_ring: %s: nothing moved\n", c->name);
	return b.q.fault == NULL && b.wrong == 0 && figures->descriptors >= SIZE;
}

static uint8_t *
get_area(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);

	if (area == MAP_FAILED)
		area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (area == MAP_FAILED) {
		fprintf(stderr, "bare_ring: no memory\n");
		exit(1);
	}
	return area;
}

static void
print(bool json, const struct bare_case *c, const struct figures *f, bool last)
{
	if (json)
		printf("  {\"case\": \"%s\", \"busy\": %.2f, \"wall\": %.2f}%s\n", c->name, f->busy,
		       f->wall, last ? "" : ",");
	else
		printf("%-30s %8.1f %8.1f\n", c->name, f->busy, f->wall);
}

static void
usage(void)
{
	fprintf(stderr,
		"usage: bare_ring [--cpus DRIVER,DEVICE] [--seconds S] [--json]\n"
		"cycles a descriptor of a driver without mbufs; CPUs 1,0 and 1 s by default\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "cpus", required_argument, NULL, 'c' },
						 { "seconds", required_argument, NULL, 's' },
						 { "json", no_argument, NULL, 'j' },
						 { NULL, 0, NULL, 0 } };
	int option, driver_cpu = 1, device_cpu = 0;
	double seconds = 1;
	bool json = false, good = true;
	uint8_t *area;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c' && sscanf(optarg, "%d,%d", &driver_cpu, &device_cpu) == 2)
			continue;
		if (option == 's' && sscanf(optarg, "%lf", &seconds) == 1 && seconds > 0)
			continue;
		if (option != 'j')
			usage();
		json = true;
	}
	if (optind < argc)
		usage();
	pin(driver_cpu);
	area = get_area();
	printf(json ? "[\n" : "%-30s %8s %8s\n", "cycles a descriptor", "busy", "wall");
	for (size_t i = 0; i < N_CASES; i++) {
		struct figures figures = { 0 };

		good &= run_case(&cases[i], area, device_cpu, seconds, &figures);
		print(json, &cases[i], &figures, i + 1 == N_CASES);
	}
	if (json)
		printf("]\n");
	return good ? 0 : 1;
}
