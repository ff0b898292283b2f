/*
 * cmd_doctor.c - "doctor": does this provider publish what clients need?
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include <json-c/json.h>

#include "api_json.h"
#include "commands.h"
#include "doctor.h"

static enum style
style_of(enum doctor_level level)
{
	switch (level) {
	case DOCTOR_PASS:
		return STYLE_GOOD;
	case DOCTOR_WARN:
		return STYLE_WARN;
	case DOCTOR_FAIL:
		break;
	}
	return STYLE_BAD;
}

static size_t
count(const struct doctor *d, enum doctor_level level)
{
	size_t i, n = 0;

	for (i = 0; i < d->n; i++)
		n += d->finding[i].level == level ? 1 : 0;
	return n;
}

static enum ctl_exit
print_people(const struct ctl *c, const struct doctor *d)
{
	const struct doctor_finding *f;
	struct table t = { 0 };
	size_t i;

	for (i = 0; i < d->n; i++) {
		f = &d->finding[i];
		table_row(&t);
		table_cell(&t, style_of(f->level), "%s",
		    doctor_level_name(f->level));
		table_cell(&t, STYLE_DIM, "%s%s",
		    f->section[0] >= '0' && f->section[0] <= '9' ? "section " :
								   "",
		    f->section);
		table_cell(&t, STYLE_PLAIN, "%s", f->text);
		if (f->level == DOCTOR_PASS)
			continue;
		table_row(&t);
		table_cell(&t, STYLE_PLAIN, "%s", "");
		table_cell(&t, STYLE_PLAIN, "%s", "");
		table_cell(&t, STYLE_BOLD, "so: %s", f->consequence);
	}
	if (!table_print(&t, c->out))
		return ctl_no_memory(c);
	out_line(c->out, STYLE_PLAIN, "%s", "");
	out_line(c->out, STYLE_BOLD, "%zu passed, %zu warnings, %zu failed",
	    count(d, DOCTOR_PASS), count(d, DOCTOR_WARN),
	    count(d, DOCTOR_FAIL));
	return CTL_OK;
}

static enum ctl_exit
print_json(const struct ctl *c, const struct doctor *d)
{
	const struct doctor_finding *f;
	enum ctl_exit status = CTL_OK;
	struct json_object *a, *o;
	struct maker m;
	size_t i;

	maker_init(&m);
	put_string(&m, NULL, "issuer", d->issuer);
	put_string(&m, NULL, "metadata",
	    d->found != -1 ? d->at[d->found].url : NULL);
	put_bool(&m, NULL, "ok", count(d, DOCTOR_FAIL) == 0);
	a = put_array(&m, NULL, "checks");
	for (i = 0; i < d->n; i++) {
		f = &d->finding[i];
		o = push_object(&m, a);
		put_string(&m, o, "check", f->name);
		put_string(&m, o, "level", doctor_level_name(f->level));
		put_string(&m, o, "section", f->section);
		put_string(&m, o, "detail", f->text);
		if (f->level != DOCTOR_PASS)
			put_string(&m, o, "consequence", f->consequence);
	}
	if (m.failed)
		status = ctl_no_memory(c);
	else
		out_json(c->out, m.top);
	maker_clear(&m);
	return status;
}

/*
 * What the places that were asked say of the whole.  Not one could be
 * reached: look again later.  A certificate that nobody here trusts, or
 * something that is no HTTP, is an answer, and the check failed.
 */
static enum ctl_exit
judge_all(const struct doctor *d)
{
	bool asked = false, silent = true;
	int i;

	for (i = 0; i < PLACE_COUNT; i++) {
		if (d->at[i].url == NULL)
			continue;
		if (d->at[i].result == HTTP_CA_FILE)
			return CTL_BROKEN;
		asked = true;
		silent = silent &&
		    (d->at[i].result == HTTP_UNREACHABLE ||
			d->at[i].result == HTTP_TIMEOUT);
	}
	if (asked && silent)
		return CTL_UNAVAILABLE;
	return count(d, DOCTOR_FAIL) > 0 ? CTL_REFUSED : CTL_OK;
}

enum ctl_exit
cmd_doctor(struct ctl *c)
{
	struct doctor *d = malloc(sizeof(*d));
	enum ctl_exit status;

	if (d == NULL)
		return ctl_no_memory(c);
	if (doctor_fetch(c, c->args[0], d)) {
		doctor_judge(d);
		status = c->out->json ? print_json(c, d) : print_people(c, d);
	} else
		status = ctl_no_memory(c);
	if (status == CTL_OK)
		status = judge_all(d);
	doctor_clear(d);
	free(d);
	return status;
}
