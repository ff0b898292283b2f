/*
 * test_freshness.c - times of a document from the fields of its response
 * SPDX-License-Identifier: Apache-2.0
 *
 * A case has "field" for each header field; "now" (UTC), "min", "max",
 * "default" and "random" where they are not the usual ones; what must come
 * out: "life" and "refresh" (seconds from now), "floor_only"; and lines
 * "state: SECONDS WINDOW STATE", the state so many seconds from now.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"
#include "freshness.h"

#define NOW 1793606400 /* 2026-11-02 08:00:00 UTC */

static const struct freshness_bounds usual = { CIMD_TTL_MIN_S, CIMD_TTL_MAX_S,
	CIMD_TTL_DEFAULT_S };

static void
read_facts(struct test_case *c, int64_t now, struct http_facts *out)
{
	struct http_headers *h = http_headers_new();
	struct cimd_error err = { 0 };
	struct span field;
	char line[1024];
	size_t i;

	assert_non_null(h);
	assert_int_equal(http_headers_line(h, span_of("HTTP/1.1 200 OK\r\n"),
			     &err),
	    CIMD_OK);
	for (i = 0; (field = case_value_at(c, "field", i)).p != NULL; i++) {
		assert_true(field.n + 3 < sizeof(line));
		(void)snprintf(line, sizeof(line), "%.*s\r\n", (int)field.n,
		    field.p);
		case_check(c,
		    http_headers_line(h, span_of(line), &err) == CIMD_OK, "%s",
		    err.text);
	}
	http_headers_facts(h, now, out);
	http_headers_free(&h);
}

static const char *
state_name(enum freshness_state state)
{
	switch (state) {
	case FRESH:
		return "FRESH";
	case FRESH_REFRESH:
		return "FRESH_REFRESH";
	case STALE:
		return "STALE";
	case TOO_OLD:
		break;
	}
	return "TOO_OLD";
}

static void
check_states(struct test_case *c, const struct freshness *f)
{
	int64_t at, window;
	char line[80], *name;
	struct span s;
	const char *got;
	size_t i;

	for (i = 0; (s = case_value_at(c, "state", i)).p != NULL; i++) {
		(void)snprintf(line, sizeof(line), "%.*s", (int)s.n, s.p);
		at = strtoll(line, &name, 10);
		window = strtoll(name, &name, 10);
		assert_int_equal(*name++, ' ');
		got =
		    state_name(freshness_state(f, f->fetched_at + at, window));
		case_check(c, strcmp(got, name) == 0, "%s: it is %s", line,
		    got);
	}
}

static void
check(struct test_case *c, const char *key, int64_t got)
{
	int64_t expected = case_number(c, key, -1);

	case_check(c, expected == -1 || got == expected, "%s is %lld", key,
	    (long long)got);
}

static void
valid(struct test_case *c)
{
	struct freshness_bounds b = { case_number(c, "min", usual.min_s),
		case_number(c, "max", usual.max_s),
		case_number(c, "default", usual.default_s) };
	int64_t now = case_number(c, "now", NOW);
	struct http_facts facts;
	struct freshness f;

	read_facts(c, now, &facts);
	freshness_compute(&facts, &b, now,
	    (uint32_t)case_number(c, "random", 0), &f);
	case_check(c, f.fetched_at == now, "fetched_at");
	case_check(c, case_number(c, "life", -1) != -1, "no life");
	check(c, "life", f.expires_at - now);
	check(c, "refresh", f.refresh_at - now);
	case_check(c, f.floor_only == (case_number(c, "floor_only", 0) != 0),
	    "floor_only is %d", f.floor_only);
	check_states(c, &f);
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("freshness-valid", valid);
}

static int64_t
life(int64_t max_age, uint32_t random)
{
	struct http_facts facts = { .max_age = max_age,
		.s_maxage = -1,
		.age = -1,
		.date = -1,
		.expires = -1 };
	struct freshness f;

	freshness_compute(&facts, &usual, NOW, random, &f);
	assert_true(f.fetched_at <= f.refresh_at);
	assert_true(f.refresh_at <= f.expires_at);
	return f.expires_at - NOW;
}

static void
jitter_only_shortens(void **state)
{
	int64_t got;
	int64_t i, whole;

	(void)state;
	assert_int_equal(life(1000, 0), 1000);
	assert_int_equal(life(1000, UINT32_C(0x80000000)), 950);
	assert_int_equal(life(1000, UINT32_MAX), 901);
	assert_int_equal(life(60, UINT32_MAX), 60);
	assert_int_equal(life(61, UINT32_MAX), 60);
	for (i = 0; i < 1000; i++) {
		whole = 100 + i * 86;
		got = life(whole, (uint32_t)(i * 4294967));
		assert_true(got <= whole && got * 10 >= whole * 9);
	}
}

/* No fact, however large, leads past the bounds. */
static void
extreme_facts(void **state)
{
	static const int64_t extreme[] = { -1, 0, 1, INT32_MAX,
		INT64_C(2147483648), INT64_C(253402300799) };
	const size_t n = sizeof(extreme) / sizeof(extreme[0]);
	struct freshness f;
	size_t i;

	(void)state;
	for (i = 0; i < n * n * n * n; i++) {
		struct http_facts facts = { .s_maxage = -1,
			.max_age = extreme[i % n],
			.age = extreme[i / n % n],
			.date = extreme[i / n / n % n],
			.expires = extreme[i / n / n / n] };

		freshness_compute(&facts, &usual, NOW, (uint32_t)i, &f);
		assert_in_range(f.expires_at - NOW, usual.min_s, usual.max_s);
		assert_in_range(f.refresh_at - NOW, usual.min_s * 8 / 10,
		    usual.max_s * 8 / 10);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(jitter_only_shortens),
		cmocka_unit_test(extreme_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
