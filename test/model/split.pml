/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The split ring (spec 2.7): lib/virtqueue/split.c against a device. BUFFERS buffers of one
 * descriptor go through a ring of N. -DEVENT: VIRTIO_F_EVENT_IDX, else suppression by flags.
 * Indexes run modulo M, so that they wrap. A line "split.c: f()" names the function that what
 * follows stands for; an atomic block looks at memory once.
 */
#ifndef N
#define N 2
#endif
#ifndef BUFFERS
#define BUFFERS 4
#endif
#define M (2 * N)

#define AVAIL_IDX     0
#define AVAIL_WISH    1 /* avail->flags, or used_event: when the driver wants an interrupt */
#define USED_IDX      2
#define USED_WISH     3 /* used->flags, or avail_event: when the device wants a kick */
#define AVAIL_RING(i) (4 + (i) % N)
#define USED_RING(i)  (4 + N + (i) % N)
#define DESC_ADDR(i)  (4 + 2 * N + (i))
#define DESC_LEN(i)   (4 + 3 * N + (i))
#define DATA(i)       (4 + 4 * N + (i)) /* what the device writes into the buffer itself */
#define PLACES        (4 + 5 * N)

#define NO 1 /* AVAIL_NO_INTERRUPT, USED_NO_NOTIFY */

#include "memory.pml"

/* queue.h: event_passed(): does event lie in (before, now]? */
#define PASSED(event, now, before) ((now + 2 * M - event - 1) % M < (now + M - before) % M)
#ifdef EVENT
#define WANTED(wish, now, before) PASSED(wish, now, before)
#else
#define WANTED(wish, now, before) (wish != NO)
#endif

/* queue.h: id_take(), slot_fill(); split.c: write_desc(), offer() */
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
	store(DRIVER, DESC_ADDR(id), added);
	store(DRIVER, DESC_LEN(id), added);
	store(DRIVER, AVAIL_RING(avail), id);
	avail = (avail + 1) % M;
	id = 0
}

proctype driver()
{
	byte avail, used, kicked_idx; /* struct split_state: avail_idx, used_idx, kicked_idx */
	byte seen, added, taken, id, wish, idx, entry, data, k; /* used_seen */
	byte entry_early, data_early[N];
	bool early, looked;

	do
	:: atomic {
		/* virtqueue.c: vq_add(), once or more */
		added < BUFFERS && added - taken < N ->
		do
		:: added < BUFFERS && added - taken < N -> add()
		:: avail != kicked_idx -> break
		od;
		/* split.c: split_publish() */
#ifndef NO_PUBLISH
		write_barrier(DRIVER);
#endif
		store(DRIVER, AVAIL_IDX, avail)
	   };
	   atomic {
		/* split.c: split_kick_prepare() */
#ifndef NO_KICK
		full_barrier(DRIVER);
#endif
		load(DRIVER, USED_WISH, wish);
		if
		:: WANTED(wish, avail, kicked_idx) -> kicked = true
		:: else
		fi;
		kicked_idx = avail;
		wish = 0
	   }

	:: taken < added ->
		if
		:: atomic {
			early = true;
			load(DRIVER, USED_RING(used), entry_early);
			for (id : 0 .. N - 1) {
				load(DRIVER, DATA(id), data_early[id])
			}
			id = 0
		   }
		:: skip
		fi;
		/* split.h: vq_split_used_begin(): the index, where what it said last is used up */
		if
		:: seen == used -> atomic { load(DRIVER, USED_IDX, seen); looked = true }
		:: else
		fi;
		atomic {
			if
			:: seen != used ->
				assert((seen + M - used) % M <= added - taken);
#ifndef NO_USED
				if
				:: looked -> early = false /* vq_barrier_read() */
				:: else
				fi;
#endif
				/* split.c: vq_split_get(), used_load(); then the application reads
				 * what was received */
				if
				:: early -> entry = entry_early; data = data_early[entry]
				:: else ->
					load(DRIVER, USED_RING(used), entry);
					load(DRIVER, DATA(entry), data)
				fi;
				assert(owner[entry] == USED); /* queue.h: id_check() */
				assert(data == tag_of[entry]);
				owner[entry] = FREE; /* split.c: complete() */
				used = (used + 1) % M;
				taken++
			:: else
			fi;
			entry = 0;
			entry_early = 0;
			for (id : 0 .. N - 1) {
				data_early[id] = 0
			}
			id = 0;
			data = 0;
			looked = false;
			early = false
		}

	/* Nothing to do but wait. split.c: split_enable_cb(), and sleep if nothing waits. */
	:: taken < added && (added == BUFFERS || added - taken == N) ->
#ifdef EVENT
		store(DRIVER, AVAIL_WISH, used);
#else
		store(DRIVER, AVAIL_WISH, 0);
#endif
		atomic {
#ifndef NO_ENABLE
			full_barrier(DRIVER);
#endif
			load(DRIVER, USED_IDX, idx)
		};
		if
		:: idx == used -> atomic { interrupted -> interrupted = false }
		:: else
		fi;
		/* split.c: split_disable_cb() */
		atomic {
#ifdef EVENT
			store(DRIVER, AVAIL_WISH, (used + M - 1) % M);
#else
			store(DRIVER, AVAIL_WISH, NO);
#endif
			idx = 0
		}

	:: taken == BUFFERS -> break
	od
}

/* The device of the specification: 2.7.7.1, 2.7.8, 2.7.10. It gives back in any order. */
proctype device()
{
	byte avail, used, id, addr, length, wish, idx, n, k;
	byte entry_early, addr_early[N];
	bool early, has[N];

end:	do
	:: /* take one more, or sleep */
		if
		:: atomic {
			early = true;
			load(DEVICE, AVAIL_RING(avail), entry_early);
			for (id : 0 .. N - 1) {
				load(DEVICE, DESC_ADDR(id), addr_early[id])
			}
			id = 0
		   }
		:: skip
		fi;
		load(DEVICE, AVAIL_IDX, idx);
		if
		:: atomic {
			idx != avail ->
#ifndef NO_DEVICE_AVAIL
			early = false;
#endif
			if
			:: early -> id = entry_early; addr = addr_early[id]
			:: else ->
				load(DEVICE, AVAIL_RING(avail), id);
				load(DEVICE, DESC_ADDR(id), addr)
			fi;
			load(DEVICE, DESC_LEN(id), length);
			assert(owner[id] == GIVEN);
			assert(addr == tag_of[id] && length == tag_of[id]); /* not half written */
			owner[id] = TAKEN;
			has[id] = true;
			n++;
			avail = (avail + 1) % M
		   }
		:: idx == avail && n == 0 ->
			/* The wish for a kick, and a last look. */
#ifdef EVENT
			store(DEVICE, USED_WISH, avail);
#else
			store(DEVICE, USED_WISH, 0);
#endif
			atomic {
#ifndef NO_DEVICE_SLEEP
				full_barrier(DEVICE);
#endif
				load(DEVICE, AVAIL_IDX, idx)
			};
			if
			:: idx == avail ->
endsleep:			atomic { kicked -> kicked = false }
			:: else
			fi;
#ifndef EVENT
			store(DEVICE, USED_WISH, NO)
#endif
		:: idx == avail && n > 0
		fi;
		d_step {
			entry_early = 0;
			for (id : 0 .. N - 1) {
				addr_early[id] = 0
			}
			id = 0;
			idx = 0;
			addr = 0;
			length = 0;
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
		store(DEVICE, USED_RING(used), id);
#ifndef NO_DEVICE_USED
		write_barrier(DEVICE);
#endif
		used = (used + 1) % M;
		store(DEVICE, USED_IDX, used);
		id = 0
	   };
	   atomic {
#ifndef NO_DEVICE_INTERRUPT
		full_barrier(DEVICE);
#endif
		load(DEVICE, AVAIL_WISH, wish);
		if
		:: WANTED(wish, used, (used + M - 1) % M) -> interrupted = true
		:: else
		fi;
		wish = 0
	   }
	od
}

init {
	atomic {
#ifdef EVENT
		mem[AVAIL_WISH] = M - 1; /* the port starts with callbacks off */
#else
		mem[AVAIL_WISH] = NO;
#endif
		run driver();
		run device();
		run commit(DRIVER);
		run commit(DEVICE)
	}
}
