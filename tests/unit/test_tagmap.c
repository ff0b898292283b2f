/*
 * test_tagmap.c - the bounded map against a simple model of it
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tagmap.h"

static struct tag
tag_of(uint64_t n)
{
	struct tag t = { n, ~n };

	return t;
}

static void
finds_what_was_added(void **state)
{
	struct tagmap m;
	uint32_t a, b;

	(void)state;
	assert_true(tagmap_init(&m, 2));
	assert_int_equal(tagmap_find(&m, tag_of(1)), TAGMAP_NONE);
	a = tagmap_add(&m, tag_of(1));
	b = tagmap_add(&m, tag_of(3)); /* the same bucket */
	assert_true(a < 2 && b < 2 && a != b);
	assert_int_equal(tagmap_find(&m, tag_of(1)), a);
	assert_int_equal(tagmap_find(&m, tag_of(3)), b);
	assert_int_equal(tagmap_add(&m, tag_of(2)), TAGMAP_NONE);
	tagmap_remove(&m, a);
	assert_int_equal(tagmap_find(&m, tag_of(1)), TAGMAP_NONE);
	assert_int_equal(tagmap_find(&m, tag_of(3)), b);
	assert_int_equal(tagmap_add(&m, tag_of(2)), a);
	tagmap_clear(&m);
}

/* Tags that differ in one half only are different tags. */
static void
compares_both_halves(void **state)
{
	const struct tag t = { 5, 6 }, u = { 5, 7 }, v = { 7, 6 };
	struct tagmap m;
	uint32_t i;

	(void)state;
	assert_true(tagmap_init(&m, 3));
	i = tagmap_add(&m, t);
	assert_int_equal(tagmap_find(&m, u), TAGMAP_NONE);
	assert_int_equal(tagmap_find(&m, v), TAGMAP_NONE);
	assert_int_equal(tagmap_find(&m, t), i);
	tagmap_clear(&m);
}

static void
keeps_the_order_of_use(void **state)
{
	struct tagmap m;
	uint32_t slot[3], i;

	(void)state;
	assert_true(tagmap_init(&m, 3));
	for (i = 0; i < 3; i++)
		slot[i] = tagmap_add(&m, tag_of(i));
	assert_int_equal(m.oldest, slot[0]);
	tagmap_touch(&m, slot[0]);
	assert_int_equal(m.oldest, slot[1]);
	assert_int_equal(m.newest, slot[0]);
	tagmap_touch(&m, slot[0]);
	assert_int_equal(m.newest, slot[0]);
	tagmap_touch(&m, slot[2]);
	tagmap_remove(&m, slot[2]);
	assert_int_equal(m.newest, slot[0]);
	tagmap_remove(&m, slot[1]);
	assert_int_equal(m.oldest, slot[0]);
	tagmap_remove(&m, slot[0]);
	assert_int_equal(m.oldest, TAGMAP_NONE);
	assert_int_equal(m.newest, TAGMAP_NONE);
	assert_int_equal(m.used, 0);
	tagmap_clear(&m);
}

static void
refuses_odd_capacities(void **state)
{
	struct tagmap m;

	(void)state;
	assert_false(tagmap_init(&m, UINT32_MAX));
	tagmap_clear(&m);
	assert_true(tagmap_init(&m, 0));
	assert_int_equal(tagmap_add(&m, tag_of(1)), TAGMAP_NONE);
	assert_int_equal(tagmap_find(&m, tag_of(1)), TAGMAP_NONE);
	tagmap_clear(&m);
}

enum {
	NAMES = 48,
	ROOM = 16
};

/* What the map should hold: the slot of each name, and when it was used. */
struct model {
	uint32_t slot[NAMES];
	uint64_t used[NAMES];
	uint64_t time;
	uint32_t n;
};

static void
check_model(const struct tagmap *m, const struct model *w)
{
	uint32_t i, oldest = NAMES;

	for (i = 0; i < NAMES; i++) {
		assert_int_equal(tagmap_find(m, tag_of(UINT64_C(16) * i)),
		    w->slot[i]);
		if (w->slot[i] == TAGMAP_NONE)
			continue;
		if (oldest == NAMES || w->used[i] < w->used[oldest])
			oldest = i;
	}
	assert_int_equal(m->used, w->n);
	assert_int_equal(m->oldest,
	    oldest == NAMES ? TAGMAP_NONE : w->slot[oldest]);
}

static void
one_step(struct tagmap *m, struct model *w, uint32_t random)
{
	uint32_t i = random / 8 % NAMES;

	if (w->slot[i] == TAGMAP_NONE) {
		w->slot[i] = tagmap_add(m, tag_of(UINT64_C(16) * i));
		assert_true((w->slot[i] == TAGMAP_NONE) == (w->n == ROOM));
		w->n += w->slot[i] != TAGMAP_NONE;
		w->used[i] = ++w->time;
		return;
	}
	if (random % 8 < 3) {
		tagmap_remove(m, w->slot[i]);
		w->slot[i] = TAGMAP_NONE;
		w->n--;
		return;
	}
	tagmap_touch(m, w->slot[i]);
	w->used[i] = ++w->time;
}

static void
agrees_with_a_model(void **state)
{
	struct model w = { .n = 0 };
	struct tagmap m;
	uint32_t i, random = 1;

	(void)state;
	memset(w.slot, 0xff, sizeof(w.slot));
	assert_true(tagmap_init(&m, ROOM));
	for (i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		one_step(&m, &w, random >> 8);
		check_model(&m, &w);
	}
	tagmap_clear(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(compares_both_halves),
		cmocka_unit_test(keeps_the_order_of_use),
		cmocka_unit_test(refuses_odd_capacities),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
