/*
 * refresh.c - the work of one flight: fetch, check, compare, store
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "change.h"
#include "clock.h"
#include "document.h"
#include "error.h"
#include "redirect.h"
#include "resolve.h"
#include "uri.h"

struct refresh *
refresh_new(const struct lookup *l)
{
	struct refresh *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->client_id = strndup(l->url.whole.p, l->url.whole.n);
	if (f->client_id == NULL) {
		free(f);
		return NULL;
	}
	f->setup = setup_ref(l->setup);
	f->realm = l->realm != NULL ? policy_ref(l->realm) : NULL;
	f->verdict = l->verdict;
	lookup_tenant(l, f->tenant);
	url_move(&l->url, f->client_id, &f->url);
	return f;
}

void
refresh_free(void *arg)
{
	struct refresh *f = arg;

	if (f == NULL)
		return;
	policy_free(&f->realm);
	setup_free(&f->setup);
	free(f->client_id);
	free(f);
}

bool
refresh_is_known(const struct verdict *v, const struct entry *e)
{
	return v->named || (e != NULL && e->kept);
}

/* One refresh on its way. */
struct job {
	struct cimd *r;
	struct refresh *f;
	struct entry *old; /* may be NULL */
	int64_t deadline_ms;
	int64_t now;
	struct http_facts facts; /* of the document's response */
	bool unchanged;          /* 304 */
	uint64_t warnings;
	struct cimd_client *client; /* the record of now */
	bool admitted;              /* the rules take that record */
};

/* A GET whose answer may be a document or key set; 304 if conditional. */
static enum cimd_err
get_json(struct job *j, const struct fetch_request *req,
    struct fetch_response *out, struct cimd_error *err)
{
	const struct setup *s = j->f->setup;
	enum cimd_err e;

	e = fetch_get(s->fetcher, req, out, err);
	if (e == CIMD_OK)
		e = country_judge(s->country, s->policy, &out->peer, err);
	if (e == CIMD_OK && out->facts.status != 304)
		e = http_judge(&out->facts, j->f->verdict.lenient_type,
		    &j->warnings, err);
	metrics_fetch(&j->r->metrics, e);
	return e;
}

/* May the keys be fetched?  The budget of another host has to pay. */
static enum cimd_err
may_get_keys(const struct job *j, const struct fetch_request *req,
    struct cimd_error *err)
{
	bool known = refresh_is_known(&j->f->verdict, j->old);
	enum cimd_err e = policy_judge_keys(&j->f->url, req->port, err);

	if (e != CIMD_OK || redirect_same_origin(j->f->url.whole, req->url))
		return e;
	return gate_spend(j->r->gate, req->host, known, err);
}

/* The keys cannot be had because of e: is that the end of the document? */
static enum cimd_err
go_on_without(struct document *d, enum cimd_err e, struct cimd_error *err)
{
	struct cimd_error why = *err;

	if (cimd_err_class(e) != CIMD_REFUSED || e == CIMD_E_STATUS ||
	    e == CIMD_E_BOT_WALL)
		err_prefix(err, "jwks_uri");
	else if ((e = document_no_jwks(d, err)) != CIMD_OK)
		err_prefix(err, "jwks_uri: %s", why.text);
	return e;
}

/* The keys behind jwks_uri, into d. */
static enum cimd_err
get_keys(struct job *j, struct document *d, struct span uri,
    struct cimd_error *err)
{
	struct fetch_request req = { .url = uri,
		.max_bytes = CIMD_MAX_JWKS,
		.deadline_ms = j->deadline_ms };
	struct fetch_response res = { 0 };
	struct span body;
	struct uri u;
	const char *why;
	enum cimd_err e;

	if (!uri_split(uri, &u, &why))
		return err_set(err, CIMD_E_INTERNAL, "", "jwks_uri: %s", why);
	req.host = u.host;
	req.port = uri_port(&u);
	if ((e = may_get_keys(j, &req, err)) == CIMD_OK)
		e = get_json(j, &req, &res, err);
	if (e == CIMD_OK) {
		body.p = res.body;
		body.n = res.body_len;
		e = document_add_jwks(d, body, err);
	} else
		e = go_on_without(d, e, err);
	fetch_response_clear(&res);
	return e;
}

static enum cimd_err
read_document(struct job *j, struct span body, struct cimd_error *err)
{
	struct document *d = NULL;
	struct span uri;
	enum cimd_err e;

	e = document_parse(j->f->url.whole, body, &d, err);
	if (e != CIMD_OK)
		return e;
	uri = document_jwks_uri(d);
	if (uri.p != NULL)
		e = get_keys(j, d, uri, err);
	document_warn(d, j->warnings);
	if (e == CIMD_OK)
		e = document_record(d, &j->client, err);
	document_free(&d);
	return e;
}

/*
 * Is the old record one that came as text/plain for another's lenient rule?
 * These rules can neither go on with it nor take it away.
 */
static bool
is_foreign(const struct job *j)
{
	if (j->f->verdict.lenient_type)
		return false;
	return (client_warnings(j->old->live) & WARN_BIT(WARN_CONTENT_TYPE)) !=
	    0;
}

/*
 * The document.  Without fetched keys the request may be conditional; with
 * them the record has to be made anew, for the keys may have changed.
 */
static enum cimd_err
get_document(struct job *j, struct cimd_error *err)
{
	struct fetch_request req = { .url = j->f->url.whole,
		.host = j->f->url.host,
		.port = j->f->url.port,
		.max_bytes = CIMD_MAX_DOCUMENT,
		.deadline_ms = j->deadline_ms };
	struct fetch_response res = { 0 };
	struct span body;
	enum cimd_err e;

	if (j->old != NULL && j->old->live != NULL &&
	    client_text(j->old->live, CLIENT_JWKS_URI) == NULL &&
	    !is_foreign(j)) {
		req.etag = j->old->etag;
		req.last_modified = j->old->last_modified;
	}
	e = get_json(j, &req, &res, err);
	j->facts = res.facts;
	j->unchanged = e == CIMD_OK && res.facts.status == 304 &&
	    j->old != NULL && j->old->live != NULL;
	if (j->unchanged)
		j->client = client_ref(j->old->live);
	else if (e == CIMD_OK) {
		body.p = res.body;
		body.n = res.body_len;
		e = read_document(j, body, err);
	}
	fetch_response_clear(&res);
	return e;
}

/* An audit line about what changed. */
static void
report_change(struct job *j)
{
	struct log_line line = { .level = CIMD_LOG_NOTICE,
		.event = "change",
		.client_id = j->f->url.whole,
		.rule = j->f->verdict.name,
		.ms = -1 };
	uint32_t bits;

	if (j->old == NULL || j->old->live == NULL || j->unchanged)
		return;
	bits = change_classify(j->old->live, j->client);
	if (bits == 0)
		return;
	line.detail = change_severity(bits);
	audit_write(j->r, &line);
}

static struct entry *
make_entry(struct job *j)
{
	struct freshness_bounds bounds = {
		.min_s = j->f->setup->settings.cache_min_s,
		.max_s = j->f->setup->settings.cache_max_s,
		.default_s = j->f->setup->settings.cache_default_s,
	};
	struct entry *e;
	uint32_t random;

	if ((e = entry_new(j->f->url.whole)) == NULL)
		return NULL;
	clock_random(&random, sizeof(random));
	freshness_compute(&j->facts, &bounds, j->now, random, &e->freshness);
	e->live = client_ref(j->client);
	e->kept = j->f->verdict.explicit_rule && j->admitted;
	e->first_seen = j->now;
	(void)snprintf(e->etag, sizeof(e->etag), "%s", j->facts.etag);
	(void)snprintf(e->last_modified, sizeof(e->last_modified), "%s",
	    j->facts.last_modified);
	if (j->old == NULL)
		return e;
	if (!entry_inherit(e, j->old)) {
		entry_free(&e);
		return NULL;
	}
	if (j->unchanged && e->etag[0] == '\0')
		(void)memcpy(e->etag, j->old->etag, sizeof(e->etag));
	if (j->unchanged && e->last_modified[0] == '\0')
		(void)memcpy(e->last_modified, j->old->last_modified,
		    sizeof(e->last_modified));
	return e;
}

bool
refresh_wants_baseline(const struct verdict *v, const struct entry *e,
    const char *tenant)
{
	return v->update != UPDATE_LIVE && v->trust != TRUST_PENDING &&
	    e->live != NULL && e->governance != GOVERN_BLOCKED &&
	    entry_yardstick(e, tenant) == NULL;
}

enum cimd_err
refresh_baseline(struct cimd *r, const char *tenant,
    const struct cimd_client *live, struct cimd_error *err)
{
	enum cimd_err e = store_baseline(r->store, tenant, live, err);

	if (e == CIMD_OK)
		table_drop(r->table, span_of(cimd_client_id(live)));
	return e;
}

/* Keep e in memory, since the store cannot write. */
static void
keep_in_memory(struct job *j, struct entry *e, uint64_t generation)
{
	if (!j->admitted ||
	    !refresh_wants_baseline(&j->f->verdict, e, j->f->tenant) ||
	    entry_add_baseline(e, span_of(j->f->tenant), e->live))
		table_put(j->r->table, e, generation);
}

/*
 * Keep what was found.  A store that cannot write keeps it in memory only;
 * a block that came in between wins, since the generation has moved on.
 */
static enum cimd_err
keep(struct job *j, uint64_t generation, struct cimd_error *err)
{
	struct span id = j->f->url.whole;
	struct entry *e;
	enum cimd_err code;

	if ((e = make_entry(j)) == NULL)
		return err_no_memory(err);
	if ((code = entry_derive(e, err)) != CIMD_OK) {
		entry_free(&e);
		return code;
	}
	if (store_put(j->r->store, e, j->now, NULL) == CIMD_OK) {
		if (j->admitted &&
		    refresh_wants_baseline(&j->f->verdict, e, j->f->tenant))
			(void)refresh_baseline(j->r, j->f->tenant, e->live,
			    NULL);
		table_drop(j->r->table, id); /* the next reader loads it */
	} else
		keep_in_memory(j, e, generation);
	entry_free(&e);
	return CIMD_OK;
}

/* Does this failure mean that the document is no longer there or valid? */
static bool
withdraws(enum cimd_err e)
{
	switch ((int)e) {
	case CIMD_E_GONE:
	case CIMD_E_CERT:
	case CIMD_E_TYPE:
	case CIMD_E_ENCODING:
	case CIMD_E_TOO_BIG:
	case CIMD_E_JSON:
	case CIMD_E_MISMATCH:
	case CIMD_E_SECRET:
	case CIMD_E_METADATA:
	case CIMD_E_REDIRECT_URIS:
	case CIMD_E_AUTH_METHOD:
	case CIMD_E_KEYS:
		return true;
	default:
		return false;
	}
}

/*
 * The store cannot forget the record, so the table has to.  What an
 * administrator said meanwhile is read after the generation.
 */
static void
bury(struct job *j)
{
	struct span id = j->f->url.whole;
	uint64_t generation = table_generation(j->r->table, id);
	struct entry *e = NULL, *known = NULL;

	if (store_read(j->r->store, id, &known, NULL) != CIMD_OK ||
	    known == NULL)
		known = entry_ref(j->old);
	if ((e = entry_new(id)) != NULL && entry_inherit(e, known))
		table_put(j->r->table, e, generation);
	entry_free(&e);
	entry_free(&known);
}

static void
withdraw(struct job *j, enum cimd_err e, const struct cimd_error *err)
{
	struct log_line line = { .level = CIMD_LOG_NOTICE,
		.event = "withdraw",
		.client_id = j->f->url.whole,
		.code = e,
		.err = err,
		.ms = -1 };
	enum cimd_err stored;

	if (j->old == NULL || j->old->live == NULL || !withdraws(e))
		return;
	if ((e == CIMD_E_TYPE || e == CIMD_E_KEYS) && is_foreign(j))
		return;
	stored = store_withdraw(j->r->store, j->f->url.whole, NULL);
	table_drop(j->r->table, j->f->url.whole);
	if (stored != CIMD_OK) {
		line.detail = "in memory only";
		bury(j);
	}
	audit_write(j->r, &line);
}

/*
 * Do the rules of who opened the flight take the record?  If not, that is no
 * failure of the fetch: others, under other rules, may wait for it too.
 */
static bool
admits(const struct verdict *v, const struct cimd_client *client)
{
	struct decision unused;

	return decide(v, client, &unused, NULL) == CIMD_OK;
}

enum cimd_err
refresh_work(void *ctx, void *arg, int64_t deadline_ms, struct cimd_error *err)
{
	struct job j = { .r = ctx,
		.f = arg,
		.deadline_ms = deadline_ms,
		.now = clock_utc() };
	uint64_t generation;
	enum cimd_err e;

	generation = table_generation(j.r->table, j.f->url.whole);
	e = resolver_entry(j.r, j.f->url.whole, 0, false, &j.old, err);
	if (e == CIMD_OK)
		e = get_document(&j, err);
	if (e != CIMD_OK)
		withdraw(&j, e, err);
	else {
		j.admitted = admits(&j.f->verdict, j.client);
		report_change(&j);
		e = keep(&j, generation, err);
	}
	cimd_client_free(&j.client);
	entry_free(&j.old);
	return e;
}
