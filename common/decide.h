/*
 * decide.h - what the rules make of a record
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 9; in: record, verdict, request; out: decision; touches nothing
 */

#ifndef DECIDE_H
#define DECIDE_H

#include "client.h"
#include "policy.h"

/* Plain values; nothing to free. */
struct decision {
	enum trust trust;
	uint32_t methods;   /* METHOD_* in common */
	uint32_t preferred; /* one METHOD_* bit */
	uint32_t grants;    /* GRANT_* in common */
	uint64_t redirects; /* bit i: redirect URI i of the record */
	bool loopback_any_port;
	uint64_t warnings; /* of record and decision */
};

/*
 * Judge a record under the rules of v: profile, grants, methods, redirect
 * URIs, scopes.
 *
 * A redirect URI counts only if the document lists it and every rule allows
 * it.  https: where a rule names same-origin, same-site or host:, one of
 * these must hold, else it must say document or loopback-exact.  Loopback:
 * it must say document or loopback-exact.  A private-use scheme: the rule
 * must name it.
 *
 * A grant that no rule offers is dropped, and one that wants a confidential
 * client unless private_key_jwt is in common; refresh_token alone is none.
 * Fails with: CIMD_E_METADATA (profile, grants, response types),
 * CIMD_E_REDIRECT_URIS, CIMD_E_AUTH_METHOD, CIMD_E_KEYS.
 */
enum cimd_err decide(const struct verdict *v, const struct cimd_client *c,
    struct decision *out, struct cimd_error *err);

/* Does d leave the URI of a request?  An absent one it does not. */
bool decide_redirect(const struct decision *d, const struct cimd_client *c,
    struct span redirect_uri);

/*
 * The scope to hand to the provider: the document's under the ceiling of all
 * rules, or the ceiling when the document has none.  NULL: neither says
 * anything; "": they have nothing in common, and the client gets no scope.
 * *narrowed: the document has scopes above the ceiling.
 * The caller frees *out.  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err decide_scope(const struct verdict *v, const struct cimd_client *c,
    char **out, bool *narrowed, struct cimd_error *err);

#endif /* DECIDE_H */
