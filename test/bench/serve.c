/* SPDX-License-Identifier: BSD-3-Clause */
#include "serve.h"

serve_fn
serve_choose(struct serve_kind kind)
{
	if (kind.shuffle)
		return (kind.packed ? serve_shuffled_packed
				    : serve_shuffled_split)[kind.receive][kind.touch];
	return (kind.packed ? serve_packed : serve_split)[kind.receive][kind.touch];
}
