/*
 * resolver.c - make, open, reload and free a resolver
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "housekeeping.h"
#include "resolve.h"
#include "resolver.h"

enum {
	RESOLVER_MAX_JTI = 200000,
	RESOLVER_MAX_AUDIT = 10000,
};

enum cimd_err
cimd_new(const char *config, size_t len, struct cimd **out,
    struct cimd_error *err)
{
	struct cimd_error local = { 0 };
	struct span json = { config, len };
	struct cimd *r;
	enum cimd_err e = CIMD_E_NO_MEMORY;

	*out = NULL;
	if (err == NULL)
		err = &local;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return err_no_memory(err);
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_mutex_init(&r->govern, NULL);
	r->started_at = clock_utc();
	r->n_consumers = RESOLVER_OTHERS + 1;
	/* No section has these names. */
	if ((r->consumer[0] = strdup("")) == NULL ||
	    (r->consumer[RESOLVER_OTHERS] = strdup("*")) == NULL ||
	    (r->log = log_new()) == NULL) {
		(void)err_no_memory(err);
		goto out;
	}
	e = setup_new(json, &r->setup, err);
out:
	if (e != CIMD_OK)
		cimd_free(&r);
	*out = r;
	return e;
}

void
cimd_free(struct cimd **r)
{
	struct cimd *old;
	size_t i;

	if (r == NULL || *r == NULL)
		return;
	old = *r;
	*r = NULL;
	gate_free(&old->gate);
	housekeeping_stop(old);
	if (old->opened)
		resolver_flush(old);
	table_free(&old->table);
	store_close(&old->store);
	setup_free(&old->setup);
	log_free(&old->log);
	for (i = 0; i < RESOLVER_REALMS; i++) {
		free(old->realm[i].json);
		policy_free(&old->realm[i].policy);
		policy_free(&old->realm[i].machine);
	}
	for (i = 0; i < TABLE_CONSUMERS; i++)
		free(old->consumer[i]);
	(void)pthread_mutex_destroy(&old->lock);
	(void)pthread_mutex_destroy(&old->govern);
	free(old);
}

void
cimd_set_log(struct cimd *r, cimd_log_fn *fn, void *ctx)
{
	log_set(r->log, fn, ctx);
}

static bool
same_text(const char *a, const char *b)
{
	return span_eq(span_of(a), span_of(b));
}

enum cimd_err
cimd_reload(struct cimd *r, const char *config, size_t len,
    struct cimd_error *err)
{
	struct cimd_error local = { 0 };
	struct span json = { config, len };
	struct setup *fresh, *old;
	struct table *table;
	enum cimd_err e;

	if (err == NULL)
		err = &local;
	if ((e = setup_new(json, &fresh, err)) != CIMD_OK)
		return e;
	(void)pthread_mutex_lock(&r->lock);
	if (r->opened &&
	    !same_text(fresh->settings.state_dir,
		r->setup->settings.state_dir)) {
		(void)pthread_mutex_unlock(&r->lock);
		setup_free(&fresh);
		return err_set(err, CIMD_E_STATE, "policy",
		    "state_dir changes only at a restart");
	}
	old = r->setup;
	r->setup = fresh;
	if (r->gate != NULL)
		gate_set_rates(r->gate, fresh->settings.fetch_rate,
		    fresh->settings.fetch_rate_host);
	table = r->table; /* whoever opens it now finds the fresh setup */
	(void)pthread_mutex_unlock(&r->lock);
	if (table != NULL)
		table_forget(table);
	setup_free(&old);
	return CIMD_OK;
}

static enum cimd_err
open_parts(struct cimd *r, struct cimd_error *err)
{
	const struct settings *s = &r->setup->settings;
	struct store_limits limits = {
		.max_clients = s->max_clients,
		.max_unverified = s->max_unverified,
		.max_jti = RESOLVER_MAX_JTI,
		.max_audit = RESOLVER_MAX_AUDIT,
	};
	struct gate_settings g = {
		.rate = s->fetch_rate,
		.rate_host = s->fetch_rate_host,
		.work = refresh_work,
		.free_arg = refresh_free,
		.ctx = r,
	};
	enum cimd_err e;

	if ((e = store_open(s->state_dir, &limits, &r->store, err)) != CIMD_OK)
		return e;
	r->table = table_new(s->max_clients + s->max_unverified);
	r->gate = gate_new(&g);
	if (r->table == NULL || r->gate == NULL) {
		gate_free(&r->gate);
		table_free(&r->table);
		store_close(&r->store);
		return err_no_memory(err);
	}
	return CIMD_OK;
}

enum cimd_err
resolver_enter(struct cimd *r, struct setup **out, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;

	*out = NULL;
	(void)pthread_mutex_lock(&r->lock);
	if (!r->opened) {
		e = open_parts(r, err);
		r->opened = e == CIMD_OK;
		if (r->opened)
			housekeeping_start(r);
	}
	if (e == CIMD_OK)
		*out = setup_ref(r->setup);
	(void)pthread_mutex_unlock(&r->lock);
	return e;
}

enum cimd_err
cimd_open(struct cimd *r, struct cimd_error *err)
{
	struct setup *setup;
	enum cimd_err e;

	e = resolver_enter(r, &setup, err);
	setup_free(&setup);
	return e;
}

enum cimd_err
resolver_entry(struct cimd *r, struct span client_id, uint32_t consumer,
    bool counted, struct entry **out, struct cimd_error *err)
{
	uint32_t index = counted ? consumer : TABLE_CONSUMERS;
	int64_t now = clock_utc();
	uint64_t generation;
	enum cimd_err e;

	*out = table_get(r->table, client_id, index, now);
	if (*out != NULL)
		return CIMD_OK;
	generation = table_generation(r->table, client_id);
	e = store_read(r->store, client_id, out, err);
	if (e != CIMD_OK || *out == NULL)
		return e;
	table_put(r->table, *out, generation);
	if (counted)
		table_count(r->table, client_id, consumer, now, false);
	return CIMD_OK;
}

/* A setup that was replaced must not be kept, for all that hangs on it. */
void
resolver_remember(struct cimd *r, struct conclusion *c)
{
	(void)pthread_mutex_lock(&r->lock);
	if (c->setup == r->setup)
		table_remember(r->table, c);
	(void)pthread_mutex_unlock(&r->lock);
}

uint32_t
resolver_consumer(struct cimd *r, const char *name)
{
	uint32_t i;

	(void)pthread_mutex_lock(&r->lock);
	for (i = 0; i < r->n_consumers; i++)
		if (strcmp(r->consumer[i], name) == 0)
			break;
	if (i == r->n_consumers) {
		if (i < TABLE_CONSUMERS &&
		    (r->consumer[i] = strdup(name)) != NULL)
			r->n_consumers++;
		else
			i = RESOLVER_OTHERS;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return i;
}

const char *
resolver_consumer_name(struct cimd *r, uint32_t index)
{
	const char *name = NULL;

	(void)pthread_mutex_lock(&r->lock);
	if (index < r->n_consumers)
		name = r->consumer[index];
	(void)pthread_mutex_unlock(&r->lock);
	return name;
}
