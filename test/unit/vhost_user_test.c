/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost-user transport against a back-end in a thread, which records what it is told and can
 * close, fall silent, refuse, dribble or answer wrongly at any message. Each test also counts the
 * process's file descriptors before and after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "virtio/doorbell.h"
#include "virtio/features.h"
#include "virtio/device.h"
#include "virtio/log.h"
#include "virtio/net.h"
#include "virtio/vhost_user.h"

#define SHORT_MS 40   /* where a timeout is due */
#define LONG_MS  5000 /* where none is */
#define MEM_SIZE 0x10000

/* The wire, written down here once more: the test shares no definition with what it tests. */
enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	NET_SET_MTU = 20,
	RESET_DEVICE = 34,
	SET_STATUS = 39,
	GET_STATUS = 40,
};

enum { P_MQ = 1, P_REPLY_ACK = 8, P_MTU = 16, P_RESET_DEVICE = 1 << 13, P_STATUS = 1 << 16 };

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		uint32_t u32[72];
		uint8_t bytes[288];
	} payload;
	unsigned n_fds;
	int fds[8];
};

#define MAX_MESSAGES 512

/* How the back-end treats message number "at" (from 1). */
enum misbehaviour {
	BEHAVES,
	CLOSES,
	SILENT,
	WRONG_REQUEST,
	WRONG_SIZE,
	HUGE_SIZE,
	WRONG_VERSION,
	NO_REPLY_FLAG,
	HALF_HEADER,  /* then closes */
	HALF_PAYLOAD, /* then closes */
	REFUSES,
	N_MISBEHAVIOURS
};

static struct backend {
	/* Set before it starts. */
	uint64_t features, protocol, queue_num;
	enum misbehaviour how;
	unsigned at;
	bool dribbles;        /* answers byte by byte */
	bool sends_fds;       /* with each answer */
	unsigned stops_after; /* reads no more, and waits for the end; 0: never */
	uint64_t status_bits; /* added to what GET_STATUS says */
	uint32_t base_index;  /* added to the index that GET_VRING_BASE answers */
	bool connects;        /* as a client, after a while */

	pthread_t thread;
	bool running;
	int listen_fd, fd;
	uint64_t status;
	/* Read by the test once the back-end is known to be idle or has ended. */
	struct message messages[MAX_MESSAGES];
	unsigned count;
	int kick_fd[16], call_fd[16];
} b;

static char dir[64], path[96], log_text[16384];
static struct vio_transport *t;
static void *mem;
static int mem_fd, fds_before;

static void
log_sink(enum vio_log_level level, const char *format, va_list args)
{
	size_t len = strlen(log_text);

	(void)level;
	if (len < sizeof(log_text) - 512)
		vsnprintf(log_text + len, sizeof(log_text) - len, format, args);
}

static void
assert_logged(const char *what)
{
	if (strstr(log_text, what) == NULL || strstr(log_text, path) == NULL)
		fail_msg("the log does not say \"%s\" of %s:\n%s", what, path, log_text);
}

static void
sleep_ms(unsigned ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The back-end */

static bool
read_all(int fd, void *buf, size_t len, struct message *msg)
{
	char space[CMSG_SPACE(8 * sizeof(int))];

	while (len > 0) {
		struct iovec iov = { buf, len };
		struct msghdr hdr = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = space,
				      .msg_controllen = sizeof(space) };
		ssize_t n = recvmsg(fd, &hdr, MSG_CMSG_CLOEXEC);
		struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&hdr) : NULL;

		if (n <= 0)
			return false;
		if (c != NULL && c->cmsg_type == SCM_RIGHTS) {
			msg->n_fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(msg->fds, CMSG_DATA(c), msg->n_fds * sizeof(int));
		}
		buf = (char *)buf + n;
		len -= (size_t)n;
	}
	return true;
}

static void
write_some(const void *buf, size_t len)
{
	const char *p = buf;

	for (size_t i = 0; i < len && b.dribbles; i++) {
		sleep_ms(1);
		if (send(b.fd, p + i, 1, MSG_NOSIGNAL) < 0)
			return;
	}
	if (!b.dribbles && send(b.fd, p, len, MSG_NOSIGNAL) < 0)
		return;
}

static void
write_with_fd(const void *buf, size_t len)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct msghdr hdr = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &b.fd, sizeof(int));
	sendmsg(b.fd, &hdr, MSG_NOSIGNAL);
}

/* Returns whether the connection goes on. */
static bool
answer(uint32_t request, uint64_t value, enum misbehaviour how)
{
	struct {
		uint32_t request, flags, size;
		uint64_t value;
	} __attribute__((packed)) msg = { request, 1 | 4, 8, value };

	if (how == SILENT)
		return true;
	if (how == WRONG_REQUEST)
		msg.request++;
	if (how == WRONG_SIZE)
		msg.size = 4;
	if (how == HUGE_SIZE)
		msg.size = UINT32_MAX;
	if (how == WRONG_VERSION)
		msg.flags = 2 | 4;
	if (how == NO_REPLY_FLAG)
		msg.flags = 1;
	if (how == HALF_HEADER || how == HALF_PAYLOAD) {
		write_some(&msg, how == HALF_HEADER ? 7 : 15);
		return false;
	}
	if (b.sends_fds)
		write_with_fd(&msg, sizeof(msg));
	else
		write_some(&msg, sizeof(msg));
	return true;
}

static void
keep_fd(int *slot, struct message *msg)
{
	if (*slot >= 0)
		close(*slot);
	*slot = msg->fds[0];
	msg->fds[0] = -1;
}

static uint64_t
answer_value(const struct message *msg)
{
	switch (msg->request) {
	case GET_FEATURES:
		return b.features;
	case GET_PROTOCOL_FEATURES:
		return b.protocol;
	case GET_QUEUE_NUM:
		return b.queue_num;
	case GET_STATUS:
		return b.status | b.status_bits;
	default: /* GET_VRING_BASE: index and base */
		return (msg->payload.u32[0] + b.base_index) | UINT64_C(77) << 32;
	}
}

static bool
is_question(uint32_t request)
{
	return request == GET_FEATURES || request == GET_PROTOCOL_FEATURES ||
	       request == GET_QUEUE_NUM || request == GET_STATUS || request == GET_VRING_BASE;
}

static void
take_note(struct message *msg)
{
	if (msg->request == SET_STATUS)
		b.status = msg->payload.u64;
	if (msg->request == SET_VRING_KICK)
		keep_fd(&b.kick_fd[msg->payload.u64 & 15], msg);
	if (msg->request == SET_VRING_CALL)
		keep_fd(&b.call_fd[msg->payload.u64 & 15], msg);
	for (unsigned i = 0; i < msg->n_fds; i++) {
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	}
}

static bool
handle(const struct message *msg, enum misbehaviour how)
{
	if (how == CLOSES)
		return false;
	if (is_question(msg->request))
		return answer(msg->request, answer_value(msg), how);
	if (msg->flags & 8)
		return answer(msg->request, how == REFUSES, how);
	return true;
}

/* A message counts before it is answered: who has the answer finds it counted. */
static bool
serve_one(void)
{
	struct message *msg = &b.messages[b.count];
	enum misbehaviour how;

	if (b.count == MAX_MESSAGES - 1 || !read_all(b.fd, msg, 12, msg) ||
	    msg->size > sizeof(msg->payload) || !read_all(b.fd, &msg->payload, msg->size, msg))
		return false;
	take_note(msg);
	how = b.count + 1 == b.at ? b.how : BEHAVES;
	__atomic_store_n(&b.count, b.count + 1, __ATOMIC_RELEASE);
	return handle(msg, how);
}

static struct sockaddr_un
address(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	return sun;
}

static bool
reach_front_end(void)
{
	struct sockaddr_un sun = address();

	if (!b.connects) {
		b.fd = accept(b.listen_fd, NULL, NULL);
		return b.fd >= 0;
	}
	b.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (unsigned i = 0; i < 500; i++) {
		sleep_ms(10);
		if (connect(b.fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return true;
	}
	return false;
}

static void *
serve(void *arg)
{
	if (!reach_front_end())
		return arg;
	while (serve_one()) {
		struct pollfd pfd = { .fd = b.fd }; /* POLLHUP comes unasked */

		if (b.count == b.stops_after)
			poll(&pfd, 1, LONG_MS);
	}
	shutdown(b.fd, SHUT_RDWR);
	return arg;
}

static int
listen_at_path(int backlog)
{
	struct sockaddr_un sun = address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void
start_backend(void)
{
	if (!b.connects)
		b.listen_fd = listen_at_path(1);
	assert_int_equal(pthread_create(&b.thread, NULL, serve, NULL), 0);
	b.running = true;
}

static void
close_if(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The transport is closed before, so that the thread's reads end. */
static void
end_backend(void)
{
	if (b.running) {
		if (b.fd < 0 && b.listen_fd >= 0)
			shutdown(b.listen_fd, SHUT_RDWR); /* it was never connected to */
		pthread_join(b.thread, NULL);
	}
	b.running = false;
	close_if(&b.listen_fd);
	close_if(&b.fd);
	for (unsigned i = 0; i < 16; i++) {
		close_if(&b.kick_fd[i]);
		close_if(&b.call_fd[i]);
	}
	unlink(path);
}

static void
new_backend(void)
{
	memset(&b, 0, sizeof(b));
	b.listen_fd = b.fd = -1;
	memset(b.kick_fd, 0xff, sizeof(b.kick_fd));
	memset(b.call_fd, 0xff, sizeof(b.call_fd));
	b.features = UINT64_MAX;
	b.protocol = UINT64_MAX;
	b.queue_num = 4;
	log_text[0] = '\0';
}

static void
close_transport(void)
{
	if (t != NULL)
		t->ops->close(t);
	t = NULL;
}

static int
setup(void **state)
{
	(void)state;
	fds_before = count_fds();
	vio_log_to(log_sink);
	snprintf(dir, sizeof(dir), "/tmp/vhost_user_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	mem_fd = memfd_create("vhost_user_test", MFD_CLOEXEC);
	if (mem_fd < 0 || ftruncate(mem_fd, MEM_SIZE) < 0)
		return -1;
	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	new_backend();
	t = NULL;
	return mem == MAP_FAILED ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_transport();
	end_backend();
	munmap(mem, MEM_SIZE);
	close(mem_fd);
	vio_log_to(NULL);
	if (rmdir(dir) < 0) {
		print_error("%s: something was left there\n", dir);
		return -1;
	}
	if (count_fds() != fds_before) {
		print_error("%d file descriptors before, %d after\n", fds_before, count_fds());
		return -1;
	}
	return 0;
}

/* The front-end's side */

static struct vio_vhost_user_params
params(void)
{
	return (struct vio_vhost_user_params){
		.path = path,
		.queue_pairs = 2,
		.queue_size = 512,
		.has_mac = true,
		.mac = { 2, 0, 0, 0, 0, 7 },
		.mtu = 1500,
		.speed = 10000,
		.timeout_ms = LONG_MS,
		.accept_ms = LONG_MS,
	};
}

static int
open_with(struct vio_vhost_user_params p)
{
	return vio_vhost_user_open(&p, &t);
}

static int
share_memory(void)
{
	const struct vio_mem_region all = { 0x100000, mem, MEM_SIZE, mem_fd, 0 };

	return vio_vhost_user_set_memory(t, &all, 1);
}

static int
negotiate(uint64_t features)
{
	uint8_t status;
	int ret = t->ops->set_status(t, 0);

	if (ret == 0)
		ret = t->ops->set_status(t, 1 | 2);
	if (ret == 0)
		ret = t->ops->set_features(t, features);
	if (ret == 0)
		ret = t->ops->set_status(t, 1 | 2 | 8);
	if (ret == 0)
		ret = t->ops->get_status(t, &status);
	return ret;
}

static const struct vio_queue_conf *
queue_conf(uint16_t queue)
{
	static struct vio_queue_conf conf;
	char *at = (char *)mem + queue * 0x1000;

	conf = (struct vio_queue_conf){
		.size = 128,
		.vector = VIO_NO_VECTOR,
		.desc = at,
		.driver = at + 0x800,
		.device = at + 0xc00,
	};
	return &conf;
}

static struct vio_notifier notifiers[4];

static int
setup_queue(uint16_t queue)
{
	return t->ops->queue_setup(t, queue, queue_conf(queue), &notifiers[queue]);
}

#define V1 VIO_BIT(VIRTIO_F_VERSION_1)

/* From memory to DRIVER_OK with two pairs. */
static int
go(uint64_t features)
{
	int ret = share_memory();

	if (ret == 0)
		ret = negotiate(features);
	for (uint16_t i = 0; i < 4 && ret == 0; i++)
		ret = setup_queue(i);
	if (ret == 0)
		ret = t->ops->set_queue_pairs(t, 2);
	if (ret == 0)
		ret = t->ops->set_status(t, 15);
	return ret;
}

/* All that a port does in its life; the first error. */
static int
whole_life(struct vio_vhost_user_params p)
{
	int ret = open_with(p);

	if (ret == 0)
		ret = go(V1 | VIO_BIT(VIRTIO_NET_F_MQ) | VIO_BIT(VIRTIO_NET_F_MTU));
	if (ret == 0)
		ret = t->ops->set_status(t, 0);
	return ret;
}

/* Waits until the back-end has dealt with n messages. */
static void
wait_messages(unsigned n)
{
	for (unsigned i = 0; i < LONG_MS; i++) {
		if (__atomic_load_n(&b.count, __ATOMIC_ACQUIRE) >= n)
			return;
		sleep_ms(1);
	}
	fail_msg("%u messages, where %u were due", b.count, n);
}

/* The index of the nth message (from 0) of this kind, or -1. */
static int
find(uint32_t request, unsigned nth)
{
	for (unsigned i = 0; i < b.count; i++) {
		if (b.messages[i].request == request && nth-- == 0)
			return (int)i;
	}
	return -1;
}

static const struct message *
message(uint32_t request, unsigned nth)
{
	int i = find(request, nth);

	assert_int_not_equal(i, -1);
	return &b.messages[i];
}

static void
assert_sequence(unsigned from, const uint32_t *requests, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(b.messages[from + i].request, requests[i]);
}

/* Nothing blocks, and all say that the device is gone. */
static void
assert_gone(void)
{
	uint64_t features;
	uint32_t gen;
	uint16_t size;
	uint8_t byte;

	assert_int_equal(t->ops->get_status(t, &byte), -ENODEV);
	assert_int_equal(t->ops->set_status(t, 1), -ENODEV);
	assert_int_equal(t->ops->set_status(t, 0), -ENODEV);
	assert_int_equal(t->ops->get_features(t, &features), -ENODEV);
	assert_int_equal(t->ops->set_features(t, V1), -ENODEV);
	assert_int_equal(t->ops->get_generation(t, &gen), -ENODEV);
	assert_int_equal(t->ops->read_config(t, 0, &byte, 1), -ENODEV);
	assert_int_equal(t->ops->write_config(t, 0, &byte, 1), -ENODEV);
	assert_int_equal(t->ops->queue_max_size(t, 0, &size), -ENODEV);
	assert_int_equal(setup_queue(3), -ENODEV);
	assert_int_equal(t->ops->set_queue_pairs(t, 1), -ENODEV);
	assert_int_equal(t->ops->service(t), -ENODEV);
	assert_int_equal(share_memory(), -ENODEV);
}

static void
session_begin(void **state)
{
	const uint32_t begin[] = { SET_OWNER, GET_FEATURES, GET_PROTOCOL_FEATURES,
				   SET_PROTOCOL_FEATURES, GET_QUEUE_NUM };

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	wait_messages(5);
	assert_int_equal(b.count, 5);
	assert_sequence(0, begin, 5);
	assert_int_equal(b.messages[3].payload.u64,
			 P_MQ | P_REPLY_ACK | P_MTU | P_RESET_DEVICE | P_STATUS);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(b.messages[i].flags, 1); /* nothing is agreed on yet */
	assert_string_equal(t->name, path);
}

static void
features(void **state)
{
	const uint64_t own = VIO_BIT(VIRTIO_NET_F_MAC) | VIO_BIT(VIRTIO_NET_F_STATUS) |
			     VIO_BIT(VIRTIO_NET_F_SPEED_DUPLEX);
	const uint64_t never = VIO_BIT(26) | VIO_BIT(30) | VIO_BIT(VIRTIO_NET_F_CTRL_VQ) |
			       VIO_BIT(VIRTIO_NET_F_CTRL_RX) | VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) |
			       VIO_BIT(VIRTIO_F_NOTIFICATION_DATA) | VIO_BIT(VIRTIO_F_RING_RESET) |
			       VIO_BIT(VIRTIO_NET_F_RSS) | VIO_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE);
	const uint64_t some = V1 | VIO_BIT(VIRTIO_F_RING_PACKED) | VIO_BIT(VIRTIO_NET_F_MQ) |
			      VIO_BIT(VIRTIO_NET_F_MTU);
	uint64_t offered;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(t->ops->get_features(t, &offered), 0);
	assert_true((offered & (own | some)) == (own | some));
	assert_true((offered & never) == 0);
	assert_int_equal(t->ops->set_features(t, V1 | VIO_BIT(VIRTIO_NET_F_CTRL_VQ)), -EINVAL);
	assert_int_equal(t->ops->set_features(t, offered), 0);
	wait_messages(7);
	assert_true(message(SET_FEATURES, 0)->payload.u64 == ((offered & ~own) | VIO_BIT(30)));
	assert_int_equal(message(NET_SET_MTU, 0)->payload.u64, 1500);
	assert_int_equal(find(SET_FEATURES, 1), -1);
}

/* What was not asked for by parameters is not offered, whatever the back-end says. */
static void
features_not_asked_for(void **state)
{
	const struct vio_vhost_user_params p = { .path = path };
	uint64_t offered;
	uint16_t size;

	(void)state;
	start_backend();
	assert_int_equal(open_with(p), 0);
	assert_int_equal(t->ops->get_features(t, &offered), 0);
	assert_true((offered & (VIO_BIT(VIRTIO_NET_F_MAC) | VIO_BIT(VIRTIO_NET_F_SPEED_DUPLEX) |
				VIO_BIT(VIRTIO_NET_F_MTU) | VIO_BIT(VIRTIO_NET_F_MQ))) == 0);
	assert_true(offered & VIO_BIT(VIRTIO_NET_F_STATUS));
	assert_int_equal(t->ops->queue_max_size(t, 1, &size), 0);
	assert_int_equal(size, VIO_VHOST_USER_QUEUE_SIZE);
	assert_int_equal(t->ops->queue_max_size(t, 2, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(t->timeout_ms, VIO_VHOST_USER_TIMEOUT_MS);
}

static void
config_space(void **state)
{
	struct vio_net_config c;
	const uint8_t mac[] = { 2, 0, 0, 0, 0, 7 };

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(t->ops->read_config(t, 0, &c, 17), 0);
	assert_memory_equal(c.mac, mac, 6);
	assert_int_equal(c.status, VIO_NET_S_LINK_UP);
	assert_int_equal(c.max_virtqueue_pairs, 2);
	assert_int_equal(c.mtu, 1500);
	assert_int_equal(c.speed, 10000);
	assert_int_equal(c.duplex, 1);
	assert_int_equal(t->ops->read_config(t, 16, &c, 2), -EINVAL);
	assert_int_equal(t->ops->read_config(t, UINT32_MAX, &c, 2), -EINVAL);
	assert_int_equal(t->ops->write_config(t, 0, "abcdef", 6), 0);
	assert_int_equal(t->ops->read_config(t, 0, &c, 6), 0);
	assert_memory_equal(c.mac, "abcdef", 6);
	assert_int_equal(t->ops->write_config(t, 5, "xy", 2), -EINVAL);
}

static void
queue_messages(void **state)
{
	const uint32_t first[] = { SET_VRING_NUM,  SET_VRING_BASE, SET_VRING_ADDR,
				   SET_VRING_CALL, SET_VRING_KICK, SET_VRING_ENABLE };
	const struct message *addr;
	uint64_t user[4];
	unsigned from;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(share_memory(), 0);
	assert_int_equal(negotiate(V1), 0);
	from = b.count;
	assert_int_equal(setup_queue(1), 0);
	assert_int_equal(setup_queue(2), 0); /* of the second pair: no packets yet */
	wait_messages(from + 11);
	assert_int_equal(b.count, from + 11);
	assert_sequence(from, first, 6);
	assert_sequence(from + 6, first, 5);
	assert_int_equal(message(SET_VRING_NUM, 0)->payload.u32[0], 1);
	assert_int_equal(message(SET_VRING_NUM, 0)->payload.u32[1], 128);
	assert_int_equal(message(SET_VRING_BASE, 0)->payload.u32[1], 0);
	addr = message(SET_VRING_ADDR, 1);
	assert_int_equal(addr->size, 40);
	assert_int_equal(addr->payload.u32[0], 2);
	memcpy(user, addr->payload.bytes + 8, sizeof(user));
	assert_ptr_equal(user[0], queue_conf(2)->desc);
	assert_ptr_equal(user[1], queue_conf(2)->device);
	assert_ptr_equal(user[2], queue_conf(2)->driver);
	assert_int_equal(user[3], 0);
	assert_int_equal(message(SET_VRING_KICK, 1)->payload.u64, 2);
	assert_int_equal(message(SET_VRING_KICK, 1)->n_fds, 1);
	assert_int_equal(message(SET_VRING_ENABLE, 0)->payload.u32[0], 1);
	assert_int_equal(message(SET_VRING_ENABLE, 0)->payload.u32[1], 1);
	for (unsigned i = from; i < b.count; i++)
		assert_int_equal(b.messages[i].flags, 1 | 8);
}

static void
packed_base(void **state)
{
	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1 | VIO_BIT(VIRTIO_F_RING_PACKED)), 0);
	assert_int_equal(message(SET_VRING_BASE, 3)->payload.u32[0], 3);
	assert_int_equal(message(SET_VRING_BASE, 3)->payload.u32[1], 0x8000);
}

static void
queue_refusals(void **state)
{
	struct vio_queue_conf c;
	unsigned before;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(negotiate(V1), 0);
	before = b.count;
	assert_int_equal(setup_queue(0), -EFAULT); /* no memory is shared */
	assert_logged("memory of queue 0 is not shared");
	assert_int_equal(b.count, before);
	assert_int_equal(share_memory(), 0);
	c = *queue_conf(0);
	c.device = &c;
	assert_int_equal(t->ops->queue_setup(t, 0, &c, &notifiers[0]), -EFAULT);
	c = *queue_conf(0);
	c.size = 513;
	assert_int_equal(t->ops->queue_setup(t, 0, &c, &notifiers[0]), -EINVAL);
	c.size = 0;
	assert_int_equal(t->ops->queue_setup(t, 0, &c, &notifiers[0]), -EINVAL);
	assert_int_equal(t->ops->queue_setup(t, 4, queue_conf(0), &notifiers[0]), -EINVAL);
	assert_int_equal(setup_queue(0), 0);
	assert_int_equal(setup_queue(0), -EINVAL); /* it runs already */
	assert_int_equal(t->ops->queue_reset(t, 0), -ENOTSUP);
	assert_int_equal(t->ops->queue_event_fd(t, 4), -1);
	assert_int_equal(t->ops->config_vector(t, VIO_NO_VECTOR), 0);
	assert_int_equal(t->ops->config_vector(t, 0), -EBUSY);
}

static bool
readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN);
}

static void
kick_and_call(void **state)
{
	const uint64_t one = 1;
	int call;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0);
	assert_false(readable(b.kick_fd[2]));
	notifiers[2].kick(&notifiers[2], 0);
	assert_true(readable(b.kick_fd[2]));
	assert_false(readable(b.kick_fd[1]));

	call = t->ops->queue_event_fd(t, 3);
	assert_false(readable(call));
	assert_int_equal(write(b.call_fd[3], &one, 8), 8);
	assert_true(readable(call));

	/* The same descriptors serve the next start: a thread may sleep on one. */
	assert_int_equal(t->ops->set_status(t, 0), 0);
	assert_int_equal(t->ops->queue_event_fd(t, 3), call);
}

static void
queue_pairs(void **state)
{
	unsigned before;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0); /* which enables the second pair */
	before = b.count;
	assert_int_equal(t->ops->set_queue_pairs(t, 2), 0);
	assert_int_equal(b.count, before); /* nothing to say */
	assert_int_equal(t->ops->set_queue_pairs(t, 1), 0);
	wait_messages(before + 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(b.messages[before + i].request, SET_VRING_ENABLE);
		assert_int_equal(b.messages[before + i].payload.u32[0], 2 + i);
		assert_int_equal(b.messages[before + i].payload.u32[1], 0);
	}
	assert_int_equal(t->ops->set_queue_pairs(t, 0), -EINVAL);
	assert_int_equal(t->ops->set_queue_pairs(t, 3), -EINVAL);
}

static void
queue_pairs_before_setup(void **state)
{
	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(share_memory(), 0);
	assert_int_equal(negotiate(V1), 0);
	assert_int_equal(t->ops->set_queue_pairs(t, 2), 0);
	assert_int_equal(setup_queue(3), 0);
	assert_int_equal(message(SET_VRING_ENABLE, 0)->payload.u32[0], 3);
	assert_int_equal(message(SET_VRING_ENABLE, 0)->payload.u32[1], 1);
}

static void
too_many_queue_pairs(void **state)
{
	struct vio_vhost_user_params p = params();

	(void)state;
	start_backend();
	p.queue_pairs = 5;
	assert_int_equal(open_with(p), -EINVAL);
	assert_logged("5 queue pairs asked, the vhost-user back-end has 4");
}

static void
back_end_of_one_pair(void **state)
{
	(void)state;
	b.protocol &= ~(uint64_t)P_MQ;
	start_backend();
	assert_int_equal(open_with(params()), -EINVAL);
	assert_logged("2 queue pairs asked, the vhost-user back-end has 1");
}

/* After a reset no queue is left with the back-end, and a start is as the first. */
static void
reset_and_start_again(void **state)
{
	const uint32_t stop[] = { SET_VRING_ENABLE, GET_VRING_BASE,   SET_VRING_ENABLE,
				  GET_VRING_BASE,   SET_VRING_ENABLE, GET_VRING_BASE,
				  SET_VRING_ENABLE, GET_VRING_BASE,   SET_STATUS };
	unsigned from, enables = 0;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0);
	from = b.count;
	assert_int_equal(t->ops->set_status(t, 0), 0);
	wait_messages(from + 9);
	assert_int_equal(b.count, from + 9);
	assert_sequence(from, stop, 9);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(b.messages[from + 2 * i].payload.u32[1], 0);
		assert_int_equal(b.messages[from + 2 * i + 1].payload.u32[0], i);
	}
	assert_int_equal(b.messages[from + 8].payload.u64, 0);

	from = b.count;
	assert_int_equal(go(V1 | VIO_BIT(VIRTIO_F_RING_PACKED)), 0);
	for (unsigned i = from; i < b.count; i++) {
		assert_int_not_equal(b.messages[i].request, GET_VRING_BASE);
		enables += b.messages[i].request == SET_VRING_ENABLE &&
			   b.messages[i].payload.u32[1] == 1;
	}
	assert_int_equal(enables, 4);
	assert_int_equal(message(SET_VRING_BASE, 4)->payload.u32[1], 0x8000);
}

static void
one_pair_after_a_reset(void **state)
{
	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0); /* with two */
	assert_int_equal(negotiate(V1), 0);
	assert_int_equal(setup_queue(2), 0);
	assert_int_equal(b.messages[b.count - 1].request, SET_VRING_KICK);
	assert_int_equal(setup_queue(1), 0);
	assert_int_equal(b.messages[b.count - 1].request, SET_VRING_ENABLE);
}

/* A back-end that would not disable a queue is told to enable it all the same. */
static void
disabling_refused(void **state)
{
	unsigned from;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0);
	b.how = REFUSES;
	b.at = b.count + 1;
	assert_int_equal(t->ops->set_status(t, 0), -EIO);
	assert_logged("refused SET_VRING_ENABLE");
	assert_int_equal(negotiate(V1), 0);
	from = b.count;
	assert_int_equal(setup_queue(0), 0);
	assert_int_equal(b.count, from + 6);
	assert_int_equal(b.messages[from + 5].request, SET_VRING_ENABLE);
	assert_int_equal(b.messages[from + 5].payload.u32[1], 1);
}

static void
status_of_the_back_end(void **state)
{
	uint8_t status;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(t->ops->set_status(t, 3), 0);
	b.status_bits = 0x40; /* NEEDS_RESET */
	assert_int_equal(t->ops->get_status(t, &status), 0);
	assert_int_equal(status, 0x43);
	b.status_bits = 0x100;
	assert_int_equal(t->ops->get_status(t, &status), -EPROTO);
	assert_logged("GET_STATUS with 0x103, which makes no sense");
	assert_gone();
}

static void
status_kept_here(void **state)
{
	uint8_t status;

	(void)state;
	b.protocol = P_REPLY_ACK | P_MQ | P_RESET_DEVICE;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0);
	assert_int_equal(t->ops->get_status(t, &status), 0);
	assert_int_equal(status, 15);
	assert_int_equal(t->ops->set_status(t, 0), 0);
	assert_int_equal(t->ops->get_status(t, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(find(SET_STATUS, 0), -1);
	assert_int_equal(find(GET_STATUS, 0), -1);
	assert_int_equal(find(NET_SET_MTU, 0), -1);
	assert_int_equal(find(RESET_DEVICE, 1), (int)b.count - 1);
}

/* The oldest kind of back-end. */
static void
no_protocol_features(void **state)
{
	struct vio_vhost_user_params p = params();

	(void)state;
	b.features = V1;
	p.queue_pairs = 1;
	start_backend();
	assert_int_equal(open_with(p), 0);
	assert_int_equal(share_memory(), 0);
	assert_int_equal(negotiate(V1), 0);
	assert_int_equal(setup_queue(0), 0);
	assert_int_equal(setup_queue(1), 0);
	assert_int_equal(t->ops->set_status(t, 15), 0);
	assert_int_equal(t->ops->set_status(t, 0), 0);
	assert_true(message(SET_FEATURES, 0)->payload.u64 == V1);
	assert_int_equal(find(GET_PROTOCOL_FEATURES, 0), -1);
	assert_int_equal(find(SET_VRING_ENABLE, 0), -1);
	assert_int_equal(find(SET_STATUS, 0), -1);
	assert_int_not_equal(find(GET_VRING_BASE, 1), -1);
	for (unsigned i = 0; i < b.count; i++)
		assert_int_equal(b.messages[i].flags, 1);
}

/* Memory */

static void
assert_region(unsigned nth, unsigned region, uint64_t iova, const void *addr, uint64_t size,
	      uint64_t offset)
{
	uint64_t r[4];

	memcpy(r, message(SET_MEM_TABLE, nth)->payload.bytes + 8 + 32 * region, sizeof(r));
	assert_true(r[0] == iova);
	assert_true(r[1] == size);
	assert_ptr_equal(r[2], addr);
	assert_true(r[3] == offset);
}

static struct vio_mem_region
piece(unsigned page, unsigned pages, int fd)
{
	return (struct vio_mem_region){ .iova = 0x5000000 + page * 0x1000,
					.addr = (char *)mem + page * 0x1000,
					.size = pages * 0x1000,
					.fd = fd,
					.fd_offset = page * 0x1000 };
}

static void
neighbours_become_one(void **state)
{
	struct vio_mem_region r[] = { piece(1, 1, mem_fd), piece(2, 3, mem_fd), piece(0, 1, mem_fd),
				      piece(6, 1, mem_fd), piece(7, 1, mem_fd) };
	int other = dup(mem_fd);

	(void)state;
	r[4].fd = other;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(vio_vhost_user_set_memory(t, r, 5), 0);
	assert_int_equal(message(SET_MEM_TABLE, 0)->payload.u32[0], 3);
	assert_int_equal(message(SET_MEM_TABLE, 0)->n_fds, 3);
	assert_int_equal(message(SET_MEM_TABLE, 0)->size, 8 + 3 * 32);
	assert_region(0, 0, 0x5000000, mem, 0x5000, 0);
	assert_region(0, 1, 0x5006000, (char *)mem + 0x6000, 0x1000, 0x6000);
	assert_region(0, 2, 0x5007000, (char *)mem + 0x7000, 0x1000, 0x7000);

	/* Close by, but no one mapping could hold both. */
	r[0] = piece(0, 1, mem_fd);
	r[1] = piece(1, 1, mem_fd);
	r[1].iova += 0x1000;
	r[2] = piece(2, 1, mem_fd);
	r[2].iova += 0x1000;
	r[2].fd_offset = 0x8000;
	assert_int_equal(vio_vhost_user_set_memory(t, r, 3), 0);
	assert_int_equal(message(SET_MEM_TABLE, 1)->payload.u32[0], 3);
	close(other);
}

/* Holes are bridged when there are too many regions without; what has another file never is. */
static void
region_limit(void **state)
{
	struct vio_mem_region r[10];
	int fds[9];

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	for (unsigned i = 0; i < 8; i++)
		r[i] = piece(14 - 2 * i, 1, mem_fd);
	assert_int_equal(vio_vhost_user_set_memory(t, r, 8), 0);
	assert_int_equal(message(SET_MEM_TABLE, 0)->payload.u32[0], 8);
	r[8] = piece(15, 1, mem_fd);
	r[8].addr = (char *)r[8].addr + 0x10000;
	r[8].iova += 0x10000;
	r[8].fd_offset += 0x10000;
	assert_int_equal(vio_vhost_user_set_memory(t, r, 9), 0);
	assert_int_equal(message(SET_MEM_TABLE, 1)->payload.u32[0], 1);
	assert_region(1, 0, 0x5000000, mem, 0x20000, 0);

	for (unsigned i = 0; i < 9; i++) {
		fds[i] = dup(mem_fd);
		r[i] = piece(i, 1, fds[i]);
	}
	assert_int_equal(vio_vhost_user_set_memory(t, r, 9), -E2BIG);
	assert_logged("--single-file-segments");
	assert_int_equal(find(SET_MEM_TABLE, 2), -1);
	assert_int_equal(vio_vhost_user_set_memory(t, r, 8), 0);
	for (unsigned i = 0; i < 9; i++)
		close(fds[i]);
}

static void
memory_that_makes_no_sense(void **state)
{
	struct vio_mem_region r = piece(0, 1, mem_fd);
	unsigned before;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	before = b.count;
	assert_int_equal(vio_vhost_user_set_memory(t, &r, 0), -EINVAL);
	r.size = 0;
	assert_int_equal(vio_vhost_user_set_memory(t, &r, 1), -EINVAL);
	r = piece(0, 1, -1);
	assert_int_equal(vio_vhost_user_set_memory(t, &r, 1), -EINVAL);
	r = piece(0, 1, mem_fd);
	r.iova = UINT64_MAX - 10;
	assert_int_equal(vio_vhost_user_set_memory(t, &r, 1), -EINVAL);
	assert_int_equal(b.count, before);
}

static void *
change_memory(void *arg)
{
	for (unsigned i = 0; i < 50; i++) {
		if (share_memory() < 0)
			return arg;
	}
	return NULL;
}

/* Memory changes in one thread while another controls the port. */
static void
memory_from_another_thread(void **state)
{
	pthread_t thread;
	uint8_t status;
	void *failed;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0);
	assert_int_equal(pthread_create(&thread, NULL, change_memory, mem), 0);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(t->ops->get_status(t, &status), 0);
		assert_int_equal(t->ops->service(t), 0);
	}
	pthread_join(thread, &failed);
	assert_null(failed);
}

/* Peers that behave badly */

static unsigned
messages_of_a_life(struct vio_vhost_user_params p)
{
	unsigned n;

	start_backend();
	assert_int_equal(whole_life(p), 0);
	close_transport();
	end_backend();
	n = b.count;
	assert_in_range(n, 20, MAX_MESSAGES - 1);
	return n;
}

/* A life in which message number "at" is treated so; returns its first error. */
static int
misbehaved_life(enum misbehaviour how, unsigned at, uint64_t protocol, unsigned timeout_ms)
{
	struct vio_vhost_user_params p = params();
	int ret;

	new_backend();
	b.how = how;
	b.at = at;
	b.protocol = protocol;
	p.timeout_ms = timeout_ms;
	start_backend();
	ret = whole_life(p);
	if (ret < 0 && t != NULL && how != REFUSES)
		assert_gone();
	if (ret < 0 && how == REFUSES && t != NULL)
		assert_int_equal(t->ops->set_status(t, 0), 0); /* all is well but for that */
	close_transport();
	end_backend();
	return ret;
}

static void
closing_at_each_step(void **state)
{
	unsigned n = messages_of_a_life(params());

	(void)state;
	for (unsigned at = 1; at <= n; at++)
		assert_int_equal(misbehaved_life(CLOSES, at, UINT64_MAX, LONG_MS), -ENODEV);
}

/* Without acknowledgements an error shows at a later message. */
static void
closing_at_each_step_unacknowledged(void **state)
{
	const uint64_t protocol = P_MQ | P_STATUS;
	unsigned n;
	int ret;

	(void)state;
	b.protocol = protocol;
	n = messages_of_a_life(params());
	for (unsigned at = 1; at < n; at++) {
		ret = misbehaved_life(CLOSES, at, protocol, LONG_MS);
		/* The last ones may go into a socket whose other end has not closed yet. */
		assert_true(ret == -ENODEV || (ret == 0 && at == n - 1));
	}
}

static void
silence_at_each_step(void **state)
{
	unsigned n = messages_of_a_life(params());

	(void)state;
	/* SET_OWNER (1) and SET_PROTOCOL_FEATURES (4) need no answer. */
	for (unsigned at = 1; at <= n; at++)
		assert_int_equal(misbehaved_life(SILENT, at, UINT64_MAX,
						 at == 1 || at == 4 ? LONG_MS : SHORT_MS),
				 at == 1 || at == 4 ? 0 : -ETIMEDOUT);
	assert_logged("did not answer SET_STATUS in 40 ms");
}

static void
wrong_answers(void **state)
{
	const unsigned steps[] = { 2, 3, 5, 6, 12, 40 };

	(void)state;
	assert_true(messages_of_a_life(params()) >= 40);
	for (enum misbehaviour how = WRONG_REQUEST; how <= NO_REPLY_FLAG; how++) {
		for (unsigned i = 0; i < 6; i++) {
			assert_int_equal(misbehaved_life(how, steps[i], UINT64_MAX, LONG_MS),
					 -EPROTO);
			assert_logged("wrong answer");
		}
	}
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(misbehaved_life(HALF_HEADER, steps[i], UINT64_MAX, LONG_MS),
				 -ENODEV);
		assert_int_equal(misbehaved_life(HALF_PAYLOAD, steps[i], UINT64_MAX, LONG_MS),
				 -ENODEV);
	}
}

static void
refusal_at_each_step(void **state)
{
	unsigned n = messages_of_a_life(params()), refused = 0;
	int ret;

	(void)state;
	for (unsigned at = 6; at <= n; at++) {
		ret = misbehaved_life(REFUSES, at, UINT64_MAX, LONG_MS);
		if (b.messages[at - 1].flags & 8) {
			assert_int_equal(ret, -EIO);
			assert_logged("refused");
			refused++;
		} else {
			assert_int_equal(ret, 0); /* answers have no way to refuse */
		}
	}
	assert_in_range(refused, 20, n);
}

static void
wrong_queue_stopped(void **state)
{
	(void)state;
	b.base_index = 1;
	start_backend();
	assert_int_equal(whole_life(params()), -EPROTO);
	assert_logged("GET_VRING_BASE");
	assert_gone();
}

static void
answers_in_pieces(void **state)
{
	(void)state;
	b.dribbles = true;
	start_backend();
	assert_int_equal(whole_life(params()), 0);
}

static void
descriptors_sent_unasked(void **state)
{
	(void)state;
	b.sends_fds = true;
	start_backend();
	assert_int_equal(whole_life(params()), 0);
}

/* A peer that takes nothing more off the socket, and acknowledges nothing. */
static void
full_socket(void **state)
{
	struct vio_vhost_user_params p = params();
	unsigned n = 0;
	int ret;

	(void)state;
	b.protocol = P_MQ;
	b.stops_after = 5;
	p.timeout_ms = 1000; /* for the answers before, too */
	start_backend();
	assert_int_equal(open_with(p), 0);
	do
		ret = share_memory();
	while (ret == 0 && ++n < 100000);
	assert_int_equal(ret, -ETIMEDOUT);
	assert_logged("did not answer SET_MEM_TABLE");
	assert_gone();
}

static void
service_sees_the_end(void **state)
{
	struct pollfd pfd = { .events = POLLIN };
	struct vio_device device;
	unsigned messages;
	uint16_t status;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(go(V1), 0);
	pfd.fd = t->ops->event_fd(t);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	assert_int_equal(t->ops->service(t), 0);
	vio_device_init(&device, t);
	messages = b.count;
	assert_false(vio_device_is_gone(&device));
	assert_int_equal(b.count, messages); /* it is not asked: that would be too often */
	shutdown(b.fd, SHUT_RDWR);
	assert_int_equal(poll(&pfd, 1, LONG_MS), 1);
	assert_true(vio_device_is_gone(&device));
	assert_int_equal(t->ops->service(t), -ENODEV);
	assert_logged("closed the connection");
	assert_gone();
	notifiers[0].kick(&notifiers[0], 0); /* rings nowhere */
	assert_int_equal(t->ops->event_fd(t), pfd.fd);
	assert_int_equal(t->ops->read_config(t, 6, &status, 2), -ENODEV);
}

/* The link state read by polling finds it too. */
static void
config_sees_the_end(void **state)
{
	uint16_t status;

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	shutdown(b.fd, SHUT_RDWR);
	assert_int_equal(t->ops->read_config(t, 6, &status, 2), -ENODEV);
	assert_gone();
}

static void
speaks_unasked(void **state)
{
	struct pollfd pfd = { .events = POLLIN };

	(void)state;
	start_backend();
	assert_int_equal(open_with(params()), 0);
	assert_int_equal(write(b.fd, "!", 1), 1);
	assert_int_equal(t->ops->service(t), -ENODEV);
	assert_logged("unasked");
	pfd.fd = t->ops->event_fd(t); /* both ends see that it is over */
	assert_int_equal(poll(&pfd, 1, 0), 1);
	assert_true(pfd.revents & POLLHUP);
	assert_gone();
}

/* Paths */

static void
touch(const char *file)
{
	int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void
nobody_at_path(void **state)
{
	struct vio_vhost_user_params p = params();
	char longest[200];

	(void)state;
	assert_int_equal(open_with(p), -ENOENT);
	assert_logged("no vhost-user back-end serves there");
	close(listen_at_path(1)); /* leaves a socket without a server */
	assert_int_equal(open_with(p), -ECONNREFUSED);
	assert_logged("start the back-end first");
	unlink(path);
	touch(path);
	assert_int_equal(open_with(p), -ENOTSOCK);
	assert_logged("this is no socket");
	p.path = "";
	assert_int_equal(open_with(p), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[108] = '\0';
	p.path = longest;
	assert_int_equal(open_with(p), -ENAMETOOLONG);
	assert_logged("108 bytes and at most 107");
	longest[107] = '\0';
	assert_int_equal(open_with(p), -ENOENT);
}

static void
parameters(void **state)
{
	struct vio_vhost_user_params p = params();

	(void)state;
	p.queue_pairs = 129;
	assert_int_equal(open_with(p), -EINVAL);
	assert_logged("129 queue pairs");
	p = params();
	p.queue_size = 32769;
	assert_int_equal(open_with(p), -EINVAL);
	assert_logged("32769 descriptors");
	p = params();
	p.mtu = 67;
	assert_int_equal(open_with(p), -EINVAL);
	assert_logged("MTU of 67");
}

/* A server with a full backlog, and one that never accepts. */
static void
server_that_does_not_accept(void **state)
{
	struct vio_vhost_user_params p = params();

	(void)state;
	p.timeout_ms = SHORT_MS;
	b.listen_fd = listen_at_path(0);
	assert_int_equal(open_with(p), -ETIMEDOUT);
	assert_logged("did not answer GET_FEATURES");
	/* That connection, closed by now, still waits to be accepted: no room for another. */
	assert_int_equal(open_with(p), -ETIMEDOUT);
	assert_logged("accepts no connection");
}

static void
as_a_server(void **state)
{
	struct vio_vhost_user_params p = params();
	struct stat st;

	(void)state;
	p.server = true;
	b.connects = true;
	start_backend();
	assert_int_equal(whole_life(p), 0);
	assert_logged("waiting for a vhost-user back-end to connect");
	assert_int_equal(stat(path, &st), 0);
	close_transport();
	assert_int_equal(stat(path, &st), -1); /* gone with its server */
}

static void
server_without_a_peer(void **state)
{
	struct vio_vhost_user_params p = params();
	struct stat st;

	(void)state;
	p.server = true;
	p.accept_ms = SHORT_MS;
	assert_int_equal(open_with(p), -ETIMEDOUT);
	assert_logged("no vhost-user back-end connected");
	assert_int_equal(stat(path, &st), -1);
}

static void
server_at_a_taken_path(void **state)
{
	struct vio_vhost_user_params p = params();
	struct stat st;

	(void)state;
	p.server = true;
	p.accept_ms = SHORT_MS;
	b.listen_fd = listen_at_path(1);
	assert_int_equal(open_with(p), -EADDRINUSE);
	assert_logged("another process serves there");
	assert_int_equal(stat(path, &st), 0);
	close_if(&b.listen_fd); /* dead now: is replaced */
	assert_int_equal(open_with(p), -ETIMEDOUT);
	assert_logged("replacing a socket");
	touch(path);
	assert_int_equal(open_with(p), -ENOTSOCK);
	assert_int_equal(stat(path, &st), 0); /* nobody's file is deleted */
	p.path = "/nonexistent/sock";
	assert_int_equal(open_with(p), -ENOENT);
}

static void
on_signal(int signal)
{
	(void)signal;
}

static bool interrupted_enough;

static void *
interrupt(void *main_thread)
{
	while (!__atomic_load_n(&interrupted_enough, __ATOMIC_RELAXED)) {
		sleep_ms(20);
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
	}
	return NULL;
}

static void
end_interrupts(pthread_t thread)
{
	__atomic_store_n(&interrupted_enough, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	interrupted_enough = false;
}

/* Ctrl-C ends the wait, also where signal() restarts what can be. */
static void
server_interrupted(void **state)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct vio_vhost_user_params p = params();
	pthread_t self = pthread_self(), thread;
	int ret;

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, interrupt, &self);
	p.server = true;
	ret = open_with(p);
	end_interrupts(thread);
	assert_int_equal(ret, -EINTR);
	assert_logged("no longer waiting");
}

/* The answers' wait is not ended by signals. */
static void
answers_despite_signals(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), thread;
	int ret;

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	b.dribbles = true;
	start_backend();
	pthread_create(&thread, NULL, interrupt, &self);
	ret = whole_life(params());
	end_interrupts(thread);
	assert_int_equal(ret, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(session_begin),
		TEST(features),
		TEST(features_not_asked_for),
		TEST(config_space),
		TEST(queue_messages),
		TEST(packed_base),
		TEST(queue_refusals),
		TEST(kick_and_call),
		TEST(queue_pairs),
		TEST(queue_pairs_before_setup),
		TEST(too_many_queue_pairs),
		TEST(back_end_of_one_pair),
		TEST(reset_and_start_again),
		TEST(one_pair_after_a_reset),
		TEST(disabling_refused),
		TEST(status_of_the_back_end),
		TEST(status_kept_here),
		TEST(no_protocol_features),
		TEST(neighbours_become_one),
		TEST(region_limit),
		TEST(memory_that_makes_no_sense),
		TEST(memory_from_another_thread),
		TEST(closing_at_each_step),
		TEST(closing_at_each_step_unacknowledged),
		TEST(silence_at_each_step),
		TEST(wrong_answers),
		TEST(refusal_at_each_step),
		TEST(wrong_queue_stopped),
		TEST(answers_in_pieces),
		TEST(descriptors_sent_unasked),
		TEST(full_socket),
		TEST(service_sees_the_end),
		TEST(config_sees_the_end),
		TEST(speaks_unasked),
		TEST(nobody_at_path),
		TEST(parameters),
		TEST(server_that_does_not_accept),
		TEST(as_a_server),
		TEST(server_without_a_peer),
		TEST(server_at_a_taken_path),
		TEST(server_interrupted),
		TEST(answers_despite_signals),
	};
#undef TEST

	/* What it opens stays. */
	vio_doorbell_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
