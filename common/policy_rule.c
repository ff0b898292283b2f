/*
 * policy_rule.c - client sections and the defaults for them
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "policy_int.h"
#include "uri.h"

const char *
trust_name(enum trust t)
{
	static const char *const names[] = {
		[TRUST_BLOCKED] = "blocked",
		[TRUST_PENDING] = "pending",
		[TRUST_UNVERIFIED] = "unverified",
		[TRUST_TRUSTED] = "trusted",
	};

	return names[t];
}

const char *
update_name(enum update u)
{
	static const char *const names[] = {
		[UPDATE_LIVE] = "live",
		[UPDATE_PINNED] = "pinned",
		[UPDATE_APPROVE] = "approve",
	};

	return names[u];
}

const char *
profile_name(enum profile p)
{
	return p == PROFILE_MCP ? "mcp" : "ietf";
}

struct switches {
	const struct policy *p;
};

static enum cimd_err
check_match(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	const struct switches *switches = ctx;

	return match_check(switches->p, c, member, text);
}

static enum cimd_err
read_match(const struct policy *p, const struct conf *c, struct rule *r)
{
	struct conf_strings list = { NULL, 0 };
	struct switches switches = { p };
	enum cimd_err e;

	if (!conf_has(c, "match"))
		return conf_fail(c, "", "match is missing");
	e = conf_strings(c, "match", check_match, &switches, &list);
	r->match = list.v;
	r->n_match = list.n;
	if (e == CIMD_OK && list.n == 0)
		return conf_fail(c, "match", "must name a URL");
	return e;
}

static enum cimd_err
read_trust(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_word words[] = {
		{ "trusted", TRUST_TRUSTED },
		{ "unverified", TRUST_UNVERIFIED },
		{ "pending", TRUST_PENDING },
		{ "blocked", TRUST_BLOCKED },
		{ NULL, 0 },
	};
	unsigned int value = r->trust;
	enum cimd_err e;

	e = conf_word(c, member, words, &value);
	if (e != CIMD_OK)
		return e;
	if (c->kind == NULL && value == TRUST_BLOCKED)
		return conf_fail(c, member,
		    "blocked is for one client; to admit nobody, use "
		    "default = deny");
	r->trust = (enum trust)value;
	return CIMD_OK;
}

static enum cimd_err
read_update(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_word words[] = {
		{ "live", UPDATE_LIVE },
		{ "pinned", UPDATE_PINNED },
		{ "approve", UPDATE_APPROVE },
		{ NULL, 0 },
	};
	unsigned int value = r->update;
	enum cimd_err e;

	e = conf_word(c, member, words, &value);
	if (e == CIMD_OK)
		r->update = (enum update)value;
	return e;
}

/* host:NAME, after the colon. */
static enum cimd_err
check_host(const struct conf *c, const char *member, const char *name)
{
	const char *why = "";

	switch (host_judge(span_of(name), &why)) {
	case HOST_NAME:
	case HOST_SPECIAL:
		return CIMD_OK;
	case HOST_IPV4:
	case HOST_IPV6:
		why = "is an IP address";
		break;
	case HOST_BAD:
		break;
	}
	return conf_fail(c, member, "host:%.64s %s", name, why);
}

/* scheme:NAME, after the colon (RFC 3986 3.1). */
static enum cimd_err
check_scheme(const struct conf *c, const char *member, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789+-.";
	struct span s = span_of(name);

	if (strspn(name, letters) == 0 || strspn(name, allowed) != s.n)
		return conf_fail(c, member,
		    "scheme:%.32s is no scheme (write it without \"://\")",
		    name);
	if (span_is_nocase(s, "https") || span_is_nocase(s, "http"))
		return conf_fail(c, member,
		    "scheme:%s is not private to a client; use document, "
		    "same-origin, same-site or host:",
		    name);
	if (uri_scheme_is_dangerous(s))
		return conf_fail(c, member,
		    "scheme:%s would run code or read files on the user's "
		    "machine",
		    name);
	return CIMD_OK;
}

/* The part after prefix; NULL where text does not start with it. */
static const char *
after(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* A list that is gone through for each scope or URI of a document. */
static enum cimd_err
check_length(const struct conf *c, const char *member)
{
	if (conf_count(c, member) <= CIMD_MAX_RULE_LIST)
		return CIMD_OK;
	return conf_fail(c, member, "more than %d items", CIMD_MAX_RULE_LIST);
}

/* Is it there already?  A second one would only take time. */
static bool
has_redirect(const struct rule *r, unsigned int kind, const char *value)
{
	const struct redirect_rule *one;
	size_t i;

	for (i = 0; i < r->n_redirects; i++) {
		one = &r->redirects[i];
		if ((unsigned int)one->kind == kind &&
		    (value == NULL || strcmp(one->value, value) == 0))
			return true;
	}
	return false;
}

static enum cimd_err
add_redirect(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	static const struct conf_word words[] = {
		{ "document", RULE_DOCUMENT },
		{ "loopback-exact", RULE_LOOPBACK_EXACT },
		{ "same-origin", RULE_SAME_ORIGIN },
		{ "same-site", RULE_SAME_SITE },
		{ "host:NAME", RULE_HOST },
		{ "scheme:NAME", RULE_SCHEME },
		{ NULL, 0 },
	};
	struct redirect_rule out = { RULE_DOCUMENT, NULL };
	struct rule *r = ctx;
	const char *value;
	unsigned int kind = RULE_HOST;
	enum cimd_err e;

	if ((value = after(text, "host:")) != NULL) {
		e = check_host(c, member, value);
	} else if ((value = after(text, "scheme:")) != NULL) {
		kind = RULE_SCHEME;
		e = check_scheme(c, member, value);
	} else {
		e = conf_word_of(c, member, text, words, &kind);
	}
	if (e != CIMD_OK || has_redirect(r, kind, value))
		return e;
	out.kind = (enum redirect_rule_kind)kind;
	if (value != NULL && (out.value = strdup(value)) == NULL)
		return err_no_memory(c->err);
	r->redirects[r->n_redirects++] = out;
	return CIMD_OK;
}

static enum cimd_err
read_redirects(const struct conf *c, const char *member, struct rule *r)
{
	enum cimd_err e = check_length(c, member);

	if (e != CIMD_OK)
		return e;
	rule_free_redirects(r);
	r->redirects = calloc(conf_count(c, member) + 1, sizeof(*r->redirects));
	if (r->redirects == NULL)
		return err_no_memory(c->err);
	return conf_each(c, member, add_redirect, r);
}

struct bits {
	const struct conf_word *words;
	uint32_t value;
};

static enum cimd_err
add_bit(const struct conf *c, const char *member, const char *text, void *ctx)
{
	struct bits *bits = ctx;
	unsigned int bit = 0;
	enum cimd_err e;

	e = conf_word_of(c, member, text, bits->words, &bit);
	if (e == CIMD_OK)
		bits->value |= bit;
	return e;
}

/* A list of words into their bits, of which at least one must be there. */
static enum cimd_err
read_bits(const struct conf *c, const char *member,
    const struct conf_word *words, uint32_t *out)
{
	struct bits bits = { words, 0 };
	enum cimd_err e;

	e = conf_each(c, member, add_bit, &bits);
	if (e != CIMD_OK)
		return e;
	if (bits.value == 0)
		return conf_fail(c, member, "must name at least one");
	*out = bits.value;
	return CIMD_OK;
}

static enum cimd_err
read_auth(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_word words[] = {
		{ "none", METHOD_NONE },
		{ "private_key_jwt", METHOD_PRIVATE_KEY_JWT },
		{ NULL, 0 },
	};

	return read_bits(c, member, words, &r->methods);
}

/* implicit is missing on purpose (RFC 9700 2.1.2). */
static enum cimd_err
read_grants(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_word words[] = {
		{ "authorization_code", GRANT_AUTHORIZATION_CODE },
		{ "refresh_token", GRANT_REFRESH_TOKEN },
		{ "client_credentials", GRANT_CLIENT_CREDENTIALS },
		{ "jwt-bearer", GRANT_JWT_BEARER },
		{ "device_code", GRANT_DEVICE_CODE },
		{ "token-exchange", GRANT_TOKEN_EXCHANGE },
		{ "ciba", GRANT_CIBA },
		{ "urn:ietf:params:oauth:grant-type:jwt-bearer",
		    GRANT_JWT_BEARER },
		{ "urn:ietf:params:oauth:grant-type:device_code",
		    GRANT_DEVICE_CODE },
		{ "urn:ietf:params:oauth:grant-type:token-exchange",
		    GRANT_TOKEN_EXCHANGE },
		{ "urn:openid:params:grant-type:ciba", GRANT_CIBA },
		{ NULL, 0 },
	};

	return read_bits(c, member, words, &r->grants);
}

/* scope-token of RFC 6749 3.3. */
static enum cimd_err
check_scope(const struct conf *c, const char *member, const char *text,
    void *ctx)
{
	size_t i;

	(void)ctx;
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' ||
		    text[i] == '\\')
			break;
	if (i > 0 && text[i] == '\0')
		return CIMD_OK;
	return conf_fail(c, member,
	    "\"%.64s\" is no scope (RFC 6749 3.3); one scope per item", text);
}

static enum cimd_err
read_scopes(const struct conf *c, const char *member, struct rule *r)
{
	struct conf_strings list = { r->scopes, r->n_scopes };
	enum cimd_err e = check_length(c, member);

	if (e != CIMD_OK)
		return e;
	e = conf_strings(c, member, check_scope, NULL, &list);
	r->scopes = list.v;
	r->n_scopes = list.n;
	return e;
}

static enum cimd_err
read_ports(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_range range = { 1, 65535, "" };
	uint32_t *numbers = NULL;
	size_t i, n = 0;
	enum cimd_err e;
	uint16_t *ports;

	e = conf_numbers(c, member, &range, &numbers, &n);
	if (e != CIMD_OK)
		return e;
	ports = calloc(n + 1, sizeof(*ports));
	if (ports == NULL) {
		free(numbers);
		return err_no_memory(c->err);
	}
	for (i = 0; i < n; i++)
		ports[i] = (uint16_t)numbers[i];
	free(numbers);
	free(r->ports);
	r->ports = ports;
	r->n_ports = n;
	return CIMD_OK;
}

static enum cimd_err
read_content_type(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_word words[] = {
		{ "strict", false },
		{ "lenient", true },
		{ NULL, 0 },
	};
	unsigned int value = r->lenient_type;
	enum cimd_err e;

	e = conf_word(c, member, words, &value);
	if (e == CIMD_OK)
		r->lenient_type = value != 0;
	return e;
}

static enum cimd_err
read_profile(const struct conf *c, const char *member, struct rule *r)
{
	static const struct conf_word words[] = {
		{ "mcp", PROFILE_MCP },
		{ "ietf", PROFILE_IETF },
		{ NULL, 0 },
	};
	unsigned int value = r->profile;
	enum cimd_err e;

	e = conf_word(c, member, words, &value);
	if (e == CIMD_OK)
		r->profile = (enum profile)value;
	return e;
}

/* The members but "match", which only sections have. */
typedef enum cimd_err rule_reader(const struct conf *c, const char *member,
    struct rule *r);
struct row {
	const char *name;
	rule_reader *read;
};
static const struct row rows[MEMBER_COUNT] = {
	[MEMBER_TRUST] = { "trust", read_trust },
	[MEMBER_UPDATE] = { "update", read_update },
	[MEMBER_REDIRECTS] = { "redirects", read_redirects },
	[MEMBER_AUTH] = { "auth", read_auth },
	[MEMBER_GRANTS] = { "grants", read_grants },
	[MEMBER_SCOPES] = { "scopes", read_scopes },
	[MEMBER_PORTS] = { "ports", read_ports },
	[MEMBER_CONTENT_TYPE] = { "content_type", read_content_type },
	[MEMBER_PROFILE] = { "profile", read_profile },
};

const char *
rule_member_name(size_t i)
{
	if (i < MEMBER_COUNT)
		return rows[i].name;
	return i == MEMBER_COUNT ? "match" : NULL;
}

/* Names of a section, with the one that conf_sections() reads. */
static const char *
section_member_name(size_t i)
{
	return i == 0 ? "name" : rule_member_name(i - 1);
}

enum cimd_err
rule_read(const struct policy *p, const struct conf *c, struct rule *r)
{
	enum cimd_err e = CIMD_OK;
	size_t i;

	if (c->kind != NULL) {
		e = conf_known(c, section_member_name);
		if (e == CIMD_OK)
			e = read_match(p, c, r);
	}
	for (i = 0; i < MEMBER_COUNT && e == CIMD_OK; i++) {
		if (!conf_has(c, rows[i].name))
			continue;
		e = rows[i].read(c, rows[i].name, r);
		r->given |= MEMBER_BIT(i);
	}
	return e;
}
