/*
 * answer.c - what cimdd answered, decoded strictly
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "answer.h"
#include "error.h"
#include "json_scan.h"

enum {
	MAX_NAME = 32, /* bytes of a code, of an OAuth error, with the NUL */
};

/*
 * code and oauth are texts, because a newer cimdd may know more of them.
 * client, decision and display belong to root.
 */
struct cimdclient_answer {
	enum cimd_class class_;
	struct cimd_error err;
	char code[MAX_NAME];
	char oauth[MAX_NAME];
	unsigned int retry_after;
	struct json_object *root, *client, *decision, *display;
};

struct cimdclient_answer *
answer_new(void)
{
	return calloc(1, sizeof(struct cimdclient_answer));
}

struct cimd_error *
answer_error(struct cimdclient_answer *a)
{
	return &a->err;
}

void
cimdclient_free(struct cimdclient_answer **a)
{
	if (a == NULL || *a == NULL)
		return;
	json_object_put((*a)->root);
	free(*a);
	*a = NULL;
}

static void
set_name(char *out, const char *name)
{
	size_t n = strnlen(name, MAX_NAME - 1);

	memcpy(out, name, n);
	out[n] = '\0';
}

void
answer_fail(struct cimdclient_answer *a, enum cimd_err e)
{
	a->class_ = cimd_err_class(e);
	if (a->class_ == CIMD_ACCEPTED)
		a->class_ = CIMD_BROKEN;
	set_name(a->code, cimd_err_name(e));
	set_name(a->oauth, cimd_err_oauth(e));
}

/* The string member of o; absent: there is none, or it is something else. */
static struct span
string_of(struct json_object *o, const char *name)
{
	struct json_object *v;
	struct span s = { NULL, 0 };

	if (o == NULL || !json_object_object_get_ex(o, name, &v) ||
	    !json_object_is_type(v, json_type_string))
		return s;
	s.p = json_object_get_string(v);
	s.n = (size_t)json_object_get_string_len(v);
	return s;
}

static struct json_object *
typed(struct json_object *o, const char *name, enum json_type type)
{
	struct json_object *v;

	if (o == NULL || !json_object_object_get_ex(o, name, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

static bool
is_true(struct json_object *o, const char *name)
{
	struct json_object *v = typed(o, name, json_type_boolean);

	return v != NULL && json_object_get_boolean(v);
}

/* A code, an OAuth error: a short name. */
static bool
take_name(struct json_object *o, const char *name, char *out)
{
	struct span s = string_of(o, name);
	size_t i;

	if (s.n == 0 || s.n >= MAX_NAME)
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '_' && (s.p[i] < 'a' || s.p[i] > 'z') &&
		    (s.p[i] < 'A' || s.p[i] > 'Z') &&
		    (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

/* The class by its name on the wire; false: there is no such class. */
static bool
class_named(struct span name, enum cimd_class *out)
{
	for (*out = CIMD_BROKEN; *out <= CIMD_NOT_OURS; (*out)++)
		if (span_is(name, cimd_class_name(*out)))
			return true;
	return false;
}

/* The class that a status stands for; both must say the same. */
static enum cimd_class
class_of_status(int status)
{
	switch (status) {
	case 403:
		return CIMD_REFUSED;
	case 404:
		return CIMD_NOT_OURS;
	case 503:
		return CIMD_UNAVAILABLE;
	default:
		return CIMD_BROKEN;
	}
}

static enum cimd_err
strange(struct cimdclient_answer *a, const char *what)
{
	return err_set(&a->err, CIMD_E_INTERNAL, "",
	    "cimdd's answer cannot be used: %s", what);
}

/* A problem document (RFC 9457). */
static enum cimd_err
read_problem(struct cimdclient_answer *a, int status)
{
	struct span detail = string_of(a->root, "detail");
	struct json_object *seconds;
	enum cimd_class c;
	int64_t n;

	/* 404 is also what a daemon says that does not know the path. */
	if (!class_named(string_of(a->root, "class"), &c) ||
	    (c != class_of_status(status) && c != CIMD_BROKEN))
		return strange(a, "status and class disagree");
	if (!take_name(a->root, "code", a->code) ||
	    !take_name(a->root, "error", a->oauth))
		return strange(a, "no code, or no error");
	(void)err_set(&a->err, CIMD_E_INTERNAL, "", "%s",
	    detail.p != NULL ? detail.p : "");
	a->class_ = c;
	seconds = typed(a->root, "retry_after", json_type_int);
	n = seconds != NULL ? json_object_get_int64(seconds) : 0;
	if (n > 0 && n <= 86400)
		a->retry_after = (unsigned int)n;
	return CIMD_OK;
}

static bool
are_strings(struct json_object *list)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		if (!json_object_is_type(json_object_array_get_idx(list, i),
			json_type_string))
			return false;
	return true;
}

static enum cimd_err
read_decision(struct cimdclient_answer *a, struct span client_id, bool verify)
{
	struct json_object *methods;
	struct span trust;

	a->client = typed(a->root, "client", json_type_object);
	a->decision = typed(a->root, "decision", json_type_object);
	a->display = typed(a->root, "display", json_type_object);
	if (!span_eq(string_of(a->client, "client_id"), client_id))
		return strange(a, "it is about another client");
	trust = string_of(a->decision, "trust");
	if (!span_is(trust, "trusted") && !span_is(trust, "unverified"))
		return strange(a, "no trust");
	methods = typed(a->decision, "auth_methods", json_type_array);
	if (methods == NULL || !are_strings(methods) ||
	    string_of(a->decision, "rule").p == NULL ||
	    typed(a->decision, "redirect_uri_ok", json_type_boolean) == NULL ||
	    string_of(a->display, "client_host").p == NULL)
		return strange(a, "a member is missing");
	if (verify && !is_true(a->root, "verified"))
		return strange(a, "nothing was verified");
	set_name(a->code, cimd_err_name(CIMD_OK));
	a->class_ = CIMD_ACCEPTED;
	return CIMD_OK;
}

static enum cimd_err
decode(struct cimdclient_answer *a, const struct reply *r,
    struct span client_id, bool verify)
{
	enum cimd_err e = json_parse(reply_body(r), &a->root, &a->err);

	if (e == CIMD_E_JSON) {
		err_prefix(&a->err, "cimdd's answer cannot be used");
		return CIMD_E_INTERNAL;
	}
	if (e != CIMD_OK)
		return e;
	if (r->status == 200 && r->json)
		return read_decision(a, client_id, verify);
	if (r->status >= 400 && r->problem)
		return read_problem(a, r->status);
	return strange(a, "a status that cimdd does not send");
}

void
answer_decode(struct cimdclient_answer *a, const struct reply *r,
    struct span client_id, bool verify)
{
	enum cimd_err e = decode(a, r, client_id, verify);

	if (e != CIMD_OK)
		answer_fail(a, e);
}

enum cimd_class
cimdclient_class(const struct cimdclient_answer *a)
{
	return a != NULL ? a->class_ : CIMD_BROKEN;
}

const char *
cimdclient_code(const struct cimdclient_answer *a)
{
	return a != NULL ? a->code : cimd_err_name(CIMD_E_NO_MEMORY);
}

const char *
cimdclient_detail(const struct cimdclient_answer *a)
{
	return a != NULL ? a->err.text : cimd_err_text(CIMD_E_NO_MEMORY);
}

const char *
cimdclient_oauth(const struct cimdclient_answer *a)
{
	return a != NULL ? a->oauth : cimd_err_oauth(CIMD_E_NO_MEMORY);
}

unsigned int
cimdclient_retry_after(const struct cimdclient_answer *a)
{
	return a != NULL ? a->retry_after : 0;
}

/* NULL but for an accepted client. */
static const struct cimdclient_answer *
accepted(const struct cimdclient_answer *a)
{
	return cimdclient_class(a) == CIMD_ACCEPTED ? a : NULL;
}

const char *
cimdclient_text(const struct cimdclient_answer *a, const char *member)
{
	return accepted(a) != NULL ? string_of(a->client, member).p : NULL;
}

static struct json_object *
list_of(const struct cimdclient_answer *a, const char *member)
{
	if (accepted(a) == NULL)
		return NULL;
	return typed(a->client, member, json_type_array);
}

size_t
cimdclient_count(const struct cimdclient_answer *a, const char *member)
{
	struct json_object *list = list_of(a, member);

	return list != NULL && are_strings(list) ?
	    json_object_array_length(list) :
	    0;
}

const char *
cimdclient_item(const struct cimdclient_answer *a, const char *member, size_t i)
{
	if (i >= cimdclient_count(a, member))
		return NULL;
	return json_object_get_string(
	    json_object_array_get_idx(list_of(a, member), i));
}

const char *
cimdclient_json(const struct cimdclient_answer *a, const char *member)
{
	struct json_object *v;

	if (accepted(a) == NULL ||
	    !json_object_object_get_ex(a->client, member, &v) || v == NULL)
		return NULL;
	return json_object_to_json_string_ext(v,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

const char *
cimdclient_trust(const struct cimdclient_answer *a)
{
	return accepted(a) != NULL ? string_of(a->decision, "trust").p : NULL;
}

const char *
cimdclient_rule(const struct cimdclient_answer *a)
{
	return accepted(a) != NULL ? string_of(a->decision, "rule").p : NULL;
}

const char *
cimdclient_host(const struct cimdclient_answer *a)
{
	return accepted(a) != NULL ? string_of(a->display, "client_host").p :
				     NULL;
}

bool
cimdclient_allows(const struct cimdclient_answer *a, const char *method)
{
	struct json_object *list;
	size_t i;

	if (accepted(a) == NULL)
		return false;
	list = typed(a->decision, "auth_methods", json_type_array);
	for (i = 0; i < json_object_array_length(list); i++)
		if (strcmp(json_object_get_string(
			       json_object_array_get_idx(list, i)),
			method) == 0)
			return true;
	return false;
}

bool
cimdclient_redirect_ok(const struct cimdclient_answer *a)
{
	return accepted(a) != NULL && is_true(a->decision, "redirect_uri_ok");
}
