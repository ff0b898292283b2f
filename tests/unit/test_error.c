/*
 * test_error.c - codes, classes, texts
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api.h"
#include "cases.h"
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
	err_prefix(&err, "%0200d", 0);
	err_prefix(&err, "%0200d", 0);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_prefix(NULL, "nobody asks");
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
	assert_int_equal(cimd_err_class(CIMD_E_TOO_MANY), CIMD_UNAVAILABLE);
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

/* How many lines start so. */
static unsigned int
rows_with(const char *text, const char *start)
{
	unsigned int n = 0;

	while ((text = strstr(text, start)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* There is one row that starts so, and that says what to do. */
static void
expect_row(const char *text, const char *start)
{
	const char *row = strstr(text, start);

	if (row == NULL || rows_with(text, start) != 1)
		fail_msg("doc/codes.md lacks%s", start);
	else if (strcspn(row + strlen(start), "|\n") < 5)
		fail_msg("doc/codes.md: what to do?%s", start);
}

static void
codes_are_documented(void **state)
{
	char *text = source_read("doc/codes.md"), row[512];
	unsigned int n = 0;
	const char *oauth;
	enum cimd_err e;

	(void)state;
	for (e = CIMD_OK; e <= CIMD_E_INTERNAL; e++) {
		if (e != CIMD_E_INTERNAL &&
		    strcmp(cimd_err_name(e), "CIMD_E_INTERNAL") == 0)
			continue; /* a number that is not used */
		oauth = cimd_err_oauth(e);
		(void)snprintf(row, sizeof(row),
		    "\n| `%s` | %d | %s | %d | %s | %s | ", cimd_err_name(e),
		    (int)e, cimd_class_name(cimd_err_class(e)),
		    api_http_status(e), oauth[0] != '\0' ? oauth : "-",
		    cimd_err_text(e));
		expect_row(text, row);
		n++;
	}
	assert_int_equal(rows_with(text, "\n| `CIMD_"), n);
	free(text);
}

static void
warnings_are_documented(void **state)
{
	char *text = source_read("doc/codes.md"), row[512];
	unsigned int w;

	(void)state;
	for (w = 0; w < WARN_COUNT; w++) {
		(void)snprintf(row, sizeof(row), "\n| `%s` | %s | ",
		    warning_name((enum cimd_warning)w),
		    warning_text((enum cimd_warning)w));
		expect_row(text, row);
	}
	assert_int_equal(rows_with(text, "\n| `"),
	    rows_with(text, "\n| `CIMD_") + WARN_COUNT);
	free(text);
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
		cmocka_unit_test(codes_are_documented),
		cmocka_unit_test(warnings_are_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
