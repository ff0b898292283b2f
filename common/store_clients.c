/*
 * store_clients.c - rows of clients and their documents; two segments
 * SPDX-License-Identifier: Apache-2.0
 */

#include "store_int.h"

int
store_find(struct db *db, struct span client_id, struct client_row *out)
{
	struct query q;
	int64_t governance;

	*out = (struct client_row){ .id = 0 };
	query_begin(&q, db, SQL_FIND);
	query_text(&q, client_id);
	if (query_row(&q)) {
		out->id = query_get_int(&q, 0);
		out->kept = query_get_int(&q, 1) != 0;
		governance = query_get_int(&q, 2);
		out->governance = (enum governance)governance;
		out->approved = query_get_int(&q, 3) != 0;
		out->baselines = query_get_int(&q, 4);
	}
	return query_end(&q);
}

int
store_find_or_add(struct store *s, struct span client_id, bool kept,
    int64_t now, struct client_row *out)
{
	const struct span none = { NULL, 0 };
	char short_id[44];
	struct query q;
	int rc;

	rc = store_find(&s->writer, client_id, out);
	if (rc != SQLITE_OK || out->id != 0)
		return rc;
	store_short_id(client_id, short_id);
	if (short_id[0] == '\0')
		return SQLITE_NOMEM;
	query_begin(&q, &s->writer, SQL_INSERT_CLIENT);
	query_text(&q, client_id);
	query_text(&q, span_of(short_id));
	query_int(&q, kept);
	query_int(&q, now);
	query_int(&q, sum_governance(client_id, GOVERN_NONE, none, 0));
	rc = query_run(&q);
	out->id = sqlite3_last_insert_rowid(s->writer.h);
	out->fresh = true;
	out->kept = kept;
	out->governance = GOVERN_NONE;
	return rc;
}

int
store_run_on(struct store *s, enum sql sql, int64_t client)
{
	struct query q;

	query_begin(&q, &s->writer, sql);
	query_int(&q, client);
	return query_run(&q);
}

int
store_drop_document(struct store *s, int64_t client)
{
	int rc;

	rc = store_run_on(s, SQL_DELETE_DOCUMENT, client);
	return rc == SQLITE_OK ? store_run_on(s, SQL_SHRINK_CLIENT, client) :
				 rc;
}

/* How much is in a segment, and how much may be. */
struct segment {
	int64_t rows, bytes;
	int64_t max_rows, max_bytes;
};

static int
measure(struct store *s, bool kept, struct segment *out)
{
	struct query q;

	out->rows = out->bytes = 0;
	out->max_rows = s->limits.max_unverified;
	out->max_bytes = STORE_PROBATION_BYTES;
	if (kept) {
		out->max_rows = s->limits.max_clients;
		out->max_bytes = out->max_rows * STORE_KEPT_BYTES;
	}
	query_begin(&q, &s->writer, SQL_SEGMENT);
	query_int(&q, kept);
	if (query_row(&q)) {
		out->rows = query_get_int(&q, 0);
		out->bytes = query_get_int(&q, 1);
	}
	return query_end(&q);
}

int
store_evict(struct store *s, bool kept, int64_t keep)
{
	struct segment segment;
	int64_t id, size;
	struct query q;
	int rc;

	rc = measure(s, kept, &segment);
	while (rc == SQLITE_OK &&
	    (segment.rows > segment.max_rows ||
		segment.bytes > segment.max_bytes)) {
		query_begin(&q, &s->writer, SQL_OLDEST);
		query_int(&q, kept);
		query_int(&q, keep);
		id = size = 0;
		if (query_row(&q)) {
			id = query_get_int(&q, 0);
			size = query_get_int(&q, 1);
		}
		rc = query_end(&q);
		if (rc != SQLITE_OK || id == 0)
			return rc;
		rc = store_run_on(s, SQL_DELETE_CLIENT, id);
		segment.rows--;
		segment.bytes -= size;
	}
	return rc;
}

static int
put_document(struct store *s, int64_t client, const struct entry *e)
{
	const struct span live = client_bytes(e->live);
	struct query q;
	int rc;

	query_begin(&q, &s->writer, SQL_PUT_DOCUMENT);
	query_int(&q, client);
	query_int(&q, e->freshness.fetched_at);
	query_int(&q, e->freshness.refresh_at);
	query_int(&q, e->freshness.expires_at);
	query_int(&q, e->freshness.floor_only);
	query_text(&q, span_of(e->etag));
	query_text(&q, span_of(e->last_modified));
	query_int(&q, sum_document(e, live));
	query_blob(&q, live);
	rc = query_run(&q);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_KEEP_CLIENT);
	query_int(&q, client);
	query_int(&q, e->kept);
	query_int(&q, (int64_t)live.n);
	return query_run(&q);
}

enum cimd_err
store_put(struct store *s, const struct entry *e, int64_t now,
    struct cimd_error *err)
{
	const struct span client_id = span_of(e->client_id);
	struct client_row row;
	enum cimd_err code;
	int rc;

	code = store_begin(s, false, client_id, err);
	if (code != CIMD_OK)
		return code;
	rc = store_find_or_add(s, client_id, e->kept, now, &row);
	if (rc == SQLITE_OK)
		rc = put_document(s, row.id, e);
	/* To measure the kept is slow; they grow when another one comes. */
	if (rc == SQLITE_OK && (row.fresh || !row.kept))
		rc = store_evict(s, row.kept || e->kept, row.id);
	return store_end(s, rc, err);
}

enum cimd_err
store_withdraw(struct store *s, struct span client_id, struct cimd_error *err)
{
	struct client_row row;
	enum cimd_err code;
	int rc;

	code = store_begin(s, true, client_id, err);
	if (code != CIMD_OK)
		return code;
	rc = store_find(&s->writer, client_id, &row);
	if (rc == SQLITE_OK && row.id != 0)
		rc = store_drop_document(s, row.id);
	return store_end(s, rc, err);
}

/* Leave nothing of a blocked client but the block. */
static int
strip(struct store *s, struct span client_id, int64_t client)
{
	const struct span none = { NULL, 0 };
	struct query q;
	int rc;

	rc = store_run_on(s, SQL_DELETE_DOCUMENT, client);
	if (rc == SQLITE_OK)
		rc = store_run_on(s, SQL_DELETE_BASELINES, client);
	if (rc == SQLITE_OK)
		rc = store_run_on(s, SQL_DELETE_ACTIVITY, client);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_STRIP_CLIENT);
	query_int(&q, client);
	query_int(&q, sum_governance(client_id, GOVERN_BLOCKED, none, 0));
	return query_run(&q);
}

enum cimd_err
store_forget(struct store *s, struct span client_id, struct cimd_error *err)
{
	struct client_row row;
	enum cimd_err code;
	int rc;

	code = store_begin(s, true, client_id, err);
	if (code != CIMD_OK)
		return code;
	rc = store_find(&s->writer, client_id, &row);
	if (rc == SQLITE_OK && row.id != 0) {
		if (row.governance == GOVERN_BLOCKED)
			rc = strip(s, client_id, row.id);
		else
			rc = store_run_on(s, SQL_DELETE_CLIENT, row.id);
	}
	return store_end(s, rc, err);
}
