/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI function whose every byte is the fuzzer's: configuration space and BARs. */
#ifndef FUZZ_PCI_H
#define FUZZ_PCI_H

#include "input.h"
#include "virtio/pci_caps.h"

#define PCI_BARS 6

struct pci {
	struct input *in;
	uint8_t config[256];
	void *bar[PCI_BARS]; /* NULL: not mapped */
	uint64_t bar_len[PCI_BARS];
	unsigned reads;    /* of the configuration space */
	bool steady;       /* it stays the same from one read to the next, */
	bool failed;       /* and none failed */
	bool asked_for[6]; /* BARs looked at */
};

/* A usable device, changed as the input says. */
void pci_init(struct pci *pci, struct input *in);
void pci_free(struct pci *pci);

/* For struct vio_pci_access; ctx is a struct pci. */
int pci_read_config(void *ctx, uint32_t offset, void *buf, uint32_t len);
int pci_bar(void *ctx, unsigned bar, void **addr, uint64_t *len);

/* What vio_pci_caps_read() has returned, with caps: is it sound? */
void pci_check_caps(const struct pci *pci, int ret, const struct vio_pci_caps *caps);

#endif
