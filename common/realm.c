/*
 * realm.c - realms' own policies, kept parsed
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "json_scan.h"
#include "resolver.h"

static bool
find(struct cimd *r, struct span json, const struct policy *machine,
    struct policy **out)
{
	struct realm_slot *s;
	size_t i;

	for (i = 0; i < RESOLVER_REALMS; i++) {
		s = &r->realm[i];
		if (s->machine != machine || s->len != json.n ||
		    memcmp(s->json, json.p, json.n) != 0)
			continue;
		s->used = ++r->realm_clock;
		*out = policy_ref(s->policy);
		return true;
	}
	return false;
}

/* Keep p in the slot that was used least recently. */
static void
keep(struct cimd *r, struct span json, struct policy *machine, struct policy *p)
{
	struct realm_slot *s = &r->realm[0];
	char *copy;
	size_t i;

	if ((copy = malloc(json.n + 1)) == NULL)
		return; /* it is parsed again next time */
	(void)memcpy(copy, json.p, json.n);
	for (i = 1; i < RESOLVER_REALMS; i++)
		if (r->realm[i].used < s->used)
			s = &r->realm[i];
	free(s->json);
	policy_free(&s->policy);
	policy_free(&s->machine);
	s->json = copy;
	s->machine = policy_ref(machine);
	s->len = json.n;
	s->policy = policy_ref(p);
	s->used = ++r->realm_clock;
}

static enum cimd_err
read_realm(struct span json, const struct policy *machine, struct policy **out,
    struct cimd_error *err)
{
	struct json_object *tree = NULL;
	enum cimd_err e;

	if ((e = json_parse(json, &tree, err)) == CIMD_OK)
		e = policy_read_with(tree, POLICY_REALM, machine, out, err);
	json_object_put(tree);
	if (e == CIMD_E_JSON) {
		err_prefix(err, "policy");
		e = CIMD_E_CONFIG;
		if (err != NULL)
			err->code = e;
	}
	return e;
}

enum cimd_err
resolver_realm(struct cimd *r, struct span json, struct policy *machine,
    struct policy **out, struct cimd_error *err)
{
	enum cimd_err e;
	bool found;

	*out = NULL;
	(void)pthread_mutex_lock(&r->lock);
	found = find(r, json, machine, out);
	(void)pthread_mutex_unlock(&r->lock);
	if (found)
		return CIMD_OK;
	if ((e = read_realm(json, machine, out, err)) != CIMD_OK)
		return e;
	(void)pthread_mutex_lock(&r->lock);
	keep(r, json, machine, *out);
	(void)pthread_mutex_unlock(&r->lock);
	return CIMD_OK;
}
