/*
 * http.c - one HTTP request: to cimdd, or for "doctor"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "http.h"

struct taking {
	const struct http_ask *ask;
	struct http_answer *out;
};

static size_t
take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct taking *t = ctx;
	struct http_answer *a = t->out;
	size_t len = size * n;
	char *more;

	if (len > t->ask->max_bytes - a->len)
		return 0;
	more = realloc(a->body, a->len + len + 1);
	if (more == NULL)
		return 0;
	a->body = more;
	memcpy(a->body + a->len, data, len);
	a->len += len;
	a->body[a->len] = '\0';
	return len;
}

static enum http_result
result_of(CURLcode e)
{
	switch ((int)e) {
	case CURLE_OK:
		return HTTP_ANSWER;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_CERTIFICATE;
	case CURLE_SSL_CACERT_BADFILE:
		return HTTP_CA_FILE;
	default:
		return HTTP_BROKEN;
	}
}

/* What differs between a UNIX socket and the network. */
static bool
set_door(CURL *h, const struct http_ask *ask)
{
	bool ok = curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR,
		      ask->socket != NULL ? "http" : "https") == CURLE_OK;

	if (ask->socket != NULL)
		ok = ok &&
		    curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH,
			ask->socket) == CURLE_OK;
	if (ask->ca_file != NULL)
		ok = ok &&
		    curl_easy_setopt(h, CURLOPT_CAINFO, ask->ca_file) ==
			CURLE_OK;
	if (ask->ca_path != NULL)
		ok = ok &&
		    curl_easy_setopt(h, CURLOPT_CAPATH, ask->ca_path) ==
			CURLE_OK;
	/* One of them alone must not bring back the system's other one. */
	if (ask->ca_path != NULL && ask->ca_file == NULL)
		ok =
		    ok && curl_easy_setopt(h, CURLOPT_CAINFO, NULL) == CURLE_OK;
	if (ask->ca_file != NULL && ask->ca_path == NULL)
		ok =
		    ok && curl_easy_setopt(h, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return ok;
}

static bool
set_up(CURL *h, struct taking *t, struct curl_slist *headers)
{
	const struct http_ask *ask = t->ask;
	char agent[64];

	(void)snprintf(agent, sizeof(agent), "cimdctl/%.32s", cimd_version());
	if (ask->post != NULL &&
	    curl_easy_setopt(h, CURLOPT_POSTFIELDS, ask->post) != CURLE_OK)
		return false;
	return set_door(h, ask) &&
	    curl_easy_setopt(h, CURLOPT_URL, ask->url) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_USERAGENT, agent) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, ask->timeout_ms) ==
	    CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->out->why) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_WRITEDATA, t) == CURLE_OK;
}

static void
copy_text(char *out, size_t size, const char *text)
{
	if (text != NULL)
		(void)snprintf(out, size, "%s", text);
}

static void
take_facts(CURL *h, struct http_answer *out)
{
	char *text = NULL;

	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &text);
	copy_text(out->type, sizeof(out->type), text);
	text = NULL;
	curl_easy_getinfo(h, CURLINFO_REDIRECT_URL, &text);
	copy_text(out->location, sizeof(out->location), text);
}

static void
take_reason(CURL *h, CURLcode e, const struct taking *t)
{
	struct http_answer *out = t->out;
	long number = 0;

	curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &number);
	if (t->ask->socket != NULL && number != 0)
		(void)snprintf(out->why, sizeof(out->why), "%s",
		    strerror((int)number));
	else if (e == CURLE_WRITE_ERROR)
		(void)snprintf(out->why, sizeof(out->why),
		    "more than %zu bytes, or no memory for them",
		    t->ask->max_bytes);
	else if (out->why[0] == '\0')
		(void)snprintf(out->why, sizeof(out->why), "%s",
		    curl_easy_strerror(e));
}

void
http_do(const struct http_ask *ask, struct http_answer *out)
{
	static const char accept[] = "Accept: application/json";
	struct taking t = { ask, out };
	struct curl_slist *headers, *more = NULL;
	CURLcode e = CURLE_OUT_OF_MEMORY;
	CURL *h = curl_easy_init();

	*out = (struct http_answer){ .result = HTTP_BROKEN };
	headers = curl_slist_append(NULL, accept);
	if (headers != NULL && ask->post != NULL)
		more = curl_slist_append(headers,
		    "Content-Type: application/json");
	if (h != NULL && headers != NULL &&
	    (ask->post == NULL || more != NULL) && set_up(h, &t, headers))
		e = curl_easy_perform(h);
	out->result = result_of(e);
	if (e == CURLE_OK)
		take_facts(h, out);
	else if (h != NULL)
		take_reason(h, e, &t);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
}

void
http_clear(struct http_answer *a)
{
	free(a->body);
	*a = (struct http_answer){ 0 };
}
