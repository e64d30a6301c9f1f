/* SPDX-License-Identifier: BSD-3-Clause */
/* The function's registers (spec 4.1.4.3), in front of the device model's transport. */
#include "pci_function.h"

#define SEAMS_BEHIND
#include "seams_pci.h"

#include "device/net.h"
#include "inject.h"
#include "pci_function_parts.h"
#include "virtio/transport.h"

enum {
	DEVICE_FEATURE_SELECT = 0x00,
	DEVICE_FEATURE = 0x04,
	DRIVER_FEATURE_SELECT = 0x08,
	DRIVER_FEATURE = 0x0c,
	CONFIG_VECTOR = 0x10,
	NUM_QUEUES = 0x12,
	STATUS = 0x14,
	GENERATION = 0x15,
	QUEUE_SELECT = 0x16,
	QUEUE_SIZE = 0x18,
	QUEUE_VECTOR = 0x1a,
	QUEUE_ENABLE = 0x1c,
	QUEUE_NOTIFY_OFF = 0x1e,
	QUEUE_DESC = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
	QUEUE_END = 0x38,
	QUEUE_RESET = 0x3a,
};

struct queue {
	uint16_t size, vector;
	bool enabled;
	uint64_t areas[3];
	struct vio_notifier bell;
};

static struct {
	uint64_t driver_features;
	uint32_t device_select, driver_select;
	uint16_t config_vector, queue;
	struct queue queues[FUNCTION_QUEUES];
} regs;

static struct vio_transport *
model(void)
{
	return device_transport(function.dev);
}

void
registers_reset(void)
{
	memset(&regs, 0, sizeof(regs));
	regs.config_vector = VIO_NO_VECTOR;
	for (unsigned i = 0; i < FUNCTION_QUEUES; i++)
		regs.queues[i].vector = VIO_NO_VECTOR;
}

static struct queue *
selected(void)
{
	if (regs.queue >= FUNCTION_QUEUES)
		abort(); /* num_queues says that there is no such queue */
	return &regs.queues[regs.queue];
}

static uint16_t
size_of_selected(void)
{
	uint16_t most = 0;

	if (selected()->size != 0)
		return selected()->size;
	model()->ops->queue_max_size(model(), regs.queue, &most);
	return most;
}

static uint32_t
read_features(void)
{
	uint64_t features = 0;

	model()->ops->get_features(model(), &features);
	return regs.device_select < 2 ? (uint32_t)(features >> (32 * regs.device_select)) : 0;
}

static uint32_t
read_common(unsigned reg)
{
	uint32_t generation = 0;
	uint8_t status = 0;

	switch (reg) {
	case DEVICE_FEATURE:
		return read_features();
	case CONFIG_VECTOR:
		return regs.config_vector;
	case NUM_QUEUES:
		return FUNCTION_QUEUES;
	case STATUS:
		model()->ops->get_status(model(), &status);
		return status;
	case GENERATION:
		model()->ops->get_generation(model(), &generation);
		return (uint8_t)generation;
	case QUEUE_SIZE:
		return size_of_selected();
	case QUEUE_VECTOR:
		return selected()->vector;
	case QUEUE_ENABLE:
		return selected()->enabled;
	case QUEUE_NOTIFY_OFF:
		return regs.queue;
	case QUEUE_RESET:
		return 0;
	default:
		abort(); /* nothing that this driver has to read */
	}
}

static void
enable_selected(void)
{
	struct queue *q = selected();
	struct vio_queue_conf conf = {
		.size = size_of_selected(),
		.vector = q->vector,
		.desc_iova = q->areas[0],
		.driver_iova = q->areas[1],
		.device_iova = q->areas[2],
	};

	q->enabled = model()->ops->queue_setup(model(), regs.queue, &conf, &q->bell) == 0;
}

static void
write_features(uint32_t value)
{
	if (regs.driver_select == 0) {
		regs.driver_features = value;
		return;
	}
	regs.driver_features |= (uint64_t)value << 32;
	model()->ops->set_features(model(), regs.driver_features);
}

static void
write_address(unsigned at, uint32_t value)
{
	uint64_t *area = &selected()->areas[at / 8];

	if (at % 8 == 0)
		*area = value;
	else
		*area |= (uint64_t)value << 32;
}

static uint16_t
vector_taken(uint32_t vector)
{
	return vector < FUNCTION_VECTORS ? (uint16_t)vector : VIO_NO_VECTOR;
}

static void
write_status(uint8_t status)
{
	if (status == 0)
		registers_reset();
	model()->ops->set_status(model(), status);
}

static void
write_common(unsigned reg, uint32_t value)
{
	if (reg == DEVICE_FEATURE_SELECT)
		regs.device_select = value;
	else if (reg == DRIVER_FEATURE_SELECT)
		regs.driver_select = value;
	else if (reg == DRIVER_FEATURE)
		write_features(value);
	else if (reg == CONFIG_VECTOR)
		regs.config_vector = vector_taken(value);
	else if (reg == STATUS)
		write_status((uint8_t)value);
	else if (reg == QUEUE_SELECT)
		regs.queue = (uint16_t)value;
	else if (reg == QUEUE_SIZE)
		selected()->size = (uint16_t)value;
	else if (reg == QUEUE_VECTOR)
		selected()->vector = vector_taken(value);
	else if (reg == QUEUE_ENABLE)
		enable_selected();
	else if (reg >= QUEUE_DESC && reg < QUEUE_END)
		write_address(reg - QUEUE_DESC, value);
	else
		abort(); /* nothing that may be written, or that is offered */
}

static uint32_t
read_net_config(unsigned at, unsigned width)
{
	uint32_t value = 0;

	model()->ops->read_config(model(), at, &value, width);
	return rte_le_to_cpu_32(value);
}

/* Takes the device away in the course of what the driver does. */
static void
go(void)
{
	function.state = function.to;
	device_unplug(function.dev);
}

static uint32_t
load(void *ctx, const volatile void *addr, unsigned width)
{
	unsigned at = function_offset(ctx, addr);

	if (function.loads_fail && function.state == FUNCTION_THERE && inject_now("register"))
		go();
	if (function.state == FUNCTION_GONE)
		return UINT32_MAX >> (32 - 8 * width);
	if (function.state == FUNCTION_REPLACED)
		return 0;
	if (at >= FUNCTION_CONFIG)
		return read_net_config(at - FUNCTION_CONFIG, width);
	return read_common(at);
}

static void
store(void *ctx, volatile void *addr, uint32_t value, unsigned width)
{
	unsigned at = function_offset(ctx, addr);

	(void)width;
	if (function.state != FUNCTION_THERE)
		return;
	write_common(at, value); /* there is nothing to write in the network configuration */
}

/* The driver's own way to the registers is plain memory, which behaves like none. */
int
seam_modern_open(const struct vio_pci_access *access, void *ctx, const char *name,
		 struct vio_transport **out)
{
	struct vio_pci_access ours = *access;

	ours.load = load;
	ours.store = store;
	return vio_pci_modern_open(&ours, ctx, name, out);
}

void
function_turn(void)
{
	if (function.dev == NULL || function.state != FUNCTION_THERE)
		return;
	for (uint16_t i = 0; i < FUNCTION_QUEUES; i++)
		if (function_doorbell(i) && regs.queues[i].enabled)
			regs.queues[i].bell.kick(&regs.queues[i].bell, 0);
	if (function.bus_master)
		device_poll(function.dev, true);
}
