/*
 * test_store.c - records, segments, activity, lists, the audit tail
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "box.h"

static void
what_was_put_is_read(void **state)
{
	const char url[] = "https://a.example/c";
	struct entry *put = box_entry(url, true, 10), *e;
	struct box b;
	int round;

	(void)state;
	box_open(&b, NULL);
	assert_null(box_read(&b, url));
	put->freshness.floor_only = true;
	assert_int_equal(store_put(b.s, put, BOX_NOW - 5, NULL), CIMD_OK);
	for (round = 0; round < 2; round++) {
		e = box_read(&b, url);
		assert_non_null(e);
		assert_true(
		    span_eq(client_bytes(e->live), client_bytes(put->live)));
		assert_true(e->freshness.fetched_at == BOX_NOW &&
		    e->freshness.refresh_at == BOX_NOW + 2880 &&
		    e->freshness.expires_at == BOX_NOW + 3600 &&
		    e->freshness.floor_only);
		assert_string_equal(e->etag, put->etag);
		assert_string_equal(e->last_modified, put->last_modified);
		assert_true(e->kept);
		assert_int_equal(e->first_seen, BOX_NOW - 5);
		assert_int_equal(e->governance, GOVERN_NONE);
		assert_null(e->word.approved);
		assert_false(e->word.update_waits);
		entry_free(&e);
		box_reopen(&b);
	}
	assert_null(box_read(&b, "https://a.example/C"));
	entry_free(&put);
	box_close(&b);
}

static void
newer_record_replaces(void **state)
{
	struct entry *e;
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", false, 10, 100);
	box_put(&b, "https://a.example/c", true, 20, 200);
	box_put(&b, "https://a.example/c", false, 30, 300);
	e = box_read(&b, "https://a.example/c");
	assert_int_equal(strlen(cimd_client_get(e->live, "client_name")), 30);
	assert_true(e->kept); /* once out of probation, always */
	assert_int_equal(e->first_seen, 100);
	entry_free(&e);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM document"), 1);
	box_close(&b);
}

static void
memory_store_needs_no_file(void **state)
{
	const struct store_limits limits = { 10, 10, 10, 10 };
	struct box b = { .limits = limits };
	char buf[100];

	(void)state;
	assert_int_equal(store_open(NULL, &limits, &b.s, NULL), CIMD_OK);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	assert_true(box_has(&b, "https://a.example/c", 10));
	assert_null(store_problem(b.s, buf, sizeof(buf)));
	store_close(&b.s);
	assert_null(b.s);
	store_close(&b.s);
	assert_int_equal(store_open("", &limits, &b.s, NULL), CIMD_OK);
	assert_false(box_has(&b, "https://a.example/c", 10));
	store_close(&b.s);
}

static void
see(struct box *b, const char *client_id, const char *consumer,
    uint64_t lookups, int64_t now)
{
	const struct store_activity a = { .client_id = span_of(client_id),
		.consumer = consumer,
		.lookups = lookups,
		.refused = 1,
		.last_seen = now };

	assert_int_equal(store_add_activity(b->s, &a, 1, NULL), CIMD_OK);
}

/* Strangers go first, and never at the cost of kept clients. */
static void
segments_are_bounded(void **state)
{
	const struct store_limits limits = { 5, 3, 10, 10 };
	struct store_figures f;
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, &limits);
	for (i = 0; i < 5; i++)
		box_put(&b, box_url(i), true, 10, i);
	for (i = 100; i < 200; i++)
		box_put(&b, box_url(i), false, 10, i);
	assert_int_equal(store_figures(b.s, &f, NULL), CIMD_OK);
	assert_true(f.kept == 5 && f.probation == 3 && f.governed == 0);
	for (i = 0; i < 5; i++)
		assert_true(box_has(&b, box_url(i), 10));
	for (i = 197; i < 200; i++)
		assert_true(box_has(&b, box_url(i), 10));
	box_put(&b, box_url(6), true, 10, 300);
	assert_false(box_has(&b, box_url(0), 10));
	box_put(&b, box_url(199), true, 10, 301); /* leaves probation */
	assert_false(box_has(&b, box_url(1), 10));
	assert_int_equal(store_figures(b.s, &f, NULL), CIMD_OK);
	assert_true(f.kept == 5 && f.probation == 2);
	box_close(&b);
}

/* Who was never looked up goes first, then who was not seen for longest. */
static void
active_clients_stay(void **state)
{
	const struct store_limits limits = { 4, 4, 10, 10 };
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, &limits);
	for (i = 0; i < 4; i++)
		box_put(&b, box_url(i), true, 10, i);
	see(&b, box_url(0), "idp", 1, 500);
	see(&b, box_url(1), "idp", 0, 900); /* only refused */
	see(&b, box_url(2), "idp", 1, 400);
	box_put(&b, box_url(4), true, 10, 1000);
	assert_false(box_has(&b, box_url(3), 10));
	box_put(&b, box_url(5), true, 10, 1001);
	assert_false(box_has(&b, box_url(1), 10));
	box_put(&b, box_url(6), true, 10, 1002);
	assert_false(box_has(&b, box_url(4), 10));
	see(&b, box_url(5), "idp", 1, 1003);
	see(&b, box_url(6), "idp", 1, 1004);
	box_put(&b, box_url(7), true, 10, 1005);
	assert_false(box_has(&b, box_url(2), 10));
	assert_true(box_has(&b, box_url(0), 10));
	box_close(&b);
}

static void
probation_is_bounded_in_bytes(void **state)
{
	const struct store_limits limits = { 10, 1000, 10, 10 };
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, &limits);
	for (i = 0; i < 200; i++)
		box_put(&b, box_url(i), false, 30000, i);
	assert_in_range(box_number(&b, "SELECT sum(size) FROM client"), 3000000,
	    4194304);
	assert_int_equal(box_number(&b,
			     "SELECT sum(c.size - length(d.live)) FROM client c"
			     " JOIN document d ON d.client = c.id"),
	    0);
	assert_true(box_has(&b, box_url(199), 30000));
	box_close(&b);
}

static int64_t
file_size(const struct box *b, const char *name)
{
	struct stat st;

	return stat(box_file(b, name), &st) == 0 ? (int64_t)st.st_size : 0;
}

/* A flood of URLs does not let the file grow. */
static void
file_stays_small(void **state)
{
	const struct store_limits limits = { 100, 200, 10, 10 };
	struct box b;
	int64_t before, after;
	uint32_t i;

	(void)state;
	box_open(&b, &limits);
	for (i = 0; i < 400; i++)
		box_put(&b, box_url(i), false, 1500, i);
	before = file_size(&b, "cimd.db") + file_size(&b, "cimd.db-wal");
	for (; i < 5000; i++)
		box_put(&b, box_url(i), false, 1500, i);
	after = file_size(&b, "cimd.db") + file_size(&b, "cimd.db-wal");
	assert_true(after - before < 2097152);
	box_close(&b);
}

/* What a list says, one line per row. */
static void
add_row(void *ctx, const struct store_row *row)
{
	char *out = ctx;
	size_t n = strlen(out);

	assert_string_equal(row->entry->client_id, row->client_id);
	(void)snprintf(out + n, 2000 - n, "%s %s %d/%d %d-%d\n", row->client_id,
	    row->consumer != NULL ? row->consumer : "-", (int)row->lookups,
	    (int)row->refused, (int)row->first_seen, (int)row->last_seen);
}

static void
assert_query(struct box *b, const struct store_query *q, const char *want)
{
	char out[2000] = "";

	assert_int_equal(store_list(b->s, q, add_row, out, NULL), CIMD_OK);
	assert_string_equal(out, want);
}

static void
assert_list(struct box *b, const char *contains, uint32_t offset,
    uint32_t limit, const char *want)
{
	const struct store_query q = { contains, NULL, offset, limit };

	assert_query(b, &q, want);
}

static void
activity_is_listed(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_list(&b, NULL, 0, 10, "");
	box_put(&b, "https://a.example/c", true, 10, 50);
	box_put(&b, "https://b.example/c", true, 10, 60);
	box_put(&b, "https://c.example/c", false, 10, 70);
	see(&b, "https://a.example/c", "keycloak", 3, 100);
	see(&b, "https://a.example/c", "imap", 1, 200);
	see(&b, "https://b.example/c", "imap", 0, 150);
	see(&b, "https://a.example/c", "keycloak", 4, 300);
	see(&b, "https://a.example/c", "keycloak", 5, 290);
	see(&b, "https://unknown.example/c", "imap", 9, 400);
	assert_list(&b, NULL, 0, 10,
	    "https://a.example/c keycloak 12/3 100-300\n"
	    "https://a.example/c imap 1/1 200-200\n"
	    "https://b.example/c imap 0/1 150-150\n"
	    "https://c.example/c - 0/0 70-0\n");
	assert_list(&b, NULL, 1, 2,
	    "https://a.example/c imap 1/1 200-200\n"
	    "https://b.example/c imap 0/1 150-150\n");
	assert_list(&b, "b.ex", 0, 10,
	    "https://b.example/c imap 0/1 150-150\n");
	assert_list(&b, "%", 0, 10, "");
	assert_list(&b, NULL, 0, 0, "");
	box_close(&b);
}

/* A page of one consumer's rows is full, whatever others did meanwhile. */
static void
pages_of_one_consumer(void **state)
{
	struct store_query q = { NULL, "imap", 0, 2 };
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, 50);
	box_put(&b, "https://b.example/c", true, 10, 60);
	box_put(&b, "https://c.example/c", true, 10, 70);
	see(&b, "https://a.example/c", "imap", 1, 100);
	see(&b, "https://b.example/c", "imap", 1, 110);
	see(&b, "https://c.example/c", "imap", 1, 120);
	see(&b, "https://a.example/c", "keycloak", 1, 200);
	see(&b, "https://b.example/c", "keycloak", 1, 210);
	assert_query(&b, &q,
	    "https://c.example/c imap 1/1 120-120\n"
	    "https://b.example/c imap 1/1 110-110\n");
	q.offset = 2;
	assert_query(&b, &q, "https://a.example/c imap 1/1 100-100\n");
	q.offset = 0;
	q.contains = "a.ex";
	assert_query(&b, &q, "https://a.example/c imap 1/1 100-100\n");
	q.consumer = "";
	assert_query(&b, &q, "");
	box_close(&b);
}

/* Consumers can be renamed again and again; a client has 32 of them. */
static void
consumers_are_bounded(void **state)
{
	char name[32];
	struct box b;
	int i;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, 0);
	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "consumer%d", i);
		see(&b, "https://a.example/c", name, 1, i);
		see(&b, "https://a.example/c", "always", 1, i);
	}
	assert_int_equal(box_number(&b, "SELECT count(*) FROM activity"), 32);
	assert_int_equal(box_number(&b,
			     "SELECT lookups FROM activity"
			     " WHERE consumer = 'always'"),
	    100);
	assert_int_equal(box_number(&b,
			     "SELECT count(*) FROM activity"
			     " WHERE consumer = 'consumer99'"),
	    1);
	box_close(&b);
}

/* All of a batch or nothing of it. */
static void
activity_of_many_clients(void **state)
{
	struct store_activity a[20];
	char url[20][64];
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, NULL);
	for (i = 0; i < 20; i++) {
		(void)snprintf(url[i], sizeof(url[i]), "%s", box_url(i));
		box_put(&b, url[i], true, 10, 0);
		a[i] = (struct store_activity){ span_of(url[i]), "idp",
			UINT64_MAX, 1, 7 };
	}
	assert_int_equal(store_add_activity(b.s, a, 20, NULL), CIMD_OK);
	assert_int_equal(store_add_activity(b.s, a, 20, NULL), CIMD_OK);
	assert_int_equal(store_add_activity(b.s, a, 0, NULL), CIMD_OK);
	assert_int_equal(box_number(&b, "SELECT sum(refused) FROM activity"),
	    40);
	assert_int_equal(box_number(&b, "SELECT min(lookups) FROM activity"),
	    2 * (int64_t)INT32_MAX);
	box_close(&b);
}

static void
short_ids_are_found(void **state)
{
	char short_id[44], *url = NULL;
	struct box b;

	(void)state;
	/* The SHA-256 of the empty string is well known. */
	store_short_id(span_of(""), short_id);
	assert_string_equal(short_id,
	    "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, 0);
	store_short_id(span_of("https://a.example/c"), short_id);
	assert_int_equal(store_find_short(b.s, short_id, &url, NULL), CIMD_OK);
	assert_string_equal(url, "https://a.example/c");
	free(url);
	short_id[0]++;
	assert_int_equal(store_find_short(b.s, short_id, &url, NULL), CIMD_OK);
	assert_null(url);
	box_close(&b);
}

static void
add_line(void *ctx, const char *line)
{
	char *out = ctx;
	size_t n = strlen(out);

	(void)snprintf(out + n, 2000 - n, "%s;", line);
}

static void
assert_tail(struct box *b, uint32_t n, const char *want)
{
	char out[2000] = "";

	assert_int_equal(store_audit_tail(b->s, n, add_line, out, NULL),
	    CIMD_OK);
	assert_string_equal(out, want);
}

static void
audit_has_a_tail(void **state)
{
	const struct store_limits limits = { 10, 10, 10, 4 };
	char line[32];
	struct box b;
	int i;

	(void)state;
	box_open(&b, &limits);
	assert_tail(&b, 10, "");
	for (i = 0; i < 10; i++) {
		(void)snprintf(line, sizeof(line), "line %d", i);
		assert_int_equal(store_audit(b.s, i, line, NULL), CIMD_OK);
	}
	assert_tail(&b, 10, "line 6;line 7;line 8;line 9;");
	assert_tail(&b, 2, "line 8;line 9;");
	assert_tail(&b, 0, "");
	box_reopen(&b);
	assert_int_equal(store_audit(b.s, 10, "", NULL), CIMD_OK);
	assert_tail(&b, UINT32_MAX, "line 7;line 8;line 9;;");
	assert_int_equal(box_number(&b, "SELECT count(*) FROM audit"), 4);
	box_close(&b);
}

/* Long lines push more of the old ones out. */
static void
audit_is_bounded_in_bytes(void **state)
{
	const struct store_limits limits = { 10, 10, 10, 100 };
	static char line[16386];
	struct cimd_error err = { 0 };
	struct box b;
	int i;

	(void)state;
	box_open(&b, &limits);
	memset(line, 'x', sizeof(line) - 1);
	assert_int_equal(store_audit(b.s, 0, line, &err), CIMD_E_STORE);
	assert_string_equal(err.text,
	    "an audit line of 16385 bytes is too long");
	line[16384] = '\0';
	for (i = 0; i < 20; i++)
		assert_int_equal(store_audit(b.s, i, line, NULL), CIMD_OK);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM audit"), 4);
	line[10] = '\0';
	for (i = 0; i < 200; i++)
		assert_int_equal(store_audit(b.s, i, line, NULL), CIMD_OK);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM audit"), 100);
	box_close(&b);
}

/* A sweep drops what nobody may use any more, and nothing else. */
static void
sweep_drops_what_is_old(void **state)
{
	struct box b;
	struct entry *e;
	const int64_t last = BOX_NOW + 3600 + CIMD_STALE_MAX_S;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, 0);
	box_put(&b, "https://b.example/c", true, 10, 0);
	box_put(&b, "https://c.example/c", true, 10, 0);
	see(&b, "https://b.example/c", "idp", 1, 7);
	assert_int_equal(store_govern(b.s, span_of("https://c.example/c"),
			     GOVERN_BLOCKED, NULL, 0, NULL),
	    CIMD_OK);
	assert_int_equal(store_sweep(b.s, last, NULL), CIMD_OK);
	assert_true(box_has(&b, "https://a.example/c", 10));
	assert_int_equal(store_sweep(b.s, last + 1, NULL), CIMD_OK);
	assert_null(box_read(&b, "https://a.example/c"));
	e = box_read(&b, "https://b.example/c");
	assert_null(e->live);
	assert_int_equal(e->freshness.expires_at, 0);
	entry_free(&e);
	e = box_read(&b, "https://c.example/c");
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	entry_free(&e);
	assert_int_equal(box_number(&b, "SELECT sum(size) FROM client"), 0);
	box_close(&b);
}

enum {
	THREADS = 4,
	ROUNDS = 100
};

struct worker {
	struct box *b;
	uint32_t first;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct store_query q = { NULL, NULL, 0, 10 };
	char out[2000], url[64];
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		struct entry *e;

		(void)snprintf(url, sizeof(url), "https://t%u.example/%u",
		    w->first, i % 10);
		e = box_entry(url, i % 2, 10);
		assert_int_equal(store_put(w->b->s, e, i, NULL), CIMD_OK);
		entry_free(&e);
		e = box_read(w->b, url);
		assert_non_null(e);
		entry_free(&e);
		see(w->b, url, "idp", 1, i);
		if (i % 20 != 0)
			continue;
		out[0] = '\0';
		assert_int_equal(store_list(w->b->s, &q, add_row, out, NULL),
		    CIMD_OK);
		assert_int_equal(store_sweep(w->b->s, BOX_NOW, NULL), CIMD_OK);
	}
	return NULL;
}

static void
threads_share(void **state)
{
	struct worker w[THREADS];
	pthread_t thread[THREADS];
	struct box b;
	uint32_t i;

	(void)state;
	box_open(&b, NULL);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ &b, i };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(box_number(&b, "SELECT sum(lookups) FROM activity"),
	    THREADS * ROUNDS);
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_read),
		cmocka_unit_test(newer_record_replaces),
		cmocka_unit_test(memory_store_needs_no_file),
		cmocka_unit_test(segments_are_bounded),
		cmocka_unit_test(active_clients_stay),
		cmocka_unit_test(probation_is_bounded_in_bytes),
		cmocka_unit_test(file_stays_small),
		cmocka_unit_test(activity_is_listed),
		cmocka_unit_test(pages_of_one_consumer),
		cmocka_unit_test(consumers_are_bounded),
		cmocka_unit_test(activity_of_many_clients),
		cmocka_unit_test(short_ids_are_found),
		cmocka_unit_test(audit_has_a_tail),
		cmocka_unit_test(audit_is_bounded_in_bytes),
		cmocka_unit_test(sweep_drops_what_is_old),
		cmocka_unit_test(threads_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
