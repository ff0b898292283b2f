/*
 * api.h - the one place where C structs become wire JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: method and JSON; out: one reply; touches what its method
 * does.  api.c dispatches; api_client.c, api_assertion.c, api_clients.c and
 * api_admin.c hold the methods.
 */

#ifndef API_H
#define API_H

#include "api_json.h"
#include "resolve.h"

/* A call on its way; freed by the reply. */
struct call {
	struct cimd *r;
	const struct cimd_caller *who; /* gone when the method returns */
	int64_t uid;                   /* of who */
	struct json_object *args;      /* owned; an object */
	const char **audiences;        /* owned, up to a NULL; the strings
					  belong to args; may be NULL */
	cimd_reply_fn *fn;
	void *ctx;
};

/* A method.  It takes the call and answers it exactly once. */
typedef void api_fn(struct call *c);

/* Answer with status 200 and what m holds; frees c and clears m. */
void api_reply(struct call *c, struct maker *m);

/* The HTTP status of an answer with this code. */
int api_http_status(enum cimd_err e);

/* Answer with text of a media type; frees c. */
void api_reply_text(struct call *c, const char *type, const char *body,
    size_t len);

/*
 * Answer with the problem document (RFC 9457) of an error; frees c.
 * client_id: whom it is about, or absent.
 */
struct api_problem {
	enum cimd_err e;
	const struct cimd_error *err;
	unsigned int retry_after;
	struct span client_id;
	const char *rule;
	bool invalid_client; /* no_common_method_error = invalid_client */
};
void api_fail(struct call *c, const struct api_problem *p);

/*
 * api_fail() for a malformed request.  why: a text, or what get_span() or
 * get_int() left there, the name of a member.
 */
void api_fail_request(struct call *c, const char *why);

/* The methods. */
void api_client(struct call *c);
void api_assertion(struct call *c);
void api_metadata(struct call *c);
void api_clients(struct call *c);
void api_show(struct call *c);
void api_approve(struct call *c);
void api_deny(struct call *c);
void api_unblock(struct call *c);
void api_pin(struct call *c);
void api_refresh(struct call *c);
void api_forget(struct call *c);
void api_diff(struct call *c);
void api_status(struct call *c);
void api_audit(struct call *c);
void api_policy_test(struct call *c);
void api_metrics(struct call *c);
void api_healthz(struct call *c);

/*
 * Read client_id, redirect_uri, purpose, tenant and policy into out; strings
 * are borrowed from args.  False: *why says what is wrong.
 */
bool api_request(struct json_object *args, struct cimd_request *out,
    const char **why);

/* The decision as the members client, decision, display, source, ids. */
void api_put_decision(struct maker *m, const struct cimd_decision *d);

/* "display": what a provider shows of a client. */
void api_put_display(struct maker *m, const struct cimd_client *client,
    uint64_t redirects);

/* "warnings": ["url_query", ...] in o. */
void api_put_warnings(struct maker *m, struct json_object *o, uint64_t bits);

#endif /* API_H */
