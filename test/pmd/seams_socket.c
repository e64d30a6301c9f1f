/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets, and what the vhost-user part of the driver asks of EAL. */
#define SEAMS_BEHIND
#include "seams.h"

#include <errno.h>

#include <rte_errno.h>

#include "inject.h"

enum { TURNS = 64 };

void (*seam_peer_turn)(void);

/* Sets errno and returns whether the call is to fail. */
static bool
fails(const char *what, int error)
{
	if (!inject_now(what))
		return false;
	errno = error;
	return true;
}

int
seam_socket(int domain, int type, int protocol)
{
	return fails("socket", EMFILE) ? -1 : socket(domain, type, protocol);
}

int
seam_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return fails("connect", EACCES) ? -1 : connect(fd, addr, len);
}

int
seam_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return fails("bind", EACCES) ? -1 : bind(fd, addr, len);
}

int
seam_listen(int fd, int backlog)
{
	return fails("listen", EOPNOTSUPP) ? -1 : listen(fd, backlog);
}

int
seam_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	return fails("accept4", EMFILE) ? -1 : accept4(fd, addr, len, flags);
}

/* The peer has its turn, and another, until there is something to see; then the time has passed. */
int
seam_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int ready = 0;

	if (fails("poll", ENOMEM))
		return -1;
	for (unsigned i = 0; i < TURNS && ready == 0; i++) {
		if (seam_peer_turn != NULL)
			seam_peer_turn();
		ready = poll(fds, n, 0);
	}
	if (ready == 0)
		seam_now_us += (uint64_t)timeout_ms * 1000;
	return ready;
}

ssize_t
seam_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return fails("sendmsg", EPIPE) ? -1 : sendmsg(fd, msg, flags);
}

ssize_t
seam_recv(int fd, void *buf, size_t len, int flags)
{
	return fails("recv", ECONNRESET) ? -1 : recv(fd, buf, len, flags);
}

int
seam_eventfd(unsigned start, int flags)
{
	return fails("eventfd", EMFILE) ? -1 : eventfd(start, flags);
}

struct rte_intr_handle *
seam_intr_instance_alloc(uint32_t flags)
{
	return inject_now("rte_intr_instance_alloc") ? NULL : rte_intr_instance_alloc(flags);
}

int
seam_mem_event_register(const char *name, rte_mem_event_callback_t callback, void *arg)
{
	if (inject_now("rte_mem_event_callback_register")) {
		rte_errno = ENOMEM;
		return -1;
	}
	return rte_mem_event_callback_register(name, callback, arg);
}

struct rte_eth_dev *
seam_vdev_allocate(struct rte_vdev_device *vdev, size_t size)
{
	return inject_now("rte_eth_vdev_allocate") ? NULL : rte_eth_vdev_allocate(vdev, size);
}
