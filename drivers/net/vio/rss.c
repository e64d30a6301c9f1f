/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queue pairs and receive-side scaling (spec 5.1.6.5.5 to 5.1.6.5.7).
 *
 * Which queue a frame comes to: with RSS, the one that the table names for its hash; where none was
 * asked for, the one that the device finds best by itself.
 */
#include "rss.h"

#include <endian.h>
#include <errno.h>

#include "log.h"
#include "port.h"
#include "refuse.h"

/* A hash type of the device, and what ethdev calls it. Its "IP" is whatever no other type covers.
 */
struct hash_type {
	uint32_t type;
	uint64_t offloads;
};

static const struct hash_type hash_types[] = {
	{ VIO_NET_HASH_TYPE_IPV4,
	  RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER },
	{ VIO_NET_HASH_TYPE_TCPV4, RTE_ETH_RSS_NONFRAG_IPV4_TCP },
	{ VIO_NET_HASH_TYPE_UDPV4, RTE_ETH_RSS_NONFRAG_IPV4_UDP },
	{ VIO_NET_HASH_TYPE_IPV6,
	  RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER },
	{ VIO_NET_HASH_TYPE_TCPV6, RTE_ETH_RSS_NONFRAG_IPV6_TCP },
	{ VIO_NET_HASH_TYPE_UDPV6, RTE_ETH_RSS_NONFRAG_IPV6_UDP },
	{ VIO_NET_HASH_TYPE_IP_EX, RTE_ETH_RSS_IPV6_EX },
	{ VIO_NET_HASH_TYPE_TCP_EX, RTE_ETH_RSS_IPV6_TCP_EX },
	{ VIO_NET_HASH_TYPE_UDP_EX, RTE_ETH_RSS_IPV6_UDP_EX },
};

/* The key that the inventors of the hash gave as an example, and everybody's default since. What a
 * longer key has besides no hash type uses. */
static const uint8_t default_key[VIO_NET_RSS_KEY_MIN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static uint64_t
to_offloads(uint32_t types)
{
	uint64_t offloads = 0;

	for (size_t i = 0; i < RTE_DIM(hash_types); i++)
		if (types & hash_types[i].type)
			offloads |= hash_types[i].offloads;
	return offloads;
}

static uint32_t
to_types(uint64_t offloads, uint32_t supported)
{
	uint32_t types = 0;

	for (size_t i = 0; i < RTE_DIM(hash_types); i++)
		if (offloads & hash_types[i].offloads)
			types |= hash_types[i].type;
	return types & supported;
}

/* --- what the device can
 * ---------------------------------------------------------------------------------------- */

static void
do_without(struct vio_port *port, uint64_t features, const char *field, uint32_t found,
	   const char *expected)
{
	char names[64];

	PORT_LOG(port, WARNING, "%s is %u, expected %s; %s not used", field, found, expected,
		 vio_features_text(port->features & features, names, sizeof(names)));
	port->wanted &= ~features;
	port->features &= ~features;
}

static int
read_fields(struct vio_port *port)
{
	struct vio_net_config *config = &port->config;
	struct vio_device *device = &port->device;
	int ret;

	ret = vio_config_read(device, offsetof(struct vio_net_config, rss_max_key_size),
			      &config->rss_max_key_size, sizeof(config->rss_max_key_size));
	if (ret == 0)
		ret = vio_config_read(device, offsetof(struct vio_net_config, supported_hash_types),
				      &config->supported_hash_types,
				      sizeof(config->supported_hash_types));
	if (ret == 0 && vio_has(port->features, VIRTIO_NET_F_RSS))
		ret = vio_config_read(
			device, offsetof(struct vio_net_config, rss_max_indirection_table_length),
			&config->rss_max_indirection_table_length,
			sizeof(config->rss_max_indirection_table_length));
	config->supported_hash_types = le32toh(config->supported_hash_types);
	config->rss_max_indirection_table_length = le16toh(
		config->rss_max_indirection_table_length);
	return ret;
}

/* What the application has asked for, as far as it fits a device that is looked at anew. */
static void
keep_asked(struct vio_rss *rss, const struct vio_rss *before)
{
	rss->types = before->types & rss->supported;
	if (before->key_len >= VIO_NET_RSS_KEY_MIN && before->key_len <= rss->key_max) {
		rss->key_len = before->key_len;
		memcpy(rss->key, before->key, before->key_len);
	}
	if (rss->table_size != before->table_size)
		return;
	rss->table_queues = before->table_queues;
	memcpy(rss->table, before->table, sizeof(rss->table));
}

int
vio_rss_inspect(struct vio_port *port)
{
	const uint64_t rss = VIO_BIT(VIRTIO_NET_F_RSS),
		       any = rss | VIO_BIT(VIRTIO_NET_F_HASH_REPORT);
	const struct vio_net_config *config = &port->config;
	const struct vio_rss before = port->rss;
	uint16_t table;
	int ret;

	port->rss = (struct vio_rss){ 0 };
	memcpy(port->rss.key, default_key, sizeof(default_key));
	if (!(port->features & any))
		return 0;
	ret = read_fields(port);
	if (ret < 0)
		return ret;
	port->rss.supported = to_types(UINT64_MAX, config->supported_hash_types);
	port->rss.key_max = port->rss.key_len = config->rss_max_key_size;
	table = config->rss_max_indirection_table_length;
	if (port->rss.key_max < VIO_NET_RSS_KEY_MIN)
		do_without(port, any, "rss_max_key_size", port->rss.key_max, "40 or more");
	else if (port->rss.supported == 0)
		do_without(port, any, "supported_hash_types", config->supported_hash_types,
			   "some of those that the specification knows");
	else if ((port->features & rss) && table < VIO_NET_RSS_TABLE_MIN)
		do_without(port, rss, "rss_max_indirection_table_length", table, "128 or more");
	if (!(port->features & any))
		port->rss.supported = port->rss.key_max = 0;
	if (port->features & rss)
		port->rss.table_size = RTE_MIN(rte_align32prevpow2(table),
					       (uint32_t)VIO_RSS_TABLE_MAX);
	keep_asked(&port->rss, &before);
	return 0;
}

uint64_t
vio_rss_offloads(const struct vio_port *port)
{
	return to_offloads(port->rss.supported);
}

/* --- what is told
 * ----------------------------------------------------------------------------------------- */

/* Hash types in force: none unless ethdev's mode says RSS. */
static uint32_t
types_in_force(const struct vio_port *port, const struct vio_rss *rss)
{
	return port->data->dev_conf.rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG ? rss->types : 0;
}

static uint16_t
pairs_in_use(const struct vio_port *port)
{
	return RTE_MAX(port->dev->data->nb_rx_queues, port->dev->data->nb_tx_queues);
}

static uint8_t *
put16(uint8_t *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint8_t *
put_types(uint8_t *at, uint32_t types)
{
	types = htole32(types);
	memcpy(at, &types, sizeof(types));
	return at + sizeof(types);
}

static uint8_t *
put_key(uint8_t *at, const struct vio_rss *rss)
{
	*at++ = rss->key_len;
	memcpy(at, rss->key, rss->key_len);
	return at + rss->key_len;
}

/*
 * struct virtio_net_rss_config. Frames without a hash go to the first queue. max_tx_vq is the
 * number of pairs: queues beyond those that the application has are set up, and empty; and devices
 * take the smaller of both ways otherwise.
 */
static int
send_rss(struct vio_port *port, const struct vio_rss *rss, uint32_t types)
{
	uint8_t data[VIO_CTRL_DATA_MAX], *at = data;

	static_assert(4 + 2 + 2 + 2 * VIO_RSS_TABLE_MAX + 2 + 1 + VIO_RSS_KEY_MAX <= sizeof(data),
		      "the longest configuration is too long");
	at = put_types(at, types);
	at = put16(at, rss->table_size - 1);
	at = put16(at, 0);
	for (uint16_t i = 0; i < rss->table_size; i++)
		at = put16(at, rss->table[i]);
	at = put16(at, pairs_in_use(port));
	at = put_key(at, rss);
	return vio_ctrl_send(port, "RSS", VIO_NET_CTRL_MQ, VIO_NET_CTRL_MQ_RSS_CONFIG, data,
			     at - data);
}

/* How many pairs the device shall use, by its own choice for each frame. */
static int
send_pairs(struct vio_port *port)
{
	uint16_t field = htole16(pairs_in_use(port));

	return vio_ctrl_send(port, "number of queue pairs", VIO_NET_CTRL_MQ,
			     VIO_NET_CTRL_MQ_VQ_PAIRS_SET, &field, sizeof(field));
}

/* struct virtio_net_hash_config: what is reported where the hash does not choose the queue. */
static int
send_hash(struct vio_port *port, const struct vio_rss *rss, uint32_t types)
{
	uint8_t data[4 + 8 + 1 + VIO_RSS_KEY_MAX], *at = data;

	at = put_types(at, types);
	memset(at, 0, 8); /* NETCTRL-HASH-01 */
	at = put_key(at + 8, rss);
	return vio_ctrl_send(port, "hash", VIO_NET_CTRL_MQ, VIO_NET_CTRL_MQ_HASH_CONFIG, data,
			     at - data);
}

/* By the device's own choice, with a hash for the application if it asked for that. */
static int
send_pairs_and_hash(struct vio_port *port, const struct vio_rss *rss, uint32_t types, bool fresh)
{
	int ret = 0;

	if (vio_has(port->features, VIRTIO_NET_F_MQ))
		ret = send_pairs(port);
	/* The number of pairs has switched it off, where that was said, and it is off in a device
	 * that was just reset; else no types do. */
	if (ret == 0 && vio_has(port->features, VIRTIO_NET_F_HASH_REPORT) &&
	    (types != 0 || !(fresh || vio_has(port->features, VIRTIO_NET_F_MQ))))
		ret = send_hash(port, rss, types);
	return ret;
}

/* The last command of the class decides (NETCTRL-MQ-08). */
static int
apply(struct vio_port *port, const struct vio_rss *rss, bool fresh)
{
	struct vio_transport *t = port->transport;
	uint32_t types = types_in_force(port, rss);

	if (t->ops->set_queue_pairs != NULL)
		return t->ops->set_queue_pairs(t, pairs_in_use(port));
	if (vio_has(port->features, VIRTIO_NET_F_RSS) && types != 0)
		return send_rss(port, rss, types);
	/* A device without the other mode knows no other way to use several queues. */
	if (vio_has(port->features, VIRTIO_NET_F_RSS) && pairs_in_use(port) > 1 &&
	    !vio_has(port->features, VIRTIO_NET_F_MQ))
		return send_rss(port, rss, rss->supported);
	return send_pairs_and_hash(port, rss, types, fresh);
}

/* In turn over all receive queues; a table that was set for as many stays. */
static void
fill_table(struct vio_rss *rss, uint16_t queues)
{
	if (rss->table_queues == queues || queues == 0)
		return;
	for (uint16_t i = 0; i < rss->table_size; i++)
		rss->table[i] = i % queues;
	rss->table_queues = queues;
}

int
vio_rss_restore(struct vio_port *port)
{
	/* Another device may have another size of table. */
	fill_table(&port->rss, port->dev->data->nb_rx_queues);
	return apply(port, &port->rss, true);
}

/* --- what the application asks for
 * ---------------------------------------------------------------------------------- */

/* Hash types and key, as ethdev gives them, into rss. */
static int
take_hash(struct vio_port *port, struct vio_rss *rss, const struct rte_eth_rss_conf *conf)
{
	rss->types = to_types(conf->rss_hf, rss->supported);
	/* A key without a length is none, as for other drivers. */
	if (conf->rss_key == NULL || conf->rss_key_len == 0)
		return 0;
	if (conf->rss_key_len < VIO_NET_RSS_KEY_MIN || conf->rss_key_len > rss->key_max) {
		PORT_LOG(port, ERR, "an RSS key of %u bytes was given; the device takes %u to %u",
			 conf->rss_key_len, VIO_NET_RSS_KEY_MIN, rss->key_max);
		return -EINVAL;
	}
	rss->key_len = conf->rss_key_len;
	memcpy(rss->key, conf->rss_key, rss->key_len);
	return 0;
}

int
vio_rss_configure(struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	const struct rte_eth_conf *conf = &data->dev_conf;
	struct vio_rss rss = port->rss;
	int ret = 0;

	rss.types = 0;
	if ((conf->rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) && rss.supported != 0)
		ret = take_hash(port, &rss, &conf->rx_adv_conf.rss_conf);
	if ((conf->rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) && data->nb_rx_queues > 1 &&
	    rss.table_size == 0)
		PORT_LOG(port, NOTICE,
			 "the device offers no RSS: it spreads frames over the %u queues as it "
			 "likes",
			 data->nb_rx_queues);
	if (ret < 0)
		return ret;
	fill_table(&rss, data->nb_rx_queues);
	port->rss = rss;
	return 0;
}

/* A table may name no queue that the device does not have (NETCTRL-RSS-02), as one that was reset.
 */
static int
check_queues_live(const struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		const struct vio_rxq *q = data->rx_queues[i];

		if (q->ring.vq != NULL && !q->ring.stuck)
			continue;
		PORT_LOG(port, ERR, "RSS cannot be changed while rx queue %u is stopped; start it",
			 i);
		return -EBUSY;
	}
	return 0;
}

/* Takes over wanted, once the device has agreed where it is live. */
static int
change(struct vio_port *port, const struct vio_rss *wanted)
{
	int ret = port->ctrl.live ? check_queues_live(port) : 0;

	if (ret == 0 && port->ctrl.live)
		ret = apply(port, wanted, false);
	if (ret == 0)
		port->rss = *wanted;
	return ret;
}

int
vio_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	struct vio_port *port = vio_port(dev);
	struct vio_rss wanted;
	int ret;

	if (port->rss.supported == 0)
		return vio_refuse(dev, VIO_NO_HASH);
	pthread_mutex_lock(&port->lock);
	wanted = port->rss;
	ret = take_hash(port, &wanted, conf);
	if (ret == 0)
		ret = change(port, &wanted);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	struct vio_port *port = vio_port(dev);
	const struct vio_rss *rss = &port->rss;
	uint8_t len;

	if (rss->supported == 0)
		return vio_refuse(dev, VIO_NO_HASH);
	vio_read_lock(port);
	/* Once: a secondary has no lock, and the primary may take a longer key meanwhile. */
	len = __atomic_load_n(&rss->key_len, __ATOMIC_RELAXED);
	if (conf->rss_key != NULL && conf->rss_key_len >= len)
		memcpy(conf->rss_key, rss->key, len);
	conf->rss_key_len = len;
	conf->rss_hf = to_offloads(types_in_force(port, rss));
	vio_read_unlock(port);
	return 0;
}

static int
check_table_size(struct rte_eth_dev *dev, uint16_t size)
{
	const struct vio_port *port = vio_port(dev);

	if (port->rss.table_size == 0)
		return vio_refuse(dev, VIO_NO_TABLE);
	if (size == port->rss.table_size)
		return 0;
	PORT_LOG(port, ERR, "a redirection table of %u entries was given; the port's has %u", size,
		 port->rss.table_size);
	return -EINVAL;
}

static bool
is_chosen(const struct rte_eth_rss_reta_entry64 *reta, uint16_t i)
{
	return reta[i / RTE_ETH_RETA_GROUP_SIZE].mask & UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
}

/* NETCTRL-RSS-02. ethdev has checked it, but for a number of queues that has changed. */
static int
check_table(const struct vio_port *port, const struct vio_rss *rss)
{
	uint16_t queues = port->dev->data->nb_rx_queues;

	for (uint16_t i = 0; i < rss->table_size; i++) {
		if (rss->table[i] < queues)
			continue;
		PORT_LOG(port, ERR,
			 "entry %u of the redirection table names rx queue %u, of %u queues", i,
			 rss->table[i], queues);
		return -EINVAL;
	}
	return 0;
}

int
vio_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta, uint16_t size)
{
	struct vio_port *port = vio_port(dev);
	struct vio_rss wanted;
	int ret = check_table_size(dev, size);

	if (ret < 0)
		return ret;
	pthread_mutex_lock(&port->lock);
	wanted = port->rss;
	for (uint16_t i = 0; i < size; i++)
		if (is_chosen(reta, i))
			wanted.table[i] =
				reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
	ret = check_table(port, &wanted);
	if (ret == 0)
		ret = change(port, &wanted);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta, uint16_t size)
{
	struct vio_port *port = vio_port(dev);
	int ret = check_table_size(dev, size);

	if (ret < 0)
		return ret;
	vio_read_lock(port);
	for (uint16_t i = 0; i < size; i++)
		if (is_chosen(reta, i))
			reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
				port->rss.table[i];
	vio_read_unlock(port);
	return 0;
}
