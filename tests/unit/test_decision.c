/*
 * test_decision.c - conclusions that the table keeps, and their ends
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "box.h"
#include "table.h"

/* Something concluded about e, which holds from 100 to 199. */
static struct conclusion *
conclude(struct setup *setup, struct entry *e)
{
	struct conclusion *c = conclusion_new(setup, NULL, e, e->live);

	assert_non_null(c);
	c->lasts = true;
	c->since = 100;
	c->until = 200;
	return c;
}

static struct setup *
make_setup(void)
{
	const struct span none = { NULL, 0 };
	struct cimd_error err = { 0 };
	struct setup *setup;

	assert_int_equal(setup_new(none, &setup, &err), CIMD_OK);
	return setup;
}

/* What a drain handed out of consumer 3. */
struct counted {
	uint64_t lookups;
	int64_t last_seen;
};

static void
add_up(void *ctx, const struct table_count *count)
{
	struct counted *n = ctx;

	assert_int_equal(count->consumer, 3);
	n->lookups += count->lookups;
	n->last_seen = count->last_seen;
}

/* Does the table recall something then? */
static bool
recalls(struct table *t, const char *client_id, const struct table_asker *who,
    int64_t now)
{
	struct conclusion *c = table_recall(t, span_of(client_id), who, now);
	bool found = c != NULL;

	conclusion_free(&c);
	return found;
}

/* For those who would conclude the same, and as long as they would. */
static void
recalls_what_holds(void **state)
{
	static const struct consumer idp, mail;
	struct entry *e = box_entry("https://a.example/c", true, 10);
	struct setup *setup = make_setup(), *other = make_setup();
	struct conclusion *c = conclude(setup, e), *got;
	struct table_asker who = { setup, &idp, 3 };
	struct table *t = table_new(10);
	struct counted n = { 0 };

	(void)state;
	c->consumer = &idp;
	table_remember(t, c); /* there is no such entry yet */
	table_put(t, e, table_generation(t, span_of(e->client_id)));
	assert_false(recalls(t, e->client_id, &who, 100));
	table_remember(t, c);
	assert_false(recalls(t, e->client_id, &who, 99));
	assert_true(recalls(t, e->client_id, &who, 100));
	assert_true(recalls(t, e->client_id, &who, 199));
	assert_false(recalls(t, e->client_id, &who, 200));
	assert_false(recalls(t, "https://b.example/c", &who, 100));
	who.consumer = &mail;
	assert_false(recalls(t, e->client_id, &who, 100));
	who.consumer = NULL;
	assert_false(recalls(t, e->client_id, &who, 100));
	who = (struct table_asker){ other, &idp, 3 };
	assert_false(recalls(t, e->client_id, &who, 100));
	who = (struct table_asker){ setup, &idp, TABLE_CONSUMERS };
	got = table_recall(t, span_of(e->client_id), &who, 150);
	assert_ptr_equal(got, c);
	table_drain(t, add_up, &n);
	assert_int_equal(n.lookups, 2);
	assert_int_equal(n.last_seen, 199);
	table_free(&t);
	assert_ptr_equal(got->entry, e);
	conclusion_free(&got);
	conclusion_free(&c);
	entry_free(&e);
	setup_free(&setup);
	setup_free(&other);
}

/* Whatever changes the entry ends what was concluded about it. */
static void
forgets_with_the_entry(void **state)
{
	struct entry *e = box_entry("https://a.example/c", true, 10);
	struct entry *got, *newer = box_entry("https://a.example/c", true, 20);
	struct setup *setup = make_setup();
	struct conclusion *c = conclude(setup, e);
	const struct table_asker who = { setup, NULL, 0 };
	struct table *t = table_new(10);

	(void)state;
	table_put(t, e, table_generation(t, span_of(e->client_id)));
	table_remember(t, c);
	assert_true(recalls(t, e->client_id, &who, 100));
	table_put(t, newer, table_generation(t, span_of(e->client_id)));
	assert_false(recalls(t, e->client_id, &who, 100));
	table_remember(t, c); /* about an entry that is gone */
	assert_false(recalls(t, e->client_id, &who, 100));
	table_put(t, e, table_generation(t, span_of(e->client_id)));
	table_remember(t, c);
	table_remember(t, c);
	assert_true(recalls(t, e->client_id, &who, 100));
	table_drop(t, span_of(e->client_id));
	assert_false(recalls(t, e->client_id, &who, 100));
	table_put(t, e, table_generation(t, span_of(e->client_id)));
	table_remember(t, c);
	table_forget(t);
	assert_false(recalls(t, e->client_id, &who, 100));
	got = table_get(t, span_of(e->client_id), 0, 0);
	assert_ptr_equal(got, e);
	entry_free(&got);
	c->lasts = false;
	table_remember(t, c);
	assert_false(recalls(t, e->client_id, &who, 100));
	table_free(&t);
	conclusion_free(&c);
	entry_free(&newer);
	entry_free(&e);
	setup_free(&setup);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recalls_what_holds),
		cmocka_unit_test(forgets_with_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
