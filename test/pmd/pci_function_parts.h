/* SPDX-License-Identifier: BSD-3-Clause */
/* What the function's registers and its place on the bus know of each other. */
#ifndef PMD_PCI_FUNCTION_PARTS_H
#define PMD_PCI_FUNCTION_PARTS_H

#include <stdbool.h>
#include <stdint.h>

/* Two pairs and the control queue; MSI-X vectors. */
enum { FUNCTION_PAIRS = 2, FUNCTION_QUEUES = 2 * FUNCTION_PAIRS + 1, FUNCTION_VECTORS = 8 };

/* Where the structures lie in the BAR, and how long each is: the common one is the first. */
enum { FUNCTION_CONFIG = 0x1000, FUNCTION_NOTIFY = 0x2000, FUNCTION_BAR = 0x3000 };
enum { FUNCTION_STRUCTURE = 0x1000, FUNCTION_DOORBELL = 4 };

/* Where in the mapped BAR this is; the test ends where it is not. */
unsigned function_offset(const void *pci, const volatile void *addr);
/* Whether this doorbell was rung, with the right number; it is silent again. */
bool function_doorbell(uint16_t queue);
/* As after a reset. */
void registers_reset(void);

#endif
