/*
 * store_schema.c - the tables, version by version
 * SPDX-License-Identifier: Apache-2.0
 */

#include <assert.h>
#include <stdio.h>

#include "store_int.h"

/*
 * Each step leads from one version to the next and is never changed once it
 * was released.  PRAGMA user_version holds the number of steps taken.
 */
static const char *const steps[] = {
	/* 1: clients and an administrator's word, documents, activity, jti */
	"PRAGMA application_id = 1128877380;"
	"CREATE TABLE client ("
	" id INTEGER PRIMARY KEY,"
	" client_id TEXT NOT NULL UNIQUE,"
	" short_id TEXT NOT NULL UNIQUE,"
	" kept INTEGER NOT NULL,"
	" governance INTEGER NOT NULL,"
	" governed_at INTEGER,"
	" first_seen INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" active INTEGER NOT NULL,"
	" size INTEGER NOT NULL,"
	" sum INTEGER NOT NULL,"
	" approved BLOB"
	") STRICT;"
	"CREATE INDEX client_by_use ON client"
	" (governance, kept, active, last_seen, size);"
	"CREATE TABLE document ("
	" client INTEGER PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,"
	" fetched_at INTEGER NOT NULL,"
	" refresh_at INTEGER NOT NULL,"
	" expires_at INTEGER NOT NULL,"
	" floor_only INTEGER NOT NULL,"
	" etag TEXT NOT NULL,"
	" last_modified TEXT NOT NULL,"
	" sum INTEGER NOT NULL,"
	" live BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE activity ("
	" client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,"
	" consumer TEXT NOT NULL,"
	" lookups INTEGER NOT NULL,"
	" refused INTEGER NOT NULL,"
	" first_seen INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" PRIMARY KEY (client, consumer)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE jti ("
	" hash BLOB PRIMARY KEY,"
	" keep_until INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX jti_by_time ON jti (keep_until);",

	/* 2: the audit tail; total counts the bytes of all lines so far */
	"CREATE TABLE audit ("
	" seq INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL,"
	" total INTEGER NOT NULL,"
	" line TEXT NOT NULL"
	") STRICT;",

	/* 3: the first record of each tenant, and how many there are */
	"ALTER TABLE client ADD COLUMN baselines INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE baseline ("
	" client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,"
	" tenant TEXT NOT NULL,"
	" sum INTEGER NOT NULL,"
	" record BLOB NOT NULL,"
	" PRIMARY KEY (client, tenant)"
	") STRICT;",

	/* 4: how many jti each client has used up; those of before: nobody */
	"ALTER TABLE jti ADD COLUMN issuer BLOB NOT NULL DEFAULT x'';"
	"CREATE TABLE issuer ("
	" hash BLOB PRIMARY KEY,"
	" used INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;",
};

int
store_schema_newest(void)
{
	return (int)(sizeof(steps) / sizeof(steps[0]));
}

/* One step and its number, or neither. */
static int
take_step(struct db *db, int version)
{
	char set[64];
	int rc;

	assert(version >= 0 && version < store_schema_newest());
	(void)snprintf(set, sizeof(set), "PRAGMA user_version = %d",
	    version + 1);
	rc = db_exec(db, "BEGIN IMMEDIATE");
	if (rc != SQLITE_OK)
		return rc;
	rc = db_exec(db, steps[version]);
	if (rc == SQLITE_OK)
		rc = db_exec(db, set);
	if (rc == SQLITE_OK)
		rc = db_exec(db, "COMMIT");
	if (rc != SQLITE_OK)
		(void)db_exec(db, "ROLLBACK");
	return rc;
}

/* Whose file is it, and of which version?  0: it is empty. */
static int
identify(struct db *db, int64_t *version, struct cimd_error *err)
{
	int64_t application, tables;
	int rc;

	rc = db_number(db, "PRAGMA user_version", version);
	if (rc == SQLITE_OK)
		rc = db_number(db, "PRAGMA application_id", &application);
	if (rc == SQLITE_OK)
		rc = db_number(db, "SELECT count(*) FROM sqlite_schema",
		    &tables);
	if (rc != SQLITE_OK)
		return rc;
	if (tables == 0 && application == 0 && *version == 0)
		return SQLITE_OK;
	if (application == STORE_APPLICATION_ID && *version > 0)
		return SQLITE_OK;
	(void)err_set(err, CIMD_E_STORE, "",
	    "the file belongs to another program or is damaged");
	return SQLITE_NOTADB;
}

int
store_migrate(struct db *db, int to, struct cimd_error *err)
{
	int64_t version;
	int rc;

	rc = identify(db, &version, err);
	if (rc != SQLITE_OK)
		return rc;
	if (version > to) {
		(void)err_set(err, CIMD_E_STORE, "",
		    "schema %lld is newer than %d, the newest known here",
		    (long long)version, to);
		return SQLITE_READONLY;
	}
	/* In memory this changes nothing. */
	rc = db_exec(db,
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA journal_size_limit = 1048576;"
	    "PRAGMA wal_autocheckpoint = 256;"
	    "PRAGMA synchronous = NORMAL;");
	while (rc == SQLITE_OK && version < to)
		rc = take_step(db, (int)version++);
	return rc;
}
