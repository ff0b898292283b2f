/*
 * tagmap.c - bounded map from tags to slot numbers, in order of use
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "tagmap.h"

bool
tagmap_init(struct tagmap *m, uint32_t capacity)
{
	uint32_t buckets = 1;

	memset(m, 0, sizeof(*m));
	if (capacity > UINT32_C(1) << 30)
		return false;
	while (buckets < capacity)
		buckets *= 2;
	m->node = aligned_alloc(alignof(struct tagmap_node),
	    (capacity > 0 ? capacity : 1) * sizeof(*m->node));
	m->head = reallocarray(NULL, buckets, sizeof(*m->head));
	if (m->node == NULL || m->head == NULL) {
		tagmap_clear(m);
		return false;
	}
	memset(m->head, 0xff, buckets * sizeof(*m->head));
	m->mask = buckets - 1;
	m->capacity = capacity;
	m->freed = m->newest = m->oldest = TAGMAP_NONE;
	return true;
}

void
tagmap_clear(struct tagmap *m)
{
	free(m->node);
	free(m->head);
	memset(m, 0, sizeof(*m));
}

uint32_t
tagmap_find(const struct tagmap *m, struct tag tag)
{
	uint32_t i;

	for (i = m->head[tag.a & m->mask]; i != TAGMAP_NONE;
	     i = m->node[i].chain)
		if (m->node[i].tag.a == tag.a && m->node[i].tag.b == tag.b)
			return i;
	return TAGMAP_NONE;
}

/* Into and out of the order of use. */
static void
link_newest(struct tagmap *m, uint32_t i)
{
	m->node[i].newer = TAGMAP_NONE;
	m->node[i].older = m->newest;
	if (m->newest != TAGMAP_NONE)
		m->node[m->newest].newer = i;
	else
		m->oldest = i;
	m->newest = i;
}

static void
unlink_node(struct tagmap *m, uint32_t i)
{
	const struct tagmap_node *n = &m->node[i];

	if (n->newer != TAGMAP_NONE)
		m->node[n->newer].older = n->older;
	else
		m->newest = n->older;
	if (n->older != TAGMAP_NONE)
		m->node[n->older].newer = n->newer;
	else
		m->oldest = n->newer;
}

uint32_t
tagmap_add(struct tagmap *m, struct tag tag)
{
	uint32_t i, *head;

	if (m->used == m->capacity)
		return TAGMAP_NONE;
	if (m->freed != TAGMAP_NONE) {
		i = m->freed;
		m->freed = m->node[i].chain;
	} else {
		i = m->fresh++;
	}
	m->used++;
	head = &m->head[tag.a & m->mask];
	m->node[i].tag = tag;
	m->node[i].chain = *head;
	*head = i;
	link_newest(m, i);
	return i;
}

void
tagmap_touch(struct tagmap *m, uint32_t slot)
{
	if (slot == m->newest)
		return;
	unlink_node(m, slot);
	link_newest(m, slot);
}

void
tagmap_remove(struct tagmap *m, uint32_t slot)
{
	uint32_t *at = &m->head[m->node[slot].tag.a & m->mask];

	while (*at != slot)
		at = &m->node[*at].chain;
	*at = m->node[slot].chain;
	unlink_node(m, slot);
	m->node[slot].chain = m->freed;
	m->freed = slot;
	m->used--;
}
