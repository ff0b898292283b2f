/*
 * api_typed.c - the typed C API: lookups that block
 * SPDX-License-Identifier: Apache-2.0
 */

#include "error.h"
#include "verify.h"
#include "wait.h"

static enum cimd_err
fetch_and_finish(struct lookup *l, struct cimd_decision **out,
    struct cimd_error *err)
{
	struct waiter w;
	enum cimd_err e;

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
	struct cimd_error local;
	struct lookup l;
	bool fetch;
	enum cimd_err e;

	if (err == NULL) {
		local = (struct cimd_error){ 0 };
		err = &local;
	}
	lookup_init(&l, r, req);
	e = lookup_answer(&l, NULL, &fetch, out, err);
	if (e == CIMD_OK && fetch)
		e = fetch_and_finish(&l, out, err);
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
