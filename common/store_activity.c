/*
 * store_activity.c - who asked when, the audit tail, housekeeping
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "store_int.h"

static const struct span none = { NULL, 0 };

/* A client has so many consumers; the one seen longest ago makes room. */
static int
make_room(struct store *s, int64_t client, struct span consumer)
{
	int64_t others = 0;
	struct query q;
	int rc;

	query_begin(&q, &s->writer, SQL_OTHER_CONSUMERS);
	query_int(&q, client);
	query_text(&q, consumer);
	if (query_row(&q))
		others = query_get_int(&q, 0);
	rc = query_end(&q);
	if (rc != SQLITE_OK || others < STORE_MAX_CONSUMERS)
		return rc;
	query_begin(&q, &s->writer, SQL_DELETE_OLDEST_ACTIVITY);
	query_int(&q, client);
	query_text(&q, consumer);
	return query_run(&q);
}

/* Counts go up to what SQLite can add without overflow. */
static int64_t
as_count(uint64_t n)
{
	return n < INT32_MAX ? (int64_t)n : INT32_MAX;
}

/* Clients that are not stored have no activity. */
static int
add_activity(struct store *s, const struct store_activity *a)
{
	const struct span consumer = span_of(a->consumer);
	struct client_row row;
	struct query q;
	int rc;

	rc = store_find(&s->writer, a->client_id, &row);
	if (rc != SQLITE_OK || row.id == 0)
		return rc;
	rc = make_room(s, row.id, consumer);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_ADD_ACTIVITY);
	query_int(&q, row.id);
	query_text(&q, consumer);
	query_int(&q, as_count(a->lookups));
	query_int(&q, as_count(a->refused));
	query_int(&q, a->last_seen);
	rc = query_run(&q);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_SEE_CLIENT);
	query_int(&q, row.id);
	query_int(&q, a->lookups > 0);
	query_int(&q, a->last_seen);
	return query_run(&q);
}

enum cimd_err
store_add_activity(struct store *s, const struct store_activity *a, size_t n,
    struct cimd_error *err)
{
	enum cimd_err code;
	int rc = SQLITE_OK;
	size_t i;

	code = store_begin(s, false, none, err);
	if (code != CIMD_OK)
		return code;
	for (i = 0; i < n && rc == SQLITE_OK; i++)
		rc = add_activity(s, &a[i]);
	return store_end(s, rc, err);
}

/* A line of the tail: its number, and the bytes of all lines up to it. */
struct mark {
	int64_t seq, total;
	bool found;
};

static int
get_mark(struct store *s, enum sql sql, struct mark *out)
{
	struct query q;

	query_begin(&q, &s->writer, sql);
	out->found = query_row(&q);
	out->seq = out->total = 0;
	if (out->found) {
		out->seq = query_get_int(&q, 0);
		out->total = query_get_int(&q, 1);
	}
	return query_end(&q);
}

/* Delete from the front what is too much, in lines or in bytes. */
static int
cut_tail(struct store *s, const struct mark *last)
{
	const int64_t max_bytes =
	    (int64_t)s->limits.max_audit * STORE_AUDIT_BYTES;
	struct mark first;
	struct query q;
	int rc;

	for (;;) {
		rc = get_mark(s, SQL_FIRST_LINE, &first);
		if (rc != SQLITE_OK || !first.found ||
		    (last->seq - first.seq < s->limits.max_audit &&
			last->total - first.total < max_bytes))
			return rc;
		query_begin(&q, &s->writer, SQL_DELETE_LINE);
		query_int(&q, first.seq);
		if ((rc = query_run(&q)) != SQLITE_OK)
			return rc;
	}
}

enum cimd_err
store_audit(struct store *s, int64_t now, const char *line,
    struct cimd_error *err)
{
	const struct span text = span_of(line);
	struct mark last;
	enum cimd_err code;
	struct query q;
	int rc;

	if (text.n > STORE_MAX_LINE)
		return err_set(err, CIMD_E_STORE, "policy",
		    "an audit line of %zu bytes is too long", text.n);
	code = store_begin(s, false, none, err);
	if (code != CIMD_OK)
		return code;
	rc = get_mark(s, SQL_LAST_LINE, &last);
	if (rc == SQLITE_OK) {
		last.seq++;
		last.total += (int64_t)text.n;
		query_begin(&q, &s->writer, SQL_ADD_LINE);
		query_int(&q, last.seq);
		query_int(&q, now);
		query_int(&q, last.total);
		query_text(&q, text);
		rc = query_run(&q);
	}
	if (rc == SQLITE_OK)
		rc = cut_tail(s, &last);
	return store_end(s, rc, err);
}

enum cimd_err
store_audit_tail(struct store *s, uint32_t n, store_line_fn *fn, void *ctx,
    struct cimd_error *err)
{
	uint32_t i = 0, max = n < s->limits.max_audit ? n : s->limits.max_audit;
	char **lines = calloc((size_t)max + 1, sizeof(*lines));
	struct span text;
	enum cimd_err code;
	struct query q;
	struct db *db;

	if (lines == NULL)
		return err_no_memory(err);
	db = store_read_begin(s);
	query_begin(&q, db, SQL_TAIL);
	query_int(&q, max);
	while (i < max && query_row(&q)) {
		text = query_get_span(&q, 0);
		lines[i] = strndup(text.p, text.n);
		if (lines[i++] == NULL)
			break;
	}
	code = store_read_end(s, db, query_end(&q), err);
	if (code == CIMD_OK && i > 0 && lines[i - 1] == NULL)
		code = err_no_memory(err);
	while (i-- > 0) {
		if (code == CIMD_OK)
			fn(ctx, lines[i]);
		free(lines[i]);
	}
	free(lines);
	return code;
}

static int
expire(struct store *s, enum sql sql, int64_t before)
{
	struct query q;

	query_begin(&q, &s->writer, sql);
	if (sql != SQL_EXPIRE_CLIENTS)
		query_int(&q, before);
	return query_run(&q);
}

enum cimd_err
store_sweep(struct store *s, int64_t now, struct cimd_error *err)
{
	const int64_t before = now - CIMD_STALE_MAX_S;
	enum cimd_err code;
	int rc;

	code = store_begin(s, false, none, err);
	if (code != CIMD_OK)
		return code;
	rc = store_expire_jti(s, now);
	if (rc == SQLITE_OK)
		rc = expire(s, SQL_SHRINK_EXPIRED, before);
	if (rc == SQLITE_OK)
		rc = expire(s, SQL_EXPIRE_DOCUMENTS, before);
	if (rc == SQLITE_OK)
		rc = expire(s, SQL_EXPIRE_CLIENTS, 0);
	return store_end(s, rc, err);
}

enum cimd_err
store_figures(struct store *s, struct store_figures *out,
    struct cimd_error *err)
{
	struct db *db = store_read_begin(s);
	enum cimd_err code;
	struct query q;

	memset(out, 0, sizeof(*out));
	query_begin(&q, db, SQL_COUNT_CLIENTS);
	if (query_row(&q)) {
		out->kept = (uint64_t)query_get_int(&q, 0);
		out->probation = (uint64_t)query_get_int(&q, 1);
		out->governed = (uint64_t)query_get_int(&q, 2);
	}
	code = store_read_end(s, db, query_end(&q), err);
	(void)pthread_mutex_lock(&s->state);
	out->damaged = s->damaged_records;
	(void)pthread_mutex_unlock(&s->state);
	return code;
}
