/*
 * uri.c - splits any absolute URI by RFC 3986, never normalises
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "ascii.h"
#include "host.h"
#include "uri.h"

/* One of the bytes of set; NUL never is. */
static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* unreserved and sub-delims (RFC 3986 2.2, 2.3) */
static bool
is_plain(char c)
{
	return ascii_digit(c) || ascii_alpha(c) ||
	    is_one_of(c, "-._~!$&'()*+,;=");
}

/* Only plain bytes, bytes of more, and whole percent triplets? */
static bool
are_bytes(struct span s, const char *more, const char **why)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (is_plain(s.p[i]) || is_one_of(s.p[i], more))
			continue;
		*why = "has a byte that RFC 3986 does not allow there";
		if (s.p[i] != '%')
			return false;
		*why = "has a percent sign without two hex digits";
		if (s.n - i < 3 || ascii_hex(s.p[i + 1]) == -1 ||
		    ascii_hex(s.p[i + 2]) == -1)
			return false;
		i += 2;
	}
	return true;
}

/* Cut s at the first of byte: what stands after it, or absent without it. */
static struct span
cut(struct span *s, char byte)
{
	struct span rest = { NULL, 0 };
	const char *at = s->n == 0 ? NULL : memchr(s->p, byte, s->n);

	if (at != NULL) {
		rest.p = at + 1;
		rest.n = s->n - (size_t)(rest.p - s->p);
		s->n = (size_t)(at - s->p);
	}
	return rest;
}

static bool
split_brackets(struct span s, struct uri *out, const char **why)
{
	struct span inside = { s.p + 1, s.n - 1 };
	struct span rest = cut(&inside, ']');

	*why = "has a bracket that is not closed";
	if (rest.p == NULL)
		return false;
	*why = "has a byte in brackets that RFC 3986 does not allow there";
	if (memchr(s.p, '%', s.n) != NULL || !are_bytes(inside, ":", why))
		return false;
	out->host.p = s.p;
	out->host.n = inside.n + 2;
	if (rest.n == 0)
		return true;
	*why = "has bytes between bracket and port";
	if (rest.p[0] != ':')
		return false;
	out->port.p = rest.p + 1;
	out->port.n = rest.n - 1;
	return true;
}

/* authority = [ userinfo "@" ] host [ ":" port ] (RFC 3986 3.2) */
static bool
split_authority(struct uri *out, const char **why)
{
	struct span s = out->authority;
	struct span after = cut(&s, '@');
	size_t i;

	if (after.p != NULL) {
		out->userinfo = s;
		if (!are_bytes(s, ":", why))
			return false;
		s = after;
	}
	if (s.n > 0 && s.p[0] == '[') {
		if (!split_brackets(s, out, why))
			return false;
	} else {
		out->host = s;
		out->port = cut(&out->host, ':');
		if (!are_bytes(out->host, "", why))
			return false;
	}
	*why = "has a port that is no number";
	for (i = 0; i < out->port.n; i++)
		if (!ascii_digit(out->port.p[i]))
			return false;
	return true;
}

/* The scheme of s; *rest: what follows its colon, absent without a scheme. */
static struct span
read_scheme(struct span s, struct span *rest)
{
	struct span absent = { NULL, 0 };
	size_t i;

	*rest = cut(&s, ':');
	if (rest->p == NULL || s.n == 0 || !ascii_alpha(s.p[0])) {
		*rest = absent;
		return absent;
	}
	for (i = 1; i < s.n; i++) {
		if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) &&
		    !is_one_of(s.p[i], "+-.")) {
			*rest = absent;
			return absent;
		}
	}
	return s;
}

/* Split what follows the scheme. */
static bool
split_rest(struct span s, struct uri *out, const char **why)
{
	const char *slash;

	out->fragment = cut(&s, '#');
	out->query = cut(&s, '?');
	out->path = s;
	if (s.n >= 2 && s.p[0] == '/' && s.p[1] == '/') {
		out->authority.p = s.p + 2;
		slash = memchr(s.p + 2, '/', s.n - 2);
		out->path.p = slash == NULL ? s.p + s.n : slash;
		out->path.n = s.n - (size_t)(out->path.p - s.p);
		out->authority.n = s.n - 2 - out->path.n;
		if (!split_authority(out, why))
			return false;
	}
	return are_bytes(out->path, ":@/", why) &&
	    are_bytes(out->query, ":@/?", why) &&
	    are_bytes(out->fragment, ":@/?", why);
}

bool
uri_split(struct span s, struct uri *out, const char **why)
{
	struct uri u = { .whole = s };
	struct span rest;

	memset(out, 0, sizeof(*out));
	*why = "does not start with a scheme";
	out->scheme = u.scheme = read_scheme(s, &rest);
	if (u.scheme.p == NULL || !split_rest(rest, &u, why))
		return false;
	*out = u;
	return true;
}

bool
uri_scheme_is_dangerous(struct span scheme)
{
	static const char *const names[] = { "javascript", "data", "vbscript",
		"file", "blob" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(scheme, names[i]))
			return true;
	return false;
}

bool
uri_is_public_https(const struct uri *u, const char **why)
{
	enum host_kind kind;

	*why = "is not an https URI with a host";
	if (!span_is_nocase(u->scheme, "https") || u->authority.p == NULL)
		return false;
	*why = "has userinfo";
	if (u->userinfo.p != NULL)
		return false;
	*why = "has a fragment";
	if (u->fragment.p != NULL)
		return false;
	*why = "has a port that is not 1 to 65535 without leading zero";
	if (uri_port(u) == 0)
		return false;
	kind = host_judge(u->host, why);
	if (kind == HOST_SPECIAL)
		*why = "names a special-use host";
	if (kind == HOST_IPV4 || kind == HOST_IPV6)
		*why = "names an IP address";
	return kind == HOST_NAME;
}

uint16_t
uri_port(const struct uri *u)
{
	uint32_t port = 0;
	size_t i;

	if (u->port.p == NULL && span_is_nocase(u->scheme, "https"))
		return 443;
	if (u->port.p == NULL && span_is_nocase(u->scheme, "http"))
		return 80;
	if (u->port.p == NULL || u->port.n == 0 || u->port.n > 5 ||
	    u->port.p[0] == '0')
		return 0;
	for (i = 0; i < u->port.n; i++)
		port = 10 * port + (uint32_t)(u->port.p[i] - '0');
	return port > UINT16_MAX ? 0 : (uint16_t)port;
}
