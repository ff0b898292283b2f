/*
 * test_store_govern.c - an administrator's word, withdrawals, used jti
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"
#include "store_int.h"

/*
 * SQLite in this program calls these, and so tells when it waits for the
 * disk.
 */
static _Atomic unsigned int syncs;
__attribute__((visibility("default"))) int
fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int
fdatasync(int fildes)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fildes);
}

/* How often it waited since the last call. */
static unsigned int
take_syncs(void)
{
	unsigned int n = syncs;

	syncs = 0;
	return n;
}

static enum cimd_err
govern(struct box *b, const char *url, enum governance governance,
    const struct cimd_client *approved)
{
	return store_govern(b->s, span_of(url), governance, approved, BOX_NOW,
	    NULL);
}

static enum governance
governance_of(struct box *b, const char *url)
{
	struct entry *e = box_read(b, url);
	enum governance governance;

	assert_non_null(e);
	governance = e->governance;
	entry_free(&e);
	return governance;
}

static void
word_is_kept(void **state)
{
	const char url[] = "https://a.example/c";
	struct cimd_client *approved = box_record(url, 5);
	struct entry *e;
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_int_equal(govern(&b, url, GOVERN_APPROVED, approved), CIMD_OK);
	box_reopen(&b);
	e = box_read(&b, url);
	assert_int_equal(e->governance, GOVERN_APPROVED);
	assert_true(
	    span_eq(client_bytes(e->word.approved), client_bytes(approved)));
	assert_null(e->live);
	assert_false(e->kept);
	assert_int_equal(e->first_seen, BOX_NOW);
	entry_free(&e);
	box_put(&b, url, true, 10, BOX_NOW);
	e = box_read(&b, url);
	assert_int_equal(e->governance, GOVERN_APPROVED);
	assert_non_null(e->word.approved);
	assert_true(e->word.update_waits); /* the names differ */
	entry_free(&e);
	assert_int_equal(govern(&b, url, GOVERN_PINNED, approved), CIMD_OK);
	assert_int_equal(governance_of(&b, url), GOVERN_PINNED);
	assert_int_equal(govern(&b, url, GOVERN_BLOCKED, NULL), CIMD_OK);
	e = box_read(&b, url);
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	assert_null(e->word.approved);
	assert_non_null(e->live);
	entry_free(&e);
	assert_int_equal(govern(&b, url, GOVERN_NONE, NULL), CIMD_OK);
	assert_int_equal(governance_of(&b, url), GOVERN_NONE);
	cimd_client_free(&approved);
	box_close(&b);
}

/* What a flood evicts, it is no client that somebody decided about. */
static void
word_is_never_evicted(void **state)
{
	const struct store_limits limits = { 2, 2, 10, 10 };
	struct store_figures f;
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, &limits);
	box_put(&b, box_url(0), true, 10, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(govern(&b, box_url(i), GOVERN_BLOCKED, NULL),
		    CIMD_OK);
	for (i = 100; i < 120; i++)
		box_put(&b, box_url(i), i % 2, 10, i);
	for (i = 0; i < 10; i++)
		assert_int_equal(governance_of(&b, box_url(i)), GOVERN_BLOCKED);
	assert_true(box_has(&b, box_url(0), 10));
	assert_int_equal(store_figures(b.s, &f, NULL), CIMD_OK);
	assert_true(f.kept == 2 && f.probation == 2 && f.governed == 10);
	/* Without the word it counts again, and the segment is full. */
	assert_int_equal(govern(&b, box_url(0), GOVERN_NONE, NULL), CIMD_OK);
	assert_int_equal(store_figures(b.s, &f, NULL), CIMD_OK);
	assert_true(f.kept == 2 && f.governed == 9);
	box_close(&b);
}

static void
withdrawal_leaves_the_word(void **state)
{
	const char url[] = "https://a.example/c";
	struct entry *e;
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_int_equal(store_withdraw(b.s, span_of(url), NULL), CIMD_OK);
	assert_null(box_read(&b, url));
	box_put(&b, url, true, 10, BOX_NOW);
	assert_int_equal(govern(&b, url, GOVERN_APPROVED, NULL), CIMD_OK);
	assert_int_equal(store_withdraw(b.s, span_of(url), NULL), CIMD_OK);
	e = box_read(&b, url);
	assert_null(e->live);
	assert_int_equal(e->governance, GOVERN_APPROVED);
	assert_true(e->kept);
	assert_string_equal(e->etag, "");
	entry_free(&e);
	assert_int_equal(box_number(&b, "SELECT size FROM client"), 0);
	box_close(&b);
}

static void
forgetting_leaves_a_block(void **state)
{
	const char a[] = "https://a.example/c", c[] = "https://c.example/c";
	const struct store_activity seen = { span_of(a), "idp", 1, 1, 1 };
	struct cimd_client *approved = box_record(a, 5);
	struct entry *e;
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_int_equal(store_forget(b.s, span_of(a), NULL), CIMD_OK);
	box_put(&b, a, true, 10, BOX_NOW);
	box_put(&b, c, true, 10, BOX_NOW);
	assert_int_equal(store_add_activity(b.s, &seen, 1, NULL), CIMD_OK);
	assert_int_equal(govern(&b, a, GOVERN_BLOCKED, approved), CIMD_OK);
	assert_int_equal(govern(&b, c, GOVERN_APPROVED, NULL), CIMD_OK);
	assert_int_equal(store_forget(b.s, span_of(a), NULL), CIMD_OK);
	assert_int_equal(store_forget(b.s, span_of(c), NULL), CIMD_OK);
	e = box_read(&b, a);
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	assert_null(e->live);
	assert_null(e->word.approved);
	entry_free(&e);
	assert_null(box_read(&b, c));
	assert_int_equal(box_number(&b, "SELECT count(*) FROM document"), 0);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM activity"), 0);
	assert_int_equal(box_number(&b, "SELECT sum(size) FROM client"), 0);
	cimd_client_free(&approved);
	box_close(&b);
}

static enum cimd_err
use(struct box *b, const char *iss, const char *jti, int64_t keep_until,
    int64_t now)
{
	return store_use_jti(b->s, span_of(iss), jti, keep_until, now, NULL);
}

static void
jti_is_used_once(void **state)
{
	struct cimd_error err = { 0 };
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_int_equal(use(&b, "https://a.example/c", "1", 100, 50), CIMD_OK);
	assert_int_equal(use(&b, "https://a.example/c", "2", 100, 50), CIMD_OK);
	assert_int_equal(use(&b, "https://b.example/c", "1", 100, 50), CIMD_OK);
	assert_int_equal(use(&b, "https://b.example/", "c1", 100, 50), CIMD_OK);
	box_reopen(&b);
	assert_int_equal(store_use_jti(b.s, span_of("https://a.example/c"), "1",
			     100, 100, &err),
	    CIMD_E_REPLAY);
	assert_string_equal(err.section, "RFC 7523");
	assert_string_equal(err.text, "jti was used before");
	assert_int_equal(use(&b, "https://a.example/c", "1", 300, 101),
	    CIMD_OK);
	assert_int_equal(use(&b, "https://a.example/c", "1", 300, 101),
	    CIMD_E_REPLAY);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM jti"), 1);
	box_close(&b);
}

/* Without a place to remember it, a jti is refused. */
static void
full_window_refuses(void **state)
{
	const struct store_limits limits = { 10, 10, 3, 10 };
	struct cimd_error err = { 0 };
	char iss[16];
	struct box b;
	int i;

	(void)state;
	box_open(&b, &limits);
	for (i = 0; i < 3; i++) {
		(void)snprintf(iss, sizeof(iss), "%d", i);
		assert_int_equal(use(&b, iss, "j", 100 + i, 50), CIMD_OK);
	}
	assert_int_equal(use(&b, "3", "j", 200, 100), CIMD_E_STORE);
	assert_int_equal(use(&b, "2", "j", 200, 100), CIMD_E_REPLAY);
	box_reopen(&b);
	assert_int_equal(store_use_jti(b.s, span_of("3"), "j", 200, 100, &err),
	    CIMD_E_STORE);
	assert_string_equal(err.text, "all 3 places for used jti are taken");
	assert_int_equal(use(&b, "3", "j", 200, 101), CIMD_OK);
	assert_int_equal(use(&b, "4", "j", 200, 101), CIMD_E_STORE);
	assert_int_equal(store_sweep(b.s, 103, NULL), CIMD_OK);
	assert_int_equal(use(&b, "4", "j", 200, 101), CIMD_OK);
	assert_int_equal(use(&b, "5", "j", 200, 101), CIMD_OK);
	assert_int_equal(use(&b, "6", "j", 200, 101), CIMD_E_STORE);
	box_close(&b);
}

/* How many of n assertions of a client are taken. */
static int
use_many(struct box *b, const char *iss, int n, int64_t keep_until, int64_t now)
{
	static int serial;
	char jti[16];
	int i, taken = 0;

	for (i = 0; i < n; i++) {
		(void)snprintf(jti, sizeof(jti), "%d", serial++);
		taken += use(b, iss, jti, keep_until, now) == CIMD_OK;
	}
	return taken;
}

/* Whatever one client does, the others go on, also after a restart. */
static void
one_client_starves_no_other(void **state)
{
	const struct store_limits limits = { 10, 10, 12, 10 };
	struct cimd_error err = { 0 };
	struct box b;

	(void)state;
	box_open(&b, &limits);
	assert_int_equal(use_many(&b, "greedy", 100, 100, 50), 6);
	assert_int_equal(store_use_jti(b.s, span_of("greedy"), "x", 100, 50,
			     &err),
	    CIMD_E_TOO_MANY);
	assert_string_equal(err.section, "policy");
	assert_string_equal(err.text,
	    "the client has its share of the 12 places for used jti");
	box_reopen(&b);
	assert_int_equal(use_many(&b, "greedy", 100, 100, 50), 0);
	assert_int_equal(use_many(&b, "other", 2, 300, 50), 2);
	/* Two of them leave room for a third. */
	assert_int_equal(use_many(&b, "second", 100, 100, 50), 2);
	assert_int_equal(use(&b, "third", "y", 100, 50), CIMD_OK);
	assert_int_equal(use(&b, "third", "z", 100, 50), CIMD_E_TOO_MANY);
	/* What was used is used, share or not. */
	assert_int_equal(use(&b, "third", "y", 100, 50), CIMD_E_REPLAY);
	assert_int_equal(box_number(&b, "SELECT sum(used) FROM issuer"), 11);
	/* As they expire they count no more. */
	assert_int_equal(use_many(&b, "greedy", 100, 400, 101), 5);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM issuer"), 2);
	assert_int_equal(store_sweep(b.s, 500, NULL), CIMD_OK);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM issuer"), 0);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM jti"), 0);
	box_close(&b);
}

/* What counts waits for the disk; what can be fetched again does not. */
static void
what_counts_is_synced(void **state)
{
	const char url[] = "https://a.example/c";
	const struct store_activity seen = { span_of(url), "idp", 1, 1, 1 };
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, url, true, 10, BOX_NOW); /* begins the log */
	(void)take_syncs();
	box_put(&b, url, true, 20, BOX_NOW);
	assert_int_equal(store_add_activity(b.s, &seen, 1, NULL), CIMD_OK);
	assert_int_equal(store_audit(b.s, 0, "{}", NULL), CIMD_OK);
	assert_int_equal(take_syncs(), 0);
	assert_int_equal(govern(&b, url, GOVERN_BLOCKED, NULL), CIMD_OK);
	assert_true(take_syncs() > 0);
	assert_int_equal(use(&b, url, "1", 100, 50), CIMD_OK);
	assert_true(take_syncs() > 0);
	assert_int_equal(store_withdraw(b.s, span_of(url), NULL), CIMD_OK);
	assert_true(take_syncs() > 0);
	assert_int_equal(store_forget(b.s, span_of(url), NULL), CIMD_OK);
	assert_true(take_syncs() > 0);
	box_put(&b, url, true, 20, BOX_NOW);
	assert_int_equal(take_syncs(), 0);
	box_close(&b);
}

/* As if the disk were full: no page more than there are. */
static void
fill_up(struct box *b)
{
	int64_t pages;
	char sql[64];

	b->s->retry_ms = 0;
	assert_int_equal(db_number(&b->s->writer, "PRAGMA page_count", &pages),
	    0);
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d",
	    (int)pages);
	assert_int_equal(db_exec(&b->s->writer, sql), 0);
}

static void
make_space(struct box *b)
{
	assert_int_equal(db_exec(&b->s->writer,
			     "PRAGMA max_page_count = 100000"),
	    0);
}

static void
full_disk_is_told(void **state)
{
	const char url[] = "https://a.example/c";
	struct cimd_client *large = box_record(url, 60000);
	struct entry *e = box_entry(url, true, 60000);
	struct cimd_error err = { 0 };
	char buf[100];
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://b.example/c", true, 10, BOX_NOW);
	fill_up(&b);
	assert_null(store_problem(b.s, buf, sizeof(buf)));
	assert_int_equal(store_put(b.s, e, BOX_NOW, &err), CIMD_E_STORE);
	assert_non_null(strstr(err.text, "the disk is full"));
	assert_string_equal(store_problem(b.s, buf, sizeof(buf)),
	    "the disk is full");
	assert_int_equal(govern(&b, url, GOVERN_APPROVED, large), CIMD_E_STORE);
	assert_true(box_has(&b, "https://b.example/c", 10));
	assert_null(box_read(&b, url));
	/* A change that changes nothing proves nothing. */
	assert_int_equal(store_withdraw(b.s, span_of(url), NULL), CIMD_OK);
	assert_non_null(store_problem(b.s, buf, sizeof(buf)));
	make_space(&b);
	assert_int_equal(store_put(b.s, e, BOX_NOW, NULL), CIMD_OK);
	assert_null(store_problem(b.s, buf, sizeof(buf)));
	assert_true(box_has(&b, url, 60000));
	entry_free(&e);
	cimd_client_free(&large);
	box_close(&b);
}

/* Between tries, a write fails at once, without touching the disk. */
static void
retries_wait(void **state)
{
	const char url[] = "https://a.example/c";
	struct entry *e = box_entry(url, true, 60000);
	struct cimd_error err = { 0 };
	char buf[100];
	struct box b;

	(void)state;
	box_open(&b, NULL);
	fill_up(&b);
	b.s->retry_ms = 3600000;
	assert_int_equal(store_put(b.s, e, BOX_NOW, NULL), CIMD_E_STORE);
	make_space(&b);
	assert_int_equal(store_put(b.s, e, BOX_NOW, &err), CIMD_E_STORE);
	assert_string_equal(err.text, "nothing is written: the disk is full");
	assert_int_equal(use(&b, "i", "1", 100, 50), CIMD_E_STORE);
	assert_int_equal(govern(&b, url, GOVERN_BLOCKED, NULL), CIMD_E_STORE);
	b.s->retry_at_ms = 0;
	assert_int_equal(use(&b, "i", "1", 100, 50), CIMD_OK);
	assert_null(store_problem(b.s, buf, sizeof(buf)));
	assert_null(box_read(&b, url));
	entry_free(&e);
	box_close(&b);
}

/*
 * While nothing can be written, a withdrawn record, or one that has a newer
 * version, is not read from the disk; once it can, it is gone from there.
 */
static void
outdated_records_are_not_read(void **state)
{
	const char a[] = "https://a.example/c", c[] = "https://c.example/c";
	struct entry *large = box_entry(a, true, 60000), *e;
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, a, true, 10, BOX_NOW);
	box_put(&b, c, true, 20, BOX_NOW);
	box_put(&b, "https://d.example/c", true, 30, BOX_NOW);
	assert_int_equal(govern(&b, a, GOVERN_APPROVED, NULL), CIMD_OK);
	fill_up(&b);
	assert_int_equal(store_put(b.s, large, BOX_NOW, NULL), CIMD_E_STORE);
	b.s->retry_at_ms = INT64_MAX;
	assert_int_equal(store_withdraw(b.s, span_of(c), NULL), CIMD_E_STORE);
	e = box_read(&b, a);
	assert_null(e->live);
	assert_int_equal(e->governance, GOVERN_APPROVED);
	entry_free(&e);
	assert_false(box_has(&b, c, 20));
	assert_true(box_has(&b, "https://d.example/c", 30));
	assert_int_equal(box_number(&b, "SELECT count(*) FROM document"), 3);
	b.s->retry_at_ms = 0;
	assert_int_equal(store_audit(b.s, 0, "{}", NULL), CIMD_OK);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM document"), 1);
	assert_false(box_has(&b, a, 10));
	make_space(&b);
	assert_int_equal(store_put(b.s, large, BOX_NOW, NULL), CIMD_OK);
	assert_true(box_has(&b, a, 60000));
	entry_free(&large);
	box_close(&b);
}

/*
 * What was never on the disk cannot be outdated there: strangers cannot
 * fill the list of what is.
 */
static void
unknown_clients_are_not_outdated(void **state)
{
	const char url[] = "https://a.example/c";
	struct entry *e;
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, url, true, 10, BOX_NOW);
	assert_int_equal(govern(&b, box_url(0), GOVERN_APPROVED, NULL),
	    CIMD_OK);
	b.s->retry_ms = 3600000;
	store_note(b.s, "a test");
	for (i = 0; i <= b.s->outdated.map.capacity; i++) {
		e = box_entry(box_url(i), false, 10);
		assert_int_equal(store_put(b.s, e, BOX_NOW, NULL),
		    CIMD_E_STORE);
		entry_free(&e);
	}
	assert_int_equal(b.s->outdated.map.used, 0);
	assert_true(box_has(&b, url, 10));
	assert_int_equal(governance_of(&b, box_url(0)), GOVERN_APPROVED);
	box_close(&b);
}

/*
 * More than can be remembered: then no record of the disk is good.  For
 * clients in probation there is always room.
 */
static void
too_many_outdated_records(void **state)
{
	const struct store_limits limits = { 2000, 50, 10, 10 };
	const uint32_t max = STORE_MAX_OUTDATED + limits.max_unverified;
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, &limits);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	for (i = 0; i <= max; i++)
		box_put(&b, box_url(i), true, 10, BOX_NOW);
	b.s->retry_ms = 3600000;
	store_note(b.s, "a test");
	for (i = 0; i < max; i++)
		assert_int_equal(store_withdraw(b.s, span_of(box_url(i)), NULL),
		    CIMD_E_STORE);
	assert_true(box_has(&b, "https://a.example/c", 10));
	assert_false(box_has(&b, box_url(7), 10));
	assert_int_equal(store_withdraw(b.s, span_of(box_url(i)), NULL),
	    CIMD_E_STORE);
	assert_false(box_has(&b, "https://a.example/c", 10));
	b.s->retry_at_ms = 0;
	box_put(&b, "https://b.example/c", true, 10, BOX_NOW);
	assert_true(box_has(&b, "https://b.example/c", 10));
	assert_false(box_has(&b, "https://a.example/c", 10));
	assert_int_equal(box_number(&b, "SELECT count(*) FROM document"), 1);
	box_close(&b);
}

/* A store in memory can be full as well. */
static void
memory_can_be_full(void **state)
{
	const struct store_limits limits = { 10, 10, 10, 10 };
	const char a[] = "https://a.example/c", c[] = "https://c.example/c";
	struct entry *large = box_entry(a, true, 60000);
	struct box b = { .limits = limits };

	(void)state;
	assert_int_equal(store_open(NULL, &limits, &b.s, NULL), CIMD_OK);
	box_put(&b, a, true, 10, BOX_NOW);
	box_put(&b, c, true, 10, BOX_NOW);
	fill_up(&b);
	assert_int_equal(store_put(b.s, large, BOX_NOW, NULL), CIMD_E_STORE);
	assert_false(box_has(&b, a, 10));
	assert_true(box_has(&b, c, 10));
	make_space(&b);
	assert_int_equal(store_put(b.s, large, BOX_NOW, NULL), CIMD_OK);
	assert_true(box_has(&b, a, 60000));
	entry_free(&large);
	store_close(&b.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_is_kept),
		cmocka_unit_test(word_is_never_evicted),
		cmocka_unit_test(withdrawal_leaves_the_word),
		cmocka_unit_test(forgetting_leaves_a_block),
		cmocka_unit_test(jti_is_used_once),
		cmocka_unit_test(full_window_refuses),
		cmocka_unit_test(one_client_starves_no_other),
		cmocka_unit_test(what_counts_is_synced),
		cmocka_unit_test(full_disk_is_told),
		cmocka_unit_test(retries_wait),
		cmocka_unit_test(outdated_records_are_not_read),
		cmocka_unit_test(unknown_clients_are_not_outdated),
		cmocka_unit_test(too_many_outdated_records),
		cmocka_unit_test(memory_can_be_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
