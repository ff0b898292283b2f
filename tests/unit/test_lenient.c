/*
 * test_lenient.c - a document that came as text/plain, under strict rules
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "decide.h"
#include "document.h"

#define ONE "https://one.example.com/c"

static const char body[] = "{ \"client_id\": \"" ONE "\","
			   " \"client_name\": \"One\","
			   " \"redirect_uris\": [\"http://127.0.0.1/cb\"] }";

/* The record of a document that was labelled text/plain. */
static struct cimd_client *
plain_record(void)
{
	struct document *d = NULL;
	struct cimd_client *c = NULL;
	struct cimd_error err = { 0 };

	assert_int_equal(document_parse(span_of(ONE), span_of(body), &d, &err),
	    CIMD_OK);
	document_warn(d, WARN_BIT(WARN_CONTENT_TYPE));
	assert_int_equal(document_record(d, &c, &err), CIMD_OK);
	document_free(&d);
	return c;
}

static enum cimd_err
decide_under(const char *policy, const struct cimd_client *c)
{
	struct json_object *json = json_tokener_parse(policy);
	struct policy_question q = { 0 };
	struct cimd_error err = { 0 };
	struct policy *p = NULL;
	struct decision d;
	struct verdict v;
	struct url url;
	enum cimd_err e;

	assert_int_equal(policy_read(json, POLICY_BATCH, &p, &err), CIMD_OK);
	assert_int_equal(url_parse(span_of(ONE), 0, &url, &err), CIMD_OK);
	q.machine = p;
	q.url = &url;
	assert_int_equal(policy_judge(&q, &v, &err), CIMD_OK);
	e = decide(&v, c, &d, &err);
	policy_free(&p);
	json_object_put(json);
	return e;
}

static void
only_lenient_rules_take_it(void **state)
{
	struct cimd_client *c = plain_record();

	(void)state;
	assert_int_equal(decide_under("{}", c), CIMD_E_TYPE);
	assert_int_equal(decide_under("{\"content_type\": \"lenient\"}", c),
	    CIMD_OK);
	cimd_client_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_lenient_rules_take_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
