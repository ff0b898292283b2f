/*
 * table.c - bounded table of entries in memory, in front of the store
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "table_int.h"

enum {
	SMALL = 1024, /* up to here one shard, which is exact */
	CELLS = 3     /* consumers of a client, on average, between drains */
};

static bool
part_init(struct part *p, uint32_t capacity, size_t max_bytes)
{
	p->max_bytes = max_bytes;
	p->slot = aligned_alloc(alignof(struct slot),
	    ((size_t)capacity + 1) * sizeof(*p->slot));
	return p->slot != NULL && tagmap_init(&p->map, capacity);
}

static void
part_clear(struct part *p)
{
	uint32_t i;

	for (i = 0; p->slot != NULL && i < p->map.fresh; i++) {
		if (p->slot[i].entry == NULL)
			free(p->slot[i].client_id);
		conclusion_free(&p->slot[i].concluded);
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
	s->cell =
	    aligned_alloc(alignof(struct cell), s->n_cells * sizeof(*s->cell));
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

struct shard *
shard_enter(struct table *t, struct span client_id, struct tag *tag)
{
	struct shard *s;

	*tag = siphash_tag(t->key, client_id.p, client_id.n);
	s = &t->shard[tag->b % t->n_shards];
	(void)pthread_mutex_lock(&s->lock);
	return s;
}

void
shard_leave(struct shard *s)
{
	(void)pthread_mutex_unlock(&s->lock);
}

struct slot *
part_find(const struct part *p, struct tag tag, struct span client_id,
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

void
part_remove(struct part *p, uint32_t i, uint32_t *cells)
{
	*cells = p->slot[i].cells;
	p->bytes -= p->slot[i].bytes;
	conclusion_free(&p->slot[i].concluded);
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

	part_remove(p, i, &cells);
	shard_put_aside(s, tag, client_id, &cells);
	entry_free(&e);
}

/* The place of an entry: its part and slot; NULL: it is in no part. */
static struct slot *
find_entry(struct shard *s, struct tag tag, struct span client_id,
    struct part **p, uint32_t *i)
{
	struct slot *slot;

	*p = &s->part[KEPT];
	if ((slot = part_find(*p, tag, client_id, i)) != NULL)
		return slot;
	*p = &s->part[PROBATION];
	return part_find(*p, tag, client_id, i);
}

/* A hit: once in a second is order enough, and spares its neighbours. */
static void
use(struct part *p, uint32_t i, int64_t now)
{
	if (p->slot[i].used == now)
		return;
	p->slot[i].used = now;
	tagmap_touch(&p->map, i);
}

struct entry *
table_get(struct table *t, struct span client_id, uint32_t consumer,
    int64_t now)
{
	struct entry *e = NULL;
	struct slot *slot;
	struct shard *s;
	struct part *p;
	struct tag tag;
	uint32_t i;

	s = shard_enter(t, client_id, &tag);
	if ((slot = find_entry(s, tag, client_id, &p, &i)) != NULL) {
		use(p, i, now);
		shard_count(s, slot, consumer, now, false);
		e = entry_ref(slot->entry);
	}
	shard_leave(s);
	return e;
}

struct conclusion *
table_recall(struct table *t, struct span client_id,
    const struct table_asker *asker, int64_t now)
{
	struct conclusion *c = NULL;
	struct slot *slot;
	struct shard *s;
	struct part *p;
	struct tag tag;
	uint32_t i;

	s = shard_enter(t, client_id, &tag);
	slot = find_entry(s, tag, client_id, &p, &i);
	if (slot != NULL && slot->concluded != NULL &&
	    conclusion_holds(slot->concluded, asker->setup, asker->consumer,
		now)) {
		use(p, i, now);
		shard_count(s, slot, asker->index, now, false);
		c = conclusion_ref(slot->concluded);
	}
	shard_leave(s);
	return c;
}

void
table_remember(struct table *t, struct conclusion *c)
{
	const struct span client_id = span_of(c->entry->client_id);
	struct slot *slot;
	struct shard *s;
	struct part *p;
	struct tag tag;
	uint32_t i;

	s = shard_enter(t, client_id, &tag);
	slot = find_entry(s, tag, client_id, &p, &i);
	if (slot != NULL && slot->entry == c->entry) {
		conclusion_free(&slot->concluded);
		slot->concluded = conclusion_ref(c);
		slot->client_id = c->client_id[0] != '\0' ? c->client_id :
							    c->entry->client_id;
	}
	shard_leave(s);
}

static void
forget_part(struct part *p)
{
	struct slot *slot;
	uint32_t i;

	for (i = 0; i < p->map.fresh; i++) {
		slot = &p->slot[i];
		if (slot->concluded == NULL)
			continue;
		slot->client_id = slot->entry->client_id;
		conclusion_free(&slot->concluded);
	}
}

void
table_forget(struct table *t)
{
	struct shard *s;
	uint32_t i;
	int part;

	for (i = 0; i < t->n_shards; i++) {
		s = &t->shard[i];
		(void)pthread_mutex_lock(&s->lock);
		for (part = PROBATION; part <= KEPT; part++)
			forget_part(&s->part[part]);
		shard_leave(s);
	}
}

uint64_t
table_generation(struct table *t, struct span client_id)
{
	uint64_t generation;
	struct shard *s;
	struct tag tag;

	s = shard_enter(t, client_id, &tag);
	generation = s->generation;
	shard_leave(s);
	return generation;
}

void
table_put(struct table *t, struct entry *e, uint64_t generation)
{
	const struct span client_id = span_of(e->client_id);
	const size_t bytes = entry_bytes(e) + sizeof(struct conclusion);
	uint32_t i, cells = TAGMAP_NONE;
	struct part *p, *other;
	struct slot *slot;
	struct shard *s;
	struct tag tag;

	s = shard_enter(t, client_id, &tag);
	p = &s->part[e->kept ? KEPT : PROBATION];
	other = &s->part[e->kept ? PROBATION : KEPT];
	if (s->generation != generation || p->map.capacity == 0 ||
	    bytes > p->max_bytes || client_id.n > CIMD_MAX_URL) {
		shard_leave(s);
		return;
	}
	if (part_find(p, tag, client_id, &i) != NULL)
		part_remove(p, i, &cells);
	else if (part_find(other, tag, client_id, &i) != NULL)
		part_remove(other, i, &cells);
	while (
	    p->map.used == p->map.capacity || bytes > p->max_bytes - p->bytes)
		evict(s, p, p->map.oldest);
	slot = &p->slot[tagmap_add(&p->map, tag)];
	memset(slot, 0, sizeof(*slot));
	slot->entry = entry_ref(e);
	slot->client_id = slot->entry->client_id;
	slot->used = INT64_MIN;
	slot->len = (uint32_t)client_id.n;
	slot->bytes = bytes;
	slot->cells = cells;
	p->bytes += bytes;
	shard_leave(s);
}

void
table_drop(struct table *t, struct span client_id)
{
	struct shard *s;
	struct tag tag;
	uint32_t i;
	int part;

	s = shard_enter(t, client_id, &tag);
	s->generation++;
	for (part = PROBATION; part <= KEPT; part++)
		if (part_find(&s->part[part], tag, client_id, &i) != NULL)
			evict(s, &s->part[part], i);
	shard_leave(s);
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
		shard_leave(s);
	}
}
