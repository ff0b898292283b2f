/*
 * store_db.c - connections and queries
 * SPDX-License-Identifier: Apache-2.0
 */

#include "store_int.h"

enum {
	BUSY_MS = 1000,             /* for somebody with sqlite3(1) */
	MAX_VALUE = 4 * 1024 * 1024 /* bytes of a row */
};

/* What a file could make a connection do is switched off. */
static void
restrict_connection(sqlite3 *h)
{
	(void)sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	(void)sqlite3_limit(h, SQLITE_LIMIT_LENGTH, MAX_VALUE);
	(void)sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_busy_timeout(h, BUSY_MS);
}

int
db_open(struct db *db, const char *path, int flags)
{
	int rc;

	rc = sqlite3_open_v2(path, &db->h,
	    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (rc != SQLITE_OK) {
		db_close(db);
		return rc;
	}
	restrict_connection(db->h);
	return db_exec(db,
	    "PRAGMA foreign_keys = ON;"
	    "PRAGMA cell_size_check = ON;"
	    "PRAGMA mmap_size = 0;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -1024;");
}

void
db_close(struct db *db)
{
	int i;

	for (i = 0; i < SQL_COUNT; i++) {
		(void)sqlite3_finalize(db->stmt[i]);
		db->stmt[i] = NULL;
	}
	(void)sqlite3_close(db->h);
	db->h = NULL;
}

int
db_exec(struct db *db, const char *sql)
{
	return sqlite3_exec(db->h, sql, NULL, NULL, NULL);
}

int
db_number(struct db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	*out = 0;
	rc = sqlite3_prepare_v2(db->h, sql, -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	return sqlite3_finalize(stmt);
}

int
db_check(struct db *db, const char *pragma, bool *good)
{
	sqlite3_stmt *stmt = NULL;
	const unsigned char *text;
	int rc;

	*good = false;
	rc = sqlite3_prepare_v2(db->h, pragma, -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		text = sqlite3_column_text(stmt, 0);
		*good =
		    text != NULL && span_is(span_of((const char *)text), "ok");
	}
	return sqlite3_finalize(stmt);
}

void
query_begin(struct query *q, struct db *db, enum sql sql)
{
	q->db = db;
	q->n = 0;
	q->rc = db->h != NULL ? SQLITE_OK : SQLITE_CANTOPEN;
	if (db->h != NULL && db->stmt[sql] == NULL)
		q->rc = sqlite3_prepare_v3(db->h, store_sql[sql], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->stmt[sql], NULL);
	q->stmt = db->stmt[sql];
}

void
query_text(struct query *q, struct span s)
{
	q->n++;
	if (q->rc != SQLITE_OK)
		return;
	if (s.p == NULL)
		q->rc = sqlite3_bind_null(q->stmt, q->n);
	else
		q->rc = sqlite3_bind_text64(q->stmt, q->n, s.p, s.n,
		    SQLITE_STATIC, SQLITE_UTF8);
}

void
query_blob(struct query *q, struct span s)
{
	q->n++;
	if (q->rc != SQLITE_OK)
		return;
	if (s.p == NULL)
		q->rc = sqlite3_bind_null(q->stmt, q->n);
	else
		q->rc =
		    sqlite3_bind_blob64(q->stmt, q->n, s.p, s.n, SQLITE_STATIC);
}

void
query_int(struct query *q, int64_t n)
{
	q->n++;
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_int64(q->stmt, q->n, n);
}

bool
query_row(struct query *q)
{
	int rc;

	if (q->rc != SQLITE_OK)
		return false;
	rc = sqlite3_step(q->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		q->rc = rc;
	return rc == SQLITE_ROW;
}

int64_t
query_get_int(const struct query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

struct span
query_get_span(const struct query *q, int column)
{
	struct span s = { NULL, 0 };

	if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
		return s;
	s.p = sqlite3_column_blob(q->stmt, column);
	s.n = (size_t)sqlite3_column_bytes(q->stmt, column);
	if (s.p == NULL)
		s.p = ""; /* a value of no bytes */
	return s;
}

int
query_end(struct query *q)
{
	if (q->stmt != NULL) {
		(void)sqlite3_reset(q->stmt);
		(void)sqlite3_clear_bindings(q->stmt);
	}
	return q->rc;
}

int
query_run(struct query *q)
{
	(void)query_row(q);
	return query_end(q);
}
