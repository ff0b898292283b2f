/*
 * api_typed.c - the typed C API: lookups that block, accessors
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "verify.h"
#include "wait.h"

static enum cimd_err
resolve(struct lookup *l, struct cimd_decision **out, struct cimd_error *err)
{
	struct waiter w;
	bool fetch;
	enum cimd_err e;

	e = lookup_try(l, &fetch, out, err);
	if (e != CIMD_OK || !fetch)
		return e;
	waiter_init(&w);
	if ((e = lookup_fetch(l, waiter_done, &w, err)) != CIMD_OK)
		waiter_done(&w, e, err, 0);
	e = waiter_wait(&w);
	return lookup_finish(l, e, &w.err, out, err);
}

enum cimd_err
cimd_resolve(struct cimd *r, const struct cimd_request *req,
    struct cimd_decision **out, struct cimd_error *err)
{
	struct cimd_error local = { 0 };
	struct lookup l;
	enum cimd_err e;

	*out = NULL;
	if (err == NULL)
		err = &local;
	e = lookup_begin(&l, r, req, NULL, err);
	if (e == CIMD_OK)
		e = resolve(&l, out, err);
	lookup_report(&l, e, err);
	lookup_clear(&l);
	return e;
}

static void
verified(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after, const struct cimd_decision *decision)
{
	(void)decision;
	waiter_done(ctx, e, err, retry_after);
}

enum cimd_err
cimd_verify_assertion(struct cimd *r, const struct cimd_request *req,
    const char *assertion, size_t len, struct cimd_error *err)
{
	struct verify_ask ask = { .request = *req,
		.token = { assertion, len },
		.done = verified };
	struct waiter w;
	enum cimd_err e;

	waiter_init(&w);
	ask.ctx = &w;
	verify_start(r, &ask);
	e = waiter_wait(&w);
	if (e != CIMD_OK && err != NULL)
		*err = w.err;
	return e;
}

void
cimd_decision_free(struct cimd_decision **d)
{
	struct cimd_decision *old;

	if (d == NULL || *d == NULL)
		return;
	old = *d;
	*d = NULL;
	cimd_client_free(&old->client);
	entry_free(&old->entry);
	policy_free(&old->realm);
	setup_free(&old->setup);
	free(old);
}

const struct cimd_client *
cimd_decision_client(const struct cimd_decision *d)
{
	return d->client;
}

bool
cimd_decision_redirect_ok(const struct cimd_decision *d)
{
	return d->d.redirect_ok;
}

const char *
cimd_decision_trust(const struct cimd_decision *d)
{
	return trust_name(d->d.trust);
}

const char *
cimd_decision_rule(const struct cimd_decision *d)
{
	return d->verdict.name;
}

static uint32_t
method_bit(const char *method)
{
	if (strcmp(method, "none") == 0)
		return METHOD_NONE;
	if (strcmp(method, "private_key_jwt") == 0)
		return METHOD_PRIVATE_KEY_JWT;
	return 0;
}

const char *
cimd_decision_auth_method(const struct cimd_decision *d)
{
	return d->d.preferred == METHOD_PRIVATE_KEY_JWT ? "private_key_jwt" :
							  "none";
}

bool
cimd_decision_allows_method(const struct cimd_decision *d, const char *method)
{
	return (d->d.methods & method_bit(method)) != 0;
}
