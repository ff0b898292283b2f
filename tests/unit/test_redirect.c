/*
 * test_redirect.c - redirect URIs
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"
#include "redirect.h"

static const char *
kind_name(enum redirect_kind kind)
{
	switch (kind) {
	case REDIRECT_HTTPS:
		return "https";
	case REDIRECT_LOOPBACK:
		return "loopback";
	case REDIRECT_SCHEME:
		return "scheme";
	}
	return "";
}

static const char *
verdict_name(enum redirect_verdict verdict)
{
	switch (verdict) {
	case REDIRECT_KEEP:
		return "keep";
	case REDIRECT_DROP:
		return "drop";
	case REDIRECT_REFUSE:
		return "refuse";
	}
	return "";
}

static void
valid_case(struct test_case *c)
{
	struct span uri = case_value(c, "uri");
	enum redirect_kind kind = REDIRECT_HTTPS;
	enum cimd_warning warning;
	enum redirect_verdict v;
	const char *why = "";

	v = redirect_judge(uri, &kind, &warning, &why);
	case_check(c, v == REDIRECT_KEEP, "%s", why);
	case_check(c, span_is(case_value(c, "kind"), kind_name(kind)),
	    "kind %s", kind_name(kind));
	case_check(c, span_eq(redirect_host(uri), case_value(c, "host")),
	    "host");
	case_check(c, redirect_match(uri, uri, false), "not equal to itself");
}

static void
invalid_case(struct test_case *c)
{
	enum redirect_kind kind;
	enum cimd_warning warning = WARN_COUNT;
	const char *why = NULL, *text = case_string(c, "text");
	enum redirect_verdict v;

	v = redirect_judge(case_value(c, "uri"), &kind, &warning, &why);
	case_check(c, span_is(case_value(c, "verdict"), verdict_name(v)),
	    "%s: %s", verdict_name(v), why);
	if (v == REDIRECT_KEEP)
		return;
	case_check_warnings(c, WARN_BIT(warning));
	case_check(c, strstr(why, text) != NULL, "\"%s\", not \"%s\"", why,
	    text);
}

static void
match_case(struct test_case *c, bool expected)
{
	struct span registered = case_value(c, "registered");
	struct span asked = case_value(c, "asked");
	bool any_port = case_number(c, "any_port", 0) != 0;

	case_check(c, redirect_match(registered, asked, any_port) == expected,
	    expected ? "no match" : "match");
}

static void
match_valid_case(struct test_case *c)
{
	match_case(c, true);
}

static void
match_invalid_case(struct test_case *c)
{
	match_case(c, false);
}

static void
kept(void **state)
{
	(void)state;
	cases_run("redirect-valid", valid_case);
}

static void
dropped_and_refused(void **state)
{
	(void)state;
	cases_run("redirect-invalid", invalid_case);
}

static void
matching(void **state)
{
	(void)state;
	cases_run("redirect-match-valid", match_valid_case);
}

static void
not_matching(void **state)
{
	static const struct span absent = { NULL, 0 };

	(void)state;
	cases_run("redirect-match-invalid", match_invalid_case);
	assert_false(redirect_match(absent, absent, true));
	assert_false(redirect_match(span_of(""), span_of(""), true));
}

/* Any byte more, or another one, and it is another URI. */
static void
one_byte_off(void **state)
{
	static const char reg[] = "http://localhost:3000/cb?x=1";
	size_t n = sizeof(reg) - 1, at;
	char ask[sizeof(reg) + 1];
	struct span a = { ask, n };
	bool port;
	int c;

	(void)state;
	for (at = 0; at < n; at++) {
		for (c = 0; c < 256; c++) {
			memcpy(ask, reg, n);
			ask[at] = (char)c;
			port = at >= 17 && at <= 20 && c >= '0' && c <= '9';
			if ((char)c == reg[at] || (port && ask[17] != '0'))
				continue;
			if (redirect_match(span_of(reg), a, true))
				fail_msg("%.*s", (int)n, ask);
		}
	}
	memcpy(ask, reg, n);
	for (a.n = n + 1, c = 0; c < 256; c++) {
		ask[n] = (char)c;
		assert_false(redirect_match(span_of(reg), a, true));
	}
	for (a.n = 0; a.n < n; a.n++)
		assert_false(redirect_match(span_of(reg), a, true));
}

struct pair {
	const char *id, *uri;
	bool same;
};

static void
origins(void **state)
{
	static const char id[] = "https://app.example.com/client.json";
	static const struct pair rows[] = {
		{ id, "https://app.example.com/cb", true },
		{ id, "https://app.example.com:443/cb", true },
		{ id, "HTTPS://APP.Example.com/cb", true },
		{ id, "https://app.example.com", true },
		{ id, "https://app.example.com:8443/cb", false },
		{ id, "http://app.example.com/cb", false },
		{ id, "http://app.example.com:443/cb", false },
		{ id, "https://www.example.com/cb", false },
		{ id, "https://app.example.com.evil.com/cb", false },
		{ id, "https://xapp.example.com/cb", false },
		{ id, "https://a@app.example.com/cb", false },
		{ id, "https://app.example.com:0/cb", false },
		{ id, "cursor://app.example.com/cb", false },
		{ id, "https:app.example.com", false },
		{ id, "https:///app.example.com", false },
		{ id, "/cb", false },
		{ "https://h.example.com:8443/c", "https://h.example.com:8443/",
		    true },
		{ "https://h.example.com:8443/c", "https://h.example.com/",
		    false },
		{ "", "https://app.example.com/cb", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (redirect_same_origin(span_of(rows[i].id),
			span_of(rows[i].uri)) != rows[i].same)
			fail_msg("%s: wrongly %d", rows[i].uri, !rows[i].same);
}

static void
sites(void **state)
{
	static const char id[] = "https://client.example.co.uk/c.json";
	static const struct pair rows[] = {
		{ id, "https://example.co.uk/cb", true },
		{ id, "https://a.b.EXAMPLE.co.uk:8443/cb", true },
		{ id, "https://client.example.co.uk/cb", true },
		{ id, "http://client.example.co.uk/cb", false },
		{ id, "https://other.co.uk/cb", false },
		{ id, "https://co.uk/cb", false },
		{ id, "https://example.co.uk.evil.com/cb", false },
		{ id, "https://xexample.co.uk/cb", false },
		{ id, "https://a@example.co.uk/cb", false },
		{ id, "example.co.uk://cb", false },
		{ "https://a.github.io/c", "https://b.github.io/", false },
		{ "https://a.github.io/c", "https://x.a.github.io/", true },
		{ "https://github.io/c", "https://github.io/", false },
		{ "https://1.2.3.4/c", "https://9.9.3.4/", false },
		{ "https://1.2.3.4/c", "https://1.2.3.4/", false },
		{ "https://[::1]/c", "https://[::1]/", false },
		{ "https://a.corp.internal/c", "https://b.corp.internal/",
		    false },
		{ "https://localhost/c", "https://localhost/", false },
		{ "https://a.xn--55qx5d.cn/c", "https://b.a.xn--55qx5d.cn/",
		    true },
		{ "https://a.xn--55qx5d.cn/c", "https://b.xn--55qx5d.cn/",
		    false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (redirect_same_site(span_of(rows[i].id),
			span_of(rows[i].uri)) != rows[i].same)
			fail_msg("%s: wrongly %d", rows[i].uri, !rows[i].same);
}

static bool
site_of(const char *host, const char *other)
{
	char a[512], b[512];

	(void)snprintf(a, sizeof(a), "https://%s/", host);
	(void)snprintf(b, sizeof(b), "https://%s/", other);
	return redirect_same_site(span_of(a), span_of(b));
}

/* A line of the public suffix list's own tests: "host domain-or-null". */
static bool
check_suffix(char *line)
{
	char *domain = strchr(line, ' ');
	size_t i;

	if (line[0] == '\0' || strncmp(line, "//", 2) == 0)
		return false;
	assert_non_null(domain);
	*domain++ = '\0';
	for (i = 0; line[i] != '\0'; i++)
		if (line[i] & 0x80)
			return false; /* no A-label: no host of ours */
	if (strcmp(domain, "null") == 0) {
		if (site_of(line, line))
			fail_msg("%s is a site", line);
	} else if (strstr(line, "example.example") != NULL) {
		if (site_of(line, domain))
			fail_msg("%s is special-use", line);
	} else if (!site_of(line, domain)) {
		fail_msg("%s is not of %s", line, domain);
	}
	return true;
}

static void
public_suffixes(void **state)
{
	struct span s = corpus_read("psl/tests.txt");
	char *text, *line, *end;
	size_t n = 0;

	(void)state;
	if (s.p == NULL)
		return;
	text = malloc(s.n + 1);
	assert_non_null(text);
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		n += check_suffix(line);
	}
	free(text);
	corpus_free(&s);
	assert_true(n > 50);
	print_message("# %zu hosts\n", n);
}

static void
hosts(void **state)
{
	static const struct span absent = { NULL, 0 };

	(void)state;
	assert_true(span_is(redirect_host(span_of("https://a.b:1/c")), "a.b"));
	assert_true(span_is(redirect_host(span_of("x://[::1]:1/c")), "[::1]"));
	assert_null(redirect_host(span_of("x:/c")).p);
	assert_null(redirect_host(span_of("x:///c")).p);
	assert_null(redirect_host(span_of("a b")).p);
	assert_null(redirect_host(absent).p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(dropped_and_refused),
		cmocka_unit_test(matching),
		cmocka_unit_test(not_matching),
		cmocka_unit_test(one_byte_off),
		cmocka_unit_test(origins),
		cmocka_unit_test(sites),
		cmocka_unit_test(public_suffixes),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
