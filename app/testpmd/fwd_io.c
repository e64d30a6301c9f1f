/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "stream.h"

/* No packet is looked at: the bytes are the driver's to count. */
static uint16_t
run(struct stream *stream)
{
	struct burst burst;

	if (stream_receive_up_to(stream, &burst, stream->limit, false) > 0)
		stream_send(stream, &burst);
	return burst.count;
}

const struct fwd_mode fwd_io = {
	.name = "io",
	.help = "send each packet on as it came",
	.receives = true,
	.sends = true,
	.bytes_from_driver = true,
	.run = run,
};
