/*
 * table_count.c - who asked for which client, until somebody takes the counts
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "table_int.h"

enum {
	BATCH = 32 /* counts that are handed out at once */
};

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

void
shard_count(struct shard *s, struct slot *slot, uint32_t consumer, int64_t now,
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
	slot->len = (uint32_t)client_id.n;
	slot->cells = TAGMAP_NONE;
	return slot;
}

void
shard_put_aside(struct shard *s, struct tag tag, struct span client_id,
    uint32_t *cells)
{
	struct slot *slot;
	struct cell *to;
	uint32_t i;

	if (*cells == TAGMAP_NONE)
		return;
	slot = part_find(&s->part[ASIDE], tag, client_id, &i);
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
	s = shard_enter(t, client_id, &tag);
	for (part = ASIDE; part >= PROBATION && slot == NULL; part--)
		slot = part_find(&s->part[part], tag, client_id, &i);
	if (slot == NULL && s->strangers < s->max_strangers &&
	    (slot = new_aside(s, tag, client_id)) != NULL) {
		slot->stranger = true;
		s->strangers++;
	}
	if (slot != NULL)
		shard_count(s, slot, consumer, now, refused);
	shard_leave(s);
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
			part_remove(p, at->slot, &none);
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
			shard_leave(&t->shard[i]);
			for (j = 0; j < b->n; j++)
				fn(ctx, &b->count[j]);
		} while (more);
	}
	free(b);
}
