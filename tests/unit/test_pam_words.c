/*
 * test_pam_words.c - options and user names of pam_cimd.so
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "name.h"
#include "options.h"

#define COUNT(v) ((int)(sizeof(v) / sizeof((v)[0])))

static void
reads_all_options(void **state)
{
	const char *words[] = { "socket=/run/x", "timeout=60000",
		"audience=https://as.example", "audience=b", "decode_user",
		"try_first_pass", "use_first_pass", "unknown=ignore", "env",
		"debug" };
	const char *bad;
	struct options o;

	(void)state;
	assert_true(options_read(0, NULL, &o, &bad));
	assert_null(o.socket);
	assert_null(o.audiences[0]);
	assert_int_equal(o.timeout_ms, 0);
	assert_false(o.decode_user || o.use_first_pass || o.ignore_unknown ||
	    o.env || o.debug);
	assert_true(options_read(COUNT(words), words, &o, &bad));
	assert_string_equal(o.socket, "/run/x");
	assert_int_equal(o.timeout_ms, 60000);
	assert_int_equal(o.n_audiences, 2);
	assert_string_equal(o.audiences[0], "https://as.example");
	assert_string_equal(o.audiences[1], "b");
	assert_null(o.audiences[2]);
	assert_true(o.decode_user && o.use_first_pass && o.ignore_unknown &&
	    o.env && o.debug);
}

static void
refuses_what_is_no_option(void **state)
{
	static const char *const words[] = { "", "sockets=/run/x", "socket",
		"socket=", "socket=run/x", "timeout=", "timeout=0",
		"timeout=-1", "timeout=010", "timeout=60001", "timeout=1s",
		"timeout= 1", "timeout=99999999999999999999",
		"audience=", "audience", "decode_user=yes", "DEBUG", "unknown",
		"unknown=", "unknown=accept", "policy=x", "nullok" };
	const char *bad = NULL, *word;
	struct options o;
	int i;

	(void)state;
	for (i = 0; i < COUNT(words); i++) {
		word = words[i];
		if (options_read(1, &word, &o, &bad) || bad != word)
			fail_msg("taken: \"%s\"", word);
	}
}

static void
refuses_what_is_said_twice(void **state)
{
	static const char *pairs[][2] = { { "debug", "debug" },
		{ "socket=/a", "socket=/a" }, { "timeout=1", "timeout=2" },
		{ "unknown=ignore", "unknown=deny" },
		{ "unknown=deny", "unknown=ignore" }, { "env", "env" },
		{ "decode_user", "decode_user" } };
	const char *many[17];
	const char *bad;
	struct options o;
	int i;

	(void)state;
	for (i = 0; i < COUNT(pairs); i++)
		if (options_read(2, pairs[i], &o, &bad) || bad != pairs[i][1])
			fail_msg("taken: %s %s", pairs[i][0], pairs[i][1]);
	for (i = 0; i < 17; i++)
		many[i] = "audience=a";
	assert_true(options_read(16, many, &o, &bad));
	assert_false(options_read(17, many, &o, &bad));
}

static void
reads_names(void **state)
{
	static const struct {
		const char *user;
		bool decode;
		enum name kind;
		const char *id;
	} v[] = {
		{ "alice", false, NAME_OTHER, NULL },
		{ "alice", true, NAME_OTHER, NULL },
		{ "", true, NAME_OTHER, NULL },
		{ "https", true, NAME_OTHER, NULL },
		{ "http://a/b", true, NAME_OTHER, NULL },
		{ "HTTPS://a/b", true, NAME_OTHER, NULL },
		{ " https://a/b", true, NAME_OTHER, NULL },
		{ "https://a.example/b?c=%2F", false, NAME_CLIENT,
		    "https://a.example/b?c=%2F" },
		{ "https://a.example/%2F", true, NAME_CLIENT,
		    "https://a.example/%2F" },
		{ "https%3A%2F%2Fa.example%2Fb.json", false, NAME_OTHER, NULL },
		{ "https%3A%2F%2Fa.example%2Fb.json", true, NAME_CLIENT,
		    "https://a.example/b.json" },
		{ "https%3a%2f%2fa.example%2fb.json", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Eexample%2Fb", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%2Dc", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%5Fc", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa.example%2F%40me%2F~x_-*", true, NAME_CLIENT,
		    "https://a.example/@me/~x_-*" },
		{ "https%3A%2F%2Fa%2F%252F", true, NAME_CLIENT,
		    "https://a/%2F" },
		{ "https%3A%2F%2Fa%2Fb+c", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%20c", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%00c", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2F%62", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%2", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%2G", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa%2Fb%c3%a4", true, NAME_BAD, NULL },
		{ "https%3A%2F%2Fa/b", true, NAME_BAD, NULL },
		{ "https%3A//a", true, NAME_BAD, NULL },
		{ "https%253A%252F%252Fa", true, NAME_BAD, NULL },
		{ "https%", true, NAME_BAD, NULL },
	};
	char out[CIMD_MAX_URL + 1];
	int i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		if (name_read(v[i].user, v[i].decode, out) != v[i].kind)
			fail_msg("%s", v[i].user);
		if (v[i].id != NULL)
			assert_string_equal(out, v[i].id);
	}
}

static void
names_are_limited(void **state)
{
	static char long_name[NAME_MAX_ENCODED + 64];
	char out[CIMD_MAX_URL + 1];
	size_t i, n = 14;

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name, "https://", 8);
	long_name[CIMD_MAX_URL] = '\0';
	assert_int_equal(name_read(long_name, false, out), NAME_CLIENT);
	assert_int_equal(strlen(out), CIMD_MAX_URL);
	long_name[CIMD_MAX_URL] = 'a';
	long_name[CIMD_MAX_URL + 1] = '\0';
	assert_int_equal(name_read(long_name, false, out), NAME_BAD);
	memcpy(long_name, "https%3A%2F%2F", n);
	for (i = 8; i < CIMD_MAX_URL; i++, n += 3)
		memcpy(long_name + n, "%2F", 3);
	long_name[n] = '\0';
	assert_int_equal(name_read(long_name, true, out), NAME_CLIENT);
	assert_int_equal(strlen(out), CIMD_MAX_URL);
	memcpy(long_name + n, "a", 2);
	assert_int_equal(name_read(long_name, true, out), NAME_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_options),
		cmocka_unit_test(refuses_what_is_no_option),
		cmocka_unit_test(refuses_what_is_said_twice),
		cmocka_unit_test(reads_names),
		cmocka_unit_test(names_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
