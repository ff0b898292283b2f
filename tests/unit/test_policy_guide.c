/*
 * test_policy_guide.c - what doc/policy.md says that a realm sends
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "cases.h"
#include "json_scan.h"
#include "policy.h"

static enum cimd_err
read_text(struct span text, enum policy_source source,
    const struct policy *base, struct policy **out, struct cimd_error *err)
{
	struct json_object *json = NULL;
	enum cimd_err e;

	*out = NULL;
	if ((e = json_parse(text, &json, err)) != CIMD_OK)
		return e;
	e = policy_read_with(json, source, base, out, err);
	json_object_put(json);
	return e;
}

/* What doc/policy.md says that a realm sends is a realm's policy. */
static void
guide_is_right(void **state)
{
	static const char fence[] = "\n```json\n";
	struct policy *base, *p = NULL;
	struct cimd_error err = { 0 };
	char *guide = source_read("doc/policy.md");
	const char *at = guide, *end;
	struct span text;
	size_t n = 0;

	(void)state;
	assert_int_equal(read_text(span_of(
				       "{\"catalog\":{\"vscode\":{\"match\":"
				       "\"https://vscode.dev/c\"}}}"),
			     POLICY_MACHINE, NULL, &base, &err),
	    CIMD_OK);
	while ((at = strstr(at, fence)) != NULL) {
		at += strlen(fence);
		end = strstr(at, "\n```\n");
		assert_non_null(end);
		text.p = at;
		text.n = (size_t)(end - at);
		if (read_text(text, POLICY_REALM, base, &p, &err) != CIMD_OK)
			fail_msg("example %zu: %s", n, err.text);
		policy_free(&p);
		n++;
	}
	assert_int_equal(n, 2);
	policy_free(&base);
	free(guide);
}

/* Everything a policy can have, for the allocation sweep. */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guide_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
