/*
 * test_gate.c - one flight per URL, threads, deadlines
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "gate.h"

/* Everything that threads of the gate did, and what they wait for. */
struct stage {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;       /* work waits until this is false */
	enum cimd_err e; /* what work returns */
	uint32_t running, most_running, runs;
	uint32_t freed; /* args */
	int64_t deadline_ms;
	bool signals_blocked;
	struct gate *gate;
};

/* What one caller was told. */
struct answer {
	struct stage *stage;
	uint32_t told;
	enum cimd_err e;
	struct cimd_error err;
	unsigned int retry_after;
	int64_t told_ms;
};

static void
lock(struct stage *s)
{
	assert_int_equal(pthread_mutex_lock(&s->lock), 0);
}

static void
unlock(struct stage *s)
{
	assert_int_equal(pthread_cond_broadcast(&s->changed), 0);
	assert_int_equal(pthread_mutex_unlock(&s->lock), 0);
}

/* Wait, with the lock, for a change; long enough means broken. */
static void
wait_change(struct stage *s)
{
	struct timespec until;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
	until.tv_sec += 60;
	assert_int_equal(pthread_cond_timedwait(&s->changed, &s->lock, &until),
	    0);
}

static enum cimd_err
work(void *ctx, void *arg, int64_t deadline_ms, struct cimd_error *err)
{
	struct stage *s = ctx;
	enum cimd_err e;
	sigset_t set;

	assert_ptr_equal(arg, s);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	lock(s);
	s->runs++;
	s->running++;
	s->most_running =
	    s->running > s->most_running ? s->running : s->most_running;
	s->deadline_ms = deadline_ms;
	s->signals_blocked = sigismember(&set, SIGPIPE) == 1 &&
	    sigismember(&set, SIGALRM) == 1 && sigismember(&set, SIGTERM) == 1;
	unlock(s);
	lock(s);
	while (s->held)
		wait_change(s);
	s->running--;
	e = s->e;
	unlock(s);
	if (e != CIMD_OK) {
		err->code = e;
		(void)snprintf(err->text, sizeof(err->text), "it failed");
	}
	return e;
}

static void
free_arg(void *arg)
{
	struct stage *s = arg;

	lock(s);
	s->freed++;
	unlock(s);
}

static void
done(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after)
{
	struct answer *a = ctx;

	lock(a->stage);
	a->told++;
	a->e = e;
	a->err = *err;
	a->retry_after = retry_after;
	a->told_ms = clock_ms();
	unlock(a->stage);
}

static void
open_stage(struct stage *s, uint32_t rate, uint32_t rate_host)
{
	const struct gate_settings settings = { rate, rate_host, work, free_arg,
		s };

	memset(s, 0, sizeof(*s));
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&s->changed, NULL), 0);
	s->gate = gate_new(&settings);
	assert_non_null(s->gate);
}

static void
close_stage(struct stage *s)
{
	gate_free(&s->gate);
	assert_null(s->gate);
	gate_free(&s->gate);
	assert_int_equal(pthread_cond_destroy(&s->changed), 0);
	assert_int_equal(pthread_mutex_destroy(&s->lock), 0);
}

static void
hold(struct stage *s, bool held)
{
	lock(s);
	s->held = held;
	unlock(s);
}

static struct gate_ask
ask_for(struct stage *s, const char *url, const char *host, struct answer *a)
{
	struct gate_ask ask = { .url = span_of(url),
		.host = span_of(host),
		.arg = s };

	if (a != NULL) {
		memset(a, 0, sizeof(*a));
		a->stage = s;
		ask.done = done;
		ask.ctx = a;
	}
	return ask;
}

static void
start(struct stage *s, const char *url, const char *host, struct answer *a)
{
	const struct gate_ask ask = ask_for(s, url, host, a);

	gate_start(s->gate, &ask);
}

static void
wait_told(struct answer *a)
{
	lock(a->stage);
	while (a->told == 0)
		wait_change(a->stage);
	unlock(a->stage);
}

static void
wait_running(struct stage *s, uint32_t n)
{
	lock(s);
	while (s->running < n)
		wait_change(s);
	unlock(s);
}

static uint32_t
count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	uint32_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	assert_int_equal(closedir(d), 0);
	return n - 2;
}

static void
result_comes_back(void **state)
{
	struct answer a;
	struct stage s;
	int64_t begin_ms = clock_ms();

	(void)state;
	open_stage(&s, 600, 30);
	start(&s, "https://a.example/c", "a.example", &a);
	wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	assert_int_equal(a.retry_after, 0);
	assert_true(s.signals_blocked);
	assert_in_range(s.deadline_ms, begin_ms + CIMD_FETCH_MS,
	    clock_ms() + CIMD_FETCH_MS);
	close_stage(&s);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.freed, 1);
	assert_int_equal(a.told, 1);
}

/* No thread before the first flight, none after gate_free(). */
static void
threads_come_and_go(void **state)
{
	const uint32_t before = count_threads();
	struct answer a;
	struct stage s;
	sigset_t set;

	(void)state;
	open_stage(&s, 600, 30);
	assert_int_equal(count_threads(), before);
	start(&s, "https://a.example/c", "a.example", &a);
	wait_told(&a);
	assert_true(count_threads() > before);
	close_stage(&s);
	assert_int_equal(count_threads(), before);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	assert_int_equal(sigismember(&set, SIGTERM), 0);
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

	open_stage(&s, 600, 30);
	s.e = e;
	hold(&s, true);
	for (i = 0; i < HERD; i++)
		start(&s, "https://a.example/c", "a.example", &a[i]);
	wait_running(&s, 1);
	hold(&s, false);
	for (i = 0; i < HERD; i++) {
		wait_told(&a[i]);
		assert_int_equal(a[i].e, e);
		assert_int_equal(a[i].retry_after, e == CIMD_OK ? 0 : 1);
	}
	gate_read(s.gate, &figures);
	assert_int_equal(figures.started, 1);
	assert_int_equal(figures.joined, HERD - 1);
	close_stage(&s);
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
		ask = ask_for(s, url, "a.example", &a);
		ask.force = true;
		gate_start(s->gate, &ask);
		wait_told(&a);
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
	open_stage(&s, 600, 30);
	fail_often(&s, "https://a.example/c");
	for (i = 0; i < 50; i++) {
		start(&s, "https://a.example/c", "a.example", &a[i]);
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
	close_stage(&s);
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
	open_stage(&s, 600, 30);
	s.e = CIMD_E_TYPE;
	hold(&s, true);
	start(&s, "https://a.example/c", "a.example", &a);
	ask = ask_for(&s, "https://a.example/c", "a.example", &b);
	ask.variant = 0x01000000;
	gate_start(s.gate, &ask);
	wait_running(&s, 2);
	hold(&s, false);
	wait_told(&a);
	wait_told(&b);
	close_stage(&s);
	assert_int_equal(s.runs, 2);
}

static void
force_passes_the_limiter(void **state)
{
	struct gate_ask ask;
	struct answer a;
	struct stage s;

	(void)state;
	open_stage(&s, 1, 1);
	s.e = CIMD_E_JSON;
	start(&s, "https://a.example/c", "a.example", &a);
	wait_told(&a);
	ask = ask_for(&s, "https://a.example/c", "a.example", &a);
	ask.force = true;
	gate_start(s.gate, &ask);
	wait_told(&a);
	assert_int_equal(a.e, CIMD_E_JSON);
	close_stage(&s);
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
	open_stage(&s, 600, 4);
	for (i = 0; i < 4; i++) {
		(void)snprintf(url, sizeof(url), "u%d", i);
		start(&s, url, i % 2 ? "a.example" : "A.EXAMPLE", &a);
		wait_told(&a);
		assert_int_equal(a.e, i < 3 ? CIMD_OK : CIMD_E_BUSY);
	}
	assert_int_equal(a.retry_after, 15);
	assert_string_equal(a.err.text,
	    "the budget of fetches is spent; the next may start in 15 s");
	gate_read(s.gate, &figures);
	assert_int_equal(figures.busy, 1);
	ask = ask_for(&s, "known", "a.example", &a);
	ask.known = true;
	gate_start(s.gate, &ask);
	wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	gate_set_rates(s.gate, 600, 0);
	start(&s, "v", "b.example", &a);
	assert_int_equal(a.e, CIMD_E_BUSY);
	close_stage(&s);
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
	open_stage(&s, 6000, 600);
	hold(&s, true);
	for (i = 0; i < 40; i++) {
		(void)snprintf(url[i], sizeof(url[i]), "h%zu.example", i);
		ask = ask_for(&s, url[i], url[i], &a[i]);
		ask.known = i >= 36;
		gate_start(s.gate, &ask);
	}
	wait_running(&s, CIMD_MAX_FETCHES);
	gate_read(s.gate, &figures);
	assert_int_equal(figures.running, CIMD_MAX_FETCHES);
	assert_int_equal(figures.queued, 24);
	hold(&s, false);
	for (i = 0; i < 40; i++) {
		wait_told(&a[i]);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	close_stage(&s);
	assert_int_equal(s.runs, 40);
	assert_int_equal(s.most_running, CIMD_MAX_FETCHES);
}

/* What cannot start in time ends, and soon enough to be of use. */
static void
queue_has_an_end(void **state)
{
	const int64_t begin_ms = clock_ms();
	struct answer a[4];
	struct stage s;
	char url[8];
	size_t i;

	(void)state;
	open_stage(&s, 600, 30);
	hold(&s, true);
	for (i = 0; i < 4; i++) { /* a host runs 3 unknown ones */
		(void)snprintf(url, sizeof(url), "u%zu", i);
		start(&s, url, "a.example", &a[i]);
	}
	start(&s, "u3", "a.example", NULL);
	wait_told(&a[3]);
	assert_int_equal(a[3].e, CIMD_E_BUSY);
	assert_int_equal(a[3].retry_after, 1);
	assert_string_equal(a[3].err.text, "no fetch could start in time");
	assert_true(a[3].told_ms - begin_ms >= CIMD_LOOKUP_MS - CIMD_FETCH_MS);
	hold(&s, false);
	for (i = 0; i < 3; i++)
		wait_told(&a[i]);
	close_stage(&s);
	assert_int_equal(s.runs, 3);
	assert_int_equal(s.freed, 5);
}

/* Who waits is told after CIMD_LOOKUP_MS, even if the work hangs. */
static void
waiting_has_an_end(void **state)
{
	const int64_t begin_ms = clock_ms();
	struct answer a, late;
	struct stage s;

	(void)state;
	open_stage(&s, 600, 30);
	hold(&s, true);
	start(&s, "u", "a.example", &a);
	wait_told(&a);
	assert_int_equal(a.e, CIMD_E_TIMEOUT);
	assert_int_equal(a.retry_after, 1);
	assert_true(a.told_ms - begin_ms >= CIMD_LOOKUP_MS);
	start(&s, "u", "a.example", &late);
	hold(&s, false);
	wait_told(&late);
	assert_int_equal(late.e, CIMD_OK);
	assert_int_equal(a.told, 1);
	close_stage(&s);
	assert_int_equal(s.runs, 1);
}

/* One slow fetch costs a host half of its minute. */
static void
slow_host_pays(void **state)
{
	const int64_t begin_ms = clock_ms();
	struct answer a;
	struct stage s;

	(void)state;
	open_stage(&s, 600, 4);
	hold(&s, true);
	start(&s, "u0", "slow.example", &a);
	wait_running(&s, 1);
	lock(&s);
	while (clock_ms() - begin_ms <= 1100) {
		struct timespec until;

		assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
		until.tv_sec += 1;
		(void)pthread_cond_timedwait(&s.changed, &s.lock, &until);
	}
	s.held = false;
	unlock(&s);
	wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	start(&s, "u1", "slow.example", &a);
	wait_told(&a);
	assert_int_equal(a.e, CIMD_E_BUSY);
	close_stage(&s);
}

static void *
run_free(void *arg)
{
	struct stage *s = arg;

	gate_free(&s->gate);
	return NULL;
}

/* Stopping ends what is queued and waits for what runs. */
static void
stop_ends_everything(void **state)
{
	struct answer a[4];
	pthread_t thread;
	struct stage s;
	char url[8];
	size_t i;

	(void)state;
	open_stage(&s, 600, 30);
	hold(&s, true);
	for (i = 0; i < 4; i++) {
		(void)snprintf(url, sizeof(url), "u%zu", i);
		start(&s, url, "a.example", &a[i]);
	}
	wait_running(&s, 3);
	assert_int_equal(pthread_create(&thread, NULL, run_free, &s), 0);
	wait_told(&a[3]);
	assert_int_equal(a[3].e, CIMD_E_BUSY);
	assert_int_equal(a[0].told + a[1].told + a[2].told, 0);
	hold(&s, false);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(a[i].told, 1);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	assert_int_equal(s.freed, 4);
	close_stage(&s);
}

static void
one_flight_has_so_many_waiters(void **state)
{
	static struct answer a[GATE_MAX_WAITERS + 1];
	struct stage s;
	size_t i;

	(void)state;
	open_stage(&s, 600, 30);
	hold(&s, true);
	for (i = 0; i <= GATE_MAX_WAITERS; i++)
		start(&s, "u", "a.example", &a[i]);
	assert_int_equal(a[GATE_MAX_WAITERS].told, 1);
	assert_int_equal(a[GATE_MAX_WAITERS].e, CIMD_E_BUSY);
	hold(&s, false);
	for (i = 0; i < GATE_MAX_WAITERS; i++) {
		wait_told(&a[i]);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	close_stage(&s);
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
	open_stage(&s, 600, 30);
	hold(&s, true);
	for (i = 0; i < 3; i++) {
		(void)snprintf(url, sizeof(url), "u%zu", i);
		start(&s, url, "a.example", &a[i]);
	}
	start(&s, "u3", "a.example", NULL);
	wait_running(&s, 3);
	ask = ask_for(&s, "u3", "a.example", &a[3]);
	ask.known = true;
	gate_start(s.gate, &ask);
	wait_running(&s, 4);
	hold(&s, false);
	for (i = 0; i < 4; i++)
		wait_told(&a[i]);
	close_stage(&s);
	assert_int_equal(s.runs, 4);
}

enum {
	CALLERS = 8,
	CALLS = 400
};

struct caller {
	struct stage *stage;
	struct answer answer[CALLS];
	uint32_t random;
};

static void *
call_often(void *arg)
{
	struct caller *c = arg;
	struct gate_ask ask;
	char url[16], host[16];
	uint32_t i, r;

	for (i = 0; i < CALLS; i++) {
		c->random = c->random * 1664525 + 1013904223;
		r = c->random >> 16;
		(void)snprintf(url, sizeof(url), "u%u", r % 40);
		(void)snprintf(host, sizeof(host), "h%u", r % 10);
		ask = ask_for(c->stage, url, host, &c->answer[i]);
		ask.known = r % 2;
		gate_start(c->stage->gate, &ask);
	}
	return NULL;
}

/* Many callers at once: each is told once, each arg is freed once. */
static void
everybody_is_told_once(void **state)
{
	static struct caller c[CALLERS];
	pthread_t thread[CALLERS];
	struct stage s;
	uint32_t i, j;

	(void)state;
	open_stage(&s, 1000000, 100000);
	for (i = 0; i < CALLERS; i++) {
		c[i].stage = &s;
		c[i].random = i;
		assert_int_equal(pthread_create(&thread[i], NULL, call_often,
				     &c[i]),
		    0);
	}
	for (i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	close_stage(&s);
	for (i = 0; i < CALLERS; i++)
		for (j = 0; j < CALLS; j++)
			assert_int_equal(c[i].answer[j].told, 1);
	assert_int_equal(s.freed, CALLERS * CALLS);
	assert_int_equal(s.running, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(result_comes_back),
		cmocka_unit_test(threads_come_and_go),
		cmocka_unit_test(herd_makes_one_fetch),
		cmocka_unit_test(herd_fails_with_one_fetch),
		cmocka_unit_test(failing_url_is_limited),
		cmocka_unit_test(variants_are_apart),
		cmocka_unit_test(force_passes_the_limiter),
		cmocka_unit_test(budgets_end),
		cmocka_unit_test(known_clients_get_through),
		cmocka_unit_test(queue_has_an_end),
		cmocka_unit_test(waiting_has_an_end),
		cmocka_unit_test(slow_host_pays),
		cmocka_unit_test(stop_ends_everything),
		cmocka_unit_test(one_flight_has_so_many_waiters),
		cmocka_unit_test(known_caller_promotes_a_flight),
		cmocka_unit_test(everybody_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
