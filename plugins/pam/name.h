/*
 * name.h - the user name that a host gives, as a client_id
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: user name; out: URL; touches nothing
 */

#ifndef NAME_H
#define NAME_H

#include "cimd_int.h"

enum {
	/* Bytes of a form-encoded URL, each of them maybe a triplet. */
	NAME_MAX_ENCODED = 3 * CIMD_MAX_URL,
};

/* What a user name is. */
enum name {
	NAME_OTHER = 0, /* no client of ours: a local user, for example */
	NAME_CLIENT,    /* starts like a URL; whether it is one, cimdd says */
	NAME_BAD,       /* starts like an encoded URL, but is none */
};

/*
 * Read a user name.  decode: for HTTP Basic, in which a name cannot have a
 * colon, "https%3A%2F%2F..." (RFC 6749 section 2.3.1) is a client, too.
 * Strictly: every triplet is complete and in upper case, none stands for a
 * letter, a digit, "-", "." or "_", or a control character, and nothing is
 * there that should have been encoded.
 * out has room for CIMD_MAX_URL + 1 bytes and is a string for NAME_CLIENT.
 */
enum name name_read(const char *user, bool decode, char *out);

#endif /* NAME_H */
