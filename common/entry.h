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

/* What live is measured by where "update" is pinned or approve. */
struct yardstick {
	struct cimd_client *approved; /* NULL: there is none */
	bool update_waits;            /* approved and live differ */
	struct cimd_client *served;   /* if so: approved minus what live
					 lacks; NULL: nothing is left */
};

/*
 * The first record that a tenant was served is its yardstick until an
 * administrator approves one for all.  What one tenant saw first must not
 * decide what another is served.
 */
struct baseline {
	char *tenant; /* "": whoever comes under the machine's own rules */
	size_t first; /* index: tenants share equal records */
};

struct entry {
	_Atomic uint32_t refs;
	char *client_id;
	struct url url; /* its parts; whole is absent if it is no such URL */
	enum governance governance;
	struct cimd_client *live; /* last valid document; may be NULL */
	struct yardstick word;    /* an administrator's */
	struct yardstick *first;
	size_t n_first;
	struct baseline *baseline;
	size_t n_baselines;
	struct freshness freshness; /* of live */
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
 * Give a tenant without baseline this one; e shares the record.  False: no
 * memory.
 */
bool entry_add_baseline(struct entry *e, struct span tenant,
    struct cimd_client *first);

/*
 * Copy what does not come from the document: governance, yardsticks, kept,
 * first_seen.  False: no memory.
 */
bool entry_inherit(struct entry *e, const struct entry *from);

/*
 * Fill in update_waits and served of all yardsticks from live.  Nothing being
 * left is no failure.  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err entry_derive(struct entry *e, struct cimd_error *err);

/* The yardstick for a tenant, an administrator's first; NULL: none yet. */
const struct yardstick *entry_yardstick(const struct entry *e,
    const char *tenant);

/*
 * The one to show to an administrator: his own, the machine's, one that an
 * update waits for, any; NULL: there is none.
 */
const struct yardstick *entry_shown(const struct entry *e);

/* Does an update wait for any tenant? */
bool entry_update_waits(const struct entry *e);

/* Bytes of memory that e takes, about. */
size_t entry_bytes(const struct entry *e);

#endif /* ENTRY_H */
