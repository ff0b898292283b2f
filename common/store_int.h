/*
 * store_int.h - inside of the store: connections, transactions, statements
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 3; store_dir.c has directory and lock, store_db.c connections and
 * queries, store_schema.c the tables, store_open.c what may be read and
 * written, store_write.c changes; the rest is one file per kind of data.
 */

#ifndef STORE_INT_H
#define STORE_INT_H

#include <pthread.h>
#include <sqlite3.h>

#include "error.h"
#include "store.h"
#include "tagmap.h"

enum {
	STORE_APPLICATION_ID = 0x43494d44, /* "CIMD" */
	STORE_RETRY_MS = 5000,             /* between writes that fail */
	STORE_MAX_OUTDATED = 1024,         /* besides those in probation */
	STORE_MAX_CONSUMERS = 32,          /* rows of activity of one client */
	STORE_MAX_BASELINES = 512,         /* tenants of one client */
	STORE_MAX_LINE = 16384,            /* bytes of one audit line */
	STORE_AUDIT_BYTES = 512,           /* of an audit line, on average */
	STORE_KEPT_BYTES = 8192, /* of a kept client's records, on average */
	STORE_PROBATION_BYTES = 4194304, /* of all records in probation */
	STORE_MAX_PROBLEM = 200
};

/* The statements; their text is in store_sql.c. */
enum sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_READ,
	SQL_FIND,
	SQL_FIND_SHORT,
	SQL_INSERT_CLIENT,
	SQL_KEEP_CLIENT,
	SQL_GOVERN_CLIENT,
	SQL_STRIP_CLIENT,
	SQL_DELETE_CLIENT,
	SQL_PUT_DOCUMENT,
	SQL_HAS_DOCUMENT,
	SQL_DELETE_DOCUMENT,
	SQL_SHRINK_CLIENT,
	SQL_MEASURE_CLIENT,
	SQL_BASELINES,
	SQL_FIND_BASELINE,
	SQL_OF_CONSUMER,
	SQL_ADD_BASELINE,
	SQL_COUNT_BASELINE,
	SQL_DELETE_BASELINES,
	SQL_SEGMENT,
	SQL_OLDEST,
	SQL_ADD_ACTIVITY,
	SQL_OTHER_CONSUMERS,
	SQL_DELETE_OLDEST_ACTIVITY,
	SQL_DELETE_ACTIVITY,
	SQL_SEE_CLIENT,
	SQL_LIST,
	SQL_USED_JTI,
	SQL_USE_JTI,
	SQL_USED_BY,
	SQL_COUNT_ISSUER,
	SQL_SHRINK_ISSUERS,
	SQL_DELETE_ISSUERS,
	SQL_EXPIRE_JTI,
	SQL_COUNT_JTI,
	SQL_LAST_LINE,
	SQL_FIRST_LINE,
	SQL_ADD_LINE,
	SQL_DELETE_LINE,
	SQL_TAIL,
	SQL_SHRINK_EXPIRED,
	SQL_EXPIRE_DOCUMENTS,
	SQL_EXPIRE_CLIENTS,
	SQL_SHRINK_ALL,
	SQL_DELETE_ALL_DOCUMENTS,
	SQL_COUNT_CLIENTS,
	SQL_COUNT
};

extern const char *const store_sql[SQL_COUNT];

/* One connection, and its prepared statements. */
struct db {
	pthread_mutex_t lock;
	sqlite3 *h; /* NULL: not open, for a writer: cannot write */
	sqlite3_stmt *stmt[SQL_COUNT];
};

struct outdated {
	struct tagmap map;
	char **client_id; /* by slot; owned */
	bool all;         /* there was no room: every record */
};

/* Locks are taken in the order writer, reader, state. */
struct store {
	struct store_limits limits;
	char *path;  /* NULL: in memory, where writer reads as well */
	int lock_fd; /* -1: none */
	struct db writer, reader;

	/* Under the lock of writer. */
	bool durable;          /* synchronous=FULL at present */
	bool immutable;        /* the reader believes that nobody writes */
	int64_t changes;       /* of writer, when the change began */
	int64_t n_jti;         /* -1: has to be counted */
	struct span outdating; /* what is outdated if the change fails */

	pthread_mutex_t state;
	char problem[STORE_MAX_PROBLEM]; /* empty: none */
	int64_t retry_at_ms, retry_ms;
	bool damaged; /* what is not found may be there all the same */
	struct outdated outdated;
	uint64_t damaged_records;
	uint8_t key[16]; /* for outdated */
};

/* ---- store_dir.c ---- */

/*
 * Judge the directory, take the writer lock, make an empty file if there is
 * none and never was one.  *lock_fd is -1 where a read-only disk has no lock
 * file.  Fails with: CIMD_E_STORE.
 */
enum cimd_err store_enter_dir(const char *dir, int *lock_fd,
    struct cimd_error *err);

/* Remember that the file is a whole store: an empty one is a loss now. */
void store_mark(int lock_fd);

/* ---- store_db.c: int is always an SQLite code ---- */

/* Open a file name or URI with all settings; flags of sqlite3_open_v2(). */
int db_open(struct db *db, const char *path, int flags);

/* Accepts one that is not open. */
void db_close(struct db *db);

/* Run statements without results. */
int db_exec(struct db *db, const char *sql);

/* The first column of the first row, 0 without one. */
int db_number(struct db *db, const char *sql, int64_t *out);

/* Does a checking pragma say "ok"? */
int db_check(struct db *db, const char *pragma, bool *good);

/* A statement at work; parameters are set in order, a fault stays in rc. */
struct query {
	struct db *db;
	sqlite3_stmt *stmt;
	int n;
	int rc;
};

void query_begin(struct query *q, struct db *db, enum sql sql);
void query_text(struct query *q, struct span s); /* absent: NULL */
void query_blob(struct query *q, struct span s); /* absent: NULL */
void query_int(struct query *q, int64_t n);

/* The next row; false: no more, or a fault. */
bool query_row(struct query *q);

/* A column of the row; spans live until the next query_row(). */
int64_t query_get_int(const struct query *q, int column);
struct span query_get_span(const struct query *q, int column);

/* Reset the statement.  Returns SQLITE_OK or the first fault. */
int query_end(struct query *q);

/* Run a statement without rows and reset it. */
int query_run(struct query *q);

/* ---- store_schema.c ---- */

/* The newest version. */
int store_schema_newest(void);

/*
 * Bring an open file up to a version.  Returns an SQLite code; err is filled
 * in where that alone does not say what is wrong.
 */
int store_migrate(struct db *db, int to, struct cimd_error *err);

/* ---- store_open.c ---- */

/*
 * Open, or open again, what writes; the reader then follows.  A failure is
 * noted as the problem.  With the lock of writer.
 */
enum cimd_err store_open_writer(struct store *s, struct cimd_error *err);

/* Is the file what it was when it was written?  What is not is noted. */
void store_check(struct store *s);

/* The connection to read from, locked; give back with store_read_end(). */
struct db *store_read_begin(struct store *s);

/* CIMD_OK for SQLITE_OK. */
enum cimd_err store_read_end(struct store *s, struct db *db, int rc,
    struct cimd_error *err);

/* ---- store_write.c ---- */

/*
 * Begin a change and take the lock of writer; durable: synchronous=FULL.
 * While nothing can be written, fail at once and hold no lock.  client_id
 * says whose record on disk is outdated if the change fails, or is absent.
 */
enum cimd_err store_begin(struct store *s, bool durable, struct span client_id,
    struct cimd_error *err);

/*
 * Commit if rc is SQLITE_OK, else roll back; gives the lock back.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err store_end(struct store *s, int rc, struct cimd_error *err);

/* Turn an SQLite code into an error; note what keeps us from writing. */
enum cimd_err store_fault(struct store *s, int rc, bool writing,
    struct cimd_error *err);

/* Note a problem in words; writing is tried again later. */
void store_note(struct store *s, const char *problem);

/* ---- store_outdated.c: records on disk that must not be read any more */

/* Room for max of them.  False: no memory. */
bool outdated_init(struct outdated *o, uint32_t max);
void outdated_clear(struct outdated *o);

/* A change of this record was not written.  With the lock of writer. */
void store_outdate(struct store *s, struct span client_id);

/* May the record on disk not be read? */
bool store_is_outdated(struct store *s, struct span client_id);

/* In a change: delete what is outdated.  An SQLite code. */
int store_apply_outdated(struct store *s);

/* After that change: nothing is outdated any more. */
void store_forget_outdated(struct store *s);

/* ---- store_clients.c: int is an SQLite code; in a change ---- */

/* A row of client. */
struct client_row {
	int64_t id; /* 0: none */
	bool fresh; /* store_find_or_add() made it */
	bool kept;
	bool approved; /* a record, by an administrator */
	enum governance governance;
	int64_t baselines;
};

int store_find(struct db *db, struct span client_id, struct client_row *out);

/* The row of a client; made if there is none. */
int store_find_or_add(struct store *s, struct span client_id, bool kept,
    int64_t now, struct client_row *out);

/* A statement whose only parameter is the row of a client. */
int store_run_on(struct store *s, enum sql sql, int64_t client);

/* Delete the document of a client. */
int store_drop_document(struct store *s, int64_t client);

/* Evict what is too much in a segment, but not row keep. */
int store_evict(struct store *s, bool kept, int64_t keep);

/* ---- store_govern.c ---- */

/* In a change: forget the jti that nobody can use any more. */
int store_expire_jti(struct store *s, int64_t now);

/* ---- store_sum.c ---- */

/* Words of a row on their way to a checksum. */
struct sum {
	uint8_t bytes[16 * 8];
	size_t n;
};

void sum_span(struct sum *sum, struct span s);
void sum_int(struct sum *sum, int64_t n);
int64_t sum_end(const struct sum *sum);

/* The sums of a row of client, of baseline and of document. */
int64_t sum_governance(struct span client_id, enum governance governance,
    struct span approved, int64_t baselines);
int64_t sum_baseline(struct span client_id, struct span tenant,
    struct span record);
int64_t sum_document(const struct entry *e, struct span live);

#endif /* STORE_INT_H */
