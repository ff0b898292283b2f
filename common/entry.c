/*
 * entry.c - all that is known of one client identifier URL
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "entry.h"

struct entry *
entry_new(struct span client_id)
{
	struct entry *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->client_id = client_id.n < SIZE_MAX ? malloc(client_id.n + 1) : NULL;
	if (e->client_id == NULL) {
		free(e);
		return NULL;
	}
	if (client_id.n > 0)
		memcpy(e->client_id, client_id.p, client_id.n);
	e->client_id[client_id.n] = '\0';
	/* A lookup that finds the entry need not parse its URL again. */
	(void)url_parse(span_of(e->client_id),
	    URL_ALLOW_ADDRESS | URL_ALLOW_SPECIAL, &e->url, NULL);
	atomic_init(&e->refs, 1);
	return e;
}

struct entry *
entry_ref(struct entry *e)
{
	atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
	return e;
}

static void
yardstick_clear(struct yardstick *y)
{
	cimd_client_free(&y->approved);
	cimd_client_free(&y->served);
}

void
entry_free(struct entry **e)
{
	struct entry *last = *e;
	size_t i;

	*e = NULL;
	if (last == NULL ||
	    atomic_fetch_sub_explicit(&last->refs, 1, memory_order_acq_rel) !=
		1)
		return;
	cimd_client_free(&last->live);
	yardstick_clear(&last->word);
	for (i = 0; i < last->n_first; i++)
		yardstick_clear(&last->first[i]);
	for (i = 0; i < last->n_baselines; i++)
		free(last->baseline[i].tenant);
	free(last->first);
	free(last->baseline);
	free(last->client_id);
	free(last);
}

/* The index of a first record, a new one if need be; false: no memory. */
static bool
find_first(struct entry *e, struct cimd_client *record, size_t *out)
{
	const struct span bytes = client_bytes(record);
	struct yardstick *more;
	size_t i;

	for (i = 0; i < e->n_first; i++)
		if (span_eq(client_bytes(e->first[i].approved), bytes))
			break;
	*out = i;
	if (i < e->n_first)
		return true;
	more = reallocarray(e->first, i + 1, sizeof(*more));
	if (more == NULL)
		return false;
	e->first = more;
	if (e->live != NULL && span_eq(client_bytes(e->live), bytes))
		record = e->live;
	more[i] = (struct yardstick){ .approved = client_ref(record) };
	e->n_first++;
	return true;
}

bool
entry_add_baseline(struct entry *e, struct span tenant,
    struct cimd_client *first)
{
	const size_t n = e->n_baselines;
	struct baseline *more;
	char *name;

	more = reallocarray(e->baseline, n + 1, sizeof(*more));
	if (more == NULL)
		return false;
	e->baseline = more;
	if (!find_first(e, first, &more[n].first) ||
	    (name = strndup(tenant.p, tenant.n)) == NULL)
		return false;
	more[n].tenant = name;
	e->n_baselines++;
	return true;
}

bool
entry_inherit(struct entry *e, const struct entry *from)
{
	const struct baseline *b;
	size_t i;

	e->governance = from->governance;
	e->kept = e->kept || from->kept;
	e->first_seen = from->first_seen;
	if (from->word.approved != NULL)
		e->word.approved = client_ref(from->word.approved);
	for (i = 0; i < from->n_baselines; i++) {
		b = &from->baseline[i];
		if (!entry_add_baseline(e, span_of(b->tenant),
			from->first[b->first].approved))
			return false;
	}
	return true;
}

static enum cimd_err
derive(const struct entry *e, struct yardstick *y, struct cimd_error *err)
{
	struct cimd_error why = { 0 };
	enum cimd_err code;

	cimd_client_free(&y->served);
	y->update_waits = y->approved != NULL && e->live != NULL &&
	    change_classify(y->approved, e->live) != 0;
	if (!y->update_waits)
		return CIMD_OK;
	code = change_serve(y->approved, e->live, &y->served, &why);
	if (code != CIMD_E_NO_MEMORY)
		return CIMD_OK; /* else nothing of approved is left */
	if (err != NULL)
		*err = why;
	return code;
}

enum cimd_err
entry_derive(struct entry *e, struct cimd_error *err)
{
	enum cimd_err code = derive(e, &e->word, err);
	size_t i;

	for (i = 0; code == CIMD_OK && i < e->n_first; i++)
		code = derive(e, &e->first[i], err);
	return code;
}

const struct yardstick *
entry_yardstick(const struct entry *e, const char *tenant)
{
	size_t i;

	if (e->word.approved != NULL)
		return &e->word;
	for (i = 0; i < e->n_baselines; i++)
		if (strcmp(e->baseline[i].tenant, tenant) == 0)
			return &e->first[e->baseline[i].first];
	return NULL;
}

const struct yardstick *
entry_shown(const struct entry *e)
{
	const struct yardstick *y = entry_yardstick(e, "");
	size_t i;

	if (y != NULL || e->first == NULL)
		return y;
	for (i = 0; i < e->n_first; i++)
		if (e->first[i].update_waits)
			return &e->first[i];
	return e->first;
}

bool
entry_update_waits(const struct entry *e)
{
	bool waits = e->word.update_waits;
	size_t i;

	for (i = 0; !waits && i < e->n_first; i++)
		waits = e->first[i].update_waits;
	return waits;
}

static size_t
record_bytes(const struct cimd_client *c)
{
	return c != NULL ? client_bytes(c).n : 0;
}

size_t
entry_bytes(const struct entry *e)
{
	size_t i, n = sizeof(*e) + strlen(e->client_id);

	n += record_bytes(e->live) + record_bytes(e->word.approved) +
	    record_bytes(e->word.served);
	for (i = 0; i < e->n_first; i++)
		n += sizeof(e->first[i]) + record_bytes(e->first[i].approved) +
		    record_bytes(e->first[i].served);
	for (i = 0; i < e->n_baselines; i++)
		n += sizeof(e->baseline[i]) + strlen(e->baseline[i].tenant);
	return n;
}
