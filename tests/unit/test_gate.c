/*
 * test_gate.c - one flight per URL, limits, places for known clients
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "stage.h"

static void
result_comes_back(void **state)
{
	struct answer a;
	struct stage s;
	int64_t begin_ms = clock_ms();

	(void)state;
	stage_open(&s, 600, 30);
	stage_start(&s, "https://a.example/c", "a.example", &a);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	assert_int_equal(a.retry_after, 0);
	assert_true(s.signals_blocked);
	assert_in_range(s.deadline_ms, begin_ms + CIMD_FETCH_MS,
	    clock_ms() + CIMD_FETCH_MS);
	stage_close(&s);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.freed, 1);
	assert_int_equal(a.told, 1);
}

enum {
	HERD = 500
};

static void
herd(enum cimd_err e)
{
	static struct answer a[HERD];
	struct gate_figures figures;
	struct stage s;
	size_t i;

	stage_open(&s, 600, 30);
	s.e = e;
	stage_hold(&s, true);
	for (i = 0; i < HERD; i++)
		stage_start(&s, "https://a.example/c", "a.example", &a[i]);
	stage_wait_running(&s, 1);
	stage_hold(&s, false);
	for (i = 0; i < HERD; i++) {
		stage_wait_told(&a[i]);
		assert_int_equal(a[i].e, e);
		assert_int_equal(a[i].retry_after, e == CIMD_OK ? 0 : 1);
	}
	gate_read(s.gate, &figures);
	assert_int_equal(figures.started, 1);
	assert_int_equal(figures.joined, HERD - 1);
	stage_close(&s);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.freed, HERD);
	for (i = 0; i < HERD; i++)
		assert_int_equal(a[i].told, 1);
}

static void
herd_makes_one_fetch(void **state)
{
	(void)state;
	herd(CIMD_OK);
}

static void
herd_fails_with_one_fetch(void **state)
{
	(void)state;
	herd(CIMD_E_JSON);
}

/* Fail so often that the next attempt is well away from this test. */
static void
fail_often(struct stage *s, const char *url)
{
	struct gate_ask ask;
	struct answer a;
	int i;

	s->e = CIMD_E_JSON;
	for (i = 0; i < 6; i++) {
		ask = stage_ask(s, url, "a.example", &a);
		ask.force = true;
		gate_start(s->gate, &ask);
		stage_wait_told(&a);
		assert_int_equal(a.e, CIMD_E_JSON);
		assert_string_equal(a.err.text, "it failed");
		assert_int_equal(a.retry_after, 1 << i);
	}
}

static void
failing_url_is_limited(void **state)
{
	static struct answer a[50];
	struct gate_figures figures;
	struct stage s;
	char text[80];
	size_t i;

	(void)state;
	stage_open(&s, 600, 30);
	fail_often(&s, "https://a.example/c");
	for (i = 0; i < 50; i++) {
		stage_start(&s, "https://a.example/c", "a.example", &a[i]);
		assert_int_equal(a[i].told, 1);
		assert_int_equal(a[i].e, CIMD_E_LIMITED);
		assert_int_equal(a[i].err.code, CIMD_E_LIMITED);
		assert_in_range(a[i].retry_after, 2, 32);
		(void)snprintf(text, sizeof(text),
		    "the last fetch failed; the next may start in %u s",
		    a[i].retry_after);
		assert_string_equal(a[i].err.text, text);
	}
	gate_read(s.gate, &figures);
	assert_int_equal(figures.limited, 50);
	stage_close(&s);
	assert_int_equal(s.runs, 6);
	assert_int_equal(s.freed, 56);
}

/* Another way to judge an answer is another flight, with its own attempts. */
static void
variants_are_apart(void **state)
{
	struct gate_ask ask;
	struct answer a, b;
	struct stage s;

	(void)state;
	stage_open(&s, 600, 30);
	s.e = CIMD_E_TYPE;
	stage_hold(&s, true);
	stage_start(&s, "https://a.example/c", "a.example", &a);
	ask = stage_ask(&s, "https://a.example/c", "a.example", &b);
	ask.variant = 0x01000000;
	gate_start(s.gate, &ask);
	stage_wait_running(&s, 2);
	stage_hold(&s, false);
	stage_wait_told(&a);
	stage_wait_told(&b);
	stage_close(&s);
	assert_int_equal(s.runs, 2);
}

static void
force_passes_the_limiter(void **state)
{
	struct gate_ask ask;
	struct answer a;
	struct stage s;

	(void)state;
	stage_open(&s, 1, 1);
	s.e = CIMD_E_JSON;
	stage_start(&s, "https://a.example/c", "a.example", &a);
	stage_wait_told(&a);
	ask = stage_ask(&s, "https://a.example/c", "a.example", &a);
	ask.force = true;
	gate_start(s.gate, &ask);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_E_JSON);
	stage_close(&s);
	assert_int_equal(s.runs, 2);
}

static void
budgets_end(void **state)
{
	struct gate_ask ask;
	struct gate_figures figures;
	struct answer a;
	struct stage s;
	char url[8];
	int i;

	(void)state;
	stage_open(&s, 600, 4);
	for (i = 0; i < 4; i++) {
		(void)snprintf(url, sizeof(url), "u%d", i);
		stage_start(&s, url, i % 2 ? "a.example" : "A.EXAMPLE", &a);
		stage_wait_told(&a);
		assert_int_equal(a.e, i < 3 ? CIMD_OK : CIMD_E_BUSY);
	}
	assert_int_equal(a.retry_after, 15);
	assert_string_equal(a.err.text,
	    "the budget of fetches is spent; the next may start in 15 s");
	gate_read(s.gate, &figures);
	assert_int_equal(figures.busy, 1);
	ask = stage_ask(&s, "known", "a.example", &a);
	ask.known = true;
	gate_start(s.gate, &ask);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	gate_set_rates(s.gate, 600, 0);
	stage_start(&s, "v", "b.example", &a);
	assert_int_equal(a.e, CIMD_E_BUSY);
	stage_close(&s);
}

/* The keys of a document cost the budget of the host they come from. */
static void
a_second_host_pays_too(void **state)
{
	const struct span host = span_of("keys.example");
	const struct span other = span_of("KEYS.EXAMPLE");
	struct cimd_error err = { 0 };
	struct gate_figures figures;
	struct answer a;
	struct stage s;

	(void)state;
	stage_open(&s, 600, 4);
	assert_int_equal(gate_spend(s.gate, host, false, &err), CIMD_OK);
	assert_int_equal(gate_spend(s.gate, other, false, &err), CIMD_OK);
	stage_start(&s, "u", "keys.example", &a);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	assert_int_equal(gate_spend(s.gate, host, false, &err), CIMD_E_BUSY);
	assert_string_equal(err.text,
	    "the budget of fetches is spent; the next may start in 15 s");
	gate_read(s.gate, &figures);
	assert_int_equal(figures.busy, 1);
	assert_int_equal(gate_spend(s.gate, host, true, &err), CIMD_OK);
	assert_int_equal(gate_spend(s.gate, host, true, &err), CIMD_E_BUSY);
	stage_close(&s);
}

/* Unknown URLs never take the places that are kept for known clients. */
static void
known_clients_get_through(void **state)
{
	static struct answer a[40];
	char url[40][16];
	struct gate_figures figures;
	struct gate_ask ask;
	struct stage s;
	size_t i;

	(void)state;
	stage_open(&s, 6000, 600);
	stage_hold(&s, true);
	for (i = 0; i < 40; i++) {
		(void)snprintf(url[i], sizeof(url[i]), "h%zu.example", i);
		ask = stage_ask(&s, url[i], url[i], &a[i]);
		ask.known = i >= 36;
		gate_start(s.gate, &ask);
	}
	stage_wait_running(&s, CIMD_MAX_FETCHES);
	gate_read(s.gate, &figures);
	assert_int_equal(figures.running, CIMD_MAX_FETCHES);
	assert_int_equal(figures.queued, 24);
	stage_hold(&s, false);
	for (i = 0; i < 40; i++) {
		stage_wait_told(&a[i]);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	stage_close(&s);
	assert_int_equal(s.runs, 40);
	assert_int_equal(s.most_running, CIMD_MAX_FETCHES);
}

static void
one_flight_has_so_many_waiters(void **state)
{
	static struct answer a[GATE_MAX_WAITERS + 1];
	struct stage s;
	size_t i;

	(void)state;
	stage_open(&s, 600, 30);
	stage_hold(&s, true);
	for (i = 0; i <= GATE_MAX_WAITERS; i++)
		stage_start(&s, "u", "a.example", &a[i]);
	assert_int_equal(a[GATE_MAX_WAITERS].told, 1);
	assert_int_equal(a[GATE_MAX_WAITERS].e, CIMD_E_BUSY);
	stage_hold(&s, false);
	for (i = 0; i < GATE_MAX_WAITERS; i++) {
		stage_wait_told(&a[i]);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	stage_close(&s);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.freed, GATE_MAX_WAITERS + 1);
}

/* A refresh of a known client that joins a queued one lends it its right. */
static void
known_caller_promotes_a_flight(void **state)
{
	struct answer a[4];
	struct gate_ask ask;
	struct stage s;
	char url[8];
	size_t i;

	(void)state;
	stage_open(&s, 600, 30);
	stage_hold(&s, true);
	for (i = 0; i < 3; i++) {
		(void)snprintf(url, sizeof(url), "u%zu", i);
		stage_start(&s, url, "a.example", &a[i]);
	}
	stage_start(&s, "u3", "a.example", NULL);
	stage_wait_running(&s, 3);
	ask = stage_ask(&s, "u3", "a.example", &a[3]);
	ask.known = true;
	gate_start(s.gate, &ask);
	stage_wait_running(&s, 4);
	stage_hold(&s, false);
	for (i = 0; i < 4; i++)
		stage_wait_told(&a[i]);
	stage_close(&s);
	assert_int_equal(s.runs, 4);
}

/* An administrator who joins a queued flight gets it past the budget. */
static void
forced_caller_forces_a_flight(void **state)
{
	static const char *const url[] = { "k0", "k1", "k2", "k3", "k4", "k5",
		"k5" };
	struct answer a[7];
	struct gate_ask ask;
	struct stage s;
	size_t i;

	(void)state;
	stage_open(&s, 600, 5);
	stage_hold(&s, true);
	for (i = 0; i < 7; i++) { /* a host runs 4, its budget is 5 */
		ask = stage_ask(&s, url[i], "a.example", &a[i]);
		ask.known = true;
		ask.force = i == 6;
		gate_start(s.gate, &ask);
		if (i == 3)
			stage_wait_running(&s, 4);
	}
	stage_hold(&s, false);
	for (i = 0; i < 7; i++) {
		stage_wait_told(&a[i]);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	stage_close(&s);
	assert_int_equal(s.runs, 6);
}

/* What alloc_sweep() calls: a gate, and one flight through it. */
static bool
one_flight(void *ctx)
{
	struct gate_settings settings = { 600, 30, NULL, NULL, NULL };
	struct gate *g = gate_new(&settings);

	(void)ctx;
	gate_free(&g);
	return !alloc_failed();
}

static void
gate_survives_lack_of_memory(void **state)
{
	(void)state;
	assert_true(alloc_sweep(one_flight, NULL) > 5);
}

/* The caller is told, his arg is freed, and the gate goes on. */
static void
caller_learns_of_lack_of_memory(void **state)
{
	struct answer a;
	struct stage s;
	size_t n;

	(void)state;
	stage_open(&s, 600, 30);
	for (n = 1; n <= 3; n++) { /* flight, waiter, host */
		alloc_fail_at(n);
		stage_start(&s, "u", "a.example", &a);
		assert_true(alloc_failed());
		alloc_fail_at(0);
		assert_int_equal(a.told, 1);
		assert_int_equal(a.e, CIMD_E_NO_MEMORY);
		assert_int_equal(a.retry_after, 1);
	}
	assert_int_equal(s.freed, 3);
	assert_int_equal(s.runs, 0);
	stage_start(&s, "u", "a.example", &a);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	stage_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(result_comes_back),
		cmocka_unit_test(herd_makes_one_fetch),
		cmocka_unit_test(herd_fails_with_one_fetch),
		cmocka_unit_test(failing_url_is_limited),
		cmocka_unit_test(variants_are_apart),
		cmocka_unit_test(force_passes_the_limiter),
		cmocka_unit_test(budgets_end),
		cmocka_unit_test(a_second_host_pays_too),
		cmocka_unit_test(known_clients_get_through),
		cmocka_unit_test(one_flight_has_so_many_waiters),
		cmocka_unit_test(known_caller_promotes_a_flight),
		cmocka_unit_test(forced_caller_forces_a_flight),
		cmocka_unit_test(gate_survives_lack_of_memory),
		cmocka_unit_test(caller_learns_of_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
