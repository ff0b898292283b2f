/*
 * list.h - doubly linked rings; a link lives inside what it links
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in, out: links; touches nothing
 */

#ifndef LIST_H
#define LIST_H

#include "cimd_int.h"

/* The head of a list, or the place of a member in it. */
struct link {
	struct link *next, *prev;
};

/* The struct that holds link l as its member. */
#define LIST_OF(l, type, member)                                               \
	((type *)(void *)((char *)(l)-offsetof(type, member)))

/* An empty list, or a link that is in none. */
static inline void
list_init(struct link *l)
{
	l->next = l->prev = l;
}

static inline bool
list_empty(const struct link *list)
{
	return list->next == list;
}

/* At the end of a list. */
static inline void
list_add(struct link *list, struct link *l)
{
	l->prev = list->prev;
	l->next = list;
	list->prev->next = l;
	list->prev = l;
}

/* Out of its list; l is then in none, and may be taken out again. */
static inline void
list_del(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

#endif /* LIST_H */
