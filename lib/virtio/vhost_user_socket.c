/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define RETRY_MS    10    /* while the server's backlog is full */
#define PROGRESS_MS 10000 /* between two words to a waiting user */

static int
make_address(const char *path, struct sockaddr_un *sun)
{
	size_t len = strlen(path);

	if (len == 0) {
		vio_err("the path of the vhost-user socket is empty: give path=");
		return -EINVAL;
	}
	if (len >= sizeof(sun->sun_path)) {
		vio_err("%s: this socket path has %zu bytes and at most %zu are possible: "
			"choose a shorter one",
			path, len, sizeof(sun->sun_path) - 1);
		return -ENAMETOOLONG;
	}
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sun->sun_path, path, len);
	return 0;
}

/* And the address that it is for. */
static int
make_socket(const char *path, struct sockaddr_un *sun)
{
	int fd = make_address(path, sun);

	if (fd < 0)
		return fd;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		return fd;
	fd = -errno;
	vio_err("%s: no socket to be had: %s", path, strerror(-fd));
	return fd;
}

static bool
is_other_than_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

static int
cannot_connect(const char *path, int error)
{
	/* For a file of another kind the kernel says ECONNREFUSED, too. */
	if (error == -ECONNREFUSED && is_other_than_socket(path)) {
		vio_err("%s: this is no socket: give the path of the vhost-user back-end's socket",
			path);
		return -ENOTSOCK;
	}
	if (error == -ENOENT || error == -ECONNREFUSED)
		vio_err("%s: no vhost-user back-end serves there (%s): start the back-end first, "
			"or "
			"let it connect here with server=1",
			path, strerror(-error));
	else if (error == -EAGAIN)
		vio_err("%s: the vhost-user back-end there accepts no connection: it may serve one "
			"only, or hang",
			path);
	else
		vio_err("%s: cannot connect: %s", path, strerror(-error));
	return error == -EAGAIN ? -ETIMEDOUT : error;
}

/* A full backlog gives EAGAIN at once, as the socket does not block. */
static int
connect_until(int fd, const struct sockaddr_un *sun, uint64_t end)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000 };

	while (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0) {
		if (errno != EINTR && (errno != EAGAIN || vio_now_ms() >= end))
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int
vio_vu_try_connect(const char *path)
{
	struct sockaddr_un sun;
	int fd, ret;

	fd = make_socket(path, &sun);
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	ret = -errno;
	close(fd);
	if (ret == -ENOENT || ret == -ECONNREFUSED || ret == -EINTR)
		return -EAGAIN;
	return ret == -EAGAIN ? ret : cannot_connect(path, ret);
}

int
vio_vu_connect(const char *path, unsigned timeout_ms)
{
	struct sockaddr_un sun;
	int fd, ret;

	fd = make_socket(path, &sun);
	if (fd < 0)
		return fd;
	ret = connect_until(fd, &sun, vio_now_ms() + timeout_ms);
	if (ret < 0) {
		close(fd);
		return cannot_connect(path, ret);
	}
	return fd;
}

/* Whether a socket lies at sun that no process listens on: its server ended without removing it. */
static bool
is_stale(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
		errno == ECONNREFUSED && !is_other_than_socket(sun->sun_path);
	close(fd);
	return stale;
}

static int
try_bind(int fd, const struct sockaddr_un *sun)
{
	return bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;
}

static int
bind_to(int fd, const struct sockaddr_un *sun)
{
	int ret = try_bind(fd, sun);

	if (ret != -EADDRINUSE || !is_stale(sun))
		return ret;
	vio_notice("%s: replacing a socket that nobody serves any more", sun->sun_path);
	if (unlink(sun->sun_path) < 0)
		return -errno;
	return try_bind(fd, sun);
}

static int
cannot_listen(const char *path, int error)
{
	if (error == -EADDRINUSE && is_other_than_socket(path)) {
		vio_err("%s: a file that is no socket lies there: choose another path", path);
		return -ENOTSOCK;
	}
	if (error == -EADDRINUSE)
		vio_err("%s: another process serves there: end it, or choose another path", path);
	else
		vio_err("%s: cannot listen there: %s", path, strerror(-error));
	return error;
}

int
vio_vu_listen(const char *path)
{
	struct sockaddr_un sun;
	int fd, ret;

	fd = make_socket(path, &sun);
	if (fd < 0)
		return fd;
	ret = bind_to(fd, &sun);
	if (ret < 0) {
		close(fd);
		return cannot_listen(path, ret);
	}
	if (listen(fd, 1) < 0) {
		ret = -errno;
		close(fd);
		unlink(path);
		return cannot_listen(path, ret);
	}
	return fd;
}

/* Waits for a connection to accept: 0, -ETIMEDOUT, -EINTR. */
static int
wait_for_peer(int listen_fd, const char *path, unsigned timeout_ms)
{
	struct pollfd pfd = { .fd = listen_fd, .events = POLLIN };
	uint64_t end = vio_now_ms() + timeout_ms, now = vio_now_ms();
	uint64_t slice;
	int n;

	do {
		vio_notice("%s: waiting for a vhost-user back-end to connect, %u s left", path,
			   (unsigned)((end - now + 999) / 1000));
		slice = end - now < PROGRESS_MS ? end - now : PROGRESS_MS;
		n = poll(&pfd, 1, (int)slice);
		if (n != 0)
			return n < 0 ? -errno : 0;
		now = vio_now_ms();
	} while (now < end);
	return -ETIMEDOUT;
}

int
vio_vu_try_accept(int listen_fd, const char *path)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED)
		return -EAGAIN;
	fd = -errno;
	vio_err("%s: no vhost-user back-end can connect: %s", path, strerror(-fd));
	return fd;
}

int
vio_vu_accept(int listen_fd, const char *path, unsigned timeout_ms)
{
	int ret = wait_for_peer(listen_fd, path, timeout_ms);
	int fd;

	if (ret == 0) {
		fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		ret = -errno;
	}
	if (ret == -ETIMEDOUT)
		vio_err("%s: no vhost-user back-end connected in %u s: start it as a client of "
			"this "
			"path (DPDK's net_vhost: client=1)",
			path, (timeout_ms + 999) / 1000);
	else
		vio_err("%s: no longer waiting for a vhost-user back-end: %s", path,
			strerror(-ret));
	return ret;
}
