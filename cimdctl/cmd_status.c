/*
 * cmd_status.c - "status", "reload", "audit", "metrics"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api_json.h"
#include "commands.h"
#include "facts.h"
#include "jget.h"
#include "talk.h"
#include "when.h"

enum {
	AUDIT_LINES = 20,
	AUDIT_MAX = 1000 /* what cimdd gives at once */
};

static void
add_fetches(struct table *t, struct json_object *f)
{
	table_row(t);
	table_cell(t, STYLE_DIM, "fetches");
	table_cell(t, STYLE_PLAIN,
	    "%lld running, %lld waiting; %lld started, %lld joined, %lld "
	    "limited, %lld refused as busy",
	    (long long)jget_int(f, "running"), (long long)jget_int(f, "queued"),
	    (long long)jget_int(f, "started"), (long long)jget_int(f, "joined"),
	    (long long)jget_int(f, "limited"), (long long)jget_int(f, "busy"));
}

static void
add_rules(struct table *t, struct json_object *o)
{
	struct json_object *rule;
	size_t i, n = jget_count(o, "rules");

	for (i = 0; i < n; i++) {
		const char *where;

		rule = jget_item(o, "rules", i);
		where = jget_string(rule, "where");
		table_row(t);
		table_cell(t, STYLE_DIM, "%s", i == 0 ? "rules" : "");
		table_cell(t, STYLE_PLAIN, "%s: %s, %s%s%s%s",
		    jget_string(rule, "name"), jget_string(rule, "trust"),
		    jget_string(rule, "update"), *where != '\0' ? " (" : "",
		    where, *where != '\0' ? ")" : "");
	}
	if (n == 0)
		fact_text(t, "rules", STYLE_WARN,
		    "none; cimdctl allow writes one");
}

static enum ctl_exit
print_status(const struct ctl *c, struct json_object *o)
{
	const char *dir = jget_string(o, "state_dir");
	const char *problem = jget_string(o, "store_problem");
	struct table t = { 0 };

	fact_text(&t, "cimdd", STYLE_BOLD, jget_string(o, "version"));
	fact_time(&t, "started", jget_int(o, "started_at"), jget_int(o, "now"));
	fact_text(&t, "state", STYLE_PLAIN,
	    *dir != '\0' ? dir : "in memory only");
	fact_text(&t, "store", *problem != '\0' ? STYLE_BAD : STYLE_GOOD,
	    *problem != '\0' ? problem : "can be written");
	fact_text(&t, "proxy", STYLE_WARN, jget_string(o, "proxy"));
	if (jget_true(o, "development_loopback"))
		fact_text(&t, "development", STYLE_BAD,
		    "documents may be on this machine (development_loopback)");
	add_fetches(&t, jget(o, "fetches"));
	add_rules(&t, o);
	return table_print(&t, c->out) ? CTL_OK : ctl_no_memory(c);
}

enum ctl_exit
cmd_status(struct ctl *c)
{
	struct talk t = { .path = "/v1/status" };
	struct json_object *answer;
	enum ctl_exit status = talk(c, &t, &answer);

	if (status == CTL_OK && c->out->json)
		out_json(c->out, answer);
	else if (status == CTL_OK)
		status = print_status(c, answer);
	json_object_put(answer);
	return status;
}

enum ctl_exit
cmd_reload(struct ctl *c)
{
	struct json_object *answer = NULL, *body = json_object_new_object();
	struct talk t = { .path = "/v1/reload",
		.body = body,
		.doing = "waiting for cimdd" };
	enum ctl_exit status;

	if (body == NULL)
		return ctl_no_memory(c);
	status = talk(c, &t, &answer);
	if (status == CTL_OK && c->out->json)
		out_json(c->out, answer);
	else if (status == CTL_OK)
		out_line(c->out, STYLE_PLAIN, "reloaded");
	json_object_put(answer);
	json_object_put(body);
	return status;
}

/* The name of the user who did it; a number where there is none. */
static void
add_user(struct table *t, struct json_object *line)
{
	const int64_t uid = jget_int(line, "uid");
	const struct passwd *pw;

	if (jget(line, "uid") == NULL) {
		table_cell(t, STYLE_DIM, "-");
		return;
	}
	pw = getpwuid((uid_t)uid);
	if (pw != NULL)
		table_cell(t, STYLE_PLAIN, "%s", pw->pw_name);
	else
		table_cell(t, STYLE_PLAIN, "uid %lld", (long long)uid);
}

static void
add_line(struct table *t, struct json_object *line)
{
	const char *code = jget_string(line, "code");
	const char *text = jget_string(line, "text");
	bool good = *code == '\0' || strcmp(code, "CIMD_OK") == 0;
	char exact[WHEN_TEXT];

	table_row(t);
	table_cell(t, STYLE_DIM, "%s",
	    when_exact(jget_int(line, "time"), exact));
	table_cell(t, STYLE_PLAIN, "%s", jget_string(line, "event"));
	add_user(t, line);
	table_cell(t, good ? STYLE_GOOD : STYLE_BAD, "%s",
	    *code != '\0' ? code : "-");
	table_cell(t, STYLE_PLAIN, "%s", jget_string(line, "client_id"));
	table_cell(t, STYLE_PLAIN, "%s",
	    *text != '\0' ? text : jget_string(line, "detail"));
}

static enum ctl_exit
print_audit(const struct ctl *c, struct json_object *o)
{
	size_t i, n = jget_count(o, "lines");
	struct table t = { 0 };

	if (n == 0)
		out_line(c->out, STYLE_PLAIN, "nothing was audited yet");
	for (i = 0; i < n; i++)
		add_line(&t, jget_item(o, "lines", i));
	return table_print(&t, c->out) ? CTL_OK : ctl_no_memory(c);
}

enum ctl_exit
cmd_audit(struct ctl *c)
{
	struct json_object *answer;
	int64_t n = AUDIT_LINES;
	enum ctl_exit status;
	struct talk t = { 0 };
	char path[64];

	if (c->opt[OPT_LIMIT] != NULL &&
	    !opt_number(c->opt[OPT_LIMIT], 1, AUDIT_MAX, &n)) {
		complain("--limit: 1 to %d is expected", AUDIT_MAX);
		return CTL_USAGE;
	}
	(void)snprintf(path, sizeof(path), "/v1/audit?n=%lld", (long long)n);
	t.path = path;
	status = talk(c, &t, &answer);
	if (status == CTL_OK && c->out->json)
		out_json(c->out, answer);
	else if (status == CTL_OK)
		status = print_audit(c, answer);
	json_object_put(answer);
	return status;
}

static enum ctl_exit
print_metrics(const struct ctl *c, char *text)
{
	enum ctl_exit status = CTL_OK;
	char *line, *rest = text;
	struct maker m;

	if (!c->out->json) {
		while ((line = strsep(&rest, "\n")) != NULL)
			if (*line != '\0' || rest != NULL)
				out_line(c->out, STYLE_PLAIN, "%s", line);
		return CTL_OK;
	}
	maker_init(&m);
	put_string(&m, NULL, "metrics", text);
	if (m.failed)
		status = ctl_no_memory(c);
	else
		out_json(c->out, m.top);
	maker_clear(&m);
	return status;
}

enum ctl_exit
cmd_metrics(struct ctl *c)
{
	struct talk t = { .path = "/metrics" };
	enum ctl_exit status;
	char *text;

	status = talk_text(c, &t, &text);
	if (status == CTL_OK)
		status = print_metrics(c, text);
	free(text);
	return status;
}
