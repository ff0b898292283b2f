/*
 * question.c - a question as the bytes of an HTTP request
 * SPDX-License-Identifier: Apache-2.0
 *
 * All of it stands in one allocation of the right size, so that no copy of
 * an assertion is left behind by realloc().
 */

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json_out.h"
#include "question.h"

enum {
	MAX_HEAD = 192,  /* bytes of request line and headers */
	MAX_NAMES = 512, /* bytes of all member names and punctuation */
	MAX_AUDIENCES = 16,
	MAX_AUDIENCE = 1024, /* bytes */
	MAX_WORD = 255,      /* bytes of a service, of a remote_addr */
	MAX_ESCAPE = 6,      /* bytes that one byte may become */
};

static const char assertion_type[] =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/* Visible ASCII and nothing else, which also makes it valid UTF-8. */
static bool
is_visible(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* A string of the host's: not empty, at most max bytes. */
static bool
is_word(const char *s, size_t max)
{
	struct span whole = { s, strnlen(s, max + 1) };

	return whole.n > 0 && whole.n <= max && is_visible(whole);
}

static enum cimd_err
check_client_id(struct span id, struct cimd_error *err)
{
	static const char scheme[] = "https://";

	if (id.p == NULL || id.n < sizeof(scheme) - 1 ||
	    memcmp(id.p, scheme, sizeof(scheme) - 1) != 0)
		return err_set(err, CIMD_E_NOT_CIMD, "3",
		    "the client_id does not start with https://");
	if (id.n > CIMD_MAX_URL)
		return err_set(err, CIMD_E_URL, "3",
		    "the client_id is longer than %d bytes", CIMD_MAX_URL);
	if (!is_visible(id))
		return err_set(err, CIMD_E_URL, "3",
		    "the client_id has a byte that no URL has");
	if (span_has_dots(id))
		return err_set(err, CIMD_E_URL, "3",
		    "the client_id has a segment of dots");
	return CIMD_OK;
}

/* Base64url and dots (RFC 7515 section 3). */
static enum cimd_err
check_assertion(struct span jwt, struct cimd_error *err)
{
	size_t i;
	char c;

	if (jwt.p == NULL || jwt.n == 0)
		return err_set(err, CIMD_E_ASSERTION, "RFC 7523 3",
		    "there is no client assertion");
	if (jwt.n > CIMD_MAX_ASSERTION)
		return err_set(err, CIMD_E_ASSERTION, "RFC 7523 3",
		    "the assertion is longer than %d bytes",
		    CIMD_MAX_ASSERTION);
	for (i = 0; i < jwt.n; i++) {
		c = jwt.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && c != '-' && c != '_' && c != '.')
			return err_set(err, CIMD_E_ASSERTION, "RFC 7515 3",
			    "byte %zu of the assertion is not of a JWT", i);
	}
	return CIMD_OK;
}

static enum cimd_err
check_audiences(const char *const *v, struct cimd_error *err)
{
	size_t i;

	for (i = 0; v != NULL && v[i] != NULL; i++)
		if (i == MAX_AUDIENCES || !is_word(v[i], MAX_AUDIENCE))
			return err_set(err, CIMD_E_REQUEST, "",
			    "audiences: at most %d are expected, each of "
			    "visible ASCII and at most %d bytes",
			    MAX_AUDIENCES, MAX_AUDIENCE);
	return CIMD_OK;
}

/* What comes from outside first: it must not look like the host's fault. */
static enum cimd_err
check(const struct cimdclient_ask *ask, bool verify, struct cimd_error *err)
{
	struct span id = { ask->client_id, ask->client_id_len };
	struct span jwt = { ask->assertion, ask->assertion_len };
	struct span redirect = { ask->redirect_uri, ask->redirect_uri_len };
	enum cimd_err e = check_client_id(id, err);

	if (e == CIMD_OK && verify)
		e = check_assertion(jwt, err);
	if (e != CIMD_OK)
		return e;
	if (redirect.p != NULL &&
	    (redirect.n > CIMD_MAX_DOCUMENT || !is_visible(redirect)))
		return err_set(err, CIMD_E_REDIRECT_URIS, "RFC 3986",
		    "the redirect_uri is too long or has a byte that no URI "
		    "has");
	if (ask->service != NULL && !is_word(ask->service, MAX_WORD))
		return err_set(err, CIMD_E_REQUEST, "",
		    "service: visible ASCII is expected, at most %d bytes",
		    MAX_WORD);
	return check_audiences(ask->audiences, err);
}

static size_t
length_of(const char *s)
{
	return s != NULL ? strlen(s) : 0;
}

/* More bytes than the JSON text can have. */
static size_t
room_for(const struct cimdclient_ask *ask)
{
	size_t n = ask->client_id_len + ask->redirect_uri_len +
	    ask->assertion_len + length_of(ask->service) + MAX_WORD;
	size_t i;

	for (i = 0; ask->audiences != NULL && ask->audiences[i] != NULL; i++)
		n += strlen(ask->audiences[i]) + 3;
	return MAX_ESCAPE * n + length_of(ask->policy) + MAX_NAMES;
}

static const char *
name_of(enum cimd_purpose purpose)
{
	switch (purpose) {
	case CIMD_AUTHORIZE:
		return "authorize";
	case CIMD_TOKEN:
		return "token";
	case CIMD_DISPLAY:
		break;
	}
	return "display";
}

static void
write_verify(struct json_out *o, const struct cimdclient_ask *ask)
{
	struct span jwt = { ask->assertion, ask->assertion_len };
	size_t i;

	json_out_member(o, "client_assertion_type", span_of(assertion_type));
	json_out_member(o, "client_assertion", jwt);
	if (ask->audiences == NULL)
		return;
	json_out_name(o, "audiences");
	json_out_open(o, '[');
	for (i = 0; ask->audiences[i] != NULL; i++)
		json_out_string(o, span_of(ask->audiences[i]));
	json_out_close(o, ']');
}

static void
write_body(struct json_out *o, const struct cimdclient_ask *ask, bool verify)
{
	struct span id = { ask->client_id, ask->client_id_len };
	struct span redirect = { ask->redirect_uri, ask->redirect_uri_len };

	json_out_open(o, '{');
	json_out_member(o, "client_id", id);
	json_out_member(o, "redirect_uri", redirect);
	json_out_member(o, "service", span_of(ask->service));
	if (ask->remote_addr != NULL && is_word(ask->remote_addr, MAX_WORD))
		json_out_member(o, "remote_addr", span_of(ask->remote_addr));
	json_out_raw_member(o, "policy", span_of(ask->policy));
	if (verify)
		write_verify(o, ask);
	else
		json_out_member(o, "purpose", span_of(name_of(ask->purpose)));
	json_out_close(o, '}');
}

static void
put_before(struct question *q, struct span text)
{
	assert(text.n <= (size_t)(q->p - q->whole));
	q->p -= text.n;
	q->n += text.n;
	memcpy(q->p, text.p, text.n);
}

static void
put_number_before(struct question *q, size_t n)
{
	char digit;

	do {
		digit = (char)('0' + n % 10);
		put_before(q, (struct span){ &digit, 1 });
		n /= 10;
	} while (n > 0);
}

/*
 * The body begins MAX_HEAD bytes in; put the head right before it, from its
 * end to its start.  Without stdio, of which a short process would have to
 * load pages for this alone.
 */
static void
write_head(struct question *q, size_t body, bool verify)
{
	q->p = q->whole + MAX_HEAD;
	q->n = body;
	put_before(q, span_of("\r\nConnection: close\r\n\r\n"));
	put_number_before(q, body);
	put_before(q,
	    span_of(" HTTP/1.1\r\n"
		    "Host: cimd\r\n"
		    "Content-Type: application/json\r\n"
		    "Content-Length: "));
	put_before(q, span_of(verify ? "assertion" : "client"));
	put_before(q, span_of("POST /v1/"));
}

enum cimd_err
question_write(const struct cimdclient_ask *ask, bool verify,
    struct question *out, struct cimd_error *err)
{
	struct json_out o = { 0 };
	enum cimd_err e;
	size_t room;

	*out = (struct question){ 0 };
	if ((e = check(ask, verify, err)) != CIMD_OK)
		return e;
	room = room_for(ask);
	if ((out->whole = malloc(MAX_HEAD + room)) == NULL)
		return err_no_memory(err);
	out->size = MAX_HEAD + room;
	o.p = out->whole + MAX_HEAD;
	o.size = room;
	write_body(&o, ask, verify);
	assert(!o.failed && o.size == room);
	if (o.n > CIMD_MAX_REQUEST)
		return err_set(err, CIMD_E_REQUEST, "",
		    "the request is larger than %d bytes", CIMD_MAX_REQUEST);
	write_head(out, o.n, verify);
	return CIMD_OK;
}

void
question_clear(struct question *q)
{
	if (q->whole != NULL)
		explicit_bzero(q->whole, q->size);
	free(q->whole);
	*q = (struct question){ 0 };
}
