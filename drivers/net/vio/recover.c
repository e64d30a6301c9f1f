/* SPDX-License-Identifier: BSD-3-Clause */
#include "recover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <rte_alarm.h>
#include <rte_cycles.h>

#include "log.h"
#include "port.h"

/* A port that was well for so long begins to count its tries anew. */
#define STABLE_MS 10000
/* Before the second try; then twice as long each time, up to the most. */
#define BACKOFF_MS      10
#define BACKOFF_MOST_MS 1000
/* In so many milliseconds one peer that came and went is forgotten. More than the longest pause, so
 * that peers that never stay keep it. */
#define FORGET_PEER_MS 2000

/* What became of a try. */
enum outcome { RECOVERED, AGAIN, GIVEN_UP, GONE, OVERTAKEN };

/* The port whose events this thread hands to the application, which may close it meanwhile. */
static _Thread_local struct vio_port *telling;

static const char *const cause_words[VIO_CAUSES] = {
	[VIO_CAUSE_RESTART] = "the device did not start again",
	[VIO_CAUSE_QUEUE] = "a queue is broken",
	[VIO_CAUSE_CONTROL] = "the control queue is broken",
	[VIO_CAUSE_NEEDS_RESET] = "the device asks for a reset",
	[VIO_CAUSE_PEER] = "the vhost-user peer has gone",
	[VIO_CAUSE_UNPLUGGED] = "the device is gone",
};

static uint64_t
ms_since(uint64_t cycles)
{
	return (rte_get_timer_cycles() - cycles) * 1000 / rte_get_timer_hz();
}

/* Tells the application, and whether the port is still there. */
static bool
tell(struct vio_port *port, enum rte_eth_event_type event)
{
	bool there;

	telling = port;
	rte_eth_dev_callback_process(port->dev, event, NULL);
	there = telling == port;
	telling = NULL;
	return there;
}

static bool
tell_link(struct vio_port *port)
{
	return vio_link_update(port->dev, 1) != 0 || tell(port, RTE_ETH_EVENT_INTR_LSC);
}

/* The highest bit: causes are sorted by how much else they would explain, least first. */
static enum vio_cause
worst(uint32_t causes)
{
	return (enum vio_cause)(31 - __builtin_clz(causes));
}

static const char *
broken_queue(const struct vio_port *port, char *text, size_t size)
{
	const struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		const struct vio_rxq *q = data->rx_queues[i];

		if (q->ring.vq != NULL && vq_error(q->ring.vq) != VQ_OK) {
			snprintf(text, size, "rx queue %u is broken: %s", i,
				 vq_error_text(vq_error(q->ring.vq)));
			return text;
		}
	}
	for (uint16_t i = 0; i < data->nb_tx_queues; i++) {
		const struct vio_txq *q = data->tx_queues[i];

		if (q->ring.vq != NULL && vq_error(q->ring.vq) != VQ_OK) {
			snprintf(text, size, "tx queue %u is broken: %s", i,
				 vq_error_text(vq_error(q->ring.vq)));
			return text;
		}
	}
	return cause_words[VIO_CAUSE_QUEUE];
}

static void
remember(struct vio_port *port, enum vio_cause cause)
{
	struct vio_recovery *r = &port->recovery;
	char text[160];

	r->causes[cause]++;
	r->began = rte_get_timer_cycles();
	snprintf(r->words, sizeof(r->words), "%s",
		 cause == VIO_CAUSE_QUEUE ? broken_queue(port, text, sizeof(text))
					  : cause_words[cause]);
}

/* The peer's end of the socket, or the device's slot, is empty, and nothing will come. */
static bool
is_gone_for_good(const struct vio_port *port, enum vio_cause cause)
{
	return cause == VIO_CAUSE_UNPLUGGED || (cause == VIO_CAUSE_PEER && port->reconnect == NULL);
}

/* A port that was well for long enough has nothing behind it. With the lock. */
static void
forgive(struct vio_port *port)
{
	struct vio_recovery *r = &port->recovery;
	unsigned rounds = r->hush.rounds;

	if (r->recovered == 0 || ms_since(r->recovered) <= STABLE_MS)
		return;
	r->tries = 0;
	r->hush = (struct vio_hush){ 0 };
	if (rounds > VIO_HUSH_FREE_ROUNDS)
		PORT_LOG(port, NOTICE, "was well for %u s, after %u faults", STABLE_MS / 1000,
			 rounds);
}

/* A fault, or a try in vain; with the lock. */
static void
begin_round(struct vio_port *port)
{
	struct vio_hush *hush = &port->recovery.hush;

	if (vio_hush_round(hush) && hush->rounds > VIO_HUSH_FREE_ROUNDS)
		PORT_LOG(port, WARNING,
			 "%u faults since the port was last well for %u s; the log tells of them "
			 "more rarely",
			 hush->rounds, STABLE_MS / 1000);
}

/* With the lock. The bursts are no-ops from here on. */
static void
begin(struct vio_port *port, enum vio_cause cause)
{
	struct vio_recovery *r = &port->recovery;

	remember(port, cause);
	r->ill = true;
	forgive(port);
	begin_round(port);
	/* It is not the peer's fault that it was ended. */
	if (cause == VIO_CAUSE_PEER)
		r->tries = 0;
	vio_port_shut_gates(port);
	if (is_gone_for_good(port, cause)) {
		r->health = VIO_HEALTH_GIVEN_UP;
		r->failures += cause == VIO_CAUSE_PEER;
		vio_port_gone(port);
	} else if (port->args.recover == VIO_RECOVER_MANUAL) {
		r->health = VIO_HEALTH_WAITS;
		PORT_LOG(port, ERR, "%s; the port waits for rte_eth_dev_reset()", r->words);
	} else {
		r->health = VIO_HEALTH_RECOVERING;
		PORT_LOG(port, WARNING, "%s; recovering", r->words);
	}
}

/* Tells the application what has begun. False where it has closed or stopped the port in the
 * callback. */
static bool
tell_begin(struct vio_port *port, enum vio_cause cause, enum vio_health health, unsigned serial)
{
	if (!tell_link(port) || port->recovery.serial != serial)
		return false;
	if (cause == VIO_CAUSE_UNPLUGGED)
		return tell(port, RTE_ETH_EVENT_INTR_RMV);
	if (health == VIO_HEALTH_WAITS)
		return tell(port, RTE_ETH_EVENT_INTR_RESET);
	if (!tell(port, RTE_ETH_EVENT_ERR_RECOVERING))
		return false;
	return health != VIO_HEALTH_GIVEN_UP || tell(port, RTE_ETH_EVENT_RECOVERY_FAILED);
}

/* Where nobody is at the other end any more, perhaps somebody else is. Runs on the interrupt
 * thread, so that the old socket leaves EAL's list before it is closed. */
static int
find_peer(struct vio_port *port)
{
	int ret = vio_device_needs_reset(&port->device);

	if (ret != -ENODEV)
		return 0;
	if (port->reconnect == NULL)
		return -ENODEV;
	vio_intr_leave(port);
	return port->reconnect(port);
}

/* A burst may have found its queue broken after the recovery had begun, which is what that is for.
 * From here on nobody is in one. */
static void
forget_queues(struct vio_recovery *r)
{
	uint32_t both = 1u << VIO_CAUSE_QUEUE | 1u << VIO_CAUSE_CONTROL;

	__atomic_fetch_and(&r->noticed, ~both, __ATOMIC_ACQ_REL);
}

static int
restart(struct vio_port *port)
{
	int ret = vio_port_close_gates(port, port->args.timeout_ms);

	if (ret < 0)
		return ret;
	forget_queues(&port->recovery);
	ret = vio_port_silence(port);
	if (ret < 0)
		return ret;
	vio_port_take_back(port);
	/* Even if it answers again: it no longer reaches memory. */
	ret = port->gone ? -ENODEV : find_peer(port);
	return ret < 0 ? ret : vio_port_restart(port);
}

static unsigned
backoff_ms(unsigned tries)
{
	return tries == 0 ? 0 : RTE_MIN(BACKOFF_MS << RTE_MIN(tries - 1, 10u), BACKOFF_MOST_MS);
}

/* Before a peer that came and went is looked for again: the first time at once. What it did
 * meanwhile does not count, but how long it is since the one before went. */
static unsigned
after_departure_ms(struct vio_recovery *r)
{
	uint64_t forgotten = ms_since(r->departed) / FORGET_PEER_MS;
	unsigned wait_ms;

	r->departures -= RTE_MIN(r->departures, forgotten);
	r->departed = rte_get_timer_cycles();
	wait_ms = backoff_ms(r->departures);
	if (wait_ms < BACKOFF_MOST_MS)
		r->departures++;
	return wait_ms;
}

static void
give_up(struct vio_port *port)
{
	struct vio_recovery *r = &port->recovery;

	r->health = VIO_HEALTH_GIVEN_UP;
	r->failures++;
	PORT_LOG(port, ERR,
		 "gave up recovering after %u tries (%s); restart the port, or close it and probe "
		 "the device again",
		 r->tries, r->words);
}

/* With the lock. */
static enum outcome
try_once(struct vio_port *port, unsigned *wait_ms)
{
	struct vio_recovery *r = &port->recovery;
	int ret;

	if (r->tries >= port->args.recover_tries) {
		give_up(port);
		return GIVEN_UP;
	}
	ret = restart(port);
	if (ret == 0) {
		r->tries++;
		r->health = VIO_HEALTH_WELL;
		r->ill = false;
		r->recovered = rte_get_timer_cycles();
		r->recoveries++;
		PORT_LOG(port, NOTICE, "recovered in %" PRIu64 " ms", ms_since(r->began));
		vio_recover_look(port);
		return RECOVERED;
	}
	if (ret != -EAGAIN)
		begin_round(port);
	/* Waiting for a peer is not a try, however long it takes, and however many come and go. */
	if (ret == -EAGAIN || (ret == -ENODEV && port->reconnect != NULL)) {
		*wait_ms = port->args.reconnect_ms;
		if (ret == -ENODEV)
			*wait_ms = RTE_MAX(*wait_ms, after_departure_ms(r));
		return AGAIN;
	}
	if (ret == -ENODEV) {
		r->health = VIO_HEALTH_GIVEN_UP;
		r->failures++;
		r->removal_told = !port->intr_is_socket;
		vio_port_gone(port);
		return GONE;
	}
	r->tries++;
	snprintf(r->words, sizeof(r->words), "the restart failed: %s", strerror(-ret));
	*wait_ms = backoff_ms(r->tries);
	return AGAIN;
}

static void recover_again(void *arg);

/* With the lock. */
static enum outcome
arm(struct vio_port *port, unsigned ms)
{
	if (rte_eal_alarm_set(RTE_MAX(ms * 1000u, 1u), recover_again, port) == 0)
		return AGAIN;
	PORT_LOG(port, ERR, "no memory for an alarm; the port does not recover: restart it");
	port->recovery.health = VIO_HEALTH_GIVEN_UP;
	port->recovery.failures++;
	return GIVEN_UP;
}

/* Tries, at once or after wait_ms, as long as nobody has stopped or closed the port. */
static void
recover(struct vio_port *port, unsigned serial, unsigned wait_ms)
{
	struct vio_recovery *r = &port->recovery;
	enum outcome outcome = OVERTAKEN;

	pthread_mutex_lock(&port->lock);
	vio_log_under(&r->hush);
	if (r->serial == serial && r->health == VIO_HEALTH_RECOVERING)
		outcome = wait_ms > 0 ? AGAIN : try_once(port, &wait_ms);
	if (outcome == AGAIN)
		outcome = arm(port, wait_ms);
	vio_log_under(NULL);
	pthread_mutex_unlock(&port->lock);
	if (outcome == RECOVERED && tell_link(port))
		tell(port, RTE_ETH_EVENT_RECOVERY_SUCCESS);
	else if (outcome == GIVEN_UP ||
		 (outcome == GONE && tell(port, port->intr_is_socket ? RTE_ETH_EVENT_INTR_LSC
								     : RTE_ETH_EVENT_INTR_RMV)))
		tell(port, RTE_ETH_EVENT_RECOVERY_FAILED);
}

/* An alarm of an earlier start may come early for this one: it does no harm. */
static void
recover_again(void *arg)
{
	struct vio_port *port = arg;

	recover(port, port->recovery.serial, 0);
}

/* On the interrupt thread, woken by vio_recover_notice(). */
static void
recover_begin(void *arg)
{
	struct vio_port *port = arg;
	struct vio_recovery *r = &port->recovery;
	enum vio_health health = VIO_HEALTH_WELL;
	enum vio_cause cause = 0;
	unsigned serial, wait_ms;
	uint32_t causes;

	pthread_mutex_lock(&port->lock);
	vio_log_under(&r->hush);
	causes = __atomic_exchange_n(&r->noticed, 0, __ATOMIC_ACQ_REL);
	serial = r->serial;
	/* A device that goes ends everything else; the application hears of it, started or not. */
	if (causes & (1u << VIO_CAUSE_UNPLUGGED)
		    ? !r->removal_told
		    : r->on && r->health == VIO_HEALTH_WELL && causes != 0) {
		cause = worst(causes);
		r->removal_told |= cause == VIO_CAUSE_UNPLUGGED;
		begin(port, cause);
		health = r->health;
	}
	wait_ms = cause == VIO_CAUSE_PEER ? after_departure_ms(r) : backoff_ms(r->tries);
	vio_log_under(NULL);
	pthread_mutex_unlock(&port->lock);
	if (health == VIO_HEALTH_WELL || !tell_begin(port, cause, health, serial))
		return;
	if (health == VIO_HEALTH_RECOVERING)
		recover(port, serial, wait_ms);
}

void
vio_recover_notice(struct vio_port *port, enum vio_cause cause)
{
	struct vio_recovery *r = &port->recovery;

	if (port->args.recover == VIO_RECOVER_NEVER)
		return;
	if (vio_in_secondary) {
		vio_secondary_notice(port, cause);
		return;
	}
	/* Whoever came first wakes. */
	if (__atomic_fetch_or(&r->noticed, 1u << cause, __ATOMIC_ACQ_REL) != 0)
		return;
	if (rte_eal_alarm_set(1, recover_begin, port) == 0)
		return;
	__atomic_store_n(&r->noticed, 0, __ATOMIC_RELEASE);
	PORT_LOG(port, ERR, "no memory for an alarm; the port does not recover: restart it");
}

static void
look(struct vio_port *port)
{
	int ret = vio_device_needs_reset(&port->device);

	if (ret == 1)
		vio_recover_notice(port, VIO_CAUSE_NEEDS_RESET);
	else if (ret < 0 && port->intr_is_socket)
		vio_recover_notice(port, VIO_CAUSE_PEER);
	else if (ret == -ENODEV)
		vio_recover_notice(port, VIO_CAUSE_UNPLUGGED);
	else if (ret < 0)
		PORT_LOG(port, ERR, "the device's status cannot be read: %s", strerror(-ret));
}

void
vio_recover_look(struct vio_port *port)
{
	struct vio_recovery *r = &port->recovery;
	struct vio_hush *before;

	if (!r->on || r->health != VIO_HEALTH_WELL)
		return;
	forgive(port);
	before = vio_log_under(&r->hush);
	look(port);
	vio_log_under(before);
}

/* What was wrong with an earlier start; that the device is to go holds for this one as well. */
static void
forget_notices(struct vio_recovery *r)
{
	__atomic_fetch_and(&r->noticed, 1u << VIO_CAUSE_UNPLUGGED, __ATOMIC_ACQ_REL);
}

void
vio_recover_start(struct vio_port *port)
{
	struct vio_recovery *r = &port->recovery;

	r->on = true;
	r->serial++;
	r->tries = r->departures = 0;
	r->hush = (struct vio_hush){ 0 };
	r->health = VIO_HEALTH_WELL;
	r->ill = false;
	vio_recover_look(port);
}

void
vio_recover_stop(struct vio_port *port)
{
	struct vio_recovery *r = &port->recovery;

	r->on = false;
	r->serial++;
	r->health = VIO_HEALTH_WELL;
	forget_notices(r);
}

void
vio_recover_fini(struct vio_port *port)
{
	if (telling == port)
		telling = NULL;
	rte_eal_alarm_cancel(recover_begin, port);
	rte_eal_alarm_cancel(recover_again, port);
}
