/*
 * config.c - the configuration, read by a child process
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <json-c/json.h>

#include "cimd_int.h"
#include "config.h"
#include "fail.h"
#include "options.h"
#include "capture.h"

enum {
	CHILD_MS = 10000, /* NSS may ask a server for names of users */
};

/* The string of a setting, or initial; NULL: out of memory. */
static char *
take_string(struct json_object *daemon, const char *name, const char *initial)
{
	struct json_object *value;
	const char *text = NULL;

	if (json_object_object_get_ex(daemon, name, &value))
		text = json_object_get_string(value);
	return strdup(text != NULL ? text : initial);
}

static unsigned int
take_number(struct json_object *daemon, const char *name, unsigned int initial)
{
	struct json_object *value;

	if (!json_object_object_get_ex(daemon, name, &value))
		return initial;
	return (unsigned int)json_object_get_int64(value);
}

/*
 * daemon is NULL where no setting of ours is configured.  cimd_new() judges
 * the values before they are used.
 */
static bool
take_settings(struct json_object *daemon, struct daemon_settings *s)
{
	s->lookup_socket =
	    take_string(daemon, "lookup_socket", "/run/cimd/lookup.sock");
	s->admin_socket =
	    take_string(daemon, "admin_socket", "/run/cimd/admin.sock");
	s->user = take_string(daemon, "user", "cimd");
	s->socket_group = take_string(daemon, "socket_group", "cimd");
	s->mux_group = take_string(daemon, "mux_group", "cimd-mux");
	s->mux_socket = take_string(daemon, "mux_socket", "");
	s->max_connections = take_number(daemon, "max_connections", 1024);
	/* One user must leave room for others. */
	s->max_connections_uid = take_number(daemon, "max_connections_uid",
	    s->max_connections / 4 * 3);
	s->request_timeout_ms =
	    (int64_t)take_number(daemon, "request_timeout", 5) * 1000;
	return s->lookup_socket != NULL && s->admin_socket != NULL &&
	    s->user != NULL && s->socket_group != NULL &&
	    s->mux_group != NULL && s->mux_socket != NULL;
}

static enum cimd_err
take_config(struct json_object *json, const struct capture_output *o,
    struct config *out, struct cimd_error *err)
{
	struct json_object *daemon = NULL, *loopback;

	json_object_object_get_ex(json, "daemon", &daemon);
	out->development_loopback = json_object_object_get_ex(json,
					"development_loopback", &loopback) &&
	    json_object_get_boolean(loopback);
	out->json = strndup(o->data, o->len);
	out->len = o->len;
	if (out->json == NULL || !take_settings(daemon, &out->daemon))
		return fail_memory(err);
	return CIMD_OK;
}

/* One line for a fault as the child tells it. */
static void
write_fault(FILE *f, struct json_object *fault)
{
	struct json_object *file = NULL, *line = NULL, *text = NULL;
	int64_t n;

	json_object_object_get_ex(fault, "file", &file);
	json_object_object_get_ex(fault, "line", &line);
	json_object_object_get_ex(fault, "text", &text);
	n = json_object_get_int64(line);
	fprintf(f, "%s:", json_object_get_string(file));
	if (n > 0)
		fprintf(f, "%lld:", (long long)n);
	fprintf(f, " %s\n", json_object_get_string(text));
}

/* All faults as text; err says the first one. */
static enum cimd_err
take_faults(struct json_object *json, char **faults, struct cimd_error *err)
{
	struct json_object *list = NULL;
	char *text = NULL;
	size_t i, n, len = 0;
	FILE *f;

	if (!json_object_object_get_ex(json, "errors", &list) ||
	    (n = json_object_array_length(list)) == 0)
		return fail(err, CIMD_E_STATE,
		    "the configuration child gave no reason");
	if ((f = open_memstream(&text, &len)) == NULL)
		return fail_memory(err);
	for (i = 0; i < n; i++)
		write_fault(f, json_object_array_get_idx(list, i));
	if (fclose(f) != 0) {
		free(text);
		return fail_memory(err);
	}
	len = strcspn(text, "\n");
	if (n > 1)
		fail(err, CIMD_E_CONFIG, "%.*s (and %zu more)",
		    len > 200 ? 200 : (int)len, text, n - 1);
	else
		fail(err, CIMD_E_CONFIG, "%.*s", (int)len, text);
	if (faults != NULL)
		*faults = text;
	else
		free(text);
	return CIMD_E_CONFIG;
}

static enum cimd_err
take_output(const struct capture_output *o, struct config *out, char **faults,
    struct cimd_error *err)
{
	struct json_object *json;
	enum cimd_err e;

	if (!WIFEXITED(o->status))
		return fail(err, CIMD_E_STATE,
		    "the configuration child died of signal %d",
		    WTERMSIG(o->status));
	if (WEXITSTATUS(o->status) != EXIT_CLEAN &&
	    WEXITSTATUS(o->status) != EXIT_CONFIG)
		return fail(err, CIMD_E_STATE,
		    "the configuration child ended with status %d",
		    WEXITSTATUS(o->status));
	json = json_tokener_parse(o->data);
	if (!json_object_is_type(json, json_type_object))
		e = fail(err, CIMD_E_STATE,
		    "the configuration child printed no JSON");
	else if (WEXITSTATUS(o->status) == EXIT_CONFIG)
		e = take_faults(json, faults, err);
	else
		e = take_config(json, o, out, err);
	json_object_put(json);
	return e;
}

/* posix_spawn() wants pointers to bytes that may change, and changes none. */
static char *
argument(const char *text)
{
	union {
		const char *given;
		char *wanted;
	} u = { text };

	return u.wanted;
}

enum cimd_err
config_load(const struct conf_sources *from, struct config *out, char **faults,
    struct cimd_error *err)
{
	static const struct capture_limits limits = {
		.max_bytes = CIMD_MAX_CONFIG,
		.timeout_ms = CHILD_MS,
	};
	char *const argv[] = { argument("cimdd"), argument("-t"),
		argument("--json"), argument("-c"), argument(from->file),
		argument("-d"), argument(from->dir), argument("-C"),
		argument(from->catalog), NULL };
	struct capture_output output;
	struct cimd_error why;
	enum cimd_err e;

	*out = (struct config){ 0 };
	if (faults != NULL)
		*faults = NULL;
	/* The running binary, also after a package has replaced it. */
	e = capture_run("/proc/self/exe", argv, &limits, &output, &why);
	if (e != CIMD_OK)
		fail(err, e, "the configuration child: %s", why.text);
	else
		e = take_output(&output, out, faults, err);
	free(output.data);
	return e;
}

void
config_clear(struct config *c)
{
	free(c->json);
	free(c->daemon.lookup_socket);
	free(c->daemon.admin_socket);
	free(c->daemon.mux_socket);
	free(c->daemon.mux_group);
	free(c->daemon.user);
	free(c->daemon.socket_group);
	*c = (struct config){ 0 };
}
