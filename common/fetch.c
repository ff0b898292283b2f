/*
 * fetch.c - one hardened GET (sections 5, 9.6, 9.7)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fetch_int.h"
#include "http_field.h"
#include "sigpipe.h"

static bool
is_set(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/* NULL or the text; "" means the same as NULL. */
static const char *
or_null(const char *s)
{
	return is_set(s) ? s : NULL;
}

static enum cimd_err
check_file(const char *path, struct cimd_error *err)
{
	if (access(path, R_OK) == 0)
		return CIMD_OK;
	return err_set(err, CIMD_E_CONFIG, "policy",
	    "ca_file %s cannot be read: %s", path, strerror(errno));
}

static enum cimd_err
check_path(const char *path, struct cimd_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return err_set(err, CIMD_E_CONFIG, "policy",
		    "ca_path %s cannot be read: %s", path, strerror(errno));
	(void)close(fd);
	return CIMD_OK;
}

/*
 * Where the proxy is.  libcurl's own parser reads it, because it is libcurl
 * that will connect there.
 */
static enum cimd_err
parse_proxy(CURLU *u, const char *text, struct proxy *out,
    struct cimd_error *err)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	int64_t n = -1;
	bool good;

	good = curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
		CURLUE_OK;
	if (good) {
		n = field_number(span_of(port));
		out->host = strdup(host);
		out->port = (uint16_t)n;
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	if (!good || n < 1 || n > UINT16_MAX)
		return err_set(err, CIMD_E_CONFIG, "policy",
		    "proxy is not like http://egress.example.com:3128");
	return out->host == NULL ? err_no_memory(err) : CIMD_OK;
}

static enum cimd_err
set_proxy(struct fetcher *f, struct cimd_error *err)
{
	enum cimd_err e;
	CURLU *u;

	if (f->settings.proxy == NULL)
		return CIMD_OK;
	u = curl_url();
	if (u == NULL)
		return err_no_memory(err);
	e = parse_proxy(u, f->settings.proxy, &f->proxy, err);
	curl_url_cleanup(u);
	return e;
}

static enum cimd_err
check_settings(const struct fetch_settings *s, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;

	if (s->ca_file != NULL)
		e = check_file(s->ca_file, err);
	if (e == CIMD_OK && s->ca_path != NULL)
		e = check_path(s->ca_path, err);
	if (e == CIMD_OK && s->dns_servers != NULL)
		e = dns_check_servers(s->dns_servers, err);
	return e;
}

enum cimd_err
fetcher_new(const struct fetch_settings *settings, struct fetcher **out,
    struct cimd_error *err)
{
	struct fetcher *f;
	enum cimd_err e;

	*out = NULL;
	/* Counts; it is thread-safe since libcurl 7.84, and never undone. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_no_memory(err);
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return err_no_memory(err);
	f->settings = *settings;
	f->settings.ca_path = or_null(settings->ca_path);
	f->settings.ca_file = or_null(settings->ca_file);
	f->settings.proxy = or_null(settings->proxy);
	f->settings.dns_servers = or_null(settings->dns_servers);
	e = check_settings(&f->settings, err);
	if (e == CIMD_OK)
		e = set_proxy(f, err);
	if (e == CIMD_OK) {
		f->sessions = tls_sessions_new();
		if (f->sessions == NULL)
			e = err_no_memory(err);
	}
	if (e != CIMD_OK)
		fetcher_free(&f);
	*out = f;
	return e;
}

void
fetcher_free(struct fetcher **f)
{
	if (f == NULL || *f == NULL)
		return;
	tls_sessions_free(&(*f)->sessions);
	free((*f)->proxy.host);
	free(*f);
	*f = NULL;
}

/*
 * The addresses that may be connected to.  All are judged, but those of a
 * configured proxy: that may well be in a private network.
 */
static enum cimd_err
find_addresses(struct transfer *t, int64_t deadline_ms, struct cimd_error *err)
{
	const struct fetcher *f = t->fetcher;
	bool loopback_ok = f->settings.loopback_ok;
	struct netaddr own;
	enum cimd_err e;

	t->connect_host = t->req->host;
	t->connect_port = t->req->port;
	if (f->proxy.host != NULL) {
		if (dns_literal(t->req->host, &own) &&
		    (e = netaddr_judge(&own, 1, loopback_ok, err)) != CIMD_OK)
			return e;
		t->connect_host = span_of(f->proxy.host);
		t->connect_port = f->proxy.port;
	}
	e = dns_resolve(t->connect_host, f->settings.dns_servers, deadline_ms,
	    &t->allowed, err);
	if (e != CIMD_OK || f->proxy.host != NULL)
		return e;
	return netaddr_judge(t->allowed.addr, t->allowed.n, loopback_ok, err);
}

/* What is left until the earlier of both, and at all. */
static enum cimd_err
set_times(struct transfer *t, int64_t connect_by_ms, struct cimd_error *err)
{
	int64_t now = clock_ms();

	t->connect_ms = connect_by_ms - now;
	t->total_ms = t->req->deadline_ms - now;
	if (t->connect_ms <= 0 || t->total_ms <= 0)
		return err_set(err, CIMD_E_TIMEOUT, "5",
		    "no time was left to connect");
	return CIMD_OK;
}

static enum cimd_err
prepare(struct transfer *t, struct cimd_error *err)
{
	t->headers = http_headers_new();
	if (t->req->max_bytes < SIZE_MAX)
		t->out->body = malloc(t->req->max_bytes + 1);
	if (t->headers == NULL || t->out->body == NULL)
		return err_no_memory(err);
	return CIMD_OK;
}

static enum cimd_err
perform(struct transfer *t, struct cimd_error *err)
{
	struct tls_sessions *sessions = t->fetcher->sessions;
	struct tls_slot *slot;
	enum cimd_err e;

	slot = tls_slot_take(sessions, t->req->host, clock_ms());
	e = fetch_perform(t, tls_slot_share(slot));
	tls_slot_give(sessions, slot);
	if (e == CIMD_OK && t->out->facts.status == 304 &&
	    !is_set(t->req->etag) && !is_set(t->req->last_modified))
		return err_set(err, CIMD_E_STATUS, "5",
		    "status 304, though the request had no condition");
	return e;
}

enum cimd_err
fetch_get(struct fetcher *f, const struct fetch_request *req,
    struct fetch_response *out, struct cimd_error *err)
{
	struct transfer t = { .fetcher = f, .req = req, .out = out };
	int64_t connect_by = clock_ms() + CIMD_CONNECT_MS;
	struct cimd_error own;
	struct sigpipe guard;
	struct netaddr peer;
	enum cimd_err e;

	memset(out, 0, sizeof(*out));
	t.err = err != NULL ? err : &own;
	if (connect_by > req->deadline_ms)
		connect_by = req->deadline_ms;
	sigpipe_block(&guard);
	e = find_addresses(&t, connect_by, t.err);
	if (e == CIMD_OK)
		e = set_times(&t, connect_by, t.err);
	if (e == CIMD_OK)
		e = prepare(&t, t.err);
	if (e == CIMD_OK)
		e = perform(&t, t.err);
	sigpipe_restore(&guard);
	http_headers_free(&t.headers);
	if (e == CIMD_OK) {
		out->body[out->body_len] = '\0';
		return CIMD_OK;
	}
	peer = out->peer;
	fetch_response_clear(out);
	out->peer = peer;
	return e;
}

void
fetch_response_clear(struct fetch_response *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
}
