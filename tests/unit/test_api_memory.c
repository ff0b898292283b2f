/*
 * test_api_memory.c - every API call with every allocation failing
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "resolver.h"

#define ONE "https://one.example.com/c"

static const char config[] =
    "{ \"state_dir\": \"\", \"default\": \"deny\","
    " \"deny\": [\"https://bad.example.com/*\"],"
    " \"consumer\": [ { \"name\": \"idp\", \"uid\": [1000] } ],"
    " \"client\": [ { \"name\": \"one\", \"match\": [\"" ONE "\"],"
    "  \"redirects\": [\"document\", \"scheme:one\"],"
    "  \"scopes\": [\"mcp\"] } ] }";

static const char document[] =
    "{ \"client_id\": \"" ONE "\", \"client_name\": \"One\","
    " \"client_name#de\": \"Eins\", \"contacts\": [\"a@example.com\"],"
    " \"redirect_uris\": [\"http://127.0.0.1/cb\", \"one://cb\"],"
    " \"scope\": \"mcp other\" }";

/* How the call under test ended. */
struct outcome {
	int calls;
	int status;
	char body[256];
};

static void
take(void *ctx, const struct cimd_reply *reply)
{
	struct outcome *o = ctx;

	o->calls++;
	o->status = reply->status;
	(void)snprintf(o->body, sizeof(o->body), "%.*s", (int)reply->len,
	    reply->body);
}

static struct cimd *
make(void)
{
	struct cimd_error err = { 0 };
	struct cimd *r;

	if (cimd_new(config, sizeof(config) - 1, &r, &err) != CIMD_OK ||
	    cimd_open(r, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	return r;
}

/* Store the document as if it had been fetched a moment ago. */
static void
store_one(struct cimd *r)
{
	struct cimd_error err = { 0 };
	struct entry *e = entry_new(span_of(ONE));
	int64_t now = clock_utc();

	assert_non_null(e);
	if (cimd_parse(ONE, sizeof(ONE) - 1, document, sizeof(document) - 1,
		&e->live, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	e->freshness = (struct freshness){ now, now + 1000, now + 1200, false };
	e->kept = true;
	assert_int_equal(store_put(r->store, e, now, &err), CIMD_OK);
	entry_free(&e);
}

/*
 * Call with the first allocation failing, the second, ... until none fails.
 * Each call is answered once: as it would be with memory (what fails may be
 * dispensable), or that there was none.
 */
static void
sweep(const char *method, const char *json, int want)
{
	const struct cimd_caller admin = { .uid = 0, .admin = true };
	const struct cimd_message in = { method, json, strlen(json) };
	struct cimd *r;
	struct outcome o;
	bool failed = true;
	size_t n;

	for (n = 1; failed; n++) {
		r = make();
		store_one(r);
		memset(&o, 0, sizeof(o));
		alloc_fail_at(n);
		cimd_call(r, &admin, &in, take, &o);
		failed = alloc_failed();
		alloc_fail_at(0);
		cimd_free(&r);
		assert_int_equal(o.calls, 1);
		if (o.status != want && failed &&
		    strstr(o.body, "CIMD_E_NO_MEMORY") == NULL &&
		    strstr(o.body, "CIMD_E_STORE") == NULL)
			fail_msg("%s, allocation %zu: %d %s", method, n,
			    o.status, o.body);
	}
	if (o.status != want)
		fail_msg("%s: %d %s", method, o.status, o.body);
	assert_true(n > 2);
}

static void
lookups(void **state)
{
	(void)state;
	sweep("client", "{\"client_id\": \"" ONE "\"}", 200);
	sweep("client",
	    "{\"client_id\": \"" ONE "\", \"redirect_uri\": \"one://cb\","
	    " \"policy\": {\"default\": \"unverified\"}}",
	    200);
	sweep("client", "{\"client_id\": \"https://bad.example.com/x\"}", 403);
	sweep("client", "{\"client_id\": \"not-a-url\"}", 404);
	sweep("assertion",
	    "{\"client_id\": \"" ONE "\", \"client_assertion\": \"a.b.c\","
	    " \"audiences\": [\"a\"], \"service\": \"imap\"}",
	    403);
	/* {"iss":"https://two.example.com/c"}: no rule admits it. */
	sweep("assertion",
	    "{\"client_assertion\": \"eyJhbGciOiJFUzI1NiJ9."
	    "eyJpc3MiOiJodHRwczovL3R3by5leGFtcGxlLmNvbS9jIn0.AAAA\"}",
	    403);
}

static void
administration(void **state)
{
	static const char one[] = "{\"client_id\": \"" ONE "\"}";

	(void)state;
	sweep("show", one, 200);
	sweep("approve", one, 200);
	sweep("pin", one, 200);
	sweep("deny", one, 200);
	sweep("unblock", one, 409);
	sweep("forget", one, 200);
	sweep("diff", one, 503);
	sweep("policy_test", one, 200);
	sweep("clients", "{}", 200);
	sweep("audit", "{}", 200);
	sweep("status", "{}", 200);
	sweep("healthz", "{}", 200);
	sweep("metadata", "{}", 200);
	sweep("metrics", "{}", 200);
	sweep("no-such-method", "{}", 400);
}

static bool
resolve_one(void *ctx)
{
	const struct cimd_request req = { .client_id = ONE,
		.client_id_len = sizeof(ONE) - 1,
		.purpose = CIMD_TOKEN };
	struct cimd_decision *d;
	enum cimd_err e;

	e = cimd_resolve(ctx, &req, &d, NULL);
	assert_true((e == CIMD_OK) == (d != NULL));
	cimd_decision_free(&d);
	return e == CIMD_OK;
}

static bool
make_and_reload(void *ctx)
{
	struct cimd_error err = { 0 };
	struct cimd *r;
	enum cimd_err e;

	(void)ctx;
	e = cimd_new(config, sizeof(config) - 1, &r, &err);
	if (e == CIMD_OK)
		e = cimd_reload(r, config, sizeof(config) - 1, &err);
	if (e != CIMD_OK)
		assert_int_equal(e, CIMD_E_NO_MEMORY);
	cimd_free(&r);
	return e == CIMD_OK;
}

static void
typed_calls(void **state)
{
	struct cimd *r = make();
	bool failed = true;
	size_t n;

	(void)state;
	store_one(r);
	for (n = 1; failed; n++) {
		alloc_fail_at(n);
		(void)resolve_one(r); /* a table that cannot grow is no fault */
		failed = alloc_failed();
		alloc_fail_at(0);
	}
	assert_true(resolve_one(r));
	cimd_free(&r);
	assert_true(alloc_sweep(make_and_reload, NULL) > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups),
		cmocka_unit_test(administration),
		cmocka_unit_test(typed_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
