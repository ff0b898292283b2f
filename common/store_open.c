/*
 * store_open.c - open and close; what may be read and what written
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "store_int.h"

/* "file:<path>?immutable=1", for a directory where nothing can be made. */
static char *
immutable_uri(const char *path)
{
	static const char hex[] = "0123456789abcdef";
	static const char head[] = "file:", tail[] = "?immutable=1";
	size_t n = sizeof(head) - 1;
	char *uri;

	uri = malloc(3 * strlen(path) + sizeof(head) + sizeof(tail));
	if (uri == NULL)
		return NULL;
	memcpy(uri, head, n);
	for (; *path != '\0'; path++) {
		if (*path != '%' && *path != '?' && *path != '#') {
			uri[n++] = *path;
			continue;
		}
		uri[n++] = '%';
		uri[n++] = hex[(unsigned char)*path >> 4];
		uri[n++] = hex[*path & 15];
	}
	memcpy(uri + n, tail, sizeof(tail));
	return uri;
}

/* Is nothing of the last changes outside of the file itself? */
static bool
log_is_empty(const char *path)
{
	char *name = NULL;
	struct stat st;
	bool empty;

	if (asprintf(&name, "%s-wal", path) == -1)
		return false;
	empty = stat(name, &st) == -1 || st.st_size == 0;
	free(name);
	return empty;
}

/* Can a client be looked up? */
static int
try_read(struct db *db)
{
	struct query q;

	query_begin(&q, db, SQL_READ);
	query_text(&q, span_of(""));
	return query_run(&q);
}

/*
 * Open what reads.  On a read-only disk SQLite cannot make the index of its
 * log; without a log it is told that nobody writes.
 */
static int
open_reader(struct store *s)
{
	char *uri;
	int rc;

	db_close(&s->reader);
	s->immutable = false;
	rc = db_open(&s->reader, s->path, SQLITE_OPEN_READONLY);
	if (rc == SQLITE_OK)
		rc = try_read(&s->reader);
	if (rc == SQLITE_OK || !log_is_empty(s->path))
		return rc;
	db_close(&s->reader);
	if ((uri = immutable_uri(s->path)) == NULL)
		return SQLITE_NOMEM;
	s->immutable = true;
	rc = db_open(&s->reader, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	free(uri);
	return rc == SQLITE_OK ? try_read(&s->reader) : rc;
}

/*
 * Of an error of SQLite what is behind it: it cannot make the files beside
 * the database on a read-only disk, nor the index of its log on a full one.
 */
static int
explain(const struct store *s, int rc)
{
	if (rc == SQLITE_IOERR_SHMSIZE)
		return SQLITE_FULL;
	if ((rc & 0xff) == SQLITE_CANTOPEN && s->path != NULL &&
	    access(s->path, W_OK) == -1 && errno == EROFS)
		return SQLITE_READONLY;
	return rc;
}

enum cimd_err
store_open_writer(struct store *s, struct cimd_error *err)
{
	struct cimd_error why = { 0 };
	enum cimd_err e;
	int rc;

	s->durable = false;
	s->n_jti = -1;
	rc = db_open(&s->writer,
	    s->path != NULL ? s->path : ":memory:", SQLITE_OPEN_READWRITE);
	if (s->writer.h != NULL &&
	    sqlite3_db_readonly(s->writer.h, "main") == 1)
		rc = SQLITE_READONLY; /* whatever else follows from that */
	if (rc == SQLITE_OK)
		rc = store_migrate(&s->writer, store_schema_newest(), &why);
	if (rc == SQLITE_OK && s->path != NULL) {
		(void)pthread_mutex_lock(&s->reader.lock);
		if (s->reader.h == NULL || s->immutable)
			rc = open_reader(s);
		(void)pthread_mutex_unlock(&s->reader.lock);
	}
	if (rc == SQLITE_OK)
		return CIMD_OK;
	db_close(&s->writer);
	e = store_fault(s, explain(s, rc), true, err);
	if (why.code == CIMD_OK)
		return e;
	store_note(s, why.text);
	if (err != NULL)
		*err = why;
	return why.code;
}

/*
 * What follows a change of the file by others than us: a flipped bit, a
 * block that got lost.  Only an index that was checked can say "unknown".
 */
void
store_check(struct store *s)
{
	bool whole = false, index = false;
	struct db *db = store_read_begin(s);
	int rc;

	rc = db_check(db, "PRAGMA quick_check(1)", &whole);
	if (rc == SQLITE_OK && whole)
		rc = db_check(db, "PRAGMA integrity_check(client)", &index);
	if (rc == SQLITE_OK && !index)
		rc = SQLITE_CORRUPT;
	(void)store_read_end(s, db, rc, NULL);
}

struct db *
store_read_begin(struct store *s)
{
	struct db *db = s->path != NULL ? &s->reader : &s->writer;

	(void)pthread_mutex_lock(&db->lock);
	return db;
}

enum cimd_err
store_read_end(struct store *s, struct db *db, int rc, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;

	if (rc != SQLITE_OK)
		e = store_fault(s, rc, false, err);
	(void)pthread_mutex_unlock(&db->lock);
	return e;
}

static enum cimd_err
open_disk(struct store *s, const char *dir, struct cimd_error *err)
{
	struct cimd_error why = { 0 };
	enum cimd_err e;
	int rc;

	if (asprintf(&s->path, "%s/cimd.db", dir) == -1) {
		s->path = NULL;
		return err_no_memory(err);
	}
	if ((e = store_enter_dir(dir, &s->lock_fd, err)) != CIMD_OK)
		return e;
	e = store_open_writer(s, &why);
	if (e != CIMD_OK) {
		rc = e == CIMD_E_STORE ? open_reader(s) : SQLITE_NOMEM;
		if (rc != SQLITE_OK) {
			if (e == CIMD_E_STORE)
				err_prefix(&why, "%s", s->path);
			if (err != NULL)
				*err = why;
			return e;
		}
	} else
		store_mark(s->lock_fd);
	store_check(s);
	return CIMD_OK;
}

/* Everything but files. */
static struct store *
store_new(const struct store_limits *limits)
{
	struct store *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->limits = *limits;
	s->lock_fd = -1;
	s->n_jti = -1;
	s->retry_ms = STORE_RETRY_MS;
	clock_random(s->key, sizeof(s->key));
	if (!outdated_init(&s->outdated,
		limits->max_unverified + STORE_MAX_OUTDATED)) {
		outdated_clear(&s->outdated);
		free(s);
		return NULL;
	}
	(void)pthread_mutex_init(&s->state, NULL);
	(void)pthread_mutex_init(&s->writer.lock, NULL);
	(void)pthread_mutex_init(&s->reader.lock, NULL);
	return s;
}

enum cimd_err
store_open(const char *dir, const struct store_limits *limits,
    struct store **out, struct cimd_error *err)
{
	struct store *s;
	enum cimd_err e;

	*out = NULL;
	if ((s = store_new(limits)) == NULL)
		return err_no_memory(err);
	if (dir != NULL && dir[0] != '\0')
		e = open_disk(s, dir, err);
	else
		e = store_open_writer(s, err);
	if (e != CIMD_OK)
		store_close(&s);
	*out = s;
	return e;
}

void
store_close(struct store **s)
{
	if (*s == NULL)
		return;
	db_close(&(*s)->reader);
	db_close(&(*s)->writer);
	if ((*s)->lock_fd != -1)
		(void)close((*s)->lock_fd);
	outdated_clear(&(*s)->outdated);
	(void)pthread_mutex_destroy(&(*s)->reader.lock);
	(void)pthread_mutex_destroy(&(*s)->writer.lock);
	(void)pthread_mutex_destroy(&(*s)->state);
	free((*s)->path);
	free(*s);
	*s = NULL;
}

const char *
store_problem(struct store *s, char *buf, size_t len)
{
	(void)pthread_mutex_lock(&s->state);
	(void)snprintf(buf, len, "%s", s->problem);
	(void)pthread_mutex_unlock(&s->state);
	return buf[0] != '\0' ? buf : NULL;
}
