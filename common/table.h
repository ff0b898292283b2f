/*
 * table.h - bounded table of entries in memory, in front of the store
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 3; in: URL; out: entry; touches nothing.  Any thread may call.
 * Keyed with SipHash under a random key, since attackers choose the keys.
 */

#ifndef TABLE_H
#define TABLE_H

#include "entry.h"

struct table;

/* capacity: entries at most; evicts what was used least recently. */
struct table *table_new(uint32_t capacity);
void table_free(struct table **t);

/*
 * The entry of client_id with one more reference, or NULL.  Counts one
 * lookup for consumer (an index below TABLE_CONSUMERS) at now when found.
 */
enum {
	TABLE_CONSUMERS = 32
};
struct entry *table_get(struct table *t, struct span client_id,
    uint32_t consumer, int64_t now);

/*
 * Take what the store said.  The generation that table_generation() gave
 * before the store was read must still hold, else nothing is kept, so that
 * an entry from before a change never outlives it.  Takes its own reference.
 */
uint64_t table_generation(struct table *t, struct span client_id);
void table_put(struct table *t, struct entry *e, uint64_t generation);

/* Drop client_id and move its generation on; after every store change. */
void table_drop(struct table *t, struct span client_id);

/* Drop everything. */
void table_clear(struct table *t);

/* Count a lookup or refusal of a client that is not in the table. */
void table_count(struct table *t, struct span client_id, uint32_t consumer,
    int64_t now, bool refused);

/* Hand out all counts since the last time and reset them. */
struct table_count {
	struct span client_id;
	uint32_t consumer;
	uint64_t lookups, refused;
	int64_t last_seen;
};
typedef void table_count_fn(void *ctx, const struct table_count *count);
void table_drain(struct table *t, table_count_fn *fn, void *ctx);

#endif /* TABLE_H */
