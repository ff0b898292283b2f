/*
 * api_entry.h - entries as JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: entries; out: JSON; touches nothing
 */

#ifndef API_ENTRY_H
#define API_ENTRY_H

#include "api.h"

/* All that is known of a client: governance, freshness, both records. */
void api_put_entry(struct maker *m, struct cimd *r, const struct entry *e);

/* The members of one row of "clients" into o. */
void api_put_row(struct maker *m, struct json_object *o, struct cimd *r,
    const struct store_row *row);

/*
 * Is short_id (may be absent) the short id of client_id?
 * Fails with: CIMD_E_REQUEST.
 */
enum cimd_err api_check_short(struct span client_id, struct span short_id,
    struct cimd_error *err);

/* Is hex the SHA-256 of the document that c was made from? */
bool api_is_document(const struct cimd_client *c, struct span hex);

/* Write "document_sha256" and its like: 64 lower-case hex digits. */
void put_hex(struct maker *m, struct json_object *o, const char *name,
    const uint8_t hash[32]);

#endif /* API_ENTRY_H */
