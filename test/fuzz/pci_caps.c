/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk over the capabilities of a PCI function that changes them meanwhile. */
#include "pci.h"

static const struct vio_pci_access access_table = {
	.read_config = pci_read_config,
	.bar = pci_bar,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct vio_pci_caps caps;
	struct pci pci;
	int ret;

	pci_init(&pci, &in);
	ret = vio_pci_caps_read(&access_table, &pci, "fuzz", &caps);
	pci_check_caps(&pci, ret, &caps);
	pci_free(&pci);
	return 0;
}
