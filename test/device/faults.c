/* SPDX-License-Identifier: BSD-3-Clause */
/* What the driver did wrong. */
#include <stdarg.h>
#include <string.h>

#include "internal.h"

void
fault(struct device *dev, int queue, const char *rule, const char *format, ...)
{
	struct fault_record *f;
	va_list args;

	/* To a device that was unplugged, nobody has a duty. */
	if (dev->fault_count == MAX_FAULTS || dev->unplugged)
		return;
	f = &dev->faults[dev->fault_count++];
	f->rule = rule;
	f->queue = queue;
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
}

unsigned
device_faults(const struct device *dev)
{
	return dev->fault_count;
}

const char *
device_fault_rule(const struct device *dev, unsigned i)
{
	return i < dev->fault_count ? dev->faults[i].rule : "";
}

bool
device_has_fault(const struct device *dev, const char *rule)
{
	for (unsigned i = 0; i < dev->fault_count; i++)
		if (strcmp(dev->faults[i].rule, rule) == 0)
			return true;
	return false;
}

void
device_faults_clear(struct device *dev)
{
	dev->fault_count = 0;
}

void
device_faults_print(const struct device *dev, FILE *out)
{
	for (unsigned i = 0; i < dev->fault_count; i++) {
		const struct fault_record *f = &dev->faults[i];

		fprintf(out, "driver fault: %s (queue %d): %s\n", f->rule, f->queue, f->text);
	}
}
