/*
 * client.h - the record: one allocation, immutable, reference-counted
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: checked fields; out: flat bytes and back; touches nothing
 *
 * A record is a pure function of (client_id, document bytes, JWKS bytes):
 * it knows nothing of policy, time or transport, but for WARN_CONTENT_TYPE:
 * others than who fetched it must know that it came as text/plain.
 */

#ifndef CLIENT_H
#define CLIENT_H

#include "cimd_int.h"

enum client_text {
	CLIENT_ID = 0,
	CLIENT_NAME,
	CLIENT_URI,
	CLIENT_LOGO_URI,
	CLIENT_TOS_URI,
	CLIENT_POLICY_URI,
	CLIENT_SCOPE,
	CLIENT_SIGNING_ALG, /* token_endpoint_auth_signing_alg */
	CLIENT_SOFTWARE_ID,
	CLIENT_SOFTWARE_VERSION,
	CLIENT_CONTACTS, /* JSON array text */
	CLIENT_NAMES,    /* JSON object: "client_name#de": "..." */
	CLIENT_JWKS_URI, /* where the keys came from */
	CLIENT_JWKS,     /* JSON {"keys":[...]}: usable public keys */
	CLIENT_TEXT_COUNT
};

enum redirect_kind {
	REDIRECT_HTTPS = 0,
	REDIRECT_LOOPBACK, /* http to localhost, 127.0.0.1 or [::1] */
	REDIRECT_SCHEME,   /* private-use scheme (RFC 8252 7.1) */
};

enum application_type {
	APPLICATION_UNKNOWN = 0, /* absent: not "web", whatever OIDC says */
	APPLICATION_WEB,
	APPLICATION_NATIVE,
};

struct client_redirect {
	struct span uri;
	enum redirect_kind kind;
};

/*
 * What document.c found; all spans are borrowed during client_build(), and
 * hold no NUL.
 */
struct client_fields {
	struct span text[CLIENT_TEXT_COUNT]; /* absent: not in the document */
	struct client_redirect redirect[CIMD_MAX_REDIRECTS];
	size_t n_redirects;
	uint32_t grants;   /* GRANT_* that the document lists and we know;
			      authorization_code when it lists none */
	uint32_t methods;  /* METHOD_* that the document allows */
	uint32_t key_algs; /* ALG_* bits (jwks.h) that the usable keys can do */
	enum application_type application_type;
	bool response_code; /* response_types absent, or lists "code" */
	bool dpop_bound;    /* dpop_bound_access_tokens (RFC 9449) */
	uint64_t warnings;
	uint8_t document_sha256[32];
	uint8_t jwks_sha256[32]; /* zero without fetched keys */
	uint32_t document_len;
};

/*
 * The members of a record as one JSON object: those of RFC 7591 that were
 * checked, with the keys inline and never by their URL.  What a client may
 * do is spelled out, because the defaults of RFC 7591 are others.
 * The caller frees *text.  Fails with: CIMD_E_NO_MEMORY.
 */
enum cimd_err client_json(const struct client_fields *f, char **text, size_t *n,
    struct cimd_error *err);

/* "web" or "native"; NULL for APPLICATION_UNKNOWN. */
const char *client_application(enum application_type type);

/*
 * Make a record; *out has one reference.
 * Fails with: CIMD_E_NO_MEMORY, CIMD_E_TOO_BIG.
 */
enum cimd_err client_build(const struct client_fields *f,
    struct cimd_client **out, struct cimd_error *err);

/*
 * The fields of a record again; spans point into c.  Numbers are those that
 * client_build() took.
 */
void client_fields(const struct cimd_client *c, struct client_fields *out);

/* One text, NUL-terminated, borrowed from c; NULL when absent. */
const char *client_text(const struct cimd_client *c, enum client_text which);

/* The same as a span. */
struct span client_span(const struct cimd_client *c, enum client_text which);

/* Redirect URI i, which is below cimd_client_redirects(). */
struct client_redirect client_redirect(const struct cimd_client *c, size_t i);

/* Single fields, for who needs no more. */
uint64_t client_warnings(const struct cimd_client *c);
uint32_t client_grants(const struct cimd_client *c);
uint32_t client_methods(const struct cimd_client *c);
bool client_response_code(const struct cimd_client *c);

/* Flat bytes for the store: versioned, with a checksum; borrowed from c. */
struct span client_bytes(const struct cimd_client *c);

/*
 * A record from bytes that the store kept; every offset, length, enum value
 * and the checksum are checked, for a file on disk is input too.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err client_load(struct span bytes, struct cimd_client **out,
    struct cimd_error *err);

/* One more reference; returns c.  Drop it with cimd_client_free(). */
struct cimd_client *client_ref(struct cimd_client *c);

#endif /* CLIENT_H */
