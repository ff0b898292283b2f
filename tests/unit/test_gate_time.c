/*
 * test_gate_time.c - threads and deadlines of the gate
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"
#include "stage.h"

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

/* The kernel lists a thread for a moment after it was joined. */
static void
wait_threads(uint32_t n)
{
	const int64_t begin_ms = clock_ms();

	while (count_threads() != n) {
		assert_true(clock_ms() - begin_ms < 60000);
		assert_int_equal(sched_yield(), 0);
	}
}

static void
one_flight(struct stage *s)
{
	struct answer a;

	stage_start(s, "https://a.example/c", "a.example", &a);
	stage_wait_told(&a);
}

/* No thread before the first flight, none after gate_free(). */
static void
threads_come_and_go(void **state)
{
	struct stage s;
	uint32_t before;
	sigset_t set;

	(void)state;
	/* A sanitizer may start a thread of its own beside the first. */
	stage_open(&s, 600, 30);
	one_flight(&s);
	before = count_threads() - 2;
	stage_close(&s);
	wait_threads(before);
	stage_open(&s, 600, 30);
	assert_int_equal(count_threads(), before);
	one_flight(&s);
	assert_int_equal(count_threads(), before + 2);
	stage_close(&s);
	wait_threads(before);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	assert_int_equal(sigismember(&set, SIGTERM), 0);
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
	stage_open(&s, 600, 30);
	stage_hold(&s, true);
	for (i = 0; i < 4; i++) { /* a host runs 3 unknown ones */
		(void)snprintf(url, sizeof(url), "u%zu", i);
		stage_start(&s, url, "a.example", &a[i]);
	}
	stage_start(&s, "u3", "a.example", NULL);
	stage_wait_told(&a[3]);
	assert_int_equal(a[3].e, CIMD_E_BUSY);
	assert_int_equal(a[3].retry_after, 1);
	assert_string_equal(a[3].err.text, "no fetch could start in time");
	assert_true(a[3].told_ms - begin_ms >= CIMD_LOOKUP_MS - CIMD_FETCH_MS);
	stage_hold(&s, false);
	for (i = 0; i < 3; i++)
		stage_wait_told(&a[i]);
	stage_close(&s);
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
	stage_open(&s, 600, 30);
	stage_hold(&s, true);
	stage_start(&s, "u", "a.example", &a);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_E_TIMEOUT);
	assert_int_equal(a.retry_after, 1);
	assert_true(a.told_ms - begin_ms >= CIMD_LOOKUP_MS);
	stage_start(&s, "u", "a.example", &late);
	stage_hold(&s, false);
	stage_wait_told(&late);
	assert_int_equal(late.e, CIMD_OK);
	assert_int_equal(a.told, 1);
	stage_close(&s);
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
	stage_open(&s, 600, 4);
	stage_hold(&s, true);
	stage_start(&s, "u0", "slow.example", &a);
	stage_wait_running(&s, 1);
	stage_lock(&s);
	while (clock_ms() - begin_ms <= 1100) {
		struct timespec until;

		assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
		until.tv_sec += 1;
		(void)pthread_cond_timedwait(&s.changed, &s.lock, &until);
	}
	s.held = false;
	stage_unlock(&s);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_OK);
	stage_start(&s, "u1", "slow.example", &a);
	stage_wait_told(&a);
	assert_int_equal(a.e, CIMD_E_BUSY);
	stage_close(&s);
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
	stage_open(&s, 600, 30);
	stage_hold(&s, true);
	for (i = 0; i < 4; i++) {
		(void)snprintf(url, sizeof(url), "u%zu", i);
		stage_start(&s, url, "a.example", &a[i]);
	}
	stage_wait_running(&s, 3);
	assert_int_equal(pthread_create(&thread, NULL, run_free, &s), 0);
	stage_wait_told(&a[3]);
	assert_int_equal(a[3].e, CIMD_E_BUSY);
	assert_int_equal(a[0].told + a[1].told + a[2].told, 0);
	stage_hold(&s, false);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(a[i].told, 1);
		assert_int_equal(a[i].e, CIMD_OK);
	}
	assert_int_equal(s.freed, 4);
	stage_close(&s);
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
		ask = stage_ask(c->stage, url, host, &c->answer[i]);
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
	stage_open(&s, 1000000, 100000);
	for (i = 0; i < CALLERS; i++) {
		c[i].stage = &s;
		c[i].random = i;
		assert_int_equal(pthread_create(&thread[i], NULL, call_often,
				     &c[i]),
		    0);
	}
	for (i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	stage_close(&s);
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
		cmocka_unit_test(threads_come_and_go),
		cmocka_unit_test(queue_has_an_end),
		cmocka_unit_test(waiting_has_an_end),
		cmocka_unit_test(slow_host_pays),
		cmocka_unit_test(stop_ends_everything),
		cmocka_unit_test(everybody_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
