/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A driver, net_recorder, that offers what few others do and writes down what it is asked for.
 *
 *   log=FILE       a line for each call, and with frames= for each frame sent
 *   frames=FILE    what it receives, once: for each frame two bytes of length, low one first, then
 *                  the frame. Without, each queue receives what was sent by it.
 *   imissed=N ...  each 50th frame sent is lost on the way, so many of them as these say, counted
 *                  as imissed, ierrors, nombuf, oerrors, or with silent= nowhere
 *   refuses=N      so many times it does not take the last frame of a burst, and counts an oerror
 *   takes=N        of each burst it takes N frames at most, writes them down, and lets them go
 *   slow=1         a call to receive takes 20 ms
 *   lacks=1        it offers no offload, no RSS, and has none of their calls
 *   removed=FILE   it says that its device is gone once there is that file
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bus_vdev_driver.h>
#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_ip.h>
#include <rte_kvargs.h>
#include <rte_ring.h>

#define QUEUES     4
#define RING       1024
#define LOSE_EVERY 50
#define HASH_TYPES (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP)
#define KEY_LENGTH 40
#define TSO_LEAST  100 /* shorter segments are refused */

enum { IMISSED, IERRORS, NOMBUF, OERRORS, SILENT, LOSSES };
static const char *const loss_names[LOSSES] = { "imissed", "ierrors", "nombuf", "oerrors",
						"silent" };

struct recorder;

struct queue {
	struct recorder *of;
	uint16_t number;
	struct rte_mempool *pool;
	struct rte_ring *ring;
	uint64_t packets, bytes;
	uint32_t seen;
};

struct recorder {
	FILE *log, *frames;
	const char *removed;
	uint16_t takes; /* 0: all */
	uint32_t to_refuse, refused;
	bool slow;
	struct rte_eth_dev_data *data;
	struct queue rx[QUEUES], tx[QUEUES];
	uint32_t to_lose[LOSSES], lost[LOSSES];
	struct rte_ether_addr mac;
	uint8_t key[KEY_LENGTH];
	uint64_t hash_types;
	uint64_t wanted_vlans[64];
};

static struct recorder *
recorder_of(const struct rte_eth_dev *dev)
{
	return dev->data->dev_private;
}

#define SAY(dev, ...)                              \
	do {                                       \
		FILE *out = recorder_of(dev)->log; \
		if (out != NULL) {                 \
			fprintf(out, __VA_ARGS__); \
			fputc('\n', out);          \
			fflush(out);               \
		}                                  \
	} while (0)

static void
print_hex(FILE *out, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		fprintf(out, "%02x", bytes[i]);
}

/* Receiving: what the offloads that are on make of a frame. */

static uint64_t
rx_offloads(const struct recorder *recorder)
{
	return recorder->data->dev_conf.rxmode.offloads;
}

/* False: the VLAN is none of those wanted. */
static bool
take_tag(const struct recorder *recorder, struct rte_mbuf *frame)
{
	uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);
	uint16_t tci;

	if (frame->pkt_len < 18 || bytes[12] != 0x81 || bytes[13] != 0)
		return true;
	tci = bytes[14] << 8 | bytes[15];
	if ((rx_offloads(recorder) & RTE_ETH_RX_OFFLOAD_VLAN_FILTER) &&
	    !(recorder->wanted_vlans[(tci & 4095) / 64] & RTE_BIT64(tci % 64)))
		return false;
	if (rx_offloads(recorder) & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) {
		memmove(bytes + 4, bytes, 12);
		rte_pktmbuf_adj(frame, 4);
		frame->vlan_tci = tci;
		frame->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	}
	return true;
}

static void
mark_checksums(const struct recorder *recorder, struct rte_mbuf *frame)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, 14);

	if (rx_offloads(recorder) & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM)
		frame->ol_flags |= rte_ipv4_cksum(ip) == 0 ? RTE_MBUF_F_RX_IP_CKSUM_GOOD
							   : RTE_MBUF_F_RX_IP_CKSUM_BAD;
	if (rx_offloads(recorder) & RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
		frame->ol_flags |= rte_ipv4_udptcp_cksum_verify(ip, ip + 1) == 0
					   ? RTE_MBUF_F_RX_L4_CKSUM_GOOD
					   : RTE_MBUF_F_RX_L4_CKSUM_BAD;
	if ((rx_offloads(recorder) & RTE_ETH_RX_OFFLOAD_TCP_LRO) && ip->next_proto_id == 6)
		frame->ol_flags |= RTE_MBUF_F_RX_LRO;
}

/* The bytes that the types name, added up: easy to foretell. */
static void
hash(const struct recorder *recorder, struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint32_t end = recorder->hash_types & RTE_ETH_RSS_NONFRAG_IPV4_UDP ? 38 : 34;

	if (recorder->hash_types == 0)
		return;
	frame->hash.rss = 0;
	for (uint32_t i = 26; i < end; i++)
		frame->hash.rss += bytes[i];
	frame->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
}

static struct rte_mbuf *
read_frame(struct queue *queue)
{
	struct rte_mbuf *frame;
	uint8_t length[2];

	if (fread(length, 1, 2, queue->of->frames) != 2)
		return NULL;
	frame = rte_pktmbuf_alloc(queue->pool);
	if (frame == NULL)
		abort();
	rte_pktmbuf_append(frame, length[0] | length[1] << 8);
	if (fread(rte_pktmbuf_mtod(frame, void *), 1, frame->pkt_len, queue->of->frames) == 0 ||
	    frame->pkt_len < 34)
		abort();
	frame->port = queue->of->data->port_id;
	return frame;
}

/* Queue 0 alone reads; the hash says to which queue a frame goes. */
static void
spread_frames(struct queue *queue)
{
	struct recorder *recorder = queue->of;
	struct rte_mbuf *frame;

	while (queue->number == 0 && (frame = read_frame(queue)) != NULL) {
		uint16_t to = 0;

		if (!take_tag(recorder, frame)) {
			rte_pktmbuf_free(frame);
			continue;
		}
		if (rte_pktmbuf_mtod(frame, uint8_t *)[12] == 8) {
			mark_checksums(recorder, frame);
			hash(recorder, frame);
		}
		if (frame->ol_flags & RTE_MBUF_F_RX_RSS_HASH)
			to = frame->hash.rss % recorder->data->nb_rx_queues;
		if (rte_ring_enqueue(recorder->tx[to].ring, frame) != 0)
			abort();
	}
}

static void
must_be_started(const struct queue *queue)
{
	if (queue->of->data->rx_queue_state[queue->number] != RTE_ETH_QUEUE_STATE_STARTED)
		abort();
}

static uint16_t
receive(void *argument, struct rte_mbuf **frames, uint16_t room)
{
	struct queue *queue = argument;
	uint16_t count;

	must_be_started(queue);
	if (queue->of->slow) {
		usleep(20000);
		must_be_started(queue);
	}
	if (queue->of->frames != NULL)
		spread_frames(queue);
	count = rte_ring_dequeue_burst(queue->of->tx[queue->number].ring, (void **)frames, room,
				       NULL);
	for (uint16_t i = 0; i < count; i++)
		queue->bytes += frames[i]->pkt_len;
	queue->packets += count;
	return count;
}

/* Sending. */

static void
write_down(struct queue *queue, const struct rte_mbuf *frame)
{
	FILE *out = queue->of->log;
	char flags[512];

	if (rte_get_tx_ol_flag_list(frame->ol_flags, flags, sizeof(flags)) != 0)
		abort();
	for (char *space = flags; (space = strchr(space, ' ')) != NULL;)
		*space = ',';
	fprintf(out, "sent queue=%u flags=%s l2=%u l3=%u l4=%u tso=%u vlan=%u data=", queue->number,
		flags, frame->l2_len, frame->l3_len, frame->l4_len, frame->tso_segsz,
		frame->vlan_tci);
	for (; frame != NULL; frame = frame->next)
		print_hex(out, rte_pktmbuf_mtod(frame, uint8_t *), frame->data_len);
	fputc('\n', out);
	fflush(out);
}

/* Whether this one is lost on the way, and what counts that. */
static bool
loses(struct queue *queue)
{
	struct recorder *recorder = queue->of;
	int kind = 0;

	while (kind < LOSSES && recorder->lost[kind] == recorder->to_lose[kind])
		kind++;
	if (kind == LOSSES || ++queue->seen < LOSE_EVERY)
		return false;
	queue->seen = 0;
	recorder->lost[kind]++;
	return true;
}

static uint16_t
transmit(void *argument, struct rte_mbuf **frames, uint16_t count)
{
	struct queue *queue = argument;
	uint16_t sent;

	if (queue->of->data->tx_queue_state[queue->number] != RTE_ETH_QUEUE_STATE_STARTED)
		abort();
	if (queue->of->takes > 0)
		count = RTE_MIN(count, queue->of->takes);
	if (count > 1 && queue->of->refused < queue->of->to_refuse) {
		queue->of->refused++;
		count--;
	}
	for (sent = 0; sent < count; sent++) {
		uint32_t length = frames[sent]->pkt_len;

		if (queue->of->frames != NULL || queue->of->takes > 0) {
			write_down(queue, frames[sent]);
			rte_pktmbuf_free(frames[sent]);
		} else if (rte_ring_full(queue->ring)) {
			break;
		} else if (loses(queue)) {
			rte_pktmbuf_free(frames[sent]);
		} else {
			rte_ring_enqueue(queue->ring, frames[sent]);
		}
		queue->bytes += length;
	}
	queue->packets += sent;
	return sent;
}

static uint16_t
look_before_sending(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	RTE_SET_USED(queue);
	for (uint16_t i = 0; i < count; i++) {
		if (!(frames[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) ||
		    frames[i]->tso_segsz >= TSO_LEAST)
			continue;
		rte_errno = EINVAL;
		return i;
	}
	return count;
}

/* The calls. */

static int
configure(struct rte_eth_dev *dev)
{
	const struct rte_eth_conf *conf = &dev->data->dev_conf;

	recorder_of(dev)->hash_types = conf->rx_adv_conf.rss_conf.rss_hf;
	SAY(dev,
	    "configure rxq=%u txq=%u rx=0x%" PRIx64 " tx=0x%" PRIx64 " rss=0x%" PRIx64
	    " mtu=%u lro=%u",
	    dev->data->nb_rx_queues, dev->data->nb_tx_queues, conf->rxmode.offloads,
	    conf->txmode.offloads, conf->rx_adv_conf.rss_conf.rss_hf, conf->rxmode.mtu,
	    conf->rxmode.max_lro_pkt_size);
	return 0;
}

static void
set_states(struct rte_eth_dev *dev, uint8_t state)
{
	memset(dev->data->rx_queue_state, state, sizeof(dev->data->rx_queue_state));
	memset(dev->data->tx_queue_state, state, sizeof(dev->data->tx_queue_state));
}

static int
start(struct rte_eth_dev *dev)
{
	SAY(dev, "start");
	set_states(dev, RTE_ETH_QUEUE_STATE_STARTED);
	return 0;
}

static int
stop(struct rte_eth_dev *dev)
{
	void *frame;

	SAY(dev, "stop");
	set_states(dev, RTE_ETH_QUEUE_STATE_STOPPED);
	for (int i = 0; i < QUEUES; i++)
		while (rte_ring_dequeue(recorder_of(dev)->tx[i].ring, &frame) == 0)
			rte_pktmbuf_free(frame);
	return 0;
}

static int
close_port(struct rte_eth_dev *dev)
{
	struct recorder *recorder = recorder_of(dev);

	SAY(dev, "close");
	for (int i = 0; i < QUEUES; i++)
		rte_ring_free(recorder->tx[i].ring);
	if (recorder->log != NULL)
		fclose(recorder->log);
	if (recorder->frames != NULL)
		fclose(recorder->frames);
	return 0;
}

static int
rx_queue_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t descriptors, unsigned int socket,
	       const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct queue *queue = &recorder_of(dev)->rx[number];

	RTE_SET_USED(socket);
	SAY(dev, "rx_queue_setup queue=%u descriptors=%u offloads=0x%" PRIx64, number, descriptors,
	    conf->offloads);
	queue->pool = pool;
	dev->data->rx_queues[number] = queue;
	return 0;
}

static int
tx_queue_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t descriptors, unsigned int socket,
	       const struct rte_eth_txconf *conf)
{
	RTE_SET_USED(socket);
	SAY(dev, "tx_queue_setup queue=%u descriptors=%u offloads=0x%" PRIx64, number, descriptors,
	    conf->offloads);
	dev->data->tx_queues[number] = &recorder_of(dev)->tx[number];
	return 0;
}

static int
infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	info->max_rx_queues = info->max_tx_queues = QUEUES;
	info->max_rx_pktlen = 9018;
	info->max_mtu = 9000;
	info->min_mtu = 68;
	info->max_mac_addrs = 4;
	if (dev->dev_ops->rss_hash_update == NULL)
		return 0;
	info->max_lro_pkt_size = 16384;
	info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP |
				RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_TCP_LRO |
				RTE_ETH_RX_OFFLOAD_SCATTER;
	info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
				RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_SCTP_CKSUM |
				RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_VLAN_INSERT |
				RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	info->flow_type_rss_offloads = HASH_TYPES;
	info->hash_key_size = KEY_LENGTH;
	return 0;
}

static int
stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
	const struct recorder *recorder = recorder_of(dev);

	for (int i = 0; i < QUEUES; i++) {
		stats->ipackets += recorder->rx[i].packets;
		stats->ibytes += recorder->rx[i].bytes;
		stats->opackets += recorder->tx[i].packets;
		stats->obytes += recorder->tx[i].bytes;
	}
	stats->imissed = recorder->lost[IMISSED];
	stats->ierrors = recorder->lost[IERRORS];
	stats->rx_nombuf = recorder->lost[NOMBUF];
	stats->oerrors = recorder->lost[OERRORS] + recorder->refused;
	return 0;
}

static int
stats_reset(struct rte_eth_dev *dev)
{
	SAY(dev, "stats_reset");
	return 0;
}

static int
link_update(struct rte_eth_dev *dev, int wait)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(wait);
	return 0;
}

static int
set_link(struct rte_eth_dev *dev, bool up)
{
	SAY(dev, "link up=%d", up);
	dev->data->dev_link.link_status = up;
	return 0;
}

static int
link_up(struct rte_eth_dev *dev)
{
	return set_link(dev, true);
}

static int
link_down(struct rte_eth_dev *dev)
{
	return set_link(dev, false);
}

static int
promiscuous_enable(struct rte_eth_dev *dev)
{
	SAY(dev, "promiscuous on=1");
	return 0;
}

static int
promiscuous_disable(struct rte_eth_dev *dev)
{
	SAY(dev, "promiscuous on=0");
	return 0;
}

static int
allmulticast_enable(struct rte_eth_dev *dev)
{
	SAY(dev, "allmulticast on=1");
	return 0;
}

static int
allmulticast_disable(struct rte_eth_dev *dev)
{
	SAY(dev, "allmulticast on=0");
	return 0;
}

static int
mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	SAY(dev, "mtu bytes=%u", mtu);
	return 0;
}

static void
say_address(struct rte_eth_dev *dev, const char *what, const struct rte_ether_addr *address)
{
	char text[RTE_ETHER_ADDR_FMT_SIZE];

	rte_ether_format_addr(text, sizeof(text), address);
	SAY(dev, "%s address=%s", what, text);
}

static int
mac_addr_add(struct rte_eth_dev *dev, struct rte_ether_addr *address, uint32_t at, uint32_t pool)
{
	RTE_SET_USED(at);
	RTE_SET_USED(pool);
	say_address(dev, "mac_add", address);
	return 0;
}

static void
mac_addr_remove(struct rte_eth_dev *dev, uint32_t at)
{
	say_address(dev, "mac_remove", &dev->data->mac_addrs[at]);
}

static int
mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *address)
{
	say_address(dev, "mac_set", address);
	return 0;
}

static int
vlan_offload_set(struct rte_eth_dev *dev, int mask)
{
	uint64_t offloads = rx_offloads(recorder_of(dev));

	SAY(dev, "vlan_offload mask=%d strip=%d filter=%d", mask,
	    (offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0,
	    (offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER) != 0);
	return 0;
}

static int
vlan_filter_set(struct rte_eth_dev *dev, uint16_t id, int on)
{
	uint64_t *wanted = &recorder_of(dev)->wanted_vlans[id / 64];

	SAY(dev, "vlan_filter id=%u on=%d", id, on);
	*wanted = on ? *wanted | RTE_BIT64(id % 64) : *wanted & ~RTE_BIT64(id % 64);
	return 0;
}

static int
rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	struct recorder *recorder = recorder_of(dev);

	if (conf->rss_key != NULL && conf->rss_key_len != KEY_LENGTH)
		return -EINVAL;
	SAY(dev, "rss_update types=0x%" PRIx64 " key=%d", conf->rss_hf, conf->rss_key != NULL);
	recorder->hash_types = conf->rss_hf;
	if (conf->rss_key != NULL)
		memcpy(recorder->key, conf->rss_key, KEY_LENGTH);
	return 0;
}

static int
rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	conf->rss_hf = recorder_of(dev)->hash_types;
	conf->rss_key_len = KEY_LENGTH;
	if (conf->rss_key != NULL)
		memcpy(conf->rss_key, recorder_of(dev)->key, KEY_LENGTH);
	return 0;
}

static int
set_state(struct rte_eth_dev *dev, const char *way, uint8_t *states, uint16_t queue, uint8_t state)
{
	SAY(dev, "%s queue=%u on=%d", way, queue, state == RTE_ETH_QUEUE_STATE_STARTED);
	states[queue] = state;
	return 0;
}

static int
rx_queue_start(struct rte_eth_dev *dev, uint16_t queue)
{
	return set_state(dev, "rxq", dev->data->rx_queue_state, queue, RTE_ETH_QUEUE_STATE_STARTED);
}

static int
rx_queue_stop(struct rte_eth_dev *dev, uint16_t queue)
{
	return set_state(dev, "rxq", dev->data->rx_queue_state, queue, RTE_ETH_QUEUE_STATE_STOPPED);
}

static int
tx_queue_start(struct rte_eth_dev *dev, uint16_t queue)
{
	return set_state(dev, "txq", dev->data->tx_queue_state, queue, RTE_ETH_QUEUE_STATE_STARTED);
}

static int
tx_queue_stop(struct rte_eth_dev *dev, uint16_t queue)
{
	return set_state(dev, "txq", dev->data->tx_queue_state, queue, RTE_ETH_QUEUE_STATE_STOPPED);
}

static void
rxq_info_get(struct rte_eth_dev *dev, uint16_t queue, struct rte_eth_rxq_info *info)
{
	info->mp = recorder_of(dev)->rx[queue].pool;
	info->nb_desc = 111;
	info->scattered_rx = 1;
	info->conf.rx_free_thresh = 11;
}

static void
txq_info_get(struct rte_eth_dev *dev, uint16_t queue, struct rte_eth_txq_info *info)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(queue);
	info->nb_desc = 222;
	info->conf.tx_free_thresh = 22;
}

static int
say_path(const char *words, uint16_t queue, struct rte_eth_burst_mode *mode)
{
	snprintf(mode->info, sizeof(mode->info), "%s %u", words, queue);
	return 0;
}

static int
rx_burst_mode_get(struct rte_eth_dev *dev, uint16_t queue, struct rte_eth_burst_mode *mode)
{
	RTE_SET_USED(dev);
	return say_path("receives by queue", queue, mode);
}

static int
tx_burst_mode_get(struct rte_eth_dev *dev, uint16_t queue, struct rte_eth_burst_mode *mode)
{
	RTE_SET_USED(dev);
	return say_path("sends by queue", queue, mode);
}

static int
is_removed(struct rte_eth_dev *dev)
{
	const char *removed = recorder_of(dev)->removed;

	return removed != NULL && access(removed, F_OK) == 0;
}

static const struct eth_dev_ops lacking_ops = {
	.dev_configure = configure,
	.dev_start = start,
	.dev_stop = stop,
	.dev_close = close_port,
	.dev_infos_get = infos_get,
	.rx_queue_setup = rx_queue_setup,
	.tx_queue_setup = tx_queue_setup,
	.stats_get = stats_get,
	.link_update = link_update,
};

static const struct eth_dev_ops ops = {
	.dev_configure = configure,
	.dev_start = start,
	.dev_stop = stop,
	.dev_close = close_port,
	.dev_infos_get = infos_get,
	.rx_queue_setup = rx_queue_setup,
	.tx_queue_setup = tx_queue_setup,
	.stats_get = stats_get,
	.stats_reset = stats_reset,
	.link_update = link_update,
	.dev_set_link_up = link_up,
	.dev_set_link_down = link_down,
	.promiscuous_enable = promiscuous_enable,
	.promiscuous_disable = promiscuous_disable,
	.allmulticast_enable = allmulticast_enable,
	.allmulticast_disable = allmulticast_disable,
	.mtu_set = mtu_set,
	.mac_addr_add = mac_addr_add,
	.mac_addr_remove = mac_addr_remove,
	.mac_addr_set = mac_addr_set,
	.vlan_offload_set = vlan_offload_set,
	.vlan_filter_set = vlan_filter_set,
	.rss_hash_update = rss_hash_update,
	.rss_hash_conf_get = rss_hash_conf_get,
	.rx_queue_start = rx_queue_start,
	.rx_queue_stop = rx_queue_stop,
	.tx_queue_start = tx_queue_start,
	.tx_queue_stop = tx_queue_stop,
	.rxq_info_get = rxq_info_get,
	.txq_info_get = txq_info_get,
	.rx_burst_mode_get = rx_burst_mode_get,
	.tx_burst_mode_get = tx_burst_mode_get,
	.is_removed = is_removed,
};

static int
take_argument(const char *key, const char *value, void *argument)
{
	struct recorder *recorder = argument;

	if (strcmp(key, "log") == 0)
		recorder->log = fopen(value, "w");
	else if (strcmp(key, "frames") == 0)
		recorder->frames = fopen(value, "r");
	else if (strcmp(key, "removed") == 0)
		recorder->removed = strdup(value);
	else if (strcmp(key, "refuses") == 0)
		recorder->to_refuse = atoi(value);
	else if (strcmp(key, "slow") == 0)
		recorder->slow = true;
	else if (strcmp(key, "takes") == 0)
		recorder->takes = atoi(value);
	for (int i = 0; i < LOSSES; i++)
		if (strcmp(key, loss_names[i]) == 0)
			recorder->to_lose[i] = atoi(value);
	return 0;
}

static void
make_queues(struct recorder *recorder)
{
	for (uint16_t i = 0; i < QUEUES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "recorder%u-%u", recorder->data->port_id, i);
		recorder->rx[i] = (struct queue){ .of = recorder, .number = i };
		recorder->tx[i] = (struct queue){ .of = recorder, .number = i };
		recorder->tx[i].ring = rte_ring_create(name, RING, SOCKET_ID_ANY, 0);
		if (recorder->tx[i].ring == NULL)
			abort();
	}
}

static int
probe(struct rte_vdev_device *device)
{
	struct rte_kvargs *arguments = rte_kvargs_parse(rte_vdev_device_args(device), NULL);
	struct rte_eth_dev *dev = rte_eth_vdev_allocate(device, sizeof(struct recorder));
	struct recorder *recorder;

	if (arguments == NULL || dev == NULL)
		return -EINVAL;
	recorder = dev->data->dev_private;
	recorder->data = dev->data;
	rte_kvargs_process(arguments, NULL, take_argument, recorder);
	recorder->mac = (struct rte_ether_addr){ { 2, 0, 0, 0, 0, 0x70 + dev->data->port_id } };
	make_queues(recorder);
	dev->data->mac_addrs = rte_calloc(NULL, 4, sizeof(recorder->mac), 0);
	dev->data->mac_addrs[0] = recorder->mac;
	dev->data->dev_link.link_status = RTE_ETH_LINK_UP;
	dev->dev_ops = rte_kvargs_count(arguments, "lacks") > 0 ? &lacking_ops : &ops;
	dev->rx_pkt_burst = receive;
	dev->tx_pkt_burst = transmit;
	dev->tx_pkt_prepare = look_before_sending;
	rte_kvargs_free(arguments);
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
take_away(struct rte_vdev_device *device)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(device));

	if (dev == NULL)
		return 0;
	/* From here on nobody may be in one of the functions above. */
	rte_eth_dev_callback_process(dev, RTE_ETH_EVENT_INTR_RMV, NULL);
	rte_eth_dev_stop(dev->data->port_id);
	return rte_eth_dev_close(dev->data->port_id);
}

static struct rte_vdev_driver driver = { .probe = probe, .remove = take_away };

RTE_PMD_REGISTER_VDEV(net_recorder, driver);
