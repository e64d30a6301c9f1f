/* SPDX-License-Identifier: BSD-3-Clause */
#include "hush.h"

#include <ctype.h>

static bool
says_all(const struct vio_hush *hush)
{
	return hush->rounds <= VIO_HUSH_FREE_ROUNDS || (hush->rounds & (hush->rounds - 1)) == 0;
}

bool
vio_hush_round(struct vio_hush *hush)
{
	if (hush->rounds < UINT32_MAX)
		hush->rounds++;
	/* What those before have said is old news. */
	if (says_all(hush))
		hush->n_said = 0;
	return says_all(hush);
}

/* The same for lines that differ in numbers only: times, counts (FNV-1a). */
static uint32_t
digest(const char *line)
{
	uint32_t sum = 2166136261u;

	for (; *line != '\0'; line++)
		if (!isdigit((unsigned char)*line))
			sum = (sum ^ (unsigned char)*line) * 16777619u;
	return sum;
}

static bool
was_said(const struct vio_hush *hush, uint32_t sum)
{
	for (unsigned i = 0; i < hush->n_said; i++)
		if (hush->said[i] == sum)
			return true;
	return false;
}

bool
vio_hush_lets(struct vio_hush *hush, const char *line)
{
	uint32_t sum = digest(line);
	bool is_new = !was_said(hush, sum) && hush->n_said < VIO_HUSH_LINES;

	if (is_new)
		hush->said[hush->n_said++] = sum;
	return is_new || says_all(hush);
}
