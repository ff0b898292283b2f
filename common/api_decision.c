/*
 * api_decision.c - the decision record as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include <json-c/json.h>

#include "api_entry.h"
#include "names.h"
#include "redirect.h"

static const struct {
	enum client_text text;
	const char *name;
} strings[] = {
	{ CLIENT_ID, "client_id" },
	{ CLIENT_NAME, "client_name" },
	{ CLIENT_URI, "client_uri" },
	{ CLIENT_LOGO_URI, "logo_uri" },
	{ CLIENT_TOS_URI, "tos_uri" },
	{ CLIENT_POLICY_URI, "policy_uri" },
	{ CLIENT_SOFTWARE_ID, "software_id" },
	{ CLIENT_SOFTWARE_VERSION, "software_version" },
};

/* Values that the record keeps as JSON text. */
static const struct {
	enum client_text text;
	const char *name;
} trees[] = {
	{ CLIENT_CONTACTS, "contacts" },
	{ CLIENT_JWKS, "jwks" },
};

static const char *const states[] = {
	[SOURCE_FRESH] = "fresh",
	[SOURCE_STALE] = "stale",
	[SOURCE_PINNED] = "pinned",
};

static void
put_parsed(struct maker *m, struct json_object *o, const char *name,
    const char *text)
{
	struct json_object *v;

	if (text == NULL || m->failed)
		return;
	v = json_tokener_parse(text); /* our own record: checked before */
	put_tree(m, o, name, v);
}

/* "client_name#de" and so on, as members of their own. */
static void
put_tagged_names(struct maker *m, struct json_object *o, const char *text)
{
	struct json_object *names;

	if (text == NULL || m->failed)
		return;
	if ((names = json_tokener_parse(text)) == NULL) {
		m->failed = true;
		return;
	}
	json_object_object_foreach(names, name, value)
	{
		put_string(m, o, name, json_object_get_string(value));
	}
	json_object_put(names);
}

static void
put_redirects(struct maker *m, struct json_object *o,
    const struct cimd_decision *d)
{
	struct json_object *a = put_array(m, o, "redirect_uris");
	size_t i, n = cimd_client_redirects(decision_of(d)->client);

	for (i = 0; i < n; i++)
		if ((decision_of(d)->d.redirects >> i & 1) != 0)
			push_string(m, a,
			    cimd_client_redirect(decision_of(d)->client, i));
}

static void
put_grants(struct maker *m, struct json_object *o, uint32_t bits)
{
	struct json_object *a = put_array(m, o, "grant_types");
	uint32_t bit;

	for (bit = 1; bit != 0; bit <<= 1)
		if ((bits & bit) != 0)
			push_string(m, a, names_grant(bit));
	/* Without the member, a provider would take it for "code". */
	a = put_array(m, o, "response_types");
	if ((bits & GRANT_AUTHORIZATION_CODE) != 0)
		push_string(m, a, "code");
}

static void
put_scope(struct maker *m, struct json_object *o, const struct cimd_decision *d)
{
	char *scope = NULL;
	bool narrowed;

	if (decide_scope(&decision_of(d)->verdict, decision_of(d)->client,
		&scope, &narrowed, NULL) != CIMD_OK)
		m->failed = true;
	put_string(m, o, "scope", scope);
	free(scope);
}

static void
put_client(struct maker *m, const struct cimd_decision *d)
{
	struct json_object *o = put_object(m, NULL, "client");
	struct client_fields f;
	size_t i;

	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		put_string(m, o, strings[i].name,
		    client_text(decision_of(d)->client, strings[i].text));
	put_tagged_names(m, o,
	    client_text(decision_of(d)->client, CLIENT_NAMES));
	put_redirects(m, o, d);
	put_grants(m, o, decision_of(d)->d.grants);
	put_string(m, o, "token_endpoint_auth_method",
	    cimd_decision_auth_method(d));
	if ((decision_of(d)->d.methods & METHOD_PRIVATE_KEY_JWT) != 0)
		put_string(m, o, "token_endpoint_auth_signing_alg",
		    client_text(decision_of(d)->client, CLIENT_SIGNING_ALG));
	put_scope(m, o, d);
	for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		put_parsed(m, o, trees[i].name,
		    client_text(decision_of(d)->client, trees[i].text));
	client_fields(decision_of(d)->client, &f);
	if (f.application_type != APPLICATION_UNKNOWN)
		put_string(m, o, "application_type",
		    f.application_type == APPLICATION_WEB ? "web" : "native");
	if (f.dpop_bound)
		put_bool(m, o, "dpop_bound_access_tokens", true);
}

void
api_put_warnings(struct maker *m, struct json_object *o, uint64_t bits)
{
	struct json_object *a = put_array(m, o, "warnings");
	unsigned int w;

	for (w = 0; w < WARN_COUNT; w++)
		if ((bits & WARN_BIT(w)) != 0)
			push_string(m, a, warning_name((enum cimd_warning)w));
}

static void
put_verdict(struct maker *m, const struct cimd_decision *d)
{
	struct json_object *o = put_object(m, NULL, "decision");
	struct json_object *a;

	put_string(m, o, "trust", trust_name(decision_of(d)->d.trust));
	put_string(m, o, "rule", decision_of(d)->verdict.name);
	put_string(m, o, "auth_method", cimd_decision_auth_method(d));
	a = put_array(m, o, "auth_methods");
	if ((decision_of(d)->d.methods & METHOD_PRIVATE_KEY_JWT) != 0)
		push_string(m, a, "private_key_jwt");
	if ((decision_of(d)->d.methods & METHOD_NONE) != 0)
		push_string(m, a, "none");
	put_bool(m, o, "redirect_uri_ok", d->redirect_ok);
	put_bool(m, o, "loopback_any_port",
	    decision_of(d)->d.loopback_any_port);
	api_put_warnings(m, o, decision_of(d)->d.warnings);
}

/* Append host unless it is there already. */
static void
push_host(struct maker *m, struct json_object *a, struct span host)
{
	struct json_object *v;
	struct span seen;
	size_t i;

	if (host.p == NULL || m->failed)
		return;
	for (i = 0; i < json_object_array_length(a); i++) {
		v = json_object_array_get_idx(a, i);
		seen.p = json_object_get_string(v);
		seen.n = (size_t)json_object_get_string_len(v);
		if (span_eq(seen, host))
			return;
	}
	v = json_object_new_string_len(host.p, (int)host.n);
	if (v == NULL || json_object_array_add(a, v) != 0) {
		json_object_put(v);
		m->failed = true;
	}
}

void
api_put_display(struct maker *m, const struct cimd_client *client,
    uint64_t redirects)
{
	struct json_object *o = put_object(m, NULL, "display");
	struct json_object *a;
	size_t i, n = cimd_client_redirects(client);

	put_span(m, o, "client_host",
	    redirect_host(span_of(cimd_client_id(client))));
	put_string(m, o, "client_name", client_text(client, CLIENT_NAME));
	a = put_array(m, o, "redirect_hosts");
	for (i = 0; i < n; i++)
		if ((redirects >> i & 1) != 0)
			push_host(m, a,
			    redirect_host(
				span_of(cimd_client_redirect(client, i))));
}

static void
put_source(struct maker *m, const struct cimd_decision *d)
{
	struct json_object *o = put_object(m, NULL, "source");
	struct client_fields f;

	client_fields(decision_of(d)->client, &f);
	put_string(m, o, "state", states[decision_of(d)->state]);
	put_int(m, o, "fetched_at",
	    decision_of(d)->entry->freshness.fetched_at);
	put_int(m, o, "expires_at",
	    decision_of(d)->entry->freshness.expires_at);
	put_hex(m, o, "document_sha256", f.document_sha256);
	if (decision_of(d)->entry->etag[0] != '\0')
		put_string(m, o, "etag", decision_of(d)->entry->etag);
}

void
api_put_decision(struct maker *m, const struct cimd_decision *d)
{
	struct json_object *ids;
	char short_id[44];

	put_client(m, d);
	put_verdict(m, d);
	api_put_display(m, decision_of(d)->client, decision_of(d)->d.redirects);
	put_source(m, d);
	ids = put_object(m, NULL, "ids");
	store_short_id(span_of(cimd_client_id(decision_of(d)->client)),
	    short_id);
	put_string(m, ids, "short", short_id);
}
