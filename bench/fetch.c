/*
 * fetch.c - what a fetch costs, in processes new and long-lived
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: fetch DEED BASE N
 *   nothing  end at once: with all libraries that the others link
 *   once     make a resolver, look up the N-th URL, end
 *   plain    GET it as a program does that sets nothing but the URL
 *   new      N processes of each of these, in turn
 *   first    N lookups, each the first one of a resolver of its own
 *   many     N lookups with one resolver, after a first one
 *   bare     N GETs by libcurl alone, as cheap as it can: roots in a hashed
 *            directory, TLS sessions shared
 *   again    N lookups, one after the other, of the URL BASE
 * The i-th URL is BASE with i in place of its "@", or behind it.
 * new, first, many and bare print "NAME WALL CPU", medians in nanoseconds;
 * again prints how many were limited.  Of a process the CPU is its own and
 * the wall time lasts until its end was seen; of a lookup the CPU is that of
 * all threads.  The environment: LAB_CA_PATH; BENCH_STATE, a directory;
 * BENCH_BUNDLE, the roots of a program that sets nothing.
 */

#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>

#include "cimd.h"
#include "timing.h"

enum {
	URL_SIZE = 256,
	KINDS = 3
};

struct job {
	const char *self, *base;
	size_t n;
};

/* Medians are made of these. */
struct times {
	int64_t *wall, *cpu;
	size_t n;
};

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "fetch: %s\n", what);
	exit(1);
}

static struct times
times_new(size_t n)
{
	struct times t = { calloc(n, sizeof(*t.wall)),
		calloc(n, sizeof(*t.cpu)), 0 };

	must(n > 0 && t.wall != NULL && t.cpu != NULL, "N");
	return t;
}

static void
times_add(struct times *t, int64_t wall, int64_t cpu)
{
	t->wall[t->n] = wall;
	t->cpu[t->n++] = cpu;
}

static void
times_report(struct times *t, const char *name)
{
	(void)printf("%s %lld %lld\n", name,
	    (long long)percentile(t->wall, t->n, 500),
	    (long long)percentile(t->cpu, t->n, 500));
	free(t->wall);
	free(t->cpu);
}

static struct cimd *
resolver_new(void)
{
	struct cimd_error err = { 0 };
	struct cimd *r = NULL;
	char config[1024];
	int n;

	n = snprintf(config, sizeof(config),
	    "{\"state_dir\": \"%s\", \"ca_path\": \"%s\", "
	    "\"default\": \"unverified\", \"fetch_rate\": 100000, "
	    "\"fetch_rate_host\": 100000}",
	    getenv("BENCH_STATE"), getenv("LAB_CA_PATH"));
	must(cimd_new(config, (size_t)n, &r, &err) == CIMD_OK, err.text);
	return r;
}

static enum cimd_err
lookup(struct cimd *r, const char *url, struct cimd_error *err)
{
	struct cimd_request req = { .client_id = url,
		.client_id_len = strlen(url),
		.purpose = CIMD_AUTHORIZE };
	struct cimd_decision *d;
	enum cimd_err e;

	e = cimd_resolve(r, &req, &d, err);
	cimd_decision_free(&d);
	return e;
}

static void
url_of(const struct job *j, size_t i, char url[URL_SIZE])
{
	const char *at = strchr(j->base, '@');
	int n = at == NULL ? (int)strlen(j->base) : (int)(at - j->base);

	(void)snprintf(url, URL_SIZE, "%.*s%zu%s", n, j->base, i,
	    at == NULL ? "" : at + 1);
}

/* One lookup that has to fetch, and what it took. */
static void
fetch(struct cimd *r, const struct job *j, size_t i, struct times *t)
{
	struct cimd_error err = { 0 };
	char url[URL_SIZE];
	int64_t wall, cpu;

	url_of(j, i, url);
	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	must(lookup(r, url, &err) == CIMD_OK, err.text);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	if (t != NULL)
		times_add(t, wall, cpu);
}

static void
nothing(const struct job *j)
{
	(void)j;
}

static void
once(const struct job *j)
{
	struct cimd *r = resolver_new();

	fetch(r, j, j->n, NULL);
	cimd_free(&r);
}

static size_t
swallow(const char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

static void
plain(const struct job *j)
{
	CURL *c = curl_easy_init();
	char url[URL_SIZE];

	url_of(j, j->n, url);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	(void)curl_easy_setopt(c, CURLOPT_CAINFO, getenv("BENCH_BUNDLE"));
	must(curl_easy_perform(c) == CURLE_OK, "GET");
	curl_easy_cleanup(c);
}

static int64_t
cpu_of(const struct rusage *used)
{
	return ((int64_t)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) *
		       1000000 +
		   used->ru_utime.tv_usec + used->ru_stime.tv_usec) *
	    1000;
}

/* A process of its own that does a deed with the i-th URL. */
static void
spawn(const struct job *j, const char *deed, size_t i, struct times *t)
{
	char words[4][URL_SIZE];
	char *argv[] = { words[0], words[1], words[2], words[3], NULL };
	int64_t start = now_ns(CLOCK_MONOTONIC);
	struct rusage used;
	int status = -1;
	pid_t child;

	(void)snprintf(words[0], URL_SIZE, "%s", j->self);
	(void)snprintf(words[1], URL_SIZE, "%s", deed);
	(void)snprintf(words[2], URL_SIZE, "%s", j->base);
	(void)snprintf(words[3], URL_SIZE, "%zu", i);
	must(posix_spawn(&child, j->self, NULL, NULL, argv, environ) == 0,
	    "posix_spawn");
	must(wait4(child, &status, 0, &used) == child && status == 0, deed);
	times_add(t, now_ns(CLOCK_MONOTONIC) - start, cpu_of(&used));
}

static void new (const struct job *j)
{
	static const char *const names[KINDS] = { "nothing", "once", "plain" };
	struct times t[KINDS];
	size_t i, k;

	for (k = 0; k < KINDS; k++)
		t[k] = times_new(j->n);
	for (i = 0; i < j->n; i++)
		for (k = 0; k < KINDS; k++)
			spawn(j, names[k], i, &t[k]);
	for (k = 0; k < KINDS; k++)
		times_report(&t[k], names[k]);
}

static void
first(const struct job *j)
{
	struct times t = times_new(j->n);
	struct cimd *r;
	size_t i;

	for (i = 0; i < j->n; i++) {
		r = resolver_new();
		fetch(r, j, i, &t);
		cimd_free(&r);
	}
	times_report(&t, "first");
}

static void
many(const struct job *j)
{
	struct times t = times_new(j->n);
	struct cimd *r = resolver_new();
	size_t i;

	fetch(r, j, j->n, NULL);
	for (i = 0; i < j->n; i++)
		fetch(r, j, i, &t);
	cimd_free(&r);
	times_report(&t, "many");
}

static void
bare_get(const struct job *j, size_t i, CURLSH *share, struct times *t)
{
	int64_t wall = now_ns(CLOCK_MONOTONIC);
	int64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CURL *c = curl_easy_init();
	char url[URL_SIZE];

	url_of(j, i, url);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	(void)curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	(void)curl_easy_setopt(c, CURLOPT_CAPATH, getenv("LAB_CA_PATH"));
	(void)curl_easy_setopt(c, CURLOPT_SHARE, share);
	must(curl_easy_perform(c) == CURLE_OK, url);
	curl_easy_cleanup(c);
	if (t != NULL)
		times_add(t, now_ns(CLOCK_MONOTONIC) - wall,
		    now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

static void
bare(const struct job *j)
{
	struct times t = times_new(j->n);
	CURLSH *share = curl_share_init();
	size_t i;

	(void)curl_share_setopt(share, CURLSHOPT_SHARE,
	    CURL_LOCK_DATA_SSL_SESSION);
	bare_get(j, j->n, share, NULL);
	for (i = 0; i < j->n; i++)
		bare_get(j, i, share, &t);
	(void)curl_share_cleanup(share);
	times_report(&t, "bare");
}

static void
again(const struct job *j)
{
	struct cimd *r = resolver_new();
	struct cimd_error err = { 0 };
	size_t i, limited = 0;

	for (i = 0; i < j->n; i++)
		limited += lookup(r, j->base, &err) == CIMD_E_LIMITED;
	cimd_free(&r);
	(void)printf("%zu\n", limited);
}

static const struct {
	const char *name;
	void (*deed)(const struct job *j);
} deeds[] = {
	{ "nothing", nothing },
	{ "once", once },
	{ "plain", plain },
	{ "new", new },
	{ "first", first },
	{ "many", many },
	{ "bare", bare },
	{ "again", again },
};

int
main(int argc, char **argv)
{
	struct job j = { argv[0], NULL, 0 };
	size_t i;

	if (argc != 4)
		return 2;
	j.base = argv[2];
	j.n = strtoul(argv[3], NULL, 10);
	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(deeds[i].name, argv[1]) == 0) {
			deeds[i].deed(&j);
			return 0;
		}
	return 2;
}
