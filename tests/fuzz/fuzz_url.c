/*
 * fuzz_url.c - client identifier URLs
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first byte is the flags, the rest the URL.  What is accepted holds only
 * printable ASCII without what section 3 forbids, has no dot segments after
 * decoding, is put together again from its parts, and libcurl sees the same
 * host and port in it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "netaddr.h"
#include "uri.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_bytes(const struct url *u)
{
	size_t i;

	for (i = 0; i < u->whole.n; i++) {
		must(u->whole.p[i] > 0x20 && u->whole.p[i] < 0x7f);
		must(strchr("\\#\"<>^`{|}", u->whole.p[i]) == NULL);
	}
}

/* "%2e" becomes ".", then no segment may be "." or "..". */
static void
check_segments(const struct url *u)
{
	char path[CIMD_MAX_URL + 2];
	size_t i, n = 0;

	for (i = 0; i < u->path.n; i++, n++) {
		path[n] = u->path.p[i];
		if (u->path.n - i >= 3 && path[n] == '%' &&
		    u->path.p[i + 1] == '2' && (u->path.p[i + 2] | 32) == 'e') {
			path[n] = '.';
			i += 2;
		}
	}
	path[n++] = '/';
	path[n] = '\0';
	must(strstr(path, "/./") == NULL);
	must(strstr(path, "/../") == NULL);
}

static void
check_whole(const struct url *u)
{
	struct span query = u->query;
	const char *p = u->whole.p + 8;

	must(u->host.p == p);
	p += u->host.n;
	must(u->port_given == (*p == ':'));
	if (!u->port_given)
		must(u->path.p == p && u->port == 443);
	must(u->path.n > 0 && u->path.p[0] == '/');
	p = u->path.p + u->path.n;
	if (query.p != NULL) {
		must(*p == '?' && query.p == p + 1);
		p = query.p + query.n;
	}
	must(p == u->whole.p + u->whole.n);
}

static void
check_libcurl(const struct url *u)
{
	char text[CIMD_MAX_URL + 1], port[8], *seen = NULL;
	CURLU *h = curl_url();

	memcpy(text, u->whole.p, u->whole.n);
	text[u->whole.n] = '\0';
	must(h != NULL);
	must(curl_url_set(h, CURLUPART_URL, text, 0) == CURLUE_OK);
	must(curl_url_get(h, CURLUPART_HOST, &seen, 0) == CURLUE_OK);
	if (u->host_kind != HOST_IPV6)
		must(span_is(u->host, seen));
	curl_free(seen);
	seen = NULL;
	must(curl_url_get(h, CURLUPART_PORT, &seen, CURLU_DEFAULT_PORT) ==
	    CURLUE_OK);
	(void)snprintf(port, sizeof(port), "%u", u->port);
	must(strcmp(seen, port) == 0);
	curl_free(seen);
	curl_url_cleanup(h);
}

static void
check(const struct url *u, unsigned int flags)
{
	must(u->whole.n <= CIMD_MAX_URL);
	must(u->host_kind != HOST_BAD);
	if (!(flags & URL_ALLOW_SPECIAL))
		must(u->host_kind != HOST_SPECIAL);
	if (!(flags & URL_ALLOW_ADDRESS))
		must(u->host_kind != HOST_IPV4 && u->host_kind != HOST_IPV6);
	check_bytes(u);
	check_segments(u);
	check_whole(u);
	check_libcurl(u);
#ifdef CIMD_PLANTED
	/* Wrong on purpose: takes a query of an A-label's host for refused. */
	if (u->query.n > 1 && u->host.n > 6 &&
	    memcmp(u->host.p, "xn--", 4) == 0)
		abort();
#endif
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cimd_error err = { 0 };
	unsigned int flags;
	struct span s;
	enum cimd_err e;
	struct url u;

	if (size == 0)
		return 0;
	flags = data[0] & 15;
	s.p = (const char *)data + 1;
	s.n = size - 1;
	e = url_parse(s, flags, &u, &err);
	if (e == CIMD_OK) {
		check(&u, flags);
		return 0;
	}
	must(e == err.code && err.text[0] != '\0');
	must(u.whole.p == NULL && u.path.p == NULL);
	must((e == CIMD_E_NOT_CIMD) ==
	    (s.n < 8 || !span_is_nocase((struct span){ s.p, 8 }, "https://")));
	return 0;
}
