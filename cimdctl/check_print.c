/*
 * check_print.c - the findings of a check, for people and as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "check_print.h"
#include "redirect.h"
#include "verdict.h"

enum {
	LINE_COLUMNS = 79,
};

static const char *
section_of(const struct check *check, enum check_id id)
{
	const struct finding *f = &check->finding[id];

	return f->section[0] != '\0' ? f->section : check_rule(id)->section;
}

/* "5.2" of the draft, or where else the rule stands. */
static const char *
section_text(const char *section, char *buf, size_t size)
{
	if (*section < '0' || *section > '9')
		return section;
	(void)snprintf(buf, size, "section %s", section);
	return buf;
}

static enum style
style_of(enum check_level level)
{
	switch (level) {
	case LEVEL_PASS:
		return STYLE_GOOD;
	case LEVEL_WARN:
		return STYLE_WARN;
	case LEVEL_FAIL:
		return STYLE_BAD;
	case LEVEL_SKIP:
		break;
	}
	return STYLE_DIM;
}

/* All warnings of a finding as one text. */
static void
warning_texts(uint64_t bits, char *buf, size_t size)
{
	unsigned int w;
	size_t n = 0;

	buf[0] = '\0';
	for (w = 0; w < WARN_COUNT && n < size; w++)
		if ((bits & WARN_BIT(w)) != 0)
			n += (size_t)snprintf(buf + n, size - n, "%s%s",
			    n > 0 ? " " : "",
			    warning_text((enum cimd_warning)w));
}

static bool
is_shown(const struct check *check, enum check_id id)
{
	const struct finding *f = &check->finding[id];

	return f->level != LEVEL_SKIP || f->text[0] != '\0';
}

static void
add_rule(struct table *t, const struct check *check, enum check_id id)
{
	const struct finding *f = &check->finding[id];
	const struct check_rule *r = check_rule(id);
	char section[40], texts[512];

	table_row(t);
	table_cell(t, style_of(f->level), "%s", check_level_name(f->level));
	table_cell(t, STYLE_BOLD, "%s", r->name);
	table_cell(t, STYLE_DIM, "%s",
	    section_text(section_of(check, id), section, sizeof(section)));
	switch (f->level) {
	case LEVEL_PASS:
		table_cell(t, STYLE_PLAIN, "%s%s%s%s", r->what,
		    f->text[0] != '\0' ? " (" : "", f->text,
		    f->text[0] != '\0' ? ")" : "");
		return;
	case LEVEL_SKIP:
		table_cell(t, STYLE_DIM, "%s", f->text);
		return;
	case LEVEL_WARN:
		warning_texts(f->warnings, texts, sizeof(texts));
		table_cell(t, STYLE_PLAIN, "%s%s%s", texts,
		    f->text[0] != '\0' ? " " : "", f->text);
		break;
	case LEVEL_FAIL:
		table_cell(t, STYLE_PLAIN, "%s", f->text);
		break;
	}
	table_row(t);
	table_cell(t, STYLE_PLAIN, "%s", "");
	table_cell(t, STYLE_PLAIN, "%s", "");
	table_cell(t, STYLE_PLAIN, "%s", "");
	table_cell(t, STYLE_DIM, "to do: %s", r->advice);
}

/* Those that have nothing to say: not reached, or nothing was fetched. */
static void
print_skipped(struct out *o, const struct check *check)
{
	const char *name, *lead = "not judged:";
	size_t column = 0, n;
	int id;

	for (id = 0; id < CHECK_COUNT; id++) {
		if (is_shown(check, (enum check_id)id) ||
		    id == CHECK_REDIRECT_URI)
			continue;
		name = check_rule((enum check_id)id)->name;
		n = strlen(lead) + strlen(name) + 1;
		if (column + n >= LINE_COLUMNS) {
			out_line(o, STYLE_PLAIN, "%s", ",");
			lead = "           ";
			n = strlen(lead) + strlen(name) + 1;
			column = 0;
		}
		out_text(o, STYLE_DIM, "%s %s", lead, name);
		column += n;
		lead = ",";
	}
	if (column > 0)
		out_line(o, STYLE_PLAIN, "%s", "");
}

static void
print_verdict(struct out *o, const struct check *check)
{
	const struct decision *d = &check->decision;

	if (check->code != CIMD_OK) {
		out_text(o, STYLE_BAD, "%s",
		    cimd_err_class(check->code) == CIMD_UNAVAILABLE ?
			"unavailable" :
			verdict_name(check->code));
		out_line(o, STYLE_PLAIN, ": %s (%s)", check->err.text,
		    cimd_err_name(check->code));
		return;
	}
	out_text(o, STYLE_GOOD, "accept");
	out_line(o, STYLE_PLAIN, ": %s by rule %s; authenticates with %s%s",
	    trust_name(d->trust), check->verdict.name,
	    (d->methods & METHOD_PRIVATE_KEY_JWT) != 0 ? "private_key_jwt" :
							 "none",
	    d->methods == (METHOD_PRIVATE_KEY_JWT | METHOD_NONE) ? ", or none" :
								   "");
}

static void
print_client(struct out *o, const struct check *check)
{
	struct span host = check->url.host;
	const char *name;

	if (check->client == NULL)
		return;
	name = client_text(check->client, CLIENT_NAME);
	out_text(o, STYLE_BOLD, "%.*s", (int)host.n, host.p);
	out_line(o, STYLE_PLAIN, " calls itself \"%s\"",
	    name != NULL ? name : "");
}

static enum ctl_exit
print_people(const struct ctl *c, const struct check *check)
{
	struct table t = { 0 };
	int id;

	for (id = 0; id < CHECK_COUNT; id++)
		if (is_shown(check, (enum check_id)id))
			add_rule(&t, check, (enum check_id)id);
	if (!table_print(&t, c->out))
		return ctl_no_memory(c);
	print_skipped(c->out, check);
	out_line(c->out, STYLE_PLAIN, "%s", "");
	print_client(c->out, check);
	print_verdict(c->out, check);
	return CTL_OK;
}

static void
put_rules(struct maker *m, const struct check *check)
{
	struct json_object *a = put_array(m, NULL, "rules"), *o;
	const struct finding *f;
	char text[300];
	int id;

	for (id = 0; id < CHECK_COUNT; id++) {
		f = &check->finding[id];
		o = push_object(m, a);
		put_string(m, o, "rule", check_rule((enum check_id)id)->name);
		put_string(m, o, "level", check_level_name(f->level));
		put_string(m, o, "section",
		    section_of(check, (enum check_id)id));
		(void)snprintf(text, sizeof(text), "%s", f->text);
		if (text[0] != '\0')
			put_string(m, o, "detail", text);
		if (f->level == LEVEL_WARN)
			verdict_put_warnings(m, o, f->warnings);
		if (f->level == LEVEL_WARN || f->level == LEVEL_FAIL)
			put_string(m, o, "advice",
			    check_rule((enum check_id)id)->advice);
	}
}

static void
put_client(struct maker *m, const struct check *check)
{
	const char *text;
	size_t len;

	if (check->client == NULL)
		return;
	text = cimd_client_json(check->client, &len);
	put_tree(m, NULL, "client", json_tokener_parse(text));
}

static enum ctl_exit
print_json(const struct ctl *c, const struct check *check)
{
	enum ctl_exit status = CTL_OK;
	struct maker m;

	maker_init(&m);
	put_span(&m, NULL, "client_id", check->ask->url);
	verdict_put(&m, check->code, &check->err);
	verdict_put_warnings(&m, NULL, check->warnings);
	if (check->judged) {
		put_string(&m, NULL, "trust", trust_name(check->verdict.trust));
		put_string(&m, NULL, "rule", check->verdict.name);
	}
	if (check->decided && check->ask->redirect_uri.p != NULL)
		put_bool(&m, NULL, "redirect_uri_ok", check->redirect_ok);
	if (check->decided)
		verdict_put_methods(&m, &check->decision);
	put_client(&m, check);
	put_rules(&m, check);
	if (m.failed)
		status = ctl_no_memory(c);
	else
		out_json(c->out, m.top);
	maker_clear(&m);
	return status;
}

enum ctl_exit
check_print(const struct ctl *c, const struct check *check)
{
	return c->out->json ? print_json(c, check) : print_people(c, check);
}
