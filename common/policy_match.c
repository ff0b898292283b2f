/*
 * policy_match.c - exact URLs, patterns and suffixes: checked and compared
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <libpsl.h>

#include "ascii.h"
#include "policy_int.h"

enum {
	SCHEME = 8 /* bytes of "https://" */
};

static struct span
tail(struct span s, size_t from)
{
	struct span out = { s.p + from, s.n - from };

	return out;
}

static struct span
head(struct span s, size_t n)
{
	struct span out = { s.p, n };

	return out;
}

/* Bytes before the first that is in set; all of them if none is. */
static size_t
until(struct span s, const char *set)
{
	const char *p;
	size_t n;

	for (n = 0; n < s.n; n++)
		for (p = set; *p != '\0'; p++)
			if (s.p[n] == *p)
				return n;
	return n;
}

bool
match_is_url(const char *text)
{
	struct span s = span_of(text);

	return s.n >= SCHEME && span_is_nocase(head(s, SCHEME), "https://");
}

/* Is "*" at the start of s a whole path segment?  A "/" stands before it. */
static bool
is_wild(struct span s)
{
	return s.n > 0 && s.p[0] == '*' &&
	    (s.n == 1 || s.p[1] == '/' || s.p[1] == '?');
}

bool
policy_match(const char *pattern, struct span url)
{
	struct span want = span_of(pattern);
	size_t segment;

	while (want.n > 0) {
		if (url.n == 0 || want.p[0] != url.p[0])
			return false;
		want = tail(want, 1);
		url = tail(url, 1);
		if (want.p[-1] != '/' || !is_wild(want))
			continue;
		segment = until(url, "/?");
		if (segment == 0)
			return false;
		want = tail(want, 1);
		url = tail(url, segment);
	}
	return url.n == 0;
}

bool
match_suffix(struct span host, const char *suffix)
{
	size_t n = strlen(suffix);

	if (n == 0 || host.n < n ||
	    !span_is_nocase(tail(host, host.n - n), suffix))
		return false;
	return host.n == n || host.p[host.n - n - 1] == '.';
}

bool
match_public_suffix(const char *host)
{
	char low[CIMD_MAX_HOST + 1];
	size_t i;

	for (i = 0; host[i] != '\0'; i++) {
		if (i == CIMD_MAX_HOST)
			return false;
		low[i] = ascii_lower(host[i]);
	}
	low[i] = '\0';
	return i > 0 && psl_is_public_suffix(psl_builtin(), low) != 0;
}

/* Port digits; 0 where they are no port. */
static uint16_t
port_of(struct span digits)
{
	unsigned int port = 0;
	size_t i;

	for (i = 0; i < digits.n && port <= UINT16_MAX; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return 0;
		port = port * 10 + (unsigned int)(digits.p[i] - '0');
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

struct target
match_target(struct span url)
{
	struct target out = { { NULL, 0 }, 443, { NULL, 0 } };
	struct span authority;
	size_t n;

	if (url.n < SCHEME || !span_is_nocase(head(url, SCHEME), "https://"))
		return out;
	url = tail(url, SCHEME);
	n = until(url, "/?#");
	authority = head(url, n);
	out.rest = tail(url, n);
	n = 0;
	if (authority.n > 0 && authority.p[0] == '[')
		n = until(authority, "]");
	n += until(tail(authority, n), ":");
	out.host = head(authority, n);
	if (n < authority.n)
		out.port = port_of(tail(authority, n + 1));
	return out;
}

bool
match_special_ok(const struct policy *p, struct span url)
{
	struct span host;
	size_t i;

	if (p->special_all)
		return true;
	if (p->special.n == 0 && !p->special_loopback)
		return false;
	host = match_target(url).host;
	if (p->special_loopback && host_is_loopback(host))
		return true;
	for (i = 0; i < p->special.n; i++)
		if (match_suffix(host, p->special.v[i]))
			return true;
	return false;
}

/* Why the host part may not hold a "*". */
static enum cimd_err
wild_host(const struct conf *c, const char *member, const char *text,
    struct span host)
{
	char name[CIMD_MAX_HOST + 1];

	if (host.n < 3 || host.n > sizeof(name) + 1 ||
	    memcmp(host.p, "*.", 2) != 0)
		return conf_fail(c, member,
		    "\"%.96s\": \"*\" stands for a path segment, never for a "
		    "host or a part of one",
		    text);
	memcpy(name, host.p + 2, host.n - 2);
	name[host.n - 2] = '\0';
	if (match_public_suffix(name))
		return conf_fail(c, member,
		    "\"*.%.64s\": anyone can have a name under the public "
		    "suffix %.64s; name the host",
		    name, name);
	return conf_fail(c, member,
	    "\"*.%.64s\": a host is never wild; name each host", name);
}

/* Each "*" is a whole path segment; *wild: there is one. */
static enum cimd_err
check_stars(const struct conf *c, const char *member, const char *text,
    bool *wild)
{
	struct target t = match_target(span_of(text));
	size_t i, path = until(t.rest, "?");

	*wild = false;
	if (memchr(text, '*', strlen(text) - t.rest.n) != NULL)
		return wild_host(c, member, text, t.host);
	for (i = 0; i < t.rest.n; i++) {
		if (t.rest.p[i] != '*')
			continue;
		if (i >= path)
			return conf_fail(c, member,
			    "\"%.96s\": no \"*\" in a query", text);
		if (t.rest.p[i - 1] != '/' || !is_wild(tail(t.rest, i)))
			return conf_fail(c, member,
			    "\"%.96s\": \"*\" must be a whole path segment",
			    text);
		*wild = true;
	}
	return CIMD_OK;
}

/* A fault of a client_id, to be told of the text of a rule. */
static const char *
reason(const char *text)
{
	static const char subject[] = "client_id ";
	size_t n = sizeof(subject) - 1;

	return strncmp(text, subject, n) == 0 ? text + n : text;
}

enum cimd_err
match_check(const struct policy *p, const struct conf *c, const char *member,
    const char *text)
{
	struct cimd_error why = { 0 };
	unsigned int flags = 0;
	struct url url;
	enum cimd_err e;
	bool wild;

	if (!match_is_url(text))
		return conf_fail(c, member,
		    "\"%.96s\" does not start with https://", text);
	e = check_stars(c, member, text, &wild);
	if (e != CIMD_OK)
		return e;
	if (!wild)
		flags |= URL_ALLOW_ADDRESS;
	if (match_special_ok(p, span_of(text)))
		flags |= URL_ALLOW_SPECIAL;
	if (!p->root_path)
		flags |= URL_REFUSE_ROOT;
	if (!p->query)
		flags |= URL_REFUSE_QUERY;
	e = url_parse(span_of(text), flags, &url, &why);
	if (e == CIMD_E_NO_MEMORY)
		return err_no_memory(c->err);
	if (e != CIMD_OK)
		return conf_fail(c, member, "\"%.96s\" %s", text,
		    reason(why.text));
	return CIMD_OK;
}

/* Take one byte, a percent triplet decoded; s is not empty. */
static unsigned char
take(struct span *s)
{
	unsigned char out = (unsigned char)s->p[0];
	size_t n = 1;

	if (out == '%' && s->n >= 3 && ascii_hex(s->p[1]) >= 0 &&
	    ascii_hex(s->p[2]) >= 0) {
		out = (unsigned char)(ascii_hex(s->p[1]) << 4 |
		    ascii_hex(s->p[2]));
		n = 3;
	}
	*s = tail(*s, n);
	return out;
}

bool
match_denied(struct span denied, struct span rest)
{
	bool any_query = memchr(denied.p, '?', denied.n) == NULL;
	size_t segment;
	bool slash;

	while (denied.n > 0) {
		slash = denied.p[0] == '/';
		if (rest.n == 0 || take(&denied) != take(&rest))
			return false;
		if (!slash || !is_wild(denied))
			continue;
		segment = until(rest, "/?");
		if (segment == 0)
			return false;
		denied = tail(denied, 1);
		rest = tail(rest, segment);
	}
	return rest.n == 0 || (any_query && rest.p[0] == '?');
}
