/*
 * change.h - what changed between two records, and how serious it is
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 8; in: two records; out: classes, a difference; touches nothing
 */

#ifndef CHANGE_H
#define CHANGE_H

#include "client.h"

struct json_object;

/*
 * What differs; added and removed are told apart, and "removed" is the bit
 * above "added".
 */
enum change_bit {
	CHANGE_KEYS_ADDED = 1,
	CHANGE_KEYS_REMOVED = 2,
	CHANGE_REDIRECTS_ADDED = 4,
	CHANGE_REDIRECTS_REMOVED = 8,
	CHANGE_METHODS_ADDED = 16,
	CHANGE_METHODS_REMOVED = 32,
	CHANGE_GRANTS_ADDED = 64,
	CHANGE_GRANTS_REMOVED = 128,
	CHANGE_DISPLAY = 256, /* names, logo, links */
	CHANGE_OTHER = 512,
};

/*
 * enum change_bit bits; 0: the records are the same for a provider.  Keys are
 * told by their material, whatever kid says; when memory is short they count
 * as changed.
 */
uint32_t change_classify(const struct cimd_client *was,
    const struct cimd_client *is);

/* "keys" > "redirect_uris" > "auth_method" > "display" > "other" > "none". */
const char *change_severity(uint32_t bits);

/*
 * What may be served of an approved record while live has changed: approved,
 * minus the keys, redirect URIs, methods and grants that live no longer has.
 * *out is a record with one reference.  Fails with: CIMD_E_NO_MEMORY, and,
 * when nothing is left of them, CIMD_E_REDIRECT_URIS, CIMD_E_AUTH_METHOD (also
 * for keys) or CIMD_E_METADATA (grants).
 */
enum cimd_err change_serve(struct cimd_client *approved,
    const struct cimd_client *live, struct cimd_client **out,
    struct cimd_error *err);

/*
 * {"redirect_uris":{"removed":[...],"added":[...]}, ...}: a member for each
 * difference, none for what is the same; strings as they are, keys as their
 * JSON text.  The caller owns *out (json_object_put).
 * Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err change_diff(const struct cimd_client *was,
    const struct cimd_client *is, struct json_object **out,
    struct cimd_error *err);

#endif /* CHANGE_H */
