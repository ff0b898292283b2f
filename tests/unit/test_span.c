/*
 * test_span.c - bytes with a length
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cimd_int.h"

static void
absent_is_not_empty(void **state)
{
	struct span absent = { NULL, 0 };

	(void)state;
	assert_true(span_eq(absent, span_of(NULL)));
	assert_false(span_eq(absent, span_of("")));
	assert_true(span_eq(span_of(""), span_of("")));
	assert_false(span_is(absent, ""));
	assert_false(span_is_nocase(absent, ""));
	assert_true(span_is_nocase(span_of(""), ""));
}

static void
compares_bytes(void **state)
{
	struct span with_nul = { "a\0b", 3 };

	(void)state;
	assert_true(span_is(span_of("abc"), "abc"));
	assert_false(span_is(span_of("abc"), "ab"));
	assert_false(span_is(span_of("abc"), "abC"));
	assert_false(span_is(with_nul, "a"));
	assert_false(span_is_nocase(with_nul, "a"));
}

/* Letters of ASCII and nothing else: "[" and "{" differ by the same bit. */
static void
ignores_case_of_letters(void **state)
{
	(void)state;
	assert_true(span_is_nocase(span_of("HtTpS"), "https"));
	assert_false(span_is_nocase(span_of("http["), "http{"));
	assert_false(span_is_nocase(span_of("http@"), "http`"));
	assert_false(span_is_nocase(span_of("http"), "https"));
	assert_false(span_is_nocase(span_of("\xc4"), "\xe4"));
}

static void
finds_dots(void **state)
{
	static const char *const with[] = { "/.", "/..", "/./", "/../",
		"https://a/b?/../c", "https://a/b?c=/..", "a/./b", "/.../.." };
	static const char *const without[] = { "", ".", "..", "a/.b", "/...",
		"/..a", "/a..", "/.a/", "https://a.example/b.json?c=..",
		"https://a/b?../c" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(with) / sizeof(with[0]); i++)
		if (!span_has_dots(span_of(with[i])))
			fail_msg("%s", with[i]);
	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		if (span_has_dots(span_of(without[i])))
			fail_msg("%s", without[i]);
	assert_false(span_has_dots((struct span){ NULL, 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_not_empty),
		cmocka_unit_test(compares_bytes),
		cmocka_unit_test(ignores_case_of_letters),
		cmocka_unit_test(finds_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
