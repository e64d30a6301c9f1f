/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "clock.h"
#include "virtio/vhost_user_msg.h"

/* No descriptor of this process has these numbers. */
enum { SOCKET = 1000000 };
enum { EVENTFDS = 64 };

/* Where the input has nothing to say: VERSION_1, protocol features, MQ, MRG_RXBUF; and all that the
 * driver makes use of. */
#define FEATURES (UINT64_C(1) << 32 | UINT64_C(1) << 30 | 1 << 22 | 1 << 15)
#define PROTOCOL (1 << 0 | 1 << 3 | 1 << 4 | 1 << 13 | 1 << 16)

struct vhost_peer peer;
static int eventfds[EVENTFDS];

int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_listen(int fd, int backlog);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __wrap_eventfd(unsigned start, int flags);
int __real_close(int fd);
int __real_eventfd(unsigned start, int flags);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

void
peer_restart(struct input *in)
{
	peer = (struct vhost_peer){ .in = in, .fd = -1, .last_fd = SOCKET };
}

static int
fail(int error)
{
	errno = error;
	return -1;
}

static int
new_socket(void)
{
	peer.sockets++;
	return ++peer.last_fd;
}

static void
meet(int fd)
{
	struct vhost_peer fresh = { .in = peer.in, .slow = peer.slow };

	fresh.fd = fd;
	fresh.last_fd = peer.last_fd;
	fresh.sockets = peer.sockets;
	fresh.eventfds = peer.eventfds;
	fresh.sent = peer.sent;
	peer = fresh;
}

int
__wrap_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)protocol;
	must(type & SOCK_NONBLOCK, "no socket blocks");
	if (take8(peer.in) == 0xff)
		return fail(EMFILE);
	return new_socket();
}

int
__wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	static const int errors[] = { EAGAIN, ECONNREFUSED, ENOENT, EACCES, EINTR };
	uint8_t kind = take8(peer.in);

	(void)addr;
	(void)len;
	must(fd == peer.last_fd, "a socket connects");
	if (kind > 0xf8)
		return fail(errors[kind % 5]);
	meet(fd);
	return 0;
}

int
__wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	return take8(peer.in) == 0xff ? fail(EACCES) : 0;
}

int
__wrap_listen(int fd, int backlog)
{
	(void)fd;
	(void)backlog;
	return take8(peer.in) == 0xff ? fail(EOPNOTSUPP) : 0;
}

int
__wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	static const int errors[] = { EAGAIN, EMFILE, ECONNABORTED, EINTR };
	uint8_t kind = take8(peer.in);

	(void)addr;
	(void)len;
	must(fd > SOCKET && (flags & SOCK_NONBLOCK), "no socket blocks");
	if (kind > 0xf0)
		return fail(errors[kind % 4]);
	meet(new_socket());
	return peer.fd;
}

int
__wrap_shutdown(int fd, int how)
{
	(void)how;
	must(fd > SOCKET, "a socket is shut");
	peer.shut |= fd == peer.fd; /* not the one before it */
	return 0;
}

int
__wrap_eventfd(unsigned start, int flags)
{
	int fd = take8(peer.in) == 0xff ? fail(EMFILE) : __real_eventfd(start, flags);

	must(peer.eventfds < EVENTFDS, "there are as many as queues need");
	if (fd >= 0)
		eventfds[peer.eventfds++] = fd;
	return fd;
}

int
__wrap_close(int fd)
{
	if (fd > SOCKET) {
		must(peer.sockets > 0, "a socket is closed once");
		peer.sockets--;
		return 0;
	}
	for (unsigned i = 0; i < peer.eventfds; i++) {
		if (eventfds[i] != fd)
			continue;
		eventfds[i] = eventfds[--peer.eventfds];
		break;
	}
	return __real_close(fd);
}

/* What is not this peer's is the fuzzer's own. */
int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	uint8_t kind;

	if (n != 1 || fds->fd <= SOCKET)
		return __real_poll(fds, n, timeout_ms);
	must(timeout_ms >= 0, "every wait has a bound");
	kind = take8(peer.in);
	if (kind == 0xff)
		return fail(EINTR);
	if (kind == 0xfe)
		return fail(ENOMEM);
	if (fds->fd != peer.fd)
		return kind < 0xf0; /* somebody is at the door */
	if (peer.late && timeout_ms > 1) {
		clock_now += (uint64_t)(timeout_ms - 1) * 1000000;
		peer.late = false;
	}
	if ((fds->events & POLLOUT) || (peer.back_at < peer.back_len && !peer.late) || peer.gone)
		return 1;
	clock_now += (uint64_t)timeout_ms * 1000000;
	return 0;
}

/* --- what the driver says -----------------------------------------------------------------------
 */

static bool
is_told(uint64_t address)
{
	for (unsigned i = 0; i < peer.regions; i++)
		if (address - peer.base[i] < peer.size[i])
			return true;
	return false;
}

static void
hear_memory(const struct vio_vu_msg *msg, unsigned n_fds)
{
	struct vio_vu_memory copy = msg->payload.memory;
	const struct vio_vu_memory *memory = &copy;

	must(memory->count >= 1 && memory->count <= VIO_VHOST_USER_REGIONS_MAX, "some regions");
	must(msg->size == 8 + memory->count * 32 && n_fds == memory->count, "each with a file");
	for (unsigned i = 0; i < memory->count; i++)
		must(memory->regions[i].size > 0, "no region is empty");
}

/* A table counts once it was not refused. */
static void
keep_memory(const struct vio_vu_msg *msg)
{
	peer.regions = msg->payload.memory.count;
	for (unsigned i = 0; i < peer.regions; i++) {
		peer.base[i] = msg->payload.memory.regions[i].user_addr;
		peer.size[i] = msg->payload.memory.regions[i].size;
	}
}

static void
hear_queue(const struct vio_vu_msg *msg, unsigned queue, unsigned n_fds)
{
	bool with_fd = msg->request == VU_SET_VRING_KICK || msg->request == VU_SET_VRING_CALL;

	must(queue < PEER_QUEUES, "a queue is one that there is");
	must(n_fds == with_fd, "two messages of a queue carry a descriptor");
	must(msg->size == (msg->request == VU_SET_VRING_ADDR ? 40 : 8), "of their size");
	if (msg->request == VU_SET_VRING_ADDR) {
		must(!peer.started[queue], "a queue that goes is not moved");
		must(is_told(msg->payload.addr.desc) && is_told(msg->payload.addr.avail) &&
			     is_told(msg->payload.addr.used),
		     "rings lie in memory that was told");
		peer.has_addr[queue] = true;
	} else if (msg->request == VU_SET_VRING_KICK) {
		must(peer.has_addr[queue] && !peer.started[queue], "a queue starts once, complete");
		peer.started[queue] = true;
	} else if (msg->request == VU_GET_VRING_BASE) {
		must(peer.started[queue], "only a queue that goes is stopped");
	}
}

static void
hear(const struct vio_vu_msg *msg, unsigned n_fds)
{
	bool asks = false;

	switch (msg->request) {
	case VU_SET_MEM_TABLE:
		hear_memory(msg, n_fds);
		return;
	case VU_SET_VRING_NUM:
	case VU_SET_VRING_ADDR:
	case VU_SET_VRING_BASE:
	case VU_SET_VRING_KICK:
	case VU_SET_VRING_CALL:
	case VU_SET_VRING_ENABLE:
	case VU_GET_VRING_BASE:
		hear_queue(msg, msg->payload.state.index, n_fds);
		return;
	case VU_GET_FEATURES:
	case VU_GET_PROTOCOL_FEATURES:
	case VU_GET_QUEUE_NUM:
	case VU_GET_STATUS:
	case VU_SET_OWNER:
	case VU_RESET_DEVICE:
		asks = true;
		break;
	case VU_SET_PROTOCOL_FEATURES:
		break;
	case VU_SET_STATUS:
		peer.status = (uint8_t)msg->payload.u64;
		break;
	case VU_SET_FEATURES:
	case VU_NET_SET_MTU:
		break;
	default:
		must(false, "a message is one that there is");
	}
	must(n_fds == 0 && msg->size == (asks ? 0 : 8), "and of its size");
}

/* --- what it is answered ------------------------------------------------------------------------
 */

static bool
has_answer(uint32_t request)
{
	return request == VU_GET_FEATURES || request == VU_GET_PROTOCOL_FEATURES ||
	       request == VU_GET_QUEUE_NUM || request == VU_GET_STATUS ||
	       request == VU_GET_VRING_BASE;
}

static void
right_answer(struct vio_vu_msg *msg)
{
	switch (msg->request) {
	case VU_GET_FEATURES:
		msg->payload.u64 = take64(peer.in) ^ FEATURES;
		break;
	case VU_GET_PROTOCOL_FEATURES:
		msg->payload.u64 = take64(peer.in) ^ PROTOCOL;
		break;
	case VU_GET_QUEUE_NUM:
		msg->payload.u64 = PEER_QUEUES / 2;
		break;
	case VU_GET_STATUS:
		msg->payload.u64 = peer.status;
		break;
	case VU_GET_VRING_BASE:
		peer.started[msg->payload.state.index] = false;
		msg->payload.state.num = 0;
		break;
	default:
		msg->payload.u64 = 0;
	}
}

static void
put_back(const void *bytes, size_t n)
{
	if (peer.back_at == peer.back_len)
		peer.back_at = peer.back_len = 0;
	if (n > sizeof(peer.back) - peer.back_len)
		n = sizeof(peer.back) - peer.back_len;
	memcpy(peer.back + peer.back_len, bytes, n);
	peer.back_len += n;
}

static void
answer(struct vio_vu_msg *msg)
{
	uint8_t kind = take8(peer.in);
	size_t n = VU_HEADER_SIZE + VU_ANSWER_SIZE;

	peer.late = peer.slow;
	right_answer(msg);
	msg->flags = VU_VERSION | VU_REPLY;
	msg->size = VU_ANSWER_SIZE;
	if (kind < 216) {
		put_back(msg, n);
		return;
	}
	switch (kind % 10) {
	case 0:
		return;
	case 1:
		peer.gone = true;
		return;
	case 2:
		msg->payload.u64 = take64(peer.in);
		break;
	case 3:
		msg->payload.u64 = 1;
		break;
	case 4:
		msg->request = take8(peer.in);
		break;
	case 5:
		msg->flags = take32(peer.in);
		break;
	case 6:
		msg->size = take32(peer.in);
		break;
	case 7:
		n = take8(peer.in) % n;
		break;
	case 8:
		n = take8(peer.in) % n;
		peer.gone = true;
		break;
	default:
		put_back(msg, n);
	}
	put_back(msg, n);
}

/* Once all of it is there. */
static void
take_message(unsigned n_fds)
{
	struct vio_vu_msg msg = { 0 }, table;

	must(peer.out_len >= VU_HEADER_SIZE, "a message has a header");
	memcpy(&msg, peer.out, peer.out_len < sizeof(msg) ? peer.out_len : sizeof(msg));
	must(msg.size <= sizeof(msg.payload), "no message is longer than any");
	if (peer.out_len < VU_HEADER_SIZE + msg.size)
		return;
	must(peer.out_len == VU_HEADER_SIZE + msg.size, "one message at a time");
	peer.out_len = 0;
	must((msg.flags & VU_VERSION_MASK) == VU_VERSION && !(msg.flags & VU_REPLY),
	     "of version 1");
	hear(&msg, n_fds);
	table = msg;
	if (has_answer(msg.request) || (msg.flags & VU_NEED_REPLY))
		answer(&msg);
	else
		msg.payload.u64 = 0;
	if (table.request == VU_SET_MEM_TABLE && msg.payload.u64 == 0)
		keep_memory(&table);
}

static unsigned
count_fds(const struct msghdr *msg)
{
	struct cmsghdr *c = msg->msg_controllen > 0 ? CMSG_FIRSTHDR(msg) : NULL;

	return c == NULL ? 0 : (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	static unsigned n_fds; /* they come with the first byte */
	static const int errors[] = { EAGAIN, EINTR, EPIPE, ECONNRESET, EMSGSIZE };
	uint8_t kind = take8(peer.in);
	size_t n = msg->msg_iov->iov_len;

	must(fd == peer.fd && !peer.shut, "what was given up is told no more");
	must((flags & (MSG_NOSIGNAL | MSG_DONTWAIT)) == (MSG_NOSIGNAL | MSG_DONTWAIT),
	     "no send waits, or ends the process");
	if (peer.gone)
		return fail(EPIPE);
	if (kind > 0xf8)
		return fail(errors[kind % 5]);
	if (peer.out_len == 0) {
		must(n >= VU_HEADER_SIZE, "a message is sent whole");
		n_fds = count_fds(msg);
		peer.sent++;
	} else {
		must(msg->msg_controllen == 0, "descriptors are sent once");
	}
	if (kind > 0xe8)
		n = 1 + kind % n;
	must(peer.out_len + n <= sizeof(struct vio_vu_msg), "nor longer than there is room");
	memcpy(peer.out + peer.out_len, msg->msg_iov->iov_base, n);
	peer.out_len += n;
	if (n == msg->msg_iov->iov_len)
		take_message(n_fds);
	return (ssize_t)n;
}

ssize_t
__wrap_recv(int fd, void *buf, size_t len, int flags)
{
	size_t n = peer.back_len - peer.back_at;
	uint8_t kind = take8(peer.in);

	must(fd == peer.fd && !peer.shut, "what was given up is not heard");
	must(flags & MSG_DONTWAIT, "no receive waits");
	if (kind == 0xff)
		return fail(EINTR);
	if (kind == 0xfe)
		return fail(ECONNRESET);
	if (kind > 0xf8 && (flags & MSG_PEEK) && n == 0)
		put_back(&kind, n = 1); /* unasked */
	if (n == 0 || peer.late)
		return peer.gone ? 0 : fail(EAGAIN);
	n = n < len ? n : len;
	if (kind > 0xe8 && kind <= 0xf8)
		n = 1 + kind % n;
	memcpy(buf, peer.back + peer.back_at, n);
	if (!(flags & MSG_PEEK))
		peer.back_at += n;
	return (ssize_t)n;
}
