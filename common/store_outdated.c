/*
 * store_outdated.c - records on disk that must not be read any more
 * SPDX-License-Identifier: Apache-2.0
 *
 * A withdrawal, or a document that has lost a key, acts at once, also while
 * the disk is full.  What could not be written is remembered here: the
 * record on disk is not read, and deleted by the next change that works.
 * Of whom no record is on disk, there is nothing to remember; else strangers
 * would fill the list.
 */

#include <stdlib.h>
#include <string.h>

#include "store_int.h"

bool
outdated_init(struct outdated *o, uint32_t max)
{
	o->client_id = calloc(max, sizeof(*o->client_id));
	return o->client_id != NULL && tagmap_init(&o->map, max);
}

static void
empty(struct outdated *o)
{
	uint32_t i;

	while ((i = o->map.oldest) != TAGMAP_NONE) {
		free(o->client_id[i]);
		tagmap_remove(&o->map, i);
	}
	o->all = false;
}

void
outdated_clear(struct outdated *o)
{
	if (o->map.node != NULL)
		empty(o);
	free(o->client_id);
	o->client_id = NULL;
	tagmap_clear(&o->map);
}

/* Without room or memory, all records count as outdated. */
static void
add(struct outdated *o, struct tag tag, struct span client_id)
{
	char *copy;

	if (tagmap_find(&o->map, tag) != TAGMAP_NONE)
		return;
	copy = strndup(client_id.p, client_id.n);
	if (copy == NULL || o->map.used == o->map.capacity) {
		free(copy);
		o->all = true;
		return;
	}
	o->client_id[tagmap_add(&o->map, tag)] = copy;
}

/* Is a record on disk?  Who cannot tell says yes. */
static bool
has_document(struct store *s, struct span client_id)
{
	struct db *db = s->path != NULL ? &s->reader : &s->writer;
	bool has, own = db == &s->writer; /* and locked by the caller */
	struct query q;

	if (!own)
		(void)pthread_mutex_lock(&db->lock);
	query_begin(&q, db, SQL_HAS_DOCUMENT);
	query_text(&q, client_id);
	has = query_row(&q);
	has = query_end(&q) != SQLITE_OK || has;
	if (!own)
		(void)pthread_mutex_unlock(&db->lock);
	return has;
}

void
store_outdate(struct store *s, struct span client_id)
{
	if (client_id.p == NULL || !has_document(s, client_id))
		return;
	(void)pthread_mutex_lock(&s->state);
	add(&s->outdated, siphash_tag(s->key, client_id.p, client_id.n),
	    client_id);
	(void)pthread_mutex_unlock(&s->state);
}

bool
store_is_outdated(struct store *s, struct span client_id)
{
	bool is;

	(void)pthread_mutex_lock(&s->state);
	is = s->outdated.all;
	if (!is && s->outdated.map.used > 0)
		is = tagmap_find(&s->outdated.map,
			 siphash_tag(s->key, client_id.p, client_id.n)) !=
		    TAGMAP_NONE;
	(void)pthread_mutex_unlock(&s->state);
	return is;
}

static int
drop_all(struct store *s)
{
	struct query q;
	int rc;

	query_begin(&q, &s->writer, SQL_DELETE_ALL_DOCUMENTS);
	rc = query_run(&q);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_SHRINK_ALL);
	return query_run(&q);
}

/* Only writers add, and the caller is the writer: nothing changes. */
int
store_apply_outdated(struct store *s)
{
	struct outdated *o = &s->outdated;
	struct client_row row;
	int rc = SQLITE_OK;
	uint32_t i;

	if (o->all)
		return drop_all(s);
	for (i = o->map.oldest; i != TAGMAP_NONE && rc == SQLITE_OK;
	     i = o->map.node[i].newer) {
		rc = store_find(&s->writer, span_of(o->client_id[i]), &row);
		if (rc == SQLITE_OK && row.id != 0)
			rc = store_drop_document(s, row.id);
	}
	return rc;
}

void
store_forget_outdated(struct store *s)
{
	(void)pthread_mutex_lock(&s->state);
	empty(&s->outdated);
	(void)pthread_mutex_unlock(&s->state);
}
