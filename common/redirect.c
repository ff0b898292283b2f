/*
 * redirect.c - redirect URIs (section 4.2, RFC 8252, RFC 9700)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <libpsl.h>

#include "host.h"
#include "redirect.h"
#include "uri.h"

/* An http URI whose bytes are well-formed. */
static enum redirect_verdict
judge_http(const struct uri *u, enum redirect_kind *kind,
    enum cimd_warning *warning, const char **why)
{
	if (!host_is_redirect_loopback(u->host)) {
		*warning = WARN_REDIRECT_HTTP;
		*why = "is http to a host that is not this device";
		return REDIRECT_DROP;
	}
	*kind = REDIRECT_LOOPBACK;
	return REDIRECT_KEEP;
}

/* An https URI whose bytes are well-formed. */
static enum redirect_verdict
judge_https(const struct uri *u, enum redirect_kind *kind,
    enum cimd_warning *warning, const char **why)
{
	enum host_kind host = host_judge(u->host, why);

	if (host == HOST_BAD)
		return REDIRECT_DROP;
	if (host == HOST_IPV4 || host == HOST_IPV6 ||
	    host_is_loopback(u->host)) {
		*warning = WARN_REDIRECT_LOCAL;
		*why = "is https to an IP address or to localhost";
		return REDIRECT_DROP;
	}
	*kind = REDIRECT_HTTPS;
	return REDIRECT_KEEP;
}

/* What no redirect URI may have, whatever its scheme. */
static bool
is_well_formed(const struct uri *u, const char **why)
{
	*why = "has a fragment";
	if (u->fragment.p != NULL)
		return false;
	*why = "has userinfo";
	if (u->userinfo.p != NULL)
		return false;
	*why = "has an asterisk";
	return memchr(u->whole.p, '*', u->whole.n) == NULL;
}

enum redirect_verdict
redirect_judge(struct span uri, enum redirect_kind *kind,
    enum cimd_warning *warning, const char **why)
{
	bool http, https, split;
	struct uri u;

	*warning = WARN_REDIRECT_INVALID;
	split = uri_split(uri, &u, why);
	if (uri_scheme_is_dangerous(u.scheme)) {
		*why = "has a scheme that runs or reads locally";
		return REDIRECT_REFUSE;
	}
	if (!split || !is_well_formed(&u, why))
		return REDIRECT_DROP;
	http = span_is_nocase(u.scheme, "http");
	https = span_is_nocase(u.scheme, "https");
	if (!http && !https) {
		*kind = REDIRECT_SCHEME;
		return REDIRECT_KEEP;
	}
	*why = "has no host";
	if (u.host.n == 0)
		return REDIRECT_DROP;
	*why = "has a port that is not 1 to 65535 without leading zero";
	if (uri_port(&u) == 0)
		return REDIRECT_DROP;
	return https ? judge_https(&u, kind, warning, why) :
		       judge_http(&u, kind, warning, why);
}

/* An http URI of the loopback redirect rule, exactly as it must be written. */
static bool
is_loopback_uri(struct span s, struct uri *out)
{
	const char *why;

	return uri_split(s, out, &why) && span_is(out->scheme, "http") &&
	    out->userinfo.p == NULL && out->fragment.p == NULL &&
	    host_is_redirect_loopback(out->host) && uri_port(out) != 0;
}

bool
redirect_match(struct span registered, struct span asked, bool any_port)
{
	struct uri r, a;

	if (asked.p == NULL || asked.n == 0)
		return false;
	if (span_eq(registered, asked))
		return true;
	return any_port && is_loopback_uri(registered, &r) &&
	    is_loopback_uri(asked, &a) && span_eq(r.host, a.host) &&
	    span_eq(r.path, a.path) && span_eq(r.query, a.query);
}

static bool
is_equal_nocase(struct span a, struct span b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++) {
		struct span one = { a.p + i, 1 };
		char other[2] = { b.p[i], '\0' };

		if (!span_is_nocase(one, other))
			return false;
	}
	return true;
}

/* An https URI with host and port and without userinfo. */
static bool
is_https_uri(struct span s, struct uri *out)
{
	const char *why;

	return uri_split(s, out, &why) &&
	    span_is_nocase(out->scheme, "https") && out->host.n > 0 &&
	    out->userinfo.p == NULL && uri_port(out) != 0;
}

bool
redirect_same_origin(struct span client_id, struct span uri)
{
	struct uri c, u;

	return is_https_uri(client_id, &c) && is_https_uri(uri, &u) &&
	    is_equal_nocase(c.host, u.host) && uri_port(&c) == uri_port(&u);
}

/*
 * The registrable domain of an https URI's host, or NULL.  It points into
 * host, which gets the host in lower case.
 */
static const char *
registrable(struct span uri, char host[CIMD_MAX_HOST + 1])
{
	const char *why;
	struct uri u;
	size_t i;
	char c;

	if (!is_https_uri(uri, &u) || host_judge(u.host, &why) != HOST_NAME)
		return NULL;
	for (i = 0; i < u.host.n; i++) {
		c = u.host.p[i];
		host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	host[i] = '\0';
	return psl_registrable_domain(psl_builtin(), host);
}

bool
redirect_same_site(struct span client_id, struct span uri)
{
	char a[CIMD_MAX_HOST + 1], b[CIMD_MAX_HOST + 1];
	const char *x = registrable(client_id, a);
	const char *y = registrable(uri, b);

	return x != NULL && y != NULL && strcmp(x, y) == 0;
}

struct span
redirect_host(struct span uri)
{
	struct span absent = { NULL, 0 };
	const char *why;
	struct uri u;

	return uri_split(uri, &u, &why) && u.host.n > 0 ? u.host : absent;
}
