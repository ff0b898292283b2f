/*
 * conf_table.c - the names that cimd.conf(5) knows, and their types
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "conf_table.h"

/* What a client section has, and the top level gives the defaults for. */
#define CONF_RULE (CONF_TOP | CONF_CLIENT)

static const struct conf_def defs[] = {
	/* clients */
	{ "match", CONF_STRINGS, CONF_CLIENT },
	{ "trust", CONF_STRING, CONF_RULE },
	{ "update", CONF_STRING, CONF_RULE },
	{ "redirects", CONF_STRINGS, CONF_RULE },
	{ "auth", CONF_STRINGS, CONF_RULE },
	{ "grants", CONF_STRINGS, CONF_RULE },
	{ "scopes", CONF_STRINGS, CONF_RULE },
	{ "ports", CONF_NUMBERS, CONF_RULE },
	{ "content_type", CONF_STRING, CONF_RULE },
	{ "profile", CONF_STRING, CONF_RULE },

	/* consumers */
	{ "uid", CONF_UIDS, CONF_CONSUMER },
	{ "gid", CONF_GIDS, CONF_CONSUMER },
	{ "service", CONF_STRINGS, CONF_CONSUMER },
	{ "delegate", CONF_BOOL, CONF_CONSUMER },
	{ "audiences", CONF_STRINGS, CONF_CONSUMER },
	{ "clients", CONF_STRINGS, CONF_CONSUMER },

	/* policy */
	{ "default", CONF_STRING, CONF_TOP },
	{ "allow", CONF_STRINGS, CONF_TOP },
	{ "deny", CONF_STRINGS, CONF_TOP },
	{ "deny_country", CONF_STRINGS, CONF_TOP },
	{ "deny_suffix", CONF_STRINGS, CONF_TOP },
	{ "forbidden_client_ids", CONF_STRINGS, CONF_TOP },
	{ "special_names", CONF_STRINGS, CONF_TOP },
	{ "root_path", CONF_BOOL, CONF_TOP },
	{ "query", CONF_BOOL, CONF_TOP },
	{ "no_common_method_error", CONF_STRING, CONF_TOP },

	/* settings of the library */
	{ "state_dir", CONF_STRING, CONF_TOP },
	{ "ca_path", CONF_STRING, CONF_TOP },
	{ "ca_file", CONF_STRING, CONF_TOP },
	{ "contact", CONF_STRING, CONF_TOP },
	{ "proxy", CONF_STRING, CONF_TOP },
	{ "proxy_trust", CONF_BOOL, CONF_TOP },
	{ "dns_servers", CONF_STRING, CONF_TOP },
	{ "country_database", CONF_STRING, CONF_TOP },
	{ "development_loopback", CONF_BOOL, CONF_TOP },
	{ "assertion_typ", CONF_STRING, CONF_TOP },
	{ "cache_min", CONF_NUMBER, CONF_TOP },
	{ "cache_max", CONF_NUMBER, CONF_TOP },
	{ "cache_default", CONF_NUMBER, CONF_TOP },
	{ "stale_token", CONF_NUMBER, CONF_TOP },
	{ "stale_authorize", CONF_NUMBER, CONF_TOP },
	{ "max_clients", CONF_NUMBER, CONF_TOP },
	{ "max_unverified", CONF_NUMBER, CONF_TOP },
	{ "fetch_rate", CONF_NUMBER, CONF_TOP },
	{ "fetch_rate_host", CONF_NUMBER, CONF_TOP },

	/* settings of the daemon */
	{ "lookup_socket", CONF_STRING, CONF_DAEMON },
	{ "admin_socket", CONF_STRING, CONF_DAEMON },
	{ "mux_socket", CONF_STRING, CONF_DAEMON },
	{ "user", CONF_USER, CONF_DAEMON },
	{ "socket_group", CONF_GROUP, CONF_DAEMON },
	{ "mux_group", CONF_GROUP, CONF_DAEMON },
	{ "max_connections", CONF_NUMBER, CONF_DAEMON },
	{ "max_connections_uid", CONF_NUMBER, CONF_DAEMON },
	{ "request_timeout", CONF_NUMBER, CONF_DAEMON },
};

static const struct conf_kind kinds[] = {
	{ "client", CONF_CLIENT },
	{ "consumer", CONF_CONSUMER },
};

const struct conf_def *
conf_def_at(size_t i)
{
	return i < sizeof(defs) / sizeof(defs[0]) ? &defs[i] : NULL;
}

const struct conf_kind *
conf_kind_at(size_t i)
{
	return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

const struct conf_def *
conf_def_find(const char *name, unsigned int where)
{
	const struct conf_def *def;
	size_t i;

	for (i = 0; (def = conf_def_at(i)) != NULL; i++)
		if ((def->where & where) != 0 && strcmp(def->name, name) == 0)
			return def;
	return NULL;
}

const struct conf_kind *
conf_kind_find(const char *name)
{
	size_t i;

	for (i = 0; conf_kind_at(i) != NULL; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool
conf_is_list(enum conf_type type)
{
	return type == CONF_STRINGS || type == CONF_NUMBERS ||
	    type == CONF_UIDS || type == CONF_GIDS;
}
