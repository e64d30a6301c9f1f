/* SPDX-License-Identifier: BSD-3-Clause */
/* Device arguments: -a 0000:00:04.0,packed_vq=0 and --vdev net_vio_user0,path=... */
#ifndef VIO_PMD_DEVARGS_H
#define VIO_PMD_DEVARGS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

struct vio_args {
	/* Features that may be negotiated. */
	bool mrg_rxbuf;
	bool in_order;
	bool packed_vq;
	bool legacy; /* PCI: by the legacy interface, also where there is a modern one */
	bool event_idx;
	bool ptypes;         /* tell packet types, which costs a parse */
	bool lro_udp;        /* LRO may put UDP datagrams together, too */
	unsigned simd;       /* enum vq_simd, or VIO_SIMD_AUTO */
	uint32_t speed;      /* Mbit/s, in place of what the device says; 0: not given */
	uint32_t timeout_ms; /* bound of waits on the device */
	uint8_t recover;     /* enum vio_recover_mode */
	uint32_t recover_tries;
	struct {
		bool given;
		bool told; /* that the device cannot do it */
		uint32_t usecs;
		uint32_t packets;
	} coalesce; /* of notifications */
	/* net_vio_user alone. */
	char path[4096];
	bool server;
	uint32_t reconnect_ms; /* how often to look for a new peer; 0: never */
	bool has_mac;
	struct rte_ether_addr mac;
	uint16_t queues;
	uint16_t queue_size;
};

/* Reads the arguments of a PCI device or of net_vio_user into args, over their defaults. name is
 * how messages call the device. Returns 0, or -EINVAL after a message that names the bad argument.
 */
int vio_args_parse_pci(const char *name, const char *text, struct vio_args *args);
int vio_args_parse_user(const char *name, const char *text, struct vio_args *args);

/* The arguments as a table for RTE_PMD_REGISTER_PARAM_STRING. */
#define VIO_ARGS_COMMON                                                       \
	"mrg_rxbuf=<0|1> in_order=<0|1> packed_vq=<0|1> event_idx=<0|1> "     \
	"speed=<Mbit/s> simd=<auto|scalar|words|avx2|avx512|neon> "           \
	"ptypes=<0|1> lro_udp=<0|1> timeout=<ms> coalesce=<usecs>:<packets> " \
	"recover=<auto|manual> recover_tries=<n> "                            \
	"vectorized=<0|1> "
#define VIO_ARGS_PCI "legacy=<0|1> "
#define VIO_ARGS_USER                                                                  \
	"path=<socket> mac=<address> cq=<0|1> queues=<n> queue_size=<n> server=<0|1> " \
	"reconnect=<ms> "

#endif
