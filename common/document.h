/*
 * document.h - the Client ID Metadata Document (sections 4, 4.1, 6)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 6; in: bytes; out: checked metadata or the rule it breaks; touches
 * nothing.  Only this step makes records, so that an error or an invalid
 * document cannot reach the store.  Judges what holds under every policy;
 * what a rule decides (profile, grants, schemes) is decide.h.
 */

#ifndef DOCUMENT_H
#define DOCUMENT_H

#include "client.h"

struct document; /* a checked document that may still lack its keys */

/*
 * Check the document that the client identifier URL id answered with.
 * Free with document_free().
 * Fails with: CIMD_E_JSON, CIMD_E_MISMATCH, CIMD_E_SECRET, CIMD_E_METADATA,
 * CIMD_E_REDIRECT_URIS, CIMD_E_AUTH_METHOD, CIMD_E_KEYS, CIMD_E_TOO_BIG,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err document_parse(struct span id, struct span body,
    struct document **out, struct cimd_error *err);

/* Accepts NULL; sets *d to NULL. */
void document_free(struct document **d);

/*
 * The https URL whose keys the document wants fetched; absent when there is
 * none or when private_key_jwt is not among its methods.  Borrowed from d.
 */
struct span document_jwks_uri(const struct document *d);

/*
 * Add the bytes that jwks_uri answered with.  Without a usable key, "none"
 * is what is left of the methods (WARN_JWKS_UNAVAILABLE) or CIMD_E_KEYS.
 * Fails with: CIMD_E_JSON, CIMD_E_SECRET, CIMD_E_METADATA, CIMD_E_KEYS,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err document_add_jwks(struct document *d, struct span body,
    struct cimd_error *err);

/*
 * The keys cannot be had (refused, not merely unavailable): go on without
 * private_key_jwt, or fail with CIMD_E_KEYS when nothing is left.
 */
enum cimd_err document_no_jwks(struct document *d, struct cimd_error *err);

/* Add WARN_* bits about how the document came; the record has them too. */
void document_warn(struct document *d, uint64_t bits);

/* The record; d can be freed after.  Fails as client_build(). */
enum cimd_err document_record(const struct document *d,
    struct cimd_client **out, struct cimd_error *err);

#endif /* DOCUMENT_H */
