/* SPDX-License-Identifier: BSD-3-Clause */
/* The connection: messages in and out, and the trap among them. */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "report.h"

#define RECEIVE_SECONDS 2
#define FDS_MAX         VIO_VHOST_USER_REGIONS_MAX

int
server_open(struct server *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	s->fd = s->listen_fd = -1;
	if (strlen(s->path) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "hostile: --socket %s: longer than %zu bytes\n", s->path,
			sizeof(addr.sun_path) - 1);
		return -1;
	}
	if (s->connects)
		return 0;
	strcpy(addr.sun_path, s->path);
	unlink(s->path);
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listen_fd < 0 || bind(s->listen_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(s->listen_fd, 1) < 0) {
		fprintf(stderr, "hostile: cannot listen at %s: %s; is the folder there?\n", s->path,
			strerror(errno));
		return -1;
	}
	return 0;
}

void
server_hang_up(struct server *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	message_reset(s);
	report("disconnected", "{}");
}

void
server_close(struct server *s)
{
	server_hang_up(s);
	if (s->connects)
		return;
	close(s->listen_fd);
	unlink(s->path);
}

/* A descriptor, or -1 while no driver listens there. */
static int
connect_one(const struct server *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, s->path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
meet_driver(struct server *s, int fd)
{
	struct device_options options = {
		.features = s->features,
		.queue_size = 32768,
		.pairs = (uint16_t)s->pairs,
	};
	struct timeval patience = { .tv_sec = RECEIVE_SECONDS };

	if (fd < 0)
		return;
	s->fd = fd;
	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	s->dev = device_new(&options);
	s->silent = false;
	s->starts = 0;
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		s->vrings[i] = (struct vring){ .call_fd = -1 };
	report("connected", "{}");
}

/* Header and payload, with the descriptors that come along. Returns false at the end. */
static bool
receive(struct server *s, struct vio_vu_msg *msg, int *fds, unsigned *n_fds)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = { .iov_base = msg, .iov_len = VU_HEADER_SIZE };
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	*n_fds = 0;
	if (recvmsg(s->fd, &head, MSG_WAITALL | MSG_CMSG_CLOEXEC) != VU_HEADER_SIZE)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); c != NULL; c = CMSG_NXTHDR(&head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*n_fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), *n_fds * sizeof(int));
	}
	if (msg->size > sizeof(msg->payload))
		return false;
	return msg->size == 0 ||
	       recv(s->fd, &msg->payload, msg->size, MSG_WAITALL) == (ssize_t)msg->size;
}

static void
send_bytes(struct server *s, const void *bytes, size_t n)
{
	/* A driver that does not read, or is gone, is found out at the next receive. */
	ssize_t sent = send(s->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)sent;
}

static void
answer(struct server *s, struct vio_vu_msg *msg)
{
	msg->flags = VU_VERSION | VU_REPLY;
	send_bytes(s, msg, VU_HEADER_SIZE + msg->size);
}

static void
answer_of_bytes(struct server *s, struct vio_vu_msg *msg, uint32_t bytes, uint32_t said)
{
	static uint8_t nothing[65536];

	msg->flags = VU_VERSION | VU_REPLY;
	msg->size = said;
	send_bytes(s, msg, VU_HEADER_SIZE);
	send_bytes(s, nothing, bytes < sizeof(nothing) ? bytes : sizeof(nothing));
}

/* Changes the right answer, or stands in for it. Returns whether anything is still to be sent. */
static bool
spring(struct server *s, struct vio_vu_msg *msg, bool *acknowledge)
{
	const struct trap *t = &s->trap;

	s->trapped++;
	if (s->trapped == 1 || t->kind == TRAP_HANG_UP)
		report("misbehaved", "{s:s, s:i}", "how", "message", "request", (int)msg->request);
	switch (t->kind) {
	case TRAP_SILENT:
		s->silent = true;
		return false;
	case TRAP_REFUSE:
		*acknowledge = true;
		msg->payload.u64 = 1;
		msg->size = sizeof(uint64_t);
		return true;
	case TRAP_HANG_UP:
		server_hang_up(s);
		return false;
	case TRAP_ANSWER:
		msg->payload.u64 = t->value;
		return true;
	case TRAP_OR:
		msg->payload.u64 |= t->value;
		return true;
	case TRAP_CLEAR:
		msg->payload.u64 &= ~t->value;
		return true;
	case TRAP_TOGGLE:
		msg->payload.u64 ^= s->trapped % 2 ? 0 : t->value;
		return true;
	case TRAP_TOO_LONG:
		answer_of_bytes(s, msg, (uint32_t)t->value, (uint32_t)t->value);
		return false;
	case TRAP_TOO_SHORT:
		answer_of_bytes(s, msg, 4, 4);
		return false;
	default:
		return true;
	}
}

static void
serve_one(struct server *s)
{
	struct vio_vu_msg msg = { 0 };
	int fds[FDS_MAX];
	unsigned n_fds;
	bool wants_ack, has_answer;

	if (!receive(s, &msg, fds, &n_fds)) {
		server_hang_up(s);
		return;
	}
	if (s->silent) {
		for (unsigned i = 0; i < n_fds; i++)
			close(fds[i]);
		return;
	}
	wants_ack = msg.flags & VU_NEED_REPLY;
	has_answer = message_handle(s, &msg, fds, n_fds);
	if (!has_answer && wants_ack) {
		msg.payload.u64 = 0;
		msg.size = sizeof(uint64_t);
		has_answer = true;
	}
	if (s->trap.kind != TRAP_NONE && msg.request == s->trap.request &&
	    !spring(s, &msg, &has_answer))
		return;
	if (has_answer)
		answer(s, &msg);
}

void
server_turn(struct server *s)
{
	struct pollfd p = { .fd = s->fd < 0 ? s->listen_fd : s->fd, .events = POLLIN };

	if (s->fd < 0 && s->connects)
		meet_driver(s, connect_one(s));
	else if (poll(&p, 1, 0) <= 0)
		return;
	else if (s->fd < 0)
		meet_driver(s, accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC));
	else
		serve_one(s);
}

void
server_interrupt(struct server *s)
{
	const uint64_t one = 1;

	for (unsigned i = 0; i < 2 * s->pairs; i++) {
		struct vring *v = &s->vrings[i];
		uint64_t due = device_interrupts(s->dev, (uint16_t)i);

		if (due == v->interrupts || v->call_fd < 0)
			continue;
		v->interrupts = due;
		if (write(v->call_fd, &one, sizeof(one)) < 0)
			continue; /* full: it is readable all the same */
	}
}
