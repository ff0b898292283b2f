/*
 * verify.c - verify a client assertion and use up its jti
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "assertion.h"
#include "clock.h"
#include "error.h"
#include "verify.h"

enum {
	/* Seconds until some of a client's assertions have expired. */
	VERIFY_RETRY_S = 30,
};

struct verify {
	struct lookup l;
	struct span token;
	const char *const *wanted; /* audiences, or NULL */
	struct cimd_decision *decision;
	bool refetched;
	verify_done_fn *done;
	void *ctx;
};

static void
finish(struct verify *v, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after)
{
	metrics_assertion(&v->l.r->metrics, v->l.consumer_index, e);
	lookup_log(&v->l, "assertion", e, err);
	v->done(v->ctx, e, err, retry_after, v->decision);
	cimd_decision_free(&v->decision);
	lookup_clear(&v->l);
	free(v);
}

static bool
is_wanted(const struct verify *v, const char *audience)
{
	size_t i;

	for (i = 0; v->wanted != NULL && v->wanted[i] != NULL; i++)
		if (strcmp(v->wanted[i], audience) == 0)
			return true;
	return v->wanted == NULL;
}

/*
 * The audiences of the consumer that the request leaves.  The caller frees
 * *out, whose strings are the consumer's.
 */
static enum cimd_err
pick_audiences(const struct verify *v, const char ***out, size_t *n,
    struct cimd_error *err)
{
	const struct consumer *c = v->l.consumer;
	size_t i;

	*out = NULL;
	*n = 0;
	if (c == NULL || c->n_audiences == 0)
		return err_set(err, CIMD_E_ASSERTION, "policy",
		    "the consumer that asks has no audiences");
	if ((*out = calloc(c->n_audiences, sizeof(**out))) == NULL)
		return err_no_memory(err);
	for (i = 0; i < c->n_audiences; i++)
		if (is_wanted(v, c->audiences[i]))
			(*out)[(*n)++] = c->audiences[i];
	if (*n > 0)
		return CIMD_OK;
	return err_set(err, CIMD_E_CONSUMER, "policy",
	    "no audience of the request is one of the consumer \"%s\"",
	    c->name);
}

static enum cimd_err
check(struct verify *v, bool *unknown_kid, struct cimd_error *err)
{
	struct span iss = v->l.url.whole;
	const char **audiences;
	struct assertion_claims claims;
	struct assertion_rules rules = {
		.client = decision_of(v->decision)->client,
		.now = clock_utc(),
		.typ_required = v->l.setup->settings.assertion_typ_required,
	};
	enum cimd_err e;

	*unknown_kid = false;
	if ((decision_of(v->decision)->d.methods & METHOD_PRIVATE_KEY_JWT) == 0)
		return err_set(err, CIMD_E_AUTH_METHOD, "6.2",
		    "the client may not use private_key_jwt here");
	e = pick_audiences(v, &audiences, &rules.n_audiences, err);
	rules.audiences = audiences;
	if (e == CIMD_OK)
		e = assertion_verify(v->token, &rules, &claims, unknown_kid,
		    err);
	free(audiences);
	if (e != CIMD_OK)
		return e;
	return store_use_jti(v->l.r->store, iss, claims.jti, claims.keep_until,
	    rules.now, err);
}

static void on_flight(void *ctx, enum cimd_err flight,
    const struct cimd_error *flight_err, unsigned int retry_after);

/* May the keys be fetched again for an unknown kid? */
static bool
may_refetch(const struct verify *v)
{
	int64_t age =
	    clock_utc() - decision_of(v->decision)->entry->freshness.fetched_at;

	return !v->refetched && age >= CIMD_TTL_MIN_S;
}

static void
proceed(struct verify *v)
{
	struct cimd_error err = { 0 };
	bool unknown_kid;
	enum cimd_err e;

	e = check(v, &unknown_kid, &err);
	if (e == CIMD_OK || !unknown_kid || !may_refetch(v)) {
		finish(v, e, &err, e == CIMD_E_TOO_MANY ? VERIFY_RETRY_S : 0);
		return;
	}
	v->refetched = true;
	e = lookup_fetch(&v->l, on_flight, v, &err);
	if (e != CIMD_OK)
		finish(v, e, &err, 0);
}

static void
on_flight(void *ctx, enum cimd_err flight, const struct cimd_error *flight_err,
    unsigned int retry_after)
{
	struct verify *v = ctx;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	cimd_decision_free(&v->decision);
	e = lookup_finish(&v->l, flight, flight_err, &v->decision, &err);
	if (e != CIMD_OK)
		finish(v, e, &err, retry_after);
	else
		proceed(v);
}

void
verify_start(struct cimd *r, const struct verify_ask *ask)
{
	struct cimd_request request = ask->request;
	struct cimd_error err = { 0 };
	struct verify *v;
	bool fetch = false;
	enum cimd_err e;

	if ((v = calloc(1, sizeof(*v))) == NULL) {
		e = err_no_memory(&err);
		ask->done(ask->ctx, e, &err, 0, NULL);
		return;
	}
	v->token = ask->token;
	v->wanted = ask->audiences;
	v->done = ask->done;
	v->ctx = ask->ctx;
	request.purpose = CIMD_TOKEN;
	lookup_init(&v->l, r, &request);
	v->l.remote_addr = ask->remote_addr;
	e = lookup_begin(&v->l, ask->who, &err);
	if (e == CIMD_OK)
		e = lookup_try(&v->l, &fetch, &v->decision, &err);
	if (e == CIMD_OK && fetch)
		e = lookup_fetch(&v->l, on_flight, v, &err);
	if (e != CIMD_OK)
		finish(v, e, &err, 0);
	else if (!fetch)
		proceed(v);
}
