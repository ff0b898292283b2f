/*
 * decide.c - what the rules make of a record
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "error.h"
#include "names.h"
#include "redirect.h"
#include "uri.h"

/* Grants that end at a redirect URI. */
#define REDIRECT_GRANTS (GRANT_AUTHORIZATION_CODE | GRANT_IMPLICIT)

/* Grants in which the client itself is what the server trusts. */
#define KEY_GRANTS (GRANT_CLIENT_CREDENTIALS | GRANT_JWT_BEARER)

/* Does any rule ask for this profile? */
static bool
is_mcp(const struct verdict *v)
{
	size_t i;

	for (i = 0; i < v->n_rules; i++)
		if (v->rule[i]->profile == PROFILE_MCP)
			return true;
	return false;
}

static const char *
methods_text(uint32_t set)
{
	const char *one = names_method(set);

	if (one != NULL)
		return one;
	return set == 0 ? "no method" : "both methods";
}

static enum cimd_err
decide_methods(const struct verdict *v, const struct cimd_client *c,
    struct decision *out, struct cimd_error *err)
{
	uint32_t offered = METHOD_NONE | METHOD_PRIVATE_KEY_JWT;
	size_t i;

	for (i = 0; i < v->n_rules; i++)
		offered &= v->rule[i]->methods;
	out->methods = offered & client_methods(c);
	out->preferred = names_preferred_method(out->methods);
	if (out->methods != 0)
		return CIMD_OK;
	if ((offered & METHOD_PRIVATE_KEY_JWT) != 0 &&
	    (client_warnings(c) & WARN_BIT(WARN_JWKS_UNAVAILABLE)) != 0)
		return err_set(err, CIMD_E_KEYS, "6.2",
		    "rule \"%.96s\" wants private_key_jwt, and the client has "
		    "no usable key",
		    v->name);
	return err_set(err, CIMD_E_AUTH_METHOD, "6",
	    "the document allows %s, rule \"%.96s\" %s",
	    methods_text(client_methods(c)), v->name, methods_text(offered));
}

static enum cimd_err
decide_grants(const struct verdict *v, const struct cimd_client *c,
    struct decision *out, struct cimd_error *err)
{
	uint32_t offered = UINT32_MAX;
	size_t i;

	for (i = 0; i < v->n_rules; i++)
		offered &= v->rule[i]->grants;
	if ((client_grants(c) & ~offered) != 0)
		out->warnings |= WARN_BIT(WARN_GRANT_UNSUPPORTED);
	out->grants = client_grants(c) & offered;
	if ((out->methods & METHOD_PRIVATE_KEY_JWT) == 0 &&
	    (client_grants(c) & KEY_GRANTS) != 0) {
		out->warnings |= WARN_BIT(WARN_GRANT_NEEDS_KEY);
		out->grants &= ~(uint32_t)KEY_GRANTS;
	}
	/* A refresh token is never the first one. */
	if ((out->grants & ~(uint32_t)GRANT_REFRESH_TOKEN) == 0)
		return err_set(err, CIMD_E_METADATA, "RFC 7591 2",
		    "grant_types: none that can start is left under rule "
		    "\"%.96s\"",
		    v->name);
	/* The other grants have no response type (section 2.1 there). */
	if ((out->grants & GRANT_AUTHORIZATION_CODE) != 0 &&
	    !client_response_code(c))
		return err_set(err, CIMD_E_METADATA, "RFC 7591 2",
		    "response_types: \"code\" is missing");
	return CIMD_OK;
}

static bool
has_kind(const struct rule *r, enum redirect_rule_kind kind)
{
	size_t i;

	for (i = 0; i < r->n_redirects; i++)
		if (r->redirects[i].kind == kind)
			return true;
	return false;
}

/* Does the rule name the private-use scheme of the URI? */
static bool
scheme_ok(const struct rule *r, struct span uri)
{
	struct span scheme = uri;
	const char *colon;
	size_t i;

	colon = memchr(uri.p, ':', uri.n);
	if (colon == NULL)
		return false; /* Not reached: a URI in a record has a scheme. */
	scheme.n = (size_t)(colon - uri.p);
	for (i = 0; i < r->n_redirects; i++)
		if (r->redirects[i].kind == RULE_SCHEME &&
		    span_is_nocase(scheme, r->redirects[i].value))
			return true;
	return false;
}

/*
 * An https URI: where the rule restricts hosts, one restriction must hold;
 * else the rule must let the document decide.
 */
static bool
https_ok(const struct rule *r, struct span id, struct span uri)
{
	bool document = false, restricted = false;
	size_t i;

	for (i = 0; i < r->n_redirects; i++) {
		switch (r->redirects[i].kind) {
		case RULE_DOCUMENT:
		case RULE_LOOPBACK_EXACT:
			document = true;
			break;
		case RULE_SAME_ORIGIN:
			restricted = true;
			if (redirect_same_origin(id, uri))
				return true;
			break;
		case RULE_SAME_SITE:
			restricted = true;
			if (redirect_same_site(id, uri))
				return true;
			break;
		case RULE_HOST:
			restricted = true;
			if (span_is_nocase(redirect_host(uri),
				r->redirects[i].value))
				return true;
			break;
		case RULE_SCHEME:
			break;
		}
	}
	return document && !restricted;
}

/* Does one rule allow the URI of the document? */
static bool
uri_ok(const struct rule *r, struct span id, const struct client_redirect *u)
{
	switch (u->kind) {
	case REDIRECT_HTTPS:
		return https_ok(r, id, u->uri);
	case REDIRECT_LOOPBACK:
		return has_kind(r, RULE_DOCUMENT) ||
		    has_kind(r, RULE_LOOPBACK_EXACT);
	case REDIRECT_SCHEME:
		break;
	}
	return scheme_ok(r, u->uri);
}

static bool
all_allow(const struct verdict *v, struct span id,
    const struct client_redirect *u)
{
	size_t i;

	for (i = 0; i < v->n_rules; i++)
		if (!uri_ok(v->rule[i], id, u))
			return false;
	return true;
}

/* The any-port rule holds unless a rule switches it off. */
static bool
any_port(const struct verdict *v)
{
	size_t i;

	for (i = 0; i < v->n_rules; i++)
		if (has_kind(v->rule[i], RULE_LOOPBACK_EXACT))
			return false;
	return true;
}

static enum cimd_err
no_redirect(const struct verdict *v, const struct cimd_client *c,
    const struct decision *d, struct cimd_error *err)
{
	if (!is_mcp(v) && (d->grants & REDIRECT_GRANTS) == 0)
		return CIMD_OK;
	if (cimd_client_redirects(c) == 0)
		return err_set(err, CIMD_E_REDIRECT_URIS, "4.2",
		    "redirect_uris: none");
	return err_set(err, CIMD_E_REDIRECT_URIS, "policy",
	    "redirect_uris: rule \"%.96s\" allows none of them", v->name);
}

static enum cimd_err
decide_redirects(const struct verdict *v, const struct cimd_client *c,
    struct decision *out, struct cimd_error *err)
{
	const struct span id = client_span(c, CLIENT_ID);
	const size_t n = cimd_client_redirects(c);
	bool loopback_only = true;
	size_t i;

	out->loopback_any_port = any_port(v);
	for (i = 0; i < n; i++) {
		const struct client_redirect u = client_redirect(c, i);

		if (all_allow(v, id, &u)) {
			out->redirects |= UINT64_C(1) << i;
			if (u.kind != REDIRECT_LOOPBACK)
				loopback_only = false;
		} else if (u.kind == REDIRECT_SCHEME) {
			out->warnings |= WARN_BIT(WARN_REDIRECT_SCHEME);
		} else {
			out->warnings |= WARN_BIT(WARN_REDIRECT_RULE);
		}
	}
	if (out->redirects == 0)
		return no_redirect(v, c, out, err);
	if (loopback_only)
		out->warnings |= WARN_BIT(WARN_LOOPBACK_ONLY);
	return CIMD_OK;
}

bool
decide_redirect(const struct decision *d, const struct cimd_client *c,
    struct span redirect_uri)
{
	const size_t n = cimd_client_redirects(c);
	size_t i;

	if (redirect_uri.p == NULL)
		return false;
	for (i = 0; i < n; i++)
		if ((d->redirects & UINT64_C(1) << i) != 0 &&
		    redirect_match(client_redirect(c, i).uri, redirect_uri,
			d->loopback_any_port))
			return true;
	return false;
}

/* Does the ceiling of every rule that has one hold this scope? */
static bool
scope_ok(const struct verdict *v, struct span scope)
{
	const struct rule *r;
	size_t i, j;

	if (scope.n == 0)
		return true;
	for (i = 0; i < v->n_rules; i++) {
		r = v->rule[i];
		if (r->scopes == NULL)
			continue;
		for (j = 0; j < r->n_scopes; j++)
			if (span_is(scope, r->scopes[j]))
				break;
		if (j == r->n_scopes)
			return false;
	}
	return true;
}

/* Scopes with a blank between them; room is for all that can come. */
struct scope_list {
	char *text;
	size_t n;
};

static void
add_scope(struct scope_list *list, struct span scope)
{
	if (list->n > 0)
		list->text[list->n++] = ' ';
	memcpy(list->text + list->n, scope.p, scope.n);
	list->n += scope.n;
	list->text[list->n] = '\0';
}

/*
 * Put those of the document's scopes that are under the ceiling into list
 * (unless NULL).  True: some are not.
 */
static bool
narrow(const struct verdict *v, struct span scope, struct scope_list *list)
{
	bool narrowed = false;
	struct span one = scope;
	size_t i;

	for (i = 0; i < scope.n; i += one.n + 1) {
		one.p = scope.p + i;
		one.n = 0;
		while (i + one.n < scope.n && one.p[one.n] != ' ')
			one.n++;
		if (!scope_ok(v, one))
			narrowed = true;
		else if (list != NULL && one.n > 0)
			add_scope(list, one);
	}
	return narrowed;
}

enum cimd_err
decide(const struct verdict *v, const struct cimd_client *c,
    struct decision *out, struct cimd_error *err)
{
	struct decision d = { .trust = v->trust,
		.warnings = client_warnings(c) };
	enum cimd_err e;

	memset(out, 0, sizeof(*out));
	if (!v->lenient_type && (d.warnings & WARN_BIT(WARN_CONTENT_TYPE)) != 0)
		return err_set(err, CIMD_E_TYPE, "4",
		    "the document came as text/plain, for a rule with "
		    "content_type = lenient");
	if (is_mcp(v) && client_span(c, CLIENT_NAME).n == 0)
		return err_set(err, CIMD_E_METADATA, "policy",
		    "client_name is missing (profile = mcp)");
	e = decide_methods(v, c, &d, err);
	if (e == CIMD_OK)
		e = decide_grants(v, c, &d, err);
	if (e == CIMD_OK)
		e = decide_redirects(v, c, &d, err);
	if (e != CIMD_OK)
		return e;
	if (narrow(v, client_span(c, CLIENT_SCOPE), NULL))
		d.warnings |= WARN_BIT(WARN_SCOPE_NARROWED);
	*out = d;
	return CIMD_OK;
}

/* The rule with a ceiling that comes first; NULL: none has one. */
static const struct rule *
ceiling(const struct verdict *v)
{
	size_t i;

	for (i = 0; i < v->n_rules; i++)
		if (v->rule[i]->scopes != NULL)
			return v->rule[i];
	return NULL;
}

static size_t
room(struct span scope, const struct rule *top)
{
	size_t i, n = 1;

	if (scope.p != NULL)
		return scope.n + 1;
	for (i = 0; top != NULL && i < top->n_scopes; i++)
		n += strlen(top->scopes[i]) + 1;
	return n;
}

enum cimd_err
decide_scope(const struct verdict *v, const struct cimd_client *c, char **out,
    bool *narrowed, struct cimd_error *err)
{
	struct span scope = client_span(c, CLIENT_SCOPE);
	const struct rule *top = ceiling(v);
	struct scope_list list = { NULL, 0 };
	size_t i;

	*out = NULL;
	*narrowed = false;
	if (scope.p == NULL && top == NULL)
		return CIMD_OK;
	list.text = calloc(1, room(scope, top));
	if (list.text == NULL)
		return err_no_memory(err);
	if (scope.p != NULL)
		*narrowed = narrow(v, scope, &list);
	else
		for (i = 0; top != NULL && i < top->n_scopes; i++)
			if (scope_ok(v, span_of(top->scopes[i])))
				add_scope(&list, span_of(top->scopes[i]));
	*out = list.text;
	return CIMD_OK;
}
