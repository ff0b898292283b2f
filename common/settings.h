/*
 * settings.h - the table of settings that are not policy
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: configuration JSON; out: settings and policy; touches
 * nothing.  cimd.conf(5) documents every member; a lint compares.
 */

#ifndef SETTINGS_H
#define SETTINGS_H

#include "policy.h"

/* Owned strings may be NULL where the default is "none" or "the system's". */
struct settings {
	char *state_dir; /* "/var/lib/cimd"; "" keeps nothing on disk */
	char *ca_path;   /* hashed directory */
	char *ca_file;
	char *contact; /* URL or mailbox shown in User-Agent */
	char *proxy;
	char *dns_servers;
	char *country_database; /* MaxMind file for deny_country */
	bool proxy_trust;
	bool development_loopback;
	bool assertion_typ_required;
	int64_t cache_min_s, cache_max_s, cache_default_s;
	int64_t stale_token_s;     /* also display; default 86400 */
	int64_t stale_authorize_s; /* default 0 */
	uint32_t max_clients;      /* kept records, default 10000 */
	uint32_t max_unverified;   /* probation, default 1000 */
	uint32_t fetch_rate;       /* fetches a minute, all hosts; 600 */
	uint32_t fetch_rate_host;  /* fetches a minute, one host; 30 */
};

/*
 * Read a whole configuration of the machine: NULL json means all defaults.
 * All of it is taken or nothing.  Settings that only the daemon uses
 * (lookup_socket, admin_socket, socket_group, user, max_connections) are
 * checked here and left in the JSON for it.  Free with settings_clear() and
 * policy_free(). Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err settings_read(struct json_object *json, struct settings *out,
    struct policy **policy, struct cimd_error *err);

void settings_clear(struct settings *s);

/* Is this top-level member a setting (not policy)? */
bool settings_has(const char *name);

/* Names of the settings in the order of cimd.conf(5); NULL past the last. */
const char *settings_name(size_t i);

/*
 * One setting for status and documentation: its default as text ("" for
 * none) and what it must be ("60 to 86400 seconds").  False past the last.
 */
struct setting_facts {
	const char *name;
	char fallback[64];
	char range[96];
};
bool settings_facts(size_t i, struct setting_facts *out);

#endif /* SETTINGS_H */
