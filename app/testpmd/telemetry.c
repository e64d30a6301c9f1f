/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_telemetry.h>

#include "fwd.h"
#include "msg.h"
#include "telemetry.h"
#include "verify_result.h"

/* The handlers get no argument of ours. */
static struct session *told;

/* One endpoint: what it adds to its dictionary about a run. */
struct endpoint {
	const char *path;
	const char *help;
	void (*fill)(struct rte_tel_data *data);
};

static void
fill_run(struct rte_tel_data *data)
{
	const struct run *run = &told->run;
	struct stream_counters all = streams_total(&told->streams);
	double seconds = told->forwarding ? run_now() - run->start : run->seconds;

	rte_tel_data_add_dict_string(data, "mode", run->options->mode->name);
	rte_tel_data_add_dict_string(data, "state", told->forwarding ? "forwarding" : "stopped");
	rte_tel_data_add_dict_u64(data, "milliseconds", seconds * 1e3);
	rte_tel_data_add_dict_u64(data, "rx_packets", all.rx_packets);
	rte_tel_data_add_dict_u64(data, "tx_packets", all.tx_packets);
	rte_tel_data_add_dict_u64(data, "tx_dropped", all.tx_dropped);
	rte_tel_data_add_dict_u64(data, "no_mbufs", all.no_mbufs);
	rte_tel_data_add_dict_u64(data, "rx_pps", all.rx_packets / seconds);
	rte_tel_data_add_dict_u64(data, "tx_pps", all.tx_packets / seconds);
}

static void
fill_port(struct rte_tel_data *data, const struct port *port)
{
	struct stream_counters counters = streams_port_counters(&told->streams, port->id);

	rte_tel_data_add_dict_string(data, "name", port->name);
	rte_tel_data_add_dict_string(data, "driver", port->driver);
	rte_tel_data_add_dict_u64(data, "gone", port_is_gone(port));
	rte_tel_data_add_dict_u64(data, "rx_packets", counters.rx_packets);
	rte_tel_data_add_dict_u64(data, "rx_bytes", counters.rx_bytes);
	rte_tel_data_add_dict_u64(data, "tx_packets", counters.tx_packets);
	rte_tel_data_add_dict_u64(data, "tx_bytes", counters.tx_bytes);
	rte_tel_data_add_dict_u64(data, "tx_dropped", counters.tx_dropped);
	rte_tel_data_add_dict_u64(data, "dropped_by_port", port_dropped(port, &told->streams));
}

static void
fill_ports(struct rte_tel_data *data)
{
	for (uint16_t i = 0; i < told->ports.count; i++) {
		struct rte_tel_data *part = rte_tel_data_alloc();
		char name[8];

		if (part == NULL)
			return;
		snprintf(name, sizeof(name), "%u", told->ports.of[i].id);
		rte_tel_data_start_dict(part);
		fill_port(part, &told->ports.of[i]);
		rte_tel_data_add_dict_container(data, name, part, 0);
	}
}

static void
fill_cycles(struct rte_tel_data *data)
{
	struct cycles sum = { 0 };

	for (unsigned int i = 0; i < told->lcores.count; i++) {
		const struct cycles *cycles = &told->lcores.of[i].cycles;

		sum.rx += cycles->rx;
		sum.tx += cycles->tx;
		sum.app += cycles->app;
		sum.idle += cycles->idle;
		sum.packets += cycles->packets;
	}
	rte_tel_data_add_dict_u64(data, "tsc_hz", rte_get_tsc_hz());
	rte_tel_data_add_dict_u64(data, "recorded", told->run.options->record_core_cycles);
	rte_tel_data_add_dict_u64(data, "packets", sum.packets);
	rte_tel_data_add_dict_u64(data, "rx", sum.rx);
	rte_tel_data_add_dict_u64(data, "tx", sum.tx);
	rte_tel_data_add_dict_u64(data, "app", sum.app);
	rte_tel_data_add_dict_u64(data, "idle", sum.idle);
}

static void
fill_verify(struct rte_tel_data *data)
{
	struct verify_result result;

	if (told->run.options->mode != &fwd_verify)
		return;
	if (verify_result_gather(&result, &told->streams, &told->ports)) {
		rte_tel_data_add_dict_u64(data, "flows", result.flows_count);
		rte_tel_data_add_dict_u64(data, "sent", result.all.sent);
		rte_tel_data_add_dict_u64(data, "received", result.all.counts.received);
		/* While frames are under way, these are among them. */
		rte_tel_data_add_dict_u64(data, "lost", result.all.lost);
		rte_tel_data_add_dict_u64(data, "duplicated", result.all.counts.duplicated);
		rte_tel_data_add_dict_u64(data, "reordered", result.all.counts.reordered);
		rte_tel_data_add_dict_u64(data, "corrupted", result.all.counts.corrupted);
		rte_tel_data_add_dict_u64(data, "unattributed", result.unattributed);
		rte_tel_data_add_dict_u64(data, "unexplained", result.unexplained);
	}
	verify_result_free(&result);
}

static void
add_latency(struct rte_tel_data *data, const char *name, enum latency_kind kind)
{
	struct rte_tel_data *part = rte_tel_data_alloc();
	struct latency latency;

	if (part == NULL)
		return;
	latency_gather(&latency, &told->streams, kind);
	rte_tel_data_start_dict(part);
	rte_tel_data_add_dict_u64(part, "frames", latency.count);
	rte_tel_data_add_dict_u64(part, "p50_ns", latency.p50);
	rte_tel_data_add_dict_u64(part, "p90_ns", latency.p90);
	rte_tel_data_add_dict_u64(part, "p99_ns", latency.p99);
	rte_tel_data_add_dict_u64(part, "p99_9_ns", latency.p999);
	rte_tel_data_add_dict_u64(part, "max_ns", latency.max);
	rte_tel_data_add_dict_container(data, name, part, 0);
}

static void
fill_latency(struct rte_tel_data *data)
{
	add_latency(data, "one_way", LATENCY_ONE_WAY);
	add_latency(data, "round_trip", LATENCY_ROUND_TRIP);
}

static const struct endpoint endpoints[] = {
	{ "/vio_testpmd/run", "Mode, state and totals of the run", fill_run },
	{ "/vio_testpmd/ports", "Counters of each port in the run", fill_ports },
	{ "/vio_testpmd/cycles", "TSC cycles by receive, transmit, application, idle",
	  fill_cycles },
	{ "/vio_testpmd/verify", "Frames lost, duplicated, reordered, corrupted", fill_verify },
	{ "/vio_testpmd/latency", "Quantiles of the latency, in nanoseconds", fill_latency },
};

static int
answer(const char *path, const char *parameters, struct rte_tel_data *data)
{
	RTE_SET_USED(parameters);
	rte_tel_data_start_dict(data);
	session_lock();
	for (size_t i = 0; told->prepared && i < RTE_DIM(endpoints); i++)
		if (strcmp(path, endpoints[i].path) == 0)
			endpoints[i].fill(data);
	session_unlock();
	return 0;
}

void
telemetry_register(struct session *session)
{
	told = session;
	for (size_t i = 0; i < RTE_DIM(endpoints); i++) {
		int ret = rte_telemetry_register_cmd(endpoints[i].path, answer, endpoints[i].help);

		if (ret != 0)
			msg_notice("telemetry: %s not added: %s", endpoints[i].path,
				   rte_strerror(-ret));
	}
}
