/*
 * url.c - the Client Identifier URL (section 3)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <curl/curl.h>

#include "error.h"
#include "netaddr.h"
#include "uri.h"
#include "url.h"

/* Does s start with "https://", in any case? */
static bool
is_https(struct span s)
{
	static const char start[] = "https://";
	struct span head = { s.p, sizeof(start) - 1 };

	return s.p != NULL && s.n >= head.n && span_is_nocase(head, start);
}

/* "." and "..", also with dots written as "%2e" (RFC 3986 6.2.2.2). */
static bool
is_dot_segment(struct span s)
{
	static const char dot[] = "%2e";
	struct span triplet = { NULL, sizeof(dot) - 1 };
	size_t dots = 0, i = 0;

	while (i < s.n) {
		triplet.p = s.p + i;
		if (s.p[i] == '.')
			i++;
		else if (s.n - i >= triplet.n && span_is_nocase(triplet, dot))
			i += triplet.n;
		else
			return false;
		dots++;
	}
	return dots == 1 || dots == 2;
}

static bool
has_dot_segment(struct span path)
{
	const char *p = path.p, *end = path.p + path.n, *slash;
	struct span segment;

	while (p < end) {
		slash = memchr(p, '/', (size_t)(end - p));
		segment.p = p;
		segment.n = (size_t)((slash == NULL ? end : slash) - p);
		if (is_dot_segment(segment))
			return true;
		p += segment.n + 1;
	}
	return false;
}

static enum cimd_err
check_host(struct url *out, struct cimd_error *err)
{
	const char *why = NULL;

	out->host_kind = host_judge(out->host, &why);
	if (out->host_kind != HOST_BAD)
		return CIMD_OK;
	if (why == host_no_memory)
		return err_no_memory(err);
	return err_set(err, CIMD_E_URL, "3", "client_id %s", why);
}

static enum cimd_err
admit_host(const struct url *u, unsigned int flags, struct cimd_error *err)
{
	switch (u->host_kind) {
	case HOST_SPECIAL:
		if (flags & URL_ALLOW_SPECIAL)
			return CIMD_OK;
		return err_set(err, CIMD_E_URL, "policy",
		    "client_id has a special-use name as host: %.*s",
		    (int)u->host.n, u->host.p);
	case HOST_IPV4:
	case HOST_IPV6:
		if (flags & URL_ALLOW_ADDRESS)
			return CIMD_OK;
		return err_set(err, CIMD_E_URL, "policy",
		    "client_id has an IP address as host, which no rule names");
	case HOST_BAD:
	case HOST_NAME:
		break;
	}
	return CIMD_OK;
}

enum cimd_err
url_admit(const struct url *u, unsigned int flags, struct cimd_error *err)
{
	uint64_t w = u->warnings;

	if ((flags & URL_REFUSE_ROOT) != 0 &&
	    (w & WARN_BIT(WARN_URL_ROOT_PATH)) != 0)
		return err_set(err, CIMD_E_URL, "policy",
		    "client_id has no path but \"/\" (root_path = no)");
	if ((flags & URL_REFUSE_QUERY) != 0 &&
	    (w & WARN_BIT(WARN_URL_QUERY)) != 0)
		return err_set(err, CIMD_E_URL, "policy",
		    "client_id has a query (query = no)");
	return admit_host(u, flags, err);
}

/* A span of the bytes at from, in the same bytes at to. */
static struct span
moved(struct span s, const char *from, const char *to)
{
	if (s.p != NULL)
		s.p = to + (s.p - from);
	return s;
}

void
url_move(const struct url *u, const char *whole, struct url *out)
{
	const char *from = u->whole.p;

	*out = *u;
	out->whole.p = whole;
	out->host = moved(u->host, from, whole);
	out->path = moved(u->path, from, whole);
	out->query = moved(u->query, from, whole);
}

static enum cimd_err
check_port(const struct uri *u, struct url *out, struct cimd_error *err)
{
	out->port_given = u->port.p != NULL;
	out->port = uri_port(u);
	if (out->port != 0)
		return CIMD_OK;
	return err_set(err, CIMD_E_URL, "3",
	    "client_id has a port that is not 1 to 65535 "
	    "without leading zero");
}

static enum cimd_err
check_path(struct url *out, struct cimd_error *err)
{
	if (out->path.n == 0)
		return err_set(err, CIMD_E_URL, "3", "client_id has no path");
	if (has_dot_segment(out->path))
		return err_set(err, CIMD_E_URL, "3",
		    "client_id has a \".\" or \"..\" path segment");
	if (out->path.n == 1)
		out->warnings |= WARN_BIT(WARN_URL_ROOT_PATH);
	if (out->query.p != NULL)
		out->warnings |= WARN_BIT(WARN_URL_QUERY);
	return CIMD_OK;
}

/* What section 3 says of all parts; out is filled in. */
static enum cimd_err
check_parts(const struct uri *u, struct url *out, struct cimd_error *err)
{
	enum cimd_err e;

	if (u->fragment.p != NULL)
		return err_set(err, CIMD_E_URL, "3",
		    "client_id has a fragment");
	if (u->userinfo.p != NULL)
		return err_set(err, CIMD_E_URL, "3", "client_id has userinfo");
	e = check_host(out, err);
	if (e != CIMD_OK)
		return e;
	e = check_port(u, out, err);
	if (e != CIMD_OK)
		return e;
	return check_path(out, err);
}

/* The same host, whatever case and, for IPv6, form it is written in? */
static bool
is_same_host(const struct url *u, const char *seen)
{
	struct span ours = u->host, theirs = span_of(seen);
	struct netaddr a, b;

	if (u->host_kind != HOST_IPV6)
		return span_is_nocase(ours, seen);
	if (theirs.n < 2 || seen[0] != '[' || seen[theirs.n - 1] != ']')
		return false;
	ours.p++;
	ours.n -= 2;
	theirs.p++;
	theirs.n -= 2;
	return netaddr_parse(ours, &a) && netaddr_parse(theirs, &b) &&
	    a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

/* libcurl will connect: where it would go must be what was judged. */
static enum cimd_err
check_libcurl(const struct url *u, struct cimd_error *err)
{
	char text[CIMD_MAX_URL + 1];
	enum cimd_err e = CIMD_OK;
	char *seen = NULL;
	CURLUcode rc;
	CURLU *h;

	memcpy(text, u->whole.p, u->whole.n);
	text[u->whole.n] = '\0';
	h = curl_url();
	if (h == NULL)
		return err_no_memory(err);
	rc = curl_url_set(h, CURLUPART_URL, text, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_get(h, CURLUPART_HOST, &seen, 0);
	if (rc == CURLUE_OUT_OF_MEMORY)
		e = err_no_memory(err);
	else if (rc != CURLUE_OK)
		e = err_set(err, CIMD_E_URL, "policy",
		    "libcurl cannot read the client_id (code %d)", (int)rc);
	else if (!is_same_host(u, seen))
		e = err_set(err, CIMD_E_URL, "policy",
		    "libcurl sees another host in the client_id: %s", seen);
	curl_free(seen);
	curl_url_cleanup(h);
	return e;
}

enum cimd_err
url_parse(struct span s, unsigned int flags, struct url *out,
    struct cimd_error *err)
{
	const char *why = NULL;
	enum cimd_err e;
	struct uri u;

	memset(out, 0, sizeof(*out));
	if (!is_https(s))
		return err_set(err, CIMD_E_NOT_CIMD, "3",
		    "client_id does not start with https://");
	if (s.n > CIMD_MAX_URL)
		return err_set(err, CIMD_E_URL, "policy",
		    "client_id is longer than %d bytes", CIMD_MAX_URL);
	if (!uri_split(s, &u, &why))
		return err_set(err, CIMD_E_URL, "3", "client_id %s", why);
	out->whole = s;
	out->host = u.host;
	out->path = u.path;
	out->query = u.query;
	e = check_parts(&u, out, err);
	if (e == CIMD_OK)
		e = url_admit(out, flags, err);
	if (e == CIMD_OK)
		e = check_libcurl(out, err);
	if (e != CIMD_OK)
		memset(out, 0, sizeof(*out));
	return e;
}

enum cimd_err
cimd_check_url(const char *id, size_t len, struct cimd_error *err)
{
	struct span s = { id, len };
	struct url u;

	return url_parse(s, 0, &u, err);
}
