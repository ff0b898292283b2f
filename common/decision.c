/*
 * decision.c - what a lookup answers, shared by all that get the same answer
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "decision.h"
#include "list.h"

struct conclusion *
conclusion_new(struct setup *setup, struct policy *realm, struct entry *entry,
    struct cimd_client *client)
{
	const size_t len = strlen(entry->client_id);
	struct conclusion *c;

	if ((c = aligned_alloc(alignof(struct conclusion), sizeof(*c))) == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	if (len < sizeof(c->client_id))
		memcpy(c->client_id, entry->client_id, len);
	atomic_init(&c->refs, 1);
	c->setup = setup_ref(setup);
	c->realm = realm != NULL ? policy_ref(realm) : NULL;
	c->entry = entry_ref(entry);
	c->client = client_ref(client);
	c->decision[true].redirect_ok = true;
	return c;
}

struct conclusion *
conclusion_ref(struct conclusion *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
conclusion_free(struct conclusion **c)
{
	struct conclusion *last = *c;

	*c = NULL;
	if (last == NULL ||
	    atomic_fetch_sub_explicit(&last->refs, 1, memory_order_acq_rel) !=
		1)
		return;
	cimd_client_free(&last->client);
	entry_free(&last->entry);
	policy_free(&last->realm);
	setup_free(&last->setup);
	free(last);
}

bool
conclusion_holds(const struct conclusion *c, const struct setup *setup,
    const struct consumer *consumer, int64_t now)
{
	return c->lasts && c->setup == setup && c->consumer == consumer &&
	    c->since <= now && now < c->until;
}

struct cimd_decision *
conclusion_decide(struct conclusion *c, struct span redirect_uri)
{
	bool ok = decide_redirect(&c->d, c->client, redirect_uri);

	return &c->decision[ok];
}

void
cimd_decision_free(struct cimd_decision **d)
{
	struct conclusion *of;

	if (d == NULL || *d == NULL)
		return;
	of = LIST_OF(*d - (*d)->redirect_ok, struct conclusion, decision);
	*d = NULL;
	conclusion_free(&of);
}

const struct cimd_client *
cimd_decision_client(const struct cimd_decision *d)
{
	return decision_of(d)->client;
}

bool
cimd_decision_redirect_ok(const struct cimd_decision *d)
{
	return d->redirect_ok;
}

const char *
cimd_decision_trust(const struct cimd_decision *d)
{
	return trust_name(decision_of(d)->d.trust);
}

const char *
cimd_decision_rule(const struct cimd_decision *d)
{
	return decision_of(d)->verdict.name;
}

static uint32_t
method_bit(const char *method)
{
	if (strcmp(method, "none") == 0)
		return METHOD_NONE;
	if (strcmp(method, "private_key_jwt") == 0)
		return METHOD_PRIVATE_KEY_JWT;
	return 0;
}

const char *
cimd_decision_auth_method(const struct cimd_decision *d)
{
	return decision_of(d)->d.preferred == METHOD_PRIVATE_KEY_JWT ?
	    "private_key_jwt" :
	    "none";
}

bool
cimd_decision_allows_method(const struct cimd_decision *d, const char *method)
{
	return (decision_of(d)->d.methods & method_bit(method)) != 0;
}
