/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user_msg.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "clock.h"
#include "log.h"

_Static_assert(offsetof(struct vio_vu_msg, payload) == VU_HEADER_SIZE, "header as on the wire");
_Static_assert(sizeof(struct vio_vu_vring_addr) == 40, "vring address as on the wire");
_Static_assert(sizeof(struct vio_vu_memory) == 8 + 32 * VIO_VHOST_USER_REGIONS_MAX,
	       "memory table as on the wire");

static const char *const request_names[] = {
	[VU_GET_FEATURES] = "GET_FEATURES",
	[VU_SET_FEATURES] = "SET_FEATURES",
	[VU_SET_OWNER] = "SET_OWNER",
	[VU_SET_MEM_TABLE] = "SET_MEM_TABLE",
	[VU_SET_VRING_NUM] = "SET_VRING_NUM",
	[VU_SET_VRING_ADDR] = "SET_VRING_ADDR",
	[VU_SET_VRING_BASE] = "SET_VRING_BASE",
	[VU_GET_VRING_BASE] = "GET_VRING_BASE",
	[VU_SET_VRING_KICK] = "SET_VRING_KICK",
	[VU_SET_VRING_CALL] = "SET_VRING_CALL",
	[VU_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
	[VU_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[VU_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
	[VU_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
	[VU_NET_SET_MTU] = "NET_SET_MTU",
	[VU_RESET_DEVICE] = "RESET_DEVICE",
	[VU_SET_STATUS] = "SET_STATUS",
	[VU_GET_STATUS] = "GET_STATUS",
};

const char *
vio_vu_request_name(uint32_t request)
{
	if (request >= sizeof(request_names) / sizeof(request_names[0]) ||
	    request_names[request] == NULL)
		return "an unknown request";
	return request_names[request];
}

/* The descriptor itself stays open until the transport closes: others may poll it, and see the end
 * of the connection there. */
int
vio_vu_give_up(struct vio_vu_channel *ch, int error)
{
	ch->dead = true;
	shutdown(ch->fd, SHUT_RDWR);
	return error;
}

/* When all waits that belong together must have ended. */
static uint64_t
many_end(const struct vio_vu_channel *ch)
{
	uint64_t end = __atomic_load_n(&ch->transport->many_end, __ATOMIC_RELAXED);

	return end != 0 ? end : UINT64_MAX;
}

/* When a wait that begins now must have ended. */
static uint64_t
wait_end(const struct vio_vu_channel *ch)
{
	uint64_t alone = vio_now_ms() + ch->transport->timeout_ms, many = many_end(ch);

	return many < alone ? many : alone;
}

static void
tell_late(const struct vio_vu_channel *ch, uint32_t request)
{
	unsigned ms = ch->transport->timeout_ms;

	if (vio_now_ms() < many_end(ch))
		vio_err("%s: the vhost-user back-end did not answer %s in %u ms; connection given "
			"up",
			ch->name, vio_vu_request_name(request), ms);
	else
		vio_err("%s: the vhost-user back-end took %u ms over %s and the messages before "
			"it; connection given up; timeout=N allows more",
			ch->name, VIO_MANY * ms, vio_vu_request_name(request));
}

/* What a failed send or receive means. */
static int
lost(struct vio_vu_channel *ch, int error, uint32_t request)
{
	if (error == -ETIMEDOUT)
		tell_late(ch, request);
	else if (error == -ENODEV || error == -EPIPE || error == -ECONNRESET)
		vio_err("%s: the vhost-user back-end closed the connection (at %s); see its log "
			"for "
			"the reason",
			ch->name, vio_vu_request_name(request));
	else
		vio_err("%s: vhost-user message %s failed: %s", ch->name,
			vio_vu_request_name(request), strerror(-error));
	return vio_vu_give_up(ch, error == -EPIPE || error == -ECONNRESET ? -ENODEV : error);
}

/* Waits until the socket is ready, or end has passed: 0, -ETIMEDOUT. */
static int
wait_ready(const struct vio_vu_channel *ch, short events, uint64_t end)
{
	struct pollfd pfd = { .fd = ch->fd, .events = events };
	uint64_t now, left;
	int n;

	do {
		now = vio_now_ms();
		left = now < end ? end - now : 0;
		n = poll(&pfd, 1, left < INT_MAX ? (int)left : INT_MAX);
		if (n > 0) /* also on POLLHUP and POLLERR: the next call says what it is */
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (now < end);
	return -ETIMEDOUT;
}

static void
attach_fds(struct msghdr *hdr, const int *fds, unsigned n)
{
	struct cmsghdr *cmsg;

	hdr->msg_controllen = CMSG_SPACE(n * sizeof(int));
	cmsg = CMSG_FIRSTHDR(hdr);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
}

static int
send_all(struct vio_vu_channel *ch, const void *buf, size_t len, const int *fds, unsigned n_fds,
	 uint64_t end)
{
	union {
		char space[CMSG_SPACE(VIO_VHOST_USER_REGIONS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	int ret;

	if (n_fds > 0) {
		hdr.msg_control = control.space;
		attach_fds(&hdr, fds, n_fds);
	}
	while (iov.iov_len > 0) {
		n = sendmsg(ch->fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			iov.iov_base = (char *)iov.iov_base + n;
			iov.iov_len -= (size_t)n;
			hdr.msg_control = NULL; /* the descriptors go with the first byte */
			hdr.msg_controllen = 0;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			ret = wait_ready(ch, POLLOUT, end);
			if (ret < 0)
				return ret;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* Takes no descriptors: recv() makes the kernel drop those that a peer sends unasked. */
static int
receive_all(struct vio_vu_channel *ch, void *buf, size_t len, uint64_t end)
{
	ssize_t n;
	int ret;

	while (len > 0) {
		n = recv(ch->fd, buf, len, MSG_DONTWAIT);
		if (n == 0)
			return -ENODEV;
		if (n > 0) {
			buf = (char *)buf + n;
			len -= (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			ret = wait_ready(ch, POLLIN, end);
			if (ret < 0)
				return ret;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static bool
good_header(const struct vio_vu_channel *ch, const struct vio_vu_msg *answer, uint32_t request)
{
	if (answer->request == request &&
	    (answer->flags & (VU_VERSION_MASK | VU_REPLY)) == (VU_VERSION | VU_REPLY) &&
	    answer->size == VU_ANSWER_SIZE)
		return true;
	vio_err("%s: wrong answer of the vhost-user back-end to %s: request %" PRIu32
		", flags 0x%" PRIx32 ", %" PRIu32 " bytes, where request %" PRIu32
		", flags 0x%x and %u bytes were due; connection given up",
		ch->name, vio_vu_request_name(request), answer->request, answer->flags,
		answer->size, request, VU_VERSION | VU_REPLY, VU_ANSWER_SIZE);
	return false;
}

static int
receive_answer(struct vio_vu_channel *ch, uint32_t request, struct vio_vu_msg *answer, uint64_t end)
{
	int ret = receive_all(ch, answer, VU_HEADER_SIZE, end);

	if (ret < 0)
		return lost(ch, ret, request);
	if (!good_header(ch, answer, request))
		return vio_vu_give_up(ch, -EPROTO);
	ret = receive_all(ch, &answer->payload, VU_ANSWER_SIZE, end);
	if (ret < 0)
		return lost(ch, ret, request);
	return 0;
}

static int
send_request(struct vio_vu_channel *ch, struct vio_vu_msg *msg, uint32_t flags, const int *fds,
	     unsigned n_fds, uint64_t end)
{
	int ret;

	if (ch->dead)
		return -ENODEV;
	/* The messages before it have taken all the time. */
	if (vio_now_ms() >= many_end(ch))
		return lost(ch, -ETIMEDOUT, msg->request);
	msg->flags = VU_VERSION | flags;
	ret = send_all(ch, msg, VU_HEADER_SIZE + msg->size, fds, n_fds, end);
	return ret < 0 ? lost(ch, ret, msg->request) : 0;
}

int
vio_vu_tell(struct vio_vu_channel *ch, struct vio_vu_msg *msg, const int *fds, unsigned n_fds)
{
	uint64_t end = wait_end(ch);
	struct vio_vu_msg answer;
	int ret;

	ret = send_request(ch, msg, ch->reply_ack ? VU_NEED_REPLY : 0, fds, n_fds, end);
	if (ret < 0 || !ch->reply_ack)
		return ret;
	ret = receive_answer(ch, msg->request, &answer, end);
	if (ret < 0)
		return ret;
	if (answer.payload.u64 != 0) {
		vio_err("%s: the vhost-user back-end refused %s; see its log for the reason",
			ch->name, vio_vu_request_name(msg->request));
		return -EIO;
	}
	return 0;
}

int
vio_vu_ask(struct vio_vu_channel *ch, struct vio_vu_msg *msg)
{
	uint64_t end = wait_end(ch);
	struct vio_vu_msg answer;
	int ret;

	ret = send_request(ch, msg, 0, NULL, 0, end);
	if (ret < 0)
		return ret;
	ret = receive_answer(ch, msg->request, &answer, end);
	if (ret < 0)
		return ret;
	memcpy(&msg->payload, &answer.payload, VU_ANSWER_SIZE);
	return 0;
}

int
vio_vu_check(struct vio_vu_channel *ch)
{
	char byte;
	ssize_t n;

	if (ch->dead)
		return -ENODEV;
	n = recv(ch->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (n > 0)
		vio_err("%s: the vhost-user back-end spoke unasked; connection given up", ch->name);
	else
		vio_notice("%s: the vhost-user back-end closed the connection", ch->name);
	return vio_vu_give_up(ch, -ENODEV);
}
