/* SPDX-License-Identifier: BSD-3-Clause */
#include "control.h"

enum { RESULT_MAX = 1024 };

struct control control;

void
control_init(bool honest)
{
	control = (struct control){ .honest = honest };
}

void
control_next(void)
{
	control.mute = control.unsure = false;
	control.oks = control.refusals = 0;
}

uint16_t
control_queue(const struct port *port)
{
	bool mq = vio_has(port->features, VIRTIO_NET_F_MQ) ||
		  vio_has(port->features, VIRTIO_NET_F_RSS);

	return mq ? 2 * port->pairs : 2;
}

static struct peer *
control_peer(struct port *port)
{
	return &port->peers[control_queue(port)];
}

bool
control_is_waiting(struct port *port)
{
	struct peer *peer = control_peer(port);

	peer_fetch(port, peer);
	return peer->n_held > 0;
}

/* --- statistics ---------------------------------------------------------------------------------
 */

uint8_t
control_counters(uint8_t type)
{
	static const struct {
		uint8_t type, n;
	} types[] = { { 0, 6 },  { 1, 4 },  { 2, 4 },  { 3, 2 }, { 16, 6 },
		      { 17, 2 }, { 18, 6 }, { 19, 2 }, { 32, 2 } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].n;
	return 0;
}

/* The lowest byte is no type: a reply never begins in the middle of another. */
uint64_t
control_counter(uint16_t queue, uint8_t type, uint8_t n)
{
	return UINT64_C(0xff) | (uint64_t)queue << 8 | (uint64_t)type << 24 | (uint64_t)n << 32;
}

/* A result that is being written. */
struct result {
	uint8_t *at;
	uint32_t left;
	bool refused; /* by its ack: no counter of it may be seen */
};

static void
put(struct result *to, const void *bytes, uint32_t n)
{
	uint32_t fit = n < to->left ? n : to->left;

	memcpy(to->at, bytes, fit);
	to->at += fit;
	to->left -= fit;
}

static void
put_reply(struct result *to, const struct vio_net_stats_reply *reply, uint8_t counters)
{
	put(to, reply, sizeof(*reply));
	for (uint8_t i = 0; i < counters; i++) {
		uint64_t value = control_counter(reply->vq_index, reply->type, i);

		if (to->refused)
			value |= UINT64_C(1) << 63;
		put(to, &value, sizeof(value));
	}
}

static void
put_noise(struct port *port, struct result *to)
{
	uint8_t noise[64];

	take_bytes(port->in, noise, sizeof(noise));
	put(to, noise, 8 + noise[0] % 56);
	control.any_counter = true;
}

/* One reply, with at most one thing wrong: it lacks, comes twice, is of something else, has
 * more counters or fewer, or says that it has. */
static void
reply_to(struct port *port, struct result *to, uint16_t queue, uint8_t type)
{
	uint8_t n = control_counters(type), kind = control.honest ? 0 : take8(port->in);
	struct vio_net_stats_reply reply = {
		.type = type,
		.vq_index = queue,
		.size = (uint16_t)(sizeof(reply) + n * sizeof(uint64_t)),
	};

	switch (kind) {
	case 255:
		return;
	case 254:
		put_reply(to, &reply, n);
		break;
	case 253:
		reply.type = take8(port->in) % 33;
		break;
	case 252:
		reply.vq_index = take8(port->in) % 16;
		break;
	case 251:
		reply.size = take16(port->in);
		control.any_counter |= reply.size % 8 != 0;
		break;
	case 250:
		reply.size += 8 * (n = take8(port->in) % 64);
		break;
	case 249:
		n = n > 0 ? take8(port->in) % n : 0;
		reply.size = (uint16_t)(sizeof(reply) + n * sizeof(uint64_t));
		break;
	case 248:
		put_noise(port, to);
		return;
	}
	put_reply(to, &reply, n);
}

static void
write_counters(struct port *port, const struct element *question, struct result *to)
{
	struct vio_net_stats_get get;

	if (question->writable || question->len < sizeof(get))
		return;
	memcpy(&get, question->addr, sizeof(get));
	for (uint8_t type = 0; type < 64; type++)
		if (get.types & UINT64_C(1) << type && control_counters(type) > 0)
			reply_to(port, to, get.vq_index, type);
}

static void
write_types(struct port *port, struct result *to)
{
	uint64_t types = UINT64_C(0x1000f000f);

	if (!control.honest && take8(port->in) >= 192)
		types = take64(port->in);
	put(to, &types, sizeof(types));
}

/* --- answers ------------------------------------------------------------------------------------
 */

static void
write_result(struct port *port, const struct held *held, struct element *e, uint8_t ack)
{
	const struct element *command = &held->elements[0];
	struct result to = { e->addr, e->len, ack != VIO_NET_CTRL_OK };

	if (command->writable || command->len < sizeof(struct vio_net_ctrl_hdr) ||
	    command->addr[0] != VIO_NET_CTRL_STATS)
		return;
	if (command->addr[1] == VIO_NET_CTRL_STATS_QUERY)
		write_types(port, &to);
	else
		write_counters(port, &held->elements[1], &to);
}

/* The ack is the first byte that the device may write, and the result what comes behind. */
static void
answer(struct port *port, struct peer *peer, uint8_t ack, uint32_t len)
{
	struct held *held = &peer->held[0];
	unsigned n = held->n < 4 ? held->n : 4;
	bool acked = false;

	if (peer->n_held == 0)
		return;
	for (unsigned i = 1; i < n; i++) {
		struct element *e = &held->elements[i];

		if (!e->writable || e->len == 0)
			continue;
		if (acked)
			write_result(port, held, e, ack);
		else if (e->len == 1)
			*e->addr = ack;
		acked = true;
	}
	control.oks += ack == VIO_NET_CTRL_OK;
	control.refusals += ack != VIO_NET_CTRL_OK;
	peer_use(port, peer, 0, len);
}

void
control_turn(struct port *port)
{
	struct peer *peer = control_peer(port);
	uint8_t kind = control.honest ? 0 : control.mute ? 239 : take8(port->in);

	peer_fetch(port, peer);
	if (kind < 160)
		answer(port, peer, VIO_NET_CTRL_OK, 1 + RESULT_MAX);
	else if (kind < 184)
		answer(port, peer, take8(port->in), 1);
	else if (kind < 200)
		answer(port, peer, VIO_NET_CTRL_OK, take32(port->in));
	else if (kind < 216 && peer->live)
		peer_scribble(port, peer), control.unsure = control.any_counter = true;
	else if (kind < 232)
		peer_lie(port, peer), control.unsure = control.any_counter = true;
	else if (kind >= 248)
		control.mute = true;
}
