/*
 * mux_read.h - one request in the protocol of saslauthd
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: who wants to log in; touches nothing.
 *
 * A request is four strings: login, password, service, realm.  Newer clients
 * send a fifth, the address of their own client.  In front of each stands its
 * length in two bytes, the high one first.
 */

#ifndef MUX_READ_H
#define MUX_READ_H

#include "cimd_int.h"

enum {
	MUX_MAX_REQUEST = 8192, /* bytes; the buffer of stock clients */
	MUX_MAX_SERVICE = 64,   /* bytes; "imap", "smtp", "ldap" */
};

static_assert((int)MUX_MAX_REQUEST <= (int)CIMD_MAX_ASSERTION,
    "a password that fits is never too long for an assertion");

/* Zero is the one that refuses. */
enum mux_state {
	MUX_MALFORMED = 0,
	MUX_MORE, /* right so far; more bytes have to come */
	MUX_COMPLETE,
};

/* Points into the bytes that were read. */
struct mux_request {
	struct span login;
	struct span password;
	struct span service;
	struct span realm;
};

/*
 * Read what has come so far.  Out is filled in for MUX_COMPLETE only, and has
 * then no NUL in it, a service that a consumer section can name, and a realm
 * without "@".  MUX_MORE promises that the rest fits MUX_MAX_REQUEST.
 */
enum mux_state mux_read(const char *bytes, size_t n, struct mux_request *out);

/*
 * The name as it was before the client took what stands behind its last "@"
 * for a realm.  False: it does not start with "https://" (in any case), so it
 * is none of ours, or does not fit; then *n is 0.
 */
bool mux_client_id(const struct mux_request *q, char out[CIMD_MAX_URL],
    size_t *n);

#endif /* MUX_READ_H */
