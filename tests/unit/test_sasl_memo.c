/*
 * test_sasl_memo.c - what the SASL plugin keeps, for how long, and for whom
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memo.h"

#define URL "https://h.example.net/c"

static const int one, two; /* stand for connections */

static struct memo_key
key(const void *conn, const char *service, const char *peer, const char *id)
{
	return (struct memo_key){ conn, service, peer, id, strlen(id) };
}

/* An answer that costs no socket. */
static struct cimdclient_answer *
answer(void)
{
	const struct cimdclient_ask ask = { .client_id = "x",
		.client_id_len = 1 };
	struct cimdclient_answer *out = NULL;

	assert_int_equal(cimdclient_lookup(&ask, &out), CIMD_NOT_OURS);
	assert_non_null(out);
	return out;
}

static void
put(struct memo *m, const struct memo_key *k, int64_t born_ms)
{
	struct cimdclient_answer *a = answer();

	memo_put(m, k, born_ms, &a);
	assert_null(a);
}

/* Is there one?  It is dropped. */
static bool
has(struct memo *m, const struct memo_key *k, int64_t now_ms)
{
	int64_t born = -1;
	struct cimdclient_answer *a = memo_take(m, k, now_ms, &born);
	const bool found = a != NULL;

	assert_int_equal(born >= 0, found);
	cimdclient_free(&a);
	return found;
}

static void
two_seconds_and_no_more(void **state)
{
	const struct memo_key k = key(&one, "imap", "192.0.2.1;1", URL);
	struct memo *m = *state;
	int64_t born = 0;
	struct cimdclient_answer *a;

	put(m, &k, 1000);
	assert_true(has(m, &k, 1000 + MEMO_MS - 1));
	assert_false(has(m, &k, 1000));
	put(m, &k, 1000);
	assert_false(has(m, &k, 1000 + MEMO_MS));
	put(m, &k, 1000);
	assert_false(has(m, &k, 999)); /* a clock that went back */

	/* Using it makes it no younger. */
	put(m, &k, 1000);
	a = memo_take(m, &k, 2500, &born);
	assert_non_null(a);
	assert_int_equal(born, 1000);
	memo_put(m, &k, born, &a);
	assert_false(has(m, &k, 1000 + MEMO_MS));
}

static void
for_the_same_question_alone(void **state)
{
	const struct memo_key k = key(&one, "imap", "192.0.2.1;1", URL);
	const struct memo_key others[] = {
		key(&two, "imap", "192.0.2.1;1", URL),
		key(&one, "smtp", "192.0.2.1;1", URL),
		key(&one, "", "192.0.2.1;1", URL),
		key(&one, "imap", "192.0.2.1;2", URL),
		key(&one, "imap", "", URL),
		key(&one, "imap", "192.0.2.1;1", URL "x"),
		key(&one, "imap", "192.0.2.1;1", "https://h.example.net/d"),
		key(&one, "imap", "192.0.2.1;1", "https://h.example.net/"),
	};
	struct memo *m = *state;
	size_t i;

	put(m, &k, 1000);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(has(m, &others[i], 1000));
	assert_true(has(m, &k, 1000));
}

static void
the_oldest_goes(void **state)
{
	struct memo *m = *state;
	char id[MEMO_ANSWERS + 1][32];
	struct memo_key k[MEMO_ANSWERS + 1];
	int i;

	for (i = 0; i <= MEMO_ANSWERS; i++) {
		snprintf(id[i], sizeof(id[i]), "https://h.example.net/%d", i);
		k[i] = key(&one, "imap", "", id[i]);
		put(m, &k[i], 1000 + i);
	}
	assert_false(has(m, &k[0], 1100));
	for (i = 1; i <= MEMO_ANSWERS; i++)
		assert_true(has(m, &k[i], 1100));
}

static void
what_does_not_fit_is_not_kept(void **state)
{
	char text[MEMO_MAX_TEXT + 2], id[SASL_CIMD_MAX_ID];
	struct memo *m = *state;
	struct memo_key k;

	memset(text, 'x', sizeof(text));
	text[MEMO_MAX_TEXT + 1] = '\0';
	k = key(&one, text, "", URL);
	put(m, &k, 1000);
	assert_false(has(m, &k, 1000));
	k = key(&one, "", text, URL);
	put(m, &k, 1000);
	assert_false(has(m, &k, 1000));
	text[MEMO_MAX_TEXT] = '\0';
	memset(id, 'y', sizeof(id));
	k = (struct memo_key){ &one, text, text, id, sizeof(id) };
	put(m, &k, 1000);
	assert_true(has(m, &k, 1000));
}

/* In a child after fork() the lock may be held for ever. */
static void
nobody_waits_for_the_lock(void **state)
{
	const struct memo_key k = key(&one, "imap", "", URL);
	struct memo *m = *state;

	put(m, &k, 1000);
	assert_int_equal(pthread_mutex_lock(&m->lock), 0);
	assert_false(has(m, &k, 1000));
	put(m, &k, 1001);
	assert_int_equal(pthread_mutex_unlock(&m->lock), 0);
	assert_true(has(m, &k, 1000));
	assert_false(has(m, &k, 1001));
}

static int
set_up(void **state)
{
	*state = malloc(sizeof(struct memo));
	return *state == NULL || !memo_init(*state);
}

static int
tear_down(void **state)
{
	memo_clear(*state);
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_seconds_and_no_more, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(for_the_same_question_alone,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_goes, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_not_kept,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_waits_for_the_lock,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
