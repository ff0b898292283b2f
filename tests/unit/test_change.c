/*
 * test_change.c - what changed, and what may still be served
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "change.h"

#define KEY_1                                                                  \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"one\","                \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define KEY_2                                                                  \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"two\","                   \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
/* The same as jwks_json() writes them. */
#define KEY_1_CANONICAL                                                        \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","                                \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","               \
	"\"kid\":\"one\"}"
#define KEY_2_CANONICAL                                                        \
	"{\"kty\":\"EC\",\"crv\":\"P-256\","                                   \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","               \
	"\"kid\":\"two\"}"
/* The key of KEY_2 under the name of KEY_1. */
#define KEY_1_REPLACED                                                         \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\","                   \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

static struct client_fields
base(void)
{
	struct client_fields f = { 0 };

	f.text[CLIENT_ID] = span_of("https://a.example.com/c");
	f.text[CLIENT_NAME] = span_of("A");
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_1 "," KEY_2 "]}");
	f.redirect[0].uri = span_of("https://a.example.com/cb");
	f.redirect[1].uri = span_of("http://127.0.0.1/cb");
	f.redirect[1].kind = REDIRECT_LOOPBACK;
	f.n_redirects = 2;
	f.grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN;
	f.methods = METHOD_NONE | METHOD_PRIVATE_KEY_JWT;
	f.key_algs = 1 | 16;
	f.response_code = true;
	return f;
}

static struct cimd_client *
build(const struct client_fields *f)
{
	struct cimd_client *c;
	struct cimd_error err = { 0 };

	if (client_build(f, &c, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	return c;
}

/* The class of going from base() to f. */
static uint32_t
classify(const struct client_fields *f)
{
	struct client_fields b = base();
	struct cimd_client *was = build(&b), *is = build(f);
	uint32_t bits = change_classify(was, is);

	cimd_client_free(&was);
	cimd_client_free(&is);
	return bits;
}

static void
nothing_changed(void **state)
{
	struct client_fields f = base();

	(void)state;
	assert_int_equal(classify(&f), 0);
	assert_string_equal(change_severity(0), "none");
}

static void
keys_are_told_by_material(void **state)
{
	struct client_fields f = base();

	(void)state;
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_2 "," KEY_1 "]}");
	assert_int_equal(classify(&f), 0);
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_2 "]}");
	assert_int_equal(classify(&f), CHANGE_KEYS_REMOVED);
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_1_REPLACED "]}");
	assert_int_equal(classify(&f), CHANGE_KEYS_REMOVED);
	f.text[CLIENT_JWKS] = span_of(NULL);
	assert_int_equal(classify(&f), CHANGE_KEYS_REMOVED);
	assert_string_equal(change_severity(CHANGE_KEYS_REMOVED | CHANGE_OTHER),
	    "keys");
}

static void
members_have_their_class(void **state)
{
	struct client_fields f = base();

	(void)state;
	f.redirect[0].uri = span_of("https://b.example.com/cb");
	assert_int_equal(classify(&f),
	    CHANGE_REDIRECTS_ADDED | CHANGE_REDIRECTS_REMOVED);
	f = base();
	f.methods = METHOD_NONE;
	assert_int_equal(classify(&f), CHANGE_METHODS_REMOVED);
	f = base();
	f.grants |= GRANT_DEVICE_CODE;
	f.grants &= ~(uint32_t)GRANT_REFRESH_TOKEN;
	assert_int_equal(classify(&f),
	    CHANGE_GRANTS_ADDED | CHANGE_GRANTS_REMOVED);
	f = base();
	f.text[CLIENT_LOGO_URI] = span_of("https://a.example.com/l.png");
	assert_int_equal(classify(&f), CHANGE_DISPLAY);
	f = base();
	f.text[CLIENT_SCOPE] = span_of("mcp");
	assert_int_equal(classify(&f), CHANGE_OTHER);
	f = base();
	f.dpop_bound = true;
	assert_int_equal(classify(&f), CHANGE_OTHER);
	assert_string_equal(change_severity(CHANGE_REDIRECTS_ADDED),
	    "redirect_uris");
	assert_string_equal(change_severity(CHANGE_METHODS_ADDED),
	    "auth_method");
	assert_string_equal(change_severity(CHANGE_DISPLAY), "display");
	assert_string_equal(change_severity(CHANGE_GRANTS_ADDED), "other");
}

/* What is served of base() while f is live; NULL: e says why. */
static struct cimd_client *
served(const struct client_fields *live, enum cimd_err *e)
{
	struct client_fields b = base();
	struct cimd_client *approved = build(&b), *is = build(live), *out;
	struct cimd_error err = { 0 };

	*e = change_serve(approved, is, &out, &err);
	if (*e != CIMD_OK)
		assert_string_equal(err.section, "9.4");
	cimd_client_free(&approved);
	cimd_client_free(&is);
	return out;
}

static void
additions_wait(void **state)
{
	struct client_fields f = base(), got;
	struct cimd_client *c;
	enum cimd_err e;

	(void)state;
	f.redirect[2].uri = span_of("https://new.example.com/cb");
	f.n_redirects = 3;
	f.grants |= GRANT_DEVICE_CODE;
	f.text[CLIENT_NAME] = span_of("B");
	c = served(&f, &e);
	assert_int_equal(e, CIMD_OK);
	client_fields(c, &got);
	assert_int_equal(got.n_redirects, 2);
	assert_true(span_is(got.text[CLIENT_NAME], "A"));
	assert_int_equal(got.grants & GRANT_DEVICE_CODE, 0);
	cimd_client_free(&c);
}

static void
removals_act_at_once(void **state)
{
	struct client_fields f = base(), got;
	struct cimd_client *c;
	enum cimd_err e;

	(void)state;
	f.redirect[0] = f.redirect[1];
	f.n_redirects = 1;
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_2 "]}");
	f.grants = GRANT_AUTHORIZATION_CODE;
	c = served(&f, &e);
	assert_int_equal(e, CIMD_OK);
	client_fields(c, &got);
	assert_int_equal(got.n_redirects, 1);
	assert_true(span_is(got.redirect[0].uri, "http://127.0.0.1/cb"));
	assert_non_null(strstr(got.text[CLIENT_JWKS].p, "\"two\""));
	assert_null(strstr(got.text[CLIENT_JWKS].p, "\"one\""));
	assert_int_equal(got.key_algs, 1);
	assert_int_equal(got.grants, GRANT_AUTHORIZATION_CODE);
	cimd_client_free(&c);
}

static void
without_keys_the_method_goes(void **state)
{
	struct client_fields f = base(), got;
	struct cimd_client *c;
	enum cimd_err e;

	(void)state;
	f.text[CLIENT_JWKS] = span_of(NULL);
	f.key_algs = 0;
	c = served(&f, &e);
	assert_int_equal(e, CIMD_OK);
	client_fields(c, &got);
	assert_int_equal(got.methods, METHOD_NONE);
	assert_null(got.text[CLIENT_JWKS].p);
	cimd_client_free(&c);
}

static void
nothing_left_refuses(void **state)
{
	struct client_fields f = base();
	enum cimd_err e;

	(void)state;
	f.redirect[0].uri = span_of("https://new.example.com/cb");
	f.n_redirects = 1;
	assert_null(served(&f, &e));
	assert_int_equal(e, CIMD_E_REDIRECT_URIS);
	f = base();
	f.methods = METHOD_PRIVATE_KEY_JWT;
	f.text[CLIENT_JWKS] = span_of(NULL);
	assert_null(served(&f, &e));
	assert_int_equal(e, CIMD_E_AUTH_METHOD);
	f = base();
	f.grants = GRANT_DEVICE_CODE;
	assert_null(served(&f, &e));
	assert_int_equal(e, CIMD_E_METADATA);
}

static void
differences_are_listed(void **state)
{
	struct client_fields a = base(), b = base();
	struct cimd_client *was, *is;
	struct json_object *diff;
	struct cimd_error err;

	(void)state;
	b.redirect[1].uri = span_of("http://127.0.0.1/new");
	b.text[CLIENT_NAME] = span_of("B");
	b.text[CLIENT_SCOPE] = span_of("mcp");
	b.methods = METHOD_NONE;
	b.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_1 "]}");
	b.application_type = APPLICATION_NATIVE;
	was = build(&a);
	is = build(&b);
	assert_int_equal(change_diff(was, is, &diff, &err), CIMD_OK);
	assert_string_equal(json_object_to_json_string_ext(diff,
				JSON_C_TO_STRING_PLAIN |
				    JSON_C_TO_STRING_NOSLASHESCAPE),
	    "{\"keys\":{\"removed\":[\"{\\\"kty\\\":\\\"EC\\\","
	    "\\\"crv\\\":\\\"P-256\\\","
	    "\\\"x\\\":\\\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\\\","
	    "\\\"y\\\":\\\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\\\","
	    "\\\"kid\\\":\\\"two\\\"}\"],\"added\":[]},"
	    "\"redirect_uris\":{\"removed\":[\"http://127.0.0.1/cb\"],"
	    "\"added\":[\"http://127.0.0.1/new\"]},"
	    "\"auth_methods\":{\"removed\":[\"private_key_jwt\"],"
	    "\"added\":[]},"
	    "\"client_name\":{\"removed\":[\"A\"],\"added\":[\"B\"]},"
	    "\"scope\":{\"removed\":[],\"added\":[\"mcp\"]},"
	    "\"application_type\":{\"removed\":[],\"added\":[\"native\"]}}");
	json_object_put(diff);
	assert_int_equal(change_diff(was, was, &diff, &err), CIMD_OK);
	assert_int_equal(json_object_object_length(diff), 0);
	json_object_put(diff);
	cimd_client_free(&was);
	cimd_client_free(&is);
}

/* Every member of a record counts, and shows in the difference. */
static void
no_member_is_forgotten(void **state)
{
	static const struct {
		enum client_text text;
		uint32_t class;
		const char *member;
	} rows[] = {
		{ CLIENT_NAME, CHANGE_DISPLAY, "client_name" },
		{ CLIENT_URI, CHANGE_DISPLAY, "client_uri" },
		{ CLIENT_LOGO_URI, CHANGE_DISPLAY, "logo_uri" },
		{ CLIENT_TOS_URI, CHANGE_DISPLAY, "tos_uri" },
		{ CLIENT_POLICY_URI, CHANGE_DISPLAY, "policy_uri" },
		{ CLIENT_NAMES, CHANGE_DISPLAY, "client_name#" },
		{ CLIENT_SCOPE, CHANGE_OTHER, "scope" },
		{ CLIENT_SIGNING_ALG, CHANGE_OTHER,
		    "token_endpoint_auth_signing_alg" },
		{ CLIENT_SOFTWARE_ID, CHANGE_OTHER, "software_id" },
		{ CLIENT_SOFTWARE_VERSION, CHANGE_OTHER, "software_version" },
		{ CLIENT_CONTACTS, CHANGE_OTHER, "contacts" },
		{ CLIENT_JWKS_URI, CHANGE_OTHER, "jwks_uri" },
	};
	struct cimd_client *was, *is;
	struct client_fields f = base();
	struct json_object *diff;
	size_t i;

	(void)state;
	/* client_id is the same, and jwks is compared by key. */
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), CLIENT_TEXT_COUNT - 2);
	was = build(&f);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f = base();
		f.text[rows[i].text] = span_of("{}");
		is = build(&f);
		assert_int_equal(change_classify(was, is), rows[i].class);
		assert_int_equal(change_diff(was, is, &diff, NULL), CIMD_OK);
		assert_int_equal(json_object_object_length(diff), 1);
		assert_true(
		    json_object_object_get_ex(diff, rows[i].member, NULL));
		json_object_put(diff);
		cimd_client_free(&is);
	}
	cimd_client_free(&was);
}

static void
flags_count_as_other(void **state)
{
	struct client_fields f = base();

	(void)state;
	f.response_code = false;
	assert_int_equal(classify(&f), CHANGE_OTHER);
	f = base();
	f.application_type = APPLICATION_WEB;
	assert_int_equal(classify(&f), CHANGE_OTHER);
}

static void
all_keys_come_and_go(void **state)
{
	struct client_fields a = base(), b = base();
	struct cimd_client *was, *is;
	struct json_object *diff, *keys;

	(void)state;
	b.text[CLIENT_JWKS] = span_of(NULL);
	was = build(&a);
	is = build(&b);
	assert_int_equal(change_diff(is, was, &diff, NULL), CIMD_OK);
	keys = json_object_object_get(diff, "keys");
	assert_int_equal(json_object_array_length(
			     json_object_object_get(keys, "added")),
	    2);
	assert_int_equal(json_object_array_length(
			     json_object_object_get(keys, "removed")),
	    0);
	json_object_put(diff);
	cimd_client_free(&was);
	cimd_client_free(&is);
}

/* Everything at once: no class hides another. */
static void
classes_add_up(void **state)
{
	struct client_fields a = base(), b = base();
	struct cimd_client *was, *is;

	(void)state;
	a.methods = METHOD_NONE;
	a.grants = GRANT_CIBA;
	a.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_1 "]}");
	b.methods = METHOD_PRIVATE_KEY_JWT;
	b.text[CLIENT_NAME] = span_of("B");
	b.text[CLIENT_SCOPE] = span_of("b");
	b.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_2 "]}");
	b.redirect[1].uri = span_of("http://127.0.0.1/new");
	was = build(&a);
	is = build(&b);
	assert_int_equal(change_classify(was, is), 1023);
	cimd_client_free(&was);
	cimd_client_free(&is);
}

/* All that both have is kept, in order and as JSON. */
static void
what_both_have_is_kept(void **state)
{
	struct client_fields f = base(), got;
	struct cimd_client *c;
	enum cimd_err e;

	(void)state;
	f.text[CLIENT_NAME] = span_of("B");
	c = served(&f, &e);
	assert_int_equal(e, CIMD_OK);
	client_fields(c, &got);
	assert_true(span_is(got.text[CLIENT_JWKS],
	    "{\"keys\":[" KEY_1_CANONICAL "," KEY_2_CANONICAL "]}"));
	assert_int_equal(got.key_algs, 1 | 16);
	assert_true(got.response_code);
	cimd_client_free(&c);
	f.response_code = false;
	c = served(&f, &e);
	assert_int_equal(e, CIMD_OK);
	client_fields(c, &got);
	assert_false(got.response_code);
	cimd_client_free(&c);
}

/* A client that never had a redirect URI does not lack one. */
static void
no_redirects_are_no_loss(void **state)
{
	struct client_fields a = base(), b = base();
	struct cimd_client *approved, *live, *out = NULL;

	(void)state;
	a.n_redirects = 0;
	b.n_redirects = 1;
	approved = build(&a);
	live = build(&b);
	assert_int_equal(change_serve(approved, live, &out, NULL), CIMD_OK);
	assert_int_equal(cimd_client_redirects(out), 0);
	cimd_client_free(&out);
	cimd_client_free(&live);
	cimd_client_free(&approved);
}

struct pair {
	struct cimd_client *was, *is;
};

/* Keys that cannot be compared count as changed, so that nothing is missed. */
static bool
try_classify(void *ctx)
{
	const struct pair *p = ctx;
	uint32_t bits = change_classify(p->was, p->is);

	if ((bits & CHANGE_REDIRECTS_REMOVED) != 0)
		return true;
	assert_int_equal(bits, CHANGE_KEYS_ADDED | CHANGE_KEYS_REMOVED);
	return false;
}

static bool
try_serve(void *ctx)
{
	const struct pair *p = ctx;
	struct cimd_client *out = NULL;
	enum cimd_err e = change_serve(p->was, p->is, &out, NULL);

	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	assert_true((out == NULL) == (e != CIMD_OK));
	cimd_client_free(&out);
	return e == CIMD_OK;
}

static bool
try_diff(void *ctx)
{
	const struct pair *p = ctx;
	struct json_object *out = NULL;
	enum cimd_err e = change_diff(p->was, p->is, &out, NULL);

	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	assert_true((out == NULL) == (e != CIMD_OK));
	json_object_put(out);
	return e == CIMD_OK;
}

static void
survives_no_memory(void **state)
{
	struct client_fields f = base();
	struct pair p;

	(void)state;
	p.was = build(&f);
	f.n_redirects = 1;
	f.text[CLIENT_NAME] = span_of("B");
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[" KEY_2 "]}");
	p.is = build(&f);
	assert_true(alloc_sweep(try_classify, &p) > 10);
	assert_true(alloc_sweep(try_serve, &p) > 10);
	assert_true(alloc_sweep(try_diff, &p) > 10);
	cimd_client_free(&p.was);
	cimd_client_free(&p.is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(keys_are_told_by_material),
		cmocka_unit_test(members_have_their_class),
		cmocka_unit_test(additions_wait),
		cmocka_unit_test(removals_act_at_once),
		cmocka_unit_test(without_keys_the_method_goes),
		cmocka_unit_test(nothing_left_refuses),
		cmocka_unit_test(differences_are_listed),
		cmocka_unit_test(no_member_is_forgotten),
		cmocka_unit_test(flags_count_as_other),
		cmocka_unit_test(all_keys_come_and_go),
		cmocka_unit_test(classes_add_up),
		cmocka_unit_test(what_both_have_is_kept),
		cmocka_unit_test(no_redirects_are_no_loss),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
