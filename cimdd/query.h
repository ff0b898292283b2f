/*
 * query.h - the query of a request target as JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes as they came; out: JSON, or the fault; touches
 * nothing.
 *
 * libmicrohttpd would decode "+" as a space, keep "%zz", cut at "%00" and
 * hand over a parameter twice.
 */

#ifndef QUERY_H
#define QUERY_H

#include "cimd.h"

enum query_type {
	QUERY_STRING = 0,
	QUERY_NUMBER, /* decimal, no sign, no leading zero, at most 9 digits */
};

/* What a route takes; a list ends with the name NULL. */
struct query_param {
	const char *name;
	enum query_type type;
};

enum {
	QUERY_PARAMS = 16, /* of one route, at most */
};

/*
 * Decode query, which is what follows "?" (NULL: there is none), into a JSON
 * object with a member for each parameter that is there.  Strict: bytes of
 * RFC 3986 only, whole percent triplets, no NUL, no parameter twice, none
 * that params does not have, none without "=".  "+" is a plus sign.  Bytes
 * over 0x7f are passed on as they are; that they are UTF-8 is for the JSON
 * reader to judge.  The caller frees *json, which ends with a NUL.
 * Fails with: CIMD_E_REQUEST, CIMD_E_NO_MEMORY.
 */
enum cimd_err query_json(const char *query, size_t len,
    const struct query_param *params, char **json, size_t *json_len,
    struct cimd_error *err);

#endif /* QUERY_H */
