/*
 * test_error.c - codes, classes, texts
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"

static void
fills_in(void **state)
{
	struct cimd_error err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, CIMD_E_URL, "3", "byte %d", 7),
	    CIMD_E_URL);
	assert_int_equal(err.code, CIMD_E_URL);
	assert_string_equal(err.section, "3");
	assert_string_equal(err.text, "byte 7");
	assert_int_equal(err_set(NULL, CIMD_E_JSON, "4", "x"), CIMD_E_JSON);
}

static void
escapes_foreign_bytes(void **state)
{
	struct cimd_error err = { 0 };

	(void)state;
	(void)err_set(&err, CIMD_E_URL, "3", "%s", "a\n\x1b[0m\xc3\xa4");
	assert_string_equal(err.text, "a\\x0a\\x1b[0m\\xc3\\xa4");
}

static void
cuts_long_texts(void **state)
{
	struct cimd_error err = { 0 };
	char longer[600];

	(void)state;
	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)err_set(&err, CIMD_E_URL, "3", "%s", longer);
	assert_true(strlen(err.text) < sizeof(err.text));
	assert_int_equal(strlen(err.text) % 4, 0);
}

static void
prefixes(void **state)
{
	struct cimd_error err = { 0 };

	(void)state;
	(void)err_set(&err, CIMD_E_CONFIG, "policy", "no such member");
	err_prefix(&err, "%s:%d", "cimd.conf", 12);
	assert_string_equal(err.text, "cimd.conf:12: no such member");
}

static void
classes_follow_groups(void **state)
{
	(void)state;
	assert_int_equal(cimd_err_class(CIMD_OK), CIMD_ACCEPTED);
	assert_int_equal(cimd_err_class(CIMD_E_NOT_CIMD), CIMD_NOT_OURS);
	assert_int_equal(cimd_err_class(CIMD_E_URL), CIMD_REFUSED);
	assert_int_equal(cimd_err_class(CIMD_E_REPLAY), CIMD_REFUSED);
	assert_int_equal(cimd_err_class(CIMD_E_DNS), CIMD_UNAVAILABLE);
	assert_int_equal(cimd_err_class(CIMD_E_NO_MEMORY), CIMD_BROKEN);
	assert_int_equal(cimd_err_class((enum cimd_err)50), CIMD_BROKEN);
	assert_string_equal(cimd_err_name((enum cimd_err)50),
	    "CIMD_E_INTERNAL");
	assert_string_equal(cimd_class_name(CIMD_REFUSED), "refused");
	assert_string_equal(cimd_err_oauth(CIMD_E_POLICY),
	    "unauthorized_client");
}

static void
warnings_have_names(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < WARN_COUNT; i++) {
		assert_non_null(warning_name((enum cimd_warning)i));
		assert_non_null(warning_text((enum cimd_warning)i));
		for (j = 0; j < i; j++)
			assert_string_not_equal(warning_name(
						    (enum cimd_warning)i),
			    warning_name((enum cimd_warning)j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in),
		cmocka_unit_test(escapes_foreign_bytes),
		cmocka_unit_test(cuts_long_texts),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(classes_follow_groups),
		cmocka_unit_test(warnings_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
