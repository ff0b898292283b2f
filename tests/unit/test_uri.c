/*
 * test_uri.c - splitting URIs
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "uri.h"

/* Parts in the order of struct uri; NULL: absent. */
struct row {
	const char *uri;
	const char *scheme, *authority, *userinfo, *host, *port;
	const char *path, *query, *fragment;
};

static void
check_part(const char *uri, const char *what, struct span got,
    const char *expected)
{
	if (!span_eq(got, span_of(expected)))
		fail_msg("%s: %s is %.*s, not %s", uri, what,
		    got.p == NULL ? 8 : (int)got.n,
		    got.p == NULL ? "(absent)" : got.p,
		    expected == NULL ? "(absent)" : expected);
}

static void
parts(void **state)
{
	/* The examples of RFC 3986 1.1.2 and 3 among them. */
	static const struct row rows[] = {
		{ "ftp://ftp.is.co.za/rfc/rfc1808.txt", "ftp", "ftp.is.co.za",
		    NULL, "ftp.is.co.za", NULL, "/rfc/rfc1808.txt", NULL,
		    NULL },
		{ "ldap://[2001:db8::7]/c=GB?objectClass?one", "ldap",
		    "[2001:db8::7]", NULL, "[2001:db8::7]", NULL, "/c=GB",
		    "objectClass?one", NULL },
		{ "mailto:John.Doe@example.com", "mailto", NULL, NULL, NULL,
		    NULL, "John.Doe@example.com", NULL, NULL },
		{ "telnet://192.0.2.16:80/", "telnet", "192.0.2.16:80", NULL,
		    "192.0.2.16", "80", "/", NULL, NULL },
		{ "urn:example:animal:ferret:nose", "urn", NULL, NULL, NULL,
		    NULL, "example:animal:ferret:nose", NULL, NULL },
		{ "foo://example.com:8042/over/there?name=ferret#nose", "foo",
		    "example.com:8042", NULL, "example.com", "8042",
		    "/over/there", "name=ferret", "nose" },
		{ "http://u:p@[::1]:1?/?#/?", "http", "u:p@[::1]:1", "u:p",
		    "[::1]", "1", "", "/?", "/?" },
		{ "http://@:?#", "http", "@:", "", "", "", "", "", "" },
		{ "x:", "x", NULL, NULL, NULL, NULL, "", NULL, NULL },
		{ "x://", "x", "", NULL, "", NULL, "", NULL, NULL },
		{ "x:///a", "x", "", NULL, "", NULL, "/a", NULL, NULL },
		{ "x:/a//b", "x", NULL, NULL, NULL, NULL, "/a//b", NULL, NULL },
		{ "a+-.9:%41", "a+-.9", NULL, NULL, NULL, NULL, "%41", NULL,
		    NULL },
		{ "x://[v7.a:b]/", "x", "[v7.a:b]", NULL, "[v7.a:b]", NULL, "/",
		    NULL, NULL },
	};
	struct uri u;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (!uri_split(span_of(r->uri), &u, &why))
			fail_msg("%s: %s", r->uri, why);
		check_part(r->uri, "whole", u.whole, r->uri);
		check_part(r->uri, "scheme", u.scheme, r->scheme);
		check_part(r->uri, "authority", u.authority, r->authority);
		check_part(r->uri, "userinfo", u.userinfo, r->userinfo);
		check_part(r->uri, "host", u.host, r->host);
		check_part(r->uri, "port", u.port, r->port);
		check_part(r->uri, "path", u.path, r->path);
		check_part(r->uri, "query", u.query, r->query);
		check_part(r->uri, "fragment", u.fragment, r->fragment);
	}
}

/* Put every byte in place of the "^": which of them can be split? */
static void
check_bytes(const char *text, const char *allowed)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~!$&'()*+,;=";
	char uri[64];
	struct span s = { uri, strlen(text) };
	size_t at = strcspn(text, "^");
	const char *why;
	struct uri u;
	bool good;
	int c;

	for (c = 0; c < 256; c++) {
		memcpy(uri, text, s.n);
		uri[at] = (char)c;
		good = c != 0 && (strchr(plain, c) || strchr(allowed, c));
		if (uri_split(s, &u, &why) != good)
			fail_msg("%s with byte %02x: %s", text, (unsigned int)c,
			    why);
	}
}

static void
bytes_of_each_part(void **state)
{
	(void)state;
	check_bytes("x://h/a^b", ":@/?#");
	check_bytes("x:a^b", ":@/?#");
	check_bytes("x://h/?a^b", ":@/?#");
	check_bytes("x://h/#a^b", ":@/?");
	check_bytes("x://u^v@h/", ":/?#");
	check_bytes("x://[^]/", ":");
	check_bytes("x://h^", "@:/?#");
}

/* A percent sign needs two hex digits that are part of the same part. */
static void
percent_triplets(void **state)
{
	static const char *const good[] = { "x:%00", "x:%fF", "x:a%7Eb",
		"x:?%2f", "x:#%2F", "x://%41@h", "x://%41" };
	static const char *const bad[] = { "x:%", "x:%4", "x:%4g", "x:%g4",
		"x:%?41", "x:%4?1", "x:%4#1", "x:a%%41", "x://%4/1", "x://h%",
		"x://h:%31", "x://[%31]/", "%41:x", "x://u%4@h" };
	const char *why;
	struct uri u;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!uri_split(span_of(good[i]), &u, &why))
			fail_msg("%s: %s", good[i], why);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (uri_split(span_of(bad[i]), &u, &why))
			fail_msg("split: %s", bad[i]);
}

static void
failure_leaves_the_scheme(void **state)
{
	static const struct span absent = { NULL, 0 };
	const char *why = NULL;
	struct uri u;

	(void)state;
	assert_false(uri_split(span_of("JavaScript:a b"), &u, &why));
	assert_true(span_is(u.scheme, "JavaScript"));
	assert_null(u.whole.p);
	assert_null(u.path.p);
	assert_non_null(why);
	assert_false(uri_split(span_of("a b:c"), &u, &why));
	assert_null(u.scheme.p);
	assert_false(uri_split(absent, &u, &why));
	assert_null(u.scheme.p);
}

static void
dangerous_schemes(void **state)
{
	static const char *const no[] = { "https", "javascripts", "java", "",
		"dat", "data2" };
	static const struct span absent = { NULL, 0 };
	size_t i;

	(void)state;
	assert_true(uri_scheme_is_dangerous(span_of("javascript")));
	assert_true(uri_scheme_is_dangerous(span_of("JAVASCRIPT")));
	assert_true(uri_scheme_is_dangerous(span_of("Data")));
	assert_true(uri_scheme_is_dangerous(span_of("vbscript")));
	assert_true(uri_scheme_is_dangerous(span_of("file")));
	assert_true(uri_scheme_is_dangerous(span_of("blob")));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(uri_scheme_is_dangerous(span_of(no[i])));
	assert_false(uri_scheme_is_dangerous(absent));
}

static void
ports(void **state)
{
	static const struct {
		const char *uri;
		uint16_t port;
	} rows[] = {
		{ "https://h/", 443 },
		{ "HTTPS://h/", 443 },
		{ "http://h/", 80 },
		{ "cursor://h/", 0 },
		{ "cursor://h:7/", 7 },
		{ "https://h:1/", 1 },
		{ "https://h:65535/", 65535 },
		{ "https://h:65536/", 0 },
		{ "https://h:99999/", 0 },
		{ "https://h:100000/", 0 },
		{ "https://h:0/", 0 },
		{ "https://h:/", 0 },
		{ "https://h:0443/", 0 },
		{ "https://h:443/", 443 },
	};
	const char *why;
	struct uri u;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(uri_split(span_of(rows[i].uri), &u, &why));
		if (uri_port(&u) != rows[i].port)
			fail_msg("%s: %d", rows[i].uri, uri_port(&u));
	}
}

static void
public_https(void **state)
{
	static const struct {
		const char *uri, *why;
	} rows[] = {
		{ "https://client.example.com", NULL },
		{ "HTTPS://client.example.com:8443/logo.png?x=1", NULL },
		{ "http://client.example.com/", "not an https URI" },
		{ "https:client.example.com", "not an https URI" },
		{ "https:/client.example.com", "not an https URI" },
		{ "https:///logo.png", "no host" },
		{ "https://a@client.example.com/", "userinfo" },
		{ "https://client.example.com/#", "fragment" },
		{ "https://client.example.com:0/", "port" },
		{ "https://client.example.com:/", "port" },
		{ "https://93.184.216.34/", "IP address" },
		{ "https://[2606:4700::1]/", "IP address" },
		{ "https://localhost/", "special-use" },
		{ "https://cdn.corp.internal/", "special-use" },
		{ "https://intranet/", "one label" },
		{ "https://a_b.example.com/", "no letter" },
		{ "https://127.1/", "number" },
	};
	const char *why;
	struct uri u;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(uri_split(span_of(rows[i].uri), &u, &why));
		if (uri_is_public_https(&u, &why) != (rows[i].why == NULL))
			fail_msg("%s: %s", rows[i].uri, why);
		if (rows[i].why != NULL && strstr(why, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].uri, why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(bytes_of_each_part),
		cmocka_unit_test(percent_triplets),
		cmocka_unit_test(failure_leaves_the_scheme),
		cmocka_unit_test(dangerous_schemes),
		cmocka_unit_test(ports),
		cmocka_unit_test(public_https),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
