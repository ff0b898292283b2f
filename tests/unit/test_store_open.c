/*
 * test_store_open.c - directory, lock, schema, damaged rows
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"
#include "store_int.h"

/* Open the directory of a closed box; it must fail with this text. */
static void
assert_refused(const struct box *b, const char *text)
{
	struct cimd_error err = { 0 };
	struct store *s = NULL;

	assert_int_equal(store_open(b->dir, &b->limits, &s, &err),
	    CIMD_E_STORE);
	assert_null(s);
	assert_int_equal(err.code, CIMD_E_STORE);
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static mode_t
mode_of(const struct box *b, const char *name)
{
	struct stat st;

	assert_int_equal(stat(box_file(b, name), &st), 0);
	return st.st_mode & 07777;
}

static void
files_are_private(void **state)
{
	static const char *const names[] = { "cimd.db", "cimd.db-wal",
		"cimd.db-shm", "cimd.lock" };
	mode_t mask = umask(0);
	struct box b;
	size_t i;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	for (i = 0; i < 4; i++)
		assert_int_equal(mode_of(&b, names[i]), 0640);
	box_close(&b);
	assert_int_equal(umask(mask), 0);
}

static void
bad_directories_are_refused(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	store_close(&b.s);
	assert_int_equal(chmod(b.dir, 01777), 0);
	assert_refused(&b, "everybody may write to it");
	assert_int_equal(chmod(b.dir, 0700), 0);
	assert_int_equal(chmod(box_file(&b, "cimd.db"), 0666), 0);
	assert_refused(&b, "everybody may write to cimd.db");
	assert_int_equal(unlink(box_file(&b, "cimd.db")), 0);
	assert_int_equal(symlink("/etc/passwd", box_file(&b, "cimd.db")), 0);
	assert_refused(&b, "cimd.db is no regular file");
	assert_int_equal(unlink(box_file(&b, "cimd.db")), 0);
	assert_int_equal(unlink(box_file(&b, "cimd.lock")), 0);
	assert_int_equal(symlink("/etc/passwd", box_file(&b, "cimd.lock")), 0);
	assert_refused(&b, "cimd.lock: ");
	box_close(&b);
	assert_refused(&b, "cannot be opened: No such file or directory");
}

/* The owner is checked only where a test may give files away. */
static void
files_of_others_are_refused(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	store_close(&b.s);
	if (chown(b.dir, 12345, (gid_t)-1) == 0) {
		assert_refused(&b, "it belongs to user 12345");
		assert_int_equal(chown(b.dir, geteuid(), (gid_t)-1), 0);
		assert_int_equal(chown(box_file(&b, "cimd.db"), 12345,
				     (gid_t)-1),
		    0);
		assert_refused(&b, "cimd.db belongs to user 12345");
	} else {
		assert_int_equal(errno, EPERM);
	}
	box_close(&b);
}

static void
one_writer_at_a_time(void **state)
{
	char text[64];
	struct box b;

	(void)state;
	box_open(&b, NULL);
	(void)snprintf(text, sizeof(text), "is in use by process %ld",
	    (long)getpid());
	assert_refused(&b, text);
	assert_true(store_audit(b.s, 0, "{}", NULL) == CIMD_OK);
	store_close(&b.s);
	box_reopen(&b);
	box_close(&b);
}

/* The lock goes with its holder, and does not pass on to what he starts. */
static void
lock_dies_with_its_holder(void **state)
{
	struct box b;
	int status;
	pid_t pid;

	(void)state;
	box_open(&b, NULL);
	assert_true(fcntl(b.s->lock_fd, F_GETFD) & FD_CLOEXEC);
	store_close(&b.s);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		if (store_open(b.dir, &b.limits, &b.s, NULL) != CIMD_OK)
			_exit(1);
		_exit(0); /* without store_close() */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	box_reopen(&b);
	box_close(&b);
}

static void
schema_has_its_marks(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	store_close(&b.s);
	assert_int_equal(box_number(&b, "PRAGMA application_id"), 0x43494d44);
	assert_int_equal(box_number(&b, "PRAGMA user_version"),
	    store_schema_newest());
	assert_int_equal(box_number(&b,
			     "SELECT count(*) FROM pragma_table_list"
			     " WHERE type = 'table' AND NOT strict"
			     " AND name NOT LIKE 'sqlite_%'"),
	    0);
	assert_int_equal(box_number(&b,
			     "SELECT journal_mode = 'wal'"
			     " FROM pragma_journal_mode"),
	    1);
	box_close(&b);
}

/* Of the blocked client below, as version 1 computed it. */
#define SUM_OF_BLOCK 541459381224049915

/* From every version to the newest, with what was in the file. */
static void
old_versions_are_migrated(void **state)
{
	struct cimd_error err = { 0 };
	struct db db = { .h = NULL };
	struct entry *e;
	struct box b;
	char sql[300];
	int version;

	(void)state;
	for (version = 1; version <= store_schema_newest(); version++) {
		box_open(&b, NULL);
		store_close(&b.s);
		assert_int_equal(unlink(box_file(&b, "cimd.db")), 0);
		assert_int_equal(db_open(&db, box_file(&b, "cimd.db"),
				     SQLITE_OPEN_READWRITE |
					 SQLITE_OPEN_CREATE),
		    0);
		assert_int_equal(store_migrate(&db, version, &err), 0);
		db_close(&db);
		assert_int_equal(box_number(&b, "PRAGMA user_version"),
		    version);
		box_sql(&b,
		    "INSERT INTO jti (hash, keep_until) VALUES "
		    "(x'00', 77)");
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO client (client_id, short_id, kept, governance,"
		    " first_seen, last_seen, active, size, sum) VALUES"
		    " ('https://a.example/c', 'x', 1, %d, 1, 1, 0, 0, %lld)",
		    GOVERN_BLOCKED, (long long)SUM_OF_BLOCK);
		box_sql(&b, sql);
		box_reopen(&b);
		e = box_read(&b, "https://a.example/c");
		assert_int_equal(e->governance, GOVERN_BLOCKED);
		entry_free(&e);
		assert_int_equal(store_audit(b.s, 0, "{}", NULL), CIMD_OK);
		assert_int_equal(box_number(&b, "SELECT keep_until FROM jti"),
		    77);
		assert_int_equal(box_number(&b, "PRAGMA user_version"),
		    store_schema_newest());
		box_close(&b);
	}
}

/* A newer schema is read as far as it can be, and not written. */
static void
newer_schema_is_only_read(void **state)
{
	struct cimd_error err = { 0 };
	char buf[200], text[200];
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	store_close(&b.s);
	box_sql(&b, "PRAGMA user_version = 99");
	box_reopen(&b);
	(void)snprintf(text, sizeof(text),
	    "schema 99 is newer than %d, the newest known here",
	    store_schema_newest());
	assert_string_equal(store_problem(b.s, buf, sizeof(buf)), text);
	assert_true(box_has(&b, "https://a.example/c", 10));
	assert_null(box_read(&b, "https://b.example/c"));
	assert_int_equal(store_govern(b.s, span_of("https://a.example/c"),
			     GOVERN_BLOCKED, NULL, 0, &err),
	    CIMD_E_STORE);
	assert_non_null(strstr(err.text, text));
	b.s->retry_at_ms = 0;
	assert_int_equal(store_use_jti(b.s, span_of("i"), "1", 9, 1, &err),
	    CIMD_E_STORE);
	assert_string_equal(err.text, text);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM jti"), 0);
	assert_refused(&b, "is in use by process");
	store_close(&b.s);
	box_sql(&b, "ALTER TABLE client RENAME TO customer");
	assert_refused(&b, text);
	box_close(&b);
}

static void
foreign_files_are_refused(void **state)
{
	struct box b;
	FILE *f;

	(void)state;
	box_open(&b, NULL);
	store_close(&b.s);
	assert_int_equal(unlink(box_file(&b, "cimd.db")), 0);
	box_sql(&b, "CREATE TABLE t (a)");
	assert_refused(&b, "belongs to another program");
	box_sql(&b, "PRAGMA user_version = 1");
	assert_refused(&b, "belongs to another program");
	assert_int_equal(box_number(&b, "SELECT count(*) FROM sqlite_schema"),
	    1);
	f = fopen(box_file(&b, "cimd.db"), "w");
	assert_non_null(f);
	assert_true(fprintf(f, "%01000d", 0) == 1000);
	assert_int_equal(fclose(f), 0);
	assert_refused(&b, "the file is damaged");
	box_close(&b);
}

/* SQLite would begin a new database in each of these, without a block. */
static void
lost_files_are_refused(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	store_close(&b.s);
	assert_int_equal(truncate(box_file(&b, "cimd.db"), 0), 0);
	assert_refused(&b, "cimd.db is empty, but there was a store");
	assert_int_equal(unlink(box_file(&b, "cimd.db")), 0);
	assert_refused(&b,
	    "cimd.db is gone, but there was a store: restore it"
	    ", or remove cimd.lock too");
	assert_int_equal(access(box_file(&b, "cimd.db"), F_OK), -1);
	assert_int_equal(unlink(box_file(&b, "cimd.lock")), 0);
	box_reopen(&b);
	box_close(&b);
}

/* It died, or the disk was full, between the file and its tables. */
static void
unfinished_files_are_finished(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	store_close(&b.s);
	assert_int_equal(truncate(box_file(&b, "cimd.db"), 0), 0);
	assert_int_equal(truncate(box_file(&b, "cimd.lock"), 12), 0);
	box_reopen(&b);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	box_reopen(&b);
	assert_true(box_has(&b, "https://a.example/c", 10));
	box_close(&b);
}

/* Change one column of the only client; is its record still handed out? */
static bool
survives(struct box *b, const char *sql)
{
	struct store_figures f;
	bool has;

	box_put(b, "https://a.example/c", true, 10, BOX_NOW);
	assert_true(box_has(b, "https://a.example/c", 10));
	box_sql(b, sql);
	has = box_has(b, "https://a.example/c", 10);
	assert_int_equal(store_figures(b->s, &f, NULL), CIMD_OK);
	assert_true(has || f.damaged > 0);
	return has;
}

static void
damaged_records_are_not_read(void **state)
{
	struct entry *e;
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_true(survives(&b, "UPDATE client SET last_seen = 7"));
	assert_false(survives(&b,
	    "UPDATE document SET expires_at = expires_at + (1 << 40)"));
	assert_false(survives(&b, "UPDATE document SET fetched_at = 0"));
	assert_false(survives(&b, "UPDATE document SET refresh_at = 0"));
	assert_false(survives(&b, "UPDATE document SET floor_only = 1"));
	assert_false(survives(&b, "UPDATE document SET etag = ''"));
	assert_false(survives(&b,
	    "UPDATE document SET last_modified = hex(zeroblob(100))"));
	assert_false(survives(&b, "UPDATE document SET sum = sum + 1"));
	assert_false(survives(&b, "UPDATE document SET live = x'00'"));
	e = box_read(&b, "https://a.example/c");
	assert_null(e->live);
	assert_string_equal(e->etag, "");
	assert_string_equal(e->last_modified, "");
	assert_int_equal(e->freshness.expires_at, 0);
	entry_free(&e);
	box_close(&b);
}

/* A record of another client is none of this one. */
static void
swapped_records_are_not_read(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	box_put(&b, "https://b.example/c", true, 20, BOX_NOW);
	box_sql(&b,
	    "UPDATE document SET client = 9 WHERE client = 1;"
	    "UPDATE document SET client = 1 WHERE client = 2;"
	    "UPDATE document SET client = 2 WHERE client = 9");
	assert_false(box_has(&b, "https://a.example/c", 20));
	assert_false(box_has(&b, "https://b.example/c", 10));
	box_close(&b);
}

/* An administrator's word that is damaged refuses. */
static void
damaged_word_fails(void **state)
{
	const char url[] = "https://a.example/c";
	static const char *const damage[] = {
		"UPDATE client SET governance = 0",
		"UPDATE client SET governance = 1",
		"UPDATE client SET governance = 77",
		"UPDATE client SET approved = x'00'",
		"UPDATE client SET sum = sum + 1",
	};
	struct cimd_error err = { 0 };
	struct entry *e = NULL;
	struct box b;
	size_t i;

	(void)state;
	box_open(&b, NULL);
	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		assert_int_equal(store_govern(b.s, span_of(url), GOVERN_BLOCKED,
				     NULL, 0, NULL),
		    CIMD_OK);
		e = box_read(&b, url);
		entry_free(&e);
		box_sql(&b, damage[i]);
		assert_int_equal(store_read(b.s, span_of(url), &e, &err),
		    CIMD_E_STORE);
		assert_null(e);
		assert_string_equal(err.text,
		    "cimd.db: what is stored about "
		    "this client is damaged");
	}
	box_close(&b);
}

/* Change a name in every leaf page of an index (their first byte is 10). */
static void
spoil_indexes(const struct box *b, const char *name)
{
	static char page[4096];
	FILE *f = fopen(box_file(b, "cimd.db"), "r+");
	unsigned int changed = 0;
	long at;
	char *found;

	assert_non_null(f);
	for (at = 0; fread(page, sizeof(page), 1, f) == 1;
	     at += (long)sizeof(page)) {
		found = page[0] == 10 ?
		    memmem(page, sizeof(page), name, strlen(name)) :
		    NULL;
		if (found == NULL)
			continue;
		assert_int_equal(fseek(f, at + (found - page), SEEK_SET), 0);
		assert_int_equal(fputc('X', f), 'X');
		assert_int_equal(fseek(f, at + (long)sizeof(page), SEEK_SET),
		    0);
		changed++;
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(changed, 1);
}

/* An index that has lost a client: nobody is unknown any more. */
static void
damaged_index_fails(void **state)
{
	struct cimd_error err = { 0 };
	struct entry *e = NULL;
	char buf[100];
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	assert_int_equal(store_govern(b.s, span_of("https://b.example/c"),
			     GOVERN_BLOCKED, NULL, 0, NULL),
	    CIMD_OK);
	store_close(&b.s);
	spoil_indexes(&b, "https://b.example/c");
	box_reopen(&b);
	assert_string_equal(store_problem(b.s, buf, sizeof(buf)),
	    "the file is damaged");
	assert_true(box_has(&b, "https://a.example/c", 10));
	assert_int_equal(store_read(b.s, span_of("https://b.example/c"), &e,
			     &err),
	    CIMD_E_STORE);
	assert_int_equal(store_read(b.s, span_of("https://c.example/c"), &e,
			     &err),
	    CIMD_E_STORE);
	assert_non_null(strstr(err.text, "is unknown"));
	b.s->retry_at_ms = 0;
	assert_int_equal(store_audit(b.s, 0, "{}", &err), CIMD_E_STORE);
	assert_string_equal(err.text,
	    "nothing is written: the file is damaged");
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_private),
		cmocka_unit_test(bad_directories_are_refused),
		cmocka_unit_test(files_of_others_are_refused),
		cmocka_unit_test(one_writer_at_a_time),
		cmocka_unit_test(lock_dies_with_its_holder),
		cmocka_unit_test(schema_has_its_marks),
		cmocka_unit_test(old_versions_are_migrated),
		cmocka_unit_test(newer_schema_is_only_read),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(lost_files_are_refused),
		cmocka_unit_test(unfinished_files_are_finished),
		cmocka_unit_test(damaged_records_are_not_read),
		cmocka_unit_test(swapped_records_are_not_read),
		cmocka_unit_test(damaged_word_fails),
		cmocka_unit_test(damaged_index_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
