/*
 * resolve.c - the whole pipeline on one page
 * SPDX-License-Identifier: Apache-2.0
 *
 *   lookup_begin   url, policy          a refusal before any fetch
 *   lookup_try     store, freshness     the answer, if it is at hand
 *   lookup_answer  both of these, or what they came to before
 *   lookup_fetch   gate                 one flight per URL (refresh.c)
 *   lookup_finish  store, decide        the answer, stale if need be
 */

#include "clock.h"
#include "error.h"
#include "resolve.h"

/* The parts of the URL: known already, or parsed. */
static enum cimd_err
find_url(struct lookup *l, struct span id, struct cimd_error *err)
{
	bool counted = l->request.purpose != CIMD_DISPLAY;
	uint32_t count = counted ? l->consumer_index : TABLE_CONSUMERS;
	unsigned int flags;

	flags = policy_url_flags(l->setup->policy, l->realm, id);
	l->known = table_get(l->r->table, id, count, clock_utc());
	if (l->known == NULL || l->known->url.whole.p == NULL)
		return url_parse(id, flags, &l->url, err);
	url_move(&l->known->url, id.p, &l->url);
	return url_admit(&l->url, flags, err);
}

/* A name that can stand in a log, on a terminal and in the store. */
static enum cimd_err
check_tenant(const struct cimd_request *r, struct cimd_error *err)
{
	size_t i;

	if (r->tenant_len > CIMD_MAX_TENANT)
		return err_set(err, CIMD_E_REQUEST, "",
		    "tenant: more than %d bytes", CIMD_MAX_TENANT);
	for (i = 0; i < r->tenant_len; i++)
		if ((unsigned char)r->tenant[i] < 0x20 || r->tenant[i] == 0x7f)
			return err_set(err, CIMD_E_REQUEST, "",
			    "tenant: a control character at byte %zu", i);
	return CIMD_OK;
}

void
lookup_init(struct lookup *l, struct cimd *r,
    const struct cimd_request *request)
{
	*l = (struct lookup){ .r = r, .request = *request };
	l->started_us = clock_us();
}

/* Who asks, under which setup? */
static enum cimd_err
enter(struct lookup *l, const struct cimd_caller *who, struct cimd_error *err)
{
	enum cimd_err e;

	if ((e = resolver_enter(l->r, &l->setup, err)) != CIMD_OK ||
	    (e = check_tenant(&l->request, err)) != CIMD_OK)
		return e;
	return lookup_consumer(l, who, err);
}

/* Steps 1 and 2. */
static enum cimd_err
find_rules(struct lookup *l, struct cimd_error *err)
{
	struct span id = { l->request.client_id, l->request.client_id_len };
	struct span realm = { l->request.policy, l->request.policy_len };
	struct policy_question q = { 0 };
	enum cimd_err e;

	if (realm.p != NULL &&
	    (e = resolver_realm(l->r, realm, l->setup->policy, &l->realm,
		 err)) != CIMD_OK)
		return e;
	if ((e = find_url(l, id, err)) != CIMD_OK)
		return e;
	q.machine = l->setup->policy;
	q.realm = l->realm;
	q.consumer = l->consumer;
	q.url = &l->url;
	return policy_judge(&q, &l->verdict, err);
}

enum cimd_err
lookup_begin(struct lookup *l, const struct cimd_caller *who,
    struct cimd_error *err)
{
	enum cimd_err e = enter(l, who, err);

	return e == CIMD_OK ? find_rules(l, err) : e;
}

/* An administrator's word stands above rules and records. */
static enum cimd_err
judge_governance(const struct lookup *l, const struct entry *e,
    struct cimd_error *err)
{
	if (e != NULL && e->governance == GOVERN_BLOCKED)
		return err_set(err, CIMD_E_BLOCKED, "policy",
		    "an administrator blocked this client");
	if (l->verdict.trust == TRUST_PENDING &&
	    (e == NULL || e->governance == GOVERN_NONE))
		return err_set(err, CIMD_E_PENDING, "policy",
		    "rule \"%s\" wants an administrator's approval first",
		    l->verdict.name);
	return CIMD_OK;
}

static const struct yardstick *
yardstick_of(const struct lookup *l, const struct entry *e)
{
	char tenant[LOOKUP_TENANT];

	lookup_tenant(l, tenant);
	return entry_yardstick(e, tenant);
}

/* Which record an entry serves under the rule's update mode. */
static struct cimd_client *
record_of(const struct lookup *l, const struct entry *e,
    enum source_state *state, struct cimd_error *err)
{
	bool live =
	    l->verdict.update == UPDATE_LIVE && e->governance != GOVERN_PINNED;
	const struct yardstick *y = live ? NULL : yardstick_of(l, e);

	if (y == NULL || !y->update_waits)
		return e->live;
	*state = SOURCE_PINNED;
	if (y->served == NULL)
		(void)err_set(err, CIMD_E_METADATA, "9.4",
		    "nothing of the approved document is left in the "
		    "present one");
	return y->served;
}

/*
 * Stored under a rule that takes every document, or by another tenant: what
 * this one is served first is its yardstick.  It is served too where that
 * cannot be written now.
 */
static enum cimd_err
set_baseline(const struct lookup *l, const struct entry *e,
    struct cimd_error *err)
{
	struct cimd_error why = { 0 };
	char tenant[LOOKUP_TENANT];

	if (l->verdict.update == UPDATE_LIVE)
		return CIMD_OK;
	lookup_tenant(l, tenant);
	if (!refresh_wants_baseline(&l->verdict, e, tenant) ||
	    refresh_baseline(l->r, tenant, e->live, &why) != CIMD_E_PENDING)
		return CIMD_OK;
	if (err != NULL)
		*err = why;
	return CIMD_E_PENDING;
}

static int64_t
stale_window(const struct lookup *l)
{
	if (l->request.purpose == CIMD_AUTHORIZE)
		return l->setup->settings.stale_authorize_s;
	return l->setup->settings.stale_token_s;
}

/*
 * May the conclusion answer later lookups too?  Not where a tenant's word is
 * part of it, nor a realm's policy: memory would hold as many policies as
 * there are clients.
 */
static bool
is_lasting(const struct lookup *l, const struct conclusion *c)
{
	return c->state == SOURCE_FRESH && clock_utc() < c->until &&
	    l->realm == NULL && l->verdict.update == UPDATE_LIVE &&
	    c->entry->governance != GOVERN_PINNED;
}

/* Step 9: the decision about the record that e serves. */
static enum cimd_err
conclude(const struct lookup *l, struct entry *e, enum source_state state,
    struct cimd_decision **out, struct cimd_error *err)
{
	struct span redirect = { l->request.redirect_uri,
		l->request.redirect_uri_len };
	enum source_state record = state;
	struct cimd_client *client;
	struct conclusion *c;
	enum cimd_err code;

	if ((client = record_of(l, e, &record, err)) == NULL)
		return CIMD_E_METADATA;
	if ((c = conclusion_new(l->setup, l->realm, e, client)) == NULL)
		return err_no_memory(err);
	code = decide(&l->verdict, client, &c->d, err);
	if (code == CIMD_OK)
		code = set_baseline(l, e, err);
	if (code != CIMD_OK) {
		conclusion_free(&c);
		return code;
	}
	if (l->verdict.trust == TRUST_PENDING)
		c->d.trust = TRUST_TRUSTED; /* it was approved */
	c->d.warnings |= l->url.warnings | lookup_warnings(l, e, state) |
	    lookup_warnings(l, e, record);
	c->state = record;
	c->verdict = l->verdict;
	c->consumer = l->consumer;
	c->since = e->freshness.fetched_at;
	c->until = e->freshness.refresh_at;
	c->lasts = is_lasting(l, c);
	if (c->lasts)
		resolver_remember(l->r, c);
	*out = conclusion_decide(c, redirect);
	return CIMD_OK;
}

/* What the stored record is good for. */
enum answer {
	ANSWER_NOTHING, /* not usable, and this purpose does not fetch */
	ANSWER_FETCH,
	ANSWER_FRESH,
	ANSWER_STALE,
};

static enum answer
answer_of(const struct lookup *l, const struct entry *e)
{
	bool authorize = l->request.purpose == CIMD_AUTHORIZE;
	bool display = l->request.purpose == CIMD_DISPLAY;

	if (e == NULL || e->live == NULL)
		return display ? ANSWER_NOTHING : ANSWER_FETCH;
	switch (freshness_state(&e->freshness, clock_utc(), stale_window(l))) {
	case FRESH:
		return ANSWER_FRESH;
	case FRESH_REFRESH:
		if (authorize)
			lookup_refresh(l);
		return ANSWER_FRESH;
	case STALE:
		return authorize ? ANSWER_FETCH : ANSWER_STALE;
	case TOO_OLD:
		break;
	}
	return display ? ANSWER_NOTHING : ANSWER_FETCH;
}

/*
 * The record came as text/plain for another's lenient rule.  These rules
 * judge for themselves what the host answers.
 */
static bool
is_foreign(const struct lookup *l, const struct entry *e)
{
	if (l->verdict.lenient_type || l->request.purpose == CIMD_DISPLAY)
		return false;
	return (client_warnings(e->live) & WARN_BIT(WARN_CONTENT_TYPE)) != 0;
}

static enum cimd_err
answer(struct lookup *l, struct entry *e, bool *fetch,
    struct cimd_decision **out, struct cimd_error *err)
{
	enum cimd_err code = judge_governance(l, e, err);
	enum answer a;

	if (code == CIMD_E_BLOCKED)
		return code;
	a = answer_of(l, e);
	*fetch = a == ANSWER_FETCH; /* pending clients too, to be seen */
	if (*fetch)
		return CIMD_OK;
	if (code != CIMD_OK)
		return code;
	if (a == ANSWER_NOTHING)
		return err_set(err, CIMD_E_NOT_STORED, "5.2",
		    "nothing usable is stored about this client");
	code = conclude(l, e, a == ANSWER_STALE ? SOURCE_STALE : SOURCE_FRESH,
	    out, err);
	*fetch = code == CIMD_E_TYPE && is_foreign(l, e);
	return *fetch ? CIMD_OK : code;
}

/* Step 3. */
enum cimd_err
lookup_try(struct lookup *l, bool *fetch, struct cimd_decision **out,
    struct cimd_error *err)
{
	bool counted = l->request.purpose != CIMD_DISPLAY;
	enum cimd_err code = CIMD_OK;

	*out = NULL;
	*fetch = false;
	if (l->known == NULL)
		code = resolver_entry(l->r, l->url.whole, l->consumer_index,
		    counted, &l->known, err);
	l->counted = counted && l->known != NULL;
	if (code == CIMD_OK)
		code = answer(l, l->known, fetch, out, err);
	return code;
}

/* What the table concluded before; NULL: nothing that holds now. */
static struct cimd_decision *
recall(struct lookup *l)
{
	const struct span id = { l->request.client_id,
		l->request.client_id_len };
	const struct span redirect = { l->request.redirect_uri,
		l->request.redirect_uri_len };
	const bool counted = l->request.purpose != CIMD_DISPLAY;
	const struct table_asker asker = { l->setup, l->consumer,
		counted ? l->consumer_index : TABLE_CONSUMERS };
	struct conclusion *c;

	if (l->request.policy != NULL)
		return NULL;
	if ((c = table_recall(l->r->table, id, &asker, clock_utc())) == NULL)
		return NULL;
	l->counted = counted;
	return conclusion_decide(c, redirect);
}

enum cimd_err
lookup_answer(struct lookup *l, const struct cimd_caller *who, bool *fetch,
    struct cimd_decision **out, struct cimd_error *err)
{
	enum cimd_err e;

	*fetch = false;
	*out = NULL;
	if ((e = enter(l, who, err)) != CIMD_OK)
		return e;
	if ((*out = recall(l)) != NULL)
		return CIMD_OK;
	if ((e = find_rules(l, err)) != CIMD_OK)
		return e;
	return lookup_try(l, fetch, out, err);
}

/* Was the failure an outage of the document's host, not a withdrawal? */
static bool
is_outage(enum cimd_err e)
{
	return cimd_err_class(e) == CIMD_UNAVAILABLE || e == CIMD_E_STATUS ||
	    e == CIMD_E_BOT_WALL;
}

/* After a failed flight: the stored record, if an outage lets it live on. */
static enum cimd_err
fall_back(struct lookup *l, struct entry *e, enum cimd_err flight,
    const struct cimd_error *flight_err, struct cimd_decision **out,
    struct cimd_error *err)
{
	enum freshness_state state;

	if (err != NULL)
		*err = *flight_err;
	if (!is_outage(flight) || e == NULL || e->live == NULL)
		return flight;
	state = freshness_state(&e->freshness, clock_utc(), stale_window(l));
	if (state == TOO_OLD)
		return flight;
	return conclude(l, e, state == STALE ? SOURCE_STALE : SOURCE_FRESH, out,
	    err);
}

enum cimd_err
lookup_finish(struct lookup *l, enum cimd_err flight,
    const struct cimd_error *flight_err, struct cimd_decision **out,
    struct cimd_error *err)
{
	struct entry *e = NULL;
	enum cimd_err code;

	*out = NULL;
	code = resolver_entry(l->r, l->url.whole, l->consumer_index, false, &e,
	    err);
	if (code != CIMD_OK)
		return code;
	code = judge_governance(l, e, err);
	if (code == CIMD_OK && flight != CIMD_OK)
		code = fall_back(l, e, flight, flight_err, out, err);
	else if (code == CIMD_E_PENDING && flight != CIMD_OK && err != NULL) {
		*err = *flight_err;
		code = flight;
	} else if (code == CIMD_OK && (e == NULL || e->live == NULL))
		code = err_set(err, CIMD_E_NOT_STORED, "5.2",
		    "the document was fetched but could not be kept");
	else if (code == CIMD_OK)
		code = conclude(l, e, SOURCE_FRESH, out, err);
	entry_free(&e);
	return code;
}
