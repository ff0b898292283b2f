/*
 * fuzz_redirect.c - redirect URIs
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two URIs, divided by the first newline: registered and asked.  A match is
 * byte equality, or two http URIs of the same loopback host that differ in
 * digits of the port alone.  What is kept has neither fragment nor userinfo
 * nor asterisk, and is no dangerous scheme.
 */

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "redirect.h"
#include "uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_kept(struct span uri, enum redirect_kind kind)
{
	const char *why;
	struct uri u;

	must(uri_split(uri, &u, &why));
	must(!uri_scheme_is_dangerous(u.scheme));
	must(uri.p != NULL);
	must(memchr(uri.p, '*', uri.n) == NULL);
	must(memchr(uri.p, '#', uri.n) == NULL);
	must(u.userinfo.p == NULL);
	switch (kind) {
	case REDIRECT_HTTPS:
		must(span_is_nocase(u.scheme, "https"));
		must(!host_is_loopback(u.host));
		break;
	case REDIRECT_LOOPBACK:
		must(span_is_nocase(u.scheme, "http"));
		must(host_is_loopback(u.host));
		break;
	case REDIRECT_SCHEME:
		must(!span_is_nocase(u.scheme, "https"));
		must(!span_is_nocase(u.scheme, "http"));
		break;
	}
}

static void
judge(struct span uri)
{
	enum cimd_warning warning = WARN_COUNT;
	enum redirect_kind kind = REDIRECT_HTTPS;
	const char *why = NULL;
	struct uri u;

	switch (redirect_judge(uri, &kind, &warning, &why)) {
	case REDIRECT_KEEP:
		check_kept(uri, kind);
		must(redirect_match(uri, uri, false));
		break;
	case REDIRECT_DROP:
		must(warning != WARN_COUNT && why != NULL);
		break;
	case REDIRECT_REFUSE:
		(void)uri_split(uri, &u, &why);
		must(uri_scheme_is_dangerous(u.scheme));
		break;
	}
}

/* Skip the text that both must have here; false when one has not. */
static bool
skip(struct span *s, const char *text)
{
	size_t n = strlen(text);

	if (s->n < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* The rest behind host and port; the slow way, by hand. */
static struct span
behind_port(struct span s, const char *host)
{
	must(skip(&s, "http://") && skip(&s, host));
	if (skip(&s, ":"))
		while (s.n > 0 && *s.p >= '0' && *s.p <= '9')
			(void)skip(&s, (char[]){ *s.p, '\0' });
	must(s.n == 0 || *s.p == '/' || *s.p == '?');
	return s;
}

static void
check_match(struct span registered, struct span asked)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1",
		"[::1]" };
	struct span start = registered;
	size_t i;

	if (span_eq(registered, asked))
		return;
	must(skip(&start, "http://"));
	for (i = 0; i < 3; i++)
		if (skip(&start, hosts[i]))
			break;
	must(i < 3);
	must(span_eq(behind_port(registered, hosts[i]),
	    behind_port(asked, hosts[i])));
#ifdef CIMD_PLANTED
	/* Wrong on purpose: takes a query for something else. */
	must(memchr(asked.p, '?', asked.n) == NULL);
#endif
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span a = { (const char *)data, size }, b = { NULL, 0 };
	const char *nl = size == 0 ? NULL : memchr(data, '\n', size);
	struct span host;

	if (nl != NULL) {
		a.n = (size_t)(nl - a.p);
		b.p = nl + 1;
		b.n = size - a.n - 1;
	}
	judge(a);
	judge(b);
	if (redirect_match(a, b, true))
		check_match(a, b);
	if (redirect_match(a, b, false))
		must(span_eq(a, b));
	must(redirect_same_origin(a, b) == redirect_same_origin(b, a));
	must(redirect_same_site(a, b) == redirect_same_site(b, a));
	host = redirect_host(b);
	must(host.p == NULL || (host.p >= b.p && host.n <= b.n));
	return 0;
}
