/*
 * route.c - what a request asks for
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "fail.h"
#include "route.h"

enum {
	MAX_SHORT = 64, /* bytes of a short id; base64url of SHA-256 is 43 */
};

static const struct query_param no_params[] = { { NULL, QUERY_STRING } };

static const struct query_param client_params[] = {
	{ "client_id", QUERY_STRING },
	{ "redirect_uri", QUERY_STRING },
	{ "purpose", QUERY_STRING },
	{ "tenant", QUERY_STRING },
	{ "service", QUERY_STRING },
	{ "remote_addr", QUERY_STRING },
	{ NULL, QUERY_STRING },
};

static const struct query_param clients_params[] = {
	{ "contains", QUERY_STRING },
	{ "limit", QUERY_NUMBER },
	{ "offset", QUERY_NUMBER },
	{ NULL, QUERY_STRING },
};

static const struct query_param audit_params[] = {
	{ "n", QUERY_NUMBER },
	{ NULL, QUERY_STRING },
};

#define CLIENTS "/v1/clients/"

/* The wire interface of cimdd(8). */
static const struct route routes[] = {
	{ "GET", "/v1/client", NULL, "client", ROUTE_QUERY, false,
	    client_params },
	{ "POST", "/v1/client", NULL, "client", ROUTE_BODY, false, no_params },
	{ "POST", "/v1/assertion", NULL, "assertion", ROUTE_BODY, false,
	    no_params },
	{ "GET", "/v1/metadata", NULL, "metadata", ROUTE_QUERY, false,
	    no_params },
	{ "GET", "/v1/clients", NULL, "clients", ROUTE_QUERY, false,
	    clients_params },
	{ "GET", "/metrics", NULL, "metrics", ROUTE_QUERY, false, no_params },
	{ "GET", "/healthz", NULL, "healthz", ROUTE_QUERY, false, no_params },

	{ "GET", CLIENTS, "", "show", ROUTE_SHORT, true, no_params },
	{ "POST", CLIENTS, "/approve", "approve", ROUTE_SHORT_BODY, true,
	    no_params },
	{ "POST", CLIENTS, "/deny", "deny", ROUTE_SHORT_BODY, true, no_params },
	{ "POST", CLIENTS, "/unblock", "unblock", ROUTE_SHORT_BODY, true,
	    no_params },
	{ "POST", CLIENTS, "/pin", "pin", ROUTE_SHORT_BODY, true, no_params },
	{ "POST", CLIENTS, "/refresh", "refresh", ROUTE_SHORT_BODY, true,
	    no_params },
	{ "POST", CLIENTS, "/forget", "forget", ROUTE_SHORT_BODY, true,
	    no_params },
	{ "POST", CLIENTS, "/diff", "diff", ROUTE_SHORT_BODY, true, no_params },
	{ "GET", "/v1/status", NULL, "status", ROUTE_QUERY, true, no_params },
	{ "GET", "/v1/audit", NULL, "audit", ROUTE_QUERY, true, audit_params },
	{ "POST", "/v1/policy/test", NULL, "policy_test", ROUTE_BODY, true,
	    no_params },
	{ "POST", "/v1/reload", NULL, "reload", ROUTE_RELOAD, true, no_params },
};

static bool
is_short_byte(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '_';
}

/* Is path of n bytes the route's?  Sets the short id. */
static bool
match_path(const struct route *r, const char *path, size_t n,
    struct route_match *out)
{
	size_t prefix = strlen(r->path), id = 0;
	const char *rest;

	if (n < prefix || memcmp(path, r->path, prefix) != 0)
		return false;
	if (r->action == NULL)
		return n == prefix;
	rest = path + prefix;
	n -= prefix;
	while (id < n && id <= MAX_SHORT && is_short_byte(rest[id]))
		id++;
	if (id == 0 || id > MAX_SHORT || n - id != strlen(r->action) ||
	    memcmp(rest + id, r->action, n - id) != 0)
		return false;
	out->id = rest;
	out->id_len = id;
	return true;
}

void
route_find(const char *verb, const char *target, bool admin,
    struct route_match *out)
{
	size_t path_len = strcspn(target, "?"), i;
	const struct route *r;

	*out = (struct route_match){ .status = 404 };
	if (target[path_len] == '?') {
		out->query = target + path_len + 1;
		out->query_len = strlen(out->query);
	}
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		r = &routes[i];
		if (!match_path(r, target, path_len, out))
			continue;
		if (r->admin && !admin) {
			out->status = 403;
			return;
		}
		if (strcmp(r->verb, verb) == 0) {
			out->status = 0;
			out->route = r;
			return;
		}
		out->allow = out->status == 405 ? "GET, POST" : r->verb;
		out->status = 405;
	}
}

bool
route_has_body(const struct route *r)
{
	return r->input == ROUTE_BODY || r->input == ROUTE_SHORT_BODY ||
	    r->input == ROUTE_RELOAD;
}

static bool
is_json_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * The body's object with "short" put in front.  A body that has a "short"
 * too is refused by the JSON reader, as a name twice.
 */
static enum cimd_err
add_short(const struct route_match *m, const char *body, size_t len,
    char **json, size_t *json_len, struct cimd_error *err)
{
	static const char head[] = "{\"short\":\"";
	size_t at = 0, n = sizeof(head) - 1;
	bool empty;
	char *p;

	while (at < len && is_json_blank(body[at]))
		at++;
	if (at < len && body[at] != '{')
		return fail(err, CIMD_E_REQUEST,
		    "the body is not a JSON object");
	empty = at == len;
	if (!empty)
		for (at++; at < len && is_json_blank(body[at]);)
			at++;
	if ((p = malloc(n + m->id_len + 3 + len - at + 1)) == NULL)
		return fail_memory(err);
	memcpy(p, head, n);
	memcpy(p + n, m->id, m->id_len);
	n += m->id_len;
	p[n++] = '"';
	if (empty)
		p[n++] = '}';
	else if (at < len && body[at] != '}')
		p[n++] = ',';
	if (len > at)
		memcpy(p + n, body + at, len - at);
	n += len - at;
	p[n] = '\0';
	*json = p;
	*json_len = n;
	return CIMD_OK;
}

enum cimd_err
route_json(const struct route_match *m, const char *body, size_t body_len,
    char **json, size_t *json_len, struct cimd_error *err)
{
	*json = NULL;
	if (!route_has_body(m->route) && body_len > 0)
		return fail(err, CIMD_E_REQUEST, "%s takes no body",
		    m->route->verb);
	if (m->route->input == ROUTE_QUERY)
		return query_json(m->query, m->query_len, m->route->params,
		    json, json_len, err);
	if (m->query != NULL)
		return fail(err, CIMD_E_REQUEST, "there are no parameters");
	if (m->route->input == ROUTE_SHORT ||
	    m->route->input == ROUTE_SHORT_BODY)
		return add_short(m, body, body_len, json, json_len, err);
	if ((*json = malloc(body_len + 1)) == NULL)
		return fail_memory(err);
	if (body_len > 0)
		memcpy(*json, body, body_len);
	(*json)[body_len] = '\0';
	*json_len = body_len;
	return CIMD_OK;
}
