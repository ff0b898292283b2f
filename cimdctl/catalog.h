/*
 * catalog.h - the clients that are known by name
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: name; out: the file that it stands in; runs cimdd
 */

#ifndef CATALOG_H
#define CATALOG_H

#include "ctl.h"

struct json_object;

/*
 * The configuration as JSON, with "catalog" and "client"; the caller owns
 * *out.  Fails as config_json().
 */
enum cimd_err catalog_load(const struct ctl *c, struct json_object **out,
    struct cimd_error *err);

/* The section of that name in "catalog"; NULL: none.  Borrowed. */
struct json_object *catalog_find(struct json_object *config, const char *name);

/* Is there a client section, or a word in "allow", of that name? */
bool catalog_is_allowed(struct json_object *config, const char *name);

/*
 * The text of the file that the section stands in, alone; the caller frees
 * it.  Fails with: CIMD_E_CONFIG (other clients stand there too),
 * CIMD_E_REQUEST, CIMD_E_NO_MEMORY.
 */
enum cimd_err catalog_text(const struct ctl *c, struct json_object *config,
    struct json_object *section, char **out, struct cimd_error *err);

#endif /* CATALOG_H */
