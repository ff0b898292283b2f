/*
 * handle.c - one request to its answer
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ascii.h"
#include "cimd_int.h"
#include "fail.h"
#include "figures.h"
#include "http_int.h"

enum {
	MAX_DISCARD = 1048576, /* bytes of a body that are read to no avail */
	MAX_TARGET = 16384,    /* bytes; a client_id is 3072 with triplets */
};

static bool
add_headers(struct http *h, const struct request *r,
    struct MHD_Response *response)
{
	const struct answer *a = &r->answer;
	char seconds[16];

	if (a->type != NULL &&
	    MHD_add_response_header(response, "Content-Type", a->type) !=
		MHD_YES)
		return false;
	if (a->allow != NULL &&
	    MHD_add_response_header(response, "Allow", a->allow) != MHD_YES)
		return false;
	(void)snprintf(seconds, sizeof(seconds), "%u", a->retry_after);
	if (a->retry_after != 0 &&
	    MHD_add_response_header(response, "Retry-After", seconds) !=
		MHD_YES)
		return false;
	if ((atomic_load(&h->draining) || conns_is_old(r->conn)) &&
	    MHD_add_response_header(response, "Connection", "close") != MHD_YES)
		return false;
	return MHD_add_response_header(response, "Cache-Control", "no-store") ==
	    MHD_YES;
}

/* Send r->answer; its body goes to libmicrohttpd. */
static enum MHD_Result
send_answer(struct http *h, struct request *r)
{
	struct answer *a = &r->answer;
	struct MHD_Response *response;
	enum MHD_Result done = MHD_NO;

	conns_answer(h->parts.conns, r->conn);
	response = MHD_create_response_from_buffer(a->len, a->body,
	    MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	a->body = NULL;
	if (add_headers(h, r, response))
		done = MHD_queue_response(r->connection, a->status, response);
	MHD_destroy_response(response);
	return done;
}

/* Refuse a request without a call, for what r->fault says. */
static enum MHD_Result
refuse(struct http *h, struct request *r)
{
	if (!http_set_busy(h, r, false) ||
	    !answer_problem(&r->answer, r->fault_status, &r->fault))
		return MHD_NO;
	r->answered = true;
	if (r->fault_status == 405)
		r->answer.allow = r->match.allow;
	return send_answer(h, r);
}

/* Remember what is wrong; it is said when the whole request was read. */
static void
set_fault(struct request *r, unsigned int status, enum cimd_err code,
    const char *text)
{
	r->fault_status = status;
	fail(&r->fault, code, "%s", text);
}

static void
set_size_fault(struct request *r)
{
	r->fault_status = 413;
	fail(&r->fault, CIMD_E_REQUEST, "the body is larger than %d bytes",
	    CIMD_MAX_REQUEST);
}

/* What the route says, if there is no route. */
static void
set_route_fault(struct request *r)
{
	switch (r->match.status) {
	case 0:
		break;
	case 403:
		set_fault(r, 403, CIMD_E_CONSUMER,
		    "this is for the admin socket");
		break;
	case 405:
		r->fault_status = 405;
		fail(&r->fault, CIMD_E_REQUEST, "this is for %s",
		    r->match.allow);
		break;
	default:
		set_fault(r, 404, CIMD_E_REQUEST, "there is no such path");
		break;
	}
}

/*
 * Does Content-Length, which libmicrohttpd has checked, announce so much
 * that it is better not to wait for it?  A client that sends less than that
 * too much gets its answer when it has sent it and listens.
 */
static bool
is_announced_too_big(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection,
	    MHD_HEADER_KIND, "Content-Length");
	uint64_t n = 0;

	for (; length != NULL && ascii_digit(*length); length++) {
		n = n * 10 + (uint64_t)(*length - '0');
		if (n > MAX_DISCARD)
			return true;
	}
	return false;
}

/*
 * The mode of the admin socket's file is the door; this is the second lock,
 * for the day when somebody opens the door too wide.
 */
static bool
may_administer(const struct conn *conn)
{
	return conn->peer.uid == 0 || conn->peer.uid == geteuid();
}

/*
 * Was the target cut at a NUL byte?  libmicrohttpd hands over strings, but
 * the version follows the target in its buffer.
 */
static bool
is_cut(const struct request *r, const char *version)
{
	uintptr_t at = (uintptr_t)version;

	return at > r->target_at && at - r->target_at < HTTP_POOL_BYTES &&
	    at - r->target_at != strlen(r->target) + 1;
}

/* How often a header is there, for MHD_get_connection_values(). */
static enum MHD_Result
count_lengths(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	unsigned int *n = cls;

	(void)kind;
	(void)value;
	if (strcasecmp(name, "Content-Length") == 0 ||
	    strcasecmp(name, "Transfer-Encoding") == 0)
		(*n)++;
	return MHD_YES;
}

/* The headers are read. */
static enum MHD_Result
on_head(struct http *h, struct request *r, const char *verb,
    const char *version)
{
	unsigned int lengths = 0;

	r->known = true;
	route_find(verb, r->target, r->conn->door == DOOR_ADMIN, &r->match);
	set_route_fault(r);
	if (r->conn->door == DOOR_ADMIN && !may_administer(r->conn))
		set_fault(r, 403, CIMD_E_CONSUMER,
		    "the admin socket is for root and the daemon's user");
	if (strlen(r->target) >= MAX_TARGET)
		set_fault(r, 414, CIMD_E_REQUEST, "the target is too long");
	if (is_cut(r, version))
		set_fault(r, 400, CIMD_E_REQUEST, "NUL byte in the target");
	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_lengths,
	    &lengths);
	if (lengths > 1)
		set_fault(r, 400, CIMD_E_REQUEST,
		    "more than one header about the length of the body");
	if (!is_announced_too_big(r->connection))
		return MHD_YES;
	set_size_fault(r);
	return refuse(h, r);
}

/*
 * Add our figures to those of the library.  How logins at the mux end is for
 * administrators: a consumer could watch those of others.
 */
static bool
add_figures(const struct request *r, const struct cimd_reply *reply,
    struct answer *a)
{
	const struct http *h = r->http;
	FILE *f = open_memstream(&a->body, &a->len);

	if (f == NULL)
		return false;
	(void)fwrite(reply->body, 1, reply->len, f);
	conns_metrics(h->parts.conns, f);
	if (r->conn->door == DOOR_ADMIN)
		mux_metrics(h->parts.mux, f);
	figures_write(f);
	if (fclose(f) == 0)
		return true;
	free(a->body);
	a->body = NULL;
	return false;
}

/* Copy what the library owns. */
static bool
copy_reply(struct request *r, const struct cimd_reply *reply, struct answer *a)
{
	a->status = (unsigned int)reply->status;
	a->retry_after = reply->retry_after;
	a->type = strdup(reply->content_type);
	if (a->type == NULL)
		return false;
	if (reply->status == 200 &&
	    strcmp(r->match.route->method, "metrics") == 0)
		return add_figures(r, reply, a);
	a->body = malloc(reply->len + 1);
	if (a->body == NULL)
		return false;
	memcpy(a->body, reply->body, reply->len);
	a->len = reply->len;
	return true;
}

/* The answer of cimd_call(), in any thread. */
static void
on_reply(void *ctx, const struct cimd_reply *reply)
{
	struct request *r = ctx;
	struct http *h = r->http;
	struct answer a = { 0 };

	if (!copy_reply(r, reply, &a)) {
		answer_clear(&a);
		a.status = 500;
	}
	request_answer(r, &a);
	http_call_end(h);
}

/* Hand the request over; json is only for the time of the call. */
static enum MHD_Result
call(struct http *h, struct request *r, const char *json, size_t len)
{
	const struct cimd_caller who = {
		.uid = r->conn->peer.uid,
		.gids = r->conn->peer.gids,
		.n_gids = r->conn->peer.n_gids,
		.admin = r->conn->door == DOOR_ADMIN,
	};
	const struct cimd_message message = { r->match.route->method, json,
		len };

	if (!http_set_busy(h, r, true))
		return MHD_NO;
	conns_call(h->parts.conns, r->conn);
	if (r->match.route->input == ROUTE_RELOAD) {
		h->parts.reload(h->parts.ctx, r);
	} else {
		http_call_begin(h);
		cimd_call(h->parts.resolver, &who, &message, on_reply, r);
	}
	return request_wait(r) ? send_answer(h, r) : MHD_YES;
}

/* The body is read. */
static enum MHD_Result
on_complete(struct http *h, struct request *r)
{
	enum MHD_Result done;
	enum cimd_err e;
	char *json;
	size_t len = 0;

	if (r->too_big)
		set_size_fault(r);
	if (r->fault_status != 0)
		return refuse(h, r);
	e = route_json(&r->match, r->body, r->len, &json, &len, &r->fault);
	if (e != CIMD_OK) {
		r->fault_status = e == CIMD_E_REQUEST ? 400 : 500;
		return refuse(h, r);
	}
	done = call(h, r, json, len);
	free(json);
	return done;
}

static bool
is_answered(struct request *r)
{
	bool answered;

	pthread_mutex_lock(&r->lock);
	answered = r->answered;
	pthread_mutex_unlock(&r->lock);
	return answered;
}

enum MHD_Result /* NOLINTNEXTLINE(readability-function-size): as it must */
handle_request(void *cls, struct MHD_Connection *connection, const char *url,
    const char *verb, const char *version, const char *data, size_t *size,
    void **ctx)
{
	struct http *h = cls;
	struct request *r = *ctx;

	(void)connection;
	(void)url;
	if (r == NULL)
		return MHD_NO;
	if (is_answered(r))
		return send_answer(h, r);
	if (!r->known)
		return on_head(h, r, verb, version);
	if (*size == 0)
		return on_complete(h, r);
	if (r->fault_status == 0 && !request_add(r, data, *size))
		return MHD_NO;
	*size = 0;
	return MHD_YES;
}
