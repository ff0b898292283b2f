/*
 * box.h - a store in a directory of its own, and entries to put into it
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef BOX_H
#define BOX_H

#include "store.h"

struct box {
	char dir[32];
	struct store_limits limits;
	struct store *s;
};

enum {
	BOX_NOW = 1800000000 /* the time of most tests */
};

/* A new directory with an open store; limits NULL: 100 of everything. */
void box_open(struct box *b, const struct store_limits *limits);

/* Close the store and open it again. */
void box_reopen(struct box *b);

/* Close the store and remove the directory. */
void box_close(struct box *b);

/* A file of the store: "cimd.db" and so on; good until the next call. */
const char *box_file(const struct box *b, const char *name);

/* Run SQL in the closed or open file, with SQLite's own means. */
void box_sql(const struct box *b, const char *sql);

/* The first number that SQL answers. */
int64_t box_number(const struct box *b, const char *sql);

/* A record of a client whose name has name_len letters. */
struct cimd_client *box_record(const char *client_id, size_t name_len);

/* An entry with such a record, fetched at BOX_NOW, fresh for an hour. */
struct entry *box_entry(const char *client_id, bool kept, size_t name_len);

/* Put such an entry; it must work. */
void box_put(struct box *b, const char *client_id, bool kept, size_t name_len,
    int64_t now);

/* What the store has; NULL: nothing.  It must be able to tell. */
struct entry *box_read(struct box *b, const char *client_id);

/* Does it have a live record with a name of this length? */
bool box_has(struct box *b, const char *client_id, size_t name_len);

/* "https://h<i>.example/c"; good until the next call but one. */
const char *box_url(uint32_t i);

#endif /* BOX_H */
