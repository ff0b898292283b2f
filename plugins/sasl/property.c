/*
 * property.c - members of a client as properties of libsasl2
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "sasl_cimd.h"

/* Where a property comes from. */
enum source {
	SOURCE_TEXT, /* a member that is a string */
	SOURCE_LIST, /* a member that is a list of strings: many values */
	SOURCE_JSON, /* a member as JSON text */
	SOURCE_METHODS,
	SOURCE_HOST,
	SOURCE_TRUST,
	SOURCE_RULE,
};

struct property {
	const char *name;
	enum source source;
	const char *member;
};

/* In cimd_sasl(5), which a test compares. */
static const struct property properties[] = {
	{ "oauthClientId", SOURCE_TEXT, "client_id" },
	{ "oauthClientName", SOURCE_TEXT, "client_name" },
	{ "oauthClientURI", SOURCE_TEXT, "client_uri" },
	{ "oauthLogoURI", SOURCE_TEXT, "logo_uri" },
	{ "oauthTosURI", SOURCE_TEXT, "tos_uri" },
	{ "oauthPolicyURI", SOURCE_TEXT, "policy_uri" },
	{ "oauthScope", SOURCE_TEXT, "scope" },
	{ "oauthRedirectURI", SOURCE_LIST, "redirect_uris" },
	{ "oauthGrantType", SOURCE_LIST, "grant_types" },
	{ "oauthContact", SOURCE_LIST, "contacts" },
	{ "oauthJWKS", SOURCE_JSON, "jwks" },
	{ "oauthAuthMethod", SOURCE_METHODS, NULL },
	{ "oauthClientHost", SOURCE_HOST, NULL },
	{ "oauthTrust", SOURCE_TRUST, NULL },
	{ "oauthRule", SOURCE_RULE, NULL },
};

static const struct property *
find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		if (strcmp(properties[i].name, name) == 0)
			return &properties[i];
	return NULL;
}

/* A list with a NULL at its end, of strings that a owns; NULL: no memory. */
static const char **
list(const struct cimdclient_answer *a, const char *member)
{
	size_t i, n = cimdclient_count(a, member);
	const char **out = calloc(n + 1, sizeof(*out));

	for (i = 0; out != NULL && i < n; i++)
		out[i] = cimdclient_item(a, member, i);
	return out;
}

static const char **
methods(const struct cimdclient_answer *a)
{
	static const char *const known[] = { "private_key_jwt", "none" };
	const char **out = calloc(3, sizeof(*out));
	size_t i, n = 0;

	for (i = 0; out != NULL && i < 2; i++)
		if (cimdclient_allows(a, known[i]))
			out[n++] = known[i];
	return out;
}

static const char **
one(const char *value)
{
	const char **out = calloc(2, sizeof(*out));

	if (out != NULL)
		out[0] = value;
	return out;
}

/* The values of a property; free() the list.  NULL: no memory. */
static const char **
values_of(const struct cimdclient_answer *a, const struct property *p)
{
	switch (p->source) {
	case SOURCE_TEXT:
		return one(cimdclient_text(a, p->member));
	case SOURCE_LIST:
		return list(a, p->member);
	case SOURCE_JSON:
		return one(cimdclient_json(a, p->member));
	case SOURCE_METHODS:
		return methods(a);
	case SOURCE_HOST:
		return one(cimdclient_host(a));
	case SOURCE_TRUST:
		return one(cimdclient_trust(a));
	case SOURCE_RULE:
		break;
	}
	return one(cimdclient_rule(a));
}

/* One that was requested. */
static int
fill(const struct cimdclient_answer *a, const sasl_server_params_t *sparams,
    const struct propval *wanted, const struct property *p)
{
	const char **values = values_of(a, p);
	int status = SASL_OK;

	if (values == NULL)
		return SASL_NOMEM;
	if (wanted->values != NULL)
		sparams->utils->prop_erase(sparams->propctx, wanted->name);
	if (values[0] != NULL)
		status = sparams->utils->prop_setvals(sparams->propctx,
		    wanted->name, values);
	free(values);
	return status;
}

int
property_fill(const struct cimdclient_answer *a,
    const sasl_server_params_t *sparams, unsigned flags)
{
	const struct propval *wanted =
	    sparams->utils->prop_get(sparams->propctx);
	const bool authzid = (flags & SASL_AUXPROP_AUTHZID) != 0;
	const struct property *p;
	const char *name;
	int status = SASL_OK;

	for (; status == SASL_OK && wanted != NULL && wanted->name != NULL;
	     wanted++) {
		name = wanted->name;
		/* "*" marks those of the authentication name. */
		if ((name[0] == '*') == authzid)
			continue;
		if (wanted->values != NULL &&
		    (flags & SASL_AUXPROP_OVERRIDE) == 0)
			continue;
		if ((p = find(name[0] == '*' ? name + 1 : name)) != NULL)
			status = fill(a, sparams, wanted, p);
	}
	return status;
}
