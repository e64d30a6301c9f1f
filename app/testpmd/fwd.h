/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_FWD_H
#define TESTPMD_FWD_H

#include <stdbool.h>
#include <stdint.h>

struct stream;

/* A forward mode: what is done with one stream, once per turn of the polling loop. */
struct fwd_mode {
	const char *name;
	const char *help;
	bool receives;          /* needs a receive queue per stream */
	bool sends;             /* needs a transmit queue per stream */
	bool makes_frames;      /* --packets counts what it sends, --rate paces it */
	bool answers;           /* sends out of the port that it received from */
	bool bytes_from_driver; /* looks at no packet, so that it cannot count bytes */
	/*
	 * Handles at most stream->limit packets. Returns how many it received or, where the mode
	 * makes frames, how many the driver accepted: what --packets counts.
	 */
	uint16_t (*run)(struct stream *stream);
};

extern const struct fwd_mode fwd_io;
extern const struct fwd_mode fwd_mac;
extern const struct fwd_mode fwd_macswap;
extern const struct fwd_mode fwd_5tswap;
extern const struct fwd_mode fwd_rxonly;
extern const struct fwd_mode fwd_txonly;
extern const struct fwd_mode fwd_flowgen;
extern const struct fwd_mode fwd_csum;
extern const struct fwd_mode fwd_icmpecho;
extern const struct fwd_mode fwd_verify;

/* All modes, the default one first, NULL at the end. */
extern const struct fwd_mode *const fwd_modes[];

/* The mode of that name, or NULL. */
const struct fwd_mode *fwd_mode_find(const char *name);

#endif
