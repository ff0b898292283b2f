/*
 * fetch_one.c - fetch a URL, print what came of it as JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 *	fetch_one [OPTION...] URL
 *
 *	--ca-path DIR, --ca-file FILE, --user-agent TEXT, --proxy URL,
 *	--dns SERVERS, --loopback    settings of the fetcher
 *	--max BYTES, --timeout MS, --etag TEXT, --last-modified TEXT
 *	--repeat N      so many times, one after another
 *	--threads N     in so many threads at once, each --repeat times
 *
 * A line for each fetch, then one about the process: descriptors and threads
 * before the first and after the last fetch, microseconds of CPU for each,
 * and which TLS library libcurl has.
 *
 * The programs fetch_one_* are the same with a part of the address guard
 * taken out (guard_off.c): controls that show that a test would notice.
 */

#include <curl/curl.h>
#include <dirent.h>
#include <getopt.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "clock.h"
#include "fetch.h"

struct plan {
	struct fetch_settings settings;
	struct fetch_request req;
	int64_t timeout_ms;
	long repeat, threads;
	struct fetcher *fetcher;
};

enum {
	OPT_CA_PATH = 1,
	OPT_CA_FILE,
	OPT_USER_AGENT,
	OPT_PROXY,
	OPT_DNS,
	OPT_LOOPBACK,
	OPT_MAX,
	OPT_TIMEOUT,
	OPT_ETAG,
	OPT_LAST_MODIFIED,
	OPT_REPEAT,
	OPT_THREADS,
};

static const struct option options[] = {
	{ "ca-path", required_argument, NULL, OPT_CA_PATH },
	{ "ca-file", required_argument, NULL, OPT_CA_FILE },
	{ "user-agent", required_argument, NULL, OPT_USER_AGENT },
	{ "proxy", required_argument, NULL, OPT_PROXY },
	{ "dns", required_argument, NULL, OPT_DNS },
	{ "loopback", no_argument, NULL, OPT_LOOPBACK },
	{ "max", required_argument, NULL, OPT_MAX },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "etag", required_argument, NULL, OPT_ETAG },
	{ "last-modified", required_argument, NULL, OPT_LAST_MODIFIED },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ NULL, 0, NULL, 0 },
};

static void
die(const char *what, const struct cimd_error *err)
{
	fprintf(stderr, "fetch_one: %s: %s\n", what, err->text);
	exit(2);
}

static void
take_option(struct plan *p, int option)
{
	if (option == OPT_CA_PATH)
		p->settings.ca_path = optarg;
	else if (option == OPT_CA_FILE)
		p->settings.ca_file = optarg;
	else if (option == OPT_USER_AGENT)
		p->settings.user_agent = optarg;
	else if (option == OPT_PROXY)
		p->settings.proxy = optarg;
	else if (option == OPT_DNS)
		p->settings.dns_servers = optarg;
	else if (option == OPT_LOOPBACK)
		p->settings.loopback_ok = true;
	else if (option == OPT_MAX)
		p->req.max_bytes = strtoul(optarg, NULL, 10);
	else if (option == OPT_TIMEOUT)
		p->timeout_ms = strtol(optarg, NULL, 10);
	else if (option == OPT_ETAG)
		p->req.etag = optarg;
	else if (option == OPT_LAST_MODIFIED)
		p->req.last_modified = optarg;
	else if (option == OPT_REPEAT)
		p->repeat = strtol(optarg, NULL, 10);
	else if (option == OPT_THREADS)
		p->threads = strtol(optarg, NULL, 10);
	else
		exit(2);
}

static void
read_arguments(int argc, char **argv, struct plan *p)
{
	struct cimd_error err = { .text = "one URL is wanted" };
	struct url url;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(p, option);
	if (optind + 1 != argc)
		die("arguments", &err);
	if (url_parse(span_of(argv[optind]),
		URL_ALLOW_ADDRESS | URL_ALLOW_SPECIAL, &url, &err) != CIMD_OK)
		die(argv[optind], &err);
	p->req.url = url.whole;
	p->req.host = url.host;
	p->req.port = url.port;
}

static void
put_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

static void
put_number(struct json_object *o, const char *name, int64_t n)
{
	json_object_object_add(o, name, json_object_new_int64(n));
}

static void
put_response(struct json_object *o, const struct fetch_response *r)
{
	struct cimd_error err = { 0 };
	uint64_t warnings = 0;
	char peer[NETADDR_TEXT];

	if (r->peer.len != 0)
		put_text(o, "peer", netaddr_text(&r->peer, peer));
	if (r->body == NULL)
		return;
	put_number(o, "status", r->facts.status);
	put_text(o, "judged",
	    cimd_err_name(http_judge(&r->facts, false, &warnings, &err)));
	put_text(o, "etag", r->facts.etag);
	put_text(o, "last_modified", r->facts.last_modified);
	put_number(o, "max_age", r->facts.max_age);
	put_number(o, "header_bytes", (int64_t)r->facts.bytes);
	put_number(o, "length", (int64_t)r->body_len);
	json_object_object_add(o, "body",
	    json_object_new_string_len(r->body, (int)r->body_len));
}

static void
print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void
fetch(const struct plan *p)
{
	struct json_object *o = json_object_new_object();
	struct fetch_request req = p->req;
	struct cimd_error err = { 0 };
	struct fetch_response r;
	int64_t start = clock_ms();
	enum cimd_err e;

	req.deadline_ms = start + p->timeout_ms;
	e = fetch_get(p->fetcher, &req, &r, &err);
	put_text(o, "code", cimd_err_name(e));
	put_text(o, "class", cimd_class_name(cimd_err_class(e)));
	put_text(o, "section", err.section);
	put_text(o, "text", err.text);
	put_number(o, "ms", clock_ms() - start);
	put_response(o, &r);
	print(o);
	fetch_response_clear(&r);
}

static void *
work(void *arg)
{
	const struct plan *p = arg;
	long i;

	for (i = 0; i < p->repeat; i++)
		fetch(p);
	return NULL;
}

/* All of them; false: a thread could not be started. */
static bool
fetch_all(struct plan *p)
{
	pthread_t threads[64];
	bool good = true;
	long i, n;

	if (p->threads == 0)
		return work(p) == NULL;
	for (n = 0; n < p->threads && n < 64 && good; n++)
		good = pthread_create(&threads[n], NULL, work, p) == 0;
	for (i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	return good;
}

static int64_t
entries(const char *folder)
{
	DIR *d = opendir(folder);
	int64_t n = 0;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* One that was joined may be listed for a moment. */
static int64_t
threads_left(int64_t before)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int64_t n;
	int i;

	for (i = 0; (n = entries("/proc/self/task")) > before && i < 1000; i++)
		(void)nanosleep(&pause, NULL);
	return n;
}

static int64_t
cpu_us(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	    u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

int
main(int argc, char **argv)
{
	struct plan p = { .req.max_bytes = CIMD_MAX_DOCUMENT,
		.timeout_ms = CIMD_FETCH_MS,
		.repeat = 1 };
	struct json_object *o = json_object_new_object();
	struct cimd_error err = { 0 };
	const int64_t threads = entries("/proc/self/task");
	int64_t began;

	read_arguments(argc, argv, &p);
	if (fetcher_new(&p.settings, &p.fetcher, &err) != CIMD_OK)
		die("settings", &err);
	put_text(o, "tls", curl_version_info(CURLVERSION_NOW)->ssl_version);
	put_number(o, "fds_before", entries("/proc/self/fd"));
	put_number(o, "threads_before", threads);
	began = cpu_us();
	if (!fetch_all(&p))
		return 2;
	put_number(o, "cpu_us",
	    (cpu_us() - began) / (p.repeat * (p.threads > 0 ? p.threads : 1)));
	put_number(o, "fds_after", entries("/proc/self/fd"));
	put_number(o, "threads_after", threads_left(threads));
	fetcher_free(&p.fetcher);
	print(o);
	return 0;
}
