/*
 * housekeeping.c - what happens now and then: activity, sweeps, log lines
 * SPDX-License-Identifier: Apache-2.0
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "error.h"
#include "housekeeping.h"
#include "resolver.h"

enum {
	FLUSH_ROWS = 64,  /* in one transaction */
	MAX_PROBLEM = 256 /* bytes of what keeps the store from writing */
};

struct flush {
	struct cimd *r;
	struct store_activity row[FLUSH_ROWS];
	char *client_id[FLUSH_ROWS];
	size_t n;
};

static void
write_rows(struct flush *f)
{
	size_t i;

	if (f->n > 0)
		(void)store_add_activity(f->r->store, f->row, f->n, NULL);
	for (i = 0; i < f->n; i++)
		free(f->client_id[i]);
	f->n = 0;
}

static void
collect(void *ctx, const struct table_count *count)
{
	struct flush *f = ctx;
	struct store_activity *row = &f->row[f->n];
	char *copy;

	copy = strndup(count->client_id.p, count->client_id.n);
	if (copy == NULL)
		return; /* a count is lost, nothing else */
	f->client_id[f->n++] = copy;
	row->client_id = span_of(copy);
	row->consumer = resolver_consumer_name(f->r, count->consumer);
	if (row->consumer == NULL)
		row->consumer = "";
	row->lookups = count->lookups;
	row->refused = count->refused;
	row->last_seen = count->last_seen;
	if (f->n == FLUSH_ROWS)
		write_rows(f);
}

void
resolver_flush(struct cimd *r)
{
	struct flush f = { .r = r };

	table_drain(r->table, collect, &f);
	write_rows(&f);
}

/* Wait for the next round; false: stop. */
static bool
pause_round(struct cimd *r)
{
	struct timespec until;
	bool go_on;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RESOLVER_FLUSH_S;
	(void)pthread_mutex_lock(&r->lock);
	while (
	    !r->stop && pthread_cond_timedwait(&r->wake, &r->lock, &until) == 0)
		continue;
	go_on = !r->stop;
	(void)pthread_mutex_unlock(&r->lock);
	return go_on;
}

/* Log that the store is not written any more, or is again. */
static void
tell_problem(struct cimd *r, char told[MAX_PROBLEM])
{
	struct log_line line = { .level = CIMD_LOG_NOTICE,
		.event = "store",
		.detail = "it is written again",
		.ms = -1 };
	char problem[MAX_PROBLEM];
	struct cimd_error err;

	(void)store_problem(r->store, problem, sizeof(problem));
	if (strcmp(problem, told) == 0)
		return;
	if (problem[0] != '\0') {
		line.level = CIMD_LOG_ERROR;
		line.code = err_set(&err, CIMD_E_STORE, "", "%s", problem);
		line.err = &err;
		line.detail = NULL;
	}
	log_write(r->log, &line);
	(void)snprintf(told, MAX_PROBLEM, "%s", problem);
}

static void *
run(void *arg)
{
	char told[MAX_PROBLEM] = "";
	struct cimd *r = arg;
	int64_t now, swept = 0;

	tell_problem(r, told);
	while (pause_round(r)) {
		resolver_flush(r);
		tell_problem(r, told);
		log_flush(r->log);
		now = clock_ms() / 1000;
		if (now - swept < RESOLVER_SWEEP_S)
			continue;
		swept = now;
		(void)store_sweep(r->store, clock_utc(), NULL);
	}
	return NULL;
}

void
housekeeping_start(struct cimd *r)
{
	pthread_condattr_t attr;
	sigset_t all, old;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r->housekeeping = pthread_create(&r->housekeeper, NULL, run, r) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
housekeeping_stop(struct cimd *r)
{
	if (!r->opened)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_signal(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	if (r->housekeeping)
		(void)pthread_join(r->housekeeper, NULL);
	(void)pthread_cond_destroy(&r->wake);
}
