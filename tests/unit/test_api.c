/*
 * test_api.c - the JSON API without network: what needs no document
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "cimd_int.h"

/* What the last call answered. */
struct answer {
	int status;
	unsigned int retry_after;
	char type[64];
	char *body;
	int calls;
};

struct fixture {
	struct cimd *r;
	struct answer a;
};

static const char config[] =
    "{ \"state_dir\": \"\", \"default\": \"deny\","
    " \"consumer\": [ { \"name\": \"idp\", \"uid\": [1000],"
    "   \"clients\": [\"one\"] } ],"
    " \"client\": ["
    "  { \"name\": \"one\", \"match\": [\"https://one.example.com/c\"] },"
    "  { \"name\": \"two\", \"match\": [\"https://two.example.com/c\"],"
    "    \"trust\": \"blocked\" },"
    "  { \"name\": \"three\", \"match\": [\"https://three.example.com/c\"],"
    "    \"trust\": \"pending\" } ] }";

static void
take(void *ctx, const struct cimd_reply *reply)
{
	struct answer *a = ctx;

	a->calls++;
	a->status = reply->status;
	a->retry_after = reply->retry_after;
	(void)snprintf(a->type, sizeof(a->type), "%s", reply->content_type);
	free(a->body);
	a->body = strndup(reply->body, reply->len);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct cimd_error err = { 0 };

	assert_non_null(f);
	if (cimd_new(config, sizeof(config) - 1, &f->r, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	cimd_free(&f->r);
	free(f->a.body);
	free(f);
	return 0;
}

static struct json_object *
call_as(struct fixture *f, const struct cimd_caller *who, const char *method,
    const char *json)
{
	const struct cimd_message in = { method, json, strlen(json) };

	f->a.calls = 0;
	cimd_call(f->r, who, &in, take, &f->a);
	assert_int_equal(f->a.calls, 1);
	return json_tokener_parse(f->a.body);
}

static struct json_object *
call(struct fixture *f, const char *method, const char *json)
{
	const struct cimd_caller admin = { .uid = 0, .admin = true };

	return call_as(f, &admin, method, json);
}

static void
assert_member(struct json_object *o, const char *name, const char *want)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, name, &v))
		fail_msg("no member %s in %s", name,
		    json_object_to_json_string(o));
	assert_string_equal(json_object_get_string(v), want);
}

static void
assert_problem(struct fixture *f, struct json_object *o, int status,
    const char *code)
{
	assert_int_equal(f->a.status, status);
	assert_string_equal(f->a.type, "application/problem+json");
	assert_member(o, "code", code);
	json_object_put(o);
}

static void
not_ours_is_404(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	o = call(f, "client", "{\"client_id\": \"my-client\"}");
	assert_member(o, "class", "not_ours");
	assert_problem(f, o, 404, "CIMD_E_NOT_CIMD");
}

static void
policy_refuses_before_any_fetch(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	o = call(f, "client", "{\"client_id\": \"https://x.example.com/c\"}");
	assert_member(o, "error", "unauthorized_client");
	assert_problem(f, o, 403, "CIMD_E_POLICY");
	o = call(f, "client", "{\"client_id\": \"https://two.example.com/c\"}");
	assert_problem(f, o, 403, "CIMD_E_BLOCKED");
	o = call(f, "client", "{\"client_id\": \"https://x/../c\"}");
	assert_member(o, "section", "3");
	assert_problem(f, o, 403, "CIMD_E_URL");
}

/* A narrowing that is misspelt narrows nothing: it must not go unnoticed. */
static void
unknown_members_are_refused(void **state)
{
	static const struct {
		const char *method, *json, *detail;
	} cases[] = {
		{ "client", "{\"client_id\": \"x\", \"polcy\": {}}",
		    "\"polcy\" is not known here" },
		{ "client", "{\"client_id\": \"x\", \"consumer\": \"a\"}",
		    "\"consumer\" is not known here" },
		{ "client", "{\"client_id\": 1}",
		    "client_id: of the wrong type" },
		{ "assertion",
		    "{\"client_assertion\": \"x\", \"audience\": []}",
		    "\"audience\" is not known here" },
		{ "approve", "{\"short\": \"x\", \"sha256\": \"y\"}",
		    "\"sha256\" is not known here" },
		{ "policy_test", "{\"client_id\": \"x\", \"service\": \"y\"}",
		    "\"service\" is not known here" },
		{ "clients", "{\"max\": 1}", "\"max\" is not known here" },
		{ "clients", "{\"limit\": \"1\"}", "limit: of the wrong type" },
		{ "healthz", "{\"x\": null}", "\"x\" is not known here" },
	};
	struct fixture *f = *state;
	struct json_object *o;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o = call(f, cases[i].method, cases[i].json);
		assert_member(o, "detail", cases[i].detail);
		assert_problem(f, o, 400, "CIMD_E_REQUEST");
	}
}

static void
display_never_fetches(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	o = call(f, "client",
	    "{\"client_id\": \"https://one.example.com/c\","
	    " \"purpose\": \"display\"}");
	assert_int_equal(f->a.retry_after, 1);
	assert_problem(f, o, 503, "CIMD_E_NOT_STORED");
	o = call(f, "client",
	    "{\"client_id\": \"https://three.example.com/c\","
	    " \"purpose\": \"display\"}");
	assert_problem(f, o, 403, "CIMD_E_PENDING");
}

static void
consumers_are_told_apart(void **state)
{
	const struct cimd_caller idp = { .uid = 1000 }, other = { .uid = 7 };
	static const char one[] =
	    "{\"client_id\": \"https://one.example.com/c\","
	    " \"purpose\": \"display\"}";
	static const char three[] =
	    "{\"client_id\": \"https://three.example.com/c\","
	    " \"purpose\": \"display\"}";
	struct fixture *f = *state;

	assert_problem(f, call_as(f, &idp, "client", one), 503,
	    "CIMD_E_NOT_STORED");
	assert_problem(f, call_as(f, &idp, "client", three), 403,
	    "CIMD_E_CONSUMER");
	assert_problem(f, call_as(f, &other, "client", one), 403,
	    "CIMD_E_CONSUMER");
}

static void
malformed_requests_are_400(void **state)
{
	static const struct {
		const char *method, *json;
	} bad[] = {
		{ "client", "{}" },
		{ "client", "[]" },
		{ "client", "{\"client_id\": 1}" },
		{ "client", "{\"client_id\": \"a\", \"client_id\": \"b\"}" },
		{ "client", "{\"client_id\": \"a\", \"purpose\": \"x\"}" },
		{ "client", "{\"client_id\": \"a\", \"policy\": 7}" },
		{ "client", "{\"client_id\": \"a\"" },
		{ "assertion", "{\"client_id\": \"a\"}" },
		{ "assertion",
		    "{\"client_id\": \"a\", \"client_assertion\": \"b\","
		    " \"client_assertion_type\": \"c\"}" },
		{ "assertion",
		    "{\"client_id\": \"a\", \"client_assertion\": \"b\","
		    " \"audiences\": \"c\"}" },
		{ "assertion",
		    "{\"client_id\": \"a\", \"client_assertion\": \"b\","
		    " \"audiences\": []}" },
		{ "assertion",
		    "{\"client_id\": \"a\", \"client_assertion\": \"b\","
		    " \"audiences\": [null]}" },
		{ "assertion",
		    "{\"client_id\": \"a\", \"client_assertion\": \"b\","
		    " \"service\": 1}" },
		{ "client", "{\"client_id\": \"a\", \"service\": []}" },
		{ "clients", "{\"limit\": 0}" },
		{ "clients", "{\"offset\": -1}" },
		{ "audit", "{\"n\": 0}" },
		{ "show", "{}" },
		{ "deny",
		    "{\"client_id\": \"https://a.example.com/c\","
		    " \"short\": \"x\"}" },
		{ "no-such-method", "{}" },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_problem(f, call(f, bad[i].method, bad[i].json), 400,
		    "CIMD_E_REQUEST");
}

static void
assertions_may_name_the_client(void **state)
{
	/* {"alg":"ES256"} . {"iss":"https://two.example.com/c"} . zeros */
	static const char token[] =
	    "{\"client_assertion\": \"eyJhbGciOiJFUzI1NiJ9."
	    "eyJpc3MiOiJodHRwczovL3R3by5leGFtcGxlLmNvbS9jIn0.AAAA\"}";
	struct fixture *f = *state;

	assert_problem(f, call(f, "assertion", token), 403, "CIMD_E_BLOCKED");
	assert_problem(f,
	    call(f, "assertion", "{\"client_assertion\": \"a.b.c\"}"), 403,
	    "CIMD_E_ASSERTION");
	/* Claims that are no JSON, and claims without iss. */
	assert_problem(f,
	    call(f, "assertion",
		"{\"client_assertion\":"
		" \"eyJhbGciOiJFUzI1NiJ9.bm8.AAAA\"}"),
	    403, "CIMD_E_ASSERTION");
	assert_problem(f,
	    call(f, "assertion",
		"{\"client_assertion\":"
		" \"eyJhbGciOiJFUzI1NiJ9.e30.AAAA\"}"),
	    403, "CIMD_E_ASSERTION");
}

static void
administration_needs_the_admin_socket(void **state)
{
	static const char *const methods[] = { "show", "approve", "deny", "pin",
		"refresh", "forget", "diff", "status", "audit", "policy_test" };
	const struct cimd_caller idp = { .uid = 1000 };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		assert_problem(f,
		    call_as(f, &idp, methods[i],
			"{\"client_id\": \"https://one.example.com/c\"}"),
		    403, "CIMD_E_CONSUMER");
}

static void
a_block_acts_and_shows(void **state)
{
	static const char one[] =
	    "{\"client_id\": \"https://one.example.com/c\"}";
	const struct cimd_caller unknown = { .uid = -1, .admin = true };
	struct fixture *f = *state;
	struct json_object *o;

	o = call(f, "deny", one);
	assert_int_equal(f->a.status, 200);
	assert_member(o, "governance", "blocked");
	assert_member(o, "trust", "blocked");
	json_object_put(o);
	assert_problem(f, call(f, "client", one), 403, "CIMD_E_BLOCKED");
	o = call(f, "audit", "{\"n\": 5}");
	assert_non_null(strstr(json_object_to_json_string(o), "\"deny\""));
	assert_non_null(strstr(json_object_to_json_string(o), "\"uid\": 0"));
	json_object_put(o);
	json_object_put(call_as(f, &unknown, "deny", one));
	o = call(f, "audit", "{\"n\": 1}");
	assert_null(strstr(json_object_to_json_string(o), "\"uid\""));
	json_object_put(o);
	assert_problem(f, call(f, "approve", one), 503, "CIMD_E_NOT_STORED");
	assert_problem(f, call(f, "client", one), 403, "CIMD_E_BLOCKED");
	json_object_put(call(f, "unblock", one));
	assert_int_equal(f->a.status, 200);
	assert_problem(f, call(f, "unblock", one), 409, "CIMD_E_STATE");
	assert_problem(f,
	    call(f, "client",
		"{\"client_id\": \"https://one.example.com/c\","
		" \"purpose\": \"display\"}"),
	    503, "CIMD_E_NOT_STORED");
}

static void
policy_test_explains(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	o = call(f, "policy_test",
	    "{\"client_id\": \"https://one.example.com/c\"}");
	assert_member(o, "admitted", "true");
	assert_member(o, "rule", "one");
	json_object_put(o);
	o = call(f, "policy_test",
	    "{\"client_id\": \"https://three.example.com/c\","
	    " \"consumer\": \"idp\"}");
	assert_member(o, "admitted", "false");
	assert_member(o, "code", "CIMD_E_CONSUMER");
	json_object_put(o);
}

static void
a_realm_narrows(void **state)
{
	struct fixture *f = *state;

	assert_problem(f,
	    call(f, "client",
		"{\"client_id\": \"https://one.example.com/c\","
		" \"purpose\": \"display\","
		" \"policy\": {\"default\": \"deny\"}}"),
	    403, "CIMD_E_POLICY");
	assert_problem(f,
	    call(f, "client",
		"{\"client_id\": \"https://one.example.com/c\","
		" \"purpose\": \"display\","
		" \"policy\": {\"default\": \"unverified\"}}"),
	    503, "CIMD_E_NOT_STORED");
	assert_problem(f,
	    call(f, "client",
		"{\"client_id\": \"https://one.example.com/c\","
		" \"policy\": {\"no_such\": 1}}"),
	    500, "CIMD_E_CONFIG");
}

/* A consumer's call reads; only an administrator's writes what is counted. */
static void
consumers_write_nothing(void **state)
{
	const struct cimd_caller idp = { .uid = 1000 };
	const char one[] = "{\"client_id\": \"https://one.example.com/c\"}";
	struct fixture *f = *state;
	struct json_object *o;

	json_object_put(call(f, "deny", one));
	o = call_as(f, &idp, "client", one);
	assert_problem(f, o, 403, "CIMD_E_BLOCKED");
	o = call_as(f, &idp, "clients", "{}");
	assert_member(o, "clients", "[ ]");
	json_object_put(o);
	json_object_put(call(f, "clients", "{}"));
	o = call_as(f, &idp, "clients", "{}");
	assert_non_null(strstr(f->a.body, "\"consumer\":\"idp\""));
	assert_non_null(strstr(f->a.body, "\"refused\":1"));
	json_object_put(o);
}

/* Who asks for lookups sees no other consumer's name. */
static void
metrics_name_no_other_consumer(void **state)
{
	static const char mine[] =
	    "{consumer=\"idp\",code=\"CIMD_E_POLICY\"} 2";
	static const char others[] = "{consumer=\"\",code=\"CIMD_E_POLICY\"} ";
	const struct cimd_caller idp = { .uid = 1000 }, nobody = { .uid = 7 };
	const char x[] = "{\"client_id\": \"https://x.example.com/c\"}";
	struct fixture *f = *state;

	json_object_put(call(f, "client", x));
	json_object_put(call_as(f, &idp, "client", x));
	json_object_put(call_as(f, &idp, "client", x));
	json_object_put(call(f, "metrics", ""));
	assert_non_null(strstr(f->a.body, mine));
	assert_non_null(strstr(f->a.body, others));
	json_object_put(call_as(f, &idp, "metrics", ""));
	assert_non_null(strstr(f->a.body, mine));
	assert_non_null(strstr(strstr(f->a.body, others), "1\n"));
	json_object_put(call_as(f, &nobody, "metrics", ""));
	assert_null(strstr(f->a.body, "idp"));
	assert_non_null(strstr(f->a.body,
	    "cimd_lookups_total{consumer=\"\",code=\"CIMD_E_POLICY\"} 3\n"));
}

/* A configuration of n consumers "c0", "c1" ... with the uids 2000, 2001 ... */
static char *
config_of(int n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int i;

	assert_non_null(out);
	(void)fprintf(out, "{ \"state_dir\": \"\", \"consumer\": [");
	for (i = 0; i < n; i++)
		(void)fprintf(out, "%s { \"name\": \"c%d\", \"uid\": [%d] }",
		    i > 0 ? "," : "", i, 2000 + i);
	(void)fprintf(out,
	    " ], \"client\": [ { \"name\": \"one\","
	    " \"match\": [\"https://one.example.com/c\"] } ] }");
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Those that are not told apart do not see each other, nor anybody else. */
static void
many_consumers_see_their_own(void **state)
{
	enum {
		N = 40,
		NAMED = 30
	};
	static const char one[] =
	    "{\"client_id\": \"https://one.example.com/c\"}";
	struct fixture *f = *state;
	struct cimd_caller who = { 0 };
	struct cimd_error err = { 0 };
	char *text = config_of(N), mine[32];
	struct json_object *o;
	int i;

	assert_int_equal(cimd_reload(f->r, text, strlen(text), &err), CIMD_OK);
	free(text);
	json_object_put(call(f, "deny", one));
	for (i = 0; i < N; i++) {
		who.uid = 2000 + i;
		assert_problem(f, call_as(f, &who, "client", one), 403,
		    "CIMD_E_BLOCKED");
	}
	json_object_put(call(f, "clients", "{}"));
	assert_non_null(strstr(f->a.body, "\"consumer\":\"*\""));
	assert_non_null(strstr(f->a.body, "\"refused\":10"));
	for (i = 0; i < N; i++) {
		who.uid = 2000 + i;
		(void)snprintf(mine, sizeof(mine), "\"consumer\":\"c%d\"", i);
		o = call_as(f, &who, "clients", "{}");
		if (i < NAMED)
			assert_non_null(strstr(f->a.body, mine));
		else
			assert_member(o, "clients", "[ ]");
		json_object_put(o);
		(void)snprintf(mine, sizeof(mine), "consumer=\"c%d\"", i);
		json_object_put(call_as(f, &who, "metrics", ""));
		if (i < NAMED)
			assert_non_null(strstr(f->a.body, mine));
		else
			assert_null(strstr(f->a.body, "consumer=\"c"));
	}
}

static void
a_realm_names_the_machines_clients(void **state)
{
	static const char one[] =
	    "{\"client_id\": \"https://one.example.com/c\","
	    " \"purpose\": \"display\","
	    " \"policy\": {\"allow\": [\"one\"]}}";
	static const char without[] = "{ \"default\": \"unverified\","
				      " \"state_dir\": \"\" }";
	struct fixture *f = *state;
	struct cimd_error err = { 0 };

	assert_problem(f, call(f, "client", one), 503, "CIMD_E_NOT_STORED");
	assert_problem(f, call(f, "client", one), 503, "CIMD_E_NOT_STORED");
	assert_int_equal(cimd_reload(f->r, without, sizeof(without) - 1, &err),
	    CIMD_OK);
	assert_problem(f, call(f, "client", one), 500, "CIMD_E_CONFIG");
}

static void
figures_and_health(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	o = call(f, "healthz", "");
	assert_member(o, "status", "ok");
	json_object_put(o);
	o = call(f, "status", "");
	assert_member(o, "version", cimd_version());
	json_object_put(o);
	o = call(f, "metadata", "");
	assert_non_null(strstr(json_object_to_json_string(o),
	    "client_id_metadata_document_supported"));
	json_object_put(o);
	json_object_put(call(f, "client", "{\"client_id\": \"x\"}"));
	json_object_put(call(f, "metrics", ""));
	assert_non_null(strstr(f->a.body,
	    "cimd_lookups_total{consumer=\"\",code=\"CIMD_E_NOT_CIMD\"} 1\n"));
	assert_non_null(strstr(f->a.body,
	    "cimd_lookup_duration_seconds_count{way=\"stored\"} 1\n"));
}

static void
reload_is_all_or_nothing(void **state)
{
	static const char good[] = "{ \"default\": \"deny\","
				   " \"state_dir\": \"\" }";
	static const char bad[] = "{ \"default\": \"maybe\" }";
	static const char moved[] = "{ \"state_dir\": \"/elsewhere\" }";
	static const char blocked[] =
	    "{\"client_id\": \"https://two.example.com/c\"}";
	struct fixture *f = *state;
	struct cimd_error err = { 0 };

	assert_problem(f, call(f, "client", blocked), 403, "CIMD_E_BLOCKED");
	assert_int_equal(cimd_reload(f->r, bad, sizeof(bad) - 1, &err),
	    CIMD_E_CONFIG);
	assert_int_equal(cimd_reload(f->r, moved, sizeof(moved) - 1, &err),
	    CIMD_E_STATE);
	assert_problem(f, call(f, "client", blocked), 403, "CIMD_E_BLOCKED");
	assert_int_equal(cimd_reload(f->r, good, sizeof(good) - 1, &err),
	    CIMD_OK);
	assert_problem(f, call(f, "client", blocked), 403, "CIMD_E_POLICY");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(not_ours_is_404),
		TEST(policy_refuses_before_any_fetch),
		TEST(unknown_members_are_refused),
		TEST(display_never_fetches),
		TEST(consumers_are_told_apart),
		TEST(malformed_requests_are_400),
		TEST(assertions_may_name_the_client),
		TEST(administration_needs_the_admin_socket),
		TEST(a_block_acts_and_shows),
		TEST(policy_test_explains),
		TEST(a_realm_narrows),
		TEST(consumers_write_nothing),
		TEST(metrics_name_no_other_consumer),
		TEST(many_consumers_see_their_own),
		TEST(a_realm_names_the_machines_clients),
		TEST(figures_and_health),
		TEST(reload_is_all_or_nothing),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
