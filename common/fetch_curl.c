/*
 * fetch_curl.c - one GET by libcurl: its options, callbacks and faults
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nothing here may depend on the TLS library that libcurl was built with.
 */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "error.h"
#include "fetch_int.h"

#define SYSTEM_CA_PATH "/etc/ssl/certs"

enum {
	/* host, port, and each address in brackets with a comma. */
	PIN_BYTES = CIMD_MAX_HOST + 8 + CIMD_MAX_ADDRESSES * (NETADDR_TEXT + 3),
};

struct long_option {
	CURLoption option;
	long value;
};

static const struct long_option longs[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_HTTPGET, 1 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_HTTP_CONTENT_DECODING, 0 },
	{ CURLOPT_PATH_AS_IS, 1 },
	{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_AUTOREFERER, 0 },
	{ CURLOPT_UNRESTRICTED_AUTH, 0 },
	{ CURLOPT_FRESH_CONNECT, 1 },
	{ CURLOPT_FORBID_REUSE, 1 },
	{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_PROXY_SSL_VERIFYPEER, 1 },
	{ CURLOPT_PROXY_SSL_VERIFYHOST, 2 },
	{ CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
};

/* Options of one handle; the first fault stays. */
struct setter {
	CURL *curl;
	CURLcode fault;
};

static void
note(struct setter *s, CURLcode c)
{
	if (s->fault == CURLE_OK)
		s->fault = c;
}

static void
set_long(struct setter *s, CURLoption option, int64_t value)
{
	note(s, curl_easy_setopt(s->curl, option, (long)value));
}

static void
set_text(struct setter *s, CURLoption option, const char *value)
{
	note(s, curl_easy_setopt(s->curl, option, value));
}

static void
set_pointer(struct setter *s, CURLoption option, void *value)
{
	note(s, curl_easy_setopt(s->curl, option, value));
}

/* End the transfer with a code that outranks libcurl's. */
static void
stop(struct transfer *t, enum cimd_err code)
{
	if (t->code == CIMD_OK)
		t->code = code;
}

/* Is this one of the addresses that were judged? */
static bool
is_allowed(const struct transfer *t, const struct netaddr *a)
{
	size_t i;

	for (i = 0; i < t->allowed.n; i++)
		if (t->allowed.addr[i].len == a->len &&
		    memcmp(t->allowed.addr[i].bytes, a->bytes, a->len) == 0)
			return true;
	return false;
}

static uint16_t
port_of(const struct curl_sockaddr *a)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->family == AF_INET) {
		memcpy(&in, &a->addr, sizeof(in));
		return ntohs(in.sin_port);
	}
	memcpy(&in6, &a->addr, sizeof(in6));
	return ntohs(in6.sin6_port);
}

/* The very address that will be connected to: the second check. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;
	struct netaddr addr;

	(void)purpose;
	if (!netaddr_from_sockaddr(&a->addr, &addr) || !is_allowed(t, &addr) ||
	    port_of(a) != t->connect_port) {
		stop(t,
		    err_set(t->err, CIMD_E_ADDRESS, "9.6",
			"the address to connect to was never judged"));
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* The peer, connected and verified, before anything is sent to it. */
static int /* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's */
on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct transfer *t = arg;

	(void)local;
	(void)peer_port;
	(void)local_port;
	if (!netaddr_parse(span_of(peer), &t->out->peer) ||
	    !is_allowed(t, &t->out->peer)) {
		stop(t,
		    err_set(t->err, CIMD_E_ADDRESS, "9.6",
			"the address of the peer was never judged"));
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

/* What to do once all headers are there; false: read no body. */
static bool
wants_body(struct transfer *t)
{
	struct http_facts *f = &t->out->facts;
	uint64_t warnings = 0;

	http_headers_facts(t->headers, clock_utc(), f);
	if (http_judge(f, true, &warnings, NULL) != CIMD_OK) {
		t->enough = true;
		return false;
	}
	if (f->length > 0 && (uint64_t)f->length > t->req->max_bytes) {
		stop(t,
		    err_set(t->err, CIMD_E_TOO_BIG, "9.7",
			"a body of %lld bytes is announced, %zu are "
			"allowed",
			(long long)f->length, t->req->max_bytes));
		return false;
	}
	return true;
}

static size_t /* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's */
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	bool complete = http_headers_complete(t->headers);
	enum cimd_err e;

	(void)size;
	e = http_headers_line(t->headers, (struct span){ line, n }, t->err);
	if (e != CIMD_OK) {
		stop(t, e);
		return 0;
	}
	if (!complete && http_headers_complete(t->headers) && !wants_body(t))
		return 0;
	return n;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct fetch_response *r = t->out;

	(void)size;
	if (n > t->req->max_bytes - r->body_len) {
		stop(t,
		    err_set(t->err, CIMD_E_TOO_BIG, "9.7",
			"the body has more than %zu bytes", t->req->max_bytes));
		return 0;
	}
	memcpy(r->body + r->body_len, data, n);
	r->body_len += n;
	return n;
}

static void
set_callbacks(struct setter *s, struct transfer *t)
{
	note(s, curl_easy_setopt(s->curl, CURLOPT_OPENSOCKETFUNCTION, on_open));
	note(s,
	    curl_easy_setopt(s->curl, CURLOPT_PREREQFUNCTION, on_connected));
	note(s, curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, on_header));
	note(s, curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, on_body));
	set_pointer(s, CURLOPT_OPENSOCKETDATA, t);
	set_pointer(s, CURLOPT_PREREQDATA, t);
	set_pointer(s, CURLOPT_HEADERDATA, t);
	set_pointer(s, CURLOPT_WRITEDATA, t);
}

/*
 * The system's hashed directory and not libcurl's default, the bundle of all
 * roots: reading that costs more than the rest of the fetch.
 */
static void
set_trust(struct setter *s, const struct fetch_settings *f)
{
	const char *path = f->ca_path;

	if (path == NULL && f->ca_file == NULL)
		path = SYSTEM_CA_PATH;
	set_text(s, CURLOPT_CAPATH, path);
	set_text(s, CURLOPT_CAINFO, f->ca_file);
	set_text(s, CURLOPT_PROXY_CAPATH, path);
	set_text(s, CURLOPT_PROXY_CAINFO, f->ca_file);
}

static void
set_options(struct setter *s, struct transfer *t, const char *url)
{
	const struct fetch_settings *f = &t->fetcher->settings;
	bool proxied = t->fetcher->proxy.host != NULL;
	size_t i;

	for (i = 0; i < sizeof(longs) / sizeof(longs[0]); i++)
		set_long(s, longs[i].option, longs[i].value);
	set_text(s, CURLOPT_PROTOCOLS_STR, "https");
	set_text(s, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	set_text(s, CURLOPT_URL, url);
	/* Both set, the environment is not asked. */
	set_text(s, CURLOPT_PROXY, proxied ? f->proxy : "");
	set_text(s, CURLOPT_NOPROXY, proxied ? "" : "*");
	set_long(s, CURLOPT_PROXYPORT, t->fetcher->proxy.port);
	set_text(s, CURLOPT_USERAGENT, f->user_agent);
	set_long(s, CURLOPT_CONNECTTIMEOUT_MS, t->connect_ms);
	set_long(s, CURLOPT_TIMEOUT_MS, t->total_ms);
	set_trust(s, f);
	set_callbacks(s, t);
}

/* One more line; the list is freed and *list NULL when out of memory. */
static bool
append(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (longer == NULL) {
		curl_slist_free_all(*list);
		*list = NULL;
		return false;
	}
	*list = longer;
	return true;
}

/* A header with a value that was kept from an earlier response. */
static bool
append_condition(struct curl_slist **list, const char *name, const char *value)
{
	char line[320];
	const char *p;
	int n;

	if (value == NULL || value[0] == '\0')
		return true;
	for (p = value; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			return true;
	n = snprintf(line, sizeof(line), "%s: %s", name, value);
	if (n < 0 || (size_t)n >= sizeof(line))
		return true;
	return append(list, line);
}

static struct curl_slist *
request_headers(const struct fetch_request *req)
{
	struct curl_slist *list = NULL;

	if (append(&list,
		"Accept: application/json, application/*+json;q=0.9") &&
	    append(&list, "Expect:") &&
	    append_condition(&list, "If-None-Match", req->etag))
		(void)append_condition(&list, "If-Modified-Since",
		    req->last_modified);
	return list;
}

/*
 * "host:port:address,[address]": libcurl asks no resolver then.  An IP
 * literal needs no pin.  False when out of memory.
 */
static bool
pin(const struct transfer *t, struct curl_slist **out)
{
	char text[PIN_BYTES], addr[NETADDR_TEXT];
	const struct netaddr *a;
	struct netaddr own;
	size_t i, used;

	if (dns_literal(t->connect_host, &own))
		return true;
	used = (size_t)snprintf(text, sizeof(text),
	    "%.*s:%u:", (int)t->connect_host.n, t->connect_host.p,
	    t->connect_port);
	for (i = 0; i < t->allowed.n && used < sizeof(text); i++) {
		a = &t->allowed.addr[i];
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    a->len == 16 ? "%s[%s]" : "%s%s", i > 0 ? "," : "",
		    netaddr_text(a, addr));
	}
	return append(out, text);
}

/* libcurl's code in ours, where it says which phase failed. */
static enum cimd_err
code_of(CURLcode c)
{
	switch ((int)c) {
	case CURLE_OUT_OF_MEMORY:
		return CIMD_E_NO_MEMORY;
	case CURLE_OPERATION_TIMEDOUT:
		return CIMD_E_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return CIMD_E_DNS;
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return CIMD_E_CONNECT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return CIMD_E_CERT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_USE_SSL_FAILED:
		return CIMD_E_TLS;
	case CURLE_SSL_CACERT_BADFILE:
		return CIMD_E_CONFIG;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return CIMD_E_STATUS;
	case CURLE_FILESIZE_EXCEEDED:
	case 100: /* CURLE_TOO_LARGE; libcurl 8.6 */
		return CIMD_E_TOO_BIG;
	default:
		return CIMD_E_INTERNAL;
	}
}

/*
 * Before 8.6, libcurl calls it out of memory when a header line passes its
 * own limit of 100 KiB, long before the whole line could come to us.
 */
static bool
is_long_line(const struct transfer *t, CURL *curl, CURLcode c)
{
	curl_off_t began = 0;

	return c == CURLE_OUT_OF_MEMORY && !http_headers_complete(t->headers) &&
	    curl_easy_getinfo(curl, CURLINFO_STARTTRANSFER_TIME_T, &began) ==
	    CURLE_OK &&
	    began > 0;
}

static enum cimd_err
verdict(struct transfer *t, CURL *curl, CURLcode c, const char *text)
{
	enum cimd_err e;

	if (t->code != CIMD_OK)
		return t->code;
	if (t->enough)
		return CIMD_OK;
	if (c == CURLE_OK && !http_headers_complete(t->headers))
		return err_set(t->err, CIMD_E_STATUS, "5",
		    "the answer has no complete header");
	if (c == CURLE_OK)
		return CIMD_OK;
	if (is_long_line(t, curl, c))
		return err_set(t->err, CIMD_E_TOO_BIG, "9.7",
		    "a header line is longer than all headers may be");
	e = code_of(c);
	if (e == CIMD_E_NO_MEMORY)
		return err_no_memory(t->err);
	return err_set(t->err, e, "5", "%s",
	    text[0] != '\0' ? text : curl_easy_strerror(c));
}

/* What libcurl borrows for the time of a transfer. */
struct texts {
	char *url;
	struct curl_slist *headers, *pins;
};

/* False when out of memory. */
static bool
texts_make(const struct transfer *t, struct texts *out)
{
	out->url = strndup(t->req->url.p, t->req->url.n);
	out->headers = request_headers(t->req);
	return out->url != NULL && out->headers != NULL && pin(t, &out->pins);
}

static void
texts_clear(struct texts *texts)
{
	free(texts->url);
	curl_slist_free_all(texts->headers);
	curl_slist_free_all(texts->pins);
}

enum cimd_err
fetch_perform(struct transfer *t, CURLSH *share)
{
	struct setter s = { curl_easy_init(), CURLE_OUT_OF_MEMORY };
	struct texts texts = { NULL, NULL, NULL };
	char fault[CURL_ERROR_SIZE] = "";
	enum cimd_err e;

	if (s.curl == NULL)
		return err_no_memory(t->err);
	if (texts_make(t, &texts)) {
		s.fault = CURLE_OK;
		set_options(&s, t, texts.url);
		set_pointer(&s, CURLOPT_HTTPHEADER, texts.headers);
		set_pointer(&s, CURLOPT_RESOLVE, texts.pins);
		set_pointer(&s, CURLOPT_ERRORBUFFER, fault);
		set_pointer(&s, CURLOPT_SHARE, share);
	}
	if (s.fault == CURLE_OK)
		s.fault = curl_easy_perform(s.curl);
	e = verdict(t, s.curl, s.fault, fault);
	curl_easy_cleanup(s.curl);
	texts_clear(&texts);
	return e;
}
