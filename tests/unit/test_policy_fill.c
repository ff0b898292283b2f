/*
 * test_policy_fill.c - lists of rules: shared and bounded
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "cimd_int.h"
#include "policy.h"

static struct policy *
must_read(const char *text, enum policy_source source,
    const struct policy *base)
{
	struct json_object *json = json_tokener_parse(text);
	struct cimd_error err = { 0 };
	struct policy *p;

	assert_non_null(json);
	if (policy_read_with(json, source, base, &p, &err) != CIMD_OK)
		fail_msg("%s: %s", text, err.text);
	json_object_put(json);
	return p;
}

/*
 * A request may bring a policy of 64 KB, half of it defaults and half of it
 * URLs: copies of the one for each of the other were many megabytes.
 */
static void
sections_share_defaults(void **state)
{
	struct policy *p;
	const struct rule *a, *b, *own;

	(void)state;
	p = must_read("{\"scopes\":[\"x\",\"y\"],\"ports\":[8443],"
		      "\"redirects\":[\"host:h.example.com\",\"same-site\"],"
		      "\"client\":{\"own\":{\"match\":\"https://c.example.com/"
		      "c\",\"scopes\":\"z\",\"ports\":[444],"
		      "\"redirects\":\"scheme:app\"}},"
		      "\"allow\":[\"https://a.example.com/c\","
		      "\"https://b.example.com/c\"]}",
	    POLICY_REALM, NULL);
	assert_int_equal(policy_rules(p), 3);
	own = policy_rule(p, 0);
	a = policy_rule(p, 1);
	b = policy_rule(p, 2);
	assert_ptr_equal(a->scopes, b->scopes);
	assert_ptr_equal(a->ports, b->ports);
	assert_ptr_equal(a->redirects, b->redirects);
	assert_int_equal(a->n_scopes, 2);
	assert_int_equal(a->n_ports, 1);
	assert_int_equal(a->n_redirects, 2);
	assert_string_equal(own->scopes[0], "z");
	assert_int_equal(own->ports[0], 444);
	assert_string_equal(own->redirects[0].value, "app");
	policy_free(&p);
}

/* What a section of another policy says itself outlives that policy. */
static void
copies_stand_alone(void **state)
{
	struct policy *machine, *realm;
	const struct rule *a, *b;

	(void)state;
	machine = must_read("{\"scopes\":\"m\",\"client\":{"
			    "\"a\":{\"match\":\"https://a.example.com/c\","
			    "\"scopes\":\"own\",\"ports\":[8443],"
			    "\"redirects\":[\"document\",\"scheme:com.own\"]},"
			    "\"b\":{\"match\":\"https://b.example.com/c\"}}}",
	    POLICY_MACHINE, NULL);
	realm = must_read("{\"scopes\":\"r\",\"allow\":[\"a\",\"b\"]}",
	    POLICY_REALM, machine);
	policy_free(&machine);
	a = policy_rule(realm, 0);
	b = policy_rule(realm, 1);
	assert_string_equal(a->scopes[0], "own");
	assert_int_equal(a->ports[0], 8443);
	assert_int_equal(a->redirects[0].kind, RULE_DOCUMENT);
	assert_string_equal(a->redirects[1].value, "com.own");
	assert_string_equal(b->scopes[0], "r");
	assert_int_equal(b->n_ports, 0);
	policy_free(&realm);
}

/* The code for a policy with a list of n different items like these. */
static enum cimd_err
read_list(const char *member, const char *item, int n, struct cimd_error *err)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct policy *p;
	enum cimd_err e;
	char text[64];
	int i;

	for (i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "%s%d", item, i);
		json_object_array_add(list, json_object_new_string(text));
	}
	json_object_object_add(json, member, list);
	e = policy_read(json, POLICY_REALM, &p, err);
	json_object_put(json);
	policy_free(&p);
	return e;
}

/* Each lookup compares them with all that a document lists. */
static void
lists_are_bounded(void **state)
{
	static const struct {
		const char *member, *item, *text;
	} rows[] = {
		{ "scopes", "s", "scopes: more than 256 items" },
		{ "redirects", "scheme:com.example.a",
		    "redirects: more than 256 items" },
	};
	struct cimd_error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct cimd_error){ 0 };
		assert_int_equal(read_list(rows[i].member, rows[i].item,
				     CIMD_MAX_RULE_LIST, &err),
		    CIMD_OK);
		assert_int_equal(read_list(rows[i].member, rows[i].item,
				     CIMD_MAX_RULE_LIST + 1, &err),
		    CIMD_E_CONFIG);
		assert_string_equal(err.text, rows[i].text);
	}
}

/* What is said again is kept once. */
static void
redirects_are_a_set(void **state)
{
	struct policy *p;
	const struct rule *r;

	(void)state;
	p = must_read("{\"allow\":\"https://a.example.com/c\","
		      "\"redirects\":[\"same-site\",\"host:a.example.com\","
		      "\"same-site\",\"host:b.example.com\","
		      "\"host:a.example.com\"]}",
	    POLICY_REALM, NULL);
	r = policy_rule(p, 0);
	assert_int_equal(r->n_redirects, 3);
	assert_int_equal(r->redirects[0].kind, RULE_SAME_SITE);
	assert_string_equal(r->redirects[1].value, "a.example.com");
	assert_string_equal(r->redirects[2].value, "b.example.com");
	policy_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_share_defaults),
		cmocka_unit_test(copies_stand_alone),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(redirects_are_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
