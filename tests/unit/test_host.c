/*
 * test_host.c - kinds of hosts
 * SPDX-License-Identifier: Apache-2.0
 *
 * What makes a host bad is tested with whole URLs in cases/url-invalid.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

struct row {
	const char *host;
	enum host_kind kind;
};

static void
kinds(void **state)
{
	static const struct row rows[] = {
		{ "client.example.com", HOST_NAME },
		{ "a.b", HOST_NAME },
		{ "xn--bcher-kva.com", HOST_NAME },
		{ "1.2.3.4.com", HOST_NAME },
		{ "1.2.3.4", HOST_IPV4 },
		{ "255.255.255.255", HOST_IPV4 },
		{ "[::1]", HOST_IPV6 },
		{ "[2001:DB8::1.2.3.4]", HOST_IPV6 },
		{ "localhost", HOST_SPECIAL },
		{ "a.b.LocalHost", HOST_SPECIAL },
		{ "home.arpa", HOST_SPECIAL },
		{ "x.home.arpa", HOST_SPECIAL },
		{ "arpa.home", HOST_NAME },
		{ "homexarpa.com", HOST_NAME },
		{ "xhome.arpa", HOST_NAME },
		{ "::1", HOST_BAD },
		{ "1:2", HOST_BAD },
		{ "[", HOST_BAD },
		{ "[]", HOST_BAD },
		{ "[1.2.3.4]", HOST_BAD },
		{ "", HOST_BAD },
		{ "xn--a.com", HOST_BAD },
		{ "com", HOST_BAD },
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = NULL;
		if (host_judge(span_of(rows[i].host), &why) != rows[i].kind)
			fail_msg("%s: %s", rows[i].host, why);
		assert_non_null(why);
	}
}

static void
absent_is_bad(void **state)
{
	static const struct span absent = { NULL, 0 };
	const char *why;

	(void)state;
	assert_int_equal(host_judge(absent, &why), HOST_BAD);
	assert_string_equal(why, "has no host");
	assert_false(host_is_loopback(absent));
	assert_false(host_is_redirect_loopback(absent));
}

/* Letters, digits and hyphens; the dot splits labels. */
static void
every_byte(void **state)
{
	static const char ldh[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	char host[] = "a?b.com";
	const struct span s = { host, sizeof(host) - 1 };
	const char *why;
	bool good;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		host[1] = (char)c;
		good = c != 0 && strchr(ldh, c) != NULL;
		if ((host_judge(s, &why) == HOST_NAME) != good)
			fail_msg("byte %02x: %s", (unsigned int)c, why);
	}
}

static void
loopback(void **state)
{
	static const char *const yes[] = { "localhost", "LOCALHOST",
		"app.localhost", "127.0.0.1", "127.255.255.254", "[::1]",
		"[0:0:0:0:0:0:0:1]" };
	static const char *const no[] = { "localhost.", "notlocalhost",
		"localhost.com", "128.0.0.1", "127.1", "::1", "[::2]",
		"[127.0.0.1]", "[::ffff:127.0.0.1]", "[::1", "[]", "", "[",
		"127.0.0.1.nip.io" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!host_is_loopback(span_of(yes[i])))
			fail_msg("no loopback: %s", yes[i]);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (host_is_loopback(span_of(no[i])))
			fail_msg("loopback: %s", no[i]);
}

static void
redirect_loopback(void **state)
{
	static const char *const no[] = { "LOCALHOST", "a.localhost",
		"localhost.", "127.0.0.2", "127.1", "::1", "[0:0:0:0:0:0:0:1]",
		"" };
	size_t i;

	(void)state;
	assert_true(host_is_redirect_loopback(span_of("localhost")));
	assert_true(host_is_redirect_loopback(span_of("127.0.0.1")));
	assert_true(host_is_redirect_loopback(span_of("[::1]")));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (host_is_redirect_loopback(span_of(no[i])))
			fail_msg("loopback: %s", no[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(absent_is_bad),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(loopback),
		cmocka_unit_test(redirect_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
