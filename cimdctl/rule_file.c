/*
 * rule_file.c - put a rule into conf.d and let cimdd take it
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api_json.h"
#include "confd.h"
#include "rule_file.h"
#include "store.h"
#include "talk.h"
#include "url.h"

enum {
	NAME_HOST = 48, /* bytes of the host in a rule's name */
	NAME_HASH = 12, /* of the short id; 72 bits */
};

/* Ask cimdd to take it; one that does not run takes it when it starts. */
static enum ctl_exit
reload(const struct ctl *c, bool *running)
{
	struct json_object *answer = NULL, *body = json_object_new_object();
	struct talk t = { .path = "/v1/reload",
		.body = body,
		.quiet = true,
		.doing = "waiting for cimdd" };
	enum ctl_exit status;

	if (body == NULL)
		return ctl_no_memory(c);
	status = talk(c, &t, &answer);
	*running = status != CTL_NO_DAEMON;
	json_object_put(answer);
	json_object_put(body);
	return status == CTL_NO_DAEMON ? CTL_OK : status;
}

static void
report(const struct ctl *c, const struct rule_file *r, const char *path,
    bool written, bool running)
{
	struct maker m;

	if (!c->out->json) {
		out_line(c->out, STYLE_PLAIN, "%s %s: %s%s", r->deed, r->about,
		    path, written ? "" : " (nothing new)");
		if (!running)
			out_line(c->out, STYLE_WARN,
			    "cimdd does not run; it will read this when it "
			    "starts");
		return;
	}
	maker_init(&m);
	put_string(&m, NULL, "rule", r->name);
	put_string(&m, NULL, "file", path);
	put_bool(&m, NULL, "written", written);
	put_bool(&m, NULL, "reloaded", running);
	if (!m.failed)
		out_json(c->out, m.top);
	maker_clear(&m);
}

static enum ctl_exit
commit(const struct ctl *c, const struct rule_file *r, struct confd *d,
    const struct confd_file *f)
{
	struct cimd_error err;
	enum ctl_exit status;
	bool running = false, same = confd_same(f);
	char *path = NULL;
	enum cimd_err e;

	if (!same && (e = confd_commit(d, f, &err)) != CIMD_OK)
		return ctl_fail(c, e, &err);
	status = reload(c, &running);
	if (status != CTL_OK && !same) {
		complain("the rule is taken back");
		if (confd_restore(d, f, &err) != CIMD_OK)
			complain("%s", err.text);
		return status;
	}
	if (status != CTL_OK)
		return status;
	if (asprintf(&path, "%s/%s", d->path, f->name) == -1)
		return ctl_no_memory(c);
	report(c, r, path, !same, running);
	free(path);
	return CTL_OK;
}

enum ctl_exit
rule_file_put(const struct ctl *c, const struct rule_file *r)
{
	struct confd_file f = { 0 };
	struct cimd_error err;
	enum ctl_exit status;
	struct confd d;
	enum cimd_err e;

	e = confd_open(c, &d, &err);
	if (e == CIMD_OK)
		e = confd_prepare(&d, r->name, r->lines, &f, &err);
	if (e == CIMD_OK && !confd_same(&f))
		e = confd_try(c, &d, &f, &err);
	status = e == CIMD_OK ? commit(c, r, &d, &f) : ctl_fail(c, e, &err);
	confd_file_clear(&f);
	confd_close(&d);
	return status;
}

/* "vscode.dev-3fJk_x0a": letters that the name of a section may have. */
static char *
name_of(const struct url *url)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789.-";
	char *name = NULL, short_id[44], *at;
	int n = url->host.n < NAME_HOST ? (int)url->host.n : NAME_HOST;

	store_short_id(url->whole, short_id);
	if (asprintf(&name, "%.*s-%.*s", n, url->host.p, NAME_HASH, short_id) ==
	    -1)
		return NULL;
	for (at = name; at < name + n; at++)
		if (strchr(letters, *at) == NULL)
			*at = '_'; /* of an IPv6 address */
	return name;
}

enum cimd_err
rule_file_for_url(const char *client_id, bool blocked, char **name,
    char **lines, struct cimd_error *err)
{
	char ports[32] = "";
	struct url url;
	enum cimd_err e;

	*lines = NULL;
	*name = NULL;
	e = url_parse(span_of(client_id), URL_ALLOW_ADDRESS | URL_ALLOW_SPECIAL,
	    &url, err);
	if (e != CIMD_OK)
		return e;
	if (url.port != 443)
		(void)snprintf(ports, sizeof(ports), "\tports = { %u }\n",
		    (unsigned int)url.port);
	if ((*name = name_of(&url)) == NULL)
		return err_no_memory(err);
	/* No byte of a client identifier URL means anything in a string. */
	if (asprintf(lines,
		"client \"%s\" {\n"
		"\tmatch = { \"%s\" }\n"
		"%s%s"
		"}\n",
		*name, client_id, blocked ? "\ttrust = blocked\n" : "",
		ports) == -1) {
		*lines = NULL;
		return err_no_memory(err);
	}
	return CIMD_OK;
}
