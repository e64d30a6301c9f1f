/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "stream.h"

/* No packet is looked at: the bytes are the driver's to count. */
static inline __attribute__((always_inline)) uint16_t
forward(struct stream *stream, const unsigned int parts)
{
	struct burst burst;

	if (stream_receive_up_to(stream, &burst, stream->limit, parts) > 0)
		stream_send_parts(stream, &burst, parts);
	return burst.count;
}

static uint16_t
run(struct stream *stream)
{
	return likely(stream->extras == 0) ? forward(stream, 0) : forward(stream, STREAM_EXTRAS);
}

const struct fwd_mode fwd_io = {
	.name = "io",
	.help = "send each packet on as it came",
	.receives = true,
	.sends = true,
	.bytes_from_driver = true,
	.run = run,
};
