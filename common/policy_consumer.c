/*
 * policy_consumer.c - consumer sections: who may ask
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "policy_int.h"

/* The name of a section that is for every service that no section names. */
static const char any_service[] = "*";

/* A service is a name that PAM, SASL and saslauthd use: no blanks, no "/". */
static enum cimd_err
check_service(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	size_t i;

	(void)ctx;
	if (strcmp(text, any_service) == 0)
		return CIMD_OK;
	for (i = 0; text[i] > ' ' && text[i] <= '~' && text[i] != '/' &&
	     text[i] != '*';
	     i++)
		continue;
	if (i > 0 && text[i] == '\0')
		return CIMD_OK;
	return conf_fail(c, member, "\"%.64s\" is no service name", text);
}

static enum cimd_err
check_audience(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	(void)ctx;
	if (text[0] != '\0')
		return CIMD_OK;
	return conf_fail(c, member, "an audience must not be empty");
}

const char *
consumer_member_name(size_t i)
{
	static const char *const names[] = { "name", "uid", "gid", "service",
		"delegate", "audiences", "clients", NULL };

	return names[i];
}

static enum cimd_err
read_numbers(const struct conf *c, struct consumer *out)
{
	/* The largest number means "no such user" to the system. */
	static const struct conf_range range = { 0, UINT32_MAX - 1, "" };
	enum cimd_err e;

	e = conf_numbers(c, "uid", &range, &out->uids, &out->n_uids);
	if (e != CIMD_OK)
		return e;
	return conf_numbers(c, "gid", &range, &out->gids, &out->n_gids);
}

/* One list of strings into the fields of a consumer. */
static enum cimd_err
read_list(const struct conf *c, const char *member, conf_item_fn *check,
    char ***v, size_t *n)
{
	struct conf_strings list = { *v, *n };
	enum cimd_err e;

	e = conf_strings(c, member, check, NULL, &list);
	*v = list.v;
	*n = list.n;
	return e;
}

enum cimd_err
consumer_read(const struct conf *c, struct consumer *out)
{
	enum cimd_err e;

	memset(out, 0, sizeof(*out));
	e = conf_known(c, consumer_member_name);
	if (e != CIMD_OK)
		return e;
	out->name = strdup(c->name);
	out->where = strdup(conf_place(c, ""));
	if (out->name == NULL || out->where == NULL)
		return err_no_memory(c->err);
	e = read_numbers(c, out);
	if (e == CIMD_OK)
		e = read_list(c, "service", check_service, &out->services,
		    &out->n_services);
	if (e == CIMD_OK)
		e = conf_bool(c, "delegate", &out->delegate);
	if (e == CIMD_OK)
		e = read_list(c, "audiences", check_audience, &out->audiences,
		    &out->n_audiences);
	if (e == CIMD_OK)
		e = read_list(c, "clients", NULL, &out->clients,
		    &out->n_clients);
	return e;
}

void
consumer_clear(struct consumer *c)
{
	free(c->name);
	free(c->where);
	free(c->uids);
	free(c->gids);
	conf_free_strings(&c->services, c->n_services);
	conf_free_strings(&c->audiences, c->n_audiences);
	conf_free_strings(&c->clients, c->n_clients);
	memset(c, 0, sizeof(*c));
}

static bool
lists(const struct consumer *c, const char *service)
{
	size_t i;

	for (i = 0; i < c->n_services; i++)
		if (strcmp(c->services[i], service) == 0)
			return true;
	return false;
}

static bool
has_service(const struct consumer *c, const struct cimd_caller *who)
{
	return strcmp(who->service, any_service) != 0 && lists(c, who->service);
}

static bool
has_any(const struct consumer *c, const struct cimd_caller *who)
{
	(void)who;
	return lists(c, any_service);
}

static bool
has_uid(const struct consumer *c, const struct cimd_caller *who)
{
	size_t i;

	for (i = 0; i < c->n_uids; i++)
		if ((int64_t)c->uids[i] == who->uid)
			return true;
	return false;
}

static bool
has_gid(const struct consumer *c, const struct cimd_caller *who)
{
	size_t i, j;

	for (i = 0; i < c->n_gids; i++)
		for (j = 0; j < who->n_gids; j++)
			if (c->gids[i] == who->gids[j])
				return true;
	return false;
}

/* May the peer say that it is a service of this section? */
static bool
may_say(const struct consumer *c, const struct cimd_caller *who)
{
	return who->uid == 0 || has_uid(c, who) || has_gid(c, who);
}

static bool
is_service(const struct consumer *c, const struct cimd_caller *who)
{
	return has_service(c, who) && may_say(c, who);
}

static bool
is_any(const struct consumer *c, const struct cimd_caller *who)
{
	return has_any(c, who) && may_say(c, who);
}

static bool
is_user(const struct consumer *c, const struct cimd_caller *who)
{
	return c->n_services == 0 && has_uid(c, who);
}

static bool
is_group(const struct consumer *c, const struct cimd_caller *who)
{
	return c->n_services == 0 && has_gid(c, who);
}

typedef bool consumer_test(const struct consumer *c,
    const struct cimd_caller *who);

static const struct consumer *
first(const struct policy *p, const struct cimd_caller *who,
    consumer_test *test)
{
	size_t i;

	for (i = 0; p->consumers != NULL && i < p->n_consumers; i++)
		if (test(&p->consumers[i], who))
			return &p->consumers[i];
	return NULL;
}

/*
 * The section of the service that the peer says it is.  A service that no
 * section names never counts as its user: it would be a misspelt one, which
 * then came in by rules that nobody wrote for it.
 */
static const struct consumer *
of_service(const struct policy *p, const struct cimd_caller *who,
    enum asker *asker)
{
	const struct consumer *out;

	*asker = ASKER_CLAIMS;
	out = first(p, who, is_service);
	if (out != NULL || first(p, who, has_service) != NULL)
		return out;
	out = first(p, who, is_any);
	if (out == NULL && first(p, who, has_any) == NULL)
		*asker = ASKER_UNNAMED;
	return out;
}

const struct consumer *
policy_consumer(const struct policy *p, const struct cimd_caller *who,
    enum asker *asker)
{
	const struct consumer *out;

	*asker = ASKER_OPEN;
	if (p->n_consumers == 0)
		return NULL;
	*asker = ASKER_UNKNOWN;
	if (who->service != NULL)
		out = of_service(p, who, asker);
	else if ((out = first(p, who, is_user)) == NULL)
		out = first(p, who, is_group);
	if (out != NULL)
		*asker = ASKER_KNOWN;
	return out;
}

const struct consumer *
policy_consumer_named(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_consumers; i++)
		if (strcmp(p->consumers[i].name, name) == 0)
			return &p->consumers[i];
	return NULL;
}

bool
policy_delegates(const struct policy *p, const char *name)
{
	const struct consumer *c;
	size_t i;

	for (i = 0; i < p->n_consumers; i++) {
		c = &p->consumers[i];
		if (c->delegate && (name == NULL || strcmp(c->name, name) == 0))
			return true;
	}
	return false;
}
