/*
 * route.h - what a request asks for
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: verb and target; out: method of cimd_call(); touches
 * nothing
 */

#ifndef ROUTE_H
#define ROUTE_H

#include "query.h"

/* Where the parameters of a method come from. */
enum route_input {
	ROUTE_QUERY = 0,  /* the query alone, by params */
	ROUTE_BODY,       /* the body, as it is */
	ROUTE_SHORT,      /* the short id in the path */
	ROUTE_SHORT_BODY, /* both; an empty body is "{}" */
	ROUTE_RELOAD,     /* none: the daemon's own */
};

struct route {
	const char *verb;
	const char *path;   /* up to the short id, if there is one */
	const char *action; /* what follows a short id; "": nothing */
	const char *method;
	enum route_input input;
	bool admin; /* only over the admin socket */
	const struct query_param *params;
};

/* A request line taken apart; borrowed from the target. */
struct route_match {
	const struct route *route;
	const char *id; /* the short id; NULL: none */
	size_t id_len;
	const char *query; /* what follows "?"; NULL: none */
	size_t query_len;
	unsigned int status; /* 0, or 404, 405, 403 */
	const char *allow;   /* with 405: the verb that it takes */
};

/*
 * Find the route of verb and target (which ends with a NUL).  The path is
 * compared byte for byte.  *out says the route, or with which status to
 * refuse.
 */
void route_find(const char *verb, const char *target, bool admin,
    struct route_match *out);

/*
 * The JSON parameters of a match.  body may hold any byte; *json is owned by
 * the caller and ends with a NUL.
 * Fails with: CIMD_E_REQUEST, CIMD_E_NO_MEMORY.
 */
enum cimd_err route_json(const struct route_match *m, const char *body,
    size_t body_len, char **json, size_t *json_len, struct cimd_error *err);

/* Does the route take a body? */
bool route_has_body(const struct route *r);

#endif /* ROUTE_H */
