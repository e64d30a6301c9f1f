/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_caps.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "log.h"

/* The parts of the configuration space that the walk needs (PCI Local Bus 3.0, 6.1 and 6.7). */
enum {
	CFG_VENDOR = 0x00,
	CFG_STATUS = 0x06,
	CFG_STATUS_CAP_LIST = 1 << 4,
	CFG_CAP_POINTER = 0x34,
	CFG_CAP_FIRST = 0x40, /* capabilities lie behind the header, */
	CFG_SIZE = 256,       /* on multiples of 4, below this */
	CAP_VENDOR = 0x09,
	CAP_MSIX = 0x11,
	MSIX_TABLE_SIZE = 0x7ff, /* in message control: the table's size less one */
};

/* struct virtio_pci_cap and what follows it for notifications (spec 4.1.4, 4.1.4.4). */
enum {
	CAP_NEXT = 1,
	CAP_LEN = 2,
	CAP_CFG_TYPE = 3,
	CAP_BAR = 4,
	CAP_OFFSET = 8,
	CAP_LENGTH = 12,
	CAP_SIZE = 16,
	CAP_MULTIPLIER = 16,
	CAP_NOTIFY_SIZE = 20,
	BAR_LAST = 5,
};

/* Each structure that a network driver uses, and what it must be like to be usable. */
static const struct structure {
	const char *name;
	size_t region; /* its place in struct vio_pci_caps */
	uint8_t type;  /* cfg_type */
	uint8_t cap_size;
	uint8_t align;
	uint8_t length;
	bool needed;
} structures[] = {
	{ "common configuration", offsetof(struct vio_pci_caps, common), 1, CAP_SIZE, 4, 56, true },
	{ "notification", offsetof(struct vio_pci_caps, notify), 2, CAP_NOTIFY_SIZE, 2, 2, true },
	{ "ISR status", offsetof(struct vio_pci_caps, isr), 3, CAP_SIZE, 1, 1, false },
	{ "device configuration", offsetof(struct vio_pci_caps, device), 4, CAP_SIZE, 4, 1, false },
};

#define N_STRUCTURES (sizeof(structures) / sizeof(structures[0]))

struct walk {
	const struct vio_pci_access *access;
	void *ctx;
	const char *name;
	struct vio_pci_caps *caps;
	bool virtio;    /* a capability that only a modern device has was there */
	bool msix_only; /* nothing else is looked at */
};

static uint16_t
get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static int
read_config(const struct walk *w, uint32_t offset, void *buf, uint32_t len)
{
	int ret = w->access->read_config(w->ctx, offset, buf, len);

	if (ret < 0)
		vio_err("%s: reading %" PRIu32 " bytes of PCI configuration at 0x%02" PRIx32
			" failed: %s",
			w->name, len, offset, strerror(-ret));
	return ret;
}

static struct vio_pci_region *
region_of(const struct walk *w, const struct structure *s)
{
	return (struct vio_pci_region *)((char *)w->caps + s->region);
}

static const struct structure *
structure_of_type(uint8_t type)
{
	for (size_t i = 0; i < N_STRUCTURES; i++) {
		if (structures[i].type == type)
			return &structures[i];
	}
	return NULL;
}

/* Whether offset and length, which the device chose, stay inside the BAR. */
static bool
inside_bar(const struct walk *w, const struct structure *s, unsigned bar, uint32_t offset,
	   uint32_t length, void **addr)
{
	uint64_t bar_len = 0;

	*addr = NULL;
	if (w->access->bar(w->ctx, bar, addr, &bar_len) < 0 || *addr == NULL) {
		vio_debug("%s: %s capability skipped: BAR %u is not mapped memory", w->name,
			  s->name, bar);
		return false;
	}
	/* 64 bits, so that no sum wraps. */
	if ((uint64_t)offset + length > bar_len) {
		vio_warn("%s: %s capability skipped: offset 0x%" PRIx32 " and length 0x%" PRIx32
			 " pass the end of BAR %u, which has 0x%" PRIx64 " bytes",
			 w->name, s->name, offset, length, bar, bar_len);
		return false;
	}
	return true;
}

/* A virtio capability, all of it read once into cap. Unusable ones are skipped with a word in the
 * log: another instance may follow. */
static void
take_structure(struct walk *w, const struct structure *s, const uint8_t *cap)
{
	struct vio_pci_region *region = region_of(w, s);
	uint32_t offset = get32(cap + CAP_OFFSET);
	uint32_t length = get32(cap + CAP_LENGTH);
	uint8_t bar = cap[CAP_BAR];
	void *addr;

	if (region->addr != NULL) /* PCI-CAP-02: the first usable one wins */
		return;
	if (bar > BAR_LAST) { /* PCI-CAP-04 */
		vio_warn("%s: %s capability skipped: BAR %u, where 0 to %u exist", w->name, s->name,
			 bar, BAR_LAST);
		return;
	}
	if (offset % s->align != 0) {
		vio_warn("%s: %s capability skipped: offset 0x%" PRIx32 " is no multiple of %u",
			 w->name, s->name, offset, s->align);
		return;
	}
	if (length < s->length) { /* PCI-CAP-07 */
		vio_warn("%s: %s capability skipped: a structure of %" PRIu32
			 " bytes, where %u are needed",
			 w->name, s->name, length, s->length);
		return;
	}
	if (!inside_bar(w, s, bar, offset, length, &addr))
		return;

	region->addr = (volatile uint8_t *)addr + offset;
	region->len = length;
	if (s->cap_size == CAP_NOTIFY_SIZE)
		w->caps->notify_multiplier = get32(cap + CAP_MULTIPLIER);
}

static int
vendor_capability(struct walk *w, uint32_t pos, uint8_t cap_len, uint8_t type)
{
	const struct structure *s = structure_of_type(type);
	uint8_t cap[CAP_NOTIFY_SIZE];
	int ret;

	if (s == NULL) /* PCI-CAP-01, and kinds that this driver has no use for */
		return 0;
	w->virtio = true;
	if (cap_len < s->cap_size) {
		vio_warn("%s: %s capability at 0x%02" PRIx32
			 " skipped: cap_len %u, where %u are needed",
			 w->name, s->name, pos, cap_len, s->cap_size);
		return 0;
	}
	if (pos + s->cap_size > CFG_SIZE) {
		vio_warn("%s: %s capability at 0x%02" PRIx32
			 " skipped: it passes the end of the configuration space",
			 w->name, s->name, pos);
		return 0;
	}
	ret = read_config(w, pos, cap, s->cap_size);
	if (ret < 0)
		return ret;
	take_structure(w, s, cap);
	return 0;
}

static int
capability(struct walk *w, uint32_t pos, const uint8_t *head)
{
	/* The second word of MSI-X is its message control; that of a vendor capability, cap_len and
	 * cfg_type. */
	if (head[0] == CAP_MSIX && w->caps->msix_entries == 0) {
		w->caps->msix_entries = (get16(head + 2) & MSIX_TABLE_SIZE) + 1;
		w->caps->msix_at = (uint8_t)pos;
	}
	if (head[0] == CAP_VENDOR && !w->msix_only)
		return vendor_capability(w, pos, head[CAP_LEN], head[CAP_CFG_TYPE]);
	return 0;
}

static int
broken_list(const struct walk *w, const char *what, uint32_t pos)
{
	vio_err("%s: the PCI capability list %s (0x%02" PRIx32 "): the device is broken", w->name,
		what, pos);
	return -EINVAL;
}

/* Each step marks the place it stands on, so the walk ends after 48 steps at most. */
static int
walk_list(struct walk *w, uint8_t first)
{
	bool seen[CFG_SIZE / 4] = { false };
	uint32_t pos = first & ~3u; /* the lowest two bits are reserved */
	uint8_t head[4];
	int ret;

	while (pos != 0) {
		if (pos < CFG_CAP_FIRST)
			return broken_list(w, "points into the header", pos);
		if (seen[pos / 4])
			return broken_list(w, "returns to an entry it had", pos);
		seen[pos / 4] = true;

		ret = read_config(w, pos, head, sizeof(head));
		if (ret < 0)
			return ret;
		ret = capability(w, pos, head);
		if (ret < 0)
			return ret;
		pos = head[CAP_NEXT] & ~3u;
	}
	return 0;
}

static int
check_found(const struct walk *w)
{
	if (!w->virtio) {
		vio_info("%s: no virtio capability: a legacy device", w->name);
		return -ENOTSUP;
	}
	for (size_t i = 0; i < N_STRUCTURES; i++) {
		if (!structures[i].needed || region_of(w, &structures[i])->addr != NULL)
			continue;
		vio_err("%s: the device has no usable %s structure; it cannot be driven", w->name,
			structures[i].name);
		return -EINVAL;
	}
	return 0;
}

static int
walk_all(struct walk *w)
{
	uint8_t head[CFG_STATUS + 2];
	uint8_t first;
	int ret;

	*w->caps = (struct vio_pci_caps){ 0 };
	ret = read_config(w, CFG_VENDOR, head, sizeof(head));
	if (ret < 0)
		return ret;
	if (get16(head + CFG_VENDOR) == UINT16_MAX) {
		vio_err("%s: the PCI function does not answer: unplugged?", w->name);
		return -ENODEV;
	}
	if (!(get16(head + CFG_STATUS) & CFG_STATUS_CAP_LIST))
		return 0;
	ret = read_config(w, CFG_CAP_POINTER, &first, sizeof(first));
	return ret < 0 ? ret : walk_list(w, first);
}

int
vio_pci_caps_read(const struct vio_pci_access *access, void *ctx, const char *name,
		  struct vio_pci_caps *caps)
{
	struct walk w = { .access = access, .ctx = ctx, .name = name, .caps = caps };
	int ret = walk_all(&w);

	return ret < 0 ? ret : check_found(&w);
}

int
vio_pci_caps_read_msix(const struct vio_pci_access *access, void *ctx, const char *name,
		       struct vio_pci_caps *caps)
{
	struct walk w = {
		.access = access, .ctx = ctx, .name = name, .caps = caps, .msix_only = true
	};

	return walk_all(&w);
}
