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

void
entry_free(struct entry **e)
{
	struct entry *last = *e;

	*e = NULL;
	if (last == NULL ||
	    atomic_fetch_sub_explicit(&last->refs, 1, memory_order_acq_rel) !=
		1)
		return;
	cimd_client_free(&last->live);
	cimd_client_free(&last->approved);
	cimd_client_free(&last->served);
	free(last->client_id);
	free(last);
}

enum cimd_err
entry_derive(struct entry *e, struct cimd_error *err)
{
	struct cimd_error why = { 0 };
	enum cimd_err code;

	cimd_client_free(&e->served);
	e->update_waits = e->approved != NULL && e->live != NULL &&
	    change_classify(e->approved, e->live) != 0;
	if (!e->update_waits)
		return CIMD_OK;
	code = change_serve(e->approved, e->live, &e->served, &why);
	if (code != CIMD_E_NO_MEMORY)
		return CIMD_OK; /* else nothing of approved is left */
	if (err != NULL)
		*err = why;
	return code;
}
