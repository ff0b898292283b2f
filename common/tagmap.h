/*
 * tagmap.h - bounded map from tags to slot numbers, in order of use
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: tags; out: slots; touches nothing.  Memory is taken once.
 * What a slot means is kept by the caller, in arrays of his own.
 */

#ifndef TAGMAP_H
#define TAGMAP_H

#include <stdalign.h>

#include "siphash.h"

#define TAGMAP_NONE UINT32_MAX

struct tagmap_node {
	alignas(32) struct tag tag;
	uint32_t chain; /* next in the bucket, or in the list of free slots */
	uint32_t newer, older;
};

struct tagmap {
	struct tagmap_node *node;
	uint32_t *head; /* buckets */
	uint32_t mask;
	uint32_t capacity;
	uint32_t used;
	uint32_t fresh; /* slots from here on were never used */
	uint32_t freed; /* list of slots that were given back */
	uint32_t newest, oldest;
};

/* Room for capacity tags.  False: out of memory, or capacity above 2^30. */
bool tagmap_init(struct tagmap *m, uint32_t capacity);

/* Frees what m holds, not m.  m may be all zero. */
void tagmap_clear(struct tagmap *m);

/* The slot of a tag, or TAGMAP_NONE. */
uint32_t tagmap_find(const struct tagmap *m, struct tag tag);

/*
 * A slot below capacity for a tag that is not in the map; it is the newest.
 * TAGMAP_NONE: the map is full.
 */
uint32_t tagmap_add(struct tagmap *m, struct tag tag);

/* Make a slot the newest. */
void tagmap_touch(struct tagmap *m, uint32_t slot);

/* Give a slot back. */
void tagmap_remove(struct tagmap *m, uint32_t slot);

#endif /* TAGMAP_H */
