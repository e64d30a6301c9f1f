/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a secondary process does with a port, in the process that has it: an ethdev of its own with
 * the same data, and a primary whose messages are made here.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "inject.h"
#include "net/vio/port.h"
#include "virtio/doorbell.h"
#include "net/vio/ports.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)

/* The answer: what it says, and how many descriptors are with it. */
static int result, num_fds;
static int given[RTE_MP_MAX_FD_NUM];

int
rte_mp_request_sync(struct rte_mp_msg *req, struct rte_mp_reply *reply, const struct timespec *ts)
{
	int32_t says = result;

	(void)ts;
	*reply = (struct rte_mp_reply){ .nb_sent = 1, .nb_received = 1 };
	/* The driver frees it. */
	reply->msgs = calloc(1, sizeof(*reply->msgs));
	assert_non_null(reply->msgs);
	*reply->msgs = *req;
	memcpy(reply->msgs->param, &says, sizeof(says));
	reply->msgs->num_fds = num_fds;
	for (int i = 0; i < num_fds; i++)
		reply->msgs->fds[i] = given[i] = dup(STDERR_FILENO);
	return 0;
}

/* Messages of other kinds than questions: who takes them in the primary, and what was sent last. */
static struct {
	char name[RTE_MP_MAX_NAME_LEN];
	rte_mp_t take;
} actions[16];
static struct rte_mp_msg sent;
static unsigned times_sent;

/* EAL's own are registered by this, too. */
int
rte_mp_action_register(const char *name, rte_mp_t take)
{
	size_t i;

	for (i = 0; i < RTE_DIM(actions) && actions[i].take != NULL; i++)
		if (strcmp(actions[i].name, name) == 0) {
			rte_errno = EEXIST;
			return -1;
		}
	assert_true(i < RTE_DIM(actions));
	snprintf(actions[i].name, sizeof(actions[i].name), "%s", name);
	actions[i].take = take;
	return 0;
}

int
rte_mp_sendmsg(struct rte_mp_msg *msg)
{
	sent = *msg;
	times_sent++;
	return 0;
}

/* The message arrives in the primary. A name that nobody has registered EAL logs and drops. */
static int
deliver(const struct rte_mp_msg *msg)
{
	for (size_t i = 0; i < RTE_DIM(actions) && actions[i].take != NULL; i++)
		if (strcmp(actions[i].name, msg->name) == 0)
			return actions[i].take(msg, "");
	return -ENOENT;
}

/* The port as the secondary has it: only while this is its own is anything asked. */
static struct rte_eth_dev other;

static int
attach(struct harness *h)
{
	struct rte_eth_dev own = *h->eth;
	int ret;

	/* These are the primary's alone. */
	vio_port(h->eth)->dev = NULL;
	vio_port(h->eth)->transport = NULL;
	*h->eth = (struct rte_eth_dev){ .data = own.data,
					.device = own.device,
					.state = own.state };
	ret = vio_secondary_attach(h->eth);
	other = own;
	return ret;
}

static void
become_primary(struct harness *h)
{
	*h->eth = other;
	vio_port(h->eth)->dev = h->eth;
	vio_port(h->eth)->transport = &h->transport;
	vio_in_secondary = false;
	vio_gate_mark = 1;
	vio_ports_enter(h->eth);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Where the configuration says what RSS can do (spec 5.1.4). */
static void
prepare(struct device *dev)
{
	device_config_set(dev, 17, 40, 1);
	device_config_set(dev, 18, 128, 2);
	device_config_set(dev, 20, 0x3f, 4);
}

static void
open_port(struct harness *h, uint64_t features, const char *devargs, uint64_t rss)
{
	struct harness_options options = {
		.features = features,
		.pairs = 2,
		.devargs = devargs,
		.prepare = features & B(RSS) ? prepare : NULL,
	};
	struct rte_eth_conf conf = { .rxmode.mq_mode = rss ? RTE_ETH_MQ_RX_RSS : 0,
				     .rx_adv_conf.rss_conf.rss_hf = rss };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 2, 2, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* Doorbells as promised are taken, and closed at the end; of others none, and nobody else's. */
static void
doorbells(void **state)
{
	static const struct {
		int result, num_fds, ret;
	} cases[] = { { 4, 4, 0 },
		      { 3, 2, -EPROTO },
		      { 2, 3, -EPROTO },
		      { 4, 0, -EPROTO },
		      { 0, 2, -EPROTO },
		      { INT32_MAX, 1, -EPROTO },
		      { -ENODEV, 2, -ENODEV },
		      { -ENODEV, 0, -ENODEV } };

	(void)state;
	/* What it opens stays. */
	vio_doorbell_init();
	harness_take_stock();
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		bool stdin_open = is_open(STDIN_FILENO);
		struct harness h;

		open_port(&h, B(CTRL_VQ) | B(MQ), NULL, 0);
		vio_port(h.eth)->doorbells = VIO_DOORBELLS_EVENTFD;
		result = cases[i].result;
		num_fds = cases[i].num_fds;
		harness_quiet();
		assert_int_equal(attach(&h), cases[i].ret);
		if (cases[i].ret == 0) {
			for (int f = 0; f < num_fds; f++)
				assert_true(is_open(given[f]));
			vio_secondary_detach(h.eth);
		} else {
			assert_true(harness_said("does not pass its doorbells on"));
		}
		for (int f = 0; f < num_fds; f++)
			assert_false(is_open(given[f]));
		assert_int_equal(is_open(STDIN_FILENO), stdin_open);
		become_primary(&h);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* What can be asked of the port. */
struct answers {
	struct rte_eth_rss_conf hash;
	uint8_t key[64];
	struct rte_eth_rss_reta_entry64 table[2];
	uint32_t types[16];
	int key_ret, table_ret, types_ret;
};

static void
ask(const struct harness *h, struct answers *answers)
{
	struct rte_eth_dev_info info;

	memset(answers, 0, sizeof(*answers));
	assert_int_equal(rte_eth_dev_info_get(h->port, &info), 0);
	answers->hash.rss_key_len = sizeof(answers->key);
	answers->hash.rss_key = answers->key;
	answers->key_ret = rte_eth_dev_rss_hash_conf_get(h->port, &answers->hash);
	for (size_t i = 0; i < RTE_DIM(answers->table); i++)
		answers->table[i].mask = UINT64_MAX;
	answers->table_ret = rte_eth_dev_rss_reta_query(h->port, answers->table, info.reta_size);
	answers->types_ret = rte_eth_dev_get_supported_ptypes(
		h->port, RTE_PTYPE_ALL_MASK, answers->types, RTE_DIM(answers->types));
	answers->hash.rss_key = NULL;
}

static pthread_mutex_t *busy;
static bool held, done;

static void *
hold(void *arg)
{
	pthread_mutex_lock(busy);
	__atomic_store_n(&held, true, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		usleep(100);
	pthread_mutex_unlock(busy);
	return arg;
}

/* What is only read is answered as in the primary, without its lock: here it never comes free. */
static void
questions(void **state)
{
	struct answers before, now;
	pthread_t holder;
	struct harness h;

	(void)state;
	open_port(&h, B(CTRL_VQ) | B(MQ) | B(RSS), "ptypes=1", RTE_ETH_RSS_IPV4);
	ask(&h, &before);
	assert_int_equal(before.key_ret, 0);
	assert_true(before.hash.rss_hf & RTE_ETH_RSS_IPV4);
	assert_int_equal(before.table_ret, 0);
	assert_int_equal(before.table[0].reta[1], 1);
	assert_true(before.types_ret > 5);
	busy = &vio_port(h.eth)->lock;
	held = done = false;
	assert_int_equal(pthread_create(&holder, NULL, hold, NULL), 0);
	while (!__atomic_load_n(&held, __ATOMIC_SEQ_CST))
		usleep(100);
	assert_int_equal(attach(&h), 0);
	ask(&h, &now);
	assert_memory_equal(&now, &before, sizeof(now));
	assert_int_equal(rte_eth_dev_is_removed(h.port), 0);
	vio_port(h.eth)->gone = true;
	assert_int_equal(rte_eth_dev_is_removed(h.port), 1);
	vio_port(h.eth)->gone = false;
	vio_secondary_detach(h.eth);
	become_primary(&h);
	__atomic_store_n(&done, true, __ATOMIC_SEQ_CST);
	pthread_join(holder, NULL);
	assert_int_equal(harness_close(&h), 0);
}

/* What the primary's prepare refuses, this one's does, too. */
static void
prepare_burst(void **state)
{
	struct rte_mbuf *mbufs[2];
	struct harness h;

	(void)state;
	open_port(&h, B(CTRL_VQ) | B(MQ), NULL, 0);
	for (size_t i = 0; i < RTE_DIM(mbufs); i++) {
		mbufs[i] = rte_pktmbuf_alloc(harness_tx_pool);
		assert_non_null(mbufs[i]);
		assert_non_null(rte_pktmbuf_append(mbufs[i], 60));
	}
	mbufs[1]->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
	assert_int_equal(attach(&h), 0);
	assert_ptr_equal(h.eth->tx_pkt_prepare, other.tx_pkt_prepare);
	assert_int_equal(h.eth->tx_pkt_prepare(h.eth->data->tx_queues[0], mbufs, 2), 1);
	assert_int_equal(rte_errno, ENOTSUP);
	vio_secondary_detach(h.eth);
	become_primary(&h);
	rte_pktmbuf_free_bulk(mbufs, RTE_DIM(mbufs));
	assert_int_equal(harness_close(&h), 0);
}

/* A queue that a secondary finds broken the primary recovers. */
static void
broken_queue(void **state)
{
	static const uint8_t frame[100];
	struct harness_options options = { .recover = VIO_RECOVER_AUTO };
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	vio_port(h.eth)->doorbells = VIO_DOORBELLS_EVENTFD;
	result = num_fds = 2;
	assert_int_equal(attach(&h), 0);
	times_sent = 0;
	device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_ID, 64);
	device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame));
	for (int i = 0; i < 3; i++)
		assert_int_equal(h.eth->rx_pkt_burst(h.eth->data->rx_queues[0], &mbuf, 1), 0);
	device_honest(h.dev);
	assert_int_equal(times_sent, 1);
	vio_secondary_detach(h.eth);
	become_primary(&h);

	assert_int_equal(deliver(&sent), 0);
	seam_alarms_within(30000000);
	assert_int_equal(harness_pass(&h, 10, 100), 0);
	assert_int_equal(vio_port(h.eth)->recovery.recoveries, 1);
	/* Of a cause that there is not, or a port. */
	memset(sent.param, 0xff, sizeof(sent.param));
	assert_int_equal(deliver(&sent), -EINVAL);
	sent.len_param--;
	assert_int_equal(deliver(&sent), -EINVAL);
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(questions),
	cmocka_unit_test(doorbells),
	cmocka_unit_test(prepare_burst),
	cmocka_unit_test(broken_queue),
};

HARNESS_MAIN(tests)
