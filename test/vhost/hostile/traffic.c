/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

#define GIVE_UP_MS    100
#define ETHERTYPE_AT  12
#define MARK_AT       14
#define NUMBER_AT     18
#define PATTERN_AT    26
#define ANY_FRAME_MAX 65550 /* of mergeable buffers: spec 5.1.6.3.1 */

static const uint8_t MARK[4] = { 'v', 'i', 'o', '5' };

static uint8_t
pattern(uint64_t number, uint32_t at)
{
	return (uint8_t)(number * 131 + at * 7 + (at >> 8));
}

static void
fill(uint8_t *frame, uint32_t len, uint64_t number)
{
	static const uint8_t head[MARK_AT] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };

	memcpy(frame, head, sizeof(head));
	memcpy(frame + MARK_AT, MARK, sizeof(MARK));
	memcpy(frame + NUMBER_AT, &number, sizeof(number));
	for (uint32_t i = PATTERN_AT; i < len; i++)
		frame[i] = pattern(number, i);
}

static bool
is_whole(const struct traffic *t, const struct device_packet *p, uint64_t number)
{
	uint8_t expected[FRAME_MAX];

	fill(expected, t->frame_bytes, number);
	return p->len == t->frame_bytes && memcmp(p->data, expected, p->len) == 0;
}

/* The most that a frame could have: as many buffers as it needs, and all that they have room for.
 */
static void
learn_room(struct traffic *t, struct device *dev)
{
	const struct device_buffer *b = device_held(dev, RX_QUEUE, 0);
	uint64_t header = device_header_size(dev), room;

	if (b == NULL || device_buffer_writable(b) <= header)
		return;
	room = device_buffer_writable(b);
	room = (header + t->frame_bytes + room - 1) / room * room - header;
	if (t->joined)
		room = ANY_FRAME_MAX;
	if (room > t->room)
		t->room = room;
}

bool
traffic_give(struct traffic *t, struct device *dev, const struct device_net_header *header)
{
	uint8_t frame[FRAME_MAX];

	fill(frame, t->frame_bytes, t->given + 1);
	device_fetch(dev, RX_QUEUE);
	learn_room(t, dev);
	if (device_receive_packet(dev, 0, header, frame, t->frame_bytes) == 0)
		return false;
	t->given++;
	return true;
}

static void
take(struct traffic *t, const struct device_packet *p)
{
	uint64_t number;

	if (p->len > t->longest)
		t->longest = p->len;
	if (p->len > t->room) {
		t->overlong++;
		return;
	}
	if (p->len < PATTERN_AT || memcmp(p->data + MARK_AT, MARK, sizeof(MARK)) != 0) {
		t->strange++;
		return;
	}
	memcpy(&number, p->data + NUMBER_AT, sizeof(number));
	if (number > t->given || !is_whole(t, p, number)) {
		t->changed++;
	} else if (number <= t->last) {
		t->repeated++;
	} else {
		t->last = number;
		t->returned++;
	}
	t->moved_ms = now_ms();
}

void
traffic_collect(struct traffic *t, struct device *dev)
{
	struct device_packet *p;

	device_hold_transmit(dev, true);
	device_poll(dev, false);
	while ((p = device_next_packet(dev, 0)) != NULL) {
		take(t, p);
		free(p);
	}
}

void
traffic_release(struct device *dev)
{
	while (device_use(dev, TX_QUEUE, 0, 0))
		;
}

uint64_t
traffic_taken(const struct traffic *t)
{
	return t->returned + t->repeated + t->changed + t->strange + t->overlong;
}

uint64_t
traffic_outstanding(struct traffic *t)
{
	if (t->last >= t->given || now_ms() - t->moved_ms > GIVE_UP_MS)
		t->first = t->given;
	return t->given - (t->last > t->first ? t->last : t->first);
}
