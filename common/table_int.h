/*
 * table_int.h - what the files of the table share
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 3.  table.c keeps entries and conclusions, table_count.c counts who
 * asked for them.
 */

#ifndef TABLE_INT_H
#define TABLE_INT_H

#include <pthread.h>
#include <stdalign.h>

#include "table.h"
#include "tagmap.h"

enum {
	SHARDS = 16,
	PROBATION = 0,
	KEPT = 1,
	ASIDE = 2, /* counts without an entry */
	PARTS = 3
};

/* What was counted for one client and one consumer; in a list by client. */
struct cell {
	alignas(32) uint32_t next;
	uint32_t consumer;
	uint64_t lookups, refused;
	int64_t last_seen;
};

/* One client; one cache line, for a lookup waits for each that it touches. */
struct slot {
	alignas(64) struct entry *entry; /* NULL in the part aside */
	struct conclusion *concluded;    /* about it; NULL: nothing yet */
	char *client_id; /* of concluded, else of entry, else its own */
	int64_t used;    /* when it was made the newest */
	uint32_t len;
	uint32_t cells;
	size_t bytes; /* of the entry's records */
	bool stranger;
};

struct part {
	struct tagmap map;
	struct slot *slot;
	size_t bytes, max_bytes;
};

struct shard {
	pthread_mutex_t lock;
	uint64_t generation;
	struct part part[PARTS];
	uint32_t strangers, max_strangers;
	struct cell *cell;
	uint32_t n_cells, fresh, freed; /* as in a tagmap */
};

struct table {
	uint8_t key[16];
	uint32_t n_shards;
	uint32_t n_ready; /* shards that were made */
	struct shard shard[SHARDS];
};

/* table.c */

/* The shard of a client, locked, and its tag. */
struct shard *shard_enter(struct table *t, struct span client_id,
    struct tag *tag);
void shard_leave(struct shard *s);

/* The slot of a client in one part, and its number; NULL: it has none. */
struct slot *part_find(const struct part *p, struct tag tag,
    struct span client_id, uint32_t *slot);

/* Take a slot out of its part; its cells go to *cells. */
void part_remove(struct part *p, uint32_t i, uint32_t *cells);

/* table_count.c */

/* Count one lookup or refusal; only consumers below TABLE_CONSUMERS. */
void shard_count(struct shard *s, struct slot *slot, uint32_t consumer,
    int64_t now, bool refused);

/* Keep the cells of a client that the table does not have any more. */
void shard_put_aside(struct shard *s, struct tag tag, struct span client_id,
    uint32_t *cells);

#endif /* TABLE_INT_H */
