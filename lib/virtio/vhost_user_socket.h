/* SPDX-License-Identifier: BSD-3-Clause */
/* How the socket of a vhost-user connection comes about. Private to the vhost-user transport. */
#ifndef VIO_VHOST_USER_SOCKET_H
#define VIO_VHOST_USER_SOCKET_H

/* All return a non-blocking, close-on-exec socket, or a negative errno value with a line in the log
 * that names path. Errors are those of vio_vhost_user_open(). */

int vio_vu_connect(const char *path, unsigned timeout_ms);
/* Binds to path, in place of a socket there that nobody serves any more. */
int vio_vu_listen(const char *path);
/* Waits for a peer; a signal ends it (-EINTR). */
int vio_vu_accept(int listen_fd, const char *path, unsigned timeout_ms);

/* The same without waiting: -EAGAIN, and no line in the log, where nobody serves at path, or has
 * connected. */
int vio_vu_try_connect(const char *path);
int vio_vu_try_accept(int listen_fd, const char *path);

#endif
