/*
 * test_policy.c - reading and judging policies
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "cases.h"
#include "error.h"
#include "json_scan.h"
#include "policy.h"

/* Read a policy from text; NULL text reads none. */
static enum cimd_err
read_text(struct span text, enum policy_source source,
    const struct policy *base, struct policy **out, struct cimd_error *err)
{
	struct json_object *json = NULL;
	enum cimd_err e;

	*out = NULL;
	e = json_parse(text, &json, err);
	if (e != CIMD_OK)
		return e;
	e = policy_read_with(json, source, base, out, err);
	json_object_put(json);
	return e;
}

static struct policy *
must_read(const char *text, enum policy_source source)
{
	struct policy *p = NULL;
	struct cimd_error err = { 0 };

	if (read_text(span_of(text), source, NULL, &p, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	return p;
}

static enum policy_source
source_of(struct test_case *c)
{
	const char *name = case_string(c, "source");

	if (name == NULL || strcmp(name, "machine") == 0)
		return POLICY_MACHINE;
	case_check(c, strcmp(name, "realm") == 0 || strcmp(name, "batch") == 0,
	    "source: %s", name);
	return strcmp(name, "realm") == 0 ? POLICY_REALM : POLICY_BATCH;
}

static void
refuses(struct test_case *c)
{
	struct policy *p = NULL, *base = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	if (case_value(c, "base").p != NULL)
		base = must_read(case_string(c, "base"), POLICY_MACHINE);
	e = read_text(case_value(c, "policy"), source_of(c), base, &p, &err);
	case_check(c, p == NULL, "a policy in spite of the failure");
	case_check_error(c, e, &err);
	policy_free(&p);
	policy_free(&base);
}

/* The verdict in one line. */
static void
describe(const struct verdict *v, char *out, size_t size)
{
	const char *by = v->explicit_rule ? " by-pattern" : " by-default";

	const char *whose = v->realm_update ? " of-realm" : "";
	bool live = v->update == UPDATE_LIVE;

	(void)snprintf(out, size, "%s %s%s%s%s%s%s%s", v->name,
	    trust_name(v->trust), live ? "" : " ",
	    live ? "" : update_name(v->update), live ? "" : whose,
	    v->named ? "" : by, v->lenient_type ? " lenient" : "",
	    v->no_method_invalid_client ? " invalid_client" : "");
	if (v->n_rules > 1)
		(void)snprintf(out + strlen(out), size - strlen(out),
		    " of %zu rules", v->n_rules);
}

static enum cimd_err
judge(const struct policy_question *q, struct span id, char *out, size_t size)
{
	struct policy_question question = *q;
	struct cimd_error err = { 0 };
	struct verdict v;
	struct url url;
	unsigned int flags;
	enum cimd_err e;

	flags = policy_url_flags(q->machine, q->realm, id);
	e = url_parse(id, flags, &url, &err);
	question.url = &url;
	if (e == CIMD_OK)
		e = policy_judge(&question, &v, &err);
	if (e == CIMD_OK)
		describe(&v, out, size);
	else
		(void)snprintf(out, size, "%s %s", cimd_err_name(e), err.text);
	return e;
}

static void
ask_all(struct test_case *c, const struct policy_question *q)
{
	struct span id, want;
	char got[320];
	size_t i;

	for (i = 0; (id = case_value_at(c, "ask", i)).p != NULL; i++) {
		want = case_value_at(c, "answer", i);
		(void)judge(q, id, got, sizeof(got));
		case_check(c, span_is(want, got), "%.*s: %s", (int)id.n, id.p,
		    got);
	}
	case_check(c, i > 0, "nothing is asked");
	case_check(c, case_value_at(c, "answer", i).p == NULL,
	    "more answers than questions");
}

static void
judges(struct test_case *c)
{
	struct policy *machine = NULL, *realm = NULL;
	struct policy_question q = { NULL, NULL, NULL, NULL };
	struct span text = case_file(c, "realm.json");
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = read_text(case_file(c, "policy.json"), source_of(c), NULL, &machine,
	    &err);
	case_check(c, e == CIMD_OK, "policy.json: %s", err.text);
	if (e == CIMD_OK && text.p != NULL) {
		e = read_text(text, POLICY_REALM, machine, &realm, &err);
		case_check(c, e == CIMD_OK, "realm.json: %s", err.text);
	}
	q.machine = machine;
	q.realm = realm;
	if (e == CIMD_OK && case_value(c, "consumer").p != NULL) {
		q.consumer =
		    policy_consumer_named(machine, case_string(c, "consumer"));
		case_check(c, q.consumer != NULL, "no such consumer");
	}
	if (e == CIMD_OK)
		ask_all(c, &q);
	policy_free(&machine);
	policy_free(&realm);
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("policy-valid", judges);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("policy-invalid", refuses);
}

static void
without_any_policy(void **state)
{
	struct policy_question q = { NULL, NULL, NULL, NULL };
	struct policy *p;
	char got[320];

	(void)state;
	assert_int_equal(judge(&q, span_of("https://example.com/c"), got,
			     sizeof(got)),
	    CIMD_E_POLICY);
	assert_string_equal(got,
	    "CIMD_E_POLICY there is no policy that could admit a client");
	p = must_read("{}", POLICY_MACHINE);
	q.machine = p;
	assert_int_equal(judge(&q, span_of("https://example.com/c"), got,
			     sizeof(got)),
	    CIMD_E_POLICY);
	policy_free(&p);
	assert_null(p);
	policy_free(&p);
	policy_free(NULL);
}

/* A realm alone: an in-process host without a machine's policy. */
static void
realm_alone(void **state)
{
	struct policy_question q = { NULL, NULL, NULL, NULL };
	struct policy *p;
	char got[320];

	(void)state;
	p = must_read("{\"allow\":\"https://a.example.com/c\"}", POLICY_REALM);
	q.realm = p;
	assert_int_equal(judge(&q, span_of("https://a.example.com/c"), got,
			     sizeof(got)),
	    CIMD_OK);
	assert_string_equal(got, "https://a.example.com/c unverified");
	assert_int_equal(judge(&q, span_of("https://b.example.com/c"), got,
			     sizeof(got)),
	    CIMD_E_POLICY);
	policy_free(&p);
}

static void
matches(void **state)
{
	static const struct {
		const char *pattern;
		const char *url;
		bool match;
	} rows[] = {
		{ "https://h.example/c", "https://h.example/c", true },
		{ "https://h.example/c", "https://h.example/C", false },
		{ "https://h.example/c", "https://h.example/c?", false },
		{ "https://h.example/c", "https://h.example/", false },
		{ "https://h.example/*", "https://h.example/c", true },
		{ "https://h.example/*", "https://h.example/*", true },
		{ "https://h.example/*", "https://h.example/", false },
		{ "https://h.example/*", "https://h.example/c/", false },
		{ "https://h.example/*", "https://h.example/c/d", false },
		{ "https://h.example/*", "https://h.example/c?d", false },
		{ "https://h.example/*?d", "https://h.example/c?d", true },
		{ "https://h.example/*/c", "https://h.example/a/c", true },
		{ "https://h.example/*/c", "https://h.example//c", false },
		{ "https://h.example/*/c", "https://h.example/a/b/c", false },
		{ "https://h.example/*/*", "https://h.example/a/b", true },
		{ "https://h.example/*/*", "https://h.example/a", false },
		{ "https://h.example/*", "https://h.example.evil/c", false },
		{ "https://h.example/a*", "https://h.example/ab", false },
		{ "https://h.example/*a", "https://h.example/ba", false },
		{ "", "", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (policy_match(rows[i].pattern, span_of(rows[i].url)) !=
		    rows[i].match)
			fail_msg("%s, %s", rows[i].pattern, rows[i].url);
}

static const char consumers[] =
    "{\"consumer\":["
    "{\"name\":\"mail\",\"service\":[\"imap\",\"smtp\"]},"
    "{\"name\":\"web\",\"service\":\"web\",\"uid\":33,\"gid\":50},"
    "{\"name\":\"idp\",\"uid\":[1001,1002],\"delegate\":\"yes\","
    "\"audiences\":\"https://idp.example.com/\"},"
    "{\"name\":\"staff\",\"gid\":50},"
    "{\"name\":\"second\",\"uid\":1001}]}";

static const char *
consumer_of(const struct policy *p, int64_t uid, const uint32_t *gids,
    size_t n_gids, const char *service)
{
	struct cimd_caller who = { uid, gids, n_gids, service, false };
	const struct consumer *c;
	enum asker asker = ASKER_OPEN;

	c = policy_consumer(p, &who, &asker);
	assert_int_equal(asker == ASKER_KNOWN, c != NULL);
	assert_int_not_equal(asker, ASKER_OPEN);
	if (asker == ASKER_CLAIMS)
		return "claims";
	if (asker == ASKER_UNNAMED)
		return "unnamed";
	return c == NULL ? "" : c->name;
}

static void
finds_consumers(void **state)
{
	static const uint32_t gids[] = { 10, 50 };
	struct cimd_caller who = { 0, NULL, 0, NULL, false };
	const struct consumer *c;
	struct policy *p;
	enum asker asker = ASKER_KNOWN;

	(void)state;
	p = must_read(consumers, POLICY_MACHINE);
	assert_string_equal(consumer_of(p, 1001, NULL, 0, NULL), "idp");
	assert_string_equal(consumer_of(p, 1002, gids, 2, NULL), "idp");
	assert_string_equal(consumer_of(p, -1, gids, 2, NULL), "staff");
	assert_string_equal(consumer_of(p, -1, gids, 1, NULL), "");
	c = policy_consumer_named(p, "idp");
	assert_non_null(c);
	assert_true(c->delegate);
	assert_string_equal(c->audiences[0], "https://idp.example.com/");
	assert_null(c->clients);
	assert_null(policy_consumer_named(p, "nobody"));
	policy_free(&p);
	p = must_read("{}", POLICY_MACHINE);
	who.service = "imap";
	assert_null(policy_consumer(p, &who, &asker));
	assert_int_equal(asker, ASKER_OPEN);
	policy_free(&p);
}

/* Who may say that it is a service: root, and whom the section names, too. */
static void
services_are_claimed(void **state)
{
	static const uint32_t staff = 50, other = 51;
	struct policy *p = must_read(consumers, POLICY_MACHINE);

	(void)state;
	assert_string_equal(consumer_of(p, 0, NULL, 0, "smtp"), "mail");
	assert_string_equal(consumer_of(p, 0, NULL, 0, "web"), "web");
	assert_string_equal(consumer_of(p, 0, NULL, 0, NULL), "");
	assert_string_equal(consumer_of(p, 33, NULL, 0, "web"), "web");
	assert_string_equal(consumer_of(p, 34, &staff, 1, "web"), "web");
	assert_string_equal(consumer_of(p, 34, &other, 1, "web"), "claims");
	assert_string_equal(consumer_of(p, 33, NULL, 0, "smtp"), "claims");
	assert_string_equal(consumer_of(p, -1, NULL, 0, "smtp"), "claims");
	assert_string_equal(consumer_of(p, 1001, NULL, 0, "smtp"), "claims");
	/* A section for services is for nothing else. */
	assert_string_equal(consumer_of(p, 33, NULL, 0, NULL), "");
	assert_string_equal(consumer_of(p, 33, &staff, 1, NULL), "staff");
	policy_free(&p);
}

/* A service that no section names is not judged by its user. */
static void
services_have_to_be_named(void **state)
{
	static const uint32_t staff = 50;
	struct policy *p = must_read(consumers, POLICY_MACHINE);

	(void)state;
	assert_string_equal(consumer_of(p, 0, NULL, 0, "ftp"), "unnamed");
	assert_string_equal(consumer_of(p, 1001, NULL, 0, "ftp"), "unnamed");
	assert_string_equal(consumer_of(p, -1, &staff, 1, "ftp"), "unnamed");
	assert_string_equal(consumer_of(p, 0, NULL, 0, "*"), "unnamed");
	policy_free(&p);
	p = must_read("{\"consumer\":["
		      "{\"name\":\"rest\",\"service\":\"*\",\"uid\":7},"
		      "{\"name\":\"mail\",\"service\":\"imap\",\"uid\":8},"
		      "{\"name\":\"idp\",\"uid\":[7,9]}]}",
	    POLICY_MACHINE);
	assert_string_equal(consumer_of(p, 7, NULL, 0, "ftp"), "rest");
	assert_string_equal(consumer_of(p, 0, NULL, 0, "ftp"), "rest");
	assert_string_equal(consumer_of(p, 0, NULL, 0, "*"), "rest");
	assert_string_equal(consumer_of(p, 9, NULL, 0, "ftp"), "claims");
	assert_string_equal(consumer_of(p, 7, NULL, 0, "imap"), "claims");
	assert_string_equal(consumer_of(p, 7, NULL, 0, NULL), "idp");
	assert_string_equal(consumer_of(p, 8, NULL, 0, "imap"), "mail");
	policy_free(&p);
}

static void
lists_rules(void **state)
{
	struct policy *p, *again;

	(void)state;
	p = must_read("{\"client\":{\"b\":{\"match\":\"https://b.example.com/c"
		      "\",\"@\":{\"\":\"cimd.conf:3\"}}},"
		      "\"allow\":\"https://a.example.com/c\","
		      "\"deny_country\":[\"AQ\",\"va\"]}",
	    POLICY_MACHINE);
	assert_int_equal(policy_rules(p), 2);
	assert_string_equal(policy_rule(p, 0)->name, "b");
	assert_string_equal(policy_rule(p, 0)->where, "cimd.conf:3");
	assert_string_equal(policy_rule(p, 1)->match[0],
	    "https://a.example.com/c");
	assert_null(policy_rule(p, 2));
	assert_true(policy_has_countries(p));
	assert_true(policy_denies_country(p, "aq"));
	assert_true(policy_denies_country(p, "VA"));
	assert_false(policy_denies_country(p, "CH"));
	again = policy_ref(p);
	policy_free(&p);
	assert_int_equal(policy_rules(again), 2);
	policy_free(&again);
}

/* Sections take what they do not say from the top level. */
static void
fills_in_defaults(void **state)
{
	const struct rule *r;
	struct policy *p;

	(void)state;
	p = must_read("{\"auth\":\"private_key_jwt\",\"scopes\":[\"a\",\"b\"],"
		      "\"grants\":[\"authorization_code\",\"jwt-bearer\"],"
		      "\"redirects\":[\"same-site\",\"host:h.example.com\"],"
		      "\"client\":{\"x\":{\"match\":\"https://x.example.com/c"
		      "\"},\"y\":{\"match\":\"https://y.example.com/c\","
		      "\"auth\":[\"none\",\"private_key_jwt\"],\"scopes\":[],"
		      "\"grants\":\"refresh_token\",\"profile\":\"ietf\","
		      "\"redirects\":\"scheme:app\"}}}",
	    POLICY_MACHINE);
	r = policy_rule(p, 0);
	assert_int_equal(r->methods, METHOD_PRIVATE_KEY_JWT);
	assert_int_equal(r->grants,
	    GRANT_AUTHORIZATION_CODE | GRANT_JWT_BEARER);
	assert_int_equal(r->n_scopes, 2);
	assert_string_equal(r->scopes[1], "b");
	assert_int_equal(r->n_redirects, 2);
	assert_int_equal(r->redirects[0].kind, RULE_SAME_SITE);
	assert_null(r->redirects[0].value);
	assert_int_equal(r->redirects[1].kind, RULE_HOST);
	assert_string_equal(r->redirects[1].value, "h.example.com");
	assert_int_equal(r->profile, PROFILE_MCP);
	r = policy_rule(p, 1);
	assert_int_equal(r->methods, METHOD_NONE | METHOD_PRIVATE_KEY_JWT);
	assert_int_equal(r->grants, GRANT_REFRESH_TOKEN);
	assert_non_null(r->scopes);
	assert_int_equal(r->n_scopes, 0);
	assert_int_equal(r->n_redirects, 1);
	assert_int_equal(r->redirects[0].kind, RULE_SCHEME);
	assert_string_equal(r->redirects[0].value, "app");
	assert_int_equal(r->profile, PROFILE_IETF);
	policy_free(&p);
}

static void
has_names(void **state)
{
	(void)state;
	assert_string_equal(trust_name(TRUST_BLOCKED), "blocked");
	assert_string_equal(trust_name(TRUST_PENDING), "pending");
	assert_string_equal(trust_name(TRUST_UNVERIFIED), "unverified");
	assert_string_equal(trust_name(TRUST_TRUSTED), "trusted");
	assert_string_equal(update_name(UPDATE_LIVE), "live");
	assert_string_equal(update_name(UPDATE_PINNED), "pinned");
	assert_string_equal(update_name(UPDATE_APPROVE), "approve");
	assert_string_equal(profile_name(PROFILE_MCP), "mcp");
	assert_string_equal(profile_name(PROFILE_IETF), "ietf");
}

static void
no_object(void **state)
{
	struct json_object *json = json_object_new_array();
	struct cimd_error err = { 0 };
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(policy_read(json, POLICY_MACHINE, &p, &err),
	    CIMD_E_CONFIG);
	assert_string_equal(err.text, "a policy must be a JSON object");
	assert_int_equal(policy_read(NULL, POLICY_MACHINE, &p, NULL),
	    CIMD_E_CONFIG);
	json_object_put(json);
}

/* Hundreds of rules: each is found, and each deny entry denies. */
static void
many_rules(void **state)
{
	enum {
		N = 500
	};
	struct policy_question q = { NULL, NULL, NULL, NULL };
	struct json_object *json, *allow, *deny;
	struct policy *p = NULL;
	char text[64], got[320];
	int i;

	(void)state;
	json = json_object_new_object();
	allow = json_object_new_array();
	deny = json_object_new_array();
	for (i = 0; i < N; i++) {
		(void)snprintf(text, sizeof(text), "https://h%d.example.com/c",
		    i * 7 % N);
		json_object_array_add(allow, json_object_new_string(text));
		(void)snprintf(text, sizeof(text), "d%d.example.com",
		    i * 7 % N);
		json_object_array_add(deny, json_object_new_string(text));
	}
	json_object_object_add(json, "allow", allow);
	json_object_object_add(json, "deny", deny);
	assert_int_equal(policy_read(json, POLICY_MACHINE, &p, NULL), CIMD_OK);
	json_object_put(json);
	q.machine = p;
	for (i = 0; i < N; i++) {
		(void)snprintf(text, sizeof(text), "https://h%d.example.com/c",
		    i);
		assert_int_equal(judge(&q, span_of(text), got, sizeof(got)),
		    CIMD_OK);
		(void)snprintf(text, sizeof(text), "https://d%d.example.com/c",
		    i);
		assert_int_equal(judge(&q, span_of(text), got, sizeof(got)),
		    CIMD_E_BLOCKED);
	}
	(void)judge(&q, span_of("https://h500.example.com/c"), got,
	    sizeof(got));
	assert_string_equal(got,
	    "CIMD_E_POLICY no client section and no allow entry matches, and "
	    "default is deny");
	policy_free(&p);
}

static const char everything[] =
    "{\"default\":\"pending\",\"deny\":[\"bad.example.com\","
    "\"https://h.example.com/*/x\"],\"deny_suffix\":\"evil.example\","
    "\"deny_country\":[\"AQ\"],\"forbidden_client_ids\":"
    "[\"https://idp.example.com\",\"other\"],\"special_names\":[\"local\"],"
    "\"scopes\":[\"a\",\"b\"],\"ports\":[8443],"
    "\"redirects\":[\"document\",\"scheme:app\",\"host:h.example.com\"],"
    "\"catalog\":[{\"name\":\"known\",\"match\":\"https://k.example.com/c\","
    "\"redirects\":\"scheme:known\",\"scopes\":\"k\",\"ports\":1}],"
    "\"client\":{\"one\":{\"match\":[\"https://o.example.com/c\","
    "\"https://o.example.com/*/c\"],\"@\":{\"\":\"f:1\"}},"
    "\"two\":{\"match\":\"https://t.example.com/c\",\"trust\":\"blocked\"}},"
    "\"allow\":[\"known\",\"https://xn--bcher-kva.example.com/c\"],"
    "\"consumer\":{\"idp\":{\"uid\":1,\"gid\":2,\"service\":\"imap\","
    "\"audiences\":\"x\",\"clients\":\"one\"}}}";

static bool
read_everything(void *ctx)
{
	struct policy *p = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = policy_read(ctx, POLICY_MACHINE, &p, &err);
	if (e == CIMD_OK) {
		policy_free(&p);
		return true;
	}
	assert_int_equal(e, CIMD_E_NO_MEMORY);
	assert_int_equal(err.code, CIMD_E_NO_MEMORY);
	assert_null(p);
	return false;
}

static void
survives_no_memory(void **state)
{
	struct json_object *json = NULL;

	(void)state;
	assert_int_equal(json_parse(span_of(everything), &json, NULL), CIMD_OK);
	assert_true(alloc_sweep(read_everything, json) > 60);
	json_object_put(json);
}

/* Keys come from where any document may, or from the document's own port. */
static void
ports_of_keys(void **state)
{
	const struct url on_443 = { .port = 443 }, on_8443 = { .port = 8443 };
	struct cimd_error err = { 0 };

	(void)state;
	assert_int_equal(policy_judge_keys(&on_443, 443, &err), CIMD_OK);
	assert_int_equal(policy_judge_keys(&on_8443, 443, &err), CIMD_OK);
	assert_int_equal(policy_judge_keys(&on_8443, 8443, &err), CIMD_OK);
	assert_int_equal(policy_judge_keys(&on_443, 8443, &err), CIMD_E_PORT);
	assert_string_equal(err.text,
	    "port 8443 is neither 443 nor the document's");
	assert_string_equal(err.section, "policy");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(without_any_policy),
		cmocka_unit_test(realm_alone),
		cmocka_unit_test(matches),
		cmocka_unit_test(finds_consumers),
		cmocka_unit_test(services_are_claimed),
		cmocka_unit_test(services_have_to_be_named),
		cmocka_unit_test(lists_rules),
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(has_names),
		cmocka_unit_test(no_object),
		cmocka_unit_test(many_rules),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(ports_of_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
