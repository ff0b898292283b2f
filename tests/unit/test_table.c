/*
 * test_table.c - the bounded table: entries, generations, counts
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "table.h"

static struct table *
make(uint32_t capacity)
{
	struct table *t = table_new(capacity);

	assert_non_null(t);
	return t;
}

/* An entry with a record whose name has name_len bytes. */
static struct entry *
make_entry(const char *client_id, bool kept, size_t name_len)
{
	struct client_fields *f = calloc(1, sizeof(*f));
	struct entry *e = entry_new(span_of(client_id));
	char *name = malloc(name_len + 1);

	assert_non_null(f);
	assert_non_null(e);
	assert_non_null(name);
	memset(name, 'n', name_len + 1);
	f->text[CLIENT_ID] = span_of(client_id);
	f->text[CLIENT_NAME] = (struct span){ name, name_len };
	assert_int_equal(client_build(f, &e->live, NULL), CIMD_OK);
	e->kept = kept;
	free(name);
	free(f);
	return e;
}

static void
put(struct table *t, const char *client_id, bool kept, size_t name_len)
{
	struct entry *e = make_entry(client_id, kept, name_len);

	table_put(t, e, table_generation(t, span_of(client_id)));
	entry_free(&e);
}

/* Does the table have it?  Asks without counting. */
static bool
has(struct table *t, const char *client_id)
{
	struct entry *e = table_get(t, span_of(client_id), TABLE_CONSUMERS, 0);
	bool found = e != NULL;

	if (found)
		assert_string_equal(e->client_id, client_id);
	entry_free(&e);
	return found;
}

static const char *
url_of(uint32_t i)
{
	static char url[64];

	(void)snprintf(url, sizeof(url), "https://h%u.example/c", i);
	return url;
}

static void
finds_what_was_put(void **state)
{
	struct table *t = make(10);
	struct entry *e, *got;

	(void)state;
	assert_false(has(t, "https://a.example/c"));
	e = make_entry("https://a.example/c", true, 10);
	table_put(t, e, table_generation(t, span_of(e->client_id)));
	got = table_get(t, span_of("https://a.example/c"), 0, 0);
	assert_ptr_equal(got, e);
	entry_free(&got);
	entry_free(&e);
	assert_false(has(t, "https://a.example/"));
	assert_false(has(t, "https://a.example/cc"));
	table_free(&t);
	table_free(&t);
}

/* An entry lives on with whoever holds it. */
static void
references_outlive_the_table(void **state)
{
	struct table *t = make(10);
	struct entry *e;

	(void)state;
	put(t, "https://a.example/c", true, 10);
	e = table_get(t, span_of("https://a.example/c"), 0, 0);
	assert_non_null(e);
	table_drop(t, span_of("https://a.example/c"));
	assert_false(has(t, "https://a.example/c"));
	table_free(&t);
	assert_string_equal(cimd_client_id(e->live), "https://a.example/c");
	entry_free(&e);
}

static void
newer_entry_replaces(void **state)
{
	struct table *t = make(10);
	struct entry *e;

	(void)state;
	put(t, "https://a.example/c", false, 10);
	put(t, "https://a.example/c", true, 20);
	put(t, "https://a.example/c", true, 30);
	e = table_get(t, span_of("https://a.example/c"), 0, 0);
	assert_true(e->kept);
	assert_int_equal(strlen(cimd_client_get(e->live, "client_name")), 30);
	entry_free(&e);
	put(t, "https://a.example/c", false, 40);
	e = table_get(t, span_of("https://a.example/c"), 0, 0);
	assert_false(e->kept);
	entry_free(&e);
	table_drop(t, span_of("https://a.example/c"));
	assert_false(has(t, "https://a.example/c"));
	table_free(&t);
}

/* What was read before a change is not kept after it. */
static void
old_generation_is_not_kept(void **state)
{
	struct table *t = make(10);
	struct entry *e = make_entry("https://a.example/c", true, 10);
	uint64_t generation;

	(void)state;
	generation = table_generation(t, span_of(e->client_id));
	table_drop(t, span_of(e->client_id));
	table_put(t, e, generation);
	assert_false(has(t, e->client_id));
	generation = table_generation(t, span_of(e->client_id));
	table_clear(t);
	table_put(t, e, generation);
	assert_false(has(t, e->client_id));
	table_put(t, e, table_generation(t, span_of(e->client_id)));
	assert_true(has(t, e->client_id));
	entry_free(&e);
	table_free(&t);
}

static void
evicts_least_recently_used(void **state)
{
	struct table *t = make(8);
	uint32_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		put(t, url_of(i), true, 10);
	assert_true(has(t, url_of(0)));
	put(t, url_of(8), true, 10);
	assert_true(has(t, url_of(0)));
	assert_false(has(t, url_of(1)));
	for (i = 2; i < 9; i++)
		assert_true(has(t, url_of(i)));
	table_free(&t);
}

/* A flood of strangers pushes no kept client out. */
static void
probation_is_apart(void **state)
{
	struct table *t = make(64);
	uint32_t i, n = 0;

	(void)state;
	for (i = 0; i < 64; i++)
		put(t, url_of(i), true, 10);
	for (i = 1000; i < 2000; i++)
		put(t, url_of(i), false, 10);
	for (i = 0; i < 64; i++)
		assert_true(has(t, url_of(i)));
	for (i = 1000; i < 2000; i++)
		n += has(t, url_of(i));
	assert_int_equal(n, 64 / 8 + 1);
	table_free(&t);
}

/* Large records of strangers are bounded in bytes, not only in number. */
static void
probation_is_bounded_in_bytes(void **state)
{
	const size_t large = 100000;
	struct table *t = make(1000);
	uint32_t i, n = 0;

	(void)state;
	for (i = 0; i < 100; i++)
		put(t, url_of(i), false, large);
	for (i = 0; i < 100; i++)
		n += has(t, url_of(i));
	assert_in_range(n, 20, TABLE_PROBATION_BYTES / large);
	for (i = 0; i < 100; i++)
		table_drop(t, span_of(url_of(i)));
	for (i = 0; i < 100; i++)
		put(t, url_of(i), false, 100);
	for (i = 0; i < 100; i++)
		assert_true(has(t, url_of(i)));
	table_free(&t);
}

static void
many_entries_fit(void **state)
{
	struct table *t = make(10000);
	uint32_t i, n = 0;

	(void)state;
	for (i = 0; i < 10000; i++)
		put(t, url_of(i), true, 10);
	for (i = 0; i < 10000; i++)
		n += has(t, url_of(i));
	assert_int_equal(n, 10000);
	for (; i < 100000; i++)
		put(t, url_of(i), true, 10);
	for (i = 0, n = 0; i < 100000; i++)
		n += has(t, url_of(i));
	assert_in_range(n, 10000, 10000 + 2500 + 16);
	table_clear(t);
	for (i = 0, n = 0; i < 100000; i++)
		n += has(t, url_of(i));
	assert_int_equal(n, 0);
	table_free(&t);
}

static void
odd_capacities(void **state)
{
	struct table *t = make(0);

	(void)state;
	put(t, "https://a.example/c", true, 10);
	assert_false(has(t, "https://a.example/c"));
	put(t, "https://a.example/c", false, 10);
	assert_true(has(t, "https://a.example/c"));
	table_free(&t);
	t = make(1);
	put(t, "https://a.example/c", true, TABLE_KEPT_BYTES);
	assert_false(has(t, "https://a.example/c"));
	put(t, "https://a.example/c", true, TABLE_KEPT_BYTES / 4);
	assert_true(has(t, "https://a.example/c"));
	table_free(&t);
	assert_null(table_new(UINT32_MAX));
}

/* What a drain handed out: sums, and what it said of one client. */
struct sums {
	const char *client_id; /* of interest */
	uint32_t n;
	uint64_t lookups, refused;
	uint64_t of_consumer[TABLE_CONSUMERS];
	int64_t last_seen;
	struct table *again; /* call into the table from fn */
};

static void
add_up(void *ctx, const struct table_count *c)
{
	struct sums *s = ctx;

	s->n++;
	s->lookups += c->lookups;
	s->refused += c->refused;
	assert_true(c->consumer < TABLE_CONSUMERS);
	if (s->client_id != NULL && span_is(c->client_id, s->client_id)) {
		s->of_consumer[c->consumer] += c->lookups + c->refused;
		s->last_seen =
		    c->last_seen > s->last_seen ? c->last_seen : s->last_seen;
	}
	if (s->again != NULL)
		table_count(s->again, c->client_id, 1, 1, true);
}

static struct sums
drain(struct table *t, const char *client_id)
{
	struct sums s = { .client_id = client_id };

	table_drain(t, add_up, &s);
	return s;
}

/* n lookups, each of which must find it. */
static void
look_up(struct table *t, const char *client_id, uint32_t consumer, uint32_t n,
    int64_t now)
{
	struct entry *e;

	while (n-- > 0) {
		e = table_get(t, span_of(client_id), consumer, now);
		assert_non_null(e);
		entry_free(&e);
	}
}

static void
counts_per_consumer(void **state)
{
	struct table *t = make(10);
	struct sums s;

	(void)state;
	put(t, "https://a.example/c", true, 10);
	put(t, "https://b.example/c", false, 10);
	look_up(t, "https://a.example/c", 0, 3, 100);
	look_up(t, "https://a.example/c", 31, 2, 300);
	look_up(t, "https://a.example/c", 0, 1, 200);
	look_up(t, "https://a.example/c", 32, 5, 900);
	look_up(t, "https://b.example/c", 7, 4, 100);
	table_count(t, span_of("https://a.example/c"), 0, 50, true);
	table_count(t, span_of("https://a.example/c"), 32, 50, true);
	s = drain(t, "https://a.example/c");
	assert_int_equal(s.n, 3);
	assert_int_equal(s.lookups, 10);
	assert_int_equal(s.refused, 1);
	assert_int_equal(s.of_consumer[0], 5);
	assert_int_equal(s.of_consumer[31], 2);
	assert_int_equal(s.last_seen, 300);
	s = drain(t, NULL);
	assert_int_equal(s.n, 0);
	look_up(t, "https://a.example/c", 0, 1, 400);
	s = drain(t, "https://a.example/c");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last_seen, 400);
	table_free(&t);
}

/* Counts stay whatever happens to the entry that they were made for. */
static void
counts_outlive_entries(void **state)
{
	struct table *t = make(4);
	struct sums s;
	uint32_t i;

	(void)state;
	put(t, "https://a.example/c", false, 10);
	look_up(t, "https://a.example/c", 0, 1, 100);
	put(t, "https://a.example/c", true, 10);
	look_up(t, "https://a.example/c", 0, 1, 200);
	look_up(t, "https://a.example/c", 1, 1, 200);
	table_drop(t, span_of("https://a.example/c"));
	put(t, "https://a.example/c", true, 10);
	look_up(t, "https://a.example/c", 0, 1, 300);
	for (i = 0; i < 4; i++)
		put(t, url_of(i), true, 10);
	assert_false(has(t, "https://a.example/c"));
	put(t, "https://a.example/c", true, 10);
	look_up(t, "https://a.example/c", 0, 1, 400);
	table_clear(t);
	s = drain(t, "https://a.example/c");
	assert_int_equal(s.lookups, 5);
	assert_int_equal(s.of_consumer[0], 4);
	assert_int_equal(s.of_consumer[1], 1);
	assert_int_equal(s.last_seen, 400);
	s = drain(t, NULL);
	assert_int_equal(s.n, 0);
	table_free(&t);
}

/* Every hit of many clients is counted, also of those dropped at once. */
static void
no_count_is_lost(void **state)
{
	struct table *t = make(5000);
	struct sums s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		put(t, url_of(i), true, 10);
	for (i = 0; i < 15000; i++)
		look_up(t, url_of(i % 5000), i % 3, 1, i);
	table_clear(t);
	for (i = 0; i < 5000; i++)
		put(t, url_of(i), true, 10);
	for (i = 0; i < 5000; i++)
		look_up(t, url_of(i), i % 3, 1, i);
	s = drain(t, NULL);
	assert_int_equal(s.lookups, 20000);
	table_free(&t);
}

/* Strangers are counted too, as many as there is room for. */
static void
strangers_are_bounded(void **state)
{
	struct table *t = make(10);
	char longer[CIMD_MAX_URL + 2];
	struct sums s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		table_count(t, span_of(url_of(i)), 0, i, i % 2 == 0);
	table_count(t, span_of(url_of(0)), 0, 7, true);
	s = drain(t, "https://h0.example/c");
	assert_int_equal(s.n, TABLE_STRANGERS);
	assert_int_equal(s.lookups, TABLE_STRANGERS / 2);
	assert_int_equal(s.refused, TABLE_STRANGERS / 2 + 1);
	assert_int_equal(s.of_consumer[0], 2);
	assert_int_equal(s.last_seen, 7);
	table_count(t, span_of(url_of(99999)), 0, 1, true);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	table_count(t, span_of(longer), 0, 1, true);
	s = drain(t, url_of(99999));
	assert_int_equal(s.n, 1);
	assert_int_equal(s.of_consumer[0], 1);
	table_free(&t);
}

/* Cells for counts have an end; entries are found all the same. */
static void
cells_are_bounded(void **state)
{
	struct table *t = make(4);
	struct sums s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 5000 * TABLE_CONSUMERS; i++)
		table_count(t, span_of(url_of(i / TABLE_CONSUMERS)),
		    i % TABLE_CONSUMERS, 1, false);
	put(t, "https://a.example/c", true, 10);
	look_up(t, "https://a.example/c", 0, 1, 1);
	s = drain(t, NULL);
	assert_in_range(s.n, TABLE_STRANGERS, 4 * TABLE_STRANGERS);
	table_free(&t);
}

/* The function that takes counts may use the table. */
static void
drain_holds_no_lock(void **state)
{
	struct table *t = make(100);
	struct sums s = { .again = t };
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++) {
		put(t, url_of(i), true, 10);
		look_up(t, url_of(i), 0, 1, 1);
	}
	table_drain(t, add_up, &s);
	assert_in_range(s.n, 100, 200);
	s.again = NULL;
	table_drain(t, add_up, &s);
	assert_int_equal(s.lookups, 100);
	table_free(&t);
}

static bool
make_and_free(void *ctx)
{
	struct table *t = table_new(10000);
	bool made = t != NULL;

	(void)ctx;
	table_free(&t);
	return made;
}

/* Without memory, counts wait for a drain that has some. */
static void
survives_lack_of_memory(void **state)
{
	struct table *t = make(10);
	struct sums s;

	(void)state;
	assert_true(alloc_sweep(make_and_free, NULL) > 16);
	put(t, "https://a.example/c", true, 10);
	look_up(t, "https://a.example/c", 0, 3, 1);
	alloc_fail_at(1);
	s = drain(t, NULL);
	assert_int_equal(s.n, 0);
	alloc_fail_at(1);
	table_count(t, span_of("https://b.example/c"), 0, 1, true);
	assert_true(alloc_failed());
	alloc_fail_at(0);
	s = drain(t, NULL);
	assert_int_equal(s.lookups, 3);
	assert_int_equal(s.refused, 0);
	table_free(&t);
}

enum {
	THREADS = 4,
	ROUNDS = 20000
};

struct busy {
	struct table *t;
	uint32_t random;
	uint64_t hits;
};

/* Everything at once, on few names. */
static void *
be_busy(void *arg)
{
	struct busy *b = arg;
	struct entry *e;
	char url[64];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		b->random = b->random * 1664525 + 1013904223;
		(void)snprintf(url, sizeof(url), "https://h%u.example/c",
		    b->random >> 20 & 31);
		if (i % 50 == 0)
			table_drop(b->t, span_of(url));
		e = table_get(b->t, span_of(url), b->random >> 30, i);
		b->hits += e != NULL;
		if (e != NULL) {
			assert_string_equal(cimd_client_id(e->live), url);
			entry_free(&e);
			continue;
		}
		put(b->t, url, b->random >> 25 & 1, 10);
	}
	return NULL;
}

static void
threads_share(void **state)
{
	struct busy b[THREADS];
	pthread_t thread[THREADS];
	struct table *t = make(24);
	uint64_t hits = 0;
	struct sums s;
	uint32_t i;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		b[i] = (struct busy){ t, i, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, be_busy,
				     &b[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		hits += b[i].hits;
	}
	s = drain(t, NULL);
	assert_true(hits > ROUNDS);
	assert_int_equal(s.lookups, hits);
	table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(references_outlive_the_table),
		cmocka_unit_test(newer_entry_replaces),
		cmocka_unit_test(old_generation_is_not_kept),
		cmocka_unit_test(evicts_least_recently_used),
		cmocka_unit_test(probation_is_apart),
		cmocka_unit_test(probation_is_bounded_in_bytes),
		cmocka_unit_test(many_entries_fit),
		cmocka_unit_test(odd_capacities),
		cmocka_unit_test(counts_per_consumer),
		cmocka_unit_test(counts_outlive_entries),
		cmocka_unit_test(no_count_is_lost),
		cmocka_unit_test(strangers_are_bounded),
		cmocka_unit_test(cells_are_bounded),
		cmocka_unit_test(drain_holds_no_lock),
		cmocka_unit_test(survives_lack_of_memory),
		cmocka_unit_test(threads_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
