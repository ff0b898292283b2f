/*
 * bench.c - what a lookup costs, in ratios and counts of one run
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: bench MODE BASE N [state_dir]
 *   warm   N stored clients, random hits, against other ways to answer
 *   cold   N documents one after the other, against a plain libcurl GET
 *   herd   N threads ask for one cold URL at once
 *   flood  N distinct URLs; memory and file before and after
 *   refuse N lookups below a hostile BASE, each refused; what they cost
 * BASE is a URL prefix under which any id is a document (herd: the URL).
 * "bench/run" starts it where such URLs exist.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "cimd.h"
#include "timing.h"

enum {
	WARM_LOOKUPS = 1000000,
	URL_SIZE = 256
};

struct bench {
	struct cimd *r;
	const char *base;
	long n;
	const char *state_dir;
};

static void
die(const char *what, const struct cimd_error *err)
{
	(void)fprintf(stderr, "bench: %s: %s %s\n", what,
	    cimd_err_name(err->code), err->text);
	exit(1);
}

static enum cimd_err
lookup_for(struct bench *b, const char *url, const char *redirect_uri,
    struct cimd_error *err)
{
	struct cimd_request req = { .client_id = url,
		.client_id_len = strlen(url),
		.redirect_uri = redirect_uri,
		.redirect_uri_len =
		    redirect_uri == NULL ? 0 : strlen(redirect_uri),
		.purpose = CIMD_AUTHORIZE };
	struct cimd_decision *d;
	enum cimd_err e;

	e = cimd_resolve(b->r, &req, &d, err);
	if (e == CIMD_OK && redirect_uri != NULL &&
	    !cimd_decision_redirect_ok(d))
		die(redirect_uri, err);
	cimd_decision_free(&d);
	return e;
}

static enum cimd_err
lookup(struct bench *b, const char *url, struct cimd_error *err)
{
	return lookup_for(b, url, NULL, err);
}

static void
url_of(const struct bench *b, long i, char url[URL_SIZE])
{
	(void)snprintf(url, URL_SIZE, "%s%ld", b->base, i);
}

/* Resident bytes of this process. */
static long
rss_bytes(void)
{
	char line[128], *resident = NULL;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL)
		resident = strchr(line, ' ');
	(void)fclose(f);
	if (resident == NULL)
		return 0;
	return strtol(resident, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static long
state_bytes(const char *dir)
{
	static const char *const names[] = { "cimd.db", "cimd.db-wal" };
	char path[512];
	struct stat st;
	long sum = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (stat(path, &st) == 0)
			sum += (long)st.st_size;
	}
	return sum;
}

/* What a hit would cost that parses the stored JSON. */
static int64_t
parse_cost(const char *json)
{
	enum {
		ROUNDS = 20000
	};
	int64_t start = now_ns(CLOCK_MONOTONIC);
	int i;

	for (i = 0; i < ROUNDS; i++)
		json_object_put(json_tokener_parse(json));
	return (now_ns(CLOCK_MONOTONIC) - start) / ROUNDS;
}

static char *
stored_json(struct bench *b, const char *url)
{
	struct cimd_request req = { .client_id = url,
		.client_id_len = strlen(url),
		.purpose = CIMD_TOKEN };
	struct cimd_decision *d;
	struct cimd_error err = { 0 };
	char *json;
	size_t len;

	if (cimd_resolve(b->r, &req, &d, &err) != CIMD_OK)
		die(url, &err);
	json = strdup(cimd_client_json(cimd_decision_client(d), &len));
	cimd_decision_free(&d);
	return json;
}

static void
fill(struct bench *b)
{
	struct cimd_error err = { 0 };
	char url[URL_SIZE];
	long i;

	for (i = 0; i < b->n; i++) {
		url_of(b, i, url);
		if (lookup(b, url, &err) != CIMD_OK)
			die(url, &err);
	}
}

/* Ask for random clients; p50. */
static int64_t
hits(struct bench *b, const char *redirect_uri, int64_t *ns)
{
	struct cimd_error err = { 0 };
	uint64_t x = 88172645463325252u;
	char url[URL_SIZE];
	int64_t start;
	size_t i;

	for (i = 0; i < WARM_LOOKUPS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		url_of(b, (long)(x % (uint64_t)b->n), url);
		start = now_ns(CLOCK_MONOTONIC);
		if (lookup_for(b, url, redirect_uri, &err) != CIMD_OK)
			die(url, &err);
		ns[i] = now_ns(CLOCK_MONOTONIC) - start;
	}
	(void)printf("warm: %ld clients, hit%s p50 %lld ns, p99 %lld ns\n",
	    b->n, redirect_uri == NULL ? "" : " with a redirect URI",
	    (long long)percentile(ns, WARM_LOOKUPS, 500),
	    (long long)percentile(ns, WARM_LOOKUPS, 990));
	return percentile(ns, WARM_LOOKUPS, 500);
}

static void
warm(struct bench *b)
{
	int64_t *ns, parse, p50;
	char url[URL_SIZE], *json;

	fill(b);
	if ((ns = calloc(WARM_LOOKUPS, sizeof(*ns))) == NULL)
		exit(1);
	p50 = hits(b, NULL, ns);
	(void)hits(b, "http://127.0.0.1:49152/callback", ns);
	url_of(b, 0, url);
	json = stored_json(b, url);
	parse = parse_cost(json);
	(void)printf("warm: parsing the record's JSON instead would cost "
		     "%.1f hits\n",
	    (double)parse / (double)p50);
	free(json);
	free(ns);
}

static size_t
swallow(const char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

/* A GET as a program makes it that sets nothing but the URL. */
static void
plain_get(const char *url, const char *ca_file)
{
	CURL *c = curl_easy_init();
	CURLcode code;

	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	if (ca_file != NULL)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, ca_file);
	code = curl_easy_perform(c);
	curl_easy_cleanup(c);
	if (code != CURLE_OK) {
		(void)fprintf(stderr, "bench: %s: %s\n", url,
		    curl_easy_strerror(code));
		exit(1);
	}
}

static void
cold(struct bench *b)
{
	const char *bundle = getenv("BENCH_BUNDLE");
	int64_t wall, cpu, plain_wall, plain_cpu;
	char url[URL_SIZE];
	long i;

	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	fill(b);
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	plain_wall = now_ns(CLOCK_MONOTONIC);
	plain_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (i = 0; i < b->n; i++) {
		url_of(b, i, url);
		plain_get(url, bundle);
	}
	plain_wall = now_ns(CLOCK_MONOTONIC) - plain_wall;
	plain_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - plain_cpu;
	(void)printf("cold: %ld documents, %.2f ms wall and %.2f ms CPU each "
		     "(DNS, policy, checks and store included)\n",
	    b->n, (double)wall / 1e6 / (double)b->n,
	    (double)cpu / 1e6 / (double)b->n);
	(void)printf("cold: a plain libcurl program takes %.1f times the "
		     "wall time and %.1f times the CPU\n",
	    (double)plain_wall / (double)wall, (double)plain_cpu / (double)cpu);
}

struct herd {
	struct bench *b;
	pthread_barrier_t start;
	_Atomic long ok, limited, other;
};

static void *
herd_member(void *arg)
{
	struct herd *h = arg;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	(void)pthread_barrier_wait(&h->start);
	e = lookup(h->b, h->b->base, &err);
	if (e == CIMD_OK)
		h->ok++;
	else if (e == CIMD_E_LIMITED)
		h->limited++;
	else
		h->other++;
	return NULL;
}

static void
herd(struct bench *b)
{
	struct herd h = { .b = b };
	pthread_attr_t attr;
	pthread_t *t;
	long i;

	if ((t = calloc((size_t)b->n, sizeof(*t))) == NULL)
		exit(1);
	(void)pthread_barrier_init(&h.start, NULL, (unsigned int)b->n);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, (size_t)256 * 1024);
	for (i = 0; i < b->n; i++)
		if ((errno = pthread_create(&t[i], &attr, herd_member, &h)) !=
		    0) {
			perror("bench: pthread_create");
			exit(1);
		}
	for (i = 0; i < b->n; i++)
		(void)pthread_join(t[i], NULL);
	(void)printf("herd: %ld at once: %ld answered, %ld limited, %ld "
		     "failed\n",
	    b->n, h.ok, h.limited, h.other);
	free(t);
}

static void
flood(struct bench *b)
{
	struct cimd_error err = { 0 };
	long rss = 0, state = 0, i, warmup = b->n / 10, ok = 0;
	char url[URL_SIZE];

	for (i = 0; i < b->n + warmup; i++) {
		if (i == warmup) {
			rss = rss_bytes();
			state = state_bytes(b->state_dir);
		}
		url_of(b, i, url);
		ok += lookup(b, url, &err) == CIMD_OK;
	}
	(void)printf("flood: %ld distinct URLs after %ld: %ld accepted; "
		     "memory %+.1f MB, state %+.1f MB\n",
	    b->n, warmup, ok, (double)(rss_bytes() - rss) / 1e6,
	    (double)(state_bytes(b->state_dir) - state) / 1e6);
}

static void
refuse(struct bench *b)
{
	struct cimd_error err = { 0 };
	int64_t wall, cpu;
	char url[URL_SIZE];
	long i, rss = rss_bytes();

	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (i = 0; i < b->n; i++) {
		url_of(b, i, url);
		if (lookup(b, url, &err) == CIMD_OK)
			(void)printf("refuse: %s was accepted\n", url);
	}
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	(void)printf("refuse: %s: %.1f ms wall, %.1f ms CPU each, memory "
		     "%+.1f MB\n",
	    cimd_err_name(err.code), (double)wall / 1e6 / (double)b->n,
	    (double)cpu / 1e6 / (double)b->n,
	    (double)(rss_bytes() - rss) / 1e6);
}

static struct cimd *
make_resolver(const char *state_dir, const char *rules)
{
	struct cimd_error err = { 0 };
	struct cimd *r;
	char config[1024];
	int n;

	n = snprintf(config, sizeof(config),
	    "{\"state_dir\": \"%s\", \"ca_path\": \"%s\", "
	    "\"default\": \"unverified\", \"fetch_rate\": 100000, "
	    "\"client\": [%s], "
	    "\"fetch_rate_host\": 100000, \"max_unverified\": %s}",
	    state_dir, getenv("LAB_CA_PATH"), rules, getenv("BENCH_CLIENTS"));
	if (cimd_new(config, (size_t)n, &r, &err) != CIMD_OK)
		die("configuration", &err);
	return r;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(struct bench *b);
	} modes[] = { { "warm", warm }, { "cold", cold }, { "herd", herd },
		{ "flood", flood }, { "refuse", refuse } };
	struct bench b = { 0 };
	size_t i;

	if (argc < 4) {
		(void)fprintf(stderr,
		    "usage: bench warm|cold|herd|flood|refuse BASE N "
		    "[state_dir]\n");
		return 2;
	}
	b.base = argv[2];
	b.n = strtol(argv[3], NULL, 10);
	b.state_dir = argc > 4 ? argv[4] : "";
	b.r = make_resolver(b.state_dir, getenv("BENCH_RULES"));
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			modes[i].fn(&b);
	cimd_free(&b.r);
	return 0;
}
