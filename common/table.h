/*
 * table.h - bounded table of entries in memory, in front of the store
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 3; in: URL; out: entry; touches nothing.  Any thread may call.
 * Keyed with SipHash under a random key, since attackers choose the keys.
 *
 * Entries in probation have a small part of their own, bounded in bytes too,
 * so that strangers can neither push kept clients out nor fill the memory.
 */

#ifndef TABLE_H
#define TABLE_H

#include "decision.h"

struct table;

enum {
	TABLE_CONSUMERS = 32,
	TABLE_STRANGERS = 1024,          /* counted, but in no table */
	TABLE_PROBATION_BYTES = 4194304, /* of all entries in probation */
	TABLE_KEPT_BYTES = 8192          /* of a kept entry, on average */
};

/*
 * capacity: kept entries, and an eighth of that for those in probation.
 * Each part evicts what was used least recently, to the second.  Above 1024 the
 * table has 16 shards with a quarter more room each, for they fill unevenly.
 * NULL: out of memory.
 */
struct table *table_new(uint32_t capacity);

/* Accepts NULL; sets *t to NULL.  Counts that were not drained are lost. */
void table_free(struct table **t);

/*
 * The entry of client_id with one more reference, or NULL.  Counts one
 * lookup for consumer (an index below TABLE_CONSUMERS; others are not
 * counted) at now when found.  Allocates nothing and holds one lock shortly.
 */
struct entry *table_get(struct table *t, struct span client_id,
    uint32_t consumer, int64_t now);

/* Who asks, as table_recall() has to know it. */
struct table_asker {
	const struct setup *setup;
	const struct consumer *consumer; /* of setup; may be NULL */
	uint32_t index;                  /* as in table_get() */
};

/*
 * What was concluded about client_id for that asker, with one more reference,
 * if it holds at now; else NULL.  Counts like table_get() when found.
 */
struct conclusion *table_recall(struct table *t, struct span client_id,
    const struct table_asker *asker, int64_t now);

/*
 * Keep c, the last one concluded, beside its entry.  Nothing is kept if the
 * table has another entry or none.  Takes its own reference.
 */
void table_remember(struct table *t, struct conclusion *c);

/* Drop all conclusions; the entries stay. */
void table_forget(struct table *t);

/*
 * Take what the store said.  The generation that table_generation() gave
 * before the store was read must still hold, else nothing is kept, so that
 * an entry from before a change never outlives it.  Takes its own reference.
 */
uint64_t table_generation(struct table *t, struct span client_id);
void table_put(struct table *t, struct entry *e, uint64_t generation);

/* Drop client_id and move its generation on; after every store change. */
void table_drop(struct table *t, struct span client_id);

/* Drop everything, and move all generations on. */
void table_clear(struct table *t);

/* Count a lookup or refusal, whether or not the table has the client. */
void table_count(struct table *t, struct span client_id, uint32_t consumer,
    int64_t now, bool refused);

/*
 * Hand out all counts since the last time and reset them; no lock is held
 * while fn runs, and count lives as long as the call.  Counts of dropped and
 * evicted entries are kept until then: of as many clients as the table has
 * room for, and of TABLE_STRANGERS that it never had.  Without memory the
 * counts stay where they are.
 */
struct table_count {
	struct span client_id;
	uint32_t consumer;
	uint64_t lookups, refused;
	int64_t last_seen;
};
typedef void table_count_fn(void *ctx, const struct table_count *count);
void table_drain(struct table *t, table_count_fn *fn, void *ctx);

#endif /* TABLE_H */
