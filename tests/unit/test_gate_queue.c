/*
 * test_gate_queue.c - which flight is next
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gate_int.h"

static const uint8_t key[16] = { 1 };

static struct flight *
new_flight(const char *host, bool known)
{
	struct flight *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	list_init(&f->in_host);
	f->host_name = span_of(host);
	f->known = known;
	return f;
}

static bool
add(struct queue *q, const char *host, bool known)
{
	struct flight *victim, *f = new_flight(host, known);
	bool added = queue_add(q, f, &victim) == CIMD_OK;

	if (!added)
		free(f);
	free(victim);
	return added;
}

/* Start the next flight; is it one of this host? */
static struct flight *
next_is(struct queue *q, const char *host)
{
	struct flight *f = queue_next(q);

	assert_non_null(f);
	assert_true(span_is(f->host_name, host));
	return f;
}

static void
finish(struct queue *q, struct flight *f)
{
	queue_done(q, f);
	free(f);
}

/* Run everything that is left, and see that nothing of a host stays. */
static void
drain(struct queue *q)
{
	struct flight *f;

	while ((f = queue_next(q)) != NULL)
		finish(q, f);
	assert_int_equal(q->queued[0] + q->queued[1], 0);
	assert_int_equal(q->running + q->running_unknown, 0);
	assert_int_equal(q->hosts.used, 0);
	assert_true(list_empty(&q->ring));
	queue_clear(q);
}

static void
first_come_first_served(void **state)
{
	struct flight *a = new_flight("a", false), *b = new_flight("a", false);
	struct flight *victim;
	struct queue q;

	(void)state;
	assert_true(queue_init(&q, key));
	assert_null(queue_next(&q));
	assert_int_equal(queue_add(&q, a, &victim), CIMD_OK);
	assert_int_equal(queue_add(&q, b, &victim), CIMD_OK);
	assert_ptr_equal(queue_next(&q), a);
	assert_ptr_equal(queue_next(&q), b);
	assert_null(queue_next(&q));
	finish(&q, a);
	finish(&q, b);
	drain(&q);
}

/* Ten flights of one host do not hold up one of another. */
static void
hosts_take_turns(void **state)
{
	struct flight *f[5];
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < 10; i++)
		assert_true(add(&q, "a", true));
	assert_true(add(&q, "b", true));
	assert_true(add(&q, "b", true));
	assert_true(add(&q, "c", true));
	f[0] = next_is(&q, "a");
	f[1] = next_is(&q, "b");
	f[2] = next_is(&q, "c");
	f[3] = next_is(&q, "a");
	f[4] = next_is(&q, "b");
	for (i = 0; i < 5; i++)
		finish(&q, f[i]);
	drain(&q);
}

/* Who runs fewest is next, even if others wait longer. */
static void
fewest_running_is_next(void **state)
{
	struct flight *f[3];
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < 4; i++)
		assert_true(add(&q, "slow", true));
	f[0] = next_is(&q, "slow");
	f[1] = next_is(&q, "slow");
	assert_true(add(&q, "late", true));
	f[2] = next_is(&q, "late");
	for (i = 0; i < 3; i++)
		finish(&q, f[i]);
	drain(&q);
}

static void
host_runs_four(void **state)
{
	struct flight *f[5];
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < 6; i++)
		assert_true(add(&q, "a", true));
	for (i = 0; i < CIMD_MAX_HOST_FETCHES; i++)
		f[i] = next_is(&q, "a");
	assert_null(queue_next(&q));
	assert_true(add(&q, "b", true));
	finish(&q, next_is(&q, "b"));
	assert_null(queue_next(&q));
	finish(&q, f[0]);
	f[0] = next_is(&q, "a");
	assert_null(queue_next(&q));
	for (i = 0; i < CIMD_MAX_HOST_FETCHES; i++)
		finish(&q, f[i]);
	drain(&q);
}

/* One of a host's four places is for its known clients. */
static void
host_keeps_a_place_for_known(void **state)
{
	struct flight *f[4];
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < 6; i++)
		assert_true(add(&q, "a", false));
	for (i = 0; i < 3; i++)
		f[i] = next_is(&q, "a");
	assert_null(queue_next(&q));
	assert_true(add(&q, "a", true));
	f[3] = next_is(&q, "a");
	assert_true(f[3]->known);
	for (i = 0; i < 4; i++)
		finish(&q, f[i]);
	drain(&q);
}

static void
four_places_are_for_known(void **state)
{
	static const char *const host[] = { "a", "b", "c", "d", "e" };
	struct flight *f[CIMD_MAX_FETCHES];
	struct queue q;
	size_t i, n = 0;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < 20; i++)
		assert_true(add(&q, host[i % 5], false));
	while ((f[n] = queue_next(&q)) != NULL)
		n++;
	assert_int_equal(n, 12);
	for (i = 0; i < 6; i++)
		assert_true(add(&q, i < 3 ? "A" : "B", true));
	while (n < CIMD_MAX_FETCHES && (f[n] = queue_next(&q)) != NULL)
		assert_true(f[n++]->known);
	assert_int_equal(n, CIMD_MAX_FETCHES);
	assert_null(queue_next(&q));
	for (i = 0; i < n; i++)
		finish(&q, f[i]);
	drain(&q);
}

static void
removed_flights_never_run(void **state)
{
	struct flight *victim, *f = new_flight("a", false);
	struct queue q;

	(void)state;
	assert_true(queue_init(&q, key));
	assert_int_equal(queue_add(&q, f, &victim), CIMD_OK);
	queue_remove(&q, f);
	assert_null(queue_next(&q));
	assert_int_equal(q.hosts.used, 0);
	assert_int_equal(queue_add(&q, f, &victim), CIMD_OK);
	queue_promote(&q, f);
	assert_int_equal(q.queued[0], 0);
	assert_int_equal(q.queued[1], 1);
	finish(&q, next_is(&q, "a"));
	drain(&q);
}

/* With the queue full, the newest of the longest queue gives way. */
static void
longest_queue_gives_way(void **state)
{
	struct flight *first, *last = NULL, *victim, *f;
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	first = new_flight("greedy", false);
	assert_int_equal(queue_add(&q, first, &victim), CIMD_OK);
	for (i = 1; i < GATE_MAX_QUEUED * 3 / 4; i++) {
		last = new_flight("greedy", false);
		assert_int_equal(queue_add(&q, last, &victim), CIMD_OK);
		assert_null(victim);
	}
	assert_false(add(&q, "greedy", false));
	f = new_flight("modest", false);
	assert_int_equal(queue_add(&q, f, &victim), CIMD_OK);
	assert_ptr_equal(victim, last);
	free(victim);
	assert_int_equal(q.queued[0], GATE_MAX_QUEUED * 3 / 4);
	assert_ptr_equal(queue_next(&q), first);
	assert_ptr_equal(queue_next(&q), f);
	finish(&q, f);
	finish(&q, first);
	drain(&q);
}

/* Known clients have room of their own, and push unknown ones out. */
static void
known_find_room(void **state)
{
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < GATE_MAX_QUEUED * 3 / 4; i++)
		assert_true(add(&q, "greedy", false));
	for (i = 0; i < GATE_MAX_QUEUED; i++)
		assert_true(add(&q, "known", true));
	assert_int_equal(q.queued[0], 0);
	assert_int_equal(q.queued[1], GATE_MAX_QUEUED);
	assert_false(add(&q, "known", true));
	assert_false(add(&q, "new", false));
	assert_int_equal(q.hosts.used, 1);
	drain(&q);
}

/* The flight that gives way may be the only other one of the same host. */
static void
known_replaces_unknown_of_its_host(void **state)
{
	static char name[GATE_MAX_QUEUED][8];
	struct queue q;
	size_t i;

	(void)state;
	assert_true(queue_init(&q, key));
	for (i = 0; i < GATE_MAX_QUEUED; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "h%zu", i);
		assert_true(add(&q, name[i], i >= GATE_MAX_QUEUED * 3 / 4));
	}
	assert_true(add(&q, name[0], true));
	assert_int_equal(q.queued[0] + q.queued[1], GATE_MAX_QUEUED);
	assert_int_equal(q.hosts.used, GATE_MAX_QUEUED);
	drain(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(hosts_take_turns),
		cmocka_unit_test(fewest_running_is_next),
		cmocka_unit_test(host_runs_four),
		cmocka_unit_test(host_keeps_a_place_for_known),
		cmocka_unit_test(four_places_are_for_known),
		cmocka_unit_test(removed_flights_never_run),
		cmocka_unit_test(longest_queue_gives_way),
		cmocka_unit_test(known_find_room),
		cmocka_unit_test(known_replaces_unknown_of_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
