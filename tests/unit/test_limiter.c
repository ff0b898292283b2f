/*
 * test_limiter.c - attempts per URL, budgets per host and overall
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "limiter.h"

static const uint8_t key[16] = { 9, 8, 7 };

static struct limiter *
make(uint32_t rate, uint32_t rate_host)
{
	struct limiter *l = limiter_new(rate, rate_host, key);

	assert_non_null(l);
	return l;
}

/* Ask for a URL of a host; *wait_s is what limiter_ask() said. */
static enum limiter_answer
ask_for(struct limiter *l, const char *url, const char *host, int64_t now_ms,
    unsigned int *wait_s)
{
	const struct limiter_ask ask = { .url = span_of(url),
		.host = span_of(host),
		.now_ms = now_ms };

	return limiter_ask(l, &ask, wait_s);
}

static enum limiter_answer
ask_known(struct limiter *l, const char *host, int64_t now_ms)
{
	const struct limiter_ask ask = { .url = span_of("known"),
		.host = span_of(host),
		.known = true,
		.now_ms = now_ms };
	unsigned int wait_s;

	return limiter_ask(l, &ask, &wait_s);
}

/* How many fetches of unknown URLs a host still gets at now_ms. */
static uint32_t
drain(struct limiter *l, const char *host, int64_t now_ms)
{
	unsigned int wait_s;
	uint32_t n = 0;

	while (ask_for(l, "u", host, now_ms, &wait_s) == LIMITER_GO)
		n++;
	assert_in_range(wait_s, 1, 60);
	return n;
}

static void
waits_double(void **state)
{
	static const unsigned int want[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct limiter *l = make(10000, 10000);
	const struct span url = span_of("https://a.example/c");
	unsigned int wait_s;
	int64_t now = 5000;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(ask_for(l, url.p, "a.example", now, &wait_s),
		    LIMITER_GO);
		assert_int_equal(limiter_result(l, url, false, now), want[i]);
		assert_int_equal(ask_for(l, url.p, "a.example", now, &wait_s),
		    LIMITER_WAIT);
		assert_int_equal(wait_s, want[i]);
		now += (int64_t)want[i] * 1000 - 1;
		assert_int_equal(ask_for(l, url.p, "a.example", now, &wait_s),
		    LIMITER_WAIT);
		assert_int_equal(wait_s, 1);
		now++;
	}
	limiter_free(&l);
	assert_null(l);
}

static void
success_forgets(void **state)
{
	struct limiter *l = make(600, 30);
	const struct span url = span_of("https://a.example/c");
	unsigned int wait_s;

	(void)state;
	assert_int_equal(limiter_result(l, url, false, 0), 1);
	assert_int_equal(limiter_result(l, url, false, 0), 2);
	assert_int_equal(limiter_result(l, url, true, 100), 0);
	assert_int_equal(ask_for(l, url.p, "a.example", 100, &wait_s),
	    LIMITER_GO);
	assert_int_equal(limiter_result(l, url, false, 100), 1);
	assert_int_equal(limiter_result(l, span_of("new"), true, 0), 0);
	limiter_free(&l);
}

static void
quiet_time_forgets(void **state)
{
	struct limiter *l = make(600, 30);
	const struct span url = span_of("https://a.example/c");

	(void)state;
	assert_int_equal(limiter_result(l, url, false, 0), 1);
	assert_int_equal(limiter_result(l, url, false, 1000), 2);
	assert_int_equal(limiter_result(l, url, false, 603000), 4);
	assert_int_equal(limiter_result(l, url, false, 607000 + 600001), 1);
	limiter_free(&l);
}

static void
urls_are_told_apart(void **state)
{
	struct limiter *l = make(600, 30);
	unsigned int wait_s;

	(void)state;
	(void)limiter_result(l, span_of("https://a.example/c"), false, 0);
	assert_int_equal(ask_for(l, "https://a.example/d", "a.example", 0,
			     &wait_s),
	    LIMITER_GO);
	limiter_free(&l);
}

static void
host_budget_has_a_reserve(void **state)
{
	struct limiter *l = make(600, 30);
	unsigned int i;

	(void)state;
	assert_int_equal(drain(l, "a.example", 0), 23); /* 30 - 30 / 4 */
	assert_int_equal(drain(l, "b.example", 0), 23);
	for (i = 0; i < 7; i++)
		assert_int_equal(ask_known(l, "a.example", 0), LIMITER_GO);
	assert_int_equal(ask_known(l, "a.example", 0), LIMITER_BUSY);
	limiter_free(&l);
}

static void
whole_budget_has_a_reserve(void **state)
{
	struct limiter *l = make(40, 1000);
	unsigned int i;

	(void)state;
	assert_int_equal(drain(l, "a.example", 0), 30);
	assert_int_equal(drain(l, "b.example", 0), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(ask_known(l, "b.example", 0), LIMITER_GO);
	assert_int_equal(ask_known(l, "b.example", 0), LIMITER_BUSY);
	limiter_free(&l);
}

/* What the host refuses is not taken from the budget of all. */
static void
spends_both_or_none(void **state)
{
	struct limiter *l = make(40, 4);
	unsigned int wait_s, i;

	(void)state;
	assert_int_equal(drain(l, "a.example", 0), 3);
	for (i = 0; i < 100; i++)
		assert_int_equal(ask_for(l, "u", "a.example", 0, &wait_s),
		    LIMITER_BUSY);
	for (i = 0; i < 9; i++)
		assert_int_equal(drain(l, (char[]){ (char)('b' + i), 0 }, 0),
		    3);
	assert_int_equal(drain(l, "z.example", 0), 0);
	limiter_free(&l);
}

static void
budgets_fill_up(void **state)
{
	struct limiter *l = make(6000, 30);
	unsigned int wait_s;

	(void)state;
	assert_int_equal(drain(l, "a.example", 1000), 23);
	assert_int_equal(ask_for(l, "u", "a.example", 1000, &wait_s),
	    LIMITER_BUSY);
	assert_int_equal(wait_s, 2); /* 30 a minute: one in 2 s */
	assert_int_equal(drain(l, "a.example", 2999), 0);
	assert_int_equal(drain(l, "a.example", 3000), 1);
	assert_int_equal(drain(l, "a.example", 3000 + 10000), 5);
	assert_int_equal(drain(l, "a.example", 3000 + 10000000), 23);
	limiter_free(&l);
}

/* What is taken bit by bit adds up to the rate, without rounding. */
static void
rate_is_exact(void **state)
{
	struct limiter *l = make(6000, 7);
	unsigned int wait_s, n = 0;
	int64_t now;

	(void)state;
	(void)drain(l, "a.example", 0);
	for (now = 1; now <= 600000; now++)
		n += ask_for(l, "u", "a.example", now, &wait_s) == LIMITER_GO;
	assert_int_equal(n, 70);
	limiter_free(&l);
}

static void
clock_that_goes_back_adds_nothing(void **state)
{
	struct limiter *l = make(600, 30);

	(void)state;
	assert_int_equal(drain(l, "a.example", 50000), 23);
	assert_int_equal(drain(l, "a.example", 30000), 0);
	assert_int_equal(drain(l, "a.example", 0), 0);
	assert_int_equal(drain(l, "a.example", 50000), 0);
	limiter_free(&l);
}

static void
force_asks_nobody(void **state)
{
	const struct limiter_ask ask = { .url = span_of("u"),
		.host = span_of("a.example"),
		.force = true };
	struct limiter *l = make(600, 30);
	unsigned int wait_s, i;

	(void)state;
	(void)limiter_result(l, span_of("u"), false, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(limiter_ask(l, &ask, &wait_s), LIMITER_GO);
	assert_int_equal(drain(l, "a.example", 2000), 23);
	limiter_free(&l);
}

static void
peeking_spends_nothing(void **state)
{
	struct limiter_ask ask = { .url = span_of("u"),
		.host = span_of("a.example"),
		.peek = true };
	struct limiter *l = make(600, 30);
	unsigned int wait_s, i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(limiter_ask(l, &ask, &wait_s), LIMITER_GO);
	assert_int_equal(ask_for(l, "u", "a.example", 0, &wait_s), LIMITER_GO);
	for (i = 0; i < 1000; i++)
		assert_int_equal(limiter_ask(l, &ask, &wait_s), LIMITER_GO);
	assert_int_equal(drain(l, "a.example", 0), 22);
	assert_int_equal(limiter_ask(l, &ask, &wait_s), LIMITER_BUSY);
	assert_int_equal(wait_s, 2);
	(void)limiter_result(l, ask.url, false, 0);
	assert_int_equal(limiter_ask(l, &ask, &wait_s), LIMITER_WAIT);
	limiter_free(&l);
}

/* A slow host soon has nothing left but its reserve. */
static void
slow_hosts_pay(void **state)
{
	const struct span host = span_of("slow.example");
	struct limiter *l = make(600, 30);
	unsigned int wait_s, i;

	(void)state;
	limiter_slow(l, host, 0); /* not known yet: nothing to take from */
	assert_int_equal(ask_for(l, "u", host.p, 0, &wait_s), LIMITER_GO);
	limiter_slow(l, host, 0);
	assert_int_equal(drain(l, host.p, 0), 23 - 1 - 15);
	assert_int_equal(drain(l, host.p, 30000), 15);
	limiter_slow(l, host, 30000);
	limiter_slow(l, host, 30000);
	assert_int_equal(ask_for(l, "u", host.p, 30000, &wait_s), LIMITER_BUSY);
	assert_int_equal(drain(l, host.p, 50000), 10);
	assert_int_equal(ask_for(l, "u", host.p, 52000, &wait_s), LIMITER_GO);
	for (i = 0; i < 7; i++)
		assert_int_equal(ask_known(l, host.p, 52000), LIMITER_GO);
	assert_int_equal(ask_known(l, host.p, 52000), LIMITER_BUSY);
	assert_int_equal(drain(l, "other.example", 52000), 23);
	limiter_free(&l);
}

static void
limits_survive_new_rates(void **state)
{
	struct limiter *l = make(600, 30);
	unsigned int wait_s;

	(void)state;
	assert_int_equal(drain(l, "a.example", 0), 23);
	(void)limiter_result(l, span_of("https://c.example/"), false, 0);
	limiter_set_rates(l, 600, 60);
	/* 7 are left, and 15 of 60 are in reserve. */
	assert_int_equal(drain(l, "a.example", 0), 0);
	assert_int_equal(drain(l, "a.example", 10000), 2);
	limiter_set_rates(l, 600, 8);
	assert_int_equal(drain(l, "a.example", 10000), 6);
	assert_int_equal(drain(l, "b.example", 10000), 6);
	assert_int_equal(ask_for(l, "https://c.example/", "c.example", 0,
			     &wait_s),
	    LIMITER_WAIT);
	limiter_set_rates(l, 0, 0);
	assert_int_equal(ask_for(l, "u", "d.example", 20000, &wait_s),
	    LIMITER_BUSY);
	assert_int_equal(wait_s, 60);
	limiter_free(&l);
}

static void
small_rates_work(void **state)
{
	struct limiter *l = make(1, 1);

	(void)state;
	assert_int_equal(drain(l, "a.example", 0), 1);
	assert_int_equal(drain(l, "b.example", 59999), 0);
	assert_int_equal(drain(l, "b.example", 60000), 1);
	limiter_free(&l);
}

/* Fail n different URLs of n hosts, without asking. */
static void
flood(struct limiter *l, unsigned int n, int64_t now_ms)
{
	char url[64];
	unsigned int i;

	for (i = 0; i < n; i++) {
		(void)snprintf(url, sizeof(url), "https://h%u.example/", i);
		(void)limiter_result(l, span_of(url), false, now_ms);
	}
}

/*
 * More failures than the budget of any minute can make push the failure of
 * another URL out of the table; its host still gets no more than its budget.
 */
static void
flood_leaves_the_host_budget(void **state)
{
	const struct span victim = span_of("https://victim.example/c");
	struct limiter *l = make(1000000, 30);
	unsigned int wait_s, n = 0;
	int64_t now;

	(void)state;
	for (now = 0; now < 60000; now += 100) {
		flood(l, LIMITER_URLS, now);
		if (ask_for(l, victim.p, "victim.example", now, &wait_s) !=
		    LIMITER_GO)
			continue;
		n++;
		(void)limiter_result(l, victim, false, now);
	}
	assert_in_range(n, 1, 23 + 30);
	limiter_free(&l);
}

/* A table of hosts without room refuses; a spent bucket is never forgotten. */
static void
full_table_of_hosts_refuses(void **state)
{
	struct limiter *l = make(1000000, 4);
	unsigned int wait_s, i;
	char host[64];

	(void)state;
	assert_int_equal(drain(l, "victim.example", 0), 3);
	for (i = 1; i < LIMITER_HOSTS; i++) {
		(void)snprintf(host, sizeof(host), "h%u.example", i);
		assert_int_equal(ask_for(l, "u", host, 0, &wait_s), LIMITER_GO);
	}
	assert_int_equal(ask_for(l, "u", "late.example", 0, &wait_s),
	    LIMITER_BUSY);
	assert_int_equal(wait_s, 45); /* 3 of 4 are missing in the oldest */
	assert_int_equal(ask_for(l, "u", "victim.example", 0, &wait_s),
	    LIMITER_BUSY);
	assert_int_equal(ask_for(l, "u", "late.example", 45000, &wait_s),
	    LIMITER_GO);
	limiter_free(&l);
}

static bool
make_and_free(void *ctx)
{
	struct limiter *l = limiter_new(600, 30, key);
	bool made = l != NULL;

	(void)ctx;
	limiter_free(&l);
	return made;
}

static void
survives_lack_of_memory(void **state)
{
	(void)state;
	assert_int_equal(alloc_sweep(make_and_free, NULL), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double),
		cmocka_unit_test(success_forgets),
		cmocka_unit_test(quiet_time_forgets),
		cmocka_unit_test(urls_are_told_apart),
		cmocka_unit_test(host_budget_has_a_reserve),
		cmocka_unit_test(whole_budget_has_a_reserve),
		cmocka_unit_test(spends_both_or_none),
		cmocka_unit_test(budgets_fill_up),
		cmocka_unit_test(rate_is_exact),
		cmocka_unit_test(clock_that_goes_back_adds_nothing),
		cmocka_unit_test(force_asks_nobody),
		cmocka_unit_test(peeking_spends_nothing),
		cmocka_unit_test(slow_hosts_pay),
		cmocka_unit_test(limits_survive_new_rates),
		cmocka_unit_test(small_rates_work),
		cmocka_unit_test(flood_leaves_the_host_budget),
		cmocka_unit_test(full_table_of_hosts_refuses),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
