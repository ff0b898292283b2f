/*
 * daemon.c - the life of the daemon
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "accept.h"
#include "cimd_int.h"
#include "daemon.h"
#include "fail.h"
#include "harden.h"
#include "http.h"
#include "listen.h"
#include "mux.h"
#include "reload.h"
#include "service.h"

enum {
	DRAIN_MS = CIMD_LOOKUP_MS + 1000, /* a lookup, and its answer */
};

struct daemon {
	const struct options *options;
	struct say say;
	struct config config;
	struct listeners listeners;
	struct cimd *resolver;
	struct conns *conns;
	struct http *http;
	struct mux *mux; /* NULL: no such socket */
	struct acceptor *acceptor;
	struct reload *reload;
	int signals; /* a signalfd; -1: none */
};

/* Log the faults of configuration files one by one, else err. */
static void
say_faults(const struct daemon *d, const char *event, char *faults,
    const struct cimd_error *err)
{
	char *line, *end;

	if (faults == NULL) {
		say(&d->say, CIMD_LOG_ERROR, event, "%s", err->text);
		return;
	}
	for (line = faults; *line != '\0'; line = end) {
		end = line + strcspn(line, "\n");
		if (*end == '\n')
			*end++ = '\0';
		say(&d->say, CIMD_LOG_ERROR, event, "%s", line);
	}
}

/* The development exception is no setting for a system service. */
static enum cimd_err
check_exception(const struct daemon *d, const struct config *c,
    struct cimd_error *err)
{
	const char *reason;

	if (!c->development_loopback)
		return CIMD_OK;
	reason = service_reason(d->options, &c->daemon, d->listeners.inherited);
	if (reason != NULL)
		return fail(err, CIMD_E_CONFIG,
		    "development_loopback is not for a system service: %s",
		    reason);
	say(&d->say, CIMD_LOG_ERROR, "warning",
	    "development_loopback is on: documents on this machine's "
	    "loopback interface are fetched; never use this in production");
	return CIMD_OK;
}

static struct conns_limits
limits_of(const struct daemon *d, const struct daemon_settings *s)
{
	struct conns_limits l = { s->max_connections, s->max_connections_uid,
		s->request_timeout_ms };

	l.all = harden_descriptors(s->max_connections);
	if (l.all < s->max_connections)
		say(&d->say, CIMD_LOG_ERROR, "warning",
		    "the limit of descriptors only allows %u connections",
		    l.all);
	return l;
}

/* SIGHUP, SIGTERM and SIGINT come through a descriptor from now on. */
static enum cimd_err
open_signals(struct daemon *d, struct cimd_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
		return fail_errno(err, "cannot take signals");
	return CIMD_OK;
}

/* Read and judge the configuration; nothing is opened yet. */
static enum cimd_err
configure(struct daemon *d, struct cimd_error *err)
{
	char *faults = NULL;
	enum cimd_err e;

	e = config_load(&d->options->from, &d->config, &faults, err);
	if (e == CIMD_OK)
		e = cimd_new(d->config.json, d->config.len, &d->resolver, err);
	if (e == CIMD_OK)
		e = check_exception(d, &d->config, err);
	if (e != CIMD_OK)
		say_faults(d, "config", faults, err);
	free(faults);
	return e;
}

/* Sockets as root, everything else as the user. */
static enum cimd_err
open_all(struct daemon *d, struct cimd_error *err)
{
	const struct daemon_settings *s = &d->config.daemon;
	const struct conns_limits limits = limits_of(d, s);
	bool kept_root;
	enum cimd_err e;

	if ((e = listen_open(&d->listeners, s, err)) != CIMD_OK ||
	    (e = harden_become(s->user, &kept_root, err)) != CIMD_OK)
		return e;
	if (kept_root)
		say(&d->say, CIMD_LOG_ERROR, "warning",
		    "user is root: this process keeps root's privileges");
	cimd_set_log(d->resolver, say_line, &d->say);
	if ((e = cimd_open(d->resolver, err)) != CIMD_OK)
		return e;
	if ((d->conns = conns_new(&limits)) == NULL)
		return fail_memory(err);
	return reload_new(&d->reload, err);
}

/* Only where there is a socket for it. */
static enum cimd_err
start_mux(struct daemon *d, struct cimd_error *err)
{
	const struct mux_parts parts = { d->resolver, d->conns, &d->say };

	if (d->listeners.fd[DOOR_MUX] != -1)
		return mux_start(&parts, &d->mux, err);
	if (d->config.daemon.mux_socket[0] != '\0')
		say(&d->say, CIMD_LOG_ERROR, "warning",
		    "mux_socket is set, but systemd passed no socket named "
		    "\"mux\": enable cimdd-mux.socket");
	return CIMD_OK;
}

static enum cimd_err
serve(struct daemon *d, struct cimd_error *err)
{
	struct http_parts http = { d->resolver, d->conns, &d->say, NULL,
		reload_ask, d->reload };
	struct accept_from from = { .http = NULL };
	enum cimd_err e;

	if ((e = start_mux(d, err)) != CIMD_OK)
		return e;
	http.mux = d->mux;
	if ((e = http_start(&http, &d->http, err)) != CIMD_OK)
		return e;
	from.http = d->http;
	from.mux = d->mux;
	memcpy(from.fd, d->listeners.fd, sizeof(from.fd));
	return accept_start(&from, d->conns, &d->say, &d->acceptor, err);
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Some settings are for the start. */
static void
say_unchanged(const struct daemon *d, const struct daemon_settings *new)
{
	const struct daemon_settings *old = &d->config.daemon;

	if (!same(old->lookup_socket, new->lookup_socket) ||
	    !same(old->admin_socket, new->admin_socket) ||
	    !same(old->user, new->user) ||
	    !same(old->socket_group, new->socket_group) ||
	    !same(old->mux_socket, new->mux_socket) ||
	    !same(old->mux_group, new->mux_group))
		say(&d->say, CIMD_LOG_NOTICE, "reload",
		    "sockets and user change with the next start");
}

static enum cimd_err
take_reload(struct daemon *d, char **faults, struct cimd_error *err)
{
	struct config c;
	struct conns_limits limits;
	enum cimd_err e;

	e = config_load(&d->options->from, &c, faults, err);
	if (e == CIMD_OK)
		e = check_exception(d, &c, err);
	if (e == CIMD_OK)
		e = cimd_reload(d->resolver, c.json, c.len, err);
	if (e == CIMD_OK) {
		limits = limits_of(d, &c.daemon);
		conns_limit(d->conns, &limits);
		say_unchanged(d, &c.daemon);
	}
	config_clear(&c);
	return e;
}

/* All of the new configuration, or the old one stays. */
static void
reload(struct daemon *d)
{
	struct request *waiting = reload_take(d->reload), *r;
	struct cimd_error err = { 0 };
	char *faults = NULL;
	enum cimd_err e;

	service_reloading();
	for (r = waiting; r != NULL; r = r->waiting)
		say(&d->say, CIMD_LOG_NOTICE, "reload", "user %u asks for it",
		    (unsigned int)r->conn->peer.uid);
	e = take_reload(d, &faults, &err);
	if (e == CIMD_OK) {
		say(&d->say, CIMD_LOG_NOTICE, "reload",
		    "the configuration was read again");
	} else {
		say_faults(d, "reload", faults, &err);
		say(&d->say, CIMD_LOG_ERROR, "reload",
		    "the old configuration stays");
	}
	service_ready(e == CIMD_OK ?
		"Serving" :
		"Serving; the last reload failed, the old configuration stays");
	reload_answer(waiting, e, &err);
	free(faults);
}

/* Take all signals that wait; true: one of them ends us. */
static bool
read_signals(struct daemon *d, bool *hangup)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(d->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGHUP)
			*hangup = true;
		else
			stop = true;
	return stop;
}

static void
loop(struct daemon *d)
{
	struct pollfd p[2] = { { d->signals, POLLIN, 0 },
		{ reload_fd(d->reload), POLLIN, 0 } };
	int64_t beat = service_watchdog_ms();
	bool hangup;

	for (;;) {
		if (beat > 0 && !conns_stuck(d->conns))
			service_alive();
		if (poll(p, 2, beat > 0 ? (int)beat : -1) == -1 &&
		    errno != EINTR)
			return;
		hangup = (p[1].revents & POLLIN) != 0;
		if (read_signals(d, &hangup))
			return;
		if (hangup)
			reload(d);
	}
}

/*
 * Let calls end, over both kinds of sockets within the same time.  Returns
 * how many did not.
 */
static unsigned int
stop_serving(struct daemon *d)
{
	const int64_t until = tick_ms() + DRAIN_MS;
	unsigned int calls = 0;
	struct cimd_error err;
	int64_t left;

	if (d->mux != NULL)
		mux_drain(d->mux, DRAIN_MS);
	left = until - tick_ms();
	if (d->http != NULL) {
		fail(&err, CIMD_E_STATE, "the daemon is stopping");
		reload_answer(reload_take(d->reload), CIMD_E_STATE, &err);
		http_drain(d->http, left > 0 ? left : 0);
		calls = http_stop(&d->http);
	}
	return calls + mux_stop(&d->mux);
}

/* What is under way gets its answer; then nothing of ours is left. */
static bool
stop(struct daemon *d)
{
	unsigned int calls;

	accept_stop(&d->acceptor);
	listen_close(&d->listeners);
	calls = stop_serving(d);
	if (calls > 0) {
		say(&d->say, CIMD_LOG_ERROR, "stop",
		    "%u calls did not end; leaving without clean-up", calls);
		return false;
	}
	reload_free(&d->reload);
	conns_free(&d->conns);
	cimd_free(&d->resolver);
	config_clear(&d->config);
	if (d->signals != -1)
		close(d->signals);
	return true;
}

/* Up to the loop and through it. */
static int
run(struct daemon *d)
{
	struct cimd_error err;
	enum cimd_err e;

	if ((e = configure(d, &err)) != CIMD_OK)
		return e == CIMD_E_CONFIG ? EXIT_CONFIG : EXIT_RUNTIME;
	if (open_all(d, &err) != CIMD_OK || serve(d, &err) != CIMD_OK) {
		say(&d->say, CIMD_LOG_ERROR, "start", "%s", err.text);
		return EXIT_RUNTIME;
	}
	say(&d->say, CIMD_LOG_NOTICE, "start", "cimdd %s serves",
	    cimd_version());
	service_ready("Serving");
	loop(d);
	service_stopping();
	return EXIT_CLEAN;
}

int
daemon_run(const struct options *options)
{
	struct daemon d = { .options = options, .signals = -1 };
	struct cimd_error err;
	enum cimd_err e;
	int status;

	say_init(&d.say, options->verbose);
	e = listen_inherit(&d.listeners, &err);
	if (e == CIMD_OK) {
		listen_close_others(&d.listeners);
		e = harden_process(&err);
	}
	if (e == CIMD_OK)
		e = open_signals(&d, &err);
	if (e == CIMD_OK) {
		status = run(&d);
	} else {
		say(&d.say, CIMD_LOG_ERROR, "start", "%s", err.text);
		status = EXIT_RUNTIME;
	}
	if (!stop(&d))
		_exit(EXIT_RUNTIME);
	say(&d.say, CIMD_LOG_NOTICE, "stop", "ended with status %d", status);
	return status;
}
