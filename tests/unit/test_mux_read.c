/*
 * test_mux_read.c - one request in the protocol of saslauthd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mux_read.h"

/* Bytes being put together. */
struct bytes {
	char p[2 * MUX_MAX_REQUEST];
	size_t n;
};

static void
add(struct bytes *b, const char *p, size_t n)
{
	b->p[b->n++] = (char)(n >> 8);
	b->p[b->n++] = (char)(n & 0xff);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* A whole request: strings up to NULL. */
static void
request(struct bytes *b, const char *const strings[])
{
	size_t i;

	b->n = 0;
	for (i = 0; strings[i] != NULL; i++)
		add(b, strings[i], strlen(strings[i]));
}

#define REQUEST(b, ...) request(b, (const char *const[]){ __VA_ARGS__, NULL })

/* Read a copy of exactly that size, so that a sanitizer sees the end. */
static enum mux_state
state_of(const struct bytes *b, size_t n)
{
	struct mux_request q;
	char *copy = malloc(n == 0 ? 1 : n);
	enum mux_state state;

	assert_non_null(copy);
	memcpy(copy, b->p, n);
	state = mux_read(copy, n, &q);
	free(copy);
	return state;
}

static void
old_and_new_clients(void **state)
{
	struct bytes *b = *state;
	struct mux_request q;

	REQUEST(b, "me", "secret", "imap", "example.org");
	assert_int_equal(mux_read(b->p, b->n, &q), MUX_COMPLETE);
	assert_true(span_is(q.login, "me"));
	assert_true(span_is(q.password, "secret"));
	assert_true(span_is(q.service, "imap"));
	assert_true(span_is(q.realm, "example.org"));
	REQUEST(b, "me", "secret", "imap", "", "::1;993");
	assert_int_equal(mux_read(b->p, b->n, &q), MUX_COMPLETE);
	assert_true(span_is(q.service, "imap"));
	assert_int_equal(q.realm.n, 0);
	REQUEST(b, "", "", "x", "", "");
	assert_int_equal(mux_read(b->p, b->n, &q), MUX_COMPLETE);
	assert_int_equal(q.login.n + q.password.n + q.realm.n, 0);
}

static void
prefixes_want_more(void **state)
{
	struct bytes *b = *state;
	size_t n, four;

	REQUEST(b, "https://h.example/c", "a.b.c", "smtp", "x");
	four = b->n;
	for (n = 0; n < four; n++)
		assert_int_equal(state_of(b, n), MUX_MORE);
	assert_int_equal(state_of(b, four), MUX_COMPLETE);
	add(b, "192.0.2.1;25", 12);
	for (n = 0; n < b->n; n++)
		assert_int_equal(state_of(b, n),
		    n == four ? MUX_COMPLETE : MUX_MORE);
	assert_int_equal(state_of(b, b->n), MUX_COMPLETE);
}

static void
what_follows_is_malformed(void **state)
{
	struct bytes *b = *state;

	REQUEST(b, "a", "b", "c", "d", "e");
	b->p[b->n++] = '\0';
	assert_int_equal(state_of(b, b->n), MUX_MALFORMED);
}

static void
counts_stay_within_the_limit(void **state)
{
	/* What is left beside the counts and a service. */
	const size_t room = MUX_MAX_REQUEST - 5 * 2 - 1;
	char *long_one = calloc(1, MUX_MAX_REQUEST);
	struct bytes *b = *state;

	assert_non_null(long_one);
	memset(long_one, 'x', MUX_MAX_REQUEST);
	b->n = 0;
	add(b, "", 0);
	add(b, long_one, room);
	add(b, "s", 1);
	add(b, "", 0);
	add(b, "", 0);
	assert_int_equal(b->n, MUX_MAX_REQUEST);
	assert_int_equal(state_of(b, b->n), MUX_COMPLETE);
	assert_int_equal(state_of(b, b->n - 1), MUX_MORE);

	b->n = 0;
	add(b, "", 0);
	add(b, long_one, room + 1);
	add(b, "s", 1);
	add(b, "", 0);
	assert_int_equal(b->n, MUX_MAX_REQUEST - 1);
	assert_int_equal(state_of(b, b->n), MUX_COMPLETE);
	b->p[b->n++] = '\0'; /* of a fifth count that does not fit */
	assert_int_equal(state_of(b, b->n), MUX_MALFORMED);
	free(long_one);
}

/* One may say that it is too much before the rest has come. */
static void
counts_speak_early(void **state)
{
	struct bytes *b = *state;

	memcpy(b->p, "\x20\x00", 2);
	assert_int_equal(state_of(b, 2), MUX_MALFORMED);
	memcpy(b->p, "\x1f\xff", 2);
	assert_int_equal(state_of(b, 2), MUX_MALFORMED);
	memcpy(b->p, "\x1f\xfe", 2);
	assert_int_equal(state_of(b, 2), MUX_MORE);
	memcpy(b->p, "\xff\xff", 2);
	assert_int_equal(state_of(b, 2), MUX_MALFORMED);
	assert_int_equal(state_of(b, MUX_MAX_REQUEST + 1), MUX_MALFORMED);
}

static void
no_nul_in_any_string(void **state)
{
	struct bytes *b = *state;
	size_t i, k;

	for (i = 0; i < 5; i++) {
		b->n = 0;
		for (k = 0; k < 5; k++)
			add(b, k == i ? "x\0y" : "abc", 3);
		assert_int_equal(state_of(b, b->n), MUX_MALFORMED);
	}
}

/* One byte more than a service may have. */
static const char longer[] =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static void
services_that_can_be_named(void **state)
{
	static const char *const bad[] = { "", " ", "im ap", "a/b", "\t",
		"imap\n", "\x7f", "caf\xc3\xa9", longer };
	static const char *const good[] = { "imap", "IMAP", "a.b-c_d:e@f", "~",
		longer + 1 };
	struct bytes *b = *state;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		REQUEST(b, "a", "b", bad[i], "");
		assert_int_equal(state_of(b, b->n), MUX_MALFORMED);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		REQUEST(b, "a", "b", good[i], "");
		assert_int_equal(state_of(b, b->n), MUX_COMPLETE);
	}
}

static void
a_realm_has_no_at_sign(void **state)
{
	struct bytes *b = *state;

	REQUEST(b, "a", "b", "c", "d@e");
	assert_int_equal(state_of(b, b->n), MUX_MALFORMED);
}

static void
names_are_put_together(void **state)
{
	static const char *const rows[][3] = {
		{ "https://h.example/c", "", "https://h.example/c" },
		{ "https://h.example/", "me/c", "https://h.example/@me/c" },
		{ "https://h.example/@me/", "you",
		    "https://h.example/@me/@you" },
		{ "https://h.example/c", "example.org",
		    "https://h.example/c@example.org" },
		{ "HTTPS://h.example/c", "", "HTTPS://h.example/c" },
		{ "https://", "", "https://" },
		{ "http://h.example/c", "", NULL },
		{ " https://h.example/c", "", NULL },
		{ "https:/", "/h.example/c", NULL },
		{ "https:/", "", NULL },
		{ "me", "https://h.example/", NULL },
		{ "", "", NULL },
	};
	char out[CIMD_MAX_URL];
	struct mux_request q;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		q = (struct mux_request){ .login = span_of(rows[i][0]),
			.realm = span_of(rows[i][1]) };
		assert_int_equal(mux_client_id(&q, out, &n),
		    rows[i][2] != NULL);
		if (rows[i][2] != NULL)
			assert_true(
			    span_is((struct span){ out, n }, rows[i][2]));
		else
			assert_int_equal(n, 0);
	}
}

static void
names_up_to_the_limit(void **state)
{
	char login[CIMD_MAX_URL + 1], out[CIMD_MAX_URL];
	struct mux_request q = { .login = { login, CIMD_MAX_URL } };
	size_t n;

	(void)state;
	memset(login, 'x', sizeof(login));
	memcpy(login, "https://", 8); /* NOLINT(bugprone-not-null-*) */
	assert_true(mux_client_id(&q, out, &n));
	assert_int_equal(n, CIMD_MAX_URL);
	assert_memory_equal(out, login, n);
	q.login.n++;
	assert_false(mux_client_id(&q, out, &n));
	q.login.n = CIMD_MAX_URL - 2;
	q.realm = span_of("y");
	assert_true(mux_client_id(&q, out, &n));
	assert_int_equal(n, CIMD_MAX_URL);
	q.realm = span_of("yz");
	assert_false(mux_client_id(&q, out, &n));
}

static int
set_up(void **state)
{
	return (*state = calloc(1, sizeof(struct bytes))) == NULL;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_and_new_clients),
		cmocka_unit_test(prefixes_want_more),
		cmocka_unit_test(what_follows_is_malformed),
		cmocka_unit_test(counts_stay_within_the_limit),
		cmocka_unit_test(counts_speak_early),
		cmocka_unit_test(no_nul_in_any_string),
		cmocka_unit_test(services_that_can_be_named),
		cmocka_unit_test(a_realm_has_no_at_sign),
		cmocka_unit_test(names_are_put_together),
		cmocka_unit_test(names_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
