/*
 * judge.c - run the rules over an answer that is at hand, without network
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "document.h"
#include "error.h"
#include "judge.h"
#include "netaddr.h"

struct judging {
	const struct judge_input *in;
	struct judge_result *out;
	struct url url;
	struct verdict verdict;
};

static enum cimd_err
judge_url(struct judging *j, struct cimd_error *err)
{
	const struct judge_input *in = j->in;
	struct policy_question q = { .machine = in->policy, .url = &j->url };
	enum cimd_err e;

	e = url_parse(in->url, policy_url_flags(in->policy, NULL, in->url),
	    &j->url, err);
	if (e != CIMD_OK)
		return e;
	j->out->warnings |= j->url.warnings;
	return policy_judge(&q, &j->verdict, err);
}

static struct span
text_of(struct json_object *v)
{
	struct span none = { NULL, 0 }, s;

	if (!json_object_is_type(v, json_type_string))
		return none;
	s.p = json_object_get_string(v);
	s.n = (size_t)json_object_get_string_len(v);
	return s;
}

static enum cimd_err
read_address(struct span text, struct netaddr *out, struct cimd_error *err)
{
	if (text.p == NULL)
		return err_set(err, CIMD_E_ADDRESS, "9.6",
		    "an address is not a string");
	if (!netaddr_parse(text, out))
		return err_set(err, CIMD_E_ADDRESS, "9.6",
		    "\"%.*s\" is not an IP address", (int)text.n, text.p);
	return CIMD_OK;
}

/* The host of the URL when it is an address itself. */
static enum cimd_err
judge_literal(const struct judging *j, struct cimd_error *err)
{
	const struct url *url = &j->url;
	struct span host = url->host;
	struct netaddr a;
	enum cimd_err e;

	if (url->host_kind == HOST_IPV6) {
		host.p++;
		host.n -= 2;
	} else if (url->host_kind != HOST_IPV4)
		return CIMD_OK;
	if ((e = read_address(host, &a, err)) != CIMD_OK)
		return e;
	return netaddr_judge(&a, 1, policy_loopback(j->in->policy), err);
}

static enum cimd_err
judge_addresses(struct judging *j, struct cimd_error *err)
{
	struct json_object *list = j->in->addresses;
	struct netaddr a[CIMD_MAX_ADDRESSES];
	enum cimd_err e;
	size_t i, n;

	if (policy_loopback(j->in->policy))
		j->out->warnings |= WARN_BIT(WARN_DEVELOPMENT_LOOPBACK);
	if (list == NULL)
		return judge_literal(j, err);
	if (!json_object_is_type(list, json_type_array))
		return err_set(err, CIMD_E_ADDRESS, "9.6",
		    "addresses is not an array");
	n = json_object_array_length(list);
	if (n > CIMD_MAX_ADDRESSES)
		return err_set(err, CIMD_E_DNS, "9.6", "more than %d addresses",
		    CIMD_MAX_ADDRESSES);
	for (i = 0; i < n; i++) {
		e = read_address(text_of(json_object_array_get_idx(list, i)),
		    &a[i], err);
		if (e != CIMD_OK)
			return e;
	}
	return netaddr_judge(a, n, policy_loopback(j->in->policy), err);
}

/* One line of parts; values may hold any byte, NUL too. */
static enum cimd_err
add_line(struct http_headers *h, const struct span *part, size_t n,
    struct cimd_error *err)
{
	struct span line = { NULL, 0 };
	char *text;
	enum cimd_err e;
	size_t i, len = 0;

	for (i = 0; i < n; i++)
		len += part[i].n;
	if ((text = malloc(len + 1)) == NULL)
		return err_no_memory(err);
	line.p = text;
	for (i = 0; i < n; i++) {
		(void)memcpy(text + line.n, part[i].p, part[i].n);
		line.n += part[i].n;
	}
	e = http_headers_line(h, line, err);
	free(text);
	return e;
}

static enum cimd_err
add_text(struct http_headers *h, const char *text, struct cimd_error *err)
{
	struct span line = span_of(text);

	return add_line(h, &line, 1, err);
}

/* One [name, value]. */
static enum cimd_err
add_header(struct http_headers *h, struct json_object *pair,
    struct cimd_error *err)
{
	struct span name, value;

	if (!json_object_is_type(pair, json_type_array) ||
	    json_object_array_length(pair) != 2)
		return err_set(err, CIMD_E_REQUEST, "",
		    "headers: [name, value] is expected");
	name = text_of(json_object_array_get_idx(pair, 0));
	value = text_of(json_object_array_get_idx(pair, 1));
	if (name.p == NULL || value.p == NULL)
		return err_set(err, CIMD_E_REQUEST, "",
		    "headers: name and value are strings");
	return add_line(h,
	    (struct span[]){ name, span_of(": "), value, span_of("\r\n") }, 4,
	    err);
}

static enum cimd_err
add_headers(struct http_headers *h, struct json_object *list,
    struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;
	size_t i, n;

	if (list == NULL)
		return add_text(h, "content-type: application/json\r\n", err);
	if (!json_object_is_type(list, json_type_array))
		return err_set(err, CIMD_E_REQUEST, "",
		    "headers: an array is expected");
	n = json_object_array_length(list);
	for (i = 0; i < n && e == CIMD_OK; i++)
		e = add_header(h, json_object_array_get_idx(list, i), err);
	return e;
}

static enum cimd_err
judge_response(struct judging *j, struct cimd_error *err)
{
	struct http_headers *h;
	struct http_facts facts;
	char status[32];
	enum cimd_err e;

	if ((h = http_headers_new()) == NULL)
		return err_no_memory(err);
	(void)snprintf(status, sizeof(status), "HTTP/1.1 %03d \r\n",
	    j->in->status);
	e = add_text(h, status, err);
	if (e == CIMD_OK)
		e = add_headers(h, j->in->headers, err);
	if (e == CIMD_OK)
		e = add_text(h, "\r\n", err);
	if (e == CIMD_OK) {
		http_headers_facts(h, 0, &facts);
		e = http_judge(&facts, j->verdict.lenient_type,
		    &j->out->warnings, err);
	}
	http_headers_free(&h);
	if (e == CIMD_OK && j->in->body.n > CIMD_MAX_DOCUMENT)
		e = err_set(err, CIMD_E_TOO_BIG, "9.7",
		    "%zu bytes are more than %d", j->in->body.n,
		    CIMD_MAX_DOCUMENT);
	return e;
}

static enum cimd_err
judge_document(struct judging *j, struct cimd_error *err)
{
	struct judge_result *out = j->out;
	struct document *d = NULL;
	enum cimd_err e;

	e = document_parse(j->in->url, j->in->body, &d, err);
	if (e == CIMD_OK)
		e = document_record(d, &out->client, err);
	document_free(&d);
	if (e == CIMD_OK)
		e = decide(&j->verdict, out->client, &out->decision, err);
	out->decided = e == CIMD_OK;
	if (out->decided) {
		out->warnings |= out->decision.warnings;
		out->redirect_ok = decide_redirect(&out->decision, out->client,
		    j->in->redirect_uri);
	}
	return e;
}

/* Nobody can have approved it. */
static enum cimd_err
judge_approval(const struct judging *j, struct cimd_error *err)
{
	if (j->verdict.trust != TRUST_PENDING)
		return CIMD_OK;
	return err_set(err, CIMD_E_PENDING, "policy",
	    "rule \"%s\" wants an administrator's approval first",
	    j->verdict.name);
}

void
judge(const struct judge_input *in, struct judge_result *out)
{
	struct judging j = { .in = in, .out = out };

	*out = (struct judge_result){ 0 };
	out->code = judge_url(&j, &out->err);
	if (out->code == CIMD_OK)
		out->code = judge_addresses(&j, &out->err);
	if (out->code == CIMD_OK && in->body.p != NULL)
		out->code = judge_response(&j, &out->err);
	if (out->code == CIMD_OK && in->body.p != NULL)
		out->code = judge_document(&j, &out->err);
	if (out->code == CIMD_OK)
		out->code = judge_approval(&j, &out->err);
}

void
judge_clear(struct judge_result *r)
{
	cimd_client_free(&r->client);
}
