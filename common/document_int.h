/*
 * document_int.h - what the parts of the document step share
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 6; for document.c, document_member.c, document_auth.c and
 * document_secret.c only
 */

#ifndef DOCUMENT_INT_H
#define DOCUMENT_INT_H

#include "document.h"
#include "json_out.h"

struct json_object;

/*
 * fields borrows from id, tree and the texts.  What stands here beside it is
 * judged when all members are read: how they fit each other.
 */
struct document {
	char *id;
	struct json_object *tree;
	struct client_fields fields;
	struct json_out names; /* members client_name#tag */
	char *names_text;
	char *contacts_text;
	char *jwks_text;
	bool has_redirects;
	bool has_response_types;
	bool has_jwks_uri;
	struct json_object *jwks;
	struct span method;          /* absent: no singular member */
	struct json_object *methods; /* the plural one; NULL: none */
};

/*
 * One member of a document, type-checked and judged by its name in front of
 * a "#" (RFC 7591 section 2.2); kept in d when the host may have it.  Members
 * that no host gets are ignored.  Fails with: CIMD_E_MISMATCH,
 * CIMD_E_METADATA, CIMD_E_SECRET (a method), CIMD_E_NO_MEMORY.
 */
enum cimd_err document_member(struct document *d, const char *name,
    struct json_object *value, struct cimd_error *err);

/*
 * When all members are read: do redirect URIs, grants and response types fit
 * each other?  Fails with: CIMD_E_REDIRECT_URIS, CIMD_E_METADATA,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err document_flow(struct document *d, struct cimd_error *err);

/*
 * Authentication methods and inline keys (section 6), when all members are
 * read.  Fails with: CIMD_E_METADATA, CIMD_E_AUTH_METHOD, CIMD_E_SECRET,
 * CIMD_E_KEYS, CIMD_E_NO_MEMORY.
 */
enum cimd_err document_auth(struct document *d, struct cimd_error *err);

/*
 * Is there a secret anywhere in the tree (section 4.1): client_secret and its
 * kin, a method that needs one, a private or symmetric JWK; also in what its
 * software_statement says, which is not verified?
 * Fails with: CIMD_E_SECRET, CIMD_E_NO_MEMORY.
 */
enum cimd_err document_secrets(struct json_object *tree,
    struct cimd_error *err);

/* A JSON string as bytes. */
struct span document_text(struct json_object *string);

/* Is it a client_secret_basic, _post, _jwt or another of that kind? */
bool document_shares_secret(struct span method);

#endif /* DOCUMENT_INT_H */
