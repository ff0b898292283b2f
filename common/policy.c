/*
 * policy.c - who may ask for which client, judged before any fetch
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "policy_int.h"

enum cimd_err
policy_new(struct policy **out, struct cimd_error *err)
{
	struct policy *p;
	enum cimd_err e;

	*out = NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_no_memory(err);
	e = rule_init(&p->any, err);
	if (e != CIMD_OK) {
		free(p);
		return e;
	}
	atomic_init(&p->refs, 1);
	p->root_path = true;
	p->query = true;
	*out = p;
	return CIMD_OK;
}

struct policy *
policy_ref(struct policy *p)
{
	(void)atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

static void
destroy(struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		rule_clear(&p->rules[i]);
	free(p->rules);
	for (i = 0; i < p->n_catalog; i++)
		rule_clear(&p->catalog[i]);
	free(p->catalog);
	for (i = 0; i < p->n_consumers; i++)
		consumer_clear(&p->consumers[i]);
	free(p->consumers);
	rule_clear(&p->any);
	conf_free_strings(&p->countries.v, p->countries.n);
	conf_free_strings(&p->special.v, p->special.n);
	policy_clear(p);
	free(p);
}

void
policy_free(struct policy **p)
{
	if (p == NULL || *p == NULL)
		return;
	if (atomic_fetch_sub_explicit(&(*p)->refs, 1, memory_order_acq_rel) ==
	    1)
		destroy(*p);
	*p = NULL;
}

size_t
policy_rules(const struct policy *p)
{
	return p->n_rules;
}

const struct rule *
policy_rule(const struct policy *p, size_t i)
{
	return i < p->n_rules ? &p->rules[i] : NULL;
}

uint32_t
policy_methods(const struct policy *p)
{
	bool beside = p->admits;
	uint32_t methods = 0;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].trust != TRUST_BLOCKED)
			methods |= p->rules[i].methods;
	for (i = 0; i < p->n_consumers; i++)
		beside = beside || p->consumers[i].delegate;
	if (beside || methods == 0)
		methods |= p->any.methods;
	return methods;
}

bool
policy_denies_country(const struct policy *p, const char *iso)
{
	size_t i;

	for (i = 0; i < p->countries.n; i++)
		if (span_is_nocase(span_of(iso), p->countries.v[i]))
			return true;
	return false;
}

bool
policy_has_countries(const struct policy *p)
{
	return p->countries.n > 0;
}

bool
policy_loopback(const struct policy *p)
{
	return p->special_loopback;
}

/* Where the host of an https URL starts, a digit or bracket: an address? */
static bool
maybe_address(struct span id)
{
	enum {
		SCHEME = 8 /* bytes of "https://" */
	};

	return id.n > SCHEME &&
	    (id.p[SCHEME] == '[' || ascii_digit(id.p[SCHEME]));
}

/* The url_flag bits of one policy. */
static unsigned int
flags_of(const struct policy *p, struct span id)
{
	unsigned int out = 0;

	if (p == NULL)
		return 0;
	if (maybe_address(id) && slots_find(&p->exact, id) < p->exact.n)
		out |= URL_ALLOW_ADDRESS;
	if (match_special_ok(p, id))
		out |= URL_ALLOW_SPECIAL;
	if (!p->root_path)
		out |= URL_REFUSE_ROOT;
	if (!p->query)
		out |= URL_REFUSE_QUERY;
	return out;
}

unsigned int
policy_url_flags(const struct policy *p, const struct policy *realm,
    struct span id)
{
	return flags_of(p, id) | flags_of(realm, id);
}

/* How one policy admits a client. */
struct admission {
	const struct rule *rule;
	bool exact;   /* by its very bytes */
	bool section; /* by a client section, not by the default */
};

static const char *
whose(const struct policy_question *q, const struct policy *p)
{
	return p == q->machine ? "" : "the realm's policy: ";
}

static enum cimd_err
check_denied(const struct policy_question *q, const struct policy *p,
    struct cimd_error *err)
{
	const struct deny *d;
	enum cimd_err e;

	if (p == NULL)
		return CIMD_OK;
	d = table_deny(p, q->url);
	if (d == NULL)
		return CIMD_OK;
	if (d->kind == DENY_FORBIDDEN)
		e = err_set(err, CIMD_E_POLICY, "policy",
		    "%s%s: \"%.96s\" is no client", whose(q, p), d->list,
		    d->text);
	else if (d->rule != NULL)
		e = err_set(err, CIMD_E_BLOCKED, "policy",
		    "%sclient \"%.96s\" is blocked", whose(q, p), d->rule);
	else
		e = err_set(err, CIMD_E_BLOCKED, "policy",
		    "%s%s: \"%.96s\" is denied", whose(q, p), d->list, d->text);
	if (d->where[0] != '\0')
		err_prefix(err, "%s", d->where);
	return e;
}

static bool
port_ok(const struct rule *r, uint16_t port)
{
	size_t i;

	if (port == 443)
		return true;
	for (i = 0; i < r->n_ports; i++)
		if (r->ports[i] == port)
			return true;
	return false;
}

static enum cimd_err
find_rule(const struct policy_question *q, const struct policy *p,
    struct admission *out, struct cimd_error *err)
{
	bool address =
	    q->url->host_kind == HOST_IPV4 || q->url->host_kind == HOST_IPV6;

	out->rule = table_rule(p, q->url->whole, &out->exact);
	out->section = out->rule != NULL;
	if (out->rule == NULL && p->admits)
		out->rule = &p->any;
	if (out->rule == NULL)
		return err_set(err, CIMD_E_POLICY, "policy",
		    "%sno client section and no allow entry matches, and "
		    "default is deny",
		    whose(q, p));
	if (address && !out->exact)
		return err_set(err, CIMD_E_POLICY, "policy",
		    "%san IP address needs a rule that names this very URL",
		    whose(q, p));
	return CIMD_OK;
}

static enum cimd_err
check_port(const struct policy_question *q, const struct policy *p,
    const struct rule *r, struct cimd_error *err)
{
	if (port_ok(r, q->url->port))
		return CIMD_OK;
	(void)err_set(err, CIMD_E_PORT, "policy",
	    "%sclient \"%.96s\": port %u is neither 443 nor among ports",
	    whose(q, p), r->name, (unsigned int)q->url->port);
	if (r->where[0] != '\0')
		err_prefix(err, "%s", r->where);
	return CIMD_E_PORT;
}

/* consumer.clients narrows to rules of the machine, whoever decides. */
static enum cimd_err
check_consumer(const struct policy_question *q, struct cimd_error *err)
{
	const struct consumer *c = q->consumer;
	const struct rule *r = NULL;
	const char *name;
	bool exact;
	size_t i;

	if (c == NULL || c->clients == NULL)
		return CIMD_OK;
	if (q->machine != NULL)
		r = table_rule(q->machine, q->url->whole, &exact);
	name = r == NULL ? "default" : r->name;
	for (i = 0; i < c->n_clients; i++)
		if (strcmp(c->clients[i], name) == 0)
			return CIMD_OK;
	(void)err_set(err, CIMD_E_CONSUMER, "policy",
	    "consumer \"%s\" may not ask for clients of rule \"%.96s\"",
	    c->name, name);
	if (c->where[0] != '\0')
		err_prefix(err, "%s", c->where);
	return CIMD_E_CONSUMER;
}

/* pinned serves one document only; approve lets an administrator decide. */
static int
strictness(enum update u)
{
	switch (u) {
	case UPDATE_PINNED:
		return 2;
	case UPDATE_APPROVE:
		return 1;
	case UPDATE_LIVE:
		break;
	}
	return 0;
}

static void
add_rule(struct verdict *v, const struct admission *a)
{
	const struct rule *r = a->rule;

	if (v->n_rules == 0) {
		v->trust = r->trust;
		v->update = r->update;
		v->lenient_type = r->lenient_type;
		v->name = r->name;
	}
	v->rule[v->n_rules++] = r;
	if (a->section && !v->explicit_rule) {
		v->explicit_rule = true;
		v->name = r->name;
	}
	v->named = v->named || a->exact;
	if (r->trust < v->trust)
		v->trust = r->trust;
	if (strictness(r->update) > strictness(v->update))
		v->update = r->update;
	v->lenient_type = v->lenient_type && r->lenient_type;
}

/* Let one policy judge; its rule joins the verdict. */
static enum cimd_err
admit(const struct policy_question *q, const struct policy *p,
    struct verdict *v, struct cimd_error *err)
{
	struct admission a;
	enum cimd_err e;

	e = find_rule(q, p, &a, err);
	if (e == CIMD_OK)
		e = check_port(q, p, a.rule, err);
	if (e == CIMD_OK)
		add_rule(v, &a);
	return e;
}

/* The realm's word on no_common_method_error, else the machine's. */
static bool
method_error(const struct policy_question *q)
{
	if (q->realm != NULL && q->realm->method_error_given)
		return q->realm->method_error_client;
	return q->machine != NULL && q->machine->method_error_client;
}

enum cimd_err
policy_judge(const struct policy_question *q, struct verdict *out,
    struct cimd_error *err)
{
	struct verdict v = { .name = "default" };
	bool delegated;
	enum cimd_err e;

	memset(out, 0, sizeof(*out));
	e = check_denied(q, q->machine, err);
	if (e == CIMD_OK)
		e = check_denied(q, q->realm, err);
	if (e != CIMD_OK)
		return e;
	delegated =
	    q->realm != NULL && q->consumer != NULL && q->consumer->delegate;
	if (q->machine != NULL && !delegated)
		e = admit(q, q->machine, &v, err);
	v.realm_update = q->realm != NULL && v.update == UPDATE_LIVE;
	if (e == CIMD_OK && q->realm != NULL)
		e = admit(q, q->realm, &v, err);
	if (e == CIMD_OK && v.n_rules == 0)
		e = err_set(err, CIMD_E_POLICY, "policy",
		    "there is no policy that could admit a client");
	if (e == CIMD_OK)
		e = check_consumer(q, err);
	if (e != CIMD_OK)
		return e;
	v.no_method_invalid_client = method_error(q);
	*out = v;
	return CIMD_OK;
}

enum cimd_err
policy_judge_keys(const struct url *document, uint16_t port,
    struct cimd_error *err)
{
	if (port == 443 || port == document->port)
		return CIMD_OK;
	return err_set(err, CIMD_E_PORT, "policy",
	    "port %u is neither 443 nor the document's", (unsigned int)port);
}
