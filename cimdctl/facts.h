/*
 * facts.h - "name  value" lines, aligned
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef FACTS_H
#define FACTS_H

#include "out.h"

/* Add a line; nothing for an empty value. */
void fact_text(struct table *t, const char *name, enum style style,
    const char *value);

/* Likewise for a time: exact, and how long ago; nothing for 0. */
void fact_time(struct table *t, const char *name, int64_t then, int64_t now);

/* Likewise for each string of an array; the name only once. */
void fact_list(struct table *t, const char *name, struct json_object *o,
    const char *member);

#endif /* FACTS_H */
