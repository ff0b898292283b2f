/*
 * fuzz_headers.c - header lines as they come, facts, judgement, freshness
 * SPDX-License-Identifier: Apache-2.0
 *
 * Input: the bytes of all responses; a line ends behind each LF.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "freshness.h"
#include "http_field.h"

#define NOW 1793606400 /* 2026-11-02 08:00:00 UTC */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

/* All lines, up to the first that is refused. */
static enum cimd_err
feed(struct http_headers *h, struct span in)
{
	struct cimd_error err = { 0 };
	enum cimd_err e = CIMD_OK;
	struct span line;
	const char *lf;

	while (in.n > 0 && e == CIMD_OK) {
		lf = memchr(in.p, '\n', in.n);
		line = in;
		if (lf != NULL)
			line.n = (size_t)(lf - in.p) + 1;
		e = http_headers_line(h, line, &err);
		must(e == err.code);
		in.p += line.n;
		in.n -= line.n;
	}
	return e;
}

/* The facts of one more response, which holds this field alone. */
static void
reread(const char *name, const char *value, struct http_facts *out)
{
	struct http_headers *h = http_headers_new();
	char text[512];

	must(h != NULL);
	(void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s: %s\r\n\r\n",
	    name, value);
	must(feed(h, span_of(text)) == CIMD_OK);
	must(http_headers_complete(h));
	http_headers_facts(h, NOW, out);
	http_headers_free(&h);
}

static void
check_date(int64_t t)
{
	char text[64];
	time_t when = (time_t)t;
	struct tm tm;

	must(t >= -1);
	if (t == -1)
		return;
	must(gmtime_r(&when, &tm) != NULL);
	must(strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) ==
	    29);
	must(http_date(span_of(text), NOW) == t);
}

static void
check_seconds(int64_t n)
{
	must(n >= -1 && n <= FIELD_NUMBER_MAX);
}

/* Does the input have these letters, in either case, at all? */
static bool
mentions(struct span in, const char *word)
{
	size_t n = strlen(word);

	for (; in.n >= n; in.p++, in.n--)
		if (span_is_nocase((struct span){ in.p, n }, word))
			return true;
	return false;
}

static void
check_facts(const struct http_facts *f, struct span in)
{
	struct http_facts again;

	check_seconds(f->max_age);
	check_seconds(f->s_maxage);
	check_seconds(f->age);
	check_seconds(f->retry_after);
	check_seconds(f->length);
	check_date(f->date);
	check_date(f->expires);
	check_date(f->last_modified_at);
	must(f->bytes <= in.n && f->bytes <= CIMD_MAX_HEADERS);
	must(f->etag[0] == '\0' || f->etag[strlen(f->etag) - 1] == '"');
	reread("ETag", f->etag, &again);
	must(strcmp(again.etag, f->etag) == 0);
	reread("Last-Modified", f->last_modified, &again);
	must(again.last_modified_at == f->last_modified_at);
	must(!f->no_store || mentions(in, "no-store"));
	must(!f->no_cache || mentions(in, "no-cache"));
	must(!f->is_private || mentions(in, "private"));
	must(!f->vary_any || mentions(in, "*"));
	must(!f->bot_wall || mentions(in, "cf-mitigated:"));
	must(!f->encoded || mentions(in, "encoding:"));
	must(f->max_age <= 0 || mentions(in, "max-age="));
	must(f->s_maxage <= 0 || mentions(in, "s-maxage="));
}

static void
check_judgement(const struct http_facts *f)
{
	struct cimd_error err = { 0 };
	uint64_t warnings = 0;

	if (http_judge(f, false, &warnings, &err) == CIMD_OK) {
		must(f->content_type == CONTENT_JSON && warnings == 0);
		must(f->status == 200 && !f->encoded);
	} else {
		must(err.code != CIMD_OK && warnings == 0);
	}
	if (http_judge(f, true, &warnings, NULL) == CIMD_OK)
		must(f->status == 200 && !f->encoded);
}

static void
check_freshness(const struct http_facts *f, uint32_t random)
{
	static const struct freshness_bounds b = { CIMD_TTL_MIN_S,
		CIMD_TTL_MAX_S, CIMD_TTL_DEFAULT_S };
	struct freshness out;

	freshness_compute(f, &b, NOW, random, &out);
	must(out.fetched_at == NOW && out.refresh_at > NOW);
	must(out.refresh_at < out.expires_at);
	must(out.expires_at >= NOW + b.min_s);
	must(out.expires_at <= NOW + b.max_s);
	if (f->no_store || f->no_cache || f->is_private || f->vary_any)
		must(out.floor_only && out.expires_at == NOW + b.min_s);
	must(freshness_state(&out, out.expires_at, 0) == TOO_OLD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct http_headers *h = http_headers_new();
	struct http_facts f;

	must(h != NULL);
	(void)feed(h, in);
	http_headers_facts(h, NOW, &f);
	check_facts(&f, in);
	check_judgement(&f);
	check_freshness(&f, (uint32_t)size * UINT32_C(2654435761));
#ifdef CIMD_PLANTED
	must(!(f.no_store && f.vary_any && f.content_type == CONTENT_TEXT));
#endif
	http_headers_free(&h);
	return 0;
}
