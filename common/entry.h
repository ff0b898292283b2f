/*
 * entry.h - all that is known of one client identifier URL
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; what store and table hold; immutable, reference-counted
 */

#ifndef ENTRY_H
#define ENTRY_H

#include "client.h"
#include "freshness.h"
#include "url.h"

/* An administrator's own word about a client. */
enum governance {
	GOVERN_NONE = 0,
	GOVERN_APPROVED, /* seen; approved is the yardstick */
	GOVERN_BLOCKED,
	GOVERN_PINNED, /* approved, and "update = pinned" whatever the rule */
};

struct entry {
	_Atomic uint32_t refs;
	char *client_id;
	struct url url; /* its parts; whole is absent if it is no such URL */
	enum governance governance;
	struct cimd_client *live;     /* last valid document; may be NULL */
	struct cimd_client *approved; /* may be NULL */
	bool update_waits;            /* approved and live differ */
	struct cimd_client *served;   /* if so: approved minus what live
					 lacks; NULL: nothing is left */
	struct freshness freshness;   /* of live */
	char etag[256];
	char last_modified[64];
	bool kept;          /* out of probation */
	int64_t first_seen; /* UTC */
};

/* A zeroed entry with one reference and a copy of client_id; NULL: memory. */
struct entry *entry_new(struct span client_id);

struct entry *entry_ref(struct entry *e);

/* Drop a reference; accepts NULL; sets *e to NULL.  Thread-safe. */
void entry_free(struct entry **e);

/*
 * Fill in update_waits and served from approved and live.  Nothing being left
 * is no failure.  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err entry_derive(struct entry *e, struct cimd_error *err);

#endif /* ENTRY_H */
