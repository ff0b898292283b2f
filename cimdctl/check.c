/*
 * check.c - every rule over one client, step by step
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "check_fetch.h"
#include "clock.h"
#include "document.h"
#include "error.h"
#include "jget.h"
#include "json_scan.h"
#include "redirect.h"
#include "response.h"
#include "when.h"

const char *
check_level_name(enum check_level level)
{
	static const char *const names[] = {
		[LEVEL_SKIP] = "skip",
		[LEVEL_PASS] = "pass",
		[LEVEL_WARN] = "warn",
		[LEVEL_FAIL] = "fail",
	};

	return names[level];
}

void
check_say(struct check *c, enum check_id id, const char *fmt, ...)
{
	struct finding *f = &c->finding[id];
	va_list ap;

	if (f->level == LEVEL_FAIL || f->level == LEVEL_WARN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static void
pass(struct check *c, enum check_id id)
{
	struct finding *f = &c->finding[id];

	f->warnings = c->warnings & check_rule(id)->warnings;
	f->level = f->warnings != 0 ? LEVEL_WARN : LEVEL_PASS;
}

static void
fail(struct check *c, enum check_id id, enum cimd_err e,
    const struct cimd_error *err)
{
	struct finding *f = &c->finding[id];

	f->level = LEVEL_FAIL;
	(void)snprintf(f->text, sizeof(f->text), "%s", err->text);
	(void)snprintf(f->section, sizeof(f->section), "%s", err->section);
	if (c->code == CIMD_OK) {
		c->code = e;
		c->err = *err;
	}
}

static bool
breaks(enum check_id id, enum cimd_err e)
{
	const struct check_rule *r = check_rule(id);
	size_t i;

	for (i = 0; i < CHECK_CODES && r->codes[i] != CIMD_OK; i++)
		if (r->codes[i] == e)
			return true;
	return false;
}

/* The first rule of a stage that e breaks; CHECK_COUNT: none does. */
static enum check_id
broken_rule(enum check_stage stage, enum cimd_err e)
{
	int id;

	for (id = 0; id < CHECK_COUNT; id++)
		if (check_rule((enum check_id)id)->stage == stage &&
		    breaks((enum check_id)id, e))
			break;
	return (enum check_id)id;
}

/* Rules of a stage before this one hold, as far as they have not failed. */
static void
pass_until(struct check *c, enum check_stage stage, enum check_id end)
{
	int id;

	for (id = 0; id < (int)end; id++)
		if (check_rule((enum check_id)id)->stage == stage &&
		    c->finding[id].level != LEVEL_FAIL)
			pass(c, (enum check_id)id);
}

void
check_stage(struct check *c, enum check_stage stage, enum cimd_err e,
    const struct cimd_error *err)
{
	enum check_id broken = broken_rule(stage, e);

	if (e == CIMD_OK || broken != CHECK_COUNT) {
		pass_until(c, stage, broken);
		if (e != CIMD_OK)
			fail(c, broken, e, err);
	} else if (c->code == CIMD_OK) {
		/* No rule's fault: out of memory, or a bug. */
		c->code = e;
		c->err = *err;
	}
}

static enum cimd_err
check_url(struct check *c)
{
	const struct check_ask *ask = c->ask;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = url_parse(ask->url, policy_url_flags(ask->policy, NULL, ask->url),
	    &c->url, &err);
	if (e == CIMD_OK)
		c->warnings |= c->url.warnings;
	check_stage(c, STAGE_URL, e, &err);
	if (e == CIMD_OK)
		check_say(c, CHECK_URL, "host %.*s", (int)c->url.host.n,
		    c->url.host.p);
	return e;
}

static enum cimd_err
check_policy(struct check *c)
{
	struct policy_question q = { .machine = c->ask->policy,
		.url = &c->url };
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = policy_judge(&q, &c->verdict, &err);
	check_stage(c, STAGE_POLICY, e, &err);
	c->judged = e == CIMD_OK;
	if (c->judged)
		check_say(c, CHECK_POLICY, "%s by rule %s",
		    trust_name(c->verdict.trust), c->verdict.name);
	return e;
}

static void
check_caching(struct check *c, const struct http_facts *facts)
{
	const struct settings *s = c->ask->settings;
	struct freshness_bounds bounds = {
		.min_s = s->cache_min_s != 0 ? s->cache_min_s : CIMD_TTL_MIN_S,
		.max_s = s->cache_max_s != 0 ? s->cache_max_s : CIMD_TTL_MAX_S,
		.default_s = s->cache_default_s != 0 ? s->cache_default_s :
						       CIMD_TTL_DEFAULT_S,
	};
	int64_t now = clock_utc();
	struct freshness f;
	char span[WHEN_TEXT];

	freshness_compute(facts, &bounds, now, 0, &f);
	if (f.floor_only)
		c->warnings |= WARN_BIT(WARN_NO_STORE);
	pass(c, CHECK_CACHING);
	check_say(c, CHECK_CACHING, "for %s",
	    when_span(f.expires_at - now, span));
}

/*
 * http_judge() stops at the first fault.  A wrong type or coding is no
 * reason not to look at the rest, so judge again without it.
 */
static enum cimd_err
check_answer(struct check *c, const struct http_facts *facts)
{
	struct http_facts rest = *facts;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	for (;;) {
		e = http_judge(&rest, c->judged && c->verdict.lenient_type,
		    &c->warnings, &err);
		check_stage(c, STAGE_ANSWER, e, &err);
		if (e == CIMD_E_TYPE)
			rest.content_type = CONTENT_JSON;
		else if (e == CIMD_E_ENCODING)
			rest.encoded = false;
		else
			break;
	}
	if (e == CIMD_OK)
		check_caching(c, facts);
	/* A body in some coding is no document, whatever its type. */
	return facts->encoded ? CIMD_E_ENCODING : e;
}

static enum cimd_err
check_size(struct check *c, struct span body)
{
	struct cimd_error err = { 0 };
	enum cimd_err e = CIMD_OK;

	if (body.n > CIMD_MAX_DOCUMENT)
		e = err_set(&err, CIMD_E_TOO_BIG, "9.7",
		    "%zu bytes are more than %d", body.n, CIMD_MAX_DOCUMENT);
	if (e != CIMD_OK)
		fail(c, CHECK_SIZE, e, &err);
	else {
		pass(c, CHECK_SIZE);
		check_say(c, CHECK_SIZE, "%zu bytes", body.n);
	}
	return e;
}

/* The keys behind jwks_uri, into d. */
static enum cimd_err
check_keys(struct check *c, struct fetcher *f, struct document *d,
    struct cimd_error *err)
{
	struct span uri = document_jwks_uri(d), body;
	struct fetch_response res = { 0 };
	struct cimd_error why;
	bool no_keys;
	enum cimd_err e;

	if (uri.p == NULL)
		return CIMD_OK;
	if (f == NULL) {
		check_say(c, CHECK_KEYS, "jwks_uri was not fetched");
		return CIMD_OK;
	}
	e = check_fetch_keys(c, f, uri, &res, &no_keys, err);
	if (e == CIMD_OK) {
		body.p = res.body;
		body.n = res.body_len;
		e = document_add_jwks(d, body, err);
	} else if (no_keys) {
		why = *err;
		check_say(c, CHECK_KEYS, "%s", why.text);
		if ((e = document_no_jwks(d, err)) != CIMD_OK)
			err_prefix(err, "%s", why.text);
	}
	fetch_response_clear(&res);
	return e;
}

/* The rules about the document itself, which ended with e. */
static void
spread(struct check *c, enum cimd_err e, const struct cimd_error *err)
{
	enum check_id broken;

	if (e != CIMD_OK && broken_rule(STAGE_DOCUMENT, e) != CHECK_COUNT) {
		check_stage(c, STAGE_DOCUMENT, e, err);
		return;
	}
	if (cimd_err_class(e) == CIMD_BROKEN) {
		check_stage(c, STAGE_DOCUMENT, e, err);
		return;
	}
	check_stage(c, STAGE_DOCUMENT, CIMD_OK, NULL);
	broken = broken_rule(STAGE_MEMBERS, e);
	if (e != CIMD_OK && broken != CHECK_COUNT) {
		fail(c, broken, e, err); /* who knows about the others */
		return;
	}
	check_stage(c, STAGE_MEMBERS, CIMD_OK, NULL);
	check_stage(c, STAGE_AUTH, e, err);
}

/* The document is good, but what stands behind its jwks_uri is not. */
static void
blame_keys(struct check *c, enum cimd_err e, const struct cimd_error *err)
{
	check_stage(c, STAGE_DOCUMENT, CIMD_OK, NULL);
	check_stage(c, STAGE_MEMBERS, CIMD_OK, NULL);
	pass_until(c, STAGE_AUTH, CHECK_KEYS);
	fail(c, CHECK_KEYS, e, err);
}

/*
 * What else is wrong with a document that names another client_id: judge it
 * as that one's.  Nothing of it is kept.
 */
static void
check_other(struct check *c, struct span body)
{
	struct json_object *json = NULL, *id;
	struct document *d = NULL;
	struct cimd_error err = { 0 };
	struct span other;
	enum cimd_err e;

	if (json_parse(body, &json, &err) != CIMD_OK)
		return;
	id = jget(json, "client_id");
	if (json_object_is_type(id, json_type_string)) {
		other.p = json_object_get_string(id);
		other.n = (size_t)json_object_get_string_len(id);
		e = document_parse(other, body, &d, &err);
		if (e != CIMD_E_MISMATCH)
			spread(c, e, &err);
	}
	document_free(&d);
	json_object_put(json);
}

/* Which redirect URIs were dropped, and why; as many as fit. */
static void
name_dropped(struct check *c, struct json_object *list)
{
	struct finding *f = &c->finding[CHECK_REDIRECT_URIS];
	size_t i, n, len = 0, count = json_object_array_length(list);
	enum cimd_warning warning;
	enum redirect_kind kind;
	const char *why;
	struct span uri;

	for (i = 0; i < count && len < sizeof(f->text); i++) {
		uri = span_of(
		    json_object_get_string(json_object_array_get_idx(list, i)));
		if (redirect_judge(uri, &kind, &warning, &why) != REDIRECT_DROP)
			continue;
		n = (size_t)snprintf(f->text + len, sizeof(f->text) - len,
		    "%s%.100s %s", len > 0 ? "; " : "", uri.p, why);
		len += n;
	}
}

static void
explain_dropped(struct check *c, struct span body)
{
	struct json_object *json = NULL, *list;
	struct cimd_error err;

	if (c->finding[CHECK_REDIRECT_URIS].level != LEVEL_WARN ||
	    json_parse(body, &json, &err) != CIMD_OK)
		return;
	list = jget(json, "redirect_uris");
	if (json_object_is_type(list, json_type_array))
		name_dropped(c, list);
	json_object_put(json);
}

static enum cimd_err
check_document(struct check *c, struct fetcher *f, struct span body)
{
	struct cimd_error err = { 0 };
	struct document *d = NULL;
	struct client_fields fields;
	enum cimd_err e;

	e = document_parse(c->ask->url, body, &d, &err);
	if (e == CIMD_OK && (e = check_keys(c, f, d, &err)) != CIMD_OK) {
		blame_keys(c, e, &err);
		document_free(&d);
		return e;
	}
	if (e == CIMD_OK)
		e = document_record(d, &c->client, &err);
	document_free(&d);
	if (e == CIMD_OK) {
		client_fields(c->client, &fields);
		c->warnings |= fields.warnings;
	}
	spread(c, e, &err);
	explain_dropped(c, body);
	if (e == CIMD_E_MISMATCH)
		check_other(c, body);
	return e;
}

static void
check_decide(struct check *c)
{
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = decide(&c->verdict, c->client, &c->decision, &err);
	c->decided = e == CIMD_OK;
	if (c->decided) {
		c->warnings |= c->decision.warnings;
		c->redirect_ok = decide_redirect(&c->decision, c->client,
		    c->ask->redirect_uri);
	}
	if (c->decided && c->verdict.trust == TRUST_PENDING)
		e = err_set(&err, CIMD_E_PENDING, "policy",
		    "rule \"%.64s\" wants an administrator's approval first",
		    c->verdict.name);
	/* Both the profile and the grants can be at fault. */
	if (e == CIMD_E_METADATA && strcmp(err.section, "policy") != 0) {
		pass_until(c, STAGE_DECIDE, CHECK_GRANTS);
		fail(c, CHECK_GRANTS, e, &err);
	} else
		check_stage(c, STAGE_DECIDE, e, &err);
}

/* Not part of the verdict, but of the exit status. */
static void
check_request(struct check *c)
{
	struct cimd_error err = { 0 };

	if (c->ask->redirect_uri.p == NULL)
		return;
	if (c->redirect_ok) {
		pass(c, CHECK_REDIRECT_URI);
		return;
	}
	(void)err_set(&err, CIMD_OK, "4.2",
	    "is not registered, or not allowed by the rule");
	fail(c, CHECK_REDIRECT_URI, CIMD_OK, &err);
}

static void
check_body(struct check *c, struct fetcher *f, struct span body)
{
	enum cimd_err e = check_size(c, body);

	if (e == CIMD_OK)
		e = check_document(c, f, body);
	if (e == CIMD_OK && c->judged)
		check_decide(c);
	if (c->decided)
		check_request(c);
}

/* The fetcher reads no body that can be no document (fetch.h). */
static bool
has_body(const struct fetch_response *res)
{
	uint64_t unused = 0;

	return http_judge(&res->facts, true, &unused, NULL) == CIMD_OK;
}

static void
check_live(struct check *c)
{
	struct fetch_response res;
	struct fetcher *f;
	struct span body;
	enum cimd_err e;

	if (check_fetch(c, &f, &res) != CIMD_OK)
		return;
	body.p = res.body;
	body.n = res.body_len;
	e = check_answer(c, &res.facts);
	if (!has_body(&res))
		c->finding[CHECK_SIZE] =
		    (struct finding){ .level = LEVEL_SKIP };
	else if (e == CIMD_OK)
		check_body(c, f, body);
	fetch_response_clear(&res);
	fetcher_free(&f);
}

static void
check_captured(struct check *c)
{
	struct cimd_error err = { 0 };
	struct http_facts facts;
	struct span body;
	enum cimd_err e;

	e = response_read(c->ask->response, clock_utc(), &facts, &body, &err);
	if (e != CIMD_OK) {
		fail(c, e == CIMD_E_TOO_BIG ? CHECK_SIZE : CHECK_HTTP, e, &err);
		return;
	}
	pass(c, CHECK_HTTP);
	if (check_answer(c, &facts) == CIMD_OK)
		check_body(c, NULL, body);
}

void
check_run(const struct check_ask *ask, struct check *out)
{
	enum cimd_err e;

	*out = (struct check){ .ask = ask };
	if (check_url(out) != CIMD_OK)
		return;
	e = check_policy(out);
	if (ask->document.p != NULL)
		check_body(out, NULL, ask->document);
	else if (ask->response.p != NULL)
		check_captured(out);
	else if (e == CIMD_OK)
		check_live(out);
}

void
check_clear(struct check *c)
{
	cimd_client_free(&c->client);
}
