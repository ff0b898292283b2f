/*
 * api_policy.c - "policy_test": which rule would apply, and why
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "api_entry.h"
#include "error.h"

static void
put_verdict(struct maker *m, const struct verdict *v)
{
	struct json_object *a = put_array(m, NULL, "rules");
	struct json_object *o;
	size_t i;

	put_string(m, NULL, "trust", trust_name(v->trust));
	put_string(m, NULL, "rule", v->name);
	put_string(m, NULL, "update", update_name(v->update));
	put_bool(m, NULL, "explicit", v->explicit_rule);
	for (i = 0; i < v->n_rules; i++) {
		o = push_object(m, a);
		put_string(m, o, "name", v->rule[i]->name);
		if (v->rule[i]->where[0] != '\0')
			put_string(m, o, "where", v->rule[i]->where);
	}
}

static void
put_failure(struct maker *m, enum cimd_err e, const struct cimd_error *err)
{
	put_string(m, NULL, "code", cimd_err_name(e));
	put_string(m, NULL, "class", cimd_class_name(cimd_err_class(e)));
	put_string(m, NULL, "detail", err->text);
	if (err->section[0] != '\0')
		put_string(m, NULL, "section", err->section);
}

/* What the stored record would get, if there is one. */
static void
put_stored(struct maker *m, struct lookup *l, const struct entry *e)
{
	struct span redirect = { l->request.redirect_uri,
		l->request.redirect_uri_len };
	struct cimd_error err = { 0 };
	struct decision d;
	enum cimd_err code;

	put_bool(m, NULL, "stored", e != NULL && e->live != NULL);
	if (e == NULL || e->live == NULL)
		return;
	code = decide(&l->verdict, e->live, &d, &err);
	if (code != CIMD_OK) {
		put_failure(m, code, &err);
		return;
	}
	if (redirect.p != NULL)
		put_bool(m, NULL, "redirect_uri_ok",
		    decide_redirect(&d, e->live, redirect));
	api_put_warnings(m, NULL, d.warnings);
	api_put_display(m, e->live, d.redirects);
}

void
api_policy_test(struct call *c)
{
	struct cimd_request request;
	struct cimd_error err = { 0 };
	struct span consumer = { 0 };
	struct entry *e = NULL;
	struct lookup l;
	struct maker m;
	const char *why = "";
	enum cimd_err code;

	if (!api_request(c->args, &request, &why) ||
	    !get_span(c->args, "consumer", &consumer, &why)) {
		api_fail_request(c, why);
		return;
	}
	request.consumer = consumer.p;
	request.purpose = CIMD_DISPLAY; /* a test is no activity */
	lookup_init(&l, c->r, &request);
	code = lookup_begin(&l, NULL, &err);
	maker_init(&m);
	put_bool(&m, NULL, "admitted", code == CIMD_OK);
	if (code != CIMD_OK)
		put_failure(&m, code, &err);
	else {
		put_verdict(&m, &l.verdict);
		(void)resolver_entry(c->r, l.url.whole, 0, false, &e, NULL);
		put_stored(&m, &l, e);
	}
	entry_free(&e);
	lookup_clear(&l);
	api_reply(c, &m);
}
