/*
 * store_read.c - from rows to entries; what is damaged is not handed out
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_int.h"

/* Columns of SQL_READ. */
enum {
	KEPT,
	GOVERNANCE,
	FIRST_SEEN,
	CLIENT_SUM,
	FETCHED_AT,
	REFRESH_AT,
	EXPIRES_AT,
	FLOOR_ONLY,
	ETAG,
	LAST_MODIFIED,
	DOCUMENT_SUM,
	LIVE,
	APPROVED,
	STORED_ID,
	ROW,
	BASELINES
};

/* Columns of SQL_BASELINES. */
enum {
	TENANT,
	BASELINE_SUM,
	RECORD
};

static void
count_damage(struct store *s)
{
	(void)pthread_mutex_lock(&s->state);
	s->damaged_records++;
	(void)pthread_mutex_unlock(&s->state);
}

/* The record of some bytes, if it is one of this client. */
static enum cimd_err
load(struct store *s, struct span bytes, const struct entry *e,
    struct cimd_client **out)
{
	enum cimd_err code;

	*out = NULL;
	if (bytes.p == NULL)
		return CIMD_OK;
	code = client_load(bytes, out, NULL);
	if (code == CIMD_OK &&
	    strcmp(cimd_client_id(*out), e->client_id) != 0) {
		cimd_client_free(out);
		code = CIMD_E_STORE;
	}
	if (code == CIMD_E_STORE)
		count_damage(s);
	return code == CIMD_E_NO_MEMORY ? code : CIMD_OK;
}

/* A string without NUL into a buffer that it fits. */
static bool
copy_text(struct span s, char *out, size_t size)
{
	if (s.p == NULL || s.n >= size || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

/*
 * The document's columns.  One bit that is wrong makes it as good as not
 * stored: it is fetched again.
 */
static enum cimd_err
read_document(struct store *s, const struct query *q, struct entry *e)
{
	const struct span live = query_get_span(q, LIVE);
	const struct span none = { NULL, 0 };
	enum cimd_err code;

	if (live.p == NULL || store_is_outdated(s, span_of(e->client_id)))
		return CIMD_OK;
	e->freshness.fetched_at = query_get_int(q, FETCHED_AT);
	e->freshness.refresh_at = query_get_int(q, REFRESH_AT);
	e->freshness.expires_at = query_get_int(q, EXPIRES_AT);
	e->freshness.floor_only = query_get_int(q, FLOOR_ONLY) != 0;
	if (copy_text(query_get_span(q, ETAG), e->etag, sizeof(e->etag)) &&
	    copy_text(query_get_span(q, LAST_MODIFIED), e->last_modified,
		sizeof(e->last_modified)) &&
	    query_get_int(q, DOCUMENT_SUM) == sum_document(e, live)) {
		code = load(s, live, e, &e->live);
		if (e->live != NULL)
			return code;
	} else {
		count_damage(s);
		code = load(s, none, e, &e->live);
	}
	memset(&e->freshness, 0, sizeof(e->freshness));
	e->etag[0] = e->last_modified[0] = '\0';
	return code;
}

static enum cimd_err
damaged(struct store *s, struct cimd_error *err)
{
	count_damage(s);
	return err_set(err, CIMD_E_STORE, "",
	    "cimd.db: what is stored about this client is damaged");
}

/* An administrator's word; if it is damaged, nobody knows what it was. */
static enum cimd_err
read_governance(struct store *s, const struct query *q, struct entry *e,
    struct cimd_error *err)
{
	const struct span approved = query_get_span(q, APPROVED);
	const struct span client_id = query_get_span(q, STORED_ID);
	int64_t governance = query_get_int(q, GOVERNANCE);

	if (governance < GOVERN_NONE || governance > GOVERN_PINNED ||
	    !span_eq(client_id, span_of(e->client_id)) ||
	    query_get_int(q, CLIENT_SUM) !=
		sum_governance(client_id, (enum governance)governance, approved,
		    query_get_int(q, BASELINES)))
		return damaged(s, err);
	e->governance = (enum governance)governance;
	return load(s, approved, e, &e->word.approved) == CIMD_OK ?
	    CIMD_OK :
	    err_no_memory(err);
}

static enum cimd_err
read_baseline(struct store *s, const struct query *q, struct entry *e,
    struct cimd_error *err)
{
	const struct span tenant = query_get_span(q, TENANT);
	const struct span record = query_get_span(q, RECORD);
	struct cimd_client *first = NULL;
	enum cimd_err code;
	bool added;

	if (query_get_int(q, BASELINE_SUM) !=
	    sum_baseline(span_of(e->client_id), tenant, record))
		return damaged(s, err);
	code = load(s, record, e, &first);
	if (code == CIMD_OK && first == NULL)
		return damaged(s, err);
	added = code == CIMD_OK && entry_add_baseline(e, tenant, first);
	cimd_client_free(&first);
	return added ? CIMD_OK : err_no_memory(err);
}

/* What tenants saw first; of one that is lost, nobody knows whose it was. */
static enum cimd_err
read_baselines(struct store *s, const struct query *client, struct entry *e,
    struct cimd_error *err)
{
	int64_t left = query_get_int(client, BASELINES);
	enum cimd_err code = CIMD_OK;
	struct query q;
	int rc;

	if (left == 0)
		return CIMD_OK;
	query_begin(&q, client->db, SQL_BASELINES);
	query_int(&q, query_get_int(client, ROW));
	for (; code == CIMD_OK && query_row(&q); left--)
		code = read_baseline(s, &q, e, err);
	rc = query_end(&q);
	if (code != CIMD_OK)
		return code;
	if (rc != SQLITE_OK)
		return store_fault(s, rc, false, err);
	return left == 0 ? CIMD_OK : damaged(s, err);
}

static enum cimd_err
read_entry(struct store *s, const struct query *q, struct entry *e,
    struct cimd_error *err)
{
	enum cimd_err code;

	if (e == NULL)
		return err_no_memory(err);
	e->kept = query_get_int(q, KEPT) != 0;
	e->first_seen = query_get_int(q, FIRST_SEEN);
	if ((code = read_governance(s, q, e, err)) != CIMD_OK)
		return code;
	if (read_document(s, q, e) != CIMD_OK)
		return err_no_memory(err);
	if ((code = read_baselines(s, q, e, err)) != CIMD_OK)
		return code;
	return entry_derive(e, err);
}

/* Nothing was found; is that so? */
static enum cimd_err
judge_absence(struct store *s, struct cimd_error *err)
{
	bool damaged;

	(void)pthread_mutex_lock(&s->state);
	damaged = s->damaged;
	(void)pthread_mutex_unlock(&s->state);
	if (!damaged)
		return CIMD_OK;
	return err_set(err, CIMD_E_STORE, "",
	    "cimd.db is damaged: whether this client is blocked is unknown");
}

enum cimd_err
store_read(struct store *s, struct span client_id, struct entry **out,
    struct cimd_error *err)
{
	struct db *db = store_read_begin(s);
	enum cimd_err code = CIMD_OK, end;
	struct entry *e = NULL;
	struct query q;
	bool found;

	*out = NULL;
	query_begin(&q, db, SQL_READ);
	query_text(&q, client_id);
	if ((found = query_row(&q))) {
		e = entry_new(client_id);
		code = read_entry(s, &q, e, err);
	}
	end = store_read_end(s, db, query_end(&q), err);
	if (code == CIMD_OK)
		code = end;
	if (code == CIMD_OK && !found)
		code = judge_absence(s, err);
	if (code == CIMD_OK)
		*out = e;
	else
		entry_free(&e);
	return code;
}

/* A copy of a column; NULL: no memory. */
static char *
copy_column(const struct query *q, int column)
{
	const struct span s = query_get_span(q, column);

	return strndup(s.p != NULL ? s.p : "", s.n);
}

enum cimd_err
store_find_short(struct store *s, const char *short_id, char **out,
    struct cimd_error *err)
{
	struct db *db = store_read_begin(s);
	enum cimd_err code;
	struct query q;
	bool found;

	*out = NULL;
	query_begin(&q, db, SQL_FIND_SHORT);
	query_text(&q, span_of(short_id));
	if ((found = query_row(&q)))
		*out = copy_column(&q, 0);
	code = store_read_end(s, db, query_end(&q), err);
	if (code != CIMD_OK || !found || *out != NULL)
		return code;
	return err_no_memory(err);
}

/* Rows of a list, gathered so that fn runs without a lock. */
struct list_row {
	char *client_id, *consumer; /* owned */
	uint64_t lookups, refused;
	int64_t first_seen, last_seen;
};

struct rows {
	struct list_row *row;
	size_t n, size;
};

static void
rows_clear(struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows->n; i++) {
		free(rows->row[i].client_id);
		free(rows->row[i].consumer);
	}
	free(rows->row);
}

static struct list_row *
rows_grow(struct rows *rows)
{
	const size_t size = rows->size * 2 + 64;
	struct list_row *more;

	if (rows->n < rows->size)
		return &rows->row[rows->n++];
	more = reallocarray(rows->row, size, sizeof(*more));
	if (more == NULL)
		return NULL;
	rows->row = more;
	rows->size = size;
	return &rows->row[rows->n++];
}

/* False: no memory. */
static bool
rows_add(struct rows *rows, const struct query *q)
{
	const bool seen = query_get_span(q, 1).p != NULL;
	struct list_row *row;

	if ((row = rows_grow(rows)) == NULL)
		return false;
	row->client_id = copy_column(q, 0);
	row->consumer = seen ? copy_column(q, 1) : NULL;
	row->lookups = (uint64_t)query_get_int(q, 2);
	row->refused = (uint64_t)query_get_int(q, 3);
	row->first_seen = query_get_int(q, 4);
	row->last_seen = query_get_int(q, 5);
	return row->client_id != NULL && (row->consumer != NULL || !seen);
}

static enum cimd_err
gather(struct store *s, const struct store_query *query, struct rows *rows,
    struct cimd_error *err)
{
	struct db *db = store_read_begin(s);
	enum cimd_err code;
	bool memory = true;
	struct query q;

	query_begin(&q, db, SQL_LIST);
	query_text(&q, span_of(query->contains));
	query_int(&q, query->limit);
	query_int(&q, query->offset);
	query_text(&q, span_of(query->consumer));
	while (memory && query_row(&q))
		memory = rows_add(rows, &q);
	code = store_read_end(s, db, query_end(&q), err);
	return memory ? code : err_no_memory(err);
}

enum cimd_err
store_list(struct store *s, const struct store_query *q, store_row_fn *fn,
    void *ctx, struct cimd_error *err)
{
	struct rows rows = { NULL, 0, 0 };
	struct store_row out;
	struct entry *e = NULL;
	enum cimd_err code;
	size_t i;

	code = gather(s, q, &rows, err);
	for (i = 0; code == CIMD_OK && i < rows.n; i++) {
		const struct list_row *row = &rows.row[i];

		if (e == NULL || strcmp(e->client_id, row->client_id) != 0) {
			entry_free(&e);
			code = store_read(s, span_of(row->client_id), &e, err);
			if (code == CIMD_E_STORE)
				code = CIMD_OK; /* one that is damaged */
		}
		if (code != CIMD_OK || e == NULL)
			continue;
		out = (struct store_row){ row->client_id, e, row->consumer,
			row->lookups, row->refused, row->first_seen,
			row->last_seen };
		fn(ctx, &out);
	}
	entry_free(&e);
	rows_clear(&rows);
	return code;
}
