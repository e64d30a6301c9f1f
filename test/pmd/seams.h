/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Included before each file of the driver and of the device library, where they are compiled for
 * these tests: what they call outside goes by way of seams.c. There every call that can fail has a
 * number and can be made to fail, memory is the C library's, so that a sanitizer sees its edges,
 * and time passes only where somebody waits.
 *
 * Macros with arguments, so that members of the same name stay what they are.
 */
#ifndef PMD_SEAMS_H
#define PMD_SEAMS_H

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_alarm.h>
#include <rte_memory.h>
#include <rte_cycles.h>
#include <rte_interrupts.h>
#include <rte_kvargs.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

void *seam_malloc(size_t size);
void *seam_calloc(size_t n, size_t size);
void *seam_realloc(void *old, size_t size);
char *seam_strdup(const char *text);
int seam_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
void *seam_zmalloc(const char *type, size_t size, unsigned align);
void *seam_zmalloc_socket(const char *type, size_t size, unsigned align, int socket);
void seam_free(void *ptr);
void seam_rte_free(void *ptr);
const struct rte_memzone *seam_memzone_reserve(const char *name, size_t len, int socket,
					       unsigned flags, unsigned align);
int seam_memzone_free(const struct rte_memzone *mz);
int seam_intr_register(const struct rte_intr_handle *handle, rte_intr_callback_fn callback,
		       void *arg);
int seam_intr_unregister(const struct rte_intr_handle *handle, rte_intr_callback_fn callback,
			 void *arg);
int seam_intr_enable(const struct rte_intr_handle *handle);
int seam_intr_disable(const struct rte_intr_handle *handle);
int seam_intr_ack(const struct rte_intr_handle *handle);
int seam_intr_efd_enable(struct rte_intr_handle *handle, uint32_t n);
int seam_intr_vec_list_alloc(struct rte_intr_handle *handle, const char *name, int size);
int seam_is_intr(void);
int seam_alarm_set(uint64_t us, rte_eal_alarm_callback callback, void *arg);
int seam_alarm_cancel(rte_eal_alarm_callback callback, void *arg);
int seam_socket(int domain, int type, int protocol);
int seam_connect(int fd, const struct sockaddr *addr, socklen_t len);
int seam_bind(int fd, const struct sockaddr *addr, socklen_t len);
int seam_listen(int fd, int backlog);
int seam_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int seam_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
ssize_t seam_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t seam_recv(int fd, void *buf, size_t len, int flags);
int seam_eventfd(unsigned start, int flags);
struct rte_intr_handle *seam_intr_instance_alloc(uint32_t flags);
int seam_mem_event_register(const char *name, rte_mem_event_callback_t callback, void *arg);
struct rte_eth_dev *seam_vdev_allocate(struct rte_vdev_device *vdev, size_t size);
int seam_clock_gettime(clockid_t id, struct timespec *now);
int seam_nanosleep(const struct timespec *time, struct timespec *left);
uint64_t seam_cycles(void);
uint64_t seam_hz(void);
void seam_sleep(unsigned us);

#ifndef SEAMS_BEHIND
#define malloc(size)       seam_malloc(size)
#define calloc(n, size)    seam_calloc(n, size)
#define realloc(old, size) seam_realloc(old, size)
#define free(ptr)          seam_free(ptr)
#undef strdup
#define strdup(text)                                  seam_strdup(text)
#define pthread_mutex_init(mutex, attr)               seam_mutex_init(mutex, attr)
#define rte_zmalloc(type, size, align)                seam_zmalloc(type, size, align)
#define rte_zmalloc_socket(type, size, align, socket) seam_zmalloc_socket(type, size, align, socket)
#define rte_free(ptr)                                 seam_rte_free(ptr)
#define rte_memzone_reserve_aligned(name, len, socket, flags, align) \
	seam_memzone_reserve(name, len, socket, flags, align)
#define rte_memzone_free(mz)                              seam_memzone_free(mz)
#define rte_intr_callback_register(handle, callback, arg) seam_intr_register(handle, callback, arg)
#define rte_intr_callback_unregister(handle, callback, arg) \
	seam_intr_unregister(handle, callback, arg)
#define rte_intr_callback_unregister_sync(handle, callback, arg) \
	seam_intr_unregister(handle, callback, arg)
#define rte_intr_callback_unregister_pending(handle, callback, arg, free_cb) \
	((void)(free_cb), seam_intr_unregister(handle, callback, arg))
#define rte_intr_enable(handle)                     seam_intr_enable(handle)
#define rte_intr_disable(handle)                    seam_intr_disable(handle)
#define rte_intr_ack(handle)                        seam_intr_ack(handle)
#define rte_thread_is_intr()                        seam_is_intr()
#define rte_eal_alarm_set(us, callback, arg)        seam_alarm_set(us, callback, arg)
#define rte_eal_alarm_cancel(callback, arg)         seam_alarm_cancel(callback, arg)
#define clock_gettime(id, now)                      seam_clock_gettime(id, now)
#define nanosleep(time, left)                       seam_nanosleep(time, left)
#define rte_get_timer_cycles()                      seam_cycles()
#define rte_get_timer_hz()                          seam_hz()
#define rte_delay_us_sleep(us)                      seam_sleep(us)
#define rte_intr_efd_enable(handle, n)              seam_intr_efd_enable(handle, n)
#define rte_intr_vec_list_alloc(handle, name, size) seam_intr_vec_list_alloc(handle, name, size)
#define socket(domain, type, protocol)              seam_socket(domain, type, protocol)
#define connect(fd, addr, len)                      seam_connect(fd, addr, len)
#define bind(fd, addr, len)                         seam_bind(fd, addr, len)
#define listen(fd, backlog)                         seam_listen(fd, backlog)
#define accept4(fd, addr, len, flags)               seam_accept(fd, addr, len, flags)
#define poll(fds, n, timeout_ms)                    seam_poll(fds, n, timeout_ms)
#define sendmsg(fd, msg, flags)                     seam_sendmsg(fd, msg, flags)
#define recv(fd, buf, len, flags)                   seam_recv(fd, buf, len, flags)
#define eventfd(start, flags)                       seam_eventfd(start, flags)
#define rte_intr_instance_alloc(flags)              seam_intr_instance_alloc(flags)
#define rte_mem_event_callback_register(name, callback, arg) \
	seam_mem_event_register(name, callback, arg)
#define rte_eth_vdev_allocate(vdev, size) seam_vdev_allocate(vdev, size)
#endif

#endif
