/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include <errno.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "clock.h"
#include "control.h"
#include "dpdk_clock.h"
#include "net/vio/port.h"
#include "net/vio/simd.h"

enum { BUF_ROOM = 1700 + RTE_PKTMBUF_HEADROOM, CALLS_MAX = 8192 };

static struct rte_mempool *pool;
static struct rte_mbuf *mbufs[POOL_MBUFS]; /* of the pool, by address */
static struct port *current;

/* --- the driver's clock ------------------------------------------------------------------------
 */

uint64_t
fuzz_hz(void)
{
	return 1000000;
}

uint64_t
fuzz_cycles(void)
{
	return ++clock_now / 1000;
}

void
fuzz_sleep(unsigned us)
{
	clock_now += us * UINT64_C(1000);
	must(++current->calls < CALLS_MAX, "every wait ends");
	if (current->turn != NULL)
		current->turn(current);
}

static struct {
	rte_eal_alarm_callback callback;
	void *arg;
} alarms[4];

int
fuzz_alarm_set(uint64_t us, rte_eal_alarm_callback callback, void *arg)
{
	(void)us;
	for (size_t i = 0; i < RTE_DIM(alarms); i++) {
		if (alarms[i].callback != NULL)
			continue;
		alarms[i].callback = callback;
		alarms[i].arg = arg;
		return 0;
	}
	return -ENOMEM;
}

int
fuzz_alarm_cancel(rte_eal_alarm_callback callback, void *arg)
{
	int n = 0;

	for (size_t i = 0; i < RTE_DIM(alarms); i++) {
		if (alarms[i].callback != callback || alarms[i].arg != arg)
			continue;
		alarms[i].callback = NULL;
		n++;
	}
	return n;
}

void
port_alarms(void)
{
	for (size_t i = 0; i < RTE_DIM(alarms); i++) {
		rte_eal_alarm_callback callback = alarms[i].callback;

		alarms[i].callback = NULL;
		if (callback != NULL)
			callback(alarms[i].arg);
	}
}

/* --- once a process ----------------------------------------------------------------------------
 */

static void
remember_mbuf(struct rte_mempool *of, void *arg, void *object, unsigned index)
{
	(void)of;
	(void)arg;
	mbufs[index] = object;
}

static int
by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct rte_mbuf *const *)a;
	uintptr_t y = (uintptr_t) * (struct rte_mbuf *const *)b;

	return (x > y) - (x < y);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char program[] = "fuzz --no-huge --no-pci --no-shconf --no-telemetry -m 64 -l 0";
	char *args[16];
	int n = 0;

	(void)argc;
	(void)argv;
	for (char *word = strtok(program, " "); word != NULL; word = strtok(NULL, " "))
		args[n++] = word;
	if (rte_eal_init(n, args) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(1);
	}
	if (getenv("FUZZ_LOG") == NULL)
		rte_log_set_global_level(RTE_LOG_EMERG);
	pool = rte_pktmbuf_pool_create("fuzz", POOL_MBUFS, 0, 0, BUF_ROOM, SOCKET_ID_ANY);
	must(pool != NULL, "there is memory for mbufs");
	rte_mempool_obj_iter(pool, remember_mbuf, NULL);
	qsort(mbufs, POOL_MBUFS, sizeof(mbufs[0]), by_address);
	return 0;
}

/* --- the transport -----------------------------------------------------------------------------
 */

static struct port *
of(struct vio_transport *t)
{
	return (struct port *)t;
}

/* Whether this answer is a lie. */
static bool
lies(struct port *port)
{
	must(++port->calls < CALLS_MAX, "every operation ends");
	return port->lies && take8(port->in) >= 240;
}

static int
outcome(struct port *port)
{
	if (!lies(port))
		return 0;
	return take8(port->in) < 128 ? -EIO : -ENODEV;
}

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	*status = lies(of(t)) ? take8(of(t)->in) : of(t)->status;
	return outcome(of(t));
}

static void
forget_rings(struct port *port)
{
	for (unsigned i = 0; i < PORT_QUEUES; i++)
		port->peers[i].live = false;
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	of(t)->status = status;
	if (status == 0)
		forget_rings(of(t));
	return outcome(of(t));
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	*features = of(t)->offered;
	if (lies(of(t)))
		*features ^= take64(of(t)->in);
	return outcome(of(t));
}

static int
set_features(struct vio_transport *t, uint64_t features)
{
	of(t)->features = features;
	return outcome(of(t));
}

static int
get_generation(struct vio_transport *t, uint32_t *generation)
{
	*generation = lies(of(t)) ? take8(of(t)->in) : of(t)->generation;
	return outcome(of(t));
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct port *port = of(t);

	if ((uint64_t)offset + len > sizeof(port->config))
		return -EINVAL;
	memcpy(buf, (char *)&port->config + offset, len);
	if (lies(port))
		take_bytes(port->in, buf, len);
	return outcome(port);
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	(void)buf;
	return (uint64_t)offset + len > sizeof(of(t)->config) ? -EINVAL : outcome(of(t));
}

static int
queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	*size = queue < 2 * of(t)->pairs + 1 ? 256 : 0;
	if (lies(of(t)))
		*size = take16(of(t)->in) % (VQ_SIZE_MAX + 1);
	return outcome(of(t));
}

static void
ring_bell(const struct vio_notifier *notifier, uint16_t next)
{
	(void)next;
	((struct peer *)(uintptr_t)notifier->addr)->kicks++;
}

static int
queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
	    struct vio_notifier *notifier)
{
	struct peer *peer;

	if (queue >= PORT_QUEUES)
		return -EINVAL; /* a liar promises more than it has */
	peer = &of(t)->peers[queue];
	*peer = (struct peer){ .live = true, .conf = *conf, .avail_wrap = true, .used_wrap = true };
	*notifier = (struct vio_notifier){ .kick = ring_bell, .addr = peer, .fd = -1 };
	return outcome(of(t));
}

static int
queue_reset(struct vio_transport *t, uint16_t queue)
{
	must(queue < PORT_QUEUES, "only queues that were set up are reset");
	of(t)->peers[queue].live = false;
	return outcome(of(t));
}

static int
config_vector(struct vio_transport *t, uint16_t vector)
{
	(void)vector;
	return outcome(of(t));
}

static void
close_transport(struct vio_transport *t)
{
	(void)t;
}

static const struct vio_transport_ops ops = {
	.name = "fuzz",
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_generation = get_generation,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max_size = queue_max_size,
	.queue_setup = queue_setup,
	.queue_reset = queue_reset,
	.config_vector = config_vector,
	.close = close_transport,
};

/* --- the port ----------------------------------------------------------------------------------
 */

static void
nothing(struct vio_port *port)
{
	(void)port;
}

static const struct rte_driver driver = { .name = "fuzz" };
static struct rte_device device = { .name = "fuzz", .driver = &driver };

bool
port_open(struct port *port, struct input *in, uint64_t features, bool port_lies)
{
	struct vio_args args = {
		.mrg_rxbuf = true,
		.in_order = true,
		.packed_vq = true,
		.timeout_ms = TIMEOUT_MS,
		.coalesce = { .given = port->coalesces, .usecs = 10, .packets = 20 },
	};
	struct vio_port *vio;

	clock_restart();
	current = port;
	port->in = in;
	port->lies = port_lies;
	port->offered = features | VIO_BIT(VIRTIO_F_VERSION_1);
	port->transport = (struct vio_transport){ .ops = &ops, .name = "fuzz" };
	port->pool = pool;
	args.simd = take8(in) % VQ_SIMD_COUNT;
	if (!vq_simd_runs(args.simd))
		args.simd = VIO_SIMD_AUTO;
	port->dev = rte_eth_dev_allocate("fuzz");
	must(port->dev != NULL, "there is a place for a port");
	port->dev->device = &device;
	port->dev->data->dev_private = rte_zmalloc("fuzz", sizeof(*vio), RTE_CACHE_LINE_SIZE);
	vio = vio_port(port->dev);
	must(vio != NULL, "there is memory for a port");
	vio->addr_at = offsetof(struct rte_mbuf, buf_addr);
	vio->release = nothing;
	vio->isolate = nothing;
	if (vio_port_init(port->dev, &port->transport, &args, UINT64_MAX) == 0) {
		rte_eth_dev_probing_finish(port->dev);
		return true;
	}
	must(port_lies, "an honest device is taken");
	vio_port_fini(vio);
	rte_eth_dev_release_port(port->dev);
	return false;
}

int
port_start(struct port *port, uint16_t size, uint64_t rx_offloads, uint64_t tx_offloads)
{
	struct rte_eth_conf conf = {
		.rxmode.offloads = rx_offloads,
		.txmode.offloads = tx_offloads,
	};
	uint16_t id = port->dev->data->port_id, queues = port->queues != 0 ? port->queues : 1;
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(id, &info);

	if (port->rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads;
	}
	if (ret == 0)
		ret = rte_eth_dev_configure(id, queues, queues, &conf);
	for (uint16_t i = 0; i < queues && ret == 0; i++) {
		ret = rte_eth_rx_queue_setup(id, i, size, SOCKET_ID_ANY, NULL, pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(id, i, size, SOCKET_ID_ANY, NULL);
	}
	port->calls = 0;
	if (ret == 0)
		ret = rte_eth_dev_start(id);
	return ret;
}

void
port_close(struct port *port)
{
	uint16_t id = port->dev->data->port_id;

	port->lies = false;
	port->turn = NULL;
	port->calls = 0;
	rte_eth_dev_stop(id);
	must(rte_eth_dev_close(id) == 0, "an honest device lets go");
	for (size_t i = 0; i < RTE_DIM(alarms); i++)
		must(alarms[i].callback == NULL, "no alarm outlives its port");
	must(rte_mempool_avail_count(pool) == POOL_MBUFS, "every mbuf is back in its pool, once");
}

/* --- the other end of a ring -------------------------------------------------------------------
 */

/* The mbuf to whose buffer the address belongs. */
static const struct rte_mbuf *
mbuf_of(const uint8_t *addr)
{
	unsigned low = 0, high = POOL_MBUFS;

	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if ((const uint8_t *)mbufs[middle]->buf_addr <= addr)
			low = middle;
		else
			high = middle;
	}
	return addr >= (const uint8_t *)mbufs[low]->buf_addr &&
			       addr < (const uint8_t *)mbufs[low]->buf_addr + mbufs[low]->buf_len
		       ? mbufs[low]
		       : NULL;
}

static size_t
ring_bytes(const struct port *port, const struct peer *peer)
{
	return vq_ring_bytes(peer->conf.size,
			     vio_has(port->features, VIRTIO_F_RING_PACKED) ? VQ_PACKED : 0);
}

/* May a real device reach it? After lies, rings hold addresses that the driver never wrote. */
static bool
is_reachable(const struct port *port, const struct peer *peer, const uint8_t *addr, uint32_t len)
{
	const struct rte_mbuf *mbuf = mbuf_of(addr);
	const uint8_t *ring = peer->conf.desc;
	bool control = peer - port->peers == control_queue(port);
	/* A command with its ack and result, or headers, behind the ring. */
	size_t behind = control ? 2 + VIO_CTRL_DATA_MAX + 1 + VIO_CTRL_RESULT_MAX : 515;
	size_t more = ring_bytes(port, peer) + behind;

	if (mbuf != NULL)
		return addr + len <= (uint8_t *)mbuf->buf_addr + mbuf->buf_len;
	return addr >= ring && addr < ring + more && len <= more - (size_t)(addr - ring);
}

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t a, b; /* split: flags, next; packed: id, flags */
};

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };

static struct desc
desc_at(const void *table, uint32_t i)
{
	struct desc desc;

	memcpy(&desc, (const char *)table + 16 * (size_t)i, sizeof(desc));
	return desc;
}

static void
hold_element(const struct port *port, const struct peer *peer, struct held *held,
	     const struct desc *desc, uint16_t flags)
{
	struct element *e = &held->elements[held->n < 3 ? held->n : 3];

	held->n++;
	*e = (struct element){ (uint8_t *)(uintptr_t)desc->addr, desc->len, flags & F_WRITE };
	if (!is_reachable(port, peer, e->addr, e->len))
		e->len = 0;
}

/* Tables are not followed: nothing that these targets do needs what is in them. */
static uint16_t
hold_split(struct port *port, struct peer *peer, struct held *held, uint16_t at)
{
	uint16_t count = 0, flags;

	do {
		struct desc desc = desc_at(peer->conf.desc, at % peer->conf.size);

		flags = desc.a;
		hold_element(port, peer, held, &desc, flags);
		at = desc.b;
	} while (flags & F_NEXT && ++count < peer->conf.size);
	return count + 1;
}

static void
fetch_split(struct port *port, struct peer *peer)
{
	const uint16_t *avail = peer->conf.driver;

	while (peer->avail != avail[1] && peer->n_held < PEER_HELD_MAX) {
		struct held *held = &peer->held[peer->n_held++];

		*held = (struct held){ .id = avail[2 + peer->avail % peer->conf.size] };
		held->descriptors = hold_split(port, peer, held, held->id);
		peer->avail++;
	}
}

static void
step(const struct peer *peer, uint16_t *slot, bool *wrap, uint16_t n)
{
	uint32_t next = *slot + n;

	while (next >= peer->conf.size) {
		next -= peer->conf.size;
		*wrap = !*wrap;
	}
	*slot = (uint16_t)next;
}

static void
fetch_packed(struct port *port, struct peer *peer)
{
	while (peer->n_held < PEER_HELD_MAX) {
		struct held *held = &peer->held[peer->n_held];
		struct desc desc = desc_at(peer->conf.desc, peer->avail);

		if (!!(desc.b & 0x80) != peer->avail_wrap ||
		    !!(desc.b & 0x8000) == peer->avail_wrap)
			return;
		*held = (struct held){ 0 };
		for (;;) {
			desc = desc_at(peer->conf.desc, peer->avail);
			hold_element(port, peer, held, &desc, desc.b);
			held->id = desc.a;
			step(peer, &peer->avail, &peer->avail_wrap, 1);
			if (!(desc.b & F_NEXT) || held->n > peer->conf.size)
				break;
		}
		held->descriptors = held->n;
		peer->n_held++;
	}
}

static bool
is_packed(const struct port *port)
{
	return vio_has(port->features, VIRTIO_F_RING_PACKED);
}

void
peer_fetch(struct port *port, struct peer *peer)
{
	if (!peer->live)
		return;
	if (is_packed(port))
		fetch_packed(port, peer);
	else
		fetch_split(port, peer);
}

static void
write_used(struct port *port, struct peer *peer, uint16_t at, bool wrap, uint32_t id, uint32_t len)
{
	uint16_t flags = wrap ? 0x8080 : 0, id16 = (uint16_t)id;
	uint8_t *used;

	if (!is_packed(port)) {
		used = (uint8_t *)peer->conf.device + 4 + 8 * (size_t)(at % peer->conf.size);
		memcpy(used, &id, sizeof(id));
		memcpy(used + 4, &len, sizeof(len));
		return;
	}
	used = (uint8_t *)peer->conf.desc + 16 * (size_t)(at % peer->conf.size);
	memcpy(used + 8, &len, sizeof(len));
	memcpy(used + 12, &id16, sizeof(id16));
	memcpy(used + 14, &flags, sizeof(flags));
}

static void
write_index(struct port *port, struct peer *peer, uint16_t index)
{
	if (!is_packed(port))
		((uint16_t *)peer->conf.device)[1] = index;
}

void
peer_use(struct port *port, struct peer *peer, uint16_t age, uint32_t len)
{
	struct held held;

	if (!peer->live || age >= peer->n_held)
		return;
	held = peer->held[age];
	memmove(&peer->held[age], &peer->held[age + 1], (peer->n_held - age - 1) * sizeof(held));
	peer->n_held--;
	write_used(port, peer, peer->used, peer->used_wrap, held.id, len);
	if (is_packed(port))
		step(peer, &peer->used, &peer->used_wrap, held.descriptors);
	else
		peer->used++;
	write_index(port, peer, peer->used);
}

void
peer_lie(struct port *port, struct peer *peer)
{
	uint8_t shape = take8(port->in);
	uint32_t id = shape & 1 ? take32(port->in) : take8(port->in), len = take16(port->in);
	uint16_t distance = shape >> 6;

	if (!peer->live)
		return;
	if (shape & 2)
		len |= 0xffff0000;
	write_used(port, peer, peer->used + distance, peer->used_wrap ^ !(~shape & 12), id, len);
	if (shape & 16)
		write_index(port, peer, peer->used + (shape & 32 ? distance : take16(port->in)));
}

void
peer_scribble(struct port *port, struct peer *peer)
{
	size_t bytes, from = 0, at, n = 1 + take8(port->in) % 16;

	if (!peer->live)
		return;
	bytes = ring_bytes(port, peer);
	if (take8(port->in) & 1) /* more often where the driver looks */
		from = (size_t)((char *)peer->conf.device - (char *)peer->conf.desc);
	at = from + take16(port->in) % (bytes - from);
	n = n < bytes - at ? n : bytes - at;
	take_bytes(port->in, (char *)peer->conf.desc + at, n);
}
