/*
 * talk.c - questions to cimdd over its admin socket
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api_json.h"
#include "http.h"
#include "jget.h"
#include "progress.h"
#include "talk.h"

enum {
	TALK_MS = 10000,          /* a refresh takes at most 4 s */
	TALK_MAX_BYTES = 1 << 25, /* 1000 clients with long URLs: 4 MB */
};

const char *
talk_socket(const struct ctl *c)
{
	return c->opt[OPT_SOCKET] != NULL ? c->opt[OPT_SOCKET] : TALK_SOCKET;
}

static enum cimd_err
code_named(const char *name)
{
	int e;

	for (e = CIMD_E_NOT_CIMD; e <= CIMD_E_INTERNAL; e++)
		if (strcmp(cimd_err_name((enum cimd_err)e), name) == 0)
			return (enum cimd_err)e;
	return CIMD_E_INTERNAL;
}

/* Nothing is stored: cimdd knows the short id that it was asked for. */
static void
name_client(struct json_object *o, const char *client_id)
{
	struct maker m = { .top = o };
	char *text = NULL;

	if (asprintf(&text, "nothing is stored about %s", client_id) == -1)
		return;
	put_string(&m, NULL, "client_id", client_id);
	put_string(&m, NULL, "detail", text);
	free(text);
}

/* What cimdd says is wrong (RFC 9457). */
static enum ctl_exit
report_problem(const struct ctl *c, const struct talk *t,
    const struct http_answer *a)
{
	struct json_object *o = json_tokener_parse(a->body);
	const char *name = jget_string(o, "code");
	const char *section = jget_string(o, "section");
	enum cimd_err e = code_named(name);
	enum ctl_exit status = ctl_exit_of(e);

	if (e == CIMD_E_NOT_STORED && t->client_id != NULL)
		name_client(o, t->client_id);
	if (*name == '\0')
		status = a->status == 503 ? CTL_UNAVAILABLE : CTL_BROKEN;
	if (t->silent)
		;
	else if (*name == '\0')
		complain("cimdd answers with status %ld", a->status);
	else
		complain("%s (%s%s%s)", jget_string(o, "detail"), name,
		    *section != '\0' ? ", section " : "", section);
	if (!t->silent && c->out->json &&
	    json_object_is_type(o, json_type_object))
		out_json(c->out, o);
	json_object_put(o);
	return status;
}

static enum ctl_exit
report_silence(const struct ctl *c, const struct talk *t,
    const struct http_answer *a)
{
	switch (a->result) {
	case HTTP_UNREACHABLE:
		if (!t->quiet)
			complain("cimdd cannot be reached at %s: %s",
			    talk_socket(c), a->why);
		return CTL_NO_DAEMON;
	case HTTP_TIMEOUT:
		if (!t->silent)
			complain("cimdd does not answer at %s", talk_socket(c));
		return CTL_NO_DAEMON;
	case HTTP_ANSWER:
	case HTTP_CERTIFICATE:
	case HTTP_CA_FILE:
	case HTTP_BROKEN:
		break;
	}
	if (!t->silent)
		complain("what listens at %s is no cimdd: %s", talk_socket(c),
		    a->why);
	return CTL_BROKEN;
}

/* a is to be released in any case. */
static enum ctl_exit
exchange(const struct ctl *c, const struct talk *t, struct http_answer *a)
{
	struct http_ask ask = { .socket = talk_socket(c),
		.timeout_ms = TALK_MS,
		.max_bytes = TALK_MAX_BYTES };
	struct progress *p;
	char *url = NULL;

	*a = (struct http_answer){ .result = HTTP_BROKEN };
	if (asprintf(&url, "http://cimd%s", t->path) == -1)
		return ctl_no_memory(c);
	ask.url = url;
	if (t->body != NULL)
		ask.post = json_object_to_json_string_ext(t->body,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (t->body != NULL && ask.post == NULL) {
		free(url);
		return ctl_no_memory(c);
	}
	p = progress_begin(t->doing != NULL ? t->doing : "asking cimdd");
	http_do(&ask, a);
	progress_end(&p);
	free(url);
	if (a->result != HTTP_ANSWER)
		return report_silence(c, t, a);
	return a->status == 200 ? CTL_OK : report_problem(c, t, a);
}

enum ctl_exit
talk(const struct ctl *c, const struct talk *t, struct json_object **out)
{
	struct http_answer a;
	enum ctl_exit status;

	*out = NULL;
	status = exchange(c, t, &a);
	if (status == CTL_OK) {
		*out = json_tokener_parse(a.body != NULL ? a.body : "");
		if (!json_object_is_type(*out, json_type_object)) {
			complain("cimdd answered with something that is no "
				 "JSON object");
			json_object_put(*out);
			*out = NULL;
			status = CTL_BROKEN;
		}
	}
	http_clear(&a);
	return status;
}

enum ctl_exit
talk_text(const struct ctl *c, const struct talk *t, char **out)
{
	struct http_answer a;
	enum ctl_exit status = exchange(c, t, &a);

	*out = NULL;
	if (status == CTL_OK) {
		*out = a.body != NULL ? a.body : strdup("");
		a.body = NULL;
		if (*out == NULL)
			status = ctl_no_memory(c);
	}
	http_clear(&a);
	return status;
}
