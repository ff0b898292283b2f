/*
 * doctor.c - fetches the metadata of an authorization server
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "doctor.h"
#include "json_scan.h"
#include "progress.h"
#include "uri.h"

enum {
	DOCTOR_MS = 10000,
	DOCTOR_MAX_BYTES = 1 << 20,
};

static const struct {
	const char *suffix;
	bool insert; /* between host and path, else behind the path */
} places[PLACE_COUNT] = {
	[PLACE_OAUTH] = { "/.well-known/oauth-authorization-server", true },
	[PLACE_OIDC_INSERT] = { "/.well-known/openid-configuration", true },
	[PLACE_OIDC_APPEND] = { "/.well-known/openid-configuration", false },
	[PLACE_OAUTH_APPEND] = { "/.well-known/oauth-authorization-server",
	    false },
};

const char *
doctor_level_name(enum doctor_level level)
{
	static const char *const names[] = {
		[DOCTOR_PASS] = "pass",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
	};

	return names[level];
}

void
doctor_add(struct doctor *d, const struct doctor_finding *f, const char *fmt,
    ...)
{
	struct doctor_finding *to;
	va_list ap;

	if (d->n == DOCTOR_FINDINGS)
		return;
	to = &d->finding[d->n++];
	*to = *f;
	va_start(ap, fmt);
	(void)vsnprintf(to->text, sizeof(to->text), fmt, ap);
	va_end(ap);
}

/* The URL of a place; a "/" at the end of the issuer's path is no part. */
static char *
url_of(const struct uri *u, enum doctor_place place)
{
	const char *start = u->whole.p;
	int path = (int)u->path.n, base = (int)(u->path.p - start);
	char *url = NULL;

	if (path > 0 && u->path.p[path - 1] == '/')
		path--;
	if (places[place].insert) {
		if (asprintf(&url, "%.*s%s%.*s", base, start,
			places[place].suffix, path, u->path.p) == -1)
			return NULL;
	} else if (asprintf(&url, "%.*s%.*s%s", base, start, path, u->path.p,
		       places[place].suffix) == -1)
		return NULL;
	return url;
}

static bool
is_known(const struct doctor *d, const char *url)
{
	int i;

	for (i = 0; i < PLACE_COUNT; i++)
		if (d->at[i].url != NULL && strcmp(d->at[i].url, url) == 0)
			return true;
	return false;
}

static void
take_body(struct doctor_answer *a, const struct http_answer *h)
{
	static const char json[] = "application/json";
	struct span body = { h->body != NULL ? h->body : "", h->len };
	struct cimd_error err;

	if (strncasecmp(h->type, json, sizeof(json) - 1) != 0)
		(void)snprintf(a->why, sizeof(a->why),
		    "Content-Type is \"%.100s\", not application/json",
		    h->type);
	else if (json_parse(body, &a->json, &err) != CIMD_OK)
		(void)snprintf(a->why, sizeof(a->why), "%s", err.text);
}

static void
take_answer(struct doctor_answer *a, const struct http_answer *h)
{
	a->result = h->result;
	a->missing = h->result == HTTP_ANSWER && h->status == 404;
	if (h->result != HTTP_ANSWER)
		(void)snprintf(a->why, sizeof(a->why), "%.200s", h->why);
	else if (h->status == 200)
		take_body(a, h);
	else if (h->location[0] != '\0')
		(void)snprintf(a->why, sizeof(a->why),
		    "status %ld, redirects to %.150s", h->status, h->location);
	else
		(void)snprintf(a->why, sizeof(a->why), "status %ld", h->status);
}

static void
fetch(const struct ctl *c, struct doctor_answer *a)
{
	struct http_ask ask = { .url = a->url,
		.ca_path = c->opt[OPT_CA_PATH],
		.ca_file = c->opt[OPT_CA_FILE],
		.timeout_ms = DOCTOR_MS,
		.max_bytes = DOCTOR_MAX_BYTES };
	struct http_answer h;
	struct progress *p = progress_begin("fetching metadata");

	http_do(&ask, &h);
	progress_end(&p);
	take_answer(a, &h);
	http_clear(&h);
}

/* RFC 8414 2: an https URL without query and fragment. */
static const char *
issuer_fault(struct span issuer, struct uri *u)
{
	const char *why = "";

	if (!uri_split(issuer, u, &why))
		return why;
	if (!span_is_nocase(u->scheme, "https"))
		return "the scheme is not https";
	if (u->host.n == 0 || u->userinfo.p != NULL)
		return "a host and no user name is expected";
	if (u->query.p != NULL || u->fragment.p != NULL)
		return "there is a query or a fragment";
	return NULL;
}

bool
doctor_fetch(const struct ctl *c, const char *issuer, struct doctor *d)
{
	static const struct doctor_finding rule = { .name = "issuer_url",
		.section = "RFC 8414 2",
		.consequence = "no client can look for metadata" };
	struct doctor_finding f = rule;
	struct uri u;
	const char *why = issuer_fault(span_of(issuer), &u);
	char *url;
	int i;

	*d = (struct doctor){ .issuer = issuer, .found = -1 };
	f.level = why != NULL ? DOCTOR_FAIL : DOCTOR_PASS;
	doctor_add(d, &f, "%s",
	    why != NULL ? why : "the issuer is an https URL");
	for (i = 0; why == NULL && i < PLACE_COUNT; i++) {
		if ((url = url_of(&u, (enum doctor_place)i)) == NULL)
			return false;
		if (is_known(d, url)) {
			free(url);
			continue;
		}
		d->at[i].url = url;
		fetch(c, &d->at[i]);
		if (d->at[i].json != NULL && d->found == -1 &&
		    i != PLACE_OAUTH_APPEND)
			d->found = i;
	}
	return true;
}

void
doctor_clear(struct doctor *d)
{
	int i;

	for (i = 0; i < PLACE_COUNT; i++) {
		json_object_put(d->at[i].json);
		free(d->at[i].url);
	}
	*d = (struct doctor){ 0 };
}
