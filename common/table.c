/*
 * table.c - bounded table of entries in memory, in front of the store
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "table.h"
#include "tagmap.h"

enum {
	SHARDS = 16,
	SMALL = 1024, /* up to here one shard, which is exact */
	PROBATION = 0,
	KEPT = 1,
	ASIDE = 2, /* counts without an entry */
	PARTS = 3,
	CELLS = 3, /* consumers of a client, on average, between drains */
	BATCH = 32 /* counts that are handed out at once */
};

/* What was counted for one client and one consumer; in a list by client. */
struct cell {
	uint32_t next;
	uint32_t consumer;
	uint64_t lookups, refused;
	int64_t last_seen;
};

/* One client. */
struct slot {
	struct entry *entry; /* NULL in the part aside */
	char *client_id;     /* of the entry; owned in the part aside */
	size_t len;
	size_t bytes; /* of the entry's records */
	uint32_t cells;
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

static bool
part_init(struct part *p, uint32_t capacity, size_t max_bytes)
{
	p->max_bytes = max_bytes;
	p->slot = calloc(capacity + 1, sizeof(*p->slot));
	return p->slot != NULL && tagmap_init(&p->map, capacity);
}

static void
part_clear(struct part *p)
{
	uint32_t i;

	for (i = 0; p->slot != NULL && i < p->map.fresh; i++) {
		if (p->slot[i].entry == NULL)
			free(p->slot[i].client_id);
		entry_free(&p->slot[i].entry);
	}
	tagmap_clear(&p->map);
	free(p->slot);
	p->slot = NULL;
}

static void
shard_clear(struct shard *s)
{
	int i;

	for (i = 0; i < PARTS; i++)
		part_clear(&s->part[i]);
	free(s->cell);
}

/* kept: entries; the other parts follow from it. */
static bool
shard_init(struct shard *s, uint32_t kept, uint32_t n_shards)
{
	const uint32_t probation = kept / 8 + 1;
	const uint32_t aside = kept + probation + TABLE_STRANGERS / n_shards;

	s->max_strangers = TABLE_STRANGERS / n_shards;
	s->n_cells = CELLS * (kept + probation + aside);
	s->freed = TAGMAP_NONE;
	s->cell = calloc(s->n_cells, sizeof(*s->cell));
	if (s->cell != NULL &&
	    part_init(&s->part[PROBATION], probation,
		TABLE_PROBATION_BYTES / n_shards) &&
	    part_init(&s->part[KEPT], kept, (size_t)kept * TABLE_KEPT_BYTES) &&
	    part_init(&s->part[ASIDE], aside, 0) &&
	    pthread_mutex_init(&s->lock, NULL) == 0)
		return true;
	shard_clear(s);
	return false;
}

struct table *
table_new(uint32_t capacity)
{
	struct table *t;
	uint32_t kept = capacity;

	if (capacity > UINT32_C(1) << 24 || (t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	clock_random(t->key, sizeof(t->key));
	t->n_shards = 1;
	if (capacity > SMALL) {
		t->n_shards = SHARDS;
		kept = capacity / SHARDS + capacity / (4 * SHARDS) + 1;
	}
	while (t->n_ready < t->n_shards) {
		if (!shard_init(&t->shard[t->n_ready], kept, t->n_shards)) {
			table_free(&t);
			return NULL;
		}
		t->n_ready++;
	}
	return t;
}

void
table_free(struct table **t)
{
	if (*t == NULL)
		return;
	while ((*t)->n_ready > 0) {
		struct shard *s = &(*t)->shard[--(*t)->n_ready];

		(void)pthread_mutex_destroy(&s->lock);
		shard_clear(s);
	}
	free(*t);
	*t = NULL;
}

/* The shard of a client, locked. */
static struct shard *
enter(struct table *t, struct span client_id, struct tag *tag)
{
	struct shard *s;

	*tag = siphash_tag(t->key, client_id.p, client_id.n);
	s = &t->shard[tag->b % t->n_shards];
	(void)pthread_mutex_lock(&s->lock);
	return s;
}

static void
leave(struct shard *s)
{
	(void)pthread_mutex_unlock(&s->lock);
}

/* The slot of a client in one part; NULL: it has none. */
static struct slot *
find(const struct part *p, struct tag tag, struct span client_id,
    uint32_t *slot)
{
	struct slot *c;

	*slot = tagmap_find(&p->map, tag);
	if (*slot == TAGMAP_NONE)
		return NULL;
	c = &p->slot[*slot];
	if (c->len != client_id.n ||
	    memcmp(c->client_id, client_id.p, client_id.n) != 0)
		return NULL;
	return c;
}

/* The cell of a consumer in the list at *head; made if there is room. */
static struct cell *
get_cell(struct shard *s, uint32_t *head, uint32_t consumer)
{
	struct cell *c;
	uint32_t i;

	for (i = *head; i != TAGMAP_NONE; i = s->cell[i].next)
		if (s->cell[i].consumer == consumer)
			return &s->cell[i];
	if (s->freed != TAGMAP_NONE) {
		i = s->freed;
		s->freed = s->cell[i].next;
	} else if (s->fresh < s->n_cells) {
		i = s->fresh++;
	} else {
		return NULL;
	}
	c = &s->cell[i];
	memset(c, 0, sizeof(*c));
	c->next = *head;
	c->consumer = consumer;
	*head = i;
	return c;
}

static void
count(struct shard *s, struct slot *slot, uint32_t consumer, int64_t now,
    bool refused)
{
	struct cell *c;

	if (consumer >= TABLE_CONSUMERS)
		return;
	if ((c = get_cell(s, &slot->cells, consumer)) == NULL)
		return;
	c->lookups += !refused;
	c->refused += refused;
	if (now > c->last_seen)
		c->last_seen = now;
}

/* Give the cells of a list back. */
static void
free_cells(struct shard *s, uint32_t *head)
{
	uint32_t next;

	for (; *head != TAGMAP_NONE; *head = next) {
		next = s->cell[*head].next;
		s->cell[*head].next = s->freed;
		s->freed = *head;
	}
}

/* A slot aside for a client that has none; NULL: no room or no memory. */
static struct slot *
new_aside(struct shard *s, struct tag tag, struct span client_id)
{
	struct part *p = &s->part[ASIDE];
	struct slot *slot;
	char *copy;

	if (p->map.used == p->map.capacity ||
	    (copy = malloc(client_id.n + 1)) == NULL)
		return NULL;
	if (client_id.n > 0)
		memcpy(copy, client_id.p, client_id.n);
	slot = &p->slot[tagmap_add(&p->map, tag)];
	memset(slot, 0, sizeof(*slot));
	slot->client_id = copy;
	slot->len = client_id.n;
	slot->cells = TAGMAP_NONE;
	return slot;
}

/* Keep the cells of a client that the table does not have any more. */
static void
put_aside(struct shard *s, struct tag tag, struct span client_id,
    uint32_t *cells)
{
	struct slot *slot;
	struct cell *to;
	uint32_t i;

	if (*cells == TAGMAP_NONE)
		return;
	slot = find(&s->part[ASIDE], tag, client_id, &i);
	if (slot == NULL && (slot = new_aside(s, tag, client_id)) != NULL) {
		slot->cells = *cells;
		*cells = TAGMAP_NONE;
	}
	for (i = *cells; slot != NULL && i != TAGMAP_NONE;
	     i = s->cell[i].next) {
		to = get_cell(s, &slot->cells, s->cell[i].consumer);
		if (to == NULL)
			continue;
		to->lookups += s->cell[i].lookups;
		to->refused += s->cell[i].refused;
		if (s->cell[i].last_seen > to->last_seen)
			to->last_seen = s->cell[i].last_seen;
	}
	free_cells(s, cells);
}

/* Take a slot out of its part; its cells go to *cells. */
static void
remove_slot(struct part *p, uint32_t i, uint32_t *cells)
{
	*cells = p->slot[i].cells;
	p->bytes -= p->slot[i].bytes;
	entry_free(&p->slot[i].entry);
	p->slot[i].client_id = NULL;
	tagmap_remove(&p->map, i);
}

/* Evict one entry; its counts stay. */
static void
evict(struct shard *s, struct part *p, uint32_t i)
{
	const struct tag tag = p->map.node[i].tag;
	struct entry *e = entry_ref(p->slot[i].entry);
	const struct span client_id = { e->client_id, p->slot[i].len };
	uint32_t cells;

	remove_slot(p, i, &cells);
	put_aside(s, tag, client_id, &cells);
	entry_free(&e);
}

struct entry *
table_get(struct table *t, struct span client_id, uint32_t consumer,
    int64_t now)
{
	struct entry *e = NULL;
	struct slot *slot;
	struct shard *s;
	struct tag tag;
	uint32_t i;
	int part;

	s = enter(t, client_id, &tag);
	for (part = KEPT; part >= PROBATION; part--) {
		slot = find(&s->part[part], tag, client_id, &i);
		if (slot == NULL)
			continue;
		tagmap_touch(&s->part[part].map, i);
		count(s, slot, consumer, now, false);
		e = entry_ref(slot->entry);
		break;
	}
	leave(s);
	return e;
}

uint64_t
table_generation(struct table *t, struct span client_id)
{
	uint64_t generation;
	struct shard *s;
	struct tag tag;

	s = enter(t, client_id, &tag);
	generation = s->generation;
	leave(s);
	return generation;
}

void
table_put(struct table *t, struct entry *e, uint64_t generation)
{
	const struct span client_id = span_of(e->client_id);
	const size_t bytes = entry_bytes(e);
	uint32_t i, cells = TAGMAP_NONE;
	struct part *p, *other;
	struct slot *slot;
	struct shard *s;
	struct tag tag;

	s = enter(t, client_id, &tag);
	p = &s->part[e->kept ? KEPT : PROBATION];
	other = &s->part[e->kept ? PROBATION : KEPT];
	if (s->generation != generation || p->map.capacity == 0 ||
	    bytes > p->max_bytes || client_id.n > CIMD_MAX_URL) {
		leave(s);
		return;
	}
	if (find(p, tag, client_id, &i) != NULL)
		remove_slot(p, i, &cells);
	else if (find(other, tag, client_id, &i) != NULL)
		remove_slot(other, i, &cells);
	while (
	    p->map.used == p->map.capacity || bytes > p->max_bytes - p->bytes)
		evict(s, p, p->map.oldest);
	slot = &p->slot[tagmap_add(&p->map, tag)];
	memset(slot, 0, sizeof(*slot));
	slot->entry = entry_ref(e);
	slot->client_id = slot->entry->client_id;
	slot->len = client_id.n;
	slot->bytes = bytes;
	slot->cells = cells;
	p->bytes += bytes;
	leave(s);
}

void
table_drop(struct table *t, struct span client_id)
{
	struct shard *s;
	struct tag tag;
	uint32_t i;
	int part;

	s = enter(t, client_id, &tag);
	s->generation++;
	for (part = PROBATION; part <= KEPT; part++)
		if (find(&s->part[part], tag, client_id, &i) != NULL)
			evict(s, &s->part[part], i);
	leave(s);
}

void
table_clear(struct table *t)
{
	struct shard *s;
	uint32_t i;
	int part;

	for (i = 0; i < t->n_shards; i++) {
		s = &t->shard[i];
		(void)pthread_mutex_lock(&s->lock);
		s->generation++;
		for (part = PROBATION; part <= KEPT; part++)
			while (s->part[part].map.used > 0)
				evict(s, &s->part[part],
				    s->part[part].map.oldest);
		leave(s);
	}
}

void
table_count(struct table *t, struct span client_id, uint32_t consumer,
    int64_t now, bool refused)
{
	struct slot *slot = NULL;
	struct shard *s;
	struct tag tag;
	uint32_t i;
	int part;

	if (client_id.n > CIMD_MAX_URL || consumer >= TABLE_CONSUMERS)
		return;
	s = enter(t, client_id, &tag);
	for (part = ASIDE; part >= PROBATION && slot == NULL; part--)
		slot = find(&s->part[part], tag, client_id, &i);
	if (slot == NULL && s->strangers < s->max_strangers &&
	    (slot = new_aside(s, tag, client_id)) != NULL) {
		slot->stranger = true;
		s->strangers++;
	}
	if (slot != NULL)
		count(s, slot, consumer, now, refused);
	leave(s);
}

/* Counts on their way out, with the names that they point to. */
struct batch {
	uint32_t n;
	struct table_count count[BATCH];
	char client_id[BATCH][CIMD_MAX_URL];
};

/* Where a drain has come to. */
struct place {
	int part;
	uint32_t slot;
};

/* Move cells of one slot into b; false: b is full. */
static bool
take_cells(struct shard *s, struct slot *slot, struct batch *b)
{
	struct table_count *out;
	uint32_t i;

	while ((i = slot->cells) != TAGMAP_NONE) {
		if (b->n == BATCH)
			return false;
		out = &b->count[b->n];
		memcpy(b->client_id[b->n], slot->client_id, slot->len);
		out->client_id.p = b->client_id[b->n];
		out->client_id.n = slot->len;
		out->consumer = s->cell[i].consumer;
		out->lookups = s->cell[i].lookups;
		out->refused = s->cell[i].refused;
		out->last_seen = s->cell[i].last_seen;
		b->n++;
		slot->cells = s->cell[i].next;
		s->cell[i].next = s->freed;
		s->freed = i;
	}
	return true;
}

/* Fill b from place on; false: the shard has no more. */
static bool
take_batch(struct shard *s, struct place *at, struct batch *b)
{
	struct part *p;
	struct slot *slot;
	uint32_t none;

	b->n = 0;
	for (; at->part < PARTS; at->part++, at->slot = 0) {
		p = &s->part[at->part];
		for (; at->slot < p->map.fresh; at->slot++) {
			slot = &p->slot[at->slot];
			if (slot->client_id == NULL)
				continue;
			if (!take_cells(s, slot, b))
				return true;
			if (at->part != ASIDE)
				continue;
			s->strangers -= slot->stranger;
			free(slot->client_id);
			remove_slot(p, at->slot, &none);
		}
	}
	return false;
}

void
table_drain(struct table *t, table_count_fn *fn, void *ctx)
{
	struct batch *b = malloc(sizeof(*b));
	struct place at;
	uint32_t i, j;
	bool more;

	for (i = 0; b != NULL && i < t->n_shards; i++) {
		at.part = PROBATION;
		at.slot = 0;
		do {
			(void)pthread_mutex_lock(&t->shard[i].lock);
			more = take_batch(&t->shard[i], &at, b);
			leave(&t->shard[i]);
			for (j = 0; j < b->n; j++)
				fn(ctx, &b->count[j]);
		} while (more);
	}
	free(b);
}
