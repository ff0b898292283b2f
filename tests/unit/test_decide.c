/*
 * test_decide.c - what the rules make of a record
 * SPDX-License-Identifier: Apache-2.0
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
#include "decide.h"
#include "document.h"
#include "error.h"
#include "json_scan.h"
#include "names.h"
#include "redirect.h"

/* OR of the bits of blank-separated names. */
static uint32_t
bits_of(struct test_case *c, const char *key, uint32_t otherwise,
    uint32_t (*bit)(struct span name))
{
	const char *text = case_string(c, key);
	struct span name;
	uint32_t out = 0;

	if (text == NULL)
		return otherwise;
	for (; *text != '\0'; text += *text == ' ') {
		name.p = text;
		name.n = strcspn(text, " ");
		case_check(c, bit(name) != 0, "%s: %s", key, text);
		out |= bit(name);
		text += name.n;
	}
	return out;
}

/* The client identifier of the case. */
static struct span
id_of(struct test_case *c)
{
	struct span id = case_value(c, "client_id");

	return id.p == NULL ? span_of("https://app.example.com/c") : id;
}

/* The record of a file of tests/fixtures/documents. */
static struct cimd_client *
fixture(struct test_case *c, const char *name)
{
	struct cimd_client *out = NULL;
	struct cimd_error err = { 0 };
	struct document *d = NULL;
	char path[512], *body;

	(void)snprintf(path, sizeof(path), "tests/fixtures/documents/%s", name);
	body = source_read(path);
	if (document_parse(id_of(c), span_of(body), &d, &err) == CIMD_OK)
		(void)document_record(d, &out, &err);
	case_check(c, out != NULL, "%s: %s", name, err.text);
	document_free(&d);
	free(body);
	return out;
}

/* The record that the lines of a case describe. */
static struct cimd_client *
record_of(struct test_case *c)
{
	struct client_fields f;
	struct cimd_client *out = NULL;
	struct cimd_error err = { 0 };
	enum cimd_warning warning;
	const char *why = "";
	struct span uri;
	size_t i;

	if (case_value(c, "fixture").p != NULL)
		return fixture(c, case_string(c, "fixture"));
	memset(&f, 0, sizeof(f));
	f.text[CLIENT_ID] = id_of(c);
	f.text[CLIENT_NAME] = span_of("App");
	if (case_value(c, "name").p != NULL)
		f.text[CLIENT_NAME] = case_value(c, "name");
	f.text[CLIENT_SCOPE] = case_value(c, "scope");
	for (i = 0; (uri = case_value_at(c, "redirect", i)).p != NULL; i++) {
		f.redirect[i].uri = uri;
		case_check(c,
		    redirect_judge(uri, &f.redirect[i].kind, &warning, &why) ==
			REDIRECT_KEEP,
		    "%.*s %s", (int)uri.n, uri.p, why);
	}
	f.n_redirects = i;
	f.grants =
	    bits_of(c, "grants", GRANT_AUTHORIZATION_CODE, names_grant_bit);
	f.methods = bits_of(c, "methods", METHOD_NONE, names_method_bit);
	f.response_code = case_number(c, "response_code", 1) != 0;
	if (case_number(c, "keys_unavailable", 0) != 0)
		f.warnings = WARN_BIT(WARN_JWKS_UNAVAILABLE);
	case_check(c, client_build(&f, &out, &err) == CIMD_OK, "%s", err.text);
	return out;
}

struct setting {
	struct policy *machine, *realm;
	struct verdict verdict;
	struct cimd_client *client;
};

static struct policy *
policy_in(struct test_case *c, const char *key, enum policy_source source)
{
	struct json_object *json = NULL;
	struct cimd_error err = { 0 };
	struct policy *p = NULL;
	enum cimd_err e;

	if (case_value(c, key).p == NULL)
		return NULL;
	e = json_parse(case_value(c, key), &json, &err);
	if (e == CIMD_OK)
		e = policy_read(json, source, &p, &err);
	case_check(c, e == CIMD_OK, "%s: %s", key, err.text);
	json_object_put(json);
	return p;
}

static bool
set_up(struct test_case *c, struct setting *s)
{
	struct policy_question q = { NULL, NULL, NULL, NULL };
	struct cimd_error err = { 0 };
	struct url url;
	enum cimd_err e;

	memset(s, 0, sizeof(*s));
	s->client = record_of(c);
	s->machine = policy_in(c, "policy", POLICY_BATCH);
	s->realm = policy_in(c, "realm", POLICY_REALM);
	if (s->client == NULL || s->machine == NULL)
		return false;
	q.machine = s->machine;
	q.realm = s->realm;
	q.url = &url;
	e = url_parse(span_of(cimd_client_id(s->client)), 0, &url, &err);
	if (e == CIMD_OK)
		e = policy_judge(&q, &s->verdict, &err);
	case_check(c, e == CIMD_OK, "%s", err.text);
	return e == CIMD_OK;
}

static void
tear_down(struct setting *s)
{
	cimd_client_free(&s->client);
	policy_free(&s->machine);
	policy_free(&s->realm);
}

/* Text by text, so that a case shows only what it is about. */
static void
check_lists(struct test_case *c, const struct setting *s,
    const struct decision *d)
{
	uint64_t redirects = 0;
	size_t i, j;

	case_check(c,
	    d->methods ==
		bits_of(c, "want_methods", METHOD_NONE, names_method_bit),
	    "methods %x", d->methods);
	case_check(c, d->preferred == names_preferred_method(d->methods),
	    "preferred %x", d->preferred);
	case_check(c,
	    d->grants ==
		bits_of(c, "want_grants", GRANT_AUTHORIZATION_CODE,
		    names_grant_bit),
	    "grants %x", d->grants);
	for (i = 0; case_value_at(c, "want_redirect", i).p != NULL; i++)
		for (j = 0; j < cimd_client_redirects(s->client); j++)
			if (span_is(case_value_at(c, "want_redirect", i),
				cimd_client_redirect(s->client, j)))
				redirects |= UINT64_C(1) << j;
	case_check(c, d->redirects == redirects, "redirects %llx",
	    (unsigned long long)d->redirects);
	case_check_warnings(c, d->warnings);
}

static void
check_scope(struct test_case *c, const struct setting *s)
{
	struct cimd_error err = { 0 };
	bool narrowed = true;
	char *scope = NULL;

	case_check(c,
	    decide_scope(&s->verdict, s->client, &scope, &narrowed, &err) ==
		CIMD_OK,
	    "%s", err.text);
	case_check(c, span_eq(span_of(scope), case_value(c, "want_scope")),
	    "scope %s", scope == NULL ? "(none)" : scope);
	case_check(c, narrowed == (case_number(c, "want_narrowed", 0) != 0),
	    "narrowed %d", narrowed);
	free(scope);
}

static void
accepts(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct decision d;
	struct setting s;
	enum cimd_err e;
	struct span asked, none = { NULL, 0 };
	size_t i;

	if (!set_up(c, &s)) {
		tear_down(&s);
		return;
	}
	e = decide(&s.verdict, s.client, &d, &err);
	case_check(c, e == CIMD_OK, "%s %s", cimd_err_name(e), err.text);
	case_check(c, !decide_redirect(&d, s.client, none), "none is ok");
	case_check(c, d.trust == s.verdict.trust, "trust %d", (int)d.trust);
	check_lists(c, &s, &d);
	check_scope(c, &s);
	for (i = 0; (asked = case_value_at(c, "asks", i)).p != NULL; i++)
		case_check(c, decide_redirect(&d, s.client, asked),
		    "not ok: %.*s", (int)asked.n, asked.p);
	for (i = 0; (asked = case_value_at(c, "asks_bad", i)).p != NULL; i++)
		case_check(c, !decide_redirect(&d, s.client, asked), "ok: %.*s",
		    (int)asked.n, asked.p);
	tear_down(&s);
}

static void
refuses(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct decision d;
	struct setting s;

	if (set_up(c, &s)) {
		case_check_error(c, decide(&s.verdict, s.client, &d, &err),
		    &err);
		case_check(c, d.methods == 0 && d.redirects == 0,
		    "a decision in spite of the failure");
	}
	tear_down(&s);
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("decide-valid", accepts);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("decide-invalid", refuses);
}

static bool
scope_again(void *ctx)
{
	struct rule rule = { 0 };
	struct verdict v = { .rule = { &rule }, .n_rules = 1, .name = "x" };
	bool narrowed = false;
	char *scope = NULL;
	enum cimd_err e;

	e = decide_scope(&v, ctx, &scope, &narrowed, NULL);
	if (e == CIMD_OK) {
		assert_string_equal(scope, "a b");
		free(scope);
		return true;
	}
	assert_int_equal(e, CIMD_E_NO_MEMORY);
	assert_null(scope);
	return false;
}

static void
survives_no_memory(void **state)
{
	struct client_fields f;
	struct cimd_client *c = NULL;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.text[CLIENT_ID] = span_of("https://app.example.com/c");
	f.text[CLIENT_SCOPE] = span_of("a b");
	assert_int_equal(client_build(&f, &c, NULL), CIMD_OK);
	assert_int_equal(alloc_sweep(scope_again, c), 1);
	cimd_client_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
