/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_vhost.h>

#include "packed.h"

#define NO_DEVICE       (-1)
#define HOLD_SECONDS    5
#define HOLD_STEP_US    50
#define PACKED_NO_EVENT 1 /* RING_EVENT_FLAGS_DISABLE, spec 2.8.14 */

/* The queues and memory belong to the serving thread, but while it is held: then they belong to the
 * thread of rte_vhost that holds it. */
static struct queue queues[QUEUES_MAX];
static bool enabled[QUEUES_MAX];
static struct memory memory;

static struct device_params params;
static int device_vid = NO_DEVICE;
static uint64_t negotiated;
static uint64_t completed[2]; /* of queues that are gone; [receive] */

static unsigned hold_wanted;
static unsigned hold_given;
static bool serving;
static bool end_wanted;

/* Returns once the serving thread keeps away from the rings. It can be late where both share a CPU,
 * but it never waits for anything. */
static void
hold(void)
{
	uint64_t steps = HOLD_SECONDS * UINT64_C(1000000) / HOLD_STEP_US;

	__atomic_store_n(&hold_wanted, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&serving, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&hold_given, __ATOMIC_SEQ_CST)) {
		if (steps-- == 0)
			rte_panic("null_device: the serving thread does not answer\n");
		usleep(HOLD_STEP_US);
	}
}

static void
release(void)
{
	__atomic_store_n(&hold_wanted, 0, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&serving, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&hold_given, __ATOMIC_SEQ_CST))
		usleep(HOLD_STEP_US);
}

static bool
has(unsigned feature)
{
	return negotiated & (UINT64_C(1) << feature);
}

static int
learn_memory(int vid)
{
	struct rte_vhost_memory *table;

	if (rte_vhost_get_mem_table(vid, &table) < 0)
		return -1;
	memory.count = 0;
	for (uint32_t i = 0; i < table->nregions && i < REGIONS_MAX; i++)
		memory.regions[memory.count++] = (struct region){
			.from = table->regions[i].guest_phys_addr,
			.bytes = table->regions[i].size,
			.at = (uint8_t *)(uintptr_t)table->regions[i].host_user_addr,
		};
	free(table);
	return 0;
}

/* rte_vhost's own function for this wants a lock that its callers of callbacks may hold. */
static void
refuse_kicks(struct rte_vhost_vring *vring)
{
	if (has(VIRTIO_F_RING_PACKED))
		vring->device_event->flags = PACKED_NO_EVENT;
	else
		vring->used->flags = VRING_USED_F_NO_NOTIFY;
}

static void
open_queue(int vid, uint16_t id)
{
	struct queue *q = &queues[id];
	struct rte_vhost_vring vring;
	uint16_t base, used_base;
	bool receive = id % 2 == 0;
	struct serve_kind kind = {
		.packed = has(VIRTIO_F_RING_PACKED),
		.receive = receive,
		.touch = receive && has(VIRTIO_NET_F_MRG_RXBUF) ? TOUCH_HEADER : params.touch,
		.shuffle = params.shuffle && !has(VIRTIO_F_IN_ORDER),
	};

	if (rte_vhost_get_vhost_vring(vid, id, &vring) < 0 || vring.desc == NULL ||
	    rte_vhost_get_vring_base(vid, id, &base, &used_base) < 0)
		return;
	*q = (struct queue){
		.serve = serve_choose(kind),
		.size = vring.size,
		.next = kind.packed ? base & 0x7fff : base,
		.wrap = base >> 15,
		.receive = receive,
		.used_bytes = HEADER_BYTES + params.frame,
		.random = 1 + id,
		.memory = &memory,
	};
	if (kind.packed) {
		q->packed = vring.desc_packed;
	} else {
		q->desc = vring.desc;
		q->avail = vring.avail;
		q->used = vring.used;
	}
	refuse_kicks(&vring);
}

/* rte_vhost is told where the queue stands: it tells the driver, and open_queue(). */
static void
close_queue(int vid, uint16_t id)
{
	struct queue *q = &queues[id];
	uint16_t base = q->next;

	if (q->serve == NULL)
		return;
	if (has(VIRTIO_F_RING_PACKED))
		base |= q->wrap << 15;
	rte_vhost_set_vring_base(vid, id, base, base);
	completed[q->receive] += q->completed;
	*q = (struct queue){ 0 };
}

/* Drivers do not always make rings of the size that they were asked for. */
static void
print_rings(int vid)
{
	struct rte_vhost_vring vring;

	printf("rings");
	for (uint16_t id = 0; id < QUEUES_MAX; id++)
		if (enabled[id] && rte_vhost_get_vhost_vring(vid, id, &vring) == 0)
			printf(" %u", vring.size);
	printf("\n");
}

static int
on_new(int vid)
{
	if (device_vid != NO_DEVICE) {
		fprintf(stderr, "null_device: one driver is served already; end it first\n");
		return -1;
	}
	hold();
	device_vid = vid;
	if (rte_vhost_get_negotiated_features(vid, &negotiated) < 0 || learn_memory(vid) < 0) {
		device_vid = NO_DEVICE;
		release();
		return -1;
	}
	for (uint16_t id = 0; id < QUEUES_MAX; id++)
		if (enabled[id])
			open_queue(vid, id);
	release();
	print_rings(vid);
	printf("negotiated 0x%" PRIx64 "\n", negotiated);
	return 0;
}

static void
on_destroy(int vid)
{
	hold();
	for (uint16_t id = 0; id < QUEUES_MAX; id++)
		close_queue(vid, id);
	device_vid = NO_DEVICE;
	release();
}

/* Comes before on_new() too. Queues are disabled while the memory table changes. */
static int
on_vring_state(int vid, uint16_t id, int enable)
{
	if (id >= QUEUES_MAX)
		return 0;
	hold();
	close_queue(vid, id);
	enabled[id] = enable;
	if (enable && device_vid == vid && learn_memory(vid) == 0)
		open_queue(vid, id);
	release();
	return 0;
}

static void
on_hang_up(int vid)
{
	if (device_vid == NO_DEVICE || device_vid == vid)
		memset(enabled, 0, sizeof(enabled));
}

static const struct rte_vhost_device_ops callbacks = {
	.destroy_connection = on_hang_up,
	.new_device = on_new,
	.destroy_device = on_destroy,
	.vring_state_changed = on_vring_state,
};

int
device_start(const struct device_params *given)
{
	params = *given;
	if (rte_vhost_driver_register(params.socket, 0) < 0) {
		fprintf(stderr, "null_device: cannot register the socket %s\n", params.socket);
		return -1;
	}
	if (rte_vhost_driver_set_features(params.socket, params.features) < 0 ||
	    rte_vhost_driver_callback_register(params.socket, &callbacks) < 0 ||
	    rte_vhost_driver_start(params.socket) < 0) {
		fprintf(stderr, "null_device: cannot listen at %s: is the folder there?\n",
			params.socket);
		rte_vhost_driver_unregister(params.socket);
		return -1;
	}
	return 0;
}

void
device_stop(void)
{
	rte_vhost_driver_unregister(params.socket);
}

static void
give_way(void)
{
	__atomic_store_n(&hold_given, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&hold_wanted, __ATOMIC_SEQ_CST))
		usleep(HOLD_STEP_US);
	__atomic_store_n(&hold_given, 0, __ATOMIC_SEQ_CST);
}

static void
report_fault(unsigned id)
{
	fprintf(stderr, "null_device: queue %u stops: %s\n", id, queues[id].fault);
	queues[id].fault = NULL;
	queues[id].size = 0;
}

/* A turn gives each queue a bounded share, so that none starves. */
int
device_serve(void *unused)
{
	(void)unused;
	__atomic_store_n(&serving, true, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&end_wanted, __ATOMIC_RELAXED)) {
		if (__atomic_load_n(&hold_wanted, __ATOMIC_RELAXED))
			give_way();
		for (unsigned id = 0; id < QUEUES_MAX; id++) {
			struct queue *q = &queues[id];

			if (q->size == 0)
				continue;
			q->completed += q->serve(q, params.batch);
			if (q->fault != NULL)
				report_fault(id);
		}
	}
	__atomic_store_n(&serving, false, __ATOMIC_SEQ_CST);
	return 0;
}

void
device_end(void)
{
	__atomic_store_n(&end_wanted, true, __ATOMIC_RELAXED);
}

void
device_completed(uint64_t *received, uint64_t *transmitted)
{
	uint64_t sum[2] = { completed[0], completed[1] };

	for (unsigned id = 0; id < QUEUES_MAX; id++)
		sum[queues[id].receive] += queues[id].completed;
	*received = sum[true];
	*transmitted = sum[false];
}
