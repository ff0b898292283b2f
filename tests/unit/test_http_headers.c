/*
 * test_http_headers.c - header lines, their facts, and what is judged by them
 * SPDX-License-Identifier: Apache-2.0
 *
 * A case has "line" for each line, to which CR LF is added, then "raw" for
 * lines as they stand, and "now" (UTC).  Facts that a valid case does not
 * state must be what an empty header says.  With "lenient" (0 or 1) the facts
 * are judged as well.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"
#include "http_headers.h"

#define NOW 1793606400 /* 2026-11-02 08:00:00 UTC */

static struct span
add_crlf(struct span line, char *buf, size_t size)
{
	assert_true(line.n + 2 <= size);
	memcpy(buf, line.p, line.n);
	buf[line.n] = '\r';
	buf[line.n + 1] = '\n';
	return (struct span){ buf, line.n + 2 };
}

/* All lines of the case, up to the first that fails. */
static enum cimd_err
feed(struct test_case *c, struct http_headers *h, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;
	struct span line;
	char buf[1024];
	size_t i;

	for (i = 0; e == CIMD_OK; i++) {
		line = case_value_at(c, "line", i);
		if (line.p == NULL)
			break;
		e = http_headers_line(h, add_crlf(line, buf, sizeof(buf)), err);
	}
	for (i = 0; e == CIMD_OK; i++) {
		line = case_value_at(c, "raw", i);
		if (line.p == NULL)
			break;
		e = http_headers_line(h, line, err);
	}
	return e;
}

static void
check_number(struct test_case *c, const char *key, int64_t got,
    int64_t otherwise)
{
	int64_t expected = case_number(c, key, otherwise);

	case_check(c, got == expected, "%s is %lld, not %lld", key,
	    (long long)got, (long long)expected);
}

static void
check_text(struct test_case *c, const char *key, const char *got)
{
	const char *expected = case_string(c, key);

	if (expected == NULL)
		expected = "";
	case_check(c, strcmp(got, expected) == 0, "%s is \"%s\", not \"%s\"",
	    key, got, expected);
}

static const char *
type_name(enum content_type type)
{
	switch (type) {
	case CONTENT_NONE:
		return "";
	case CONTENT_JSON:
		return "json";
	case CONTENT_TEXT:
		return "text";
	case CONTENT_OTHER:
		break;
	}
	return "other";
}

static void
check_facts(struct test_case *c, const struct http_facts *f)
{
	check_number(c, "status", f->status, 200);
	check_text(c, "content_type", type_name(f->content_type));
	check_number(c, "encoded", f->encoded, 0);
	check_number(c, "no_store", f->no_store, 0);
	check_number(c, "no_cache", f->no_cache, 0);
	check_number(c, "private", f->is_private, 0);
	check_number(c, "vary_any", f->vary_any, 0);
	check_number(c, "bot_wall", f->bot_wall, 0);
	check_number(c, "max_age", f->max_age, -1);
	check_number(c, "s_maxage", f->s_maxage, -1);
	check_number(c, "age", f->age, -1);
	check_number(c, "date", f->date, -1);
	check_number(c, "expires", f->expires, -1);
	check_number(c, "last_modified_at", f->last_modified_at, -1);
	check_number(c, "retry_after", f->retry_after, -1);
	check_number(c, "length", f->length, -1);
	check_text(c, "etag", f->etag);
	check_text(c, "last_modified", f->last_modified);
}

static void
valid(struct test_case *c)
{
	int64_t lenient = case_number(c, "lenient", -1);
	struct cimd_error err = { 0 };
	struct http_headers *h;
	struct http_facts f;
	uint64_t warnings = 0;

	h = http_headers_new();
	assert_non_null(h);
	case_check(c, feed(c, h, &err) == CIMD_OK, "%s", err.text);
	http_headers_facts(h, case_number(c, "now", NOW), &f);
	check_facts(c, &f);
	check_number(c, "complete", http_headers_complete(h), 1);
	if (lenient != -1)
		case_check(c,
		    http_judge(&f, lenient != 0, &warnings, &err) == CIMD_OK,
		    "%s", err.text);
	case_check_warnings(c, warnings);
	http_headers_free(&h);
	assert_null(h);
}

static void
invalid(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct http_headers *h;
	struct http_facts f;
	uint64_t warnings = 0;
	enum cimd_err e;

	h = http_headers_new();
	assert_non_null(h);
	e = feed(c, h, &err);
	http_headers_facts(h, case_number(c, "now", NOW), &f);
	if (e == CIMD_OK)
		e = http_judge(&f, case_number(c, "lenient", 0) != 0, &warnings,
		    &err);
	case_check_error(c, e, &err);
	case_check(c, warnings == 0, "a refusal has no warnings");
	http_headers_free(&h);
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("headers-valid", valid);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("headers-invalid", invalid);
}

/* A line of n bytes; each may be a header field. */
static struct span
field_of(char *buf, size_t n)
{
	memset(buf, 'a', n);
	buf[1] = ':';
	buf[n - 2] = '\r';
	buf[n - 1] = '\n';
	return (struct span){ buf, n };
}

static void
counts_bytes_exactly(void **state)
{
	static char buf[CIMD_MAX_HEADERS + 1];
	struct span status = span_of("HTTP/1.1 200 OK\r\n");
	struct cimd_error err = { 0 };
	struct http_headers *h;
	struct http_facts f;
	size_t left = CIMD_MAX_HEADERS - status.n - 2;

	(void)state;
	h = http_headers_new();
	assert_non_null(h);
	assert_int_equal(http_headers_line(h, status, &err), CIMD_OK);
	assert_int_equal(http_headers_line(h, field_of(buf, left), &err),
	    CIMD_OK);
	assert_int_equal(http_headers_line(h, span_of("\r\n"), &err), CIMD_OK);
	http_headers_facts(h, NOW, &f);
	assert_int_equal(f.bytes, CIMD_MAX_HEADERS);
	assert_int_equal(http_headers_line(h, span_of("a:\r\n"), &err),
	    CIMD_E_TOO_BIG);
	assert_string_equal(err.section, "9.7");
	http_headers_free(&h);

	h = http_headers_new();
	assert_non_null(h);
	assert_int_equal(http_headers_line(h, status, &err), CIMD_OK);
	assert_int_equal(http_headers_line(h, field_of(buf, left + 3), &err),
	    CIMD_E_TOO_BIG);
	http_headers_free(&h);
}

/* Interim responses without end: their bytes add up. */
static void
counts_all_responses(void **state)
{
	struct span status = span_of("HTTP/1.1 103 Early Hints\r\n");
	struct span end = span_of("\r\n");
	size_t rounds = CIMD_MAX_HEADERS / (status.n + end.n);
	struct cimd_error err = { 0 };
	struct http_headers *h;
	struct http_facts f;
	size_t i;

	(void)state;
	h = http_headers_new();
	assert_non_null(h);
	for (i = 0; i < rounds; i++) {
		assert_int_equal(http_headers_line(h, status, &err), CIMD_OK);
		assert_int_equal(http_headers_line(h, end, &err), CIMD_OK);
	}
	http_headers_facts(h, NOW, &f);
	assert_int_equal(f.bytes, rounds * (status.n + end.n));
	assert_int_equal(http_headers_line(h, status, &err), CIMD_E_TOO_BIG);
	assert_false(http_headers_complete(h));
	http_headers_free(&h);
}

static int64_t
date(const char *text)
{
	return http_date(span_of(text), NOW);
}

static void
reads_dates(void **state)
{
	(void)state;
	assert_int_equal(date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
	assert_int_equal(date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
	assert_int_equal(date("Sun Nov  6 08:49:37 1994"), 784111777);
	assert_int_equal(date("Wed Nov 16 08:49:37 1994"), 784975777);
	assert_int_equal(date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
	assert_int_equal(date("Thu, 29 Feb 2024 23:59:60 GMT"), 1709251200);
	assert_int_equal(date("Tue, 29 Feb 2000 00:00:00 GMT"), 951782400);
	assert_int_equal(date("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799);
	assert_int_equal(date("Tue, 19 Jan 2038 03:14:08 GMT"), 2147483648);
}

/* RFC 9110 5.6.7: not more than 50 years ahead. */
static void
reads_short_years(void **state)
{
	(void)state;
	assert_int_equal(date("Monday, 02-Nov-76 08:00:00 GMT"), 3371529600);
	assert_int_equal(date("Monday, 02-Nov-76 08:00:01 GMT"), 215769601);
	assert_int_equal(date("Tuesday, 29-Feb-00 00:00:00 GMT"), 951782400);
	assert_int_equal(http_date(span_of("Friday, 01-Jan-60 00:00:00 GMT"),
			     0),
	    -1);
}

static void
refuses_dates(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "foo",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun,  06 Nov 1994 08:49:37 GMT",
		"Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08.49.37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:00 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Wed, 29 Feb 2023 08:49:37 GMT",
		"Thu, 29 Feb 2100 08:49:37 GMT",
		"Sun, 06 Nox 1994 08:49:37 GMT",
		"Son, 06 Nov 1994 08:49:37 GMT",
		"Wed, 31 Dec 1969 23:59:59 GMT",
		"Sat, 01 Jan 0000 00:00:00 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Thursday, 29-Feb-01 00:00:00 GMT", "Sun Nov 06 08:49:37 94",
		"Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (date(bad[i]) != -1)
			fail_msg("\"%s\" is no date", bad[i]);
}

static void
frees_nothing(void **state)
{
	struct http_headers *h = NULL;

	(void)state;
	http_headers_free(&h);
	http_headers_free(NULL);
	assert_null(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(counts_bytes_exactly),
		cmocka_unit_test(counts_all_responses),
		cmocka_unit_test(reads_dates),
		cmocka_unit_test(reads_short_years),
		cmocka_unit_test(refuses_dates),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
