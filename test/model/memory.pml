/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory between two agents that reorder what they do, as far as any CPU may that is coherent and
 * shows a store to all others at once.
 *
 * Stores wait in their agent's buffer and reach memory in any order, but for two to the same place
 * (coherence) and those that a write barrier parts. A full barrier waits until the buffer is empty.
 * So later loads overtake earlier stores. That a load overtakes an earlier load is said where it
 * may happen: early() takes values that a later load may find instead of what is there by then,
 * unless a read barrier comes between.
 *
 * Barriers have names. -DNO_<name> leaves one out; the model must then fail.
 */
#define DRIVER 0
#define DEVICE 1
#define FENCE  255 /* in a buffer: a write barrier */
#define CAP    10  /* stores that may wait */

typedef Stores {
	byte n;
	byte place[CAP];
	byte value[CAP];
};

byte mem[PLACES];
Stores buffer[2];

/* Puts a store (or a fence) at the end of an agent's buffer. */
inline push(agent, where, what)
{
	atomic {
		(buffer[agent].n < CAP) ->
		d_step {
			buffer[agent].place[buffer[agent].n] = where;
			buffer[agent].value[buffer[agent].n] = what;
			buffer[agent].n++
		}
	}
}

inline store(agent, where, what)
{
	push(agent, where, what)
}

/* vq_barrier_write(): nothing to part where nothing waits. */
inline write_barrier(agent)
{
	if
	:: atomic { buffer[agent].n == 0 -> skip }
	:: atomic { buffer[agent].n > 0 -> push(agent, FENCE, 0) }
	fi
}

/* vq_barrier_full(). */
inline full_barrier(agent)
{
	buffer[agent].n == 0
}

/* An agent sees its own stores at once. k is the caller's. */
inline load(agent, where, into)
{
	d_step {
		into = mem[where];
		k = 0;
		do
		:: k < buffer[agent].n ->
			if
			:: buffer[agent].place[k] == where -> into = buffer[agent].value[k]
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0
	}
}

/* Of the process below. */
inline remove(at)
{
	k = at;
	do
	:: k + 1 < buffer[agent].n ->
		buffer[agent].place[k] = buffer[agent].place[k + 1];
		buffer[agent].value[k] = buffer[agent].value[k + 1];
		k++
	:: else -> break
	od;
	buffer[agent].n--;
	buffer[agent].place[buffer[agent].n] = 0;
	buffer[agent].value[buffer[agent].n] = 0
}

/* Lets one of an agent's waiting stores reach memory: any that nothing holds back. */
proctype commit(byte agent)
{
	byte pick, k;
	bool held;

end:	do
	:: atomic {
		buffer[agent].n > 0 ->
		pick = 0;
		do
		:: pick + 1 < buffer[agent].n -> pick++
		:: break
		od;
		d_step {
			held = buffer[agent].place[pick] == FENCE;
			k = 0;
			do
			:: k < pick ->
				held = held || buffer[agent].place[k] == FENCE ||
				       buffer[agent].place[k] == buffer[agent].place[pick];
				k++
			:: else -> break
			od;
			if
			:: !held ->
				mem[buffer[agent].place[pick]] = buffer[agent].value[pick];
				remove(pick)
			:: else
			fi;
			/* A fence in front has nothing before it to hold. */
			do
			:: buffer[agent].n > 0 && buffer[agent].place[0] == FENCE -> remove(0)
			:: else -> break
			od;
			pick = 0;
			k = 0;
			held = false
		}
	   }
	od
}

/* --- who has a buffer, as neither side can see it --- */
#define FREE    0 /* the driver's */
#define GIVEN   1 /* published */
#define TAKEN   2 /* the device works on it */
#define USED    3 /* given back, not yet taken back */

byte owner[N];
byte tag_of[N]; /* what the driver wrote into it last, and the device must read */

/* Doorbell and interrupt: they arrive at once, and stay until the other side looks. */
bool kicked, interrupted;
