/*
 * api_client.c - "client": one lookup; "assertion": one client assertion
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include <json-c/json.h>

#include "api.h"
#include "assertion.h"
#include "error.h"
#include "verify.h"

enum {
	MAX_AUDIENCES = 16, /* that one request names */
};

/* A lookup whose strings live in c->args. */
struct client_call {
	struct lookup l;
	struct call *c;
};

static bool
read_purpose(struct span s, enum cimd_purpose *out)
{
	enum cimd_purpose p;

	for (p = CIMD_DISPLAY; p <= CIMD_AUTHORIZE; p++) {
		if (!span_is(s, purpose_name(p)))
			continue;
		*out = p;
		return true;
	}
	return false;
}

/* A policy is an object, or (from hosts that have only strings) its text. */
static bool
read_policy(struct json_object *args, struct cimd_request *out,
    const char **why)
{
	struct json_object *v;

	if (!json_object_object_get_ex(args, "policy", &v))
		return true;
	*why = "policy: an object is expected";
	if (json_object_is_type(v, json_type_string)) {
		out->policy = json_object_get_string(v);
		out->policy_len = (size_t)json_object_get_string_len(v);
	} else if (json_object_is_type(v, json_type_object))
		out->policy = json_object_to_json_string_length(v,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		    &out->policy_len);
	return out->policy != NULL;
}

bool
api_request(struct json_object *args, struct cimd_request *out,
    const char **why)
{
	struct span id = { 0 }, redirect = { 0 }, purpose = { 0 };
	struct span tenant = { 0 };

	*out = (struct cimd_request){ .purpose = CIMD_AUTHORIZE };
	if (!get_span(args, "client_id", &id, why) ||
	    !get_span(args, "redirect_uri", &redirect, why) ||
	    !get_span(args, "purpose", &purpose, why) ||
	    !get_span(args, "tenant", &tenant, why) ||
	    !read_policy(args, out, why))
		return false;
	if (id.p == NULL) {
		*why = "client_id is missing";
		return false;
	}
	if (purpose.p != NULL && !read_purpose(purpose, &out->purpose)) {
		*why = "purpose: authorize, token or display is expected";
		return false;
	}
	out->client_id = id.p;
	out->client_id_len = id.n;
	out->redirect_uri = redirect.p;
	out->redirect_uri_len = redirect.n;
	out->tenant = tenant.p;
	out->tenant_len = tenant.n;
	return true;
}

static const char *
remote_addr_of(struct call *c)
{
	struct span s = { 0 };
	const char *why;

	(void)get_span(c->args, "remote_addr", &s, &why);
	return s.p;
}

/* Who asks, with the service that the request says it is for. */
static bool
read_caller(const struct call *c, struct cimd_caller *out, const char **why)
{
	struct span service = { 0 };

	*out = *c->who;
	if (!get_span(c->args, "service", &service, why))
		return false;
	if (service.p != NULL && out->service == NULL)
		out->service = service.p;
	return true;
}

static void
answer(struct client_call *cc, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after, struct cimd_decision *d)
{
	struct lookup *l = &cc->l;
	struct api_problem p = { .e = e,
		.err = err,
		.retry_after = retry_after,
		.client_id = { l->request.client_id, l->request.client_id_len },
		.rule = l->verdict.name,
		.invalid_client = l->verdict.no_method_invalid_client };
	struct maker m;

	lookup_report(l, e, err);
	if (e != CIMD_OK)
		api_fail(cc->c, &p);
	else {
		maker_init(&m);
		api_put_decision(&m, d);
		api_reply(cc->c, &m);
	}
	cimd_decision_free(&d);
	lookup_clear(l);
	free(cc);
}

static void
on_flight(void *ctx, enum cimd_err flight, const struct cimd_error *flight_err,
    unsigned int retry_after)
{
	struct client_call *cc = ctx;
	struct cimd_decision *d = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = lookup_finish(&cc->l, flight, flight_err, &d, &err);
	answer(cc, e, &err, retry_after, d);
}

void
api_client(struct call *c)
{
	struct cimd_request request;
	struct cimd_decision *d = NULL;
	struct cimd_error err = { 0 };
	struct client_call *cc;
	struct cimd_caller who;
	const char *why = "";
	bool fetch = false;
	enum cimd_err e;

	if (!api_request(c->args, &request, &why) ||
	    !read_caller(c, &who, &why)) {
		api_fail_request(c, why);
		return;
	}
	if ((cc = calloc(1, sizeof(*cc))) == NULL) {
		struct api_problem p = { .e = err_no_memory(&err),
			.err = &err };

		api_fail(c, &p);
		return;
	}
	cc->c = c;
	lookup_init(&cc->l, c->r, &request);
	cc->l.remote_addr = remote_addr_of(c);
	e = lookup_answer(&cc->l, &who, &fetch, &d, &err);
	if (e == CIMD_OK && fetch)
		e = lookup_fetch(&cc->l, on_flight, cc, &err);
	if (e != CIMD_OK || !fetch)
		answer(cc, e, &err, 0, d);
}

static void
verified(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after, const struct cimd_decision *decision)
{
	struct call *c = ctx;
	struct api_problem p = { .e = e,
		.err = err,
		.retry_after = retry_after };
	const char *why;
	struct maker m;

	(void)get_span(c->args, "client_id", &p.client_id, &why);
	if (e != CIMD_OK) {
		api_fail(c, &p);
		return;
	}
	maker_init(&m);
	put_bool(&m, NULL, "verified", true);
	api_put_decision(&m, decision);
	api_reply(c, &m);
}

/* Without client_id the token says who it is from (RFC 7523 2.2). */
static enum cimd_err
add_client_id(struct json_object *args, struct cimd_error *err)
{
	struct span token = { 0 };
	struct json_object *v;
	const char *why;
	char *iss;
	enum cimd_err e;

	if ((json_object_object_get_ex(args, "client_id", &v) && v != NULL) ||
	    !get_span(args, "client_assertion", &token, &why) ||
	    token.p == NULL)
		return CIMD_OK;
	if ((e = assertion_issuer(token, &iss, err)) != CIMD_OK)
		return e;
	v = json_object_new_string(iss);
	free(iss);
	if (v == NULL || json_object_object_add(args, "client_id", v) != 0) {
		json_object_put(v);
		return err_no_memory(err);
	}
	return CIMD_OK;
}

/* The audiences that the request narrows the consumer's to. */
static enum cimd_err
read_audiences(struct call *c, struct cimd_error *err)
{
	struct json_object *list, *v;
	size_t i, n = 0;

	if (!json_object_object_get_ex(c->args, "audiences", &list))
		return CIMD_OK;
	if (json_object_is_type(list, json_type_array))
		n = json_object_array_length(list);
	if (n == 0 || n > MAX_AUDIENCES)
		return err_set(err, CIMD_E_REQUEST, "",
		    "audiences: a list of 1 to %d strings is expected",
		    MAX_AUDIENCES);
	c->audiences = calloc(n + 1, sizeof(*c->audiences));
	if (c->audiences == NULL)
		return err_no_memory(err);
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_string))
			return err_set(err, CIMD_E_REQUEST, "",
			    "audiences: only strings are expected");
		c->audiences[i] = json_object_get_string(v);
	}
	return CIMD_OK;
}

static bool
read_assertion(struct call *c, struct verify_ask *ask, const char **why)
{
	static const char type[] =
	    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
	struct span given = { type, sizeof(type) - 1 };

	if (!api_request(c->args, &ask->request, why) ||
	    !get_span(c->args, "client_assertion", &ask->token, why) ||
	    !get_span(c->args, "client_assertion_type", &given, why))
		return false;
	if (ask->token.p == NULL || !span_is(given, type)) {
		*why = ask->token.p == NULL ?
		    "client_assertion is missing" :
		    "client_assertion_type is unknown";
		return false;
	}
	return true;
}

void
api_assertion(struct call *c)
{
	struct cimd_caller who;
	struct verify_ask ask = { .who = &who, .done = verified, .ctx = c };
	struct cimd_error err = { 0 };
	struct api_problem p = { .err = &err };
	const char *why = "";

	p.e = add_client_id(c->args, &err);
	if (p.e == CIMD_OK)
		p.e = read_audiences(c, &err);
	if (p.e != CIMD_OK) {
		api_fail(c, &p);
		return;
	}
	if (!read_assertion(c, &ask, &why) || !read_caller(c, &who, &why)) {
		api_fail_request(c, why);
		return;
	}
	ask.audiences = c->audiences;
	ask.remote_addr = remote_addr_of(c);
	verify_start(c->r, &ask);
}
