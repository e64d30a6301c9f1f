/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The eventfds between driver and vhost-user peer belong to both. A peer that makes them block, and
 * fills or empties them at the worst moment, keeps no thread of the driver's from its work; and
 * what an honest peer signals wakes a sleeper, each time.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <rte_epoll.h>

#include "net/vio/port.h"
#include "peer.h"
#include "virtio/doorbell.h"

#define FULL    (UINT64_MAX - 1)
#define GUARD_S 20 /* whoever waits for the peer waits for ever */

enum { LAPS = 100, THREADS = 4, RINGS = 5000 };

static int epfd;

static struct vio_port *
port_of_peer(void)
{
	return vio_port(&rte_eth_devices[peer.port]);
}

/* With receive interrupts, and a thread that may sleep. */
static void
arrive(void)
{
	const struct rte_eth_conf conf = { .intr_conf.rxq = 1 };

	peer_arrive("recover=auto,timeout=50", true);
	assert_int_equal(rte_eth_dev_stop(peer.port), 0);
	peer_serve();
	assert_int_equal(rte_eth_dev_configure(peer.port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_dev_start(peer.port), 0);
	peer_serve();
	epfd = epoll_create1(0);
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(peer.port, 0, epfd, RTE_INTR_EVENT_ADD, NULL),
			 0);
	alarm(GUARD_S);
}

static void
leave(void)
{
	alarm(0);
	assert_int_equal(rte_eth_dev_stop(peer.port), 0);
	peer_serve();
	close(epfd);
	peer_leave();
}

/* As a peer does who means harm. */
static void
make_it_block(int fd, uint64_t counter)
{
	uint64_t before;

	assert_true(read(fd, &before, sizeof(before)) == sizeof(before) || errno == EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	if (counter > 0)
		assert_int_equal(write(fd, &counter, sizeof(counter)), sizeof(counter));
}

static void
make_it_honest(int fd)
{
	uint64_t counter;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_true(read(fd, &counter, sizeof(counter)) == sizeof(counter) || errno == EAGAIN);
}

static bool
is_signalled(int fd)
{
	uint64_t counter;

	return read(fd, &counter, sizeof(counter)) == sizeof(counter);
}

static bool
woken(void)
{
	struct rte_epoll_event event;

	return rte_epoll_wait(epfd, &event, 1, 0) == 1;
}

static void
receive(void)
{
	static const uint8_t frame[100] = { 1 };

	assert_int_equal(device_receive_packet(peer.server.dev, 0, NULL, frame, sizeof(frame)), 1);
}

static unsigned
take(void)
{
	struct rte_mbuf *mbufs[PEER_SIZE];
	uint16_t n = rte_eth_rx_burst(peer.port, 0, mbufs, PEER_SIZE);

	rte_pktmbuf_free_bulk(mbufs, n);
	return n;
}

static void
full_kick(void **state)
{
	struct vio_transport *t;
	int fd;

	(void)state;
	arrive();
	t = port_of_peer()->transport;
	fd = t->ops->queue_kick_fd(t, VIO_NET_TXQ(0));
	device_want_kicks(peer.server.dev, VIO_NET_TXQ(0), DEVICE_KICK_ALWAYS, 0);
	make_it_block(fd, FULL);
	for (unsigned i = 0; i < 3; i++)
		peer_send();
	make_it_honest(fd);
	peer_send();
	assert_true(is_signalled(fd));
	leave();
}

/* The driver's own word to a sleeper, on the descriptor that the peer calls with. */
static void
full_call(void **state)
{
	int fd;

	(void)state;
	arrive();
	fd = peer.server.vrings[0].call_fd;
	make_it_block(fd, FULL);
	woken();
	for (unsigned i = 0; i < 3; i++) {
		receive();
		assert_int_equal(rte_eth_dev_rx_intr_enable(peer.port, 0), 0);
		assert_true(woken());
		assert_false(woken());
		assert_int_equal(rte_eth_dev_rx_intr_disable(peer.port, 0), 0);
		assert_int_equal(take(), 1);
	}
	make_it_honest(fd);
	leave();
}

/* Signals, and reads what it signalled itself, all the time. */
static void *
take_away(void *stop)
{
	const uint64_t one = 1;
	uint64_t counter;
	int fd = peer.server.vrings[0].call_fd;

	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED))
		if (write(fd, &one, sizeof(one)) < 0 || read(fd, &counter, sizeof(counter)) < 0)
			break;
	return NULL;
}

static void
taken_away(void **state)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	bool stop = false;
	pthread_t thread;

	(void)state;
	arrive();
	make_it_block(peer.server.vrings[0].call_fd, 0);
	assert_int_equal(pthread_create(&thread, NULL, take_away, &stop), 0);
	for (unsigned i = 0; i < 2000; i++) {
		woken();
		if (i % 10 == 0)
			nanosleep(&nap, NULL);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	make_it_honest(peer.server.vrings[0].call_fd);
	leave();
}

/* Nobody empties the counter, and yet each signal wakes, once. */
static void
every_signal(void **state)
{
	(void)state;
	arrive();
	assert_false(woken());
	for (unsigned i = 0; i < LAPS; i++) {
		assert_int_equal(rte_eth_dev_rx_intr_enable(peer.port, 0), 0);
		assert_false(woken());
		receive();
		server_interrupt(&peer.server);
		assert_true(woken());
		assert_false(woken());
		assert_int_equal(rte_eth_dev_rx_intr_disable(peer.port, 0), 0);
		assert_int_equal(take(), 1);
	}
	leave();
}

static void *
ring(void *fd)
{
	for (unsigned i = 0; i < RINGS; i++)
		vio_doorbell_ring(*(int *)fd);
	return NULL;
}

/* More than the kernel keeps in mind, from several threads: none is lost. */
static void
every_ring(void **state)
{
	pthread_t threads[THREADS];
	uint64_t counter;
	int fd;

	(void)state;
	arrive();
	fd = peer.server.vrings[0].call_fd;
	make_it_honest(fd);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ring, &fd), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(read(fd, &counter, sizeof(counter)), sizeof(counter));
	assert_int_equal(counter, THREADS * RINGS);
	leave();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(full_kick, peer_setup),
	cmocka_unit_test(full_call),
	cmocka_unit_test(taken_away),
	cmocka_unit_test(every_signal),
	cmocka_unit_test(every_ring),
};

HARNESS_MAIN(tests)
