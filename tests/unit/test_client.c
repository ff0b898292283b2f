/*
 * test_client.c - the record and its flat bytes
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "client.h"
#include "json_scan.h"
#include "jwks.h"
#include "names.h"

/* Offsets of the layout that is stored; a change is a new version. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_CHECKSUM = 8,
	AT_WARNINGS = 16,
	AT_SIZE = 24,
	AT_GRANTS = 32,
	AT_METHODS = 36,
	AT_KEY_ALGS = 40,
	AT_APPLICATION = 44,
	AT_FLAGS = 48,
	AT_REDIRECTS = 52,
	AT_TEXT = 120,
	AT_JSON = AT_TEXT + 8 * CLIENT_TEXT_COUNT,
	AT_REDIRECT = AT_JSON + 8,
};

static void
fill_fields(struct client_fields *f)
{
	memset(f, 0, sizeof(*f));
	f->text[CLIENT_ID] = span_of("https://app.example.com/client");
	f->text[CLIENT_NAME] = span_of("An \"App\" \xc3\xa4");
	f->text[CLIENT_URI] = span_of("https://app.example.com/");
	f->text[CLIENT_LOGO_URI] = span_of("https://cdn.example.net/l.png");
	f->text[CLIENT_TOS_URI] = span_of("https://app.example.com/tos");
	f->text[CLIENT_POLICY_URI] = span_of("https://app.example.com/p");
	f->text[CLIENT_SCOPE] = span_of("mcp:* openid");
	f->text[CLIENT_SIGNING_ALG] = span_of("ES256");
	f->text[CLIENT_SOFTWARE_ID] = span_of("app");
	f->text[CLIENT_SOFTWARE_VERSION] = span_of("1.2");
	f->text[CLIENT_CONTACTS] = span_of("[\"a@example.com\"]");
	f->text[CLIENT_NAMES] = span_of("{\"client_name#de\":\"Eine App\"}");
	f->text[CLIENT_JWKS_URI] = span_of("https://app.example.com/jwks");
	f->text[CLIENT_JWKS] = span_of("{\"keys\":[]}");
	f->redirect[0].uri = span_of("https://app.example.com/cb");
	f->redirect[1].uri = span_of("http://127.0.0.1/cb");
	f->redirect[1].kind = REDIRECT_LOOPBACK;
	f->redirect[2].uri = span_of("com.example.app:/cb");
	f->redirect[2].kind = REDIRECT_SCHEME;
	f->n_redirects = 3;
	f->grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN;
	f->methods = METHOD_NONE | METHOD_PRIVATE_KEY_JWT;
	f->key_algs = ALG_ES256 | ALG_ES384 | ALG_PS256 | ALG_RS256 | ALG_EDDSA;
	f->application_type = APPLICATION_NATIVE;
	f->response_code = true;
	f->dpop_bound = true;
	f->warnings = WARN_BIT(WARN_REDIRECT_HTTP);
	memset(f->document_sha256, 1, 32);
	memset(f->jwks_sha256, 2, 32);
	f->document_len = 1234;
}

static const char full_json[] =
    "{\"client_id\":\"https://app.example.com/client\","
    "\"client_name\":\"An \\\"App\\\" \xc3\xa4\","
    "\"client_name#de\":\"Eine App\","
    "\"client_uri\":\"https://app.example.com/\","
    "\"logo_uri\":\"https://cdn.example.net/l.png\","
    "\"tos_uri\":\"https://app.example.com/tos\","
    "\"policy_uri\":\"https://app.example.com/p\","
    "\"redirect_uris\":[\"https://app.example.com/cb\","
    "\"http://127.0.0.1/cb\",\"com.example.app:/cb\"],"
    "\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
    "\"response_types\":[\"code\"],"
    "\"token_endpoint_auth_method\":\"private_key_jwt\","
    "\"token_endpoint_auth_methods_supported\":"
    "[\"none\",\"private_key_jwt\"],"
    "\"token_endpoint_auth_signing_alg\":\"ES256\","
    "\"jwks\":{\"keys\":[]},"
    "\"scope\":\"mcp:* openid\","
    "\"software_id\":\"app\",\"software_version\":\"1.2\","
    "\"contacts\":[\"a@example.com\"],"
    "\"application_type\":\"native\","
    "\"dpop_bound_access_tokens\":true}";

static struct cimd_client *
built(const struct client_fields *f)
{
	struct cimd_client *c = NULL;
	struct cimd_error err = { 0 };

	assert_int_equal(client_build(f, &c, &err), CIMD_OK);
	return c;
}

static void
same_fields(const struct client_fields *a, const struct client_fields *b)
{
	size_t i;

	for (i = 0; i < CLIENT_TEXT_COUNT; i++)
		assert_true(span_eq(a->text[i], b->text[i]));
	assert_int_equal(a->n_redirects, b->n_redirects);
	for (i = 0; i < a->n_redirects; i++) {
		assert_true(span_eq(a->redirect[i].uri, b->redirect[i].uri));
		assert_int_equal(a->redirect[i].kind, b->redirect[i].kind);
	}
	assert_int_equal(a->grants, b->grants);
	assert_int_equal(a->methods, b->methods);
	assert_int_equal(a->key_algs, b->key_algs);
	assert_int_equal(a->application_type, b->application_type);
	assert_int_equal(a->response_code, b->response_code);
	assert_int_equal(a->dpop_bound, b->dpop_bound);
	assert_int_equal(a->warnings, b->warnings);
	assert_memory_equal(a->document_sha256, b->document_sha256, 32);
	assert_memory_equal(a->jwks_sha256, b->jwks_sha256, 32);
	assert_int_equal(a->document_len, b->document_len);
}

static void
gives_back_what_it_took(void **state)
{
	static struct client_fields f, again;
	struct cimd_client *c, *loaded = NULL;
	struct cimd_error err = { 0 };
	struct span bytes;

	(void)state;
	fill_fields(&f);
	c = built(&f);
	client_fields(c, &again);
	same_fields(&f, &again);
	bytes = client_bytes(c);
	assert_int_equal(client_load(bytes, &loaded, &err), CIMD_OK);
	assert_true(span_eq(client_bytes(loaded), bytes));
	client_fields(loaded, &again);
	same_fields(&f, &again);
	cimd_client_free(&loaded);
	cimd_client_free(&c);
	assert_null(c);
}

static void
flags_are_told_apart(void **state)
{
	static struct client_fields f, again;
	struct cimd_client *c;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		fill_fields(&f);
		f.response_code = (i & 1) != 0;
		f.dpop_bound = (i & 2) != 0;
		c = built(&f);
		client_fields(c, &again);
		same_fields(&f, &again);
		cimd_client_free(&c);
	}
}

static void
has_accessors(void **state)
{
	struct client_fields f;
	struct cimd_client *c;
	size_t n = 0;

	(void)state;
	fill_fields(&f);
	c = built(&f);
	assert_string_equal(cimd_client_id(c),
	    "https://app.example.com/client");
	assert_string_equal(client_text(c, CLIENT_JWKS_URI),
	    "https://app.example.com/jwks");
	assert_string_equal(cimd_client_get(c, "logo_uri"),
	    "https://cdn.example.net/l.png");
	assert_string_equal(cimd_client_get(c, "scope"), "mcp:* openid");
	assert_string_equal(cimd_client_get(c, "application_type"), "native");
	assert_string_equal(cimd_client_get(c, "token_endpoint_auth_method"),
	    "private_key_jwt");
	assert_null(cimd_client_get(c, "jwks_uri"));
	assert_null(cimd_client_get(c, "jwks"));
	assert_null(cimd_client_get(c, "client_name#de"));
	assert_null(cimd_client_get(c, ""));
	assert_int_equal(cimd_client_redirects(c), 3);
	assert_string_equal(cimd_client_redirect(c, 1), "http://127.0.0.1/cb");
	assert_null(cimd_client_redirect(c, 3));
	assert_string_equal(cimd_client_json(c, &n), full_json);
	assert_int_equal(n, strlen(full_json));
	assert_non_null(cimd_client_json(c, NULL));
	assert_int_equal(json_scan(span_of(full_json), NULL), CIMD_OK);
	cimd_client_free(&c);
}

/* What is not there is left out, or said to be nothing. */
static void
small_json(void **state)
{
	struct client_fields f = { 0 };
	struct cimd_client *c;

	(void)state;
	f.text[CLIENT_ID] = span_of("https://a.example/c");
	f.text[CLIENT_NAMES] = span_of("{}");
	f.text[CLIENT_JWKS] = span_of("{\"keys\":[]}");
	f.text[CLIENT_SIGNING_ALG] = span_of("ES256");
	f.methods = METHOD_NONE;
	f.grants = GRANT_CLIENT_CREDENTIALS;
	f.response_code = true;
	f.application_type = APPLICATION_WEB;
	c = built(&f);
	assert_string_equal(cimd_client_json(c, NULL),
	    "{\"client_id\":\"https://a.example/c\",\"redirect_uris\":[],"
	    "\"grant_types\":[\"client_credentials\"],\"response_types\":[],"
	    "\"token_endpoint_auth_method\":\"none\","
	    "\"token_endpoint_auth_methods_supported\":[\"none\"],"
	    "\"application_type\":\"web\"}");
	assert_null(cimd_client_get(c, "client_name"));
	cimd_client_free(&c);
	f.application_type = APPLICATION_UNKNOWN;
	f.methods = 0;
	f.grants = GRANT_AUTHORIZATION_CODE;
	f.response_code = false;
	c = built(&f);
	assert_string_equal(cimd_client_json(c, NULL),
	    "{\"client_id\":\"https://a.example/c\",\"redirect_uris\":[],"
	    "\"grant_types\":[\"authorization_code\"],\"response_types\":[],"
	    "\"token_endpoint_auth_methods_supported\":[]}");
	assert_null(cimd_client_get(c, "application_type"));
	assert_null(cimd_client_get(c, "token_endpoint_auth_method"));
	cimd_client_free(&c);
}

static enum cimd_err
load_bytes(const unsigned char *bytes, size_t n, struct cimd_error *err)
{
	struct span s = { (const char *)bytes, n };
	struct cimd_client *c = NULL;
	enum cimd_err e = client_load(s, &c, err);

	assert_true((c == NULL) == (e != CIMD_OK));
	cimd_client_free(&c);
	return e;
}

static void
size_is_limited(void **state)
{
	struct client_fields f;
	struct cimd_client *c = NULL;
	struct cimd_error err = { 0 };
	char *much = malloc(CIMD_MAX_RECORD + 10);

	(void)state;
	assert_non_null(much);
	memset(much, 'a', CIMD_MAX_RECORD + 10);
	fill_fields(&f);
	f.text[CLIENT_SCOPE].p = much;
	f.text[CLIENT_SCOPE].n = CIMD_MAX_RECORD;
	assert_int_equal(client_build(&f, &c, &err), CIMD_E_TOO_BIG);
	assert_string_equal(err.section, "9.7");
	assert_null(c);
	f.text[CLIENT_SCOPE].n = CIMD_MAX_RECORD / 2;
	assert_int_equal(client_build(&f, &c, &err), CIMD_E_TOO_BIG);
	/* The JSON has no jwks_uri, so each byte of it counts once. */
	fill_fields(&f);
	c = built(&f);
	f.text[CLIENT_JWKS_URI].p = much;
	f.text[CLIENT_JWKS_URI].n += CIMD_MAX_RECORD - client_bytes(c).n;
	cimd_client_free(&c);
	c = built(&f);
	assert_int_equal(client_bytes(c).n, CIMD_MAX_RECORD);
	assert_int_equal(load_bytes((const unsigned char *)client_bytes(c).p,
			     CIMD_MAX_RECORD, &err),
	    CIMD_OK);
	cimd_client_free(&c);
	f.text[CLIENT_JWKS_URI].n++;
	assert_int_equal(client_build(&f, &c, &err), CIMD_E_TOO_BIG);
	free(much);
}

/* FNV-1a over all behind the checksum, as the library has it. */
static void
sign(unsigned char *bytes, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = AT_WARNINGS; i < n; i++) {
		hash ^= bytes[i];
		hash *= UINT64_C(0x100000001b3);
	}
	memcpy(bytes + AT_CHECKSUM, &hash, 8);
}

/* A copy of the record's bytes, in a block of exactly n bytes. */
static unsigned char *
copy_of(const struct cimd_client *c, size_t n)
{
	unsigned char *copy = malloc(n == 0 ? 1 : n);

	assert_non_null(copy);
	memcpy(copy, client_bytes(c).p, n);
	return copy;
}

/* Each byte of a stored record counts. */
static void
any_flipped_byte_is_found(void **state)
{
	struct client_fields f;
	struct cimd_client *c;
	unsigned char *copy;
	size_t i, n;

	(void)state;
	fill_fields(&f);
	c = built(&f);
	n = client_bytes(c).n;
	copy = copy_of(c, n);
	assert_int_equal(load_bytes(copy, n, NULL), CIMD_OK);
	for (i = 0; i < n; i++) {
		copy[i] ^= 0x10;
		assert_int_equal(load_bytes(copy, n, NULL), CIMD_E_STORE);
		copy[i] ^= 0x10;
	}
	free(copy);
	for (i = 0; i < n; i++) {
		copy = copy_of(c, i);
		if (i >= AT_REDIRECT)
			sign(copy, i);
		assert_int_equal(load_bytes(copy, i, NULL), CIMD_E_STORE);
		free(copy);
	}
	cimd_client_free(&c);
}

/* A 32-bit word at an offset that becomes a value, with a right checksum. */
struct damage {
	size_t at;
	uint32_t value;
	const char *text;
};

static const struct damage damages[] = {
	{ AT_MAGIC, 0x444d4943, "another version or machine" },
	{ AT_VERSION, 2, "another version or machine" },
	{ AT_SIZE, 1, "wrong checksum" },
	{ AT_SIZE, 0xffffffff, "wrong checksum" },
	{ AT_WARNINGS + 4, 0x80000000, "unknown warning" },
	{ AT_GRANTS, 256, "unknown grant" },
	{ AT_METHODS, 4, "unknown authentication method" },
	{ AT_KEY_ALGS, 32, "unknown algorithm" },
	{ AT_APPLICATION, 3, "unknown application type" },
	{ AT_FLAGS, 4, "unknown flag" },
	{ AT_REDIRECTS, 65, "too many redirect URIs" },
	{ AT_REDIRECTS, 0xffffffff, "too many redirect URIs" },
	{ AT_REDIRECTS, 64, "unknown kind of redirect URI" },
	{ AT_REDIRECTS, 2, "a string out of its place" },
	{ AT_REDIRECT + 8, 3, "unknown kind of redirect URI" },
	{ AT_TEXT, 0, "no client_id or no JSON" },
	{ AT_TEXT, 1, "a string out of its place" },
	{ AT_TEXT, 0xffffffff, "a string out of its place" },
	{ AT_TEXT + 4, 0xffffffff, "a string out of its place" },
	{ AT_TEXT + 4, 29, "a string without its end" },
	{ AT_TEXT + 4, 31, "a string without its end" },
	{ AT_TEXT + 8, 0, "a string out of its place" },
	{ AT_JSON, 0, "no client_id or no JSON" },
	{ AT_JSON + 4, 0, "a string without its end" },
	{ AT_REDIRECT, 0, "a string out of its place" },
	{ AT_REDIRECT + 24, 8, "a string out of its place" },
};

static void
each_number_is_checked(void **state)
{
	struct client_fields f;
	struct cimd_error err;
	struct cimd_client *c;
	unsigned char *copy;
	size_t i, n;

	(void)state;
	fill_fields(&f);
	c = built(&f);
	n = client_bytes(c).n;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		copy = copy_of(c, n);
		memcpy(copy + damages[i].at, &damages[i].value, 4);
		sign(copy, n);
		memset(&err, 0, sizeof(err));
		assert_int_equal(load_bytes(copy, n, &err), CIMD_E_STORE);
		if (strstr(err.text, damages[i].text) == NULL)
			fail_msg("damage %zu: %s", i, err.text);
		free(copy);
	}
	cimd_client_free(&c);
}

static void
ends_are_checked(void **state)
{
	struct client_fields f;
	struct cimd_error err = { 0 };
	struct cimd_client *c;
	unsigned char *copy;
	uint32_t size;
	size_t n;

	(void)state;
	fill_fields(&f);
	c = built(&f);
	n = client_bytes(c).n;
	copy = malloc(n + 1);
	assert_non_null(copy);
	memcpy(copy, client_bytes(c).p, n);
	copy[n] = 0;
	size = (uint32_t)n + 1;
	memcpy(copy + AT_SIZE, &size, 4);
	sign(copy, n + 1);
	assert_int_equal(load_bytes(copy, n + 1, &err), CIMD_E_STORE);
	assert_non_null(strstr(err.text, "bytes after the last string"));
	memcpy(copy, client_bytes(c).p, n);
	copy[n - 1] = 'x';
	sign(copy, n);
	assert_int_equal(load_bytes(copy, n, &err), CIMD_E_STORE);
	assert_non_null(strstr(err.text, "a string without its end"));
	memcpy(&size, copy + AT_REDIRECT + 24 + 4, 4);
	size++;
	memcpy(copy + AT_REDIRECT + 24 + 4, &size, 4);
	sign(copy, n);
	assert_int_equal(load_bytes(copy, n, &err), CIMD_E_STORE);
	assert_non_null(strstr(err.text, "a string out of its place"));
	free(copy);
	copy = calloc(1, CIMD_MAX_RECORD + 1);
	assert_non_null(copy);
	assert_int_equal(load_bytes(copy, CIMD_MAX_RECORD + 1, &err),
	    CIMD_E_STORE);
	assert_non_null(strstr(err.text, "wrong size"));
	free(copy);
	cimd_client_free(&c);
}

static void
names_and_bits_agree(void **state)
{
	uint32_t bit;

	(void)state;
	for (bit = 1; bit <= GRANT_IMPLICIT; bit <<= 1) {
		assert_non_null(names_grant(bit));
		assert_int_equal(names_grant_bit(span_of(names_grant(bit))),
		    bit);
	}
	assert_null(names_grant(2 * GRANT_IMPLICIT));
	assert_null(names_grant(GRANT_IMPLICIT | GRANT_CIBA));
	assert_int_equal(names_grant_bit(span_of("password")), 0);
	assert_int_equal(names_grant_bit(span_of("Implicit")), 0);
	assert_int_equal(names_method_bit(span_of("none")), METHOD_NONE);
	assert_int_equal(names_method_bit(span_of("private_key_jwt")),
	    METHOD_PRIVATE_KEY_JWT);
	assert_int_equal(names_method_bit(span_of("client_secret_jwt")), 0);
	assert_null(names_method(3));
	assert_int_equal(names_preferred_method(3), METHOD_PRIVATE_KEY_JWT);
	assert_int_equal(names_preferred_method(1), METHOD_NONE);
	assert_int_equal(names_preferred_method(0), 0);
}

static bool
build_and_load(void *ctx)
{
	struct cimd_client *c = NULL, *loaded = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = client_build(ctx, &c, &err);
	if (e == CIMD_OK)
		e = client_load(client_bytes(c), &loaded, &err);
	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	cimd_client_free(&loaded);
	cimd_client_free(&c);
	return e == CIMD_OK;
}

static void
survives_no_memory(void **state)
{
	struct client_fields f;

	(void)state;
	fill_fields(&f);
	assert_int_equal(alloc_sweep(build_and_load, &f), 4);
	cimd_client_free(NULL);
}

static void *
take_and_drop(void *ctx)
{
	struct cimd_client *c;
	int i;

	for (i = 0; i < 20000; i++) {
		c = client_ref(ctx);
		cimd_client_free(&c);
	}
	c = ctx;
	cimd_client_free(&c);
	return NULL;
}

/* For ThreadSanitizer and AddressSanitizer: freed once, by the last one. */
static void
references_count_in_threads(void **state)
{
	struct client_fields f;
	struct cimd_client *c;
	pthread_t threads[4];
	size_t i;

	(void)state;
	fill_fields(&f);
	c = built(&f);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     take_and_drop, client_ref(c)),
		    0);
	cimd_client_free(&c);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_it_took),
		cmocka_unit_test(flags_are_told_apart),
		cmocka_unit_test(has_accessors),
		cmocka_unit_test(small_json),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(any_flipped_byte_is_found),
		cmocka_unit_test(each_number_is_checked),
		cmocka_unit_test(ends_are_checked),
		cmocka_unit_test(names_and_bits_agree),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(references_count_in_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
