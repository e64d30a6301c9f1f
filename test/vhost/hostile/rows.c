/* SPDX-License-Identifier: BSD-3-Clause */
#include "rows.h"

#include <string.h>

#include <jansson.h>

#include "device/net.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)

#define S_FEATURES_OK DEVICE_S_FEATURES_OK
#define S_NEEDS_RESET DEVICE_S_NEEDS_RESET

/* A lie in the used entry or the header of one frame. */
#define LIE(name, on, need, lie, arg, value, text)                                    \
	{                                                                             \
		name, on, need, ACT_LIE, DEVICE_LIE_##lie, arg, value, { 0 }, 0, text \
	}
/* The same, with features that a driver may take. */
#define LIE_OFFERING(name, on, need, lie, value, features, text)                                   \
	{                                                                                          \
		name, on, need, ACT_LIE, DEVICE_LIE_##lie, ARG_VALUE, value, { 0 }, features, text \
	}
/* Descriptors rewritten at every turn. */
#define KEEP(name, on, need, lie, value, text)                                               \
	{                                                                                    \
		name, on, need, ACT_KEEP, DEVICE_LIE_##lie, ARG_VALUE, value, { 0 }, 0, text \
	}
#define TRAP(name, need, kind, request, value, text)                                               \
	{                                                                                          \
		name, ON_DEVICE, need, ACT_TRAP, 0, 0, 0, { TRAP_##kind, VU_##request, value }, 0, \
			text                                                                       \
	}
#define LATE_TRAP(name, kind, request, value, text)                                               \
	{                                                                                         \
		name, ON_DEVICE, 0, ACT_LATE_TRAP, 0, 0, 0, { TRAP_##kind, VU_##request, value }, \
			0, text                                                                   \
	}
#define SCRIBBLE(name, areas, text)                                                         \
	{                                                                                   \
		name, ON_DEVICE, 0, ACT_SCRIBBLE, 0, 0, DEVICE_AREA_##areas, { 0 }, 0, text \
	}
#define PLAIN(name, on, act, text)                              \
	{                                                       \
		name, on, 0, ACT_##act, 0, 0, 0, { 0 }, 0, text \
	}

#define CSUM(start, offset) ((uint64_t)(start) << 16 | (offset))
#define CHECKSUMS           B(GUEST_CSUM)
#define SEGMENTS            (B(GUEST_CSUM) | B(GUEST_TSO4) | B(GUEST_TSO6))

static const struct row rows[] = {
	LIE("1.beyond", ON_EITHER, 0, ID, ARG_SIZE, 0, "used id just beyond the queue"),
	LIE("1.far", ON_EITHER, 0, ID, ARG_VALUE, UINT32_MAX, "used id with all bits set"),
	LIE("1.wide", ON_EITHER, NEED_SPLIT, ID, ARG_ID, 0x10000,
	    "used id 0x10000 + an id in flight"),
	LIE("2.repeated", ON_EITHER, 0, ID_REPEATED, ARG_VALUE, 0,
	    "the id of the used entry before, again"),
	LIE("2.not-in-flight", ON_EITHER, 0, ID_NOT_IN_FLIGHT, ARG_VALUE, 0,
	    "used id in range that is not in flight"),
	LIE("2.not-a-head", ON_TX, NEED_SPLIT | NEED_LONG | NEED_MERGEABLE | NEED_DIRECT,
	    ID_NOT_HEAD, ARG_VALUE, 0, "used id of a chain's second descriptor"),
	LIE("3.one-more", ON_RX, 0, LENGTH, ARG_ROOM, 1, "length one byte beyond the buffer"),
	LIE("3.wide", ON_RX, 0, LENGTH, ARG_VALUE, 0x10000 + 72, "length 0x10000 + 72"),
	LIE("3.signed", ON_RX, 0, LENGTH, ARG_VALUE, 0x80000000, "length 0x80000000"),
	LIE("3.all-ones", ON_RX, 0, LENGTH, ARG_VALUE, UINT32_MAX, "length 0xffffffff"),
	LIE("4.zero", ON_RX, 0, LENGTH, ARG_VALUE, 0, "length 0"),
	LIE("4.no-header", ON_RX, 0, LENGTH, ARG_VALUE, 11, "length one byte below the header"),
	LIE("4.header-only", ON_RX, 0, LENGTH, ARG_VALUE, 12, "length of the header alone"),
	LIE("4.no-ethernet", ON_RX, 0, LENGTH, ARG_VALUE, 25,
	    "length one byte below header and Ethernet header"),
	LIE("5.one", ON_TX, 0, LENGTH, ARG_VALUE, 1, "length 1 on transmit"),
	LIE("5.all-ones", ON_TX, 0, LENGTH, ARG_VALUE, UINT32_MAX, "length 0xffffffff on transmit"),
	LIE("6.one-too-many", ON_EITHER, NEED_SPLIT, INDEX, ARG_SIZE, 1,
	    "used index one more than the ring ahead"),
	LIE("6.far", ON_EITHER, NEED_SPLIT, INDEX, ARG_VALUE, 0x8000, "used index 0x8000 ahead"),
	LIE("6.back", ON_EITHER, NEED_SPLIT, INDEX, ARG_BACK, 0, "used index a ring back"),
	LIE("6.back-one", ON_RX, NEED_SPLIT, INDEX, ARG_VALUE, 0xffff, "used index one back"),
	KEEP("7.addr", ON_EITHER, 0, REWRITE_HELD, DEVICE_FIELD_ADDR,
	     "rewrites addresses in flight"),
	KEEP("7.len", ON_EITHER, 0, REWRITE_HELD, DEVICE_FIELD_LEN, "rewrites lengths in flight"),
	KEEP("7.flags", ON_EITHER, 0, REWRITE_HELD, DEVICE_FIELD_FLAGS, "rewrites flags in flight"),
	KEEP("7.next", ON_EITHER, NEED_SPLIT, REWRITE_HELD, DEVICE_FIELD_NEXT,
	     "rewrites next in flight"),
	KEEP("7.chain", ON_TX, NEED_SPLIT | NEED_LONG | NEED_MERGEABLE | NEED_DIRECT, REWRITE_HELD,
	     DEVICE_FIELD_NEXT | DEVICE_FIELD_FLAGS, "rewrites next and flags of chains in flight"),
	KEEP("7.id", ON_EITHER, NEED_PACKED, REWRITE_HELD, DEVICE_FIELD_ID,
	     "rewrites ids in flight"),
	KEEP("7.indirect", ON_TX, NEED_LONG | NEED_MERGEABLE, REWRITE_INDIRECT, 0,
	     "rewrites indirect tables in flight"),
	LIE("8.zero", ON_RX, NEED_MERGEABLE, NUM_BUFFERS, ARG_VALUE, 0, "num_buffers 0"),
	LIE("8.most", ON_RX, NEED_MERGEABLE, NUM_BUFFERS, ARG_VALUE, 65535, "num_buffers 65535"),
	LIE("8.ring", ON_RX, NEED_MERGEABLE, NUM_BUFFERS, ARG_SIZE, 1,
	    "num_buffers one more than the ring holds"),
	LIE("8.more", ON_RX, NEED_MERGEABLE, NUM_BUFFERS, ARG_VALUE, 3,
	    "num_buffers 3, but a frame in each"),
	LIE("8.many", ON_RX, NEED_MERGEABLE, NUM_BUFFERS, ARG_VALUE, 200,
	    "num_buffers 200, but a frame in each"),
	LIE_OFFERING("9.far", ON_RX, 0, CSUM, CSUM(0xffff, 0xffff), CHECKSUMS,
		     "checksum at 0xffff + 0xffff"),
	LIE_OFFERING("9.beyond", ON_RX, 0, CSUM, CSUM(34, 60 - 34), CHECKSUMS,
		     "checksum right behind the frame"),
	LIE_OFFERING("9.half", ON_RX, 0, CSUM, CSUM(34, 59 - 34), CHECKSUMS,
		     "checksum half in the frame"),
	LIE_OFFERING("9.wraps", ON_RX, 0, CSUM, CSUM(0xfff0, 0x30), CHECKSUMS,
		     "checksum whose place wraps past 16 bits into the frame"),
	LIE_OFFERING("10.type", ON_RX, 0, GSO_TYPE, 0x7f, SEGMENTS, "gso_type 0x7f"),
	LIE_OFFERING("10.size", ON_RX, 0, GSO_TYPE, DEVICE_GSO_TCPV4, SEGMENTS,
		     "gso_type TCPV4 with gso_size 0"),
	LIE_OFFERING("10.header", ON_RX, 0, HDR_LEN, 0xffff, SEGMENTS, "hdr_len 0xffff"),
	LIE_OFFERING("11.type", ON_RX, 0, HASH_TYPE, 0xffff, B(HASH_REPORT), "hash_report 0xffff"),
	TRAP("12.pairs-none", NEED_PAIRS, ANSWER, GET_QUEUE_NUM, 0, "no queue pairs"),
	TRAP("12.pairs-huge", NEED_PAIRS, ANSWER, GET_QUEUE_NUM, UINT64_MAX,
	     "2^64 - 1 queue pairs"),
	TRAP("12.protocol-huge", 0, OR, GET_PROTOCOL_FEATURES, UINT64_MAX,
	     "every protocol feature"),
	TRAP("13.needs-more", 0, OR, GET_FEATURES,
	     B(HOST_TSO4) | B(GUEST_TSO4) | B(MQ) | B(GUEST_ECN) | B(CTRL_RX) | B(RSS),
	     "features without those that they need"),
	TRAP("13.all", 0, OR, GET_FEATURES, UINT64_MAX, "every feature bit"),
	TRAP("13.changes", 0, TOGGLE, GET_FEATURES, B(RING_PACKED) | B(MRG_RXBUF) | B(VERSION_1),
	     "features that change at every second read"),
	TRAP("13.legacy", 0, CLEAR, GET_FEATURES, B(VERSION_1), "no VERSION_1"),
	TRAP("15.features-ok", 0, CLEAR, GET_STATUS, S_FEATURES_OK, "FEATURES_OK never stays"),
	TRAP("15.reset", 0, OR, GET_STATUS, 1, "status never reads 0"),
	TRAP("15.status-wide", 0, OR, GET_STATUS, 0x100, "a status of more than 8 bits"),
	TRAP("15.silent", 0, SILENT, GET_FEATURES, 0, "no answer to GET_FEATURES"),
	TRAP("15.silent-start", 0, SILENT, SET_VRING_ADDR, 0, "no answer from SET_VRING_ADDR on"),
	TRAP("15.refuses", 0, REFUSE, SET_VRING_ADDR, 0, "refuses SET_VRING_ADDR"),
	TRAP("15.refuses-memory", 0, REFUSE, SET_MEM_TABLE, 0, "refuses SET_MEM_TABLE"),
	TRAP("15.long-answer", 0, TOO_LONG, GET_FEATURES, 4096, "an answer of 4096 bytes"),
	TRAP("15.endless-answer", 0, TOO_LONG, GET_STATUS, UINT32_MAX,
	     "an answer of 2^32 - 1 bytes"),
	TRAP("15.short-answer", 0, TOO_SHORT, GET_STATUS, 0, "an answer of 4 bytes"),
	LATE_TRAP("15.silent-stop", SILENT, GET_VRING_BASE, 0, "no answer when a queue stops"),
	LATE_TRAP("15.other-queue", ANSWER, GET_VRING_BASE, 0x7f,
		  "answers for another queue when one stops"),
	LIE("16.ahead", ON_EITHER, NEED_PACKED, USED_AHEAD, ARG_VALUE, 4,
	    "used flags behind the next descriptor"),
	LIE("16.wrap", ON_EITHER, NEED_PACKED, WRONG_WRAP, ARG_VALUE, 0,
	    "used flags of the other wrap counter"),
	LIE("16.lap", ON_EITHER, NEED_PACKED, USED_AHEAD, ARG_SIZE, 0,
	    "every descriptor marked as used"),
	LIE_OFFERING("16.event", ON_EITHER, 0, EVENT, 0xffff, B(EVENT_IDX),
		     "garbage in off_wrap, or avail_event"),
	LIE_OFFERING("16.event-flags", ON_EITHER, 0, EVENT_FLAGS, 0xffff, B(EVENT_IDX),
		     "garbage in event flags"),
	LIE_OFFERING("16.event-desc", ON_EITHER, NEED_PACKED, EVENT_FLAGS, 2, B(EVENT_IDX),
		     "asks for an event at a descriptor that it never sets"),
	LIE("16.skips", ON_RX, NEED_IN_ORDER, ID, ARG_YOUNG, 0,
	    "in order: names the youngest buffer"),
	LIE("16.goes-back", ON_EITHER, NEED_IN_ORDER, ID_REPEATED, ARG_VALUE, 0,
	    "in order: names a buffer given back before"),
	{ "17.needs-reset",
	  ON_DEVICE,
	  0,
	  ACT_LATE_TRAP,
	  0,
	  0,
	  0,
	  { TRAP_OR, VU_GET_STATUS, S_NEEDS_RESET },
	  0,
	  "DEVICE_NEEDS_RESET in mid-traffic" },
	PLAIN("17.dies", ON_DEVICE, DIE, "the process ends in mid-traffic"),
	PLAIN("17.hangs-up", ON_DEVICE, HANG_UP, "hangs up in mid-traffic"),
	PLAIN("17.stands-still", ON_DEVICE, HOLD_BACK, "gives nothing back any more"),
	LATE_TRAP("17.dies-at-stop", HANG_UP, GET_VRING_BASE, 0, "hangs up when a queue stops"),
	TRAP("17.dies-at-start", 0, HANG_UP, SET_VRING_ADDR, 0, "hangs up when a queue starts"),
	TRAP("17.dies-at-reset", 0, HANG_UP, SET_STATUS, 0, "hangs up at the first status"),
	SCRIBBLE("18.all", ALL, "random bytes over rings, tables and buffers"),
	SCRIBBLE("18.used", USED, "random bytes over what the driver reads of a ring"),
	SCRIBBLE("18.descriptors", DESCRIPTORS, "random bytes over descriptors"),
	SCRIBBLE("18.avail", AVAIL, "random bytes over the driver's own area"),
	SCRIBBLE("18.buffers", BUFFERS, "random bytes over receive buffers and headers"),
	SCRIBBLE("18.tables", TABLES, "random bytes over indirect tables"),
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

bool
row_joins_frames(const struct row *row)
{
	return row->act == ACT_SCRIBBLE ||
	       (row->act == ACT_LIE &&
		(row->lie == DEVICE_LIE_NUM_BUFFERS || row->lie == DEVICE_LIE_USED_AHEAD ||
		 row->arg == ARG_YOUNG));
}

const struct row *
row_find(const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static const char *const need_names[] = { "split", "packed", "in-order", "mergeable",
					  "long",  "direct", "pairs" };
static const char *const on_names[] = { "rx", "tx", "device" };

static json_t *
names_of(unsigned bits, const char *const *names, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		if (bits & 1u << i)
			json_array_append_new(array, json_string(names[i]));
	return array;
}

#define NAMES_OF(bits, names) names_of(bits, names, sizeof(names) / sizeof((names)[0]))

void
rows_list(FILE *out)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		json_t *line = json_pack("{s:s, s:s, s:o, s:o, s:b}", "row", r->name, "text",
					 r->text, "on", NAMES_OF(r->on, on_names), "need",
					 NAMES_OF(r->need, need_names), "early",
					 r->act == ACT_TRAP);

		json_dumpf(line, out, JSON_COMPACT);
		fputc('\n', out);
		json_decref(line);
	}
}
