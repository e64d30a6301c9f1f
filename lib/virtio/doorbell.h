/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals an eventfd that a peer holds as well, without ever waiting for that peer.
 *
 * O_NONBLOCK is no help: it belongs to the open file description, which is the peer's, too. It can
 * be taken away, and the counter be filled, and then a write() sleeps until the peer reads; and the
 * kernel has neither a write that says for itself that it must not wait (RWF_NOWAIT), nor another
 * description of the same eventfd. But whatever the kernel itself signals never waits: so a write
 * of nothing to /dev/null is submitted as asynchronous I/O (io_submit(2)), whose end, which comes
 * before the call returns, is to be told to the eventfd.
 */
#ifndef VIO_DOORBELL_H
#define VIO_DOORBELL_H

/* Once a process, before the first ring; as often as one likes. Where the kernel gives no context
 * for asynchronous I/O (fs.aio-max-nr, a seccomp filter), says so in the log: doorbells are written
 * to then. */
void vio_doorbell_init(void);

/* Adds 1 to the eventfd's counter, and wakes whoever polls it even where the counter is full. From
 * any thread; the call orders all stores before it. */
void vio_doorbell_ring(int fd);

#endif
