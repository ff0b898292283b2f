/*
 * test_store_memory.c - every allocation of the store and of SQLite fails
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "alloc.h"
#include "box.h"

/* SQLite's own allocator, with one that fails in front of it. */
static sqlite3_mem_methods real;
static unsigned int countdown;
static bool hit;

static bool
fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	hit = true;
	return true;
}

static void *
take(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *
retake(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

static int
set_up(void **state)
{
	sqlite3_mem_methods failing;

	(void)state;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
		return -1;
	failing = real;
	failing.xMalloc = take;
	failing.xRealloc = retake;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
		return -1;
	return 0;
}

typedef enum cimd_err operation(struct box *b, struct cimd_error *err);

static const char a_url[] = "https://a.example/c";
static const char b_url[] = "https://b.example/c";
static const char c_url[] = "https://c.example/c";
static struct entry *a_entry;

static enum cimd_err
put(struct box *b, struct cimd_error *err)
{
	return store_put(b->s, a_entry, BOX_NOW, err);
}

static enum cimd_err
read_one(struct box *b, struct cimd_error *err)
{
	struct entry *e = NULL;
	enum cimd_err code;

	code = store_read(b->s, span_of(b_url), &e, err);
	assert_true((code == CIMD_OK) == (e != NULL));
	if (e != NULL)
		assert_true(e->governance == GOVERN_APPROVED &&
		    e->word.approved != NULL && e->live != NULL &&
		    e->word.update_waits && e->word.served != NULL);
	entry_free(&e);
	return code;
}

static enum cimd_err
read_baselines(struct box *b, struct cimd_error *err)
{
	struct entry *e = NULL;
	enum cimd_err code;

	code = store_read(b->s, span_of(c_url), &e, err);
	assert_true((code == CIMD_OK) == (e != NULL));
	if (e != NULL)
		assert_true(e->n_baselines == 2 && e->n_first == 2 &&
		    e->first[1].update_waits);
	entry_free(&e);
	return code;
}

static enum cimd_err
baseline(struct box *b, struct cimd_error *err)
{
	return store_baseline(b->s, "idp/new", a_entry->live, err);
}

static enum cimd_err
govern(struct box *b, struct cimd_error *err)
{
	return store_govern(b->s, span_of(a_url), GOVERN_APPROVED,
	    a_entry->live, BOX_NOW, err);
}

static enum cimd_err
use_jti(struct box *b, struct cimd_error *err)
{
	enum cimd_err code;

	code = store_use_jti(b->s, span_of(a_url), "1", 100, 50, err);
	countdown = 0;
	if (code == CIMD_OK) {
		assert_int_equal(store_use_jti(b->s, span_of(a_url), "1", 100,
				     50, NULL),
		    CIMD_E_REPLAY);
		assert_int_equal(store_sweep(b->s, 200, NULL), CIMD_OK);
	}
	return code;
}

static enum cimd_err
see(struct box *b, struct cimd_error *err)
{
	const struct store_activity seen = { span_of(b_url), "idp", 1, 1, 1 };

	return store_add_activity(b->s, &seen, 1, err);
}

static void
count_row(void *ctx, const struct store_row *row)
{
	assert_non_null(row->entry);
	(*(unsigned int *)ctx)++;
}

static enum cimd_err
list(struct box *b, struct cimd_error *err)
{
	const struct store_query q = { ".example", NULL, 0, 10 };
	unsigned int n = 0;
	enum cimd_err code;

	code = store_list(b->s, &q, count_row, &n, err);
	assert_true(code != CIMD_OK || n >= 1);
	return code;
}

static enum cimd_err
find_short(struct box *b, struct cimd_error *err)
{
	char short_id[44], *url = NULL;
	enum cimd_err code;

	store_short_id(span_of(b_url), short_id);
	code = store_find_short(b->s, short_id, &url, err);
	assert_true((code == CIMD_OK) == (url != NULL));
	free(url);
	return code;
}

static enum cimd_err
audit(struct box *b, struct cimd_error *err)
{
	return store_audit(b->s, 0, "{}", err);
}

static void
count_line(void *ctx, const char *line)
{
	assert_non_null(line);
	(*(unsigned int *)ctx)++;
}

static enum cimd_err
tail(struct box *b, struct cimd_error *err)
{
	unsigned int n = 0;
	enum cimd_err code;

	code = store_audit_tail(b->s, 5, count_line, &n, err);
	assert_true(code != CIMD_OK || n > 0);
	return code;
}

static enum cimd_err
withdraw(struct box *b, struct cimd_error *err)
{
	return store_withdraw(b->s, span_of(a_url), err);
}

static enum cimd_err
forget(struct box *b, struct cimd_error *err)
{
	return store_forget(b->s, span_of(a_url), err);
}

static enum cimd_err
sweep(struct box *b, struct cimd_error *err)
{
	return store_sweep(b->s, BOX_NOW, err);
}

static enum cimd_err
reopen(struct box *b, struct cimd_error *err)
{
	store_close(&b->s);
	return store_open(b->dir, &b->limits, &b->s, err);
}

static operation *const operations[] = { put, read_one, read_baselines,
	baseline, govern, use_jti, see, list, find_short, audit, tail, withdraw,
	forget, sweep, reopen };

enum kind {
	OURS,
	SQLITE
};

/* One call with the n-th allocation failing; false: there is no n-th. */
static bool
one_call(struct box *b, operation *op, enum kind kind, unsigned int n)
{
	struct cimd_error err = { 0 };
	enum cimd_err code;

	if (op != reopen)
		box_reopen(b); /* statements are made anew */
	hit = false;
	if (kind == OURS)
		alloc_fail_at(n);
	else
		countdown = n;
	code = op(b, &err);
	if (kind == OURS)
		hit = alloc_failed();
	alloc_fail_at(0);
	countdown = 0;
	if (code != CIMD_OK) {
		assert_true(hit);
		assert_int_equal(code, err.code);
		assert_true(code == CIMD_E_NO_MEMORY || code == CIMD_E_STORE);
	}
	return hit;
}

/* Two tenants saw different documents of c_url. */
static void
put_baselines(struct box *b)
{
	static const char *const tenants[] = { "idp/one", "idp/two" };
	struct cimd_client *first;
	size_t i;

	for (i = 0; i < 2; i++) {
		box_put(b, c_url, true, 10 + i, BOX_NOW);
		first = box_record(c_url, 10 + i);
		assert_int_equal(store_baseline(b->s, tenants[i], first, NULL),
		    CIMD_OK);
		cimd_client_free(&first);
	}
	box_put(b, c_url, true, 10, BOX_NOW);
}

static void
sweep_all(enum kind kind)
{
	struct entry *other = box_entry(b_url, true, 20);
	unsigned int n, total = 0;
	struct box b;
	char buf[100];
	size_t i;

	a_entry = box_entry(a_url, true, 10);
	box_open(&b, NULL);
	assert_int_equal(store_put(b.s, other, BOX_NOW, NULL), CIMD_OK);
	cimd_client_free(&other->live);
	other->live = box_record(b_url, 30);
	assert_int_equal(store_govern(b.s, span_of(b_url), GOVERN_APPROVED,
			     other->live, BOX_NOW, NULL),
	    CIMD_OK);
	assert_int_equal(audit(&b, NULL), CIMD_OK);
	put_baselines(&b);
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		for (n = 1; one_call(&b, operations[i], kind, n); n++)
			continue;
		total += n;
		box_reopen(&b);
		assert_null(store_problem(b.s, buf, sizeof(buf)));
		assert_int_equal(read_one(&b, NULL), CIMD_OK);
	}
	assert_true(total > 20);
	entry_free(&other);
	entry_free(&a_entry);
	box_close(&b);
}

static void
our_allocations_fail(void **state)
{
	(void)state;
	sweep_all(OURS);
}

static void
allocations_of_sqlite_fail(void **state)
{
	(void)state;
	sweep_all(SQLITE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_allocations_fail),
		cmocka_unit_test(allocations_of_sqlite_fail),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
