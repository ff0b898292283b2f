/*
 * box.c - a store in a directory of its own, and entries to put into it
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "box.h"

void
box_open(struct box *b, const struct store_limits *limits)
{
	const struct store_limits hundred = { 100, 100, 100, 100 };

	memset(b, 0, sizeof(*b));
	b->limits = limits != NULL ? *limits : hundred;
	(void)snprintf(b->dir, sizeof(b->dir), "box-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	box_reopen(b);
}

void
box_reopen(struct box *b)
{
	struct cimd_error err = { 0 };

	store_close(&b->s);
	if (store_open(b->dir, &b->limits, &b->s, &err) != CIMD_OK)
		fail_msg("%s", err.text);
}

void
box_close(struct box *b)
{
	static const char *const names[] = { "cimd.db", "cimd.db-wal",
		"cimd.db-shm", "cimd.lock" };
	size_t i;

	store_close(&b->s);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(box_file(b, names[i]));
	assert_int_equal(rmdir(b->dir), 0);
}

const char *
box_file(const struct box *b, const char *name)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static sqlite3 *
open_file(const struct box *b)
{
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open(box_file(b, "cimd.db"), &h), SQLITE_OK);
	return h;
}

void
box_sql(const struct box *b, const char *sql)
{
	sqlite3 *h = open_file(b);
	char *why = NULL;

	if (sqlite3_exec(h, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

int64_t
box_number(const struct box *b, const char *sql)
{
	sqlite3 *h = open_file(b);
	sqlite3_stmt *stmt = NULL;
	int64_t n;

	if (sqlite3_prepare_v2(h, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(h));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	return n;
}

struct cimd_client *
box_record(const char *client_id, size_t name_len)
{
	struct client_fields *f = calloc(1, sizeof(*f));
	char *name = malloc(name_len + 1);
	struct cimd_client *c = NULL;

	assert_non_null(f);
	assert_non_null(name);
	memset(name, 'n', name_len);
	f->text[CLIENT_ID] = span_of(client_id);
	f->text[CLIENT_NAME] = (struct span){ name, name_len };
	f->methods = METHOD_NONE;
	f->grants = GRANT_AUTHORIZATION_CODE;
	assert_int_equal(client_build(f, &c, NULL), CIMD_OK);
	free(name);
	free(f);
	return c;
}

struct entry *
box_entry(const char *client_id, bool kept, size_t name_len)
{
	struct entry *e = entry_new(span_of(client_id));

	assert_non_null(e);
	e->live = box_record(client_id, name_len);
	e->kept = kept;
	e->freshness.fetched_at = BOX_NOW;
	e->freshness.refresh_at = BOX_NOW + 2880;
	e->freshness.expires_at = BOX_NOW + 3600;
	(void)snprintf(e->etag, sizeof(e->etag), "\"%zu\"", name_len);
	(void)snprintf(e->last_modified, sizeof(e->last_modified),
	    "Mon, 23 Nov 2026 09:01:27 GMT");
	return e;
}

void
box_put(struct box *b, const char *client_id, bool kept, size_t name_len,
    int64_t now)
{
	struct entry *e = box_entry(client_id, kept, name_len);
	struct cimd_error err = { 0 };

	if (store_put(b->s, e, now, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	entry_free(&e);
}

struct entry *
box_read(struct box *b, const char *client_id)
{
	struct cimd_error err = { 0 };
	struct entry *e = NULL;

	if (store_read(b->s, span_of(client_id), &e, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	if (e != NULL)
		assert_string_equal(e->client_id, client_id);
	return e;
}

bool
box_has(struct box *b, const char *client_id, size_t name_len)
{
	struct entry *e = box_read(b, client_id);
	const char *name;
	bool has = false;

	if (e != NULL && e->live != NULL) {
		name = cimd_client_get(e->live, "client_name");
		has = name != NULL && strlen(name) == name_len;
	}
	entry_free(&e);
	return has;
}

const char *
box_url(uint32_t i)
{
	static char url[2][64];
	static unsigned int turn;

	turn = 1 - turn;
	(void)snprintf(url[turn], sizeof(url[turn]), "https://h%u.example/c",
	    i);
	return url[turn];
}
