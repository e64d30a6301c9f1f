/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci.h"

#include <errno.h>

enum { COMMON = 1, NOTIFY, ISR, DEVICE };
enum { BAR_LEN = 0x400, CAP_BYTES = 20, LIST_MAX = 48 };

static void
put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint32_t
get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Where each structure of the usable device stands in BAR 4, and its length. */
static const struct {
	uint8_t type;
	uint16_t offset, length;
} usual[] = {
	{ COMMON, 0x000, 0x40 },
	{ NOTIFY, 0x100, 0x100 },
	{ ISR, 0x080, 1 },
	{ DEVICE, 0x200, 0x100 },
};

/* From there on; what passes the end of the space is cut off. */
static void
write_usual(uint8_t *space, unsigned at, uint32_t multiplier)
{
	uint8_t config[256 + 5 * CAP_BYTES] = { 0 };

	put32(config, 0x10411af4);
	config[6] = 0x10;
	config[0x34] = (uint8_t)at;
	for (unsigned i = 0; i < 4; i++, at += CAP_BYTES) {
		uint8_t *cap = config + at;

		cap[0] = 0x09;
		cap[1] = (uint8_t)(at + CAP_BYTES);
		cap[2] = CAP_BYTES;
		cap[3] = usual[i].type;
		cap[4] = 4;
		put32(cap + 8, usual[i].offset);
		put32(cap + 12, usual[i].length);
		put32(cap + 16, multiplier);
	}
	config[at] = 0x11; /* MSI-X, the last one */
	config[at + 2] = 3;
	memcpy(space, config, 256);
}

static void
change(struct pci *pci, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t at = take8(pci->in);

		pci->config[at] = take8(pci->in);
	}
}

void
pci_init(struct pci *pci, struct input *in)
{
	uint8_t shape = take8(in);
	unsigned at = 0x40;
	uint32_t multiplier = 4;

	*pci = (struct pci){ .in = in, .steady = shape & 1 };
	if (shape & 8) {
		at = 0x40 + 4 * (take8(in) % 48u);
		multiplier = take8(in);
	}
	if (shape & 2)
		take_bytes(in, pci->config, sizeof(pci->config));
	else
		write_usual(pci->config, at, multiplier);
	change(pci, shape >> 4);
	/* Each of its own allocation, so that every access outside is seen. */
	for (unsigned i = 0; i < PCI_BARS; i++) {
		pci->bar_len[i] = i == 4 ? BAR_LEN : take8(in);
		if (i == 4 && shape & 4)
			pci->bar_len[i] = take16(in) % BAR_LEN;
		if (pci->bar_len[i] > 0 && posix_memalign(&pci->bar[i], 64, pci->bar_len[i]) == 0)
			memset(pci->bar[i], 0, pci->bar_len[i]);
	}
}

void
pci_free(struct pci *pci)
{
	for (unsigned i = 0; i < PCI_BARS; i++)
		free(pci->bar[i]);
}

/* One read of the header, of the pointer, and two for each place of the list. */
int
pci_read_config(void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	struct pci *pci = ctx;

	must(++pci->reads <= 2 + 2 * LIST_MAX, "a list of capabilities has an end");
	must((uint64_t)offset + len <= sizeof(pci->config), "reads stay in the space");
	must(offset == 0 || offset == 0x34 || offset >= 0x40, "no capability is in the header");
	if (!pci->steady) {
		uint8_t kind = take8(pci->in);

		change(pci, kind % 8);
		if (kind == 0xff) {
			pci->failed = true;
			return -EIO;
		}
	}
	memcpy(buf, pci->config + offset, len);
	return 0;
}

int
pci_bar(void *ctx, unsigned bar, void **addr, uint64_t *len)
{
	struct pci *pci = ctx;

	must(bar < PCI_BARS, "there are six BARs");
	pci->asked_for[bar] = true;
	if (pci->bar[bar] == NULL)
		return -ENOENT;
	*addr = pci->bar[bar];
	*len = pci->bar_len[bar];
	return 0;
}

/* Which BAR has all of the region; -1: none. */
static int
bar_of(const struct pci *pci, const struct vio_pci_region *region)
{
	uintptr_t from = (uintptr_t)region->addr;

	for (int i = 0; i < PCI_BARS; i++) {
		uintptr_t bar = (uintptr_t)pci->bar[i];

		if (bar != 0 && from >= bar && from + region->len <= bar + pci->bar_len[i])
			return i;
	}
	return -1;
}

/* Does a capability of the space say so? */
static bool
is_told(const struct pci *pci, const struct vio_pci_region *region, uint8_t type, unsigned bar,
	uint32_t multiplier)
{
	uint32_t offset = (uint32_t)(region->addr - (volatile uint8_t *)pci->bar[bar]);
	unsigned bytes = type == NOTIFY ? 20 : 16;

	for (unsigned at = 0x40; at + bytes <= sizeof(pci->config); at += 4) {
		const uint8_t *cap = pci->config + at;

		if (cap[0] == 0x09 && cap[2] >= bytes && cap[3] == type && cap[4] == bar &&
		    get32(cap + 8) == offset && get32(cap + 12) == region->len &&
		    (type != NOTIFY || get32(cap + 16) == multiplier))
			return true;
	}
	return false;
}

static void
check_region(const struct pci *pci, const struct vio_pci_caps *caps,
	     const struct vio_pci_region *region, uint8_t type, uint32_t align, uint32_t least)
{
	int bar;

	if (region->addr == NULL)
		return;
	bar = bar_of(pci, region);
	must(bar >= 0, "a structure lies inside a BAR");
	must(pci->asked_for[bar], "that was asked for");
	must(region->len >= least, "and is long enough");
	must((uintptr_t)region->addr % align == 0, "and aligned");
	must(!pci->steady || is_told(pci, region, type, (unsigned)bar, caps->notify_multiplier),
	     "and a capability says so");
}

void
pci_check_caps(const struct pci *pci, int ret, const struct vio_pci_caps *caps)
{
	must(ret == 0 || ret == -ENOTSUP || ret == -EINVAL || ret == -ENODEV || ret == -EIO,
	     "an error is one of those promised");
	must((ret == -EIO) == pci->failed, "a read that fails ends the walk");
	if (pci->steady && pci->config[0] == 0xff && pci->config[1] == 0xff)
		must(ret == -ENODEV, "all ones are no device");
	if (ret != 0)
		return;
	must(caps->common.addr != NULL && caps->notify.addr != NULL, "what is needed is there");
	must(caps->msix_entries <= 2048, "no MSI-X table is longer");
	check_region(pci, caps, &caps->common, COMMON, 4, 56);
	check_region(pci, caps, &caps->notify, NOTIFY, 2, 2);
	check_region(pci, caps, &caps->isr, ISR, 1, 1);
	check_region(pci, caps, &caps->device, DEVICE, 4, 1);
}
