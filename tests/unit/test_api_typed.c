/*
 * test_api_typed.c - the typed C API over a document that is stored already
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "resolve.h"
#include "signer.h"

#define ONE "https://one.example.com/c"
#define AUDIENCE "https://idp.example.com/token"

static const char consumers[] =
    "\"consumer\":[{\"name\":\"idp\",\"audiences\":[\"" AUDIENCE "\"]},"
    "{\"name\":\"mail\",\"audiences\":[\"imap://mail.example.com\"]}]";

struct fixture {
	struct cimd *r;
	struct signer *signer;
	struct cimd_error err;
	int jti;
};

/* A document with one key and both methods. */
static struct cimd_client *
record(struct fixture *f)
{
	struct cimd_client *out = NULL;
	char *keys, text[2048];
	int n;

	keys = signer_jwks(f->signer, "p256-b p384 rsa ed25519 nokid");
	n = snprintf(text, sizeof(text),
	    "{\"client_id\":\"" ONE "\",\"client_name\":\"One\","
	    "\"redirect_uris\":[\"http://127.0.0.1/cb\","
	    "\"https://one.example.com/cb\"],"
	    "\"token_endpoint_auth_methods_supported\":"
	    "[\"none\",\"private_key_jwt\"],\"jwks\":%s}",
	    keys);
	free(keys);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	if (cimd_parse(ONE, sizeof(ONE) - 1, text, (size_t)n, &out, &f->err) !=
	    CIMD_OK)
		fail_msg("%s", f->err.text);
	return out;
}

/* A resolver with more members in its configuration, and the document. */
static void
start(struct fixture *f, const char *more)
{
	int64_t now = clock_utc();
	struct entry *e;
	char text[1024];
	int n;

	cimd_free(&f->r);
	n = snprintf(text, sizeof(text),
	    "{\"state_dir\":\"\",%s%s,\"client\":[{\"name\":\"one\","
	    "\"match\":\"" ONE "\",\"trust\":\"trusted\"}]}",
	    more, consumers);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	if (cimd_new(text, (size_t)n, &f->r, &f->err) != CIMD_OK ||
	    cimd_open(f->r, &f->err) != CIMD_OK)
		fail_msg("%s", f->err.text);
	e = entry_new(span_of(ONE));
	assert_non_null(e);
	e->live = record(f);
	e->freshness = (struct freshness){ now, now + 1000, now + 1200, false };
	assert_int_equal(store_put(f->r->store, e, now, &f->err), CIMD_OK);
	entry_free(&e);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->signer = signer_new();
	start(f, "");
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	cimd_free(&f->r);
	signer_free(f->signer);
	free(f);
	return 0;
}

/* A lookup of url by consumer, which never fetches. */
static struct cimd_request
asks(const char *url, const char *consumer)
{
	struct cimd_request req = { .client_id = url,
		.client_id_len = strlen(url),
		.consumer = consumer,
		.purpose = CIMD_DISPLAY };

	return req;
}

static struct cimd_decision *
decided(struct fixture *f, const struct cimd_request *req)
{
	struct cimd_decision *d = NULL;

	if (cimd_resolve(f->r, req, &d, &f->err) != CIMD_OK)
		fail_msg("%s", f->err.text);
	assert_non_null(d);
	return d;
}

static void
decision_has_accessors(void **state)
{
	struct cimd_request req = asks(ONE, NULL);
	struct cimd_decision *d = decided(*state, &req);
	const struct cimd_client *c = cimd_decision_client(d);

	assert_string_equal(cimd_decision_trust(d), "trusted");
	assert_string_equal(cimd_decision_rule(d), "one");
	assert_string_equal(cimd_decision_auth_method(d), "private_key_jwt");
	assert_true(cimd_decision_allows_method(d, "private_key_jwt"));
	assert_true(cimd_decision_allows_method(d, "none"));
	assert_false(cimd_decision_allows_method(d, "client_secret_basic"));
	assert_false(cimd_decision_allows_method(d, ""));
	assert_string_equal(cimd_client_id(c), ONE);
	assert_string_equal(cimd_client_get(c, "client_name"), "One");
	assert_int_equal(cimd_client_redirects(c), 2);
	cimd_decision_free(&d);
	assert_null(d);
	cimd_decision_free(&d);
	cimd_decision_free(NULL);
}

static void
redirect_uri_is_judged(void **state)
{
	static const struct {
		const char *uri;
		bool ok;
	} rows[] = {
		{ NULL, false },
		{ "", false },
		{ "http://127.0.0.1:3456/cb", true },
		{ "http://localhost/cb", false },
		{ "https://one.example.com/cb", true },
		{ "https://one.example.com/cb/", false },
	};
	struct cimd_request req = asks(ONE, NULL);
	struct cimd_decision *d;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		req.redirect_uri = rows[i].uri;
		req.redirect_uri_len =
		    rows[i].uri == NULL ? 0 : strlen(rows[i].uri);
		d = decided(*state, &req);
		assert_int_equal(cimd_decision_redirect_ok(d), rows[i].ok);
		cimd_decision_free(&d);
	}
}

/* The lookup ends with this code, with and without room for an error. */
static void
ends_with(struct fixture *f, const struct cimd_request *req, enum cimd_err e)
{
	struct cimd_decision *d = NULL;

	assert_int_equal(cimd_resolve(f->r, req, &d, &f->err), e);
	assert_int_equal(f->err.code, e);
	assert_null(d);
	assert_int_equal(cimd_resolve(f->r, req, &d, NULL), e);
	assert_null(d);
}

static void
refusals_have_codes(void **state)
{
	struct cimd_request req = asks("not-a-url", NULL);

	ends_with(*state, &req, CIMD_E_NOT_CIMD);
	req = asks("https://one.example.com/../c", NULL);
	ends_with(*state, &req, CIMD_E_URL);
	req = asks("https://two.example.com/c", NULL);
	ends_with(*state, &req, CIMD_E_POLICY);
	req = asks(ONE, "nobody");
	ends_with(*state, &req, CIMD_E_CONSUMER);
	req = asks(ONE, "idp");
	req.policy = "{\"default\":\"unverified\",\"no_such\":1}";
	req.policy_len = strlen(req.policy);
	ends_with(*state, &req, CIMD_E_CONFIG);
	req.policy = "{\"default\":\"deny\"}";
	req.policy_len = strlen(req.policy);
	ends_with(*state, &req, CIMD_E_POLICY);
}

static void
a_realm_narrows_methods(void **state)
{
	static const char policy[] =
	    "{\"default\":\"unverified\",\"auth\":[\"none\"]}";
	struct cimd_request req = asks(ONE, NULL);
	struct cimd_decision *d;

	req.policy = policy;
	req.policy_len = sizeof(policy) - 1;
	d = decided(*state, &req);
	assert_string_equal(cimd_decision_trust(d), "unverified");
	assert_string_equal(cimd_decision_auth_method(d), "none");
	assert_false(cimd_decision_allows_method(d, "private_key_jwt"));
	cimd_decision_free(&d);
	req = asks(ONE, NULL); /* what a realm wants is for nobody else */
	d = decided(*state, &req);
	assert_true(cimd_decision_allows_method(d, "private_key_jwt"));
	cimd_decision_free(&d);
}

/* The development exception and a proxy show in every answer. */
static void
exceptions_show(void **state)
{
	static const struct {
		const char *more;
		uint64_t bits;
	} rows[] = {
		{ "", 0 },
		{ "\"development_loopback\":true,",
		    WARN_BIT(WARN_DEVELOPMENT_LOOPBACK) },
		{ "\"proxy\":\"http://egress.example.com:3128\","
		  "\"proxy_trust\":true,",
		    WARN_BIT(WARN_PROXY) },
	};
	const uint64_t all =
	    WARN_BIT(WARN_DEVELOPMENT_LOOPBACK) | WARN_BIT(WARN_PROXY);
	struct cimd_request req = asks(ONE, NULL);
	struct fixture *f = *state;
	struct cimd_decision *d;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(f, rows[i].more);
		d = decided(f, &req);
		assert_true((decision_of(d)->d.warnings & all) == rows[i].bits);
		cimd_decision_free(&d);
	}
}

/* The same question gets the same answer, and no work is done for it. */
static void
an_answer_is_shared(void **state)
{
	struct cimd_request req = asks(ONE, NULL), idp = asks(ONE, "idp");
	struct cimd_decision *first = decided(*state, &req), *again, *other;

	again = decided(*state, &req);
	assert_ptr_equal(again, first);
	req.redirect_uri = "https://one.example.com/cb";
	req.redirect_uri_len = strlen(req.redirect_uri);
	other = decided(*state, &req);
	assert_true(cimd_decision_redirect_ok(other));
	assert_false(cimd_decision_redirect_ok(again));
	assert_ptr_equal(cimd_decision_client(other),
	    cimd_decision_client(again));
	cimd_decision_free(&other);
	other = decided(*state, &idp);
	assert_ptr_not_equal(other, first);
	cimd_decision_free(&other);
	cimd_decision_free(&first);
	cimd_decision_free(&again);
}

/* ... but not for longer than it would be the same. */
static void
a_shared_answer_ends(void **state)
{
	static const char blocked[] =
	    "{\"state_dir\":\"\",\"client\":[{\"name\":\"one\","
	    "\"match\":\"" ONE "\",\"trust\":\"blocked\"}]}";
	static const char pinned[] =
	    "{\"state_dir\":\"\",\"client\":[{\"name\":\"one\","
	    "\"match\":\"" ONE "\",\"update\":\"pinned\"}]}";
	struct cimd_request req = asks(ONE, NULL);
	struct fixture *f = *state;
	struct cimd_decision *first = decided(f, &req), *d;

	req.policy = "{\"default\":\"deny\"}";
	req.policy_len = strlen(req.policy);
	ends_with(f, &req, CIMD_E_POLICY);
	req = asks(ONE, NULL);
	assert_int_equal(cimd_reload(f->r, blocked, sizeof(blocked) - 1,
			     &f->err),
	    CIMD_OK);
	ends_with(f, &req, CIMD_E_BLOCKED);
	assert_int_equal(cimd_reload(f->r, pinned, sizeof(pinned) - 1, &f->err),
	    CIMD_OK);
	d = decided(f, &req);
	assert_ptr_not_equal(d, first);
	cimd_decision_free(&first);
	first = decided(f, &req); /* by now the yardstick is stored */
	cimd_decision_free(&d);
	d = decided(f, &req);
	assert_ptr_not_equal(d, first); /* a tenant's word is asked each time */
	cimd_decision_free(&d);
	cimd_decision_free(&first);
}

/* Somebody who asks for one client all the time. */
struct eager {
	struct cimd *r;
	const char *consumer;
	_Atomic bool stop;
	pthread_t thread;
};

static void *
ask_on(void *arg)
{
	struct eager *a = arg;
	struct cimd_request req = asks(ONE, a->consumer);
	struct cimd_decision *d;

	while (!atomic_load(&a->stop)) {
		if (cimd_resolve(a->r, &req, &d, NULL) == CIMD_OK)
			assert_string_equal(cimd_decision_rule(d), "one");
		cimd_decision_free(&d);
	}
	return NULL;
}

static void
expect_ok(void *ctx, const struct cimd_reply *reply)
{
	(void)ctx;
	assert_int_equal(reply->status, 200);
}

static void
govern(struct fixture *f, const char *deed)
{
	static const char json[] = "{\"client_id\":\"" ONE "\"}";
	const struct cimd_message in = { deed, json, sizeof(json) - 1 };
	const struct cimd_caller admin = { .admin = true };

	cimd_call(f->r, &admin, &in, expect_ok, NULL);
}

static void
becomes(struct fixture *f, const char *config)
{
	assert_int_equal(cimd_reload(f->r, config, strlen(config), &f->err),
	    CIMD_OK);
}

/* When a change is done, no answer of before is given, whoever else asks. */
static void
changes_act_at_once(void **state)
{
	enum {
		ASKERS = 3,
		ROUNDS = 100
	};
	static const char *const names[ASKERS] = { NULL, "idp", "mail" };
	static const char shut[] =
	    "{\"state_dir\":\"\",\"client\":[{\"name\":\"one\","
	    "\"match\":\"" ONE "\",\"trust\":\"blocked\"}]}";
	struct cimd_request req = asks(ONE, NULL);
	struct fixture *f = *state;
	struct eager a[ASKERS] = { 0 };
	struct cimd_decision *d;
	char open[1024];
	size_t i;

	(void)snprintf(open, sizeof(open),
	    "{\"state_dir\":\"\",%s,\"client\":[{\"name\":\"one\","
	    "\"match\":\"" ONE "\",\"trust\":\"trusted\"}]}",
	    consumers);
	for (i = 0; i < ASKERS; i++) {
		a[i].r = f->r;
		a[i].consumer = names[i];
		assert_int_equal(pthread_create(&a[i].thread, NULL, ask_on,
				     &a[i]),
		    0);
	}
	for (i = 0; i < ROUNDS; i++) {
		govern(f, "deny");
		ends_with(f, &req, CIMD_E_BLOCKED);
		govern(f, "unblock");
		d = decided(f, &req);
		cimd_decision_free(&d);
		becomes(f, shut);
		ends_with(f, &req, CIMD_E_BLOCKED);
		becomes(f, open);
		d = decided(f, &req);
		cimd_decision_free(&d);
	}
	for (i = 0; i < ASKERS; i++) {
		atomic_store(&a[i].stop, true);
		assert_int_equal(pthread_join(a[i].thread, NULL), 0);
	}
}

static void *
open_it(void *arg)
{
	assert_int_equal(cimd_open(arg, NULL), CIMD_OK);
	return NULL;
}

/* A configuration may be new before the first question is answered. */
static void
reloads_while_it_opens(void **state)
{
	enum {
		ROUNDS = 50
	};
	static const char config[] = "{\"state_dir\":\"\"}";
	struct fixture *f = *state;
	pthread_t thread;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		cimd_free(&f->r);
		assert_int_equal(cimd_new(config, strlen(config), &f->r, NULL),
		    CIMD_OK);
		assert_int_equal(pthread_create(&thread, NULL, open_it, f->r),
		    0);
		becomes(f, config);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

/* An assertion for audience, by a key, with a jti; free() it. */
static char *
sign(struct fixture *f, const char *kid, const char *audience, int jti)
{
	static const char header[] = "{\"alg\":\"ES256\",\"kid\":\"p256\"}";
	char payload[512];

	(void)snprintf(payload, sizeof(payload),
	    "{\"iss\":\"" ONE "\",\"sub\":\"" ONE "\",\"aud\":\"%s\","
	    "\"exp\":%lld,\"jti\":\"%d\"}",
	    audience, (long long)clock_utc() + 60, jti);
	return signer_sign(f->signer, kid, "ES256", span_of(header),
	    span_of(payload));
}

/* One assertion ends with this code. */
static void
verifies(struct fixture *f, const struct cimd_request *req, const char *token,
    enum cimd_err e)
{
	f->err = (struct cimd_error){ 0 };
	assert_int_equal(cimd_verify_assertion(f->r, req, token, strlen(token),
			     &f->err),
	    e);
	assert_int_equal(f->err.code, e);
}

static void
assertion_counts_once(void **state)
{
	struct cimd_request idp = asks(ONE, "idp");
	struct fixture *f = *state;
	char *one = sign(f, "p256", AUDIENCE, 1);
	char *two = sign(f, "p256", AUDIENCE, 2);

	verifies(f, &idp, one, CIMD_OK);
	verifies(f, &idp, one, CIMD_E_REPLAY);
	verifies(f, &idp, two, CIMD_OK);
	assert_int_equal(cimd_verify_assertion(f->r, &idp, two, strlen(two),
			     NULL),
	    CIMD_E_REPLAY);
	free(one);
	free(two);
}

/* Nor does one that fails for another reason. */
static void
a_forgery_uses_up_no_jti(void **state)
{
	struct cimd_request idp = asks(ONE, "idp");
	struct fixture *f = *state;
	char *forged = sign(f, "p256-b", AUDIENCE, 3);
	char *good = sign(f, "p256", AUDIENCE, 3);

	verifies(f, &idp, forged, CIMD_E_ASSERTION);
	verifies(f, &idp, forged, CIMD_E_ASSERTION);
	verifies(f, &idp, good, CIMD_OK);
	verifies(f, &idp, forged, CIMD_E_ASSERTION);
	verifies(f, &idp, "a.b.c", CIMD_E_ASSERTION);
	verifies(f, &idp, "", CIMD_E_ASSERTION);
	free(forged);
	free(good);
}

static void
audience_is_the_consumers(void **state)
{
	struct cimd_request idp = asks(ONE, "idp"), mail = asks(ONE, "mail");
	struct cimd_request nobody = asks(ONE, NULL);
	struct fixture *f = *state;
	char *token = sign(f, "p256", AUDIENCE, 4);

	verifies(f, &mail, token, CIMD_E_ASSERTION);
	assert_non_null(strstr(f->err.text, "aud"));
	verifies(f, &nobody, token, CIMD_E_ASSERTION);
	assert_non_null(strstr(f->err.text, "no audiences"));
	verifies(f, &idp, token, CIMD_OK);
	free(token);
}

static void
method_must_be_allowed(void **state)
{
	static const char policy[] =
	    "{\"default\":\"unverified\",\"auth\":[\"none\"]}";
	struct cimd_request idp = asks(ONE, "idp");
	struct fixture *f = *state;
	char *token = sign(f, "p256", AUDIENCE, 5);

	idp.policy = policy;
	idp.policy_len = sizeof(policy) - 1;
	verifies(f, &idp, token, CIMD_E_AUTH_METHOD);
	idp = asks("https://two.example.com/c", "idp");
	verifies(f, &idp, token, CIMD_E_POLICY);
	free(token);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(decision_has_accessors),
		TEST(redirect_uri_is_judged),
		TEST(refusals_have_codes),
		TEST(a_realm_narrows_methods),
		TEST(exceptions_show),
		TEST(an_answer_is_shared),
		TEST(a_shared_answer_ends),
		TEST(changes_act_at_once),
		TEST(reloads_while_it_opens),
		TEST(assertion_counts_once),
		TEST(a_forgery_uses_up_no_jti),
		TEST(audience_is_the_consumers),
		TEST(method_must_be_allowed),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
