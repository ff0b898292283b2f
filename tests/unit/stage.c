/*
 * stage.c - a gate whose work waits for the test
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"
#include "stage.h"

void
stage_lock(struct stage *s)
{
	assert_int_equal(pthread_mutex_lock(&s->lock), 0);
}

void
stage_unlock(struct stage *s)
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
	stage_lock(s);
	s->runs++;
	s->running++;
	s->most_running =
	    s->running > s->most_running ? s->running : s->most_running;
	s->deadline_ms = deadline_ms;
	s->signals_blocked = sigismember(&set, SIGPIPE) == 1 &&
	    sigismember(&set, SIGALRM) == 1 && sigismember(&set, SIGTERM) == 1;
	stage_unlock(s);
	stage_lock(s);
	while (s->held)
		wait_change(s);
	s->running--;
	e = s->e;
	stage_unlock(s);
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

	stage_lock(s);
	s->freed++;
	stage_unlock(s);
}

static void
done(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after)
{
	struct answer *a = ctx;

	stage_lock(a->stage);
	a->told++;
	a->e = e;
	a->err = *err;
	a->retry_after = retry_after;
	a->told_ms = clock_ms();
	stage_unlock(a->stage);
}

void
stage_open(struct stage *s, uint32_t rate, uint32_t rate_host)
{
	const struct gate_settings settings = { rate, rate_host, work, free_arg,
		s };

	memset(s, 0, sizeof(*s));
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&s->changed, NULL), 0);
	s->gate = gate_new(&settings);
	assert_non_null(s->gate);
}

void
stage_close(struct stage *s)
{
	gate_free(&s->gate);
	assert_null(s->gate);
	gate_free(&s->gate);
	assert_int_equal(pthread_cond_destroy(&s->changed), 0);
	assert_int_equal(pthread_mutex_destroy(&s->lock), 0);
}

void
stage_hold(struct stage *s, bool held)
{
	stage_lock(s);
	s->held = held;
	stage_unlock(s);
}

struct gate_ask
stage_ask(struct stage *s, const char *url, const char *host, struct answer *a)
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

void
stage_start(struct stage *s, const char *url, const char *host,
    struct answer *a)
{
	const struct gate_ask ask = stage_ask(s, url, host, a);

	gate_start(s->gate, &ask);
}

void
stage_wait_told(struct answer *a)
{
	stage_lock(a->stage);
	while (a->told == 0)
		wait_change(a->stage);
	stage_unlock(a->stage);
}

void
stage_wait_running(struct stage *s, uint32_t n)
{
	stage_lock(s);
	while (s->running < n)
		wait_change(s);
	stage_unlock(s);
}
