/*
 * test_document.c - Client ID Metadata Documents
 * SPDX-License-Identifier: Apache-2.0
 *
 * A case has the URL asked for ("url", else https://app.example.com/client)
 * and the document: "body", or "members" behind the right client_id, or
 * "fixture", a file of tests/fixtures/documents.  "jwks": what jwks_uri
 * answers with; "jwks_refused": it cannot be had.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "cases.h"
#include "document.h"
#include "json_scan.h"

static const char default_url[] = "https://app.example.com/client";

/* A block of exactly n bytes. */
static char *
block(size_t n)
{
	char *p = malloc(n == 0 ? 1 : n);

	assert_non_null(p);
	return p;
}

static char *
read_fixture(struct span name, size_t *n)
{
	char path[1024], *body, *text;

	(void)snprintf(path, sizeof(path), "tests/fixtures/documents/%.*s",
	    (int)name.n, name.p);
	text = source_read(path);
	*n = strlen(text);
	body = block(*n);
	memcpy(body, text, *n);
	free(text);
	return body;
}

/* {"client_id":"URL",MEMBERS} */
static char *
with_members(struct span url, struct span members, size_t *n)
{
	size_t size = url.n + members.n + 32;
	char *text = block(size), *body;

	*n = (size_t)snprintf(text, size, "{\"client_id\":\"%.*s\"%s%.*s}",
	    (int)url.n, url.p, members.n == 0 ? "" : ",", (int)members.n,
	    members.n == 0 ? "" : members.p);
	body = block(*n);
	memcpy(body, text, *n);
	free(text);
	return body;
}

/* The document of a case, in a block of exactly its size. */
static char *
body_of(struct test_case *c, struct span url, size_t *n)
{
	struct span body = case_value(c, "body");
	char *copy;

	if (case_value(c, "fixture").p != NULL)
		return read_fixture(case_value(c, "fixture"), n);
	if (body.p == NULL)
		return with_members(url, case_value(c, "members"), n);
	copy = block(body.n);
	if (body.n > 0)
		memcpy(copy, body.p, body.n);
	*n = body.n;
	return copy;
}

static struct span
url_of(struct test_case *c)
{
	struct span url = case_value(c, "url");

	return url.p == NULL ? span_of(default_url) : url;
}

/* Parse the document and add the keys that the case has. */
static enum cimd_err
run(struct test_case *c, struct cimd_client **out, struct cimd_error *err)
{
	struct span jwks = case_value(c, "jwks"), uri;
	struct document *d = NULL;
	struct span body;
	enum cimd_err e;
	char *bytes;

	*out = NULL;
	bytes = body_of(c, url_of(c), &body.n);
	body.p = bytes;
	e = document_parse(url_of(c), body, &d, err);
	free(bytes);
	case_check(c, (d == NULL) == (e != CIMD_OK), "a document and a fault");
	if (e != CIMD_OK)
		return e;
	uri = document_jwks_uri(d);
	if (case_value(c, "code").p == NULL)
		case_check(c, span_eq(uri, case_value(c, "jwks_uri")),
		    "jwks_uri is %.*s", (int)uri.n, uri.n == 0 ? "" : uri.p);
	if (jwks.p != NULL)
		e = document_add_jwks(d, jwks, err);
	else if (case_value(c, "jwks_refused").p != NULL)
		e = document_no_jwks(d, err);
	if (e == CIMD_OK)
		e = document_record(d, out, err);
	document_free(&d);
	return e;
}

static bool
contains(const char *text, struct span piece)
{
	return memmem(text, strlen(text), piece.p, piece.n) != NULL;
}

/* "has" and "lacks": pieces of the record's JSON, which is strict JSON. */
static void
check_json(struct test_case *c, const char *json)
{
	struct span piece;
	size_t i;

	case_check(c, json_scan(span_of(json), NULL) == CIMD_OK,
	    "no strict JSON: %s", json);
	for (i = 0; (piece = case_value_at(c, "has", i)).p != NULL; i++)
		case_check(c, contains(json, piece), "not there: %.*s in %s",
		    (int)piece.n, piece.p, json);
	for (i = 0; (piece = case_value_at(c, "lacks", i)).p != NULL; i++)
		case_check(c, !contains(json, piece), "there: %.*s in %s",
		    (int)piece.n, piece.p, json);
}

/* "redirects": how many; "redirect": kind and URI of each. */
static void
check_redirects(struct test_case *c, const struct client_fields *f)
{
	int64_t want = case_number(c, "redirects", -1);
	char line[512];
	size_t i;

	if (want < 0)
		return;
	case_check(c, want == (int64_t)f->n_redirects, "%zu redirect URIs",
	    f->n_redirects);
	for (i = 0; i < f->n_redirects; i++) {
		(void)snprintf(line, sizeof(line), "%d %s",
		    (int)f->redirect[i].kind, f->redirect[i].uri.p);
		case_check(c, span_is(case_value_at(c, "redirect", i), line),
		    "redirect %zu is %s", i, line);
	}
}

static void
valid_case(struct test_case *c)
{
	static struct client_fields f;
	struct cimd_client *client, *loaded = NULL;
	struct cimd_error err = { 0 };

	if (run(c, &client, &err) != CIMD_OK) {
		case_check(c, false, "refused: %s %s", cimd_err_name(err.code),
		    err.text);
		return;
	}
	client_fields(client, &f);
	case_check_warnings(c, f.warnings);
	check_json(c, cimd_client_json(client, NULL));
	check_redirects(c, &f);
	case_check(c, span_eq(f.text[CLIENT_ID], url_of(c)), "client_id");
	case_check(c, f.methods != 0 && f.grants != 0, "nothing is allowed");
	case_check(c, !span_is(f.text[CLIENT_NAMES], "{}"), "empty names");
	case_check(c, (f.key_algs != 0) == (f.text[CLIENT_JWKS].p != NULL),
	    "keys and their algorithms");
	case_check(c,
	    client_load(client_bytes(client), &loaded, &err) == CIMD_OK,
	    "not loaded: %s", err.text);
	cimd_client_free(&loaded);
	cimd_client_free(&client);
}

static void
invalid_case(struct test_case *c)
{
	struct cimd_client *client = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = run(c, &client, &err);
	case_check_error(c, e, &err);
	case_check(c, client == NULL, "a record of what was refused");
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("document-valid", valid_case);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("document-invalid", invalid_case);
}

/* The hashes are those of the bytes, and tell documents apart. */
static void
hashes_are_kept(void **state)
{
	static const char body[] =
	    "{\"client_id\":\"https://app.example.com/client\","
	    "\"token_endpoint_auth_methods_supported\":"
	    "[\"none\",\"private_key_jwt\"],"
	    "\"jwks_uri\":\"https://app.example.com/jwks\"}";
	static const uint8_t body_sha256[4] = { 0xd0, 0x4e, 0xc6, 0x88 };
	static const uint8_t jwks_sha256[4] = { 0x96, 0x38, 0xd1, 0x19 };
	static struct client_fields f;
	struct cimd_client *client = NULL;
	struct document *d = NULL;

	(void)state;
	assert_int_equal(document_parse(span_of(default_url), span_of(body), &d,
			     NULL),
	    CIMD_OK);
	assert_int_equal(document_record(d, &client, NULL), CIMD_OK);
	client_fields(client, &f);
	assert_int_equal(f.document_len, strlen(body));
	assert_memory_equal(f.document_sha256, body_sha256, 4);
	assert_int_equal(f.jwks_sha256[0] | f.jwks_sha256[31], 0);
	cimd_client_free(&client);
	assert_int_equal(document_add_jwks(d, span_of("{\"keys\":[]}"), NULL),
	    CIMD_OK);
	assert_int_equal(document_record(d, &client, NULL), CIMD_OK);
	client_fields(client, &f);
	assert_memory_equal(f.document_sha256, body_sha256, 4);
	assert_memory_equal(f.jwks_sha256, jwks_sha256, 4);
	cimd_client_free(&client);
	document_free(&d);
	assert_null(d);
	document_free(&d);
	document_free(NULL);
}

static void
fetched_keys_are_limited(void **state)
{
	static const char body[] =
	    "{\"client_id\":\"https://app.example.com/client\","
	    "\"token_endpoint_auth_method\":\"private_key_jwt\","
	    "\"jwks_uri\":\"https://app.example.com/jwks\"}";
	struct span keys = { NULL, CIMD_MAX_JWKS + 1 };
	struct cimd_error err = { 0 };
	struct document *d = NULL;
	char *text = block(keys.n);

	(void)state;
	memset(text, ' ', keys.n);
	keys.p = text;
	assert_int_equal(document_parse(span_of(default_url), span_of(body), &d,
			     NULL),
	    CIMD_OK);
	assert_int_equal(document_add_jwks(d, keys, &err), CIMD_E_TOO_BIG);
	assert_string_equal(err.section, "9.7");
	keys.n--;
	assert_int_equal(document_add_jwks(d, keys, &err), CIMD_E_JSON);
	document_free(&d);
	free(text);
}

/* Everything that allocates: names, contacts, keys, a statement. */
static const char rich[] =
    "{\"client_id\":\"https://app.example.com/client\",\"client_name\":\"A\","
    "\"client_name#de\":\"B\",\"contacts\":[\"a\"],"
    "\"client_uri\":\"https://xn--bcher-kva.example.com/\","
    "\"redirect_uris\":[\"https://xn--bcher-kva.example.com/cb\"],"
    "\"token_endpoint_auth_method\":\"private_key_jwt\","
    "\"software_statement\":\"eyJhIjoxfQ.eyJhIjoxfQ.\","
    "\"jwks\":{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}}";

static bool
parse_rich(void *ctx)
{
	struct cimd_client *client = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	(void)ctx;
	e = cimd_parse(default_url, strlen(default_url), rich, strlen(rich),
	    &client, &err);
	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	assert_true((client == NULL) == (e != CIMD_OK));
	cimd_client_free(&client);
	return e == CIMD_OK;
}

static bool
fetch_keys(void *ctx)
{
	static const char body[] =
	    "{\"client_id\":\"https://app.example.com/client\","
	    "\"token_endpoint_auth_method\":\"private_key_jwt\","
	    "\"jwks_uri\":\"https://app.example.com/jwks\"}";
	struct document *d = NULL;
	enum cimd_err e;

	e = document_parse(span_of(default_url), span_of(body), &d, NULL);
	if (e == CIMD_OK)
		e = document_add_jwks(d, span_of(ctx), NULL);
	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	document_free(&d);
	return e == CIMD_OK;
}

static void
survives_no_memory(void **state)
{
	static char keys[] =
	    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

	(void)state;
	assert_true(alloc_sweep(parse_rich, NULL) > 20);
	assert_true(alloc_sweep(fetch_keys, keys) > 10);
}

/* The public way in: the URL is judged first. */
static void
parses_for_anyone(void **state)
{
	static const char body[] = "{\"client_id\":\"https://a.example.com\"}";
	struct cimd_client *client = NULL;
	struct cimd_error err = { 0 };

	(void)state;
	assert_int_equal(cimd_parse("https://a.example.com", 21, body,
			     strlen(body), &client, &err),
	    CIMD_E_URL);
	assert_int_equal(cimd_parse("client", 6, body, strlen(body), &client,
			     &err),
	    CIMD_E_NOT_CIMD);
	assert_int_equal(cimd_parse("https://a.example.com/c", 23, body,
			     strlen(body), &client, &err),
	    CIMD_E_MISMATCH);
	assert_null(client);
	assert_int_equal(cimd_parse(default_url, strlen(default_url), rich,
			     strlen(rich), &client, NULL),
	    CIMD_OK);
	assert_string_equal(cimd_client_get(client, "client_name"), "A");
	cimd_client_free(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(hashes_are_kept),
		cmocka_unit_test(fetched_keys_are_limited),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(parses_for_anyone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
