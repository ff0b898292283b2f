/*
 * api.c - dispatch of methods, replies, problem documents
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api.h"
#include "error.h"
#include "json_scan.h"

/* What the arguments of a method may be, a NULL at the end. */
typedef const char *const api_members[];

static api_members lookup_members = { "client_id", "redirect_uri", "purpose",
	"tenant", "service", "remote_addr", "policy", NULL };
static api_members assertion_members = { "client_id", "redirect_uri", "purpose",
	"tenant", "service", "remote_addr", "policy", "client_assertion",
	"client_assertion_type", "audiences", NULL };
static api_members test_members = { "client_id", "redirect_uri", "purpose",
	"tenant", "policy", "consumer", NULL };
static api_members list_members = { "contains", "limit", "offset", NULL };
static api_members deed_members = { "client_id", "short", "reason",
	"document_sha256", NULL };
static api_members one_members = { "client_id", "short", NULL };
static api_members audit_members = { "n", NULL };
static api_members no_members = { NULL };

struct api_method {
	const char *name;
	api_fn *fn;
	bool admin; /* only over the admin socket */
	const char *const *members;
};

static const struct api_method methods[] = {
	{ "client", api_client, false, lookup_members },
	{ "assertion", api_assertion, false, assertion_members },
	{ "metadata", api_metadata, false, no_members },
	{ "clients", api_clients, false, list_members },
	{ "metrics", api_metrics, false, no_members },
	{ "healthz", api_healthz, false, no_members },
	{ "show", api_show, true, one_members },
	{ "approve", api_approve, true, deed_members },
	{ "deny", api_deny, true, deed_members },
	{ "unblock", api_unblock, true, deed_members },
	{ "pin", api_pin, true, deed_members },
	{ "refresh", api_refresh, true, deed_members },
	{ "forget", api_forget, true, deed_members },
	{ "diff", api_diff, true, one_members },
	{ "status", api_status, true, no_members },
	{ "audit", api_audit, true, audit_members },
	{ "policy_test", api_policy_test, true, test_members },
};

static void
call_free(struct call *c)
{
	json_object_put(c->args);
	free(c->audiences);
	free(c);
}

static void
send_reply(struct call *c, const struct cimd_reply *reply)
{
	c->fn(c->ctx, reply);
	call_free(c);
}

void
api_reply_text(struct call *c, const char *type, const char *body, size_t len)
{
	struct cimd_reply reply = { .status = 200,
		.content_type = type,
		.body = body,
		.len = len };

	send_reply(c, &reply);
}

/* What can be said without any memory. */
static void
reply_no_memory(cimd_reply_fn *fn, void *ctx)
{
	static const char body[] =
	    "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\","
	    "\"status\":500,\"code\":\"CIMD_E_NO_MEMORY\","
	    "\"class\":\"broken\",\"error\":\"server_error\"}";
	struct cimd_reply reply = { .status = 500,
		.content_type = "application/problem+json",
		.body = body,
		.len = sizeof(body) - 1 };

	fn(ctx, &reply);
}

static void
send_maker(struct call *c, struct maker *m, struct cimd_reply *reply)
{
	reply->body = maker_text(m, &reply->len);
	if (reply->body == NULL) {
		reply_no_memory(c->fn, c->ctx);
		call_free(c);
	} else
		send_reply(c, reply);
	maker_clear(m);
}

void
api_reply(struct call *c, struct maker *m)
{
	struct cimd_reply reply = { .status = 200,
		.content_type = "application/json" };

	send_maker(c, m, &reply);
}

int
api_http_status(enum cimd_err e)
{
	if (e == CIMD_E_REQUEST)
		return 400;
	if (e == CIMD_E_STATE)
		return 409;
	switch (cimd_err_class(e)) {
	case CIMD_NOT_OURS:
		return 404;
	case CIMD_REFUSED:
		return 403;
	case CIMD_UNAVAILABLE:
		return 503;
	case CIMD_ACCEPTED:
		return 200;
	case CIMD_BROKEN:
		break;
	}
	return 500;
}

static const char *
title_of(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 409:
		return "Conflict";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

void
api_fail(struct call *c, const struct api_problem *p)
{
	struct cimd_reply reply = {
		.status = api_http_status(p->e),
		.retry_after = p->retry_after,
		.content_type = "application/problem+json",
	};
	const char *oauth = cimd_err_oauth(p->e);
	struct maker m;

	if (reply.status == 503 && reply.retry_after == 0)
		reply.retry_after = 1;
	if (p->e == CIMD_E_AUTH_METHOD && p->invalid_client)
		oauth = "invalid_client";
	maker_init(&m);
	put_string(&m, NULL, "type", "about:blank");
	put_string(&m, NULL, "title", title_of(reply.status));
	put_int(&m, NULL, "status", reply.status);
	put_string(&m, NULL, "detail", p->err->text);
	put_string(&m, NULL, "code", cimd_err_name(p->e));
	put_string(&m, NULL, "class", cimd_class_name(cimd_err_class(p->e)));
	put_string(&m, NULL, "summary", cimd_err_text(p->e));
	if (p->err->section[0] != '\0')
		put_string(&m, NULL, "section", p->err->section);
	put_string(&m, NULL, "rule", p->rule);
	put_string(&m, NULL, "error", oauth);
	put_span(&m, NULL, "client_id", p->client_id);
	if (reply.retry_after != 0)
		put_int(&m, NULL, "retry_after", reply.retry_after);
	send_maker(c, &m, &reply);
}

void
api_fail_request(struct call *c, const char *why)
{
	struct cimd_error err = { 0 };
	struct api_problem p = { .e = CIMD_E_REQUEST, .err = &err };

	(void)err_set(&err, CIMD_E_REQUEST, "", "%s%s", why,
	    strchr(why, ' ') == NULL ? ": of the wrong type" : "");
	api_fail(c, &p);
}

static const struct api_method *
find_method(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

static enum cimd_err
read_args(struct call *c, struct span json, struct cimd_error *err)
{
	enum cimd_err e;

	if (json.n > CIMD_MAX_REQUEST)
		return err_set(err, CIMD_E_REQUEST, "",
		    "the request is larger than %d bytes", CIMD_MAX_REQUEST);
	if (json.n == 0) {
		json.p = "{}";
		json.n = 2;
	}
	if ((e = json_parse(json, &c->args, err)) != CIMD_E_JSON)
		return e;
	err_prefix(err, "request");
	return CIMD_E_REQUEST;
}

/*
 * A member that nobody reads may have been meant to narrow: a policy, the
 * document that was shown.  It is refused, as in a query.
 */
static enum cimd_err
check_members(struct json_object *args, const char *const *known,
    struct cimd_error *err)
{
	struct json_object_iterator it = json_object_iter_begin(args);
	struct json_object_iterator end = json_object_iter_end(args);
	const char *name;
	size_t i;

	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		name = json_object_iter_peek_name(&it);
		for (i = 0; known[i] != NULL; i++)
			if (strcmp(name, known[i]) == 0)
				break;
		if (known[i] == NULL)
			return err_set(err, CIMD_E_REQUEST, "",
			    "\"%s\" is not known here", name);
	}
	return CIMD_OK;
}

void
cimd_call(struct cimd *r, const struct cimd_caller *who,
    const struct cimd_message *in, cimd_reply_fn *fn, void *ctx)
{
	const struct api_method *m = find_method(in->method);
	struct span body = { in->json, in->len };
	struct cimd_error err = { 0 };
	struct api_problem p = { .err = &err };
	struct call *c;

	if ((c = malloc(sizeof(*c))) == NULL) {
		reply_no_memory(fn, ctx);
		return;
	}
	*c = (struct call){ .r = r, .who = who, .fn = fn, .ctx = ctx };
	c->uid = who->uid;
	if (m == NULL)
		p.e = err_set(&err, CIMD_E_REQUEST, "",
		    "there is no method \"%s\"", in->method);
	else if (m->admin && !who->admin)
		p.e = err_set(&err, CIMD_E_CONSUMER, "policy",
		    "\"%s\" is for the admin socket", in->method);
	else
		p.e = read_args(c, body, &err);
	if (p.e == CIMD_OK && m != NULL)
		p.e = check_members(c->args, m->members, &err);
	if (p.e != CIMD_OK || m == NULL)
		api_fail(c, &p);
	else
		m->fn(c);
}
