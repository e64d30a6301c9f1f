/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "stream.h"

static uint16_t
run(struct stream *stream)
{
	struct burst burst;

	if (stream_receive(stream, &burst) > 0)
		stream_send(stream, &burst);
	return burst.count;
}

const struct fwd_mode fwd_io = {
	.name = "io",
	.help = "send each packet on as it came",
	.receives = true,
	.sends = true,
	.run = run,
};
