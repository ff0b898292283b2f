/*
 * policy_lists.c - deny lists and switches at the top level of a policy
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "policy_int.h"

/* One entry of special_names; "yes" stands for all of them. */
static enum cimd_err
check_special(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	struct policy *p = ctx;
	const char *why = "";

	if (strcmp(text, "yes") == 0) {
		p->special_all = true;
		return CIMD_OK;
	}
	if (host_judge(span_of(text), &why) == HOST_SPECIAL)
		return CIMD_OK;
	return conf_fail(c, member,
	    "\"%.64s\" is no special name such as \"internal\" or \"local\"",
	    text);
}

enum cimd_err
policy_read_special(struct reading *r, const char *member)
{
	struct json_object *json = conf_get(r->c, member);

	if (json_object_is_type(json, json_type_boolean))
		return conf_bool(r->c, member, &r->p->special_all);
	return conf_strings(r->c, member, check_special, r->p, &r->p->special);
}

enum cimd_err
policy_read_root_path(struct reading *r, const char *member)
{
	return conf_bool(r->c, member, &r->p->root_path);
}

enum cimd_err
policy_read_query(struct reading *r, const char *member)
{
	return conf_bool(r->c, member, &r->p->query);
}

enum cimd_err
policy_read_default(struct reading *r, const char *member)
{
	static const struct conf_word words[] = {
		{ "deny", TRUST_BLOCKED },
		{ "pending", TRUST_PENDING },
		{ "unverified", TRUST_UNVERIFIED },
		{ NULL, 0 },
	};
	unsigned int value = TRUST_BLOCKED;
	enum cimd_err e;

	/* cimdctl check judges anybody, unless clients are named. */
	if (r->source == POLICY_BATCH && !conf_has(r->c, "client") &&
	    !conf_has(r->c, "allow"))
		value = TRUST_UNVERIFIED;
	e = conf_word(r->c, member, words, &value);
	r->p->admits = value != TRUST_BLOCKED;
	r->p->any.trust = (enum trust)value;
	return e;
}

static enum cimd_err
add_denial(struct reading *r, const char *member, const char *text,
    enum deny_kind kind)
{
	struct denial what = { kind, text, conf_place(r->c, member), member,
		NULL };

	return deny_add(r->p, &what, r->c->err);
}

static enum cimd_err
deny_item(const struct conf *c, const char *member, const char *text, void *ctx)
{
	struct reading *r = ctx;
	const char *why = "";
	enum cimd_err e;

	if (match_is_url(text)) {
		e = match_check(r->p, c, member, text);
		if (e != CIMD_OK)
			return e;
		return add_denial(r, member, text, DENY_URL);
	}
	if (host_judge(span_of(text), &why) == HOST_BAD)
		return conf_fail(c, member,
		    "\"%.64s\" is neither an https URL nor a host (%s)%s", text,
		    why, text[0] == '*' ? "; see deny_suffix" : "");
	return add_denial(r, member, text, DENY_HOST);
}

enum cimd_err
policy_read_deny(struct reading *r, const char *member)
{
	return conf_each(r->c, member, deny_item, r);
}

static enum cimd_err
suffix_item(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	struct reading *r = ctx;
	const char *name = text, *why = "";
	enum host_kind kind;

	if (strncmp(text, "*.", 2) == 0)
		name = text + 2;
	kind = host_judge(span_of(name), &why);
	if (kind != HOST_SPECIAL && match_public_suffix(name))
		return conf_fail(c, member,
		    "\"%.64s\": %.64s is a public suffix, under which "
		    "strangers have names of their own; deny their hosts one "
		    "by one",
		    text, name);
	if (kind == HOST_IPV4 || kind == HOST_IPV6)
		why = "is an IP address";
	if (kind != HOST_NAME && kind != HOST_SPECIAL)
		return conf_fail(c, member,
		    "\"%.64s\" is no suffix of hosts: %s", text, why);
	if (name != text)
		return conf_fail(c, member,
		    "write \"%.64s\": a suffix covers the host and all names "
		    "under it",
		    name);
	return add_denial(r, member, text, DENY_SUFFIX);
}

enum cimd_err
policy_read_suffix(struct reading *r, const char *member)
{
	return conf_each(r->c, member, suffix_item, r);
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static enum cimd_err
check_country(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	(void)ctx;
	if (strlen(text) == 2 && is_letter(text[0]) && is_letter(text[1]))
		return CIMD_OK;
	return conf_fail(c, member,
	    "\"%.32s\" is no country code of two letters (ISO 3166)", text);
}

enum cimd_err
policy_read_country(struct reading *r, const char *member)
{
	return conf_strings(r->c, member, check_country, NULL,
	    &r->p->countries);
}

static enum cimd_err
forbidden_item(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	if (text[0] == '\0')
		return conf_fail(c, member, "a client_id must not be empty");
	/* Others never get here: they are no client identifier URLs. */
	if (!match_is_url(text))
		return CIMD_OK;
	return add_denial(ctx, member, text, DENY_FORBIDDEN);
}

enum cimd_err
policy_read_forbidden(struct reading *r, const char *member)
{
	return conf_each(r->c, member, forbidden_item, r);
}

enum cimd_err
policy_read_method_error(struct reading *r, const char *member)
{
	static const struct conf_word words[] = {
		{ "unauthorized_client", false },
		{ "invalid_client", true },
		{ NULL, 0 },
	};
	unsigned int value = false;
	enum cimd_err e;

	e = conf_word(r->c, member, words, &value);
	r->p->method_error_given = conf_has(r->c, member);
	r->p->method_error_client = value != 0;
	return e;
}
