/*
 * unsafe.c - a store that says "done" before it is: the control
 * SPDX-License-Identifier: Apache-2.0
 *
 * Linked with --wrap, so that the rest of the program is the same: an
 * administrator's word and a used jti are written when the next one comes.
 */

#include <stdio.h>

#include "store.h"

enum cimd_err __real_store_govern(struct store *s, struct span client_id,
    enum governance governance, const struct cimd_client *approved, int64_t now,
    struct cimd_error *err);
enum cimd_err __wrap_store_govern(struct store *s, struct span client_id,
    enum governance governance, const struct cimd_client *approved, int64_t now,
    struct cimd_error *err);

/* The word that is not written yet. */
static struct {
	bool waits;
	char client_id[64];
	enum governance governance;
	struct cimd_client *approved;
} late;

enum cimd_err
__wrap_store_govern(struct store *s, struct span client_id,
    enum governance governance, const struct cimd_client *approved, int64_t now,
    struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;

	if (late.waits)
		e = __real_store_govern(s, span_of(late.client_id),
		    late.governance, late.approved, now, err);
	cimd_client_free(&late.approved);
	late.waits = true;
	(void)snprintf(late.client_id, sizeof(late.client_id), "%.*s",
	    (int)client_id.n, client_id.p);
	late.governance = governance;
	if (approved != NULL &&
	    client_load(client_bytes(approved), &late.approved, err) != CIMD_OK)
		return CIMD_E_NO_MEMORY;
	return e;
}
