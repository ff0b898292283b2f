/*
 * cmd_policy.c - "policy test": which rule applies to a client, and why
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "api_json.h"
#include "commands.h"
#include "facts.h"
#include "jget.h"
#include "talk.h"
#include "who.h"

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
		table_cell(t, STYLE_DIM, "%s", i == 0 ? "because of" : "");
		table_cell(t, STYLE_PLAIN, "client \"%s\"%s%s",
		    jget_string(rule, "name"), *where != '\0' ? " at " : "",
		    where);
	}
}

static void
add_redirect(struct table *t, const struct ctl *c, struct json_object *o)
{
	bool ok = jget_true(o, "redirect_uri_ok");

	if (c->opt[OPT_REDIRECT_URI] == NULL || jget(o, "stored") == NULL)
		return;
	if (!jget_true(o, "stored"))
		fact_text(t, "redirect URI", STYLE_WARN,
		    "not judged: no document is stored; cimdctl refresh "
		    "fetches it");
	else if (jget(o, "redirect_uri_ok") != NULL)
		fact_text(t, "redirect URI", ok ? STYLE_GOOD : STYLE_BAD,
		    ok ? "registered and allowed" :
			 "not registered, or not allowed by the rule");
}

static enum ctl_exit
print_test(const struct ctl *c, struct json_object *o)
{
	bool admitted = jget_true(o, "admitted");
	bool refused = jget(o, "code") != NULL;
	struct table t = { 0 };

	fact_text(&t, "client", STYLE_PLAIN, c->args[1]);
	fact_text(&t, "policy", admitted ? STYLE_GOOD : STYLE_BAD,
	    admitted ? "admits it" : "refuses it");
	fact_text(&t, "trust", STYLE_PLAIN, jget_string(o, "trust"));
	fact_text(&t, "rule", STYLE_PLAIN, jget_string(o, "rule"));
	add_rules(&t, o);
	fact_text(&t, "update", STYLE_PLAIN, jget_string(o, "update"));
	if (admitted && refused)
		fact_text(&t, "document", STYLE_BAD, "refused");
	fact_text(&t, "code", STYLE_PLAIN, jget_string(o, "code"));
	fact_text(&t, "section", STYLE_PLAIN, jget_string(o, "section"));
	fact_text(&t, "why", STYLE_PLAIN, jget_string(o, "detail"));
	add_redirect(&t, c, o);
	fact_list(&t, "warnings", o, "warnings");
	return table_print(&t, c->out) ? CTL_OK : ctl_no_memory(c);
}

/* The answer is 200 for a refusal too, because the question was answered. */
static enum ctl_exit
verdict(const struct ctl *c, struct json_object *o)
{
	if (!jget_true(o, "admitted") || jget(o, "code") != NULL)
		return CTL_REFUSED;
	if (c->opt[OPT_REDIRECT_URI] != NULL && jget_true(o, "stored") &&
	    !jget_true(o, "redirect_uri_ok"))
		return CTL_REFUSED;
	return CTL_OK;
}

enum ctl_exit
cmd_policy(struct ctl *c)
{
	struct talk t = { .path = "/v1/policy/test" };
	struct json_object *answer = NULL;
	enum ctl_exit status;
	struct maker m;

	if (strcmp(c->args[0], "test") != 0) {
		complain("policy: \"%s\" is not \"test\"", c->args[0]);
		return CTL_USAGE;
	}
	maker_init(&m);
	put_string(&m, NULL, "client_id", c->args[1]);
	put_string(&m, NULL, "redirect_uri", c->opt[OPT_REDIRECT_URI]);
	put_string(&m, NULL, "consumer", c->opt[OPT_CONSUMER]);
	t.body = m.top;
	status = m.failed ? ctl_no_memory(c) : talk(c, &t, &answer);
	maker_clear(&m);
	if (status == CTL_OK && c->out->json)
		out_json(c->out, answer);
	else if (status == CTL_OK)
		status = print_test(c, answer);
	if (status == CTL_OK)
		status = verdict(c, answer);
	json_object_put(answer);
	return status;
}
