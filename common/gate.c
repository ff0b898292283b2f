/*
 * gate.c - one flight per URL: opened, joined, ended
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "clock.h"
#include "gate_int.h"

enum {
	VARIANT_LEN = 4,
	MAX_FLIGHTS = GATE_MAX_QUEUED + CIMD_MAX_FETCHES,
	/* Later than this after it was opened, no fetch ends in time. */
	START_MS = CIMD_LOOKUP_MS - CIMD_FETCH_MS,
};

static bool
init_locks(struct gate *g)
{
	pthread_condattr_t monotonic;
	int e;

	if (pthread_mutex_init(&g->lock, NULL) != 0)
		return false;
	if (pthread_cond_init(&g->work, NULL) != 0) {
		(void)pthread_mutex_destroy(&g->lock);
		return false;
	}
	e = pthread_condattr_init(&monotonic);
	if (e == 0) {
		e = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
		if (e == 0)
			e = pthread_cond_init(&g->time, &monotonic);
		(void)pthread_condattr_destroy(&monotonic);
	}
	if (e != 0) {
		(void)pthread_cond_destroy(&g->work);
		(void)pthread_mutex_destroy(&g->lock);
	}
	return e == 0;
}

static void
free_memory(struct gate *g)
{
	limiter_free(&g->limiter);
	tagmap_clear(&g->flights);
	queue_clear(&g->queue);
	free(g->flight);
	free(g);
}

struct gate *
gate_new(const struct gate_settings *settings)
{
	struct gate *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	g->settings = *settings;
	clock_random(g->key, sizeof(g->key));
	list_init(&g->waiting);
	list_init(&g->waiters);
	g->limiter = limiter_new(settings->rate, settings->rate_host, g->key);
	g->flight = calloc(MAX_FLIGHTS, sizeof(struct flight *));
	if (g->limiter == NULL || g->flight == NULL ||
	    !tagmap_init(&g->flights, MAX_FLIGHTS) ||
	    !queue_init(&g->queue, g->key) || !init_locks(g)) {
		free_memory(g);
		return NULL;
	}
	return g;
}

/* End the oldest flight that waits for a thread; false: there is none. */
static bool
end_queued(struct gate *g, struct outcome *o)
{
	struct flight *f;

	outcome_init(o);
	if (list_empty(&g->waiting))
		return false;
	f = LIST_OF(g->waiting.next, struct flight, in_time);
	queue_remove(&g->queue, f);
	gate_end(g, f, o);
	o->e = err_set(&o->err, CIMD_E_BUSY, "policy",
	    "the resolver is being stopped");
	o->retry_after = 1;
	return true;
}

void
gate_free(struct gate **g)
{
	struct outcome o;
	bool more;

	if (*g == NULL)
		return;
	(void)pthread_mutex_lock(&(*g)->lock);
	(*g)->stop = true;
	(void)pthread_cond_broadcast(&(*g)->work);
	(void)pthread_cond_broadcast(&(*g)->time);
	do {
		more = end_queued(*g, &o);
		(void)pthread_mutex_unlock(&(*g)->lock);
		outcome_tell(*g, &o);
		(void)pthread_mutex_lock(&(*g)->lock);
	} while (more);
	(void)pthread_mutex_unlock(&(*g)->lock);
	gate_join(*g);
	(void)pthread_cond_destroy(&(*g)->time);
	(void)pthread_cond_destroy(&(*g)->work);
	(void)pthread_mutex_destroy(&(*g)->lock);
	free_memory(*g);
	*g = NULL;
}

void
gate_set_rates(struct gate *g, uint32_t rate, uint32_t rate_host)
{
	(void)pthread_mutex_lock(&g->lock);
	limiter_set_rates(g->limiter, rate, rate_host);
	(void)pthread_mutex_unlock(&g->lock);
}

void
gate_read(struct gate *g, struct gate_figures *out)
{
	(void)pthread_mutex_lock(&g->lock);
	*out = g->figures;
	out->running = g->queue.running;
	out->queued = g->queue.queued[0] + g->queue.queued[1];
	(void)pthread_mutex_unlock(&g->lock);
}

void
outcome_init(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	list_init(&o->waiters);
}

void
outcome_tell(struct gate *g, struct outcome *o)
{
	struct waiter *w;

	while (!list_empty(&o->waiters)) {
		w = LIST_OF(o->waiters.next, struct waiter, in_flight);
		list_del(&w->in_flight);
		w->done(w->ctx, o->e, &o->err, o->retry_after);
		free(w);
	}
	if (o->flight == NULL)
		return;
	if (g->settings.free_arg != NULL)
		g->settings.free_arg(o->flight->arg);
	free(o->flight);
	o->flight = NULL;
}

void
gate_drop_waiter(struct gate *g, struct waiter *w, struct outcome *o)
{
	list_del(&w->in_flight);
	list_del(&w->in_time);
	w->flight->n_waiters--;
	g->n_waiters--;
	list_add(&o->waiters, &w->in_flight);
}

void
gate_end(struct gate *g, struct flight *f, struct outcome *o)
{
	g->flight[f->slot] = NULL;
	tagmap_remove(&g->flights, f->slot);
	list_del(&f->in_time);
	while (!list_empty(&f->waiters))
		gate_drop_waiter(g,
		    LIST_OF(f->waiters.next, struct waiter, in_flight), o);
	o->flight = f;
}

/* A host's name in lower case; out has room for it. */
static void
lower(struct span host, char *out)
{
	size_t i;

	for (i = 0; i < host.n; i++)
		out[i] = ascii_lower(host.p[i]);
}

bool
gate_may_start(struct gate *g, const struct flight *f, bool peek,
    struct outcome *o)
{
	const struct limiter_ask ask = { .url = f->id,
		.host = f->host_name,
		.known = f->known,
		.force = f->force,
		.peek = peek,
		.now_ms = clock_ms() };

	switch (limiter_ask(g->limiter, &ask, &o->retry_after)) {
	case LIMITER_GO:
		return true;
	case LIMITER_WAIT:
		g->figures.limited++;
		o->e = err_set(&o->err, CIMD_E_LIMITED, "policy",
		    "the last fetch failed; the next may start in %u s",
		    o->retry_after);
		return false;
	case LIMITER_BUSY:
		break;
	}
	g->figures.busy++;
	o->e = err_set(&o->err, CIMD_E_BUSY, "policy",
	    "the budget of fetches is spent; the next may start in %u s",
	    o->retry_after);
	return false;
}

enum cimd_err
gate_spend(struct gate *g, struct span host, bool known, struct cimd_error *err)
{
	char name[CIMD_MAX_HOST];
	struct limiter_ask ask = { .known = known, .now_ms = clock_ms() };
	enum limiter_answer answer;
	unsigned int wait_s;

	assert(host.n <= sizeof(name));
	lower(host, name);
	ask.url = ask.host = (struct span){ name, host.n };
	(void)pthread_mutex_lock(&g->lock);
	answer = limiter_ask(g->limiter, &ask, &wait_s);
	g->figures.busy += answer != LIMITER_GO;
	(void)pthread_mutex_unlock(&g->lock);
	if (answer == LIMITER_GO)
		return CIMD_OK;
	return err_set(err, CIMD_E_BUSY, "policy",
	    "the budget of fetches is spent; the next may start in %u s",
	    wait_s);
}

static void
refuse(struct gate *g, struct outcome *o, const char *text)
{
	g->figures.busy++;
	o->e = err_set(&o->err, CIMD_E_BUSY, "policy", "%s", text);
	o->retry_after = 1;
}

static struct flight *
flight_new(const struct gate_ask *ask)
{
	const size_t id_len = ask->url.n + VARIANT_LEN;
	struct flight *f;
	char *host;
	size_t i;

	if (ask->url.n > SIZE_MAX / 4 || ask->host.n > SIZE_MAX / 4)
		return NULL;
	f = calloc(1, sizeof(*f) + id_len + ask->host.n);
	if (f == NULL)
		return NULL;
	if (ask->url.n > 0)
		memcpy(f->bytes, ask->url.p, ask->url.n);
	for (i = 0; i < VARIANT_LEN; i++)
		f->bytes[ask->url.n + i] = (char)(ask->variant >> (8 * i));
	host = f->bytes + id_len;
	lower(ask->host, host);
	f->id = (struct span){ f->bytes, id_len };
	f->host_name = (struct span){ host, ask->host.n };
	list_init(&f->in_host);
	list_init(&f->in_time);
	list_init(&f->waiters);
	f->known = ask->known || ask->force;
	f->force = ask->force;
	f->arg = ask->arg;
	return f;
}

static struct waiter *
waiter_new(const struct gate_ask *ask)
{
	struct waiter *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	list_init(&w->in_flight);
	list_init(&w->in_time);
	w->done = ask->done;
	w->ctx = ask->ctx;
	return w;
}

static bool
add_waiter(struct gate *g, struct flight *f, struct waiter *w)
{
	if (w == NULL)
		return true;
	if (f->n_waiters >= GATE_MAX_WAITERS ||
	    g->n_waiters >= GATE_MAX_ALL_WAITERS)
		return false;
	w->flight = f;
	w->deadline_ms = clock_ms() + CIMD_LOOKUP_MS;
	if (list_empty(&g->waiters))
		(void)pthread_cond_signal(&g->time);
	list_add(&g->waiters, &w->in_time);
	list_add(&f->waiters, &w->in_flight);
	f->n_waiters++;
	g->n_waiters++;
	return true;
}

static void
join(struct gate *g, struct flight *f, struct waiter *w,
    const struct gate_ask *ask, struct outcome *o)
{
	if (!add_waiter(g, f, w)) {
		refuse(g, o, "too many callers wait for one fetch");
		return;
	}
	g->figures.joined++;
	if (f->started_ms != 0)
		return;
	f->force = f->force || ask->force;
	if ((ask->known || ask->force) && !f->known) {
		queue_promote(&g->queue, f);
		(void)gate_add_thread(g);
		(void)pthread_cond_signal(&g->work);
	}
}

/*
 * Put a new flight into the gate.  False: o says why not; *given_way is one
 * of another host that had to go for it.
 */
static bool
open_flight(struct gate *g, struct flight *f, struct tag tag, struct outcome *o,
    struct outcome *given_way)
{
	struct flight *victim;
	enum cimd_err e;

	if (!gate_may_start(g, f, true, o))
		return false;
	if (!gate_add_thread(g)) {
		refuse(g, o, "no thread could be started");
		return false;
	}
	e = queue_add(&g->queue, f, &victim);
	if (e != CIMD_OK) {
		refuse(g, o, "too many fetches wait");
		if (e == CIMD_E_NO_MEMORY)
			o->e = err_no_memory(&o->err);
		return false;
	}
	if (victim != NULL) {
		gate_end(g, victim, given_way);
		refuse(g, given_way, "too many fetches of one host wait");
	}
	f->slot = tagmap_add(&g->flights, tag);
	g->flight[f->slot] = f;
	f->start_by_ms = clock_ms() + START_MS;
	if (list_empty(&g->waiting))
		(void)pthread_cond_signal(&g->time);
	list_add(&g->waiting, &f->in_time);
	(void)pthread_cond_signal(&g->work);
	return true;
}

/* With the lock.  What stays with o is told and freed without it. */
static void
enter(struct gate *g, const struct gate_ask *ask, struct waiter *w,
    struct outcome *o, struct outcome *given_way)
{
	struct flight *f = o->flight;
	const struct tag tag = siphash_tag(g->key, f->id.p, f->id.n);
	uint32_t slot = tagmap_find(&g->flights, tag);

	if (g->stop) {
		refuse(g, o, "the resolver is being stopped");
	} else if (slot != TAGMAP_NONE) {
		join(g, g->flight[slot], w, ask, o);
	} else if (g->n_waiters >= GATE_MAX_ALL_WAITERS) {
		refuse(g, o, "too many callers wait");
	} else if (open_flight(g, f, tag, o, given_way)) {
		o->flight = NULL;
		(void)add_waiter(g, f, w);
	}
	if (w != NULL && w->flight == NULL)
		list_add(&o->waiters, &w->in_flight);
}

void
gate_start(struct gate *g, const struct gate_ask *ask)
{
	struct flight *f = flight_new(ask);
	struct waiter *w = ask->done != NULL ? waiter_new(ask) : NULL;
	struct outcome o, given_way;
	struct cimd_error err = { 0 };

	if (f == NULL || (w == NULL && ask->done != NULL)) {
		free(f);
		free(w);
		if (g->settings.free_arg != NULL)
			g->settings.free_arg(ask->arg);
		if (ask->done != NULL)
			ask->done(ask->ctx, err_no_memory(&err), &err, 1);
		return;
	}
	outcome_init(&o);
	outcome_init(&given_way);
	o.flight = f;
	(void)pthread_mutex_lock(&g->lock);
	enter(g, ask, w, &o, &given_way);
	(void)pthread_mutex_unlock(&g->lock);
	outcome_tell(g, &o);
	outcome_tell(g, &given_way);
}
