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
 * Fails with: CIMD_E_STORE (second writer, no such directory, not ours),
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err store_open(const char *dir, const struct store_limits *limits,
    struct store **out, struct cimd_error *err);

/* Accepts NULL; sets *s to NULL. */
void store_close(struct store **s);

/*
 * Why nothing is written at present ("disk full", "schema 9 is newer"), or
 * NULL.  Writing is tried again now and then by itself.  Copies into buf.
 */
const char *store_problem(struct store *s, char *buf, size_t len);

/* The entry of a URL; *out NULL with CIMD_OK when nothing is known. */
enum cimd_err store_read(struct store *s, struct span client_id,
    struct entry **out, struct cimd_error *err);

/*
 * Write live, freshness, validators and kept of e; evicts the oldest of
 * the same segment when it is full.  Governance and activity stay as they
 * are.  Fails with: CIMD_E_STORE.
 */
enum cimd_err store_put(struct store *s, const struct entry *e, int64_t now,
    struct cimd_error *err);

/* Forget the live record (withdrawn); governance stays. */
enum cimd_err store_withdraw(struct store *s, struct span client_id,
    struct cimd_error *err);

/* Forget everything but a block. */
enum cimd_err store_forget(struct store *s, struct span client_id,
    struct cimd_error *err);

/*
 * An administrator's word, durable when this returns (synchronous=FULL).
 * approved: the record that is approved, or NULL.
 */
enum cimd_err store_govern(struct store *s, struct span client_id,
    enum governance governance, const struct cimd_client *approved, int64_t now,
    struct cimd_error *err);

/*
 * Use up (iss, jti) until keep_until, durable when this returns.
 * Fails with: CIMD_E_REPLAY, CIMD_E_STORE (also when the window is full).
 */
enum cimd_err store_use_jti(struct store *s, struct span iss, const char *jti,
    int64_t keep_until, int64_t now, struct cimd_error *err);

/* Add to the activity of (client_id, consumer); made if new and limits allow.
 */
struct store_activity {
	struct span client_id;
	const char *consumer;
	uint64_t lookups;
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
	int64_t first_seen, last_seen;
};
typedef void store_row_fn(void *ctx, const struct store_row *row);

/*
 * Call fn for each client and consumer, last seen first, at most limit rows,
 * after skipping offset; contains (NULL: all) is matched in the client_id.
 */
struct store_query {
	const char *contains;
	uint32_t offset, limit;
};
enum cimd_err store_list(struct store *s, const struct store_query *q,
    store_row_fn *fn, void *ctx, struct cimd_error *err);

/* The client_id of a short id (base64url SHA-256); *out NULL: unknown. */
enum cimd_err store_find_short(struct store *s, const char *short_id,
    char **out, struct cimd_error *err);

/* Append to the bounded audit tail; line is one JSON object. */
enum cimd_err store_audit(struct store *s, int64_t now, const char *line,
    struct cimd_error *err);

/* The last lines, oldest first. */
typedef void store_line_fn(void *ctx, const char *line);
enum cimd_err store_audit_tail(struct store *s, uint32_t n, store_line_fn *fn,
    void *ctx, struct cimd_error *err);

/* Drop what is out of date: expired jti, records past every stale window. */
enum cimd_err store_sweep(struct store *s, int64_t now, struct cimd_error *err);

/* base64url(SHA-256(client_id)), 43 letters and NUL. */
void store_short_id(struct span client_id, char out[44]);

#endif /* STORE_H */
