/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI function made of memory, for the tests of the PCI transport: a configuration space, BARs,
 * and a log that is kept. Each test program includes it once. */
#ifndef PCI_FAKE_H
#define PCI_FAKE_H

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/log.h"
#include "virtio/pci_caps.h"

#define FAKE_NAME    "0000:fa:ce.0"
#define FAKE_BAR_LEN 0x4000

struct pci_fake {
	uint8_t config[256];
	uint8_t *bar[6]; /* NULL: none */
	uint64_t bar_len[6];
	unsigned end;     /* where the next capability goes */
	unsigned link;    /* where its address is to be written */
	unsigned reads;   /* of the configuration space so far */
	unsigned fail_at; /* the read that fails, counting from 1; 0: none */
};

/* What a capability says; zero fields of cap_len and length get what is usual. */
struct fake_cap {
	uint8_t type, bar, cap_len;
	uint32_t offset, length, multiplier;
};

static char fake_log[8192];

static inline void
fake_log_sink(enum vio_log_level level, const char *format, va_list args)
{
	size_t len = strlen(fake_log);

	(void)level;
	vsnprintf(fake_log + len, sizeof(fake_log) - len, format, args);
	strncat(fake_log, "\n", sizeof(fake_log) - strlen(fake_log) - 1);
}

static inline void
fake_put16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void
fake_put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void
fake_init(struct pci_fake *f)
{
	*f = (struct pci_fake){ .end = 0x40, .link = 0x34 };
	fake_put16(f->config, 0x1af4);
	fake_put16(f->config + 2, 0x1041);
	fake_put16(f->config + 6, 0x0010); /* there is a capability list */
	/* Of its own allocation, so that a sanitizer sees each access outside. */
	f->bar[4] = aligned_alloc(4096, FAKE_BAR_LEN);
	memset(f->bar[4], 0, FAKE_BAR_LEN);
	f->bar_len[4] = FAKE_BAR_LEN;
	fake_log[0] = '\0';
	vio_log_to(fake_log_sink);
}

static inline void
fake_free(struct pci_fake *f)
{
	for (unsigned i = 0; i < 6; i++)
		free(f->bar[i]);
	vio_log_to(NULL);
}

/* Appends size bytes to the list; returns where they are. */
static inline uint8_t *
fake_add_raw(struct pci_fake *f, uint8_t id, unsigned size)
{
	uint8_t *cap = f->config + f->end;

	f->config[f->link] = (uint8_t)f->end;
	cap[0] = id;
	f->link = f->end + 1;
	f->end += (size + 3) & ~3u;
	return cap;
}

static inline uint8_t *
fake_add(struct pci_fake *f, struct fake_cap c)
{
	unsigned size = c.type == 2 ? 20 : 16;
	uint8_t *cap = fake_add_raw(f, 0x09, size);

	cap[2] = c.cap_len != 0 ? c.cap_len : (uint8_t)size;
	cap[3] = c.type;
	cap[4] = c.bar;
	fake_put32(cap + 8, c.offset);
	fake_put32(cap + 12, c.length != 0 ? c.length : 0x1000);
	if (c.type == 2)
		fake_put32(cap + 16, c.multiplier);
	return cap;
}

static inline int
fake_read_config(void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	struct pci_fake *f = ctx;

	if (++f->reads == f->fail_at)
		return -EIO;
	if (offset + len > sizeof(f->config))
		abort(); /* a walk must not look there */
	memcpy(buf, f->config + offset, len);
	return 0;
}

static inline int
fake_bar(void *ctx, unsigned bar, void **addr, uint64_t *len)
{
	struct pci_fake *f = ctx;

	if (bar > 5)
		abort();
	if (f->bar[bar] == NULL)
		return -ENOENT;
	*addr = f->bar[bar];
	*len = f->bar_len[bar];
	return 0;
}

#endif
