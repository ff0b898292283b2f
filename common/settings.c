/*
 * settings.c - the table of settings that are not policy
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "conf.h"
#include "settings.h"
#include "settings_int.h"

enum setting_type {
	SETTING_STRING = 0, /* char *, owned */
	SETTING_BOOL,       /* bool */
	SETTING_TYP,        /* bool in the words accept, require */
	SETTING_SECONDS,    /* int64_t */
	SETTING_NUMBER,     /* uint32_t */
};

/* The daemon's own settings have no place in struct settings. */
#define DAEMON SIZE_MAX
#define AT(field) offsetof(struct settings, field)

/* One setting: its default is text or number, its range is check or min, max.
 */
struct row {
	const char *name;
	enum setting_type type;
	size_t offset;
	setting_check *check;
	const char *text;
	int64_t min, max, number;
};

static const struct row rows[] = {
	{ "state_dir", SETTING_STRING, AT(state_dir), setting_state_dir,
	    "/var/lib/cimd", 0, 0, 0 },
	{ "ca_path", SETTING_STRING, AT(ca_path), setting_path, "", 0, 0, 0 },
	{ "ca_file", SETTING_STRING, AT(ca_file), setting_path, "", 0, 0, 0 },
	{ "contact", SETTING_STRING, AT(contact), setting_contact, "", 0, 0,
	    0 },
	{ "proxy", SETTING_STRING, AT(proxy), setting_proxy, "", 0, 0, 0 },
	{ "proxy_trust", SETTING_BOOL, AT(proxy_trust), NULL, "no", 0, 0, 0 },
	{ "dns_servers", SETTING_STRING, AT(dns_servers), setting_servers, "",
	    0, 0, 0 },
	{ "country_database", SETTING_STRING, AT(country_database),
	    setting_path, "", 0, 0, 0 },
	{ "development_loopback", SETTING_BOOL, AT(development_loopback), NULL,
	    "no", 0, 0, 0 },
	{ "assertion_typ", SETTING_TYP, AT(assertion_typ_required), NULL,
	    "accept", 0, 0, 0 },
	{ "cache_min", SETTING_SECONDS, AT(cache_min_s), NULL, NULL,
	    CIMD_TTL_MIN_S, CIMD_TTL_MAX_S, CIMD_TTL_MIN_S },
	{ "cache_max", SETTING_SECONDS, AT(cache_max_s), NULL, NULL,
	    CIMD_TTL_MIN_S, CIMD_TTL_MAX_S, CIMD_TTL_MAX_S },
	{ "cache_default", SETTING_SECONDS, AT(cache_default_s), NULL, NULL,
	    CIMD_TTL_MIN_S, CIMD_TTL_MAX_S, CIMD_TTL_DEFAULT_S },
	{ "stale_token", SETTING_SECONDS, AT(stale_token_s), NULL, NULL, 0,
	    CIMD_STALE_MAX_S, 86400 },
	{ "stale_authorize", SETTING_SECONDS, AT(stale_authorize_s), NULL, NULL,
	    0, CIMD_STALE_MAX_S, 0 },
	{ "max_clients", SETTING_NUMBER, AT(max_clients), NULL, NULL, 1,
	    1000000, 10000 },
	{ "max_unverified", SETTING_NUMBER, AT(max_unverified), NULL, NULL, 1,
	    100000, 1000 },
	{ "fetch_rate", SETTING_NUMBER, AT(fetch_rate), NULL, NULL, 1, 100000,
	    600 },
	{ "fetch_rate_host", SETTING_NUMBER, AT(fetch_rate_host), NULL, NULL, 1,
	    100000, 30 },
	{ "lookup_socket", SETTING_STRING, DAEMON, setting_socket,
	    "/run/cimd/lookup.sock", 0, 0, 0 },
	{ "admin_socket", SETTING_STRING, DAEMON, setting_socket,
	    "/run/cimd/admin.sock", 0, 0, 0 },
	{ "mux_socket", SETTING_STRING, DAEMON, setting_socket, "", 0, 0, 0 },
	{ "mux_group", SETTING_STRING, DAEMON, setting_account, "cimd-mux", 0,
	    0, 0 },
	{ "socket_group", SETTING_STRING, DAEMON, setting_account, "cimd", 0, 0,
	    0 },
	{ "user", SETTING_STRING, DAEMON, setting_account, "cimd", 0, 0, 0 },
	{ "max_connections", SETTING_NUMBER, DAEMON, NULL, NULL, 16, 16384,
	    1024 },
	{ "max_connections_uid", SETTING_NUMBER, DAEMON, NULL, NULL, 1, 16384,
	    768 },
	{ "request_timeout", SETTING_SECONDS, DAEMON, NULL, NULL, 1, 60, 5 },
};
enum {
	N_ROWS = sizeof(rows) / sizeof(rows[0]),
	DAEMON_ROW = 19, /* the first of those, up to the end */
	SOCKETS = 3,     /* so many of them are sockets, the first ones */
};

static const struct conf_word typ_words[] = {
	{ "accept", false },
	{ "require", true },
	{ NULL, 0 },
};

const char *
settings_name(size_t i)
{
	return i < N_ROWS ? rows[i].name : NULL;
}

bool
settings_has(const char *name)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return true;
	return false;
}

bool
settings_facts(size_t i, struct setting_facts *out)
{
	const char *unit;

	if (i >= N_ROWS)
		return false;
	memset(out, 0, sizeof(*out));
	out->name = rows[i].name;
	if (rows[i].text != NULL) {
		(void)snprintf(out->fallback, sizeof(out->fallback), "%s",
		    rows[i].text);
		return true;
	}
	unit = rows[i].type == SETTING_SECONDS ? " seconds" : "";
	(void)snprintf(out->fallback, sizeof(out->fallback), "%lld",
	    (long long)rows[i].number);
	(void)snprintf(out->range, sizeof(out->range), "%lld to %lld%s",
	    (long long)rows[i].min, (long long)rows[i].max, unit);
	return true;
}

static void *
field(struct settings *s, const struct row *row)
{
	return row->offset == DAEMON ? NULL : (char *)s + row->offset;
}

/* Replace the owned string at to, if the setting has a place; "" is NULL
 * except for state_dir, where it has a meaning. */
static enum cimd_err
put_string(const char *text, void *to, struct cimd_error *err)
{
	char *copy;

	if (to == NULL)
		return CIMD_OK;
	copy = strdup(text);
	if (copy == NULL)
		return err_no_memory(err);
	free(*(char **)to);
	*(char **)to = copy;
	return CIMD_OK;
}

static enum cimd_err
read_string(const struct conf *c, const struct row *row, void *to)
{
	const char *text = NULL, *why;
	enum cimd_err e;

	e = conf_string(c, row->name, &text);
	if (e != CIMD_OK || text == NULL)
		return e;
	why = row->check(text);
	if (why != NULL)
		return conf_fail(c, row->name, "%s", why);
	return put_string(text, to, c->err);
}

static enum cimd_err
read_bool(const struct conf *c, const struct row *row, bool *to)
{
	unsigned int value;
	enum cimd_err e;

	assert(to != NULL);
	value = *to;
	if (row->type == SETTING_BOOL)
		return conf_bool(c, row->name, to);
	e = conf_word(c, row->name, typ_words, &value);
	*to = value != 0;
	return e;
}

static enum cimd_err
read_number(const struct conf *c, const struct row *row, void *to)
{
	struct conf_range range = { row->min, row->max, "" };
	int64_t value = -1;
	enum cimd_err e;

	if (row->type == SETTING_SECONDS)
		range.unit = "seconds";
	e = conf_number(c, row->name, &range, &value);
	if (e != CIMD_OK || value < 0 || to == NULL)
		return e;
	if (row->type == SETTING_SECONDS)
		*(int64_t *)to = value;
	else
		*(uint32_t *)to = (uint32_t)value;
	return CIMD_OK;
}

static enum cimd_err
read_row(const struct conf *c, const struct row *row, struct settings *s)
{
	void *to = field(s, row);

	assert(to != NULL || row->check != NULL || row->text == NULL);
	switch (row->type) {
	case SETTING_STRING:
		return read_string(c, row, to);
	case SETTING_BOOL:
	case SETTING_TYP:
		return read_bool(c, row, to);
	case SETTING_SECONDS:
	case SETTING_NUMBER:
		break;
	}
	return read_number(c, row, to);
}

/* The default of one setting. */
static enum cimd_err
put_default(const struct row *row, struct settings *s, struct cimd_error *err)
{
	void *to = field(s, row);

	if (to == NULL)
		return CIMD_OK;
	if (row->type == SETTING_STRING && row->text[0] != '\0')
		return put_string(row->text, to, err);
	if (row->type == SETTING_SECONDS)
		*(int64_t *)to = row->number;
	if (row->type == SETTING_NUMBER)
		*(uint32_t *)to = (uint32_t)row->number;
	return CIMD_OK;
}

/* A default that nobody asked for gives way to what somebody did. */
static enum cimd_err
check_cache(const struct conf *c, struct settings *s)
{
	if (s->cache_min_s > s->cache_max_s)
		return conf_fail(c, "cache_min", "is above cache_max (%lld)",
		    (long long)s->cache_max_s);
	if (!conf_has(c, "cache_default")) {
		if (s->cache_default_s < s->cache_min_s)
			s->cache_default_s = s->cache_min_s;
		if (s->cache_default_s > s->cache_max_s)
			s->cache_default_s = s->cache_max_s;
	}
	if (s->cache_default_s < s->cache_min_s ||
	    s->cache_default_s > s->cache_max_s)
		return conf_fail(c, "cache_default",
		    "is not between cache_min (%lld) and cache_max (%lld)",
		    (long long)s->cache_min_s, (long long)s->cache_max_s);
	return CIMD_OK;
}

/* What settings demand of each other. */
static enum cimd_err
check_all(const struct conf *c, struct settings *s)
{
	if (s->proxy != NULL && !s->proxy_trust)
		return conf_fail(c, "proxy",
		    "the proxy resolves names, so that it and not cimd guards "
		    "against private addresses; say proxy_trust = yes if it "
		    "does");
	if (s->ca_path != NULL && s->ca_file != NULL)
		return conf_fail(c, "ca_file", "either ca_path or ca_file");
	if (conf_count(c, "deny_country") > 0 && s->country_database == NULL)
		return conf_fail(c, "deny_country", "needs country_database");
	return check_cache(c, s);
}

static const char *
daemon_name(size_t i)
{
	return i < N_ROWS - DAEMON_ROW ? rows[DAEMON_ROW + i].name : NULL;
}

/* The path of a socket, set or not; "": there is none. */
static const char *
socket_path(const struct conf *d, const struct row *row)
{
	if (conf_has(d, row->name))
		return json_object_get_string(conf_get(d, row->name));
	return row->text;
}

/* What lets administrators in must not be where everybody asks. */
static enum cimd_err
check_sockets(const struct conf *d)
{
	const struct row *sockets = &rows[DAEMON_ROW];
	const char *path;
	size_t i, j;

	for (i = 1; i < SOCKETS; i++) {
		path = socket_path(d, &sockets[i]);
		for (j = 0; j < i && *path != '\0'; j++)
			if (strcmp(path, socket_path(d, &sockets[j])) == 0)
				return conf_fail(d, sockets[i].name,
				    "is the path of %s, too", sockets[j].name);
	}
	return CIMD_OK;
}

/* The member "daemon": the daemon's own settings, where they stand apart. */
static enum cimd_err
read_daemon(const struct conf *c, struct settings *s)
{
	struct conf d = { conf_get(c, "daemon"), NULL, NULL, c->err };
	enum cimd_err e;
	size_t i;

	if (!conf_has(c, "daemon"))
		return CIMD_OK;
	if (!json_object_is_type(d.json, json_type_object))
		return conf_fail(c, "daemon", "must be an object");
	e = conf_known(&d, daemon_name);
	for (i = DAEMON_ROW; i < N_ROWS && e == CIMD_OK; i++)
		e = read_row(&d, &rows[i], s);
	if (e == CIMD_OK)
		e = check_sockets(&d);
	return e;
}

static enum cimd_err
read_all(const struct conf *c, struct settings *s)
{
	enum cimd_err e = CIMD_OK;
	size_t i;

	for (i = 0; i < N_ROWS && e == CIMD_OK; i++)
		e = put_default(&rows[i], s, c->err);
	for (i = 0; i < N_ROWS && e == CIMD_OK; i++)
		e = read_row(c, &rows[i], s);
	if (e == CIMD_OK)
		e = read_daemon(c, s);
	if (e == CIMD_OK)
		e = check_all(c, s);
	return e;
}

void
settings_clear(struct settings *s)
{
	void *to;
	size_t i;

	for (i = 0; i < N_ROWS; i++) {
		to = field(s, &rows[i]);
		if (rows[i].type == SETTING_STRING && to != NULL)
			free(*(char **)to);
	}
	memset(s, 0, sizeof(*s));
}

enum cimd_err
settings_read(struct json_object *json, struct settings *out,
    struct policy **policy, struct cimd_error *err)
{
	struct conf c = { json, NULL, NULL, err };
	enum cimd_err e;

	memset(out, 0, sizeof(*out));
	*policy = NULL;
	c.json =
	    json == NULL ? json_object_new_object() : json_object_get(json);
	if (c.json == NULL)
		return err_no_memory(err);
	e = policy_read(c.json, POLICY_MACHINE, policy, err);
	if (e == CIMD_OK)
		e = read_all(&c, out);
	if (e != CIMD_OK) {
		settings_clear(out);
		policy_free(policy);
	}
	(void)json_object_put(c.json);
	return e;
}
