/* SPDX-License-Identifier: BSD-3-Clause */
/* The network side of the device model: packets, the control queue (spec 5.1). */
#ifndef DEVICE_NET_H
#define DEVICE_NET_H

#include <stdbool.h>
#include <stdint.h>

struct device;

/* struct virtio_net_hdr in the host's byte order (spec 5.1.6). */
struct device_net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
	uint32_t hash_value; /* the last two only with VIRTIO_NET_F_HASH_REPORT */
	uint16_t hash_report;
};

enum {
	DEVICE_HDR_NEEDS_CSUM = 1,
	DEVICE_HDR_DATA_VALID = 2,
	DEVICE_HDR_RSC_INFO = 4,
};

enum {
	DEVICE_GSO_NONE = 0,
	DEVICE_GSO_TCPV4 = 1,
	DEVICE_GSO_UDP = 3,
	DEVICE_GSO_TCPV6 = 4,
	DEVICE_GSO_UDP_L4 = 5,
	DEVICE_GSO_ECN = 0x80,
};

/* A packet that the driver has sent. */
struct device_packet {
	struct device_packet *next;
	struct device_net_header header;
	uint16_t segments; /* elements of its buffer, the header's included */
	uint32_t len;      /* bytes of data, without the header */
	uint8_t data[];
};

/* Bytes of the header with the features negotiated. */
uint16_t device_header_size(const struct device *dev);

/* Looks at every queue: takes in receive buffers, collects what was sent, answers commands. With
 * kicked_only a queue is looked at only if it was notified, as a device does that sleeps. */
void device_poll(struct device *dev, bool kicked_only);

/* Writes a packet into buffers of receive queue pair: one, or as many as it needs where mergeable
 * buffers were negotiated. header may be NULL (all zero); num_buffers is filled in. Returns the
 * buffers used, or 0 where there was not enough room: then nothing was touched. */
uint16_t device_receive_packet(struct device *dev, uint16_t pair,
			       const struct device_net_header *header, const void *data,
			       uint32_t len);

/* The oldest packet collected from transmit queue pair, to be freed by free(), or NULL. */
struct device_packet *device_next_packet(struct device *dev, uint16_t pair);
/* While held, transmit buffers are read but not given back: device_complete() does that. */
void device_hold_transmit(struct device *dev, bool hold);

/* What the control queue has set. All zero, and pairs 1, after a reset. */
struct device_net_state {
	uint8_t rx_mode[6]; /* by command: promisc, allmulti, alluni, nomulti, nouni, nobcast */
	uint8_t mac[6];     /* the current default MAC */
	uint32_t unicast;   /* entries of the MAC tables */
	uint32_t multicast;
	uint8_t first_unicast[6];
	uint8_t first_multicast[6];
	uint32_t tables; /* a sum over all of both tables, in their order */
	uint8_t vlan[4096 / 8];
	uint16_t pairs;
	uint64_t offloads;
	unsigned announced; /* acknowledgements of VIRTIO_NET_S_ANNOUNCE */
	/* VIRTIO_NET_CTRL_MQ_RSS_CONFIG, or HASH_CONFIG */
	uint32_t hash_types;
	uint16_t rss_entries;
	uint16_t rss_table[512];
	uint8_t rss_key_len;
	uint8_t rss_key[255];
	/* VIRTIO_NET_CTRL_NOTF_COAL: by direction (transmit, receive), then by virtqueue. */
	struct device_coal {
		uint32_t packets, usecs;
	} coal[2], coal_queue[64];
	bool stats_queried; /* VIRTIO_NET_CTRL_STATS_QUERY came */
	unsigned commands;  /* answered in all, */
	unsigned refused;   /* and of these by VIRTIO_NET_ERR */
};
const struct device_net_state *device_net_state(const struct device *dev);

/* With DEVICE_STATS: the types that there are, a number that every counter begins at, and so many
 * bytes more in each reply than the specification knows. */
void device_set_stats(struct device *dev, uint64_t types, uint64_t base, unsigned more);
/* What it says of a counter: the n-th of a type of a virtqueue. No two are alike. */
uint64_t device_stat(const struct device *dev, uint16_t queue, unsigned type, unsigned n);
/* Lets hook (NULL: none) change each result with statistics; it returns the new length, at most
 * 8192. */
void device_stats_hook(struct device *dev, uint32_t (*hook)(uint8_t *result, uint32_t len));

/* The link goes up or down; the device asks for an announcement. Both change config. */
void device_set_link(struct device *dev, bool up);
void device_ask_announce(struct device *dev);

#endif
