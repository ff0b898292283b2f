/*
 * test_jwks.c - JWK sets
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "alloc.h"
#include "base64url.h"
#include "cases.h"
#include "json_scan.h"
#include "jwks.h"

/* The algorithms of a line such as "algs: PS256 RS256". */
static uint32_t
alg_bits(struct span names)
{
	uint32_t bits = 0;
	struct span name = { names.p, 0 };
	size_t i;

	for (i = 0; i < names.n; i++) {
		if (names.p[i] != ' ') {
			name.n++;
			continue;
		}
		bits |= jwks_alg_bit(name);
		name.p = names.p + i + 1;
		name.n = 0;
	}
	return bits | jwks_alg_bit(name);
}

static void
check_key(struct test_case *c, const struct jwk *key, size_t i)
{
	char text[64];

	base64url_encode(key->thumbprint, 32, text);
	case_check(c, span_is(case_value_at(c, "thumbprint", i), text),
	    "key %zu: thumbprint %s", i, text);
	case_check(c, key->algs == alg_bits(case_value_at(c, "algs", i)),
	    "key %zu: algorithms %x", i, (unsigned int)key->algs);
	case_check(c, key->key != NULL, "key %zu: no key", i);
	case_check(c,
	    key->kid == NULL || strstr(key->json.p, "\"kid\":\"") != NULL,
	    "key %zu: kid is missing in %s", i, key->json.p);
}

/*
 * "jwks" is read; "keys" is what jwks_json() writes, with lines "thumbprint"
 * and "algs" for each key and lines "warning".
 */
static void
valid_case(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct jwks *set = NULL, *again = NULL;
	uint64_t warnings = 0, none = 0;
	struct span json;
	uint32_t algs = 0;
	size_t i;

	if (jwks_parse(case_value(c, "jwks"), &warnings, &set, &err) !=
	    CIMD_OK) {
		case_check(c, false, "refused: %s", err.text);
		return;
	}
	case_check_warnings(c, warnings);
	json = jwks_json(set);
	case_check(c, span_eq(json, case_value(c, "keys")), "keys: %s", json.p);
	case_check(c, case_value_at(c, "thumbprint", jwks_count(set)).p == NULL,
	    "only %zu keys", jwks_count(set));
	for (i = 0; i < jwks_count(set); i++) {
		check_key(c, jwks_get(set, i), i);
		algs |= jwks_get(set, i)->algs;
	}
	case_check(c, jwks_get(set, i) == NULL, "a key too many");
	case_check(c, jwks_algs(set) == algs, "algs of the set");
	case_check(c, ERR_peek_error() == 0, "OpenSSL's errors are left");
	case_check(c,
	    jwks_parse(json, &none, &again, &err) == CIMD_OK && none == 0 &&
		span_eq(json, jwks_json(again)),
	    "what was written does not read the same");
	jwks_free(&again);
	jwks_free(&set);
}

static void
invalid_case(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct jwks *set = NULL;
	uint64_t warnings = 0;
	enum cimd_err e;

	e = jwks_parse(case_value(c, "jwks"), &warnings, &set, &err);
	case_check_error(c, e, &err);
	case_check(c, set == NULL, "a set of what was refused");
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("jwks-valid", valid_case);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("jwks-invalid", invalid_case);
}

/* RFC 7638 section 3.1 and RFC 8037 appendix A.3 print these thumbprints. */
static void
published_thumbprints(void **state)
{
	static const char text[] =
	    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9n"
	    "ndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_B"
	    "JECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_"
	    "RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"
	    "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu"
	    "0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
	    "nqDKgw\",\"e\":\"AQAB\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
	struct jwks *set = NULL;
	uint64_t warnings = 0;
	char out[64];

	(void)state;
	assert_int_equal(jwks_parse(span_of(text), &warnings, &set, NULL),
	    CIMD_OK);
	assert_int_equal(jwks_count(set), 2);
	base64url_encode(jwks_get(set, 0)->thumbprint, 32, out);
	assert_string_equal(out, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	base64url_encode(jwks_get(set, 1)->thumbprint, 32, out);
	assert_string_equal(out, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	jwks_free(&set);
}

static void
algorithm_names(void **state)
{
	(void)state;
	assert_int_equal(jwks_alg_bit(span_of("ES256")), ALG_ES256);
	assert_int_equal(jwks_alg_bit(span_of("EdDSA")), ALG_EDDSA);
	assert_int_equal(jwks_alg_bit(span_of("none")), 0);
	assert_int_equal(jwks_alg_bit(span_of("HS256")), 0);
	assert_int_equal(jwks_alg_bit(span_of("es256")), 0);
	assert_int_equal(jwks_alg_bit(span_of("")), 0);
	assert_int_equal(jwks_alg_bit(span_of(NULL)), 0);
}

static void
no_object_is_no_set(void **state)
{
	struct json_object *array = json_object_new_array();
	struct cimd_error err = { 0 };
	struct jwks *set = NULL;
	uint64_t warnings = 0;

	(void)state;
	assert_int_equal(jwks_read(array, &warnings, &set, &err),
	    CIMD_E_METADATA);
	assert_string_equal(err.text, "a JWK set that is no object");
	assert_int_equal(jwks_read(NULL, &warnings, &set, &err),
	    CIMD_E_METADATA);
	json_object_put(array);
	jwks_free(NULL);
	jwks_free(&set);
}

/* How many keys of a set of the corpus are usable. */
static size_t
usable_of(struct json_object *set)
{
	struct jwks *read = NULL;
	uint64_t warnings = 0;
	size_t n = 0;

	if (jwks_read(set, &warnings, &read, NULL) == CIMD_OK)
		n = jwks_count(read);
	jwks_free(&read);
	return n;
}

/*
 * Wycheproof's key sets: each private one is a secret; a public one is usable
 * exactly if its tests say "valid".
 */
static void
wycheproof_keys(void **state)
{
	struct span text = corpus_read("wycheproof/json_web_key_test.json");
	struct json_object *top, *groups, *tests;
	size_t i, seen = 0;

	(void)state;
	if (text.p == NULL)
		return;
	assert_int_equal(json_parse(text, &top, NULL), CIMD_OK);
	groups = json_object_object_get(top, "testGroups");
	for (i = 0; i < json_object_array_length(groups); i++) {
		struct json_object *group, *set, *private_set, *result;
		struct jwks *none = NULL;
		uint64_t warnings = 0;

		group = json_object_array_get_idx(groups, i);
		private_set = json_object_object_get(group, "private");
		assert_int_equal(jwks_read(private_set, &warnings, &none, NULL),
		    CIMD_E_SECRET);
		if (!json_object_object_get_ex(group, "public", &set))
			continue;
		tests = json_object_object_get(group, "tests");
		result =
		    json_object_object_get(json_object_array_get_idx(tests, 0),
			"result");
		assert_int_equal(usable_of(set) > 0,
		    strcmp(json_object_get_string(result), "valid") == 0);
		seen++;
	}
	assert_int_equal(seen, 11);
	json_object_put(top);
	corpus_free(&text);
}

/* A real set of one key of each kind, for the sweeps. */
static const char one_of_each[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"0vx7agoebGcQSuuPiLJX"
    "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
    "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4"
    "QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5ha"
    "jrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"kid\":\"r\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"EeFF0iHGSf60krLi2VT_QKpZP6N46D6KwvBYK4Mi6PY\","
    "\"y\":\"72wDazOANCwWKzhfuHjjq4qR7cKBaqO8mzGhZ9JMM4Q\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static bool
parse_one_of_each(void *ctx)
{
	struct jwks *set = NULL;
	struct cimd_error err = { 0 };
	uint64_t warnings = 0;
	enum cimd_err e;

	(void)ctx;
	e = jwks_parse(span_of(one_of_each), &warnings, &set, &err);
	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	assert_true((set == NULL) == (e != CIMD_OK));
	if (e == CIMD_OK)
		assert_int_equal(jwks_count(set), 3);
	jwks_free(&set);
	return e == CIMD_OK;
}

static void
survives_no_memory(void **state)
{
	(void)state;
	assert_true(alloc_sweep(parse_one_of_each, NULL) > 10);
}

/* What CRYPTO_malloc() and its kind come to in this program. */
static size_t openssl_countdown;
static bool openssl_failed;

static bool
openssl_fails(void)
{
	if (openssl_countdown == 0 || --openssl_countdown > 0)
		return false;
	openssl_failed = true;
	return true;
}

static void *
openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return openssl_fails() ? NULL : alloc_real(NULL, n);
}

static void *
openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return openssl_fails() ? NULL : alloc_real(p, n);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Usable keys of the set while OpenSSL's n-th allocation fails; -1: none. */
static long
count_while_failing(size_t n, enum cimd_err *e)
{
	struct jwks *set = NULL;
	struct cimd_error err = { 0 };
	uint64_t warnings = 0;
	long count = -1;

	openssl_failed = false;
	openssl_countdown = n;
	*e = jwks_parse(span_of(one_of_each), &warnings, &set, &err);
	openssl_countdown = 0;
	if (*e == CIMD_OK)
		count = (long)jwks_count(set);
	jwks_free(&set);
	return count;
}

/*
 * When OpenSSL itself runs out of memory, that is what we say; only where it
 * does not tell why is a key taken for unusable.  Nothing leaks or crashes.
 */
static void
survives_no_memory_in_openssl(void **state)
{
	size_t n, told = 0, untold = 0;
	enum cimd_err e;
	long count;

	(void)state;
	for (n = 1;; n++) {
		count = count_while_failing(n, &e);
		if (!openssl_failed)
			break;
		assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
		told += e == CIMD_E_NO_MEMORY;
		untold += count >= 0 && count < 3;
	}
	assert_int_equal(count, 3);
	print_message("# %zu failures: %zu told, %zu keys lost\n", n - 1, told,
	    untold);
	assert_true(told > 10 * untold);
}

/* A kind of key that this OpenSSL does not offer is unusable, no failure. */
static void
unsupported_keys_are_unusable(void **state)
{
	struct jwks *set = NULL;
	uint64_t warnings = 0;

	(void)state;
	assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
	assert_int_equal(jwks_parse(span_of(one_of_each), &warnings, &set,
			     NULL),
	    CIMD_OK);
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_int_equal(jwks_count(set), 0);
	assert_int_equal(warnings, WARN_BIT(WARN_KEY_UNUSABLE));
	jwks_free(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(published_thumbprints),
		cmocka_unit_test(algorithm_names),
		cmocka_unit_test(no_object_is_no_set),
		cmocka_unit_test(wycheproof_keys),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(survives_no_memory_in_openssl),
		cmocka_unit_test(unsupported_keys_are_unusable),
	};

	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
		openssl_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
