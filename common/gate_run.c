/*
 * gate_run.c - the threads of the gate: workers and one timer
 * SPDX-License-Identifier: Apache-2.0
 */

#include <signal.h>
#include <time.h>

#include "clock.h"
#include "gate_int.h"

enum {
	SLOW_MS = 1000 /* a fetch that took longer costs its host extra */
};

/* Do the work of a flight that is counted as running; drops the lock. */
static void
run(struct gate *g, struct flight *f)
{
	struct outcome o;
	int64_t now_ms;

	outcome_init(&o);
	list_del(&f->in_time);
	f->started_ms = clock_ms();
	if (gate_may_start(g, f, false, &o)) {
		g->figures.started++;
		(void)pthread_mutex_unlock(&g->lock);
		o.e = g->settings.work(g->settings.ctx, f->arg,
		    f->started_ms + CIMD_FETCH_MS, &o.err);
		(void)pthread_mutex_lock(&g->lock);
		now_ms = clock_ms();
		o.retry_after =
		    limiter_result(g->limiter, f->id, o.e == CIMD_OK, now_ms);
		if (now_ms - f->started_ms > SLOW_MS)
			limiter_slow(g->limiter, f->host_name, now_ms);
	}
	queue_done(&g->queue, f);
	gate_end(g, f, &o);
	/* Its end may let two others run: one here, one in another thread. */
	if (g->queue.queued[0] + g->queue.queued[1] > 0)
		(void)pthread_cond_signal(&g->work);
	(void)pthread_mutex_unlock(&g->lock);
	outcome_tell(g, &o);
	(void)pthread_mutex_lock(&g->lock);
}

static void *
worker(void *arg)
{
	struct gate *g = arg;
	struct flight *f;

	(void)pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		f = queue_next(&g->queue);
		if (f != NULL) {
			run(g, f);
			continue;
		}
		g->idle++;
		(void)pthread_cond_wait(&g->work, &g->lock);
		g->idle--;
	}
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* When the next flight or waiter runs out of time; false: never. */
static bool
next_date(const struct gate *g, int64_t *ms)
{
	int64_t date;

	*ms = INT64_MAX;
	if (!list_empty(&g->waiting))
		*ms = LIST_OF(g->waiting.next, struct flight, in_time)
			  ->start_by_ms;
	if (!list_empty(&g->waiters)) {
		date = LIST_OF(g->waiters.next, struct waiter, in_time)
			   ->deadline_ms;
		*ms = date < *ms ? date : *ms;
	}
	return *ms != INT64_MAX;
}

/* End one flight or one waiter whose time is up; false: there is none. */
static bool
expire(struct gate *g, int64_t now_ms, struct outcome *o)
{
	struct flight *f;
	struct waiter *w;

	outcome_init(o);
	o->retry_after = 1;
	if (!list_empty(&g->waiting)) {
		f = LIST_OF(g->waiting.next, struct flight, in_time);
		if (f->start_by_ms <= now_ms) {
			queue_remove(&g->queue, f);
			gate_end(g, f, o);
			g->figures.busy++;
			o->e = err_set(&o->err, CIMD_E_BUSY, "policy",
			    "no fetch could start in time");
			return true;
		}
	}
	if (list_empty(&g->waiters))
		return false;
	w = LIST_OF(g->waiters.next, struct waiter, in_time);
	if (w->deadline_ms > now_ms)
		return false;
	gate_drop_waiter(g, w, o);
	o->e = err_set(&o->err, CIMD_E_TIMEOUT, "policy",
	    "the fetch did not end in time");
	return true;
}

static void *
timer(void *arg)
{
	struct gate *g = arg;
	struct timespec until;
	struct outcome o;
	int64_t date_ms;

	(void)pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		if (expire(g, clock_ms(), &o)) {
			(void)pthread_mutex_unlock(&g->lock);
			outcome_tell(g, &o);
			(void)pthread_mutex_lock(&g->lock);
		} else if (next_date(g, &date_ms)) {
			clock_until(date_ms, &until);
			(void)pthread_cond_timedwait(&g->time, &g->lock,
			    &until);
		} else {
			(void)pthread_cond_wait(&g->time, &g->lock);
		}
	}
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* Signals are the business of the caller's threads, not of ours. */
static bool
start_thread(struct gate *g, pthread_t *thread, void *(*run_in)(void *))
{
	sigset_t all, saved;
	int e;

	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &saved) != 0)
		return false;
	e = pthread_create(thread, NULL, run_in, g);
	(void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return e == 0;
}

bool
gate_add_thread(struct gate *g)
{
	const uint32_t queued = g->queue.queued[0] + g->queue.queued[1];

	if (!g->has_timer) {
		if (!start_thread(g, &g->timer, timer))
			return false;
		g->has_timer = true;
	}
	if (g->idle > queued || g->n_threads == CIMD_MAX_FETCHES)
		return true;
	if (start_thread(g, &g->thread[g->n_threads], worker))
		g->n_threads++;
	return g->n_threads > 0;
}

void
gate_join(struct gate *g)
{
	uint32_t i;

	if (g->has_timer)
		(void)pthread_join(g->timer, NULL);
	for (i = 0; i < g->n_threads; i++)
		(void)pthread_join(g->thread[i], NULL);
}
