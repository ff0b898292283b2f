/*
 * policy_table.c - finds the rule or the denial that speaks about a URL
 * SPDX-License-Identifier: Apache-2.0
 *
 * Exact URLs and hosts are found by binary search in sorted tables; only
 * patterns are tried one by one.
 */

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "policy_int.h"

#define LENGTH_BIT(n) (UINT64_C(1) << ((n) % 64))

/* Order of slots: length first, because lengths differ most often. */
static int
key_order(struct span a, struct span b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

static int
slot_order(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	int order = key_order(x->key, y->key);

	if (order != 0)
		return order;
	return x->i < y->i ? -1 : x->i > y->i;
}

size_t
slots_find(const struct slots *s, struct span key)
{
	size_t low = 0, high = s->n, mid;

	if ((s->lengths & LENGTH_BIT(key.n)) == 0)
		return s->n;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (key_order(s->v[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < s->n && key_order(s->v[low].key, key) == 0)
		return low;
	return s->n;
}

/* Make room for n slots. */
static enum cimd_err
slots_init(struct slots *s, size_t n, struct cimd_error *err)
{
	free(s->v);
	s->n = 0;
	s->lengths = 0;
	s->v = calloc(n + 1, sizeof(*s->v));
	return s->v == NULL ? err_no_memory(err) : CIMD_OK;
}

static void
slots_add(struct slots *s, const char *key, size_t i)
{
	struct slot *slot = &s->v[s->n++];

	slot->key = span_of(key);
	slot->i = i;
	s->lengths |= LENGTH_BIT(slot->key.n);
}

static void
slots_sort(struct slots *s)
{
	qsort(s->v, s->n, sizeof(*s->v), slot_order);
}

static enum cimd_err
named_twice(const struct rule *r, const char *kind, struct cimd_error *err)
{
	(void)err_set(err, CIMD_E_CONFIG, "policy",
	    "%s \"%.96s\": the name is there twice", kind, r->name);
	if (r->where[0] != '\0')
		err_prefix(err, "%s", r->where);
	return CIMD_E_CONFIG;
}

enum cimd_err
table_names(const struct rule *rules, size_t n, const char *kind,
    struct slots *out, struct cimd_error *err)
{
	enum cimd_err e;
	size_t i;

	e = slots_init(out, n, err);
	if (e != CIMD_OK)
		return e;
	for (i = 0; i < n; i++)
		slots_add(out, rules[i].name, i);
	slots_sort(out);
	for (i = 1; i < n; i++)
		if (span_eq(out->v[i - 1].key, out->v[i].key))
			return named_twice(&rules[out->v[i].i], kind, err);
	return CIMD_OK;
}

static void
deny_clear(struct deny *d)
{
	free(d->text);
	free(d->host);
	free(d->where);
}

/* A copy of a host in lower case; NULL: out of memory. */
static char *
lower_copy(struct span host)
{
	char *out = malloc(host.n + 1);
	size_t i;

	if (out == NULL)
		return NULL;
	for (i = 0; i < host.n; i++)
		out[i] = ascii_lower(host.p[i]);
	out[i] = '\0';
	return out;
}

enum cimd_err
deny_add(struct policy *p, const struct denial *what, struct cimd_error *err)
{
	struct deny *more, d = { .kind = what->kind };
	struct target t;

	more = reallocarray(p->denies, p->n_denies + 1, sizeof(*more));
	if (more == NULL)
		return err_no_memory(err);
	p->denies = more;
	d.text = strdup(what->text);
	t = match_target(span_of(d.text));
	if (t.host.p == NULL)
		t.host = span_of(d.text);
	d.host = d.text == NULL ? NULL : lower_copy(t.host);
	d.where = strdup(what->where);
	if (d.host == NULL || d.where == NULL) {
		deny_clear(&d);
		return err_no_memory(err);
	}
	d.list = what->list;
	d.rule = what->rule;
	d.port = t.port;
	d.rest = t.rest.n == 0 ? span_of("/") : t.rest;
	p->denies[p->n_denies++] = d;
	return CIMD_OK;
}

/* What a blocked rule matches is denied, in all its spellings. */
static enum cimd_err
deny_rule(struct policy *p, const struct rule *r, struct cimd_error *err)
{
	struct denial what = { DENY_URL, NULL, r->where, NULL, r->name };
	enum cimd_err e = CIMD_OK;
	size_t i;

	for (i = 0; i < r->n_match && e == CIMD_OK; i++) {
		what.text = r->match[i];
		e = deny_add(p, &what, err);
	}
	return e;
}

/* Sort the matches of rule i into exact URLs and patterns. */
static void
add_matches(struct policy *p, size_t i)
{
	const struct rule *r = &p->rules[i];
	struct pattern *pattern;
	const char *star;
	size_t j;

	for (j = 0; j < r->n_match; j++) {
		star = strchr(r->match[j], '*');
		if (star == NULL) {
			slots_add(&p->exact, r->match[j], i);
			continue;
		}
		pattern = &p->patterns[p->n_patterns++];
		pattern->text = r->match[j];
		pattern->prefix.p = r->match[j];
		pattern->prefix.n = (size_t)(star - r->match[j]);
		pattern->rule = i;
	}
}

static enum cimd_err
build_rules(struct policy *p, struct cimd_error *err)
{
	size_t i, n = 0;
	enum cimd_err e;

	for (i = 0; i < p->n_rules; i++)
		n += p->rules[i].n_match;
	e = slots_init(&p->exact, n, err);
	if (e != CIMD_OK)
		return e;
	p->patterns = calloc(n + 1, sizeof(*p->patterns));
	if (p->patterns == NULL)
		return err_no_memory(err);
	for (i = 0; i < p->n_rules; i++) {
		if (p->rules[i].trust != TRUST_BLOCKED)
			add_matches(p, i);
		else if ((e = deny_rule(p, &p->rules[i], err)) != CIMD_OK)
			return e;
	}
	slots_sort(&p->exact);
	return CIMD_OK;
}

enum cimd_err
table_build(struct policy *p, struct cimd_error *err)
{
	enum cimd_err e;
	size_t i;

	e = build_rules(p, err);
	if (e == CIMD_OK)
		e = slots_init(&p->hosts, p->n_denies, err);
	if (e != CIMD_OK)
		return e;
	for (i = 0; i < p->n_denies; i++)
		slots_add(&p->hosts, p->denies[i].host, i);
	slots_sort(&p->hosts);
	return CIMD_OK;
}

void
policy_clear(struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_denies; i++)
		deny_clear(&p->denies[i]);
	free(p->denies);
	free(p->patterns);
	free(p->exact.v);
	free(p->names.v);
	free(p->catalog_names.v);
	free(p->hosts.v);
}

const struct rule *
table_rule(const struct policy *p, struct span url, bool *exact)
{
	const struct pattern *pattern;
	size_t i;

	i = slots_find(&p->exact, url);
	*exact = i < p->exact.n;
	if (*exact)
		return &p->rules[p->exact.v[i].i];
	for (i = 0; i < p->n_patterns; i++) {
		pattern = &p->patterns[i];
		if (pattern->prefix.n < url.n &&
		    memcmp(pattern->prefix.p, url.p, pattern->prefix.n) == 0 &&
		    policy_match(pattern->text, url))
			return &p->rules[pattern->rule];
	}
	return NULL;
}

/* Does this entry, found by a part of the host, deny the URL? */
static bool
denies(const struct deny *d, const struct url *url, bool whole_host)
{
	struct span rest;

	switch (d->kind) {
	case DENY_SUFFIX:
		return true;
	case DENY_HOST:
		return whole_host;
	case DENY_URL:
	case DENY_FORBIDDEN:
		break;
	}
	rest.p = url->path.p;
	rest.n = url->whole.n - (size_t)(url->path.p - url->whole.p);
	return whole_host && d->port == url->port &&
	    match_denied(d->rest, rest);
}

const struct deny *
table_deny(const struct policy *p, const struct url *url)
{
	char low[CIMD_MAX_URL];
	struct span key;
	size_t at, i;

	if (p->n_denies == 0)
		return NULL;
	assert(url->host.n <= sizeof(low));
	for (i = 0; i < url->host.n; i++)
		low[i] = ascii_lower(url->host.p[i]);
	for (at = 0; at < url->host.n; at++) {
		if (at > 0 && low[at - 1] != '.')
			continue;
		key.p = low + at;
		key.n = url->host.n - at;
		for (i = slots_find(&p->hosts, key);
		     i < p->hosts.n && span_eq(p->hosts.v[i].key, key); i++)
			if (denies(&p->denies[p->hosts.v[i].i], url, at == 0))
				return &p->denies[p->hosts.v[i].i];
	}
	return NULL;
}
