/*
 * cimdclient.h - ask cimdd about a client, from inside another program
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: a question; out: an answer; touches one UNIX socket
 *
 * For plugins: it must be harmless wherever it is loaded.  It needs json-c
 * and libc.  No globals, no threads, no signals, no environment; nothing is
 * printed or logged.  A call opens one socket and closes it before it
 * returns, so that nothing is left for a child to inherit.  Any number of
 * threads may call at once; an answer belongs to one thread at a time.
 *
 * One rule for hosts: let the client in if the class is CIMD_ACCEPTED, and
 * in no other case.  CIMD_UNAVAILABLE is never "no such client".
 */

#ifndef CIMDCLIENT_H
#define CIMDCLIENT_H

#include "cimd.h"

/* Where cimdd listens, and how long a question takes at most. */
#define CIMDCLIENT_SOCKET "/run/cimd/lookup.sock"
enum {
	CIMDCLIENT_TIMEOUT_MS = 5000, /* more than cimdd itself takes */
};

/*
 * A question.  Zero every member that is not used.  client_id, redirect_uri
 * and assertion are bytes from outside, and are refused before any socket
 * is touched if they cannot be what they should be; the rest is the host's.
 */
struct cimdclient_ask {
	const char *socket; /* NULL: CIMDCLIENT_SOCKET */
	int timeout_ms;     /* for all of it; 0: CIMDCLIENT_TIMEOUT_MS */

	const char *client_id;
	size_t client_id_len;
	const char *redirect_uri; /* NULL: the request has none */
	size_t redirect_uri_len;
	const char *assertion; /* for cimdclient_verify() */
	size_t assertion_len;

	enum cimd_purpose purpose;    /* for cimdclient_lookup() */
	const char *service;          /* PAM or SASL service; NULL: none */
	const char *const *audiences; /* the only ones to accept, up to a
					 NULL; NULL: all of the consumer's */
	const char *remote_addr;      /* for the audit log; left out unless
					 short and printable */
	const char *policy;           /* JSON of a realm's policy; NULL: none */
};

struct cimdclient_answer; /* immutable; free with cimdclient_free() */

/*
 * Look a client up (POST /v1/client).  Returns within timeout_ms.  *out is
 * the answer whatever the class is, and NULL only if there was no memory for
 * it; all functions below accept that.  Free it with cimdclient_free().
 *
 * A client_id that does not start with "https://" is CIMD_NOT_OURS, and
 * cimdd is not asked.  Nobody at the socket, a full backlog, no answer in
 * time, an answer that ends early: CIMD_UNAVAILABLE.  An answer that is not
 * cimdd's: CIMD_BROKEN.
 */
enum cimd_class cimdclient_lookup(const struct cimdclient_ask *ask,
    struct cimdclient_answer **out) __attribute__((warn_unused_result));

/*
 * Verify a client assertion (POST /v1/assertion), which uses it up.  The
 * same in all else; CIMD_ACCEPTED means that it is the client's.  No copy of
 * the assertion is left in memory.
 */
enum cimd_class cimdclient_verify(const struct cimdclient_ask *ask,
    struct cimdclient_answer **out) __attribute__((warn_unused_result));

/* Free *a and set it to NULL.  A NULL pointer, or one to NULL, is no error. */
void cimdclient_free(struct cimdclient_answer **a);

/* The class again; CIMD_BROKEN for NULL. */
enum cimd_class cimdclient_class(const struct cimdclient_answer *a);

/*
 * For logs, never for whoever is not authenticated: the stable name of the
 * code ("CIMD_E_POLICY"; doc/codes.md) and what happened, in one line of
 * printable ASCII.  Never NULL.
 */
const char *cimdclient_code(const struct cimdclient_answer *a);
const char *cimdclient_detail(const struct cimdclient_answer *a);

/* The OAuth error that is safe to show to anyone; "" when accepted. */
const char *cimdclient_oauth(const struct cimdclient_answer *a);

/* Seconds after which asking again may help; 0: not said. */
unsigned int cimdclient_retry_after(const struct cimdclient_answer *a);

/*
 * What follows is about an accepted client: NULL, 0 or false for any other
 * answer.  Strings are UTF-8 without NUL, and live as long as the answer.
 */

/* A string member of the client (RFC 7591): "client_name", "scope" ... */
const char *cimdclient_text(const struct cimdclient_answer *a,
    const char *member);

/* A member that is a list of strings: "redirect_uris", "grant_types" ... */
size_t cimdclient_count(const struct cimdclient_answer *a, const char *member);
const char *cimdclient_item(const struct cimdclient_answer *a,
    const char *member, size_t i);

/* Any member as JSON text: "jwks", "contacts" ... */
const char *cimdclient_json(const struct cimdclient_answer *a,
    const char *member);

/* "trusted" or "unverified"; the rule that admitted the client. */
const char *cimdclient_trust(const struct cimdclient_answer *a);
const char *cimdclient_rule(const struct cimdclient_answer *a);

/* The host that users should be shown: part of the client_id. */
const char *cimdclient_host(const struct cimdclient_answer *a);

/* May the client authenticate by "private_key_jwt", by "none"? */
bool cimdclient_allows(const struct cimdclient_answer *a, const char *method);

/* Is the redirect_uri of the question registered and allowed? */
bool cimdclient_redirect_ok(const struct cimdclient_answer *a);

#endif /* CIMDCLIENT_H */
