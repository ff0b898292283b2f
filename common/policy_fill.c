/*
 * policy_fill.c - rules as values: defaults, copies, the end
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "policy_int.h"

void
rule_free_redirects(struct rule *r)
{
	size_t i;

	for (i = 0; i < r->n_redirects; i++)
		free(r->redirects[i].value);
	free(r->redirects);
	r->redirects = NULL;
	r->n_redirects = 0;
}

static bool
owns(const struct rule *r, enum rule_member m)
{
	return !r->shares || (r->given & MEMBER_BIT(m)) != 0;
}

void
rule_clear(struct rule *r)
{
	free(r->name);
	free(r->where);
	conf_free_strings(&r->match, r->n_match);
	if (owns(r, MEMBER_REDIRECTS))
		rule_free_redirects(r);
	if (owns(r, MEMBER_SCOPES))
		conf_free_strings(&r->scopes, r->n_scopes);
	if (owns(r, MEMBER_PORTS))
		free(r->ports);
	memset(r, 0, sizeof(*r));
}

enum cimd_err
rule_init(struct rule *r, struct cimd_error *err)
{
	memset(r, 0, sizeof(*r));
	r->trust = TRUST_UNVERIFIED;
	r->methods = METHOD_NONE | METHOD_PRIVATE_KEY_JWT;
	r->grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN;
	r->name = strdup("default");
	r->where = strdup("");
	r->redirects = calloc(1, sizeof(*r->redirects));
	if (r->name == NULL || r->where == NULL || r->redirects == NULL) {
		rule_clear(r);
		return err_no_memory(err);
	}
	r->redirects[0].kind = RULE_DOCUMENT;
	r->n_redirects = 1;
	return CIMD_OK;
}

static bool
copy_redirects(const struct rule *from, struct rule *to)
{
	struct redirect_rule *to_i;
	size_t i;

	rule_free_redirects(to);
	to->redirects = calloc(from->n_redirects + 1, sizeof(*to->redirects));
	if (to->redirects == NULL)
		return false;
	for (i = 0; i < from->n_redirects; i++) {
		to_i = &to->redirects[i];
		to_i->kind = from->redirects[i].kind;
		to->n_redirects = i + 1;
		if (from->redirects[i].value == NULL)
			continue;
		to_i->value = strdup(from->redirects[i].value);
		if (to_i->value == NULL)
			return false;
	}
	return true;
}

static bool
copy_scopes(const struct rule *from, struct rule *to)
{
	conf_free_strings(&to->scopes, to->n_scopes);
	to->n_scopes = 0;
	if (!conf_copy_strings(from->scopes, from->n_scopes, &to->scopes))
		return false;
	to->n_scopes = from->n_scopes;
	return true;
}

static bool
copy_ports(const struct rule *from, struct rule *to)
{
	free(to->ports);
	to->n_ports = 0;
	to->ports = calloc(from->n_ports + 1, sizeof(*to->ports));
	if (to->ports == NULL)
		return false;
	if (from->n_ports > 0)
		memcpy(to->ports, from->ports,
		    from->n_ports * sizeof(*to->ports));
	to->n_ports = from->n_ports;
	return true;
}

/* Make one member of to the same; of a list, without a copy. */
static void
take_member(const struct rule *from, struct rule *to, enum rule_member m)
{
	assert(m != MEMBER_COUNT);
	switch (m) {
	case MEMBER_TRUST:
		to->trust = from->trust;
		return;
	case MEMBER_UPDATE:
		to->update = from->update;
		return;
	case MEMBER_REDIRECTS:
		to->redirects = from->redirects;
		to->n_redirects = from->n_redirects;
		return;
	case MEMBER_AUTH:
		to->methods = from->methods;
		return;
	case MEMBER_GRANTS:
		to->grants = from->grants;
		return;
	case MEMBER_SCOPES:
		to->scopes = from->scopes;
		to->n_scopes = from->n_scopes;
		return;
	case MEMBER_PORTS:
		to->ports = from->ports;
		to->n_ports = from->n_ports;
		return;
	case MEMBER_CONTENT_TYPE:
		to->lenient_type = from->lenient_type;
		return;
	case MEMBER_PROFILE:
	case MEMBER_COUNT:
		break;
	}
	to->profile = from->profile;
}

/* Make one member of to the same, of its own; false: out of memory. */
static bool
copy_member(const struct rule *from, struct rule *to, enum rule_member m)
{
	if (m == MEMBER_REDIRECTS)
		return copy_redirects(from, to);
	if (m == MEMBER_SCOPES)
		return copy_scopes(from, to);
	if (m == MEMBER_PORTS)
		return copy_ports(from, to);
	take_member(from, to, m);
	return true;
}

/* Lists are shared, else they would take room times sections. */
void
rule_fill(struct rule *r, const struct rule *defaults)
{
	const struct rule own = *r;
	unsigned int m;

	*r = *defaults;
	r->name = own.name;
	r->where = own.where;
	r->match = own.match;
	r->n_match = own.n_match;
	r->given = own.given;
	for (m = 0; m < MEMBER_COUNT; m++)
		if ((own.given & MEMBER_BIT(m)) != 0)
			take_member(&own, r, (enum rule_member)m);
	r->shares = true;
}

enum cimd_err
rule_copy(const struct rule *from, struct rule *to, struct cimd_error *err)
{
	unsigned int m;

	memset(to, 0, sizeof(*to));
	to->given = from->given;
	to->name = strdup(from->name);
	to->where = strdup(from->where);
	if (to->name == NULL || to->where == NULL ||
	    !conf_copy_strings(from->match, from->n_match, &to->match))
		return err_no_memory(err);
	to->n_match = from->n_match;
	for (m = 0; m < MEMBER_COUNT; m++)
		if ((from->given & MEMBER_BIT(m)) != 0 &&
		    !copy_member(from, to, (enum rule_member)m))
			return err_no_memory(err);
	return CIMD_OK;
}
