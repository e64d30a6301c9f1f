/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>

#include "fwd.h"
#include "msg.h"
#include "session.h"
#include "verify.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
session_lock(void)
{
	pthread_mutex_lock(&lock);
}

void
session_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void
session_forget(struct session *session)
{
	session_lock();
	session->prepared = false;
	streams_free(&session->streams);
	session_unlock();
}

static bool
all_started(const struct session *session)
{
	for (uint16_t i = 0; i < session->ports.count; i++) {
		const struct port *port = &session->ports.of[i];

		if (port->started || port_is_gone(port))
			continue;
		msg_error("port %u (%s) is stopped, forwarding needs all of them", port->id,
			  port->name);
		msg_hint("port start %u", port->id);
		return false;
	}
	if (session->ports.count > 0)
		return true;
	msg_error("no port to forward between");
	msg_hint("port attach NAME, such as net_null0");
	return false;
}

static bool
prepare(struct session *session)
{
	bool good;

	session_lock();
	good = streams_make(&session->streams, &session->ports, &session->options) &&
	       lcores_assign(&session->lcores, &session->streams, &session->options);
	if (!good)
		streams_free(&session->streams);
	session->prepared = good;
	session_unlock();
	return good;
}

static const char *
plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

bool
session_start(struct session *session, uint32_t first_bursts)
{
	const struct options *options = &session->options;

	if (!all_started(session) || !options_check(options))
		return false;
	session_forget(session);
	session->run = (struct run){
		.watch = { .ports = &session->ports,
			   .streams = &session->streams,
			   .lcores = &session->lcores },
		.lcores = &session->lcores,
		.options = options,
	};
	port_events_check(&session->run.watch);
	if (!prepare(session))
		return false;
	port_events_watch(&session->run.watch);
	if (!options->no_flush_rx && options->mode->receives)
		ports_flush_rx(&session->ports);
	if (!options->interactive && !session->ports.secondary)
		ports_clear_stats(&session->ports);
	ports_begin_stats(&session->ports);
	for (uint32_t i = 0; i < session->streams.count; i++)
		session->streams.of[i].verbose = session->verbose;
	streams_send_first(&session->streams, first_bursts);
	msg_notice("forwarding: mode %s, %u port%s, %u stream%s on %u lcore%s", options->mode->name,
		   session->ports.count, plural(session->ports.count), session->streams.count,
		   plural(session->streams.count), session->lcores.count,
		   plural(session->lcores.count));
	run_begin(&session->run);
	session->forwarding = true;
	return true;
}

void
session_stop(struct session *session)
{
	struct run *run = &session->run;
	const struct fwd_mode *mode = run->options->mode;

	if (mode == &fwd_verify)
		run_drain(run, verify_all_back, verify_came);
	run_finish(run);
	/* When all came back there is nobody else to tell. */
	if (mode == &fwd_verify && run->lcores_stopped && !verify_all_back())
		verify_send_ends(&session->streams);
	session->stuck = !run->lcores_stopped;
	session->forwarding = false;
	port_events_unwatch(&run->watch);
}

bool
session_run(struct session *session, double seconds)
{
	if (!session_start(session, session->options.tx_first ? 1 : 0))
		return false;
	run_wait(&session->run, seconds);
	session_stop(session);
	return true;
}
