/*
 * store_write.c - changes: one transaction each, and what keeps us from them
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>

#include "clock.h"
#include "store_int.h"

void
store_note(struct store *s, const char *problem)
{
	(void)pthread_mutex_lock(&s->state);
	(void)snprintf(s->problem, sizeof(s->problem), "%s", problem);
	s->retry_at_ms = clock_ms() + s->retry_ms;
	(void)pthread_mutex_unlock(&s->state);
}

/* What is wrong, in words, if that kind of fault stays for a while. */
static const char *
problem_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return "the disk is full";
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return "the disk or the file is read-only";
	case SQLITE_IOERR:
		return "input/output error";
	case SQLITE_CANTOPEN:
		return "the file cannot be opened";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "the file is damaged";
	default:
		return NULL;
	}
}

enum cimd_err
store_fault(struct store *s, int rc, bool writing, struct cimd_error *err)
{
	const char *problem = problem_of(rc);

	if ((rc & 0xff) == SQLITE_NOMEM)
		return err_no_memory(err);
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB) {
		(void)pthread_mutex_lock(&s->state);
		s->damaged = true;
		(void)pthread_mutex_unlock(&s->state);
		store_note(s, problem);
	} else if (writing && problem != NULL) {
		store_note(s, problem);
	}
	return err_set(err, CIMD_E_STORE, "", "cimd.db: %s (SQLite: %s, %d)",
	    problem != NULL ? problem : "a fault", sqlite3_errstr(rc), rc);
}

/* May a write be tried?  A damaged file is left as it is. */
static bool
may_try(struct store *s, struct cimd_error *err)
{
	bool may = true;

	(void)pthread_mutex_lock(&s->state);
	if (s->problem[0] != '\0' &&
	    (s->damaged || clock_ms() < s->retry_at_ms)) {
		may = false;
		(void)err_set(err, CIMD_E_STORE, "", "nothing is written: %s",
		    s->problem);
	}
	(void)pthread_mutex_unlock(&s->state);
	return may;
}

static int
set_durable(struct store *s, bool durable)
{
	int rc;

	if (s->durable == durable)
		return SQLITE_OK;
	rc = db_exec(&s->writer,
	    durable ? "PRAGMA synchronous = FULL" :
		      "PRAGMA synchronous = NORMAL");
	if (rc == SQLITE_OK)
		s->durable = durable;
	return rc;
}

static int
run(struct store *s, enum sql sql)
{
	struct query q;

	query_begin(&q, &s->writer, sql);
	return query_run(&q);
}

/* With the lock of writer. */
static enum cimd_err
begin(struct store *s, bool durable, struct cimd_error *err)
{
	enum cimd_err e;
	int rc;

	if (!may_try(s, err))
		return CIMD_E_STORE;
	if (s->writer.h == NULL && (e = store_open_writer(s, err)) != CIMD_OK)
		return e;
	s->changes = sqlite3_total_changes64(s->writer.h);
	rc = set_durable(s, durable);
	if (rc == SQLITE_OK)
		rc = run(s, SQL_BEGIN);
	if (rc != SQLITE_OK)
		return store_fault(s, rc, true, err);
	rc = store_apply_outdated(s);
	if (rc == SQLITE_OK)
		return CIMD_OK;
	(void)run(s, SQL_ROLLBACK);
	return store_fault(s, rc, true, err);
}

enum cimd_err
store_begin(struct store *s, bool durable, struct span client_id,
    struct cimd_error *err)
{
	enum cimd_err e;

	(void)pthread_mutex_lock(&s->writer.lock);
	e = begin(s, durable, err);
	s->outdating = client_id;
	if (e == CIMD_OK)
		return CIMD_OK;
	store_outdate(s, client_id);
	(void)pthread_mutex_unlock(&s->writer.lock);
	return e;
}

/* A change that changed nothing proves nothing. */
static void
clear_problem(struct store *s)
{
	if (sqlite3_total_changes64(s->writer.h) == s->changes)
		return;
	(void)pthread_mutex_lock(&s->state);
	if (!s->damaged)
		s->problem[0] = '\0';
	(void)pthread_mutex_unlock(&s->state);
}

enum cimd_err
store_end(struct store *s, int rc, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;

	if (rc == SQLITE_OK)
		rc = run(s, SQL_COMMIT);
	if (rc == SQLITE_OK) {
		store_forget_outdated(s);
		clear_problem(s);
	} else {
		if (sqlite3_get_autocommit(s->writer.h) == 0)
			(void)run(s, SQL_ROLLBACK);
		s->n_jti = -1;
		store_outdate(s, s->outdating);
		e = store_fault(s, rc, true, err);
	}
	(void)pthread_mutex_unlock(&s->writer.lock);
	return e;
}
