/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the vhost-user front-end share: its state, and one exchange with the back-end.
 */
#ifndef VIO_VHOST_USER_FRONT_H
#define VIO_VHOST_USER_FRONT_H

#include <pthread.h>

#include "vhost_user.h"
#include "vhost_user_config.h"
#include "vhost_user_memory.h"
#include "vhost_user_msg.h"

/* A bit of the feature word that is vhost-user's own: the back-end has protocol features. */
#define F_PROTOCOL_FEATURES (UINT64_C(1) << 30)

/* The protocol features that this front-end makes use of. */
enum {
	PROTOCOL_F_MQ = 1 << 0,
	PROTOCOL_F_REPLY_ACK = 1 << 3,
	PROTOCOL_F_NET_MTU = 1 << 4,
	PROTOCOL_F_RESET_DEVICE = 1 << 13,
	PROTOCOL_F_STATUS = 1 << 16,
	PROTOCOL_F_USED = PROTOCOL_F_MQ | PROTOCOL_F_REPLY_ACK | PROTOCOL_F_NET_MTU |
			  PROTOCOL_F_RESET_DEVICE | PROTOCOL_F_STATUS,
};

struct vhost_user_queue {
	int kick_fd; /* both live from open to close: a thread may sleep on one */
	int call_fd;
	bool started; /* the back-end has it: GET_VRING_BASE is owed */
	bool enabled;
};

struct vhost_user {
	struct vio_transport base;
	char *path;
	struct vio_vhost_user_params params; /* as given, but for defaults */
	int listen_fd; /* server: kept, so that a next back-end finds it; else -1 */
	/* Held over each exchange, as memory may change in another thread than the port's. */
	pthread_mutex_t lock;
	/* From here on all is under the lock. */
	struct vio_vu_channel channel;
	struct vio_vu_config config;
	struct vio_vu_table table; /* as told to the back-end; its descriptors are not kept */
	uint64_t backend_features;
	uint64_t protocol;
	uint64_t features;   /* as told to the back-end */
	uint8_t status;      /* where the back-end keeps none */
	uint16_t pairs;      /* that carry packets */
	uint16_t queue_size; /* what a queue may have at most */
	uint16_t mtu;
	unsigned n_queues;
	struct vhost_user_queue queues[];
};

static inline struct vhost_user *
vio_vu_of(struct vio_transport *t)
{
	return (struct vhost_user *)t;
}

/* Takes the lock: 0, or -ENODEV, without it, where nothing goes through any more. */
int vio_vu_enter(struct vhost_user *v);
/* Gives it back. Returns ret. */
int vio_vu_leave(struct vhost_user *v, int ret);

/* One exchange, with the lock held: 0, or the error of vhost_user_msg.h. */
int vio_vu_tell_u64(struct vhost_user *v, enum vio_vu_request request, uint64_t value);
int vio_vu_tell_nothing(struct vhost_user *v, enum vio_vu_request request);
int vio_vu_ask_u64(struct vhost_user *v, enum vio_vu_request request, uint64_t *value);

/* The back-end answered in form, but not in sense: it is given up. Returns -EPROTO. */
int vio_vu_nonsense(struct vhost_user *v, enum vio_vu_request request, uint64_t value);

/* With the lock held. The first error, but all queues are told. */
int vio_vu_stop_queues(struct vhost_user *v);

extern const struct vio_transport_ops vio_vu_ops;

/* Operations of transport.h. close() takes apart also what is only half made. */
void vio_vu_close(struct vio_transport *t);
int vio_vu_queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
		       struct vio_notifier *notifier);
int vio_vu_set_queue_pairs(struct vio_transport *t, uint16_t pairs);
int vio_vu_queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size);
int vio_vu_queue_reset(struct vio_transport *t, uint16_t queue);
int vio_vu_queue_event_fd(struct vio_transport *t, uint16_t queue);
int vio_vu_queue_kick_fd(struct vio_transport *t, uint16_t queue);

#endif
