/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telemetry (dpdk-telemetry.py): what the ports of this process do, while they do it.
 *
 *   /vio/list           the ports
 *   /vio/port,N         one of them: features, paths, health, the last fault
 *   /vio/queue,N,rx,Q   one of its queues: the ring, and a counter for each cause
 *   /vio/lro,N          whether a port gets segments left together
 *   /vio/lro,N,off      ... no longer, while it runs; and on again
 *
 * What cannot be answered is answered by {"error": "..."}, also because the port is busy; but of
 * the port itself its state is told, and {"busy": "..."}. A thread of DPDK's calls, at any time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include "log.h"
#include "look.h"
#include "lro.h"
#include "port.h"
#include "ports.h"

/* The longest string that a dictionary takes, with its end. */
#define TEXT_MAX RTE_TEL_MAX_STRING_LEN

static int refuse(struct rte_tel_data *data, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int
refuse(struct rte_tel_data *data, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	rte_tel_data_start_dict(data);
	return rte_tel_data_add_dict_string(data, "error", text);
}

static void
add_text(struct rte_tel_data *data, const char *name, const char *text)
{
	char cut[TEXT_MAX];

	snprintf(cut, sizeof(cut), "%s", text);
	rte_tel_data_add_dict_string(data, name, cut);
}

/* A text that may be longer, as a list of its parts. */
static void
add_parts(struct rte_tel_data *data, const char *name, const char *text, const char *between)
{
	struct rte_tel_data *list = rte_tel_data_alloc();
	char part[TEXT_MAX];

	if (list == NULL)
		return;
	rte_tel_data_start_array(list, RTE_TEL_STRING_VAL);
	while (*text != '\0') {
		const char *end = strstr(text, between);
		size_t len = end == NULL ? strlen(text) : (size_t)(end - text);

		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		rte_tel_data_add_array_string(list, part);
		text += len + (end == NULL ? 0 : strlen(between));
	}
	rte_tel_data_add_dict_container(data, name, list, 0);
}

static void
add_features(struct rte_tel_data *data, const char *name, uint64_t features)
{
	char text[1024];

	add_parts(data, name, vio_features_text(features, text, sizeof(text)), " ");
}

static int
list_ports(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	RTE_SET_USED(params);
	rte_tel_data_start_array(data, RTE_TEL_INT_VAL);
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (vio_ports_hold(i) == NULL)
			continue;
		vio_ports_let_go();
		rte_tel_data_add_array_int(data, i);
	}
	return 0;
}

/* A number that ends at the text's end or before this character, which is skipped. */
static bool
take_number(const char **text, char before, uint16_t *number)
{
	unsigned long value;
	char *end;

	if (*text == NULL || **text < '0' || **text > '9')
		return false;
	value = strtoul(*text, &end, 10);
	if (value > UINT16_MAX || *end != before)
		return false;
	*number = (uint16_t)value;
	*text = end + (before != '\0');
	return true;
}

static void
tell_fault(struct rte_tel_data *data, const struct vio_port *port)
{
	uint64_t ms_ago;
	const char *words = vio_look_fault(port, &ms_ago);

	add_text(data, "last_fault", words == NULL ? "none" : words);
	if (words != NULL)
		rte_tel_data_add_dict_u64(data, "last_fault_ms_ago", ms_ago);
}

/* What can be told of a port at any time. */
static void
tell_head(struct rte_tel_data *data, const struct rte_eth_dev *dev)
{
	const struct vio_port *port = vio_port(dev);

	rte_tel_data_start_dict(data);
	add_text(data, "name", dev->data->name);
	add_text(data, "device", port->name);
	add_text(data, "transport", port->transport_name);
	add_text(data, "state", vio_look_state(port));
}

static void
tell_port(struct rte_tel_data *data, const struct rte_eth_dev *dev)
{
	const struct vio_port *port = vio_port(dev);
	const char *name;
	uint64_t value;
	char status[8];

	add_text(data, "link", dev->data->dev_link.link_status ? "up" : "down");
	snprintf(status, sizeof(status), "0x%02x", port->device.status);
	add_text(data, "device_status", status);
	rte_tel_data_add_dict_u64(data, "rx_queues", dev->data->nb_rx_queues);
	rte_tel_data_add_dict_u64(data, "tx_queues", dev->data->nb_tx_queues);
	add_parts(data, "receive", port->rx_text, "; ");
	add_parts(data, "transmit", port->tx_text, "; ");
	add_features(data, "features", port->features);
	add_features(data, "offered", port->offered);
	tell_fault(data, port);
	for (size_t i = 0; (name = vio_port_counter(dev, i, &value)) != NULL; i++)
		rte_tel_data_add_dict_u64(data, name, value);
}

static int
show_port(const char *cmd, const char *params, struct rte_tel_data *data)
{
	struct rte_eth_dev *dev;
	uint16_t id;

	RTE_SET_USED(cmd);
	if (!take_number(&params, '\0', &id))
		return refuse(data, "expected a port: /vio/port,0");
	dev = vio_ports_hold(id);
	if (dev == NULL)
		return refuse(data, "port %u is none of vio's; /vio/list has them", id);
	tell_head(data, dev);
	if (vio_look_begin(vio_port(dev))) {
		tell_port(data, dev);
		vio_look_end(vio_port(dev));
	} else {
		add_text(data, "busy", VIO_LOOK_BUSY);
	}
	vio_ports_let_go();
	return 0;
}

static int
tell_queue(struct rte_tel_data *data, const struct rte_eth_dev *dev, bool rx, uint16_t id)
{
	struct vio_queue_look look;
	const char *name;
	uint64_t value;

	if (!vio_look_at_queue(dev, rx, id, &look))
		return refuse(data, "the port has no %s queue %u that is set up", rx ? "rx" : "tx",
			      id);
	rte_tel_data_start_dict(data);
	add_text(data, "state", look.state);
	add_text(data, "ring", look.layout);
	add_text(data, "error", look.error);
	rte_tel_data_add_dict_u64(data, "descriptors", look.size);
	rte_tel_data_add_dict_u64(data, "free", look.free);
	rte_tel_data_add_dict_u64(data, "in_flight", look.in_flight);
	rte_tel_data_add_dict_u64(data, "used", look.used);
	for (size_t i = 0; (name = rx ? vio_rx_counter(dev, id, i, &value)
				      : vio_tx_counter(dev, id, i, &value)) != NULL;
	     i++)
		rte_tel_data_add_dict_u64(data, name, value);
	return 0;
}

static bool
take_kind(const char **text, bool *rx)
{
	if (strncmp(*text, "rx,", 3) != 0 && strncmp(*text, "tx,", 3) != 0)
		return false;
	*rx = **text == 'r';
	*text += 3;
	return true;
}

static int
show_queue(const char *cmd, const char *params, struct rte_tel_data *data)
{
	struct rte_eth_dev *dev;
	uint16_t port, id;
	bool rx;
	int ret;

	RTE_SET_USED(cmd);
	if (!take_number(&params, ',', &port) || !take_kind(&params, &rx) ||
	    !take_number(&params, '\0', &id))
		return refuse(data, "expected port, way and queue: /vio/queue,0,rx,0");
	dev = vio_ports_hold(port);
	if (dev == NULL)
		return refuse(data, "port %u is none of vio's; /vio/list has them", port);
	if (vio_look_begin(vio_port(dev))) {
		ret = tell_queue(data, dev, rx, id);
		vio_look_end(vio_port(dev));
	} else {
		ret = refuse(data, "%s", VIO_LOOK_BUSY);
	}
	vio_ports_let_go();
	return ret;
}

/* A port, or a port and what is to be with it. */
static bool
take_switch(const char *text, uint16_t *id, bool *given, bool *on)
{
	*given = take_number(&text, ',', id);
	if (!*given)
		return take_number(&text, '\0', id);
	*on = strcmp(text, "on") == 0;
	return *on || strcmp(text, "off") == 0;
}

static int
tell_lro(struct rte_tel_data *data, struct vio_port *port)
{
	if (!vio_look_begin(port))
		return refuse(data, "%s", VIO_LOOK_BUSY);
	rte_tel_data_start_dict(data);
	add_text(data, "lro", vio_lro_state(port));
	vio_look_end(port);
	return 0;
}

static int
switch_lro(struct rte_tel_data *data, struct vio_port *port, bool on)
{
	int ret;

	if (vio_in_secondary)
		return refuse(data, "only the primary process can switch LRO");
	if (!vio_look_begin(port))
		return refuse(data, "%s", VIO_LOOK_BUSY);
	ret = vio_lro_switch(port, on);
	vio_look_end(port);
	if (ret == -ENOTSUP)
		return refuse(data, "the device has no CTRL_GUEST_OFFLOADS: only the application "
				    "can switch LRO, while the port is stopped");
	if (ret < 0)
		return refuse(data, "LRO could not be switched: %s", strerror(-ret));
	return tell_lro(data, port);
}

static int
show_lro(const char *cmd, const char *params, struct rte_tel_data *data)
{
	struct rte_eth_dev *dev;
	bool given, on = false;
	uint16_t id;
	int ret;

	RTE_SET_USED(cmd);
	if (!take_switch(params, &id, &given, &on))
		return refuse(data, "expected a port, and what is to be: /vio/lro,0,off");
	dev = vio_ports_hold(id);
	if (dev == NULL)
		return refuse(data, "port %u is none of vio's; /vio/list has them", id);
	ret = given ? switch_lro(data, vio_port(dev), on) : tell_lro(data, vio_port(dev));
	vio_ports_let_go();
	return ret;
}

RTE_INIT(vio_telemetry_init)
{
	if (rte_telemetry_register_cmd("/vio/list", list_ports, "Ports that vio drives.") < 0 ||
	    rte_telemetry_register_cmd("/vio/port", show_port,
				       "Features, paths, health and last fault of a port. "
				       "Parameters: port") < 0 ||
	    rte_telemetry_register_cmd("/vio/queue", show_queue,
				       "Ring and counters of a queue. Parameters: port, rx or tx, "
				       "queue") < 0 ||
	    rte_telemetry_register_cmd("/vio/lro", show_lro,
				       "Whether segments come left together, or to switch that. "
				       "Parameters: port, nothing or on or off") < 0)
		VIO_LOG(NOTICE, "no telemetry: its commands cannot be registered");
}
