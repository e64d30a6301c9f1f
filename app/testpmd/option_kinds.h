/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_OPTION_KINDS_H
#define TESTPMD_OPTION_KINDS_H

#include "options.h"

struct option_kind;

/* One row of the option table: what getopt, the help, the error messages and the JSON all read. */
struct option_row {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	const struct option_kind *kind;
	size_t field; /* offset in struct options */
	uint64_t min, max;
	char letter; /* 0: long form only */
};

/* A kind of value: how it is read, written and explained. `field` points into struct options. */
struct option_kind {
	/* False when text is no such value; *field is then unchanged. */
	bool (*parse)(const struct option_row *row, const char *text, void *field);
	json_t *(*value)(const void *field);
	/* What a valid text looks like, for "expected ...". */
	void (*expected)(const struct option_row *row, char *text, size_t size);
};

extern const struct option_kind kind_flag;
extern const struct option_kind kind_number;      /* uint32_t */
extern const struct option_kind kind_count;       /* uint64_t */
extern const struct option_kind kind_seconds;     /* double */
extern const struct option_kind kind_mask;        /* uint64_t, base 16 */
extern const struct option_kind kind_mode;        /* const struct fwd_mode * */
extern const struct option_kind kind_topology;    /* enum port_topology */
extern const struct option_kind kind_segments;    /* struct tx_segments */
extern const struct option_kind kind_peer;        /* struct peer_addresses */
extern const struct option_kind kind_role;        /* enum verify_role */
extern const struct option_kind kind_rate;        /* struct rate */
extern const struct option_kind kind_pps;         /* double, packets per second */
extern const struct option_kind kind_sizes;       /* struct frame_sizes */
extern const struct option_kind kind_percent;     /* double */
extern const struct option_kind kind_input_path;  /* const char * */
extern const struct option_kind kind_output_path; /* const char * */

#endif
