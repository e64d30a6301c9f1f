/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a virtio PCI device keeps its structures: the capability list (spec 4.1.4), each entry
 * checked against its BAR before an address is made of it. */
#ifndef VIO_PCI_CAPS_H
#define VIO_PCI_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* How the program that links this library reaches a PCI function. ctx is handed back as it came. */
struct vio_pci_access {
	/* Reads len bytes of the configuration space from offset: 0, or a negative errno value. */
	int (*read_config)(void *ctx, uint32_t offset, void *buf, uint32_t len);
	/* Where BAR 0..5 is mapped and how many bytes of it: 0; -ENOENT where the function has no
	 * such BAR, where it is not mapped, and where it is I/O ports. The mapping must outlive the
	 * transport. Called only for a capability that names this BAR. */
	int (*bar)(void *ctx, unsigned bar, void **addr, uint64_t *len);
	/* Both NULL: registers are plain memory. Else every register but the doorbells goes through
	 * these; width is 1, 2 or 4 bytes, values are in the CPU's byte order. */
	uint32_t (*load)(void *ctx, const volatile void *addr, unsigned width);
	void (*store)(void *ctx, volatile void *addr, uint32_t value, unsigned width);
	/* The I/O ports of BAR 0, counted from its start, for the legacy interface: width is 1, 2
	 * or 4 bytes, values are in the CPU's byte order; what cannot be read reads as all ones.
	 * Both NULL where there are no such ports. */
	uint32_t (*in)(void *ctx, uint32_t port, unsigned width);
	void (*out)(void *ctx, uint32_t port, uint32_t value, unsigned width);
	/* Is the function in its slot still? For registers that read as nothing once it is gone,
	 * where other memory was put in their place. NULL: it always is. */
	bool (*is_there)(void *ctx);
};

/* One structure inside a BAR. addr is NULL where the device has none. */
struct vio_pci_region {
	volatile uint8_t *addr;
	uint32_t len; /* bytes, as the capability says; they all lie inside the BAR */
};

struct vio_pci_caps {
	struct vio_pci_region common; /* 4-byte aligned, at least 56 bytes */
	struct vio_pci_region notify; /* 2-byte aligned, at least 2 bytes */
	struct vio_pci_region isr;    /* optional here: only INTx needs it */
	struct vio_pci_region device; /* optional, 4-byte aligned */
	uint32_t notify_multiplier;
	uint16_t msix_entries; /* size of the MSI-X table, 0 without one, at most 2048 */
	uint8_t msix_at;       /* where its capability begins, 0 without one */
};

/*
 * Walks the capability list and takes the first usable instance of each structure. name is how
 * messages call the device. Returns 0, or:
 *   -ENOTSUP  no virtio capability at all: a legacy device (spec 4.1.5.1.1.1)
 *   -EINVAL   the list is broken, or a structure that is needed has no usable instance (logged)
 *   -ENODEV   the function does not answer (it reads as all ones)
 *   or what read_config() returned.
 */
int vio_pci_caps_read(const struct vio_pci_access *access, void *ctx, const char *name,
		      struct vio_pci_caps *caps);

/* Looks for MSI-X alone, which is all that the legacy interface has of it: the rest of caps is 0,
 * and -ENOTSUP is no answer. */
int vio_pci_caps_read_msix(const struct vio_pci_access *access, void *ctx, const char *name,
			   struct vio_pci_caps *caps);

#endif
