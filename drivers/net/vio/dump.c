/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_eth_dev_priv_dump(): a port and its queues in lines of text. */
#include <inttypes.h>

#include "look.h"
#include "port.h"

static void
dump_queue(const struct rte_eth_dev *dev, FILE *file, bool rx, uint16_t id)
{
	struct vio_queue_look look;

	if (!vio_look_at_queue(dev, rx, id, &look))
		return;
	fprintf(file,
		"%s queue %u: %s, %u descriptors (%s), %u free, %u buffers in flight, %u used, "
		"%s\n",
		rx ? "rx" : "tx", id, look.state, look.size, look.layout, look.free, look.in_flight,
		look.used, look.error);
}

/* What was dropped, broken or recovered, where it ever was. */
static void
dump_faults(const struct rte_eth_dev *dev, FILE *file)
{
	const struct vio_port *port = vio_port(dev);
	uint64_t value, ms_ago;
	const char *text = vio_look_fault(port, &ms_ago);

	if (text != NULL)
		fprintf(file, "last fault: %s, %" PRIu64 ".%03u s ago\n", text, ms_ago / 1000,
			(unsigned)(ms_ago % 1000));
	for (size_t i = 0; (text = vio_port_counter(dev, i, &value)) != NULL; i++)
		if (value != 0)
			fprintf(file, "%s: %" PRIu64 "\n", text, value);
}

static void
dump_port(const struct rte_eth_dev *dev, FILE *file)
{
	const struct vio_port *port = vio_port(dev);
	char text[1024];

	fprintf(file, "device: %s over %s\n", port->name, port->transport_name);
	fprintf(file, "state: %s\n", vio_look_state(port));
	fprintf(file, "offered: %s\n", vio_features_text(port->offered, text, sizeof(text)));
	fprintf(file, "features: %s\n", vio_features_text(port->features, text, sizeof(text)));
	fprintf(file, "status: 0x%02x%s\n", port->device.status, port->gone ? ", gone" : "");
	if (port->rx_path != NULL) {
		fprintf(file, "receive: %s\n", port->rx_text);
		fprintf(file, "transmit: %s\n", port->tx_text);
	}
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++)
		dump_queue(dev, file, true, i);
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++)
		dump_queue(dev, file, false, i);
	dump_faults(dev, file);
}

static void
dump_busy(const struct vio_port *port, FILE *file)
{
	fprintf(file, "device: %s over %s\n", port->name, port->transport_name);
	fprintf(file, "state: %s\n", vio_look_state(port));
	fprintf(file, "%s\n", VIO_LOOK_BUSY);
}

int
vio_priv_dump(struct rte_eth_dev *dev, FILE *file)
{
	struct vio_port *port = vio_port(dev);

	if (!vio_look_begin(port)) {
		dump_busy(port, file);
		return 0;
	}
	dump_port(dev, file);
	vio_look_end(port);
	return 0;
}
