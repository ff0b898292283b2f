/*
 * policy_read.c - reads a policy: its top level, then its sections
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "policy_int.h"
#include "settings.h"

/* Room for one more zeroed element behind n; NULL: out of memory. */
static void *
grow(void *v, size_t n, size_t size)
{
	char *more = reallocarray(v, n + 1, size);

	if (more != NULL)
		memset(more + n * size, 0, size);
	return more;
}

static struct rule *
new_rule(struct rule **v, size_t *n)
{
	struct rule *more = grow(*v, *n, sizeof(*more));

	if (more == NULL)
		return NULL;
	*v = more;
	return &more[(*n)++];
}

/* Read a section as it stands, without defaults. */
static enum cimd_err
read_section(const struct policy *p, const struct conf *c, struct rule *r)
{
	r->name = strdup(c->name);
	r->where = strdup(conf_place(c, ""));
	if (r->name == NULL || r->where == NULL)
		return err_no_memory(c->err);
	return rule_read(p, c, r);
}

static enum cimd_err
catalog_section(const struct conf *c, void *ctx)
{
	struct reading *r = ctx;
	struct rule *rule = new_rule(&r->p->catalog, &r->p->n_catalog);

	if (rule == NULL)
		return err_no_memory(c->err);
	return read_section(r->p, c, rule);
}

static enum cimd_err
read_catalog(struct reading *r, const char *member)
{
	enum cimd_err e;

	e = conf_sections(r->c, member, catalog_section, r);
	if (e != CIMD_OK)
		return e;
	return table_names(r->p->catalog, r->p->n_catalog, member,
	    &r->p->catalog_names, r->c->err);
}

static enum cimd_err
client_section(const struct conf *c, void *ctx)
{
	struct reading *r = ctx;
	struct rule *rule = new_rule(&r->p->rules, &r->p->n_rules);
	enum cimd_err e;

	if (rule == NULL)
		return err_no_memory(c->err);
	e = read_section(r->p, c, rule);
	if (e == CIMD_OK && strcmp(c->name, r->p->any.name) == 0)
		e = conf_fail(c, "",
		    "the name stands for what no section matches");
	if (e == CIMD_OK)
		rule_fill(rule, &r->p->any);
	return e;
}

static enum cimd_err
read_client(struct reading *r, const char *member)
{
	enum cimd_err e;

	e = conf_sections(r->c, member, client_section, r);
	if (e != CIMD_OK)
		return e;
	return table_names(r->p->rules, r->p->n_rules, member, &r->p->names,
	    r->c->err);
}

/* A rule by its name in a sorted table; NULL: none. */
static const struct rule *
by_name(const struct slots *names, const struct rule *rules, const char *name)
{
	size_t i = slots_find(names, span_of(name));

	return i < names->n ? &rules[names->v[i].i] : NULL;
}

/* What a name in "allow" means outside of the client sections. */
static const struct rule *
allowed(const struct reading *r, const char *name)
{
	const struct policy *from[2] = { r->p, r->base };
	const struct rule *out = NULL;
	size_t i;

	for (i = 0; i < 2 && out == NULL; i++)
		if (from[i] != NULL)
			out = by_name(&from[i]->catalog_names, from[i]->catalog,
			    name);
	if (out == NULL && r->base != NULL)
		out = by_name(&r->base->names, r->base->rules, name);
	return out;
}

/* Fail on a name in "allow" that means nothing, with the nearest that does. */
static enum cimd_err
not_allowed(const struct reading *r, const char *member, const char *name)
{
	const struct policy *from[2] = { r->p, r->base };
	const char *near = NULL;
	size_t i, j, d, best = strlen(name) / 3 + 1;

	for (i = 0; i < 2; i++)
		for (j = 0; from[i] != NULL && j < from[i]->n_catalog; j++) {
			d = conf_distance(name, from[i]->catalog[j].name, best);
			if (d > best || (d == best && near != NULL))
				continue;
			best = d;
			near = from[i]->catalog[j].name;
		}
	return conf_fail(r->c, member,
	    "\"%.64s\" is neither an https URL nor a client of the catalog"
	    "%s%s%s",
	    name, near == NULL ? "" : "; did you mean \"",
	    near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

/* A rule for an exact URL or pattern in "allow". */
static enum cimd_err
url_rule(const struct conf *c, const char *member, const char *text,
    struct rule *rule)
{
	rule->name = strdup(text);
	rule->where = strdup(conf_place(c, member));
	rule->match = calloc(1, sizeof(char *));
	if (rule->name == NULL || rule->where == NULL || rule->match == NULL)
		return err_no_memory(c->err);
	rule->match[0] = strdup(text);
	if (rule->match[0] == NULL)
		return err_no_memory(c->err);
	rule->n_match = 1;
	return CIMD_OK;
}

static enum cimd_err
allow_item(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	struct reading *r = ctx;
	const struct rule *from = NULL;
	enum cimd_err e = CIMD_OK;
	struct rule *rule;

	if (match_is_url(text)) {
		e = match_check(r->p, c, member, text);
	} else if (by_name(&r->p->names, r->p->rules, text) != NULL) {
		return CIMD_OK; /* a section admits by itself */
	} else {
		from = allowed(r, text);
		if (from == NULL)
			e = not_allowed(r, member, text);
	}
	if (e != CIMD_OK)
		return e;
	rule = new_rule(&r->p->rules, &r->p->n_rules);
	if (rule == NULL)
		return err_no_memory(c->err);
	if (from != NULL)
		e = rule_copy(from, rule, c->err);
	else
		e = url_rule(c, member, text, rule);
	if (e == CIMD_OK)
		rule_fill(rule, &r->p->any);
	return e;
}

static enum cimd_err
read_allow(struct reading *r, const char *member)
{
	enum cimd_err e;

	e = conf_each(r->c, member, allow_item, r);
	if (e != CIMD_OK)
		return e;
	return table_names(r->p->rules, r->p->n_rules, "client", &r->p->names,
	    r->c->err);
}

static enum cimd_err
client_of_consumer(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	struct reading *r = ctx;

	if (by_name(&r->p->names, r->p->rules, text) != NULL)
		return CIMD_OK;
	return conf_fail(c, member, "there is no client \"%.64s\"", text);
}

static enum cimd_err
consumer_section(const struct conf *c, void *ctx)
{
	struct reading *r = ctx;
	struct consumer *more;
	enum cimd_err e;

	if (policy_consumer_named(r->p, c->name) != NULL)
		return conf_fail(c, "", "the name is there twice");
	more = grow(r->p->consumers, r->p->n_consumers, sizeof(*more));
	if (more == NULL)
		return err_no_memory(c->err);
	r->p->consumers = more;
	more += r->p->n_consumers++;
	e = consumer_read(c, more);
	if (e != CIMD_OK)
		return e;
	return conf_each(c, "clients", client_of_consumer, r);
}

static enum cimd_err
read_consumer(struct reading *r, const char *member)
{
	return conf_sections(r->c, member, consumer_section, r);
}

static enum cimd_err
read_defaults(struct reading *r, const char *member)
{
	(void)member;
	return rule_read(r->p, r->c, &r->p->any);
}

/* The policy's own members, in the order in which they are read. */
struct row {
	const char *name; /* "": the members that rules take over */
	policy_reader *read;
	bool machine; /* a realm may not have it */
};
static const struct row rows[] = {
	{ "special_names", policy_read_special, true },
	{ "root_path", policy_read_root_path, false },
	{ "query", policy_read_query, false },
	{ "deny", policy_read_deny, false },
	{ "deny_suffix", policy_read_suffix, false },
	{ "deny_country", policy_read_country, true },
	{ "forbidden_client_ids", policy_read_forbidden, false },
	{ "no_common_method_error", policy_read_method_error, false },
	{ "", read_defaults, false },
	{ "catalog", read_catalog, true },
	{ "client", read_client, false },
	{ "allow", read_allow, false },
	{ "consumer", read_consumer, true },
	/* Last: until then, policy.any holds the defaults for rules. */
	{ "default", policy_read_default, false },
};
enum {
	N_ROWS = sizeof(rows) / sizeof(rows[0])
};

const char *
policy_member_name(size_t i)
{
	if (i < N_ROWS)
		return rows[i].name;
	i -= N_ROWS;
	/* All but "match", which is the last. */
	return i < MEMBER_COUNT ? rule_member_name(i) : NULL;
}

/* The same with the settings. */
static const char *
machine_name(size_t i)
{
	if (i < N_ROWS + MEMBER_COUNT)
		return policy_member_name(i);
	i -= N_ROWS + MEMBER_COUNT;
	return i == 0 ? "daemon" : settings_name(i - 1);
}

/* What only the machine's own configuration may hold. */
static enum cimd_err
check_realm(const struct conf *c)
{
	const char *name;
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		if (rows[i].machine && conf_has(c, rows[i].name))
			return conf_fail(c, rows[i].name,
			    "only cimd.conf can say that, not a realm");
	for (i = 0; (name = settings_name(i)) != NULL; i++)
		if (conf_has(c, name))
			return conf_fail(c, name,
			    "only cimd.conf can say that, not a realm");
	return conf_known(c, policy_member_name);
}

static enum cimd_err
read_all(struct reading *r)
{
	enum cimd_err e;
	size_t i;

	if (r->source == POLICY_REALM)
		e = check_realm(r->c);
	else
		e = conf_known(r->c, machine_name);
	if (e == CIMD_OK)
		e = conf_bool(r->c, "development_loopback",
		    &r->p->special_loopback);
	for (i = 0; i < N_ROWS && e == CIMD_OK; i++)
		e = rows[i].read(r, rows[i].name);
	if (e == CIMD_OK)
		e = table_build(r->p, r->c->err);
	return e;
}

enum cimd_err
policy_read_with(struct json_object *json, enum policy_source source,
    const struct policy *base, struct policy **out, struct cimd_error *err)
{
	struct conf c = { json, NULL, NULL, err };
	struct reading r = { NULL, &c, source, base };
	enum cimd_err e;

	*out = NULL;
	if (!json_object_is_type(json, json_type_object))
		return err_set(err, CIMD_E_CONFIG, "policy",
		    "a policy must be a JSON object");
	e = policy_new(&r.p, err);
	if (e != CIMD_OK)
		return e;
	e = read_all(&r);
	if (e != CIMD_OK) {
		policy_free(&r.p);
		return e;
	}
	*out = r.p;
	return CIMD_OK;
}

enum cimd_err
policy_read(struct json_object *json, enum policy_source source,
    struct policy **out, struct cimd_error *err)
{
	return policy_read_with(json, source, NULL, out, err);
}
