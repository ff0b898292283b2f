/*
 * api_admin.c - what an administrator does to one client
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api.h"
#include "api_entry.h"
#include "audit.h"
#include "change.h"
#include "clock.h"
#include "error.h"

/* The client that args name by client_id or short; the caller frees *id. */
static enum cimd_err
named_client(struct call *c, char **id, struct cimd_error *err)
{
	struct span client_id = { 0 }, short_id = { 0 };
	const char *why = "";
	enum cimd_err e = CIMD_OK;

	*id = NULL;
	if (!get_span(c->args, "client_id", &client_id, &why) ||
	    !get_span(c->args, "short", &short_id, &why))
		return err_set(err, CIMD_E_REQUEST, "",
		    "%s: a string is expected", why);
	if (client_id.p == NULL && short_id.p == NULL)
		return err_set(err, CIMD_E_REQUEST, "",
		    "client_id or short is missing");
	if (client_id.p != NULL) {
		if ((*id = strndup(client_id.p, client_id.n)) == NULL)
			return err_no_memory(err);
		return api_check_short(client_id, short_id, err);
	}
	e = store_find_short(c->r->store, short_id.p, id, err);
	if (e == CIMD_OK && *id == NULL)
		e = err_set(err, CIMD_E_NOT_STORED, "",
		    "no stored client has the short id \"%s\"", short_id.p);
	return e;
}

/* What every method here starts with; e may be NULL with CIMD_OK. */
static enum cimd_err
find(struct call *c, char **id, struct entry **e, struct cimd_error *err)
{
	struct setup *setup;
	enum cimd_err code;

	*id = NULL;
	*e = NULL;
	code = resolver_enter(c->r, &setup, err);
	setup_free(&setup);
	if (code == CIMD_OK)
		code = named_client(c, id, err);
	if (code == CIMD_OK)
		code = resolver_entry(c->r, span_of(*id), 0, false, e, err);
	return code;
}

/* The audit line of an administrator's deed. */
static void
report(struct call *c, const char *id, const char *deed, enum cimd_err e,
    const struct cimd_error *err)
{
	struct span why = { 0 };
	const char *bad;
	struct log_line line = { .level = CIMD_LOG_NOTICE,
		.event = deed,
		.client_id = span_of(id),
		.uid = c->uid >= 0 ? &c->uid : NULL,
		.code = e,
		.err = e != CIMD_OK ? err : NULL,
		.ms = -1 };

	if (id == NULL)
		return; /* it was not even found out whom it is about */
	(void)get_span(c->args, "reason", &why, &bad);
	line.detail = why.p;
	audit_write(c->r, &line);
}

static void
fail(struct call *c, const char *id, enum cimd_err e,
    const struct cimd_error *err)
{
	struct api_problem p = { .e = e, .err = err };

	p.client_id = span_of(id);
	api_fail(c, &p);
}

/* Answer with the entry as it is now. */
static void
reply_entry(struct call *c, const char *id)
{
	struct entry *e = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err code;
	struct maker m;

	code = resolver_entry(c->r, span_of(id), 0, false, &e, &err);
	if (code == CIMD_OK && e == NULL)
		code = err_set(&err, CIMD_E_NOT_STORED, "",
		    "nothing is stored about this client");
	if (code != CIMD_OK) {
		fail(c, id, code, &err);
		return;
	}
	maker_init(&m);
	api_put_entry(&m, c->r, e);
	entry_free(&e);
	api_reply(c, &m);
}

void
api_show(struct call *c)
{
	struct cimd_error err = { 0 };
	struct entry *e;
	enum cimd_err code;
	char *id;

	code = find(c, &id, &e, &err);
	if (code == CIMD_OK)
		reply_entry(c, id);
	else
		fail(c, id, code, &err);
	entry_free(&e);
	free(id);
}

/*
 * One deed on one client, from find() to the answer; the only one at a time
 * from what was found to what is written.
 */
struct deed {
	struct call *c;
	const char *name;
	char *id;
	struct entry *e; /* may be NULL */
	enum cimd_err code;
	struct cimd_error err;
};

static void
begin(struct deed *d, struct call *c, const char *name)
{
	*d = (struct deed){ .c = c, .name = name };
	(void)pthread_mutex_lock(&c->r->govern);
	d->code = find(c, &d->id, &d->e, &d->err);
}

/* Let go of what the table knew, write the audit line, answer. */
static void
finish(struct deed *d)
{
	bool forgotten = d->code == CIMD_OK && strcmp(d->name, "forget") == 0;
	struct maker m;

	if (d->id != NULL)
		table_drop(d->c->r->table, span_of(d->id));
	(void)pthread_mutex_unlock(&d->c->r->govern);
	report(d->c, d->id, d->name, d->code, &d->err);
	if (forgotten) {
		maker_init(&m);
		put_string(&m, NULL, "client_id", d->id);
		put_bool(&m, NULL, "forgotten", d->e != NULL);
		api_reply(d->c, &m);
	} else if (d->code == CIMD_OK)
		reply_entry(d->c, d->id);
	else
		fail(d->c, d->id, d->code, &d->err);
	entry_free(&d->e);
	free(d->id);
}

/*
 * The document that an approval is about must be the one that the
 * administrator saw: with "document_sha256" it has to be the live one.
 */
static enum cimd_err
check_seen(struct call *c, const struct entry *e, struct cimd_error *err)
{
	struct span seen = { 0 };
	const char *why;

	if (e == NULL || e->live == NULL)
		return err_set(err, CIMD_E_NOT_STORED, "",
		    "nothing is stored that could be approved; refresh it "
		    "first");
	if (!get_span(c->args, "document_sha256", &seen, &why))
		return err_set(err, CIMD_E_REQUEST, "",
		    "document_sha256: a string is expected");
	if (seen.p != NULL && !api_is_document(e->live, seen))
		return err_set(err, CIMD_E_STATE, "",
		    "the document changed since it was shown");
	return CIMD_OK;
}

/* Approve or pin the live document. */
static void
approve(struct call *c, enum governance governance, const char *name)
{
	struct deed d;

	begin(&d, c, name);
	if (d.code == CIMD_OK)
		d.code = check_seen(c, d.e, &d.err);
	if (d.code == CIMD_OK)
		d.code = store_govern(c->r->store, span_of(d.id), governance,
		    d.e->live, clock_utc(), &d.err);
	finish(&d);
}

void
api_approve(struct call *c)
{
	approve(c, GOVERN_APPROVED, "approve");
}

void
api_pin(struct call *c)
{
	approve(c, GOVERN_PINNED, "pin");
}

void
api_deny(struct call *c)
{
	struct deed d;
	struct url url;

	begin(&d, c, "deny");
	if (d.code == CIMD_OK) /* whatever a rule could ever admit */
		d.code = url_parse(span_of(d.id),
		    URL_ALLOW_ADDRESS | URL_ALLOW_SPECIAL, &url, &d.err);
	if (d.code == CIMD_OK)
		d.code = store_govern(c->r->store, span_of(d.id),
		    GOVERN_BLOCKED, d.e != NULL ? d.e->word.approved : NULL,
		    clock_utc(), &d.err);
	finish(&d);
}

void
api_unblock(struct call *c)
{
	struct deed d;

	begin(&d, c, "unblock");
	if (d.code == CIMD_OK &&
	    (d.e == NULL || d.e->governance != GOVERN_BLOCKED))
		d.code = err_set(&d.err, CIMD_E_STATE, "",
		    "no administrator blocked this client");
	if (d.code == CIMD_OK)
		d.code = store_govern(c->r->store, span_of(d.id), GOVERN_NONE,
		    d.e->word.approved, clock_utc(), &d.err);
	finish(&d);
}

void
api_forget(struct call *c)
{
	struct deed d;

	begin(&d, c, "forget");
	if (d.code == CIMD_OK && d.e != NULL)
		d.code = store_forget(c->r->store, span_of(d.id), &d.err);
	finish(&d);
}

void
api_diff(struct call *c)
{
	struct cimd_error err = { 0 };
	struct json_object *diff = NULL;
	const struct yardstick *y;
	struct client_fields f;
	struct entry *e;
	struct maker m;
	enum cimd_err code;
	bool both;
	char *id;

	code = find(c, &id, &e, &err);
	y = e != NULL ? entry_shown(e) : NULL;
	both = y != NULL && e->live != NULL;
	if (code == CIMD_OK && !both)
		code = err_set(&err, CIMD_E_NOT_STORED, "",
		    "there are not both an approved and a present document");
	if (code == CIMD_OK && both)
		code = change_diff(y->approved, e->live, &diff, &err);
	if (code == CIMD_OK && both) {
		maker_init(&m);
		put_string(&m, NULL, "client_id", id);
		put_string(&m, NULL, "severity",
		    change_severity(change_classify(y->approved, e->live)));
		put_tree(&m, NULL, "changes", diff);
		client_fields(y->approved, &f);
		put_hex(&m, NULL,
		    y == &e->word ? "approved_sha256" : "first_sha256",
		    f.document_sha256);
		api_reply(c, &m);
	} else
		fail(c, id, code, &err);
	entry_free(&e);
	free(id);
}

/* A refresh that an administrator asked for. */
struct refresh_call {
	struct lookup l;
	struct call *c;
	char *id;
};

static void
refreshed(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after)
{
	struct refresh_call *rc = ctx;
	struct api_problem p = { .e = e,
		.err = err,
		.retry_after = retry_after };

	p.client_id = span_of(rc->id);
	report(rc->c, rc->id, "refresh", e, err);
	if (e == CIMD_OK)
		reply_entry(rc->c, rc->id);
	else
		api_fail(rc->c, &p);
	lookup_clear(&rc->l);
	free(rc->id);
	free(rc);
}

void
api_refresh(struct call *c)
{
	/* For display, since this is no activity of the client. */
	struct cimd_request request = { .purpose = CIMD_DISPLAY };
	struct cimd_error err = { 0 };
	struct refresh_call *rc;
	struct entry *e = NULL;
	enum cimd_err code;

	if ((rc = calloc(1, sizeof(*rc))) == NULL) {
		fail(c, NULL, err_no_memory(&err), &err);
		return;
	}
	rc->c = c;
	code = find(c, &rc->id, &e, &err);
	entry_free(&e);
	if (code == CIMD_OK && rc->id != NULL) {
		request.client_id = rc->id;
		request.client_id_len = strlen(rc->id);
		lookup_init(&rc->l, c->r, &request);
		rc->l.force = true;
		code = lookup_begin(&rc->l, NULL, &err);
	}
	if (code == CIMD_OK)
		code = lookup_fetch(&rc->l, refreshed, rc, &err);
	if (code != CIMD_OK)
		refreshed(rc, code, &err, 0);
}
