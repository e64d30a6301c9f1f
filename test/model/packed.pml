/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed ring (spec 2.8): lib/virtqueue/packed.c against a device. BUFFERS buffers, each of one
 * descriptor or a list of two, go through a ring of N. -DEVENT: VIRTIO_F_EVENT_IDX, else suppression
 * by flags. A line "packed.c: f()" names the function that what follows stands for; an atomic block
 * looks at memory once.
 */
#ifndef N
#define N 2
#endif
#ifndef BUFFERS
#define BUFFERS 4
#endif

#define ADDR(slot)    (slot)
#define LEN(slot)     (N + (slot))
#define ID(slot)      (2 * N + (slot))
#define FLAGS(slot)   (3 * N + (slot))
#define DATA(id)      (4 * N + (id)) /* what the device writes into the buffer itself */
#define DRIVER_OFF    (5 * N)
#define DRIVER_EVENT  (5 * N + 1)
#define DEVICE_OFF    (5 * N + 2)
#define DEVICE_EVENT  (5 * N + 3)
#define PLACES        (5 * N + 4)

#define AVAIL 1
#define DONE  2 /* the USED bit */
#define NEXT  4

#define ENABLE  0
#define DISABLE 1
#define DESC    2

#define IS_AVAIL(flags, wrap) ((flags & (AVAIL | DONE)) == (wrap -> AVAIL : DONE))
#define IS_USED(flags, wrap)  ((flags & (AVAIL | DONE)) == (wrap -> AVAIL | DONE : 0))

#include "memory.pml"

#define OFF_WRAP(slot, wrap) (slot + (wrap -> 8 : 0))
/* packed.c: packed_event_passed(): is the event among the last count descriptors before now? */
#define EVENT_AT(off_wrap, wrap) \
	(((off_wrap) >= 8) == (wrap) -> (off_wrap) % 8 : (off_wrap) % 8 + 64 - N)
#define PASSED(off_wrap, now, wrap, count) \
	((count) >= N || ((now) + 127 - EVENT_AT(off_wrap, wrap)) % 64 < (count))

#ifdef EVENT
#define WANTED(event, off_wrap, now, wrap, count) \
	(event == ENABLE || (event == DESC && PASSED(off_wrap, now, wrap, count)))
#else
#define WANTED(event, off_wrap, now, wrap, count) (event != DISABLE)
#endif

byte count_of[N]; /* descriptors of a buffer, by id: known to both, the device reads NEXT */

inline step(at, round, by)
{
	at = at + by;
	if
	:: at >= N -> at = at - N; round = !round
	:: else
	fi
}

/* packed.c: put_desc(): the first one's flags wait for publish */
inline put_desc(next)
{
	store(DRIVER, ADDR(avail), added);
	store(DRIVER, LEN(avail), added);
	store(DRIVER, ID(avail), id);
	flags = (avail_wrap -> AVAIL : DONE) | next;
	if
	:: fresh == 0 -> first = avail; first_flags = flags
	:: else -> store(DRIVER, FLAGS(avail), flags)
	fi;
	fresh++;
	free--;
	step(avail, avail_wrap, 1)
}

/* packed.c: packed_add(): put_list() of one or two */
inline add()
{
	id = 0;
	do
	:: owner[id] == FREE -> break
	:: else -> id++
	od;
	added++;
	owner[id] = GIVEN;
	tag_of[id] = added;
	if
	:: count_of[id] = 1; put_desc(0)
	:: free >= 2 -> count_of[id] = 2; put_desc(NEXT); put_desc(0)
	fi;
	id = 0;
	flags = 0
}

proctype driver()
{
	/* struct packed_state */
	byte avail, used, first, first_flags, fresh;
	bool avail_wrap = true, used_wrap = true;
	byte free = N, added, taken, id, flags, length, data, event, off, k;
	byte data_early[N];
	bool early;

	do
	:: atomic {
		/* virtqueue.c: vq_add(), once or more */
		added < BUFFERS && free > 0 ->
		do
		:: added < BUFFERS && free > 0 -> add()
		:: fresh > 0 -> break
		od;
		/* packed.c: packed_publish() */
#ifndef NO_PUBLISH
		write_barrier(DRIVER);
#endif
		store(DRIVER, FLAGS(first), first_flags);
		first = 0;
		first_flags = 0
	   };
	   atomic {
		/* packed.c: packed_kick_prepare() */
#ifndef NO_KICK
		full_barrier(DRIVER);
#endif
		load(DRIVER, DEVICE_EVENT, event); /* both in one load */
		load(DRIVER, DEVICE_OFF, off);
		if
		:: WANTED(event, off, avail, avail_wrap, fresh) -> kicked = true
		:: else
		fi;
		fresh = 0;
		event = 0;
		off = 0
	   }

	:: taken < added ->
		if
		:: atomic {
			early = true;
			for (id : 0 .. N - 1) {
				load(DRIVER, DATA(id), data_early[id])
			}
			id = 0
		   }
#ifdef NO_WHOLE
		:: atomic { /* len and id by a load of their own, which comes first */
			load(DRIVER, ID(used), id);
			load(DRIVER, LEN(used), length)
		   }
#endif
		:: skip
		fi;
		atomic {
			/* packed.c: used_load(): flags, len and id in one load */
			load(DRIVER, FLAGS(used), flags);
#ifndef NO_WHOLE
			load(DRIVER, ID(used), id);
			load(DRIVER, LEN(used), length)
#endif
		};
		atomic {
			/* packed.c: vq_packed_get() */
			if
			:: IS_USED(flags, used_wrap) ->
				assert(owner[id] == USED); /* queue.h: id_check() */
				assert(length == tag_of[id]);
#ifndef NO_USED
				early = false; /* vq_barrier_read() */
#endif
				/* the application reads what was received */
				if
				:: early -> data = data_early[id]
				:: else -> load(DRIVER, DATA(id), data)
				fi;
				assert(data == tag_of[id]);
				/* packed.c: complete() */
				owner[id] = FREE;
				free = free + count_of[id];
				step(used, used_wrap, count_of[id]);
				taken++
			:: else
			fi;
			for (id : 0 .. N - 1) {
				data_early[id] = 0
			}
			id = 0;
			flags = 0;
			length = 0;
			data = 0;
			early = false
		}

	/* Nothing to do but wait. packed.c: packed_enable_cb(), and sleep if nothing waits. */
	:: taken < added && (added == BUFFERS || free == 0) ->
#ifdef EVENT
		atomic { /* one store of both; here even apart and in any order */
			store(DRIVER, DRIVER_OFF, OFF_WRAP(used, used_wrap));
			store(DRIVER, DRIVER_EVENT, DESC)
		};
#else
		store(DRIVER, DRIVER_EVENT, ENABLE);
#endif
		atomic {
#ifndef NO_ENABLE
			full_barrier(DRIVER);
#endif
			load(DRIVER, FLAGS(used), flags)
		};
		if
		:: !IS_USED(flags, used_wrap) -> atomic { interrupted -> interrupted = false }
		:: else
		fi;
		/* packed.c: packed_disable_cb() */
		atomic {
			store(DRIVER, DRIVER_EVENT, DISABLE);
			flags = 0
		}

	:: taken == BUFFERS -> break
	od
}

/* The device of the specification: 2.8.1, 2.8.14, 2.8.21.1. It gives back in any order. */
proctype device()
{
	byte avail, used, id, addr, length, flags, event, off, n, slot, k;
	bool avail_wrap = true, used_wrap = true;
	byte addr_early;
	bool early, has[N];

end:	do
	:: /* take one more, or sleep */
		if
		:: atomic {
			early = true;
			load(DEVICE, ADDR(avail), addr_early)
		   }
		:: skip
		fi;
		load(DEVICE, FLAGS(avail), flags);
		if
		:: atomic {
			IS_AVAIL(flags, avail_wrap) ->
#ifndef NO_DEVICE_AVAIL
			early = false;
#endif
			if
			:: early -> addr = addr_early
			:: else -> load(DEVICE, ADDR(avail), addr)
			fi;
			load(DEVICE, LEN(avail), length);
			load(DEVICE, ID(avail), id);
			assert(id < N && owner[id] == GIVEN);
			assert(addr == tag_of[id] && length == tag_of[id]); /* not half written */
			assert((flags & NEXT) == (count_of[id] == 2 -> NEXT : 0));
			step(avail, avail_wrap, 1);
			if
			:: flags & NEXT ->
				/* The rest of a list, whatever its flags are. */
				load(DEVICE, ADDR(avail), addr);
				load(DEVICE, LEN(avail), length);
				assert(addr == tag_of[id] && length == tag_of[id]);
				step(avail, avail_wrap, 1)
			:: else
			fi;
			owner[id] = TAKEN;
			has[id] = true;
			n++
		   }
		:: !IS_AVAIL(flags, avail_wrap) && n == 0 ->
			/* The wish for a kick, and a last look. */
#ifdef EVENT
			atomic {
				store(DEVICE, DEVICE_OFF, OFF_WRAP(avail, avail_wrap));
				write_barrier(DEVICE);
				store(DEVICE, DEVICE_EVENT, DESC)
			};
#else
			store(DEVICE, DEVICE_EVENT, ENABLE);
#endif
			atomic {
#ifndef NO_DEVICE_SLEEP
				full_barrier(DEVICE);
#endif
				load(DEVICE, FLAGS(avail), flags)
			};
			if
			:: !IS_AVAIL(flags, avail_wrap) ->
endsleep:			atomic { kicked -> kicked = false }
			:: else
			fi;
			store(DEVICE, DEVICE_EVENT, DISABLE)
		:: !IS_AVAIL(flags, avail_wrap) && n > 0
		fi;
		d_step {
			id = 0;
			addr = 0;
			addr_early = 0;
			length = 0;
			flags = 0;
			early = false
		}
	:: atomic { /* give one back */
		n > 0 ->
		if
		:: has[0] -> id = 0
#if N > 1
		:: has[1] -> id = 1
#endif
#if N > 2
		:: has[2] -> id = 2
#endif
		fi;
		has[id] = false;
		n--;
		owner[id] = USED;
		store(DEVICE, DATA(id), tag_of[id]);
		store(DEVICE, ID(used), id);
		store(DEVICE, LEN(used), tag_of[id]);
#ifndef NO_DEVICE_USED
		write_barrier(DEVICE);
#endif
		store(DEVICE, FLAGS(used), (used_wrap -> AVAIL | DONE : 0));
		slot = count_of[id];
		step(used, used_wrap, slot);
		id = 0
	   };
	   atomic {
#ifndef NO_DEVICE_INTERRUPT
		full_barrier(DEVICE);
#endif
		load(DEVICE, DRIVER_EVENT, event)
	   };
	   atomic {
		/* A device may load the two fields apart, in this order. */
		load(DEVICE, DRIVER_OFF, off);
		if
		:: WANTED(event, off, used, used_wrap, slot) -> interrupted = true
		:: else
		fi;
		slot = 0;
		event = 0;
		off = 0
	   }
	od
}

init {
	atomic {
		mem[DRIVER_EVENT] = DISABLE; /* the port starts with callbacks off */
		run driver();
		run device();
		run commit(DRIVER);
		run commit(DEVICE)
	}
}
