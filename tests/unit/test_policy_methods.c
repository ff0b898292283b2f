/*
 * test_policy_methods.c - what a provider publishes of its rules
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "policy.h"

/* What a provider publishes is what somebody can come in with. */
static void
unites_methods(void **state)
{
#define RULE(name, more)                                                       \
	"\"" name "\":{\"match\":\"https://" name ".example.com/c\"," more "}"
#define KEY "\"auth\":\"private_key_jwt\""
	static const struct {
		const char *json;
		uint32_t methods;
	} rows[] = {
		{ "{}", METHOD_NONE | METHOD_PRIVATE_KEY_JWT },
		{ "{" KEY "}", METHOD_PRIVATE_KEY_JWT },
		{ "{\"client\":{" RULE("a", KEY) "}}", METHOD_PRIVATE_KEY_JWT },
		{ "{\"client\":{" RULE("a", KEY) "},\"default\":\"pending\"}",
		    METHOD_NONE | METHOD_PRIVATE_KEY_JWT },
		{ "{\"client\":{" RULE("a",
		      KEY) "},\"default\":\"pending\","
			   "\"auth\":\"private_key_jwt\"}",
		    METHOD_PRIVATE_KEY_JWT },
		{ "{\"client\":{" RULE("a", KEY) "," RULE("b",
		      "\"auth\":\"none\"") "}}",
		    METHOD_NONE | METHOD_PRIVATE_KEY_JWT },
		{ "{\"client\":{" RULE("a", KEY) "," RULE("b",
		      "\"auth\":\"none\",\"trust\":\"blocked\"") "}}",
		    METHOD_PRIVATE_KEY_JWT },
		{ "{\"client\":{" RULE("a",
		      KEY) "},\"consumer\":{\"idp\":"
			   "{\"uid\":1,\"delegate\":true}}}",
		    METHOD_NONE | METHOD_PRIVATE_KEY_JWT },
	};
#undef RULE
#undef KEY
	struct cimd_error err = { 0 };
	struct json_object *json;
	struct policy *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json = json_tokener_parse(rows[i].json);
		if (policy_read(json, POLICY_MACHINE, &p, &err) != CIMD_OK)
			fail_msg("%s: %s", rows[i].json, err.text);
		json_object_put(json);
		if (policy_methods(p) != rows[i].methods)
			fail_msg("%s: %u", rows[i].json, policy_methods(p));
		policy_free(&p);
	}
}

/* Who may bring policies of its own. */
static void
finds_who_delegates(void **state)
{
	static const char text[] =
	    "{\"consumer\":{\"idp\":{\"uid\":1,\"delegate\":true},"
	    "\"staff\":{\"uid\":2}}}";
	struct cimd_error err = { 0 };
	struct json_object *json = json_tokener_parse(text);
	struct policy *p;

	(void)state;
	if (policy_read(json, POLICY_MACHINE, &p, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	json_object_put(json);
	assert_true(policy_delegates(p, "idp"));
	assert_false(policy_delegates(p, "staff"));
	assert_false(policy_delegates(p, "nobody"));
	assert_true(policy_delegates(p, NULL));
	policy_free(&p);
	json = json_tokener_parse("{}");
	assert_int_equal(policy_read(json, POLICY_MACHINE, &p, &err), CIMD_OK);
	json_object_put(json);
	assert_false(policy_delegates(p, NULL));
	policy_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unites_methods),
		cmocka_unit_test(finds_who_delegates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
