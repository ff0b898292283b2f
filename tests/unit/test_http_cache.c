/*
 * test_http_cache.c - our reading of cache headers against http-tests'
 * SPDX-License-Identifier: Apache-2.0
 *
 * The suites of cache-tests.json that are about one response and how long it
 * is fresh.  A test sends a response with some headers, mostly waits three
 * seconds, and says whether a second request may be answered from the cache.
 * Here it may if the record is fresh then, with a floor of 0.  "optimal"
 * tests say what a good cache may do; where we are more careful, the test
 * stands in a list with its reason.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "cases.h"
#include "freshness.h"

#define NOW 1793606400 /* 2026-11-02 08:00:00 UTC */
#define PAUSE 3

static const char *const suites[] = { "cc-freshness", "cc-parse", "age-parse",
	"expires", "expires-parse", "cc-response", "vary-parse" };

struct count {
	unsigned int passed, careful, other;
};

/* RFC 9110 5.6.7: dates are case-sensitive, so these are none: stale. */
static const char *const careful[] = { "freshness-expires-wrong-case-weekday",
	"freshness-expires-wrong-case-month",
	"freshness-expires-wrong-case-tz" };

static bool
is_listed(const char *id, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(id, list[i]) == 0)
			return true;
	return false;
}

static struct json_object *
member(struct json_object *o, const char *name)
{
	struct json_object *out = NULL;

	(void)json_object_object_get_ex(o, name, &out);
	return out;
}

static const char *
text(struct json_object *o, const char *name)
{
	struct json_object *s = member(o, name);

	return s == NULL ? "" : json_object_get_string(s);
}

static void
format_date(int64_t t, char *out, size_t size)
{
	static const char *const names[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t when = (time_t)t;
	struct tm tm;

	assert_non_null(gmtime_r(&when, &tm));
	(void)snprintf(out, size, "Mon, %02d %s %d %02d:%02d:%02d GMT",
	    tm.tm_mday, names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

/* Numbers are dates, relative to the time of the response. */
static void
format_value(struct json_object *value, char *out, size_t size)
{
	if (json_object_is_type(value, json_type_int))
		format_date(NOW + json_object_get_int64(value), out, size);
	else
		(void)snprintf(out, size, "%s", json_object_get_string(value));
}

static void
read_facts(struct json_object *fields, struct http_facts *out)
{
	struct http_headers *h = http_headers_new();
	char value[128], line[256];
	struct cimd_error err;
	size_t i, n;

	assert_non_null(h);
	assert_int_equal(http_headers_line(h, span_of("HTTP/1.1 200 OK\r\n"),
			     &err),
	    CIMD_OK);
	n = fields == NULL ? 0 : json_object_array_length(fields);
	for (i = 0; i < n; i++) {
		struct json_object *f = json_object_array_get_idx(fields, i);

		format_value(json_object_array_get_idx(f, 1), value,
		    sizeof(value));
		(void)snprintf(line, sizeof(line), "%s: %s\r\n",
		    json_object_get_string(json_object_array_get_idx(f, 0)),
		    value);
		assert_int_equal(http_headers_line(h, span_of(line), &err),
		    CIMD_OK);
	}
	http_headers_facts(h, NOW, out);
	http_headers_free(&h);
}

/* May the cache answer the second request? */
static bool
is_reusable(struct json_object *first)
{
	static const struct freshness_bounds b = { 0, INT32_MAX, 0 };
	bool pause = json_object_get_boolean(member(first, "pause_after"));
	struct http_facts facts;
	struct freshness f;

	read_facts(member(first, "response_headers"), &facts);
	freshness_compute(&facts, &b, NOW, 0, &f);
	return !f.floor_only &&
	    freshness_state(&f, NOW + (pause ? PAUSE : 0), 0) <= FRESH_REFRESH;
}

/* One response, one request after it, and a rule (no mere question). */
static bool
applies(struct json_object *test)
{
	struct json_object *requests = member(test, "requests");
	const char *expected;

	if (strcmp(text(test, "kind"), "check") == 0 ||
	    member(test, "browser_only") != NULL ||
	    member(test, "cdn_only") != NULL ||
	    json_object_array_length(requests) != 2)
		return false;
	expected =
	    text(json_object_array_get_idx(requests, 1), "expected_type");
	return strcmp(expected, "cached") == 0 ||
	    strcmp(expected, "not_cached") == 0;
}

static void
run_rule(struct json_object *test, struct count *count)
{
	struct json_object *requests = member(test, "requests");
	const char *id = text(test, "id");
	const char *expected;
	bool reusable, listed;

	if (!applies(test)) {
		count->other++;
		return;
	}
	expected =
	    text(json_object_array_get_idx(requests, 1), "expected_type");
	reusable = is_reusable(json_object_array_get_idx(requests, 0));
	listed = is_listed(id, careful, sizeof(careful) / sizeof(careful[0]));
	if (listed) {
		assert_string_equal(text(test, "kind"), "optimal");
		assert_string_equal(expected, "cached");
		assert_false(reusable);
		count->careful++;
		return;
	}
	if (reusable != (strcmp(expected, "cached") == 0))
		fail_msg("%s: expected %s", id, expected);
	count->passed++;
}

static void
run_suites(struct json_object *all, struct count *count)
{
	struct json_object *suite, *tests;
	size_t i, j;

	for (i = 0; i < json_object_array_length(all); i++) {
		suite = json_object_array_get_idx(all, i);
		if (!is_listed(text(suite, "id"), suites,
			sizeof(suites) / sizeof(suites[0])))
			continue;
		tests = member(suite, "tests");
		for (j = 0; j < json_object_array_length(tests); j++)
			run_rule(json_object_array_get_idx(tests, j), count);
	}
}

static void
cache_tests(void **state)
{
	struct span s = corpus_read("http-cache/cache-tests.json");
	struct json_tokener *tok;
	struct json_object *all;
	struct count count = { 0 };

	(void)state;
	if (s.p == NULL)
		return;
	tok = json_tokener_new();
	assert_non_null(tok);
	all = json_tokener_parse_ex(tok, s.p, (int)s.n);
	assert_non_null(all);
	run_suites(all, &count);
	print_message("# cache-tests: %u as expected, %u more careful, %u "
		      "are no rule about one response\n",
	    count.passed, count.careful, count.other);
	assert_true(count.passed >= 60);
	assert_int_equal(count.careful, sizeof(careful) / sizeof(careful[0]));
	json_object_put(all);
	json_tokener_free(tok);
	corpus_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
