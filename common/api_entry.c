/*
 * api_entry.c - entries as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "api_entry.h"
#include "clock.h"
#include "error.h"
#include "redirect.h"

static void
hex_of(const uint8_t hash[32], char text[65])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < 32; i++) {
		text[2 * i] = digits[hash[i] >> 4];
		text[2 * i + 1] = digits[hash[i] & 15];
	}
	text[64] = '\0';
}

void
put_hex(struct maker *m, struct json_object *o, const char *name,
    const uint8_t hash[32])
{
	char text[65];

	hex_of(hash, text);
	put_string(m, o, name, text);
}

bool
api_is_document(const struct cimd_client *c, struct span hex)
{
	struct client_fields f;
	char text[65];

	client_fields(c, &f);
	hex_of(f.document_sha256, text);
	return span_is(hex, text);
}

enum cimd_err
api_check_short(struct span client_id, struct span short_id,
    struct cimd_error *err)
{
	char want[44];

	store_short_id(client_id, want);
	if (short_id.p != NULL && !span_is(short_id, want))
		return err_set(err, CIMD_E_REQUEST, "",
		    "short is not the short id of client_id");
	return CIMD_OK;
}

static const char *
governance_name(enum governance g)
{
	switch (g) {
	case GOVERN_APPROVED:
		return "approved";
	case GOVERN_BLOCKED:
		return "blocked";
	case GOVERN_PINNED:
		return "pinned";
	case GOVERN_NONE:
		break;
	}
	return "none";
}

static const char *
freshness_name(const struct entry *e, int64_t stale_s)
{
	if (e->live == NULL)
		return "none";
	switch (freshness_state(&e->freshness, clock_utc(), stale_s)) {
	case FRESH:
	case FRESH_REFRESH:
		return "fresh";
	case STALE:
		return "stale";
	case TOO_OLD:
		break;
	}
	return "expired";
}

/*
 * What the machine's rules say of the client.  Where they say nothing, a
 * consumer (NULL: any) that brings policies of its own may have let it in.
 */
static void
put_trust(struct maker *m, struct json_object *o, struct cimd *r,
    const struct entry *e, const char *consumer)
{
	struct span id = span_of(e->client_id);
	struct policy_question q = { 0 };
	struct verdict v = { 0 };
	struct setup *setup;
	struct cimd_error err = { 0 };
	struct url url;
	enum cimd_err code;

	if (resolver_enter(r, &setup, &err) != CIMD_OK)
		return;
	code = url_parse(id, policy_url_flags(setup->policy, NULL, id), &url,
	    &err);
	q.machine = setup->policy;
	q.url = &url;
	if (code == CIMD_OK)
		code = policy_judge(&q, &v, &err);
	if (e->governance == GOVERN_BLOCKED || code == CIMD_E_BLOCKED)
		put_string(m, o, "trust", "blocked");
	else if (code == CIMD_E_POLICY && e->kept &&
	    policy_delegates(setup->policy, consumer))
		put_string(m, o, "trust", "delegated");
	else if (code != CIMD_OK)
		put_string(m, o, "trust", "not admitted");
	else if (v.trust == TRUST_PENDING && e->governance != GOVERN_NONE)
		put_string(m, o, "trust", trust_name(TRUST_TRUSTED));
	else
		put_string(m, o, "trust", trust_name(v.trust));
	if (code == CIMD_OK) {
		put_string(m, o, "rule", v.name);
		put_string(m, o, "update", update_name(v.update));
	}
	put_string(m, o, "freshness",
	    freshness_name(e, setup->settings.stale_token_s));
	setup_free(&setup);
}

static void
put_common(struct maker *m, struct json_object *o, struct cimd *r,
    const struct entry *e, const char *consumer)
{
	char short_id[44];

	store_short_id(span_of(e->client_id), short_id);
	put_string(m, o, "client_id", e->client_id);
	put_string(m, o, "short", short_id);
	put_span(m, o, "client_host", redirect_host(span_of(e->client_id)));
	if (e->live != NULL)
		put_string(m, o, "client_name",
		    client_text(e->live, CLIENT_NAME));
	put_trust(m, o, r, e, consumer);
	put_string(m, o, "governance", governance_name(e->governance));
	put_bool(m, o, "update_waits", entry_update_waits(e));
}

static void
put_record(struct maker *m, const char *name, const struct cimd_client *c)
{
	struct json_object *o;
	struct client_fields f;

	if (c == NULL)
		return;
	o = put_object(m, NULL, name);
	client_fields(c, &f);
	put_hex(m, o, "document_sha256", f.document_sha256);
	put_int(m, o, "document_bytes", f.document_len);
	api_put_warnings(m, o, f.warnings);
	put_tree(m, o, "client",
	    json_tokener_parse(cimd_client_json(c, &(size_t){ 0 })));
}

/* Tenants that have a yardstick of their own. */
static void
put_baselines(struct maker *m, const struct entry *e)
{
	const struct yardstick *y;
	struct client_fields f;
	struct json_object *a, *o;
	size_t i;

	if (e->word.approved != NULL || e->n_baselines == 0)
		return;
	a = put_array(m, NULL, "baselines");
	for (i = 0; i < e->n_baselines; i++) {
		y = &e->first[e->baseline[i].first];
		o = push_object(m, a);
		put_string(m, o, "tenant", e->baseline[i].tenant);
		client_fields(y->approved, &f);
		put_hex(m, o, "document_sha256", f.document_sha256);
		put_bool(m, o, "update_waits", y->update_waits);
	}
}

void
api_put_entry(struct maker *m, struct cimd *r, const struct entry *e)
{
	put_common(m, NULL, r, e, NULL);
	put_bool(m, NULL, "kept", e->kept);
	put_int(m, NULL, "first_seen", e->first_seen);
	if (e->live != NULL) {
		put_int(m, NULL, "fetched_at", e->freshness.fetched_at);
		put_int(m, NULL, "refresh_at", e->freshness.refresh_at);
		put_int(m, NULL, "expires_at", e->freshness.expires_at);
	}
	put_record(m, "live", e->live);
	put_record(m, "approved", e->word.approved);
	put_baselines(m, e);
}

void
api_put_row(struct maker *m, struct json_object *o, struct cimd *r,
    const struct store_row *row)
{
	put_common(m, o, r, row->entry, row->consumer);
	put_string(m, o, "consumer", row->consumer);
	put_int(m, o, "lookups", (int64_t)row->lookups);
	put_int(m, o, "refused", (int64_t)row->refused);
	put_int(m, o, "first_seen", row->first_seen);
	put_int(m, o, "last_seen", row->last_seen);
}
