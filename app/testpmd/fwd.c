/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "fwd.h"

const struct fwd_mode *const fwd_modes[] = {
	&fwd_io,      &fwd_mac,  &fwd_macswap,  &fwd_5tswap, &fwd_rxonly, &fwd_txonly,
	&fwd_flowgen, &fwd_csum, &fwd_icmpecho, &fwd_verify, NULL,
};

const struct fwd_mode *
fwd_mode_find(const char *name)
{
	for (size_t i = 0; fwd_modes[i] != NULL; i++)
		if (strcmp(name, fwd_modes[i]->name) == 0)
			return fwd_modes[i];
	return NULL;
}
