/*
 * store.h - durable records, governance, activity, jti window, audit tail
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 3; in: URL; out: entry; touches the disk.  All functions may be
 * called by any thread.  One writer per directory, held by a lock.
 */

#ifndef STORE_H
#define STORE_H

#include "entry.h"

struct store;

struct store_limits {
	uint32_t max_clients;    /* kept records */
	uint32_t max_unverified; /* probation */
	uint32_t max_jti;        /* window; full: refuse */
	uint32_t max_audit;      /* lines of the audit tail */
};

/*
 * Open or make dir/cimd.db (dir NULL or "": in memory only), take the writer
 * lock, migrate the schema.  A newer schema, a read-only disk or a damaged
 * file open read-only where they can be read: store_problem() says so.
 * Fails with: CIMD_E_STORE (second writer, with the number of its process;
 * no such directory, or one that others may write to; not ours; empty or
 * gone where there was one),
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err store_open(const char *dir, const struct store_limits *limits,
    struct store **out, struct cimd_error *err);

/* Accepts NULL; sets *s to NULL. */
void store_close(struct store **s);

/*
 * Why nothing is written at present ("the disk is full", "schema 9 is newer
 * ..."), or NULL.  Copies into buf.  A change is tried again at most every
 * few seconds, and a damaged file is left alone until the next start.
 *
 * Meanwhile everything that can be read is read, and what could not be
 * written is not read in its old state: a record whose withdrawal or whose
 * successor could not be written counts as not stored.
 */
const char *store_problem(struct store *s, char *buf, size_t len);

/*
 * The entry of a URL, derived (entry.h); *out NULL with CIMD_OK when nothing
 * is known.  A damaged record counts as not stored.  A damaged word of an
 * administrator fails, and so does a client that is not found in a damaged
 * file: it could be a blocked one.  Fails with: CIMD_E_STORE,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err store_read(struct store *s, struct span client_id,
    struct entry **out, struct cimd_error *err);

/*
 * Write live (not NULL), freshness and validators of e, and kept if it is
 * true: what was kept stays so.  Governance, first_seen and activity stay as
 * they are; a new client was first seen now.  Each segment, kept or in
 * probation, is bounded in rows and in bytes.  When it is full, clients go
 * that nobody ever looked up with success, then those not seen for longest;
 * never one with an administrator's word.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err store_put(struct store *s, const struct entry *e, int64_t now,
    struct cimd_error *err);

/*
 * Forget the live record (withdrawn), durably; governance and activity stay.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err store_withdraw(struct store *s, struct span client_id,
    struct cimd_error *err);

/*
 * Forget everything but a block, durably.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err store_forget(struct store *s, struct span client_id,
    struct cimd_error *err);

/*
 * An administrator's word, durable when this returns (synchronous=FULL).
 * approved: the record that is approved, or NULL.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err store_govern(struct store *s, struct span client_id,
    enum governance governance, const struct cimd_client *approved, int64_t now,
    struct cimd_error *err);

/*
 * The first record that a tenant was served: its yardstick from now on
 * (entry.h), durable when this returns.  Nothing happens if there is one, if
 * an administrator approved a record or blocked the client, or if nothing is
 * stored about it.  store_govern() with a record takes the place of all.
 * The tenants of one consumer hold no more of a client's places than are free.
 * Fails with: CIMD_E_PENDING (that is their share), CIMD_E_STORE,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err store_baseline(struct store *s, const char *tenant,
    const struct cimd_client *first, struct cimd_error *err);

/*
 * Use up (iss, jti) until keep_until, durable when this returns.  One client
 * holds no more places of the window than are free.
 * Fails with: CIMD_E_REPLAY, CIMD_E_TOO_MANY (that is its share), CIMD_E_STORE
 * (also when the window is full).
 */
enum cimd_err store_use_jti(struct store *s, struct span iss, const char *jti,
    int64_t keep_until, int64_t now, struct cimd_error *err);

/*
 * Add to the activity of (client_id, consumer).  Clients that are not stored
 * have none; of a client's consumers, the one seen longest ago makes room.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY; then nothing was added.
 */
struct store_activity {
	struct span client_id;
	const char *consumer;
	uint64_t lookups; /* that succeeded: the client is active */
	uint64_t refused;
	int64_t last_seen;
};
enum cimd_err store_add_activity(struct store *s,
    const struct store_activity *a, size_t n, struct cimd_error *err);

/* One row of "which clients are active?"; strings live during the call. */
struct store_row {
	const char *client_id;
	const struct entry *entry;
	const char *consumer; /* NULL: never seen */
	uint64_t lookups, refused;
	int64_t first_seen, last_seen; /* last_seen 0: never */
};
typedef void store_row_fn(void *ctx, const struct store_row *row);

/*
 * Call fn for each client and consumer, last seen first, at most limit rows,
 * after skipping offset; contains (NULL: all) is matched in the client_id.  Of
 * one consumer there are only clients that it was seen with.
 * No lock is held while fn runs.  Clients that cannot be read are left out.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
struct store_query {
	const char *contains;
	const char *consumer; /* rows of this one only; NULL: of all */
	uint32_t offset, limit;
};
enum cimd_err store_list(struct store *s, const struct store_query *q,
    store_row_fn *fn, void *ctx, struct cimd_error *err);

/* The client_id of a short id (base64url SHA-256); *out NULL: unknown. */
enum cimd_err store_find_short(struct store *s, const char *short_id,
    char **out, struct cimd_error *err);

/*
 * Append to the audit tail; line is one JSON object.  The tail is bounded in
 * lines, and in bytes as if a line had 512.  Fails with: CIMD_E_STORE (also
 * for a line of more than 16 KiB), CIMD_E_NO_MEMORY.
 */
enum cimd_err store_audit(struct store *s, int64_t now, const char *line,
    struct cimd_error *err);

/* The last n lines, oldest first; no lock is held while fn runs. */
typedef void store_line_fn(void *ctx, const char *line);
enum cimd_err store_audit_tail(struct store *s, uint32_t n, store_line_fn *fn,
    void *ctx, struct cimd_error *err);

/*
 * Drop what is out of date: expired jti, records past every stale window,
 * clients of whom then nothing is left.
 */
enum cimd_err store_sweep(struct store *s, int64_t now, struct cimd_error *err);

/* Figures for metrics. */
struct store_figures {
	uint64_t kept, probation, governed; /* clients */
	uint64_t damaged; /* records that were found damaged since the start */
};
enum cimd_err store_figures(struct store *s, struct store_figures *out,
    struct cimd_error *err);

/*
 * base64url(SHA-256(client_id)), 43 letters and NUL; empty if there is no
 * memory.
 */
void store_short_id(struct span client_id, char out[44]);

#endif /* STORE_H */
