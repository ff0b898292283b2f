/*
 * test_wire.c - queries, routes, bodies and refusals of the transport
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a client sees of them is tested through the sockets
 * (tests/server/transport.py); here are limits, lengths and lack of memory.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "cimd_int.h"
#include "problem.h"
#include "query.h"
#include "request.h"
#include "route.h"

static const struct query_param params[] = {
	{ "a", QUERY_STRING },
	{ "number", QUERY_NUMBER },
	{ NULL, QUERY_STRING },
};

/* The JSON of a query of n bytes, which nothing follows. */
static enum cimd_err
decode(const char *query, size_t n, char **json, size_t *len)
{
	struct cimd_error err;
	enum cimd_err e;
	char *copy = malloc(n + 1); /* so that ASan sees the end */

	if (copy == NULL)
		return CIMD_E_NO_MEMORY;
	memcpy(copy, query, n);
	e = query_json(copy, n, params, json, len, &err);
	free(copy);
	return e;
}

static void
assert_decoded(const char *query, const char *want)
{
	char *json = NULL;
	size_t len = 0;

	assert_int_equal(decode(query, strlen(query), &json, &len), CIMD_OK);
	assert_string_equal(json, want);
	assert_int_equal(len, strlen(want));
	free(json);
}

static void
query_becomes_json(void **state)
{
	(void)state;
	assert_decoded("a=x&number=10", "{\"a\":\"x\",\"number\":10}");
	assert_decoded("number=0", "{\"number\":0}");
	assert_decoded("number=999999999", "{\"number\":999999999}");
	assert_decoded("a=", "{\"a\":\"\"}");
	assert_decoded("a=%22%5C%0a+%7f", "{\"a\":\"\\\"\\\\\\u000a+\x7f\"}");
}

static void
no_query_is_no_parameter(void **state)
{
	struct cimd_error err;
	char *json = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(query_json(NULL, 0, params, &json, &len, &err),
	    CIMD_OK);
	assert_string_equal(json, "{}");
	free(json);
	assert_int_equal(decode("", 0, &json, &len), CIMD_E_REQUEST);
	assert_null(json);
}

/* Each byte becomes six: the room that is reckoned is what is needed. */
static void
most_escapes_fit(void **state)
{
	enum {
		BYTES = 4000
	};
	char *query = malloc(3 * BYTES + 3), *json = NULL;
	size_t i, len = 0;

	(void)state;
	assert_non_null(query);
	memcpy(query, "a=", 3);
	for (i = 0; i < BYTES; i++)
		memcpy(query + 2 + 3 * i, "%01", 4);
	assert_int_equal(decode(query, 3 * BYTES + 2, &json, &len), CIMD_OK);
	assert_int_equal(len, strlen("{\"a\":\"\"}") + (size_t)6 * BYTES);
	assert_int_equal(strlen(json), len);
	free(json);
	free(query);
}

static void
every_cut_is_refused_or_whole(void **state)
{
	static const char query[] = "number=12&a=%c3%a4";
	char *json;
	size_t n, len;

	(void)state;
	for (n = 0; n < sizeof(query); n++) {
		json = NULL;
		if (decode(query, n, &json, &len) == CIMD_OK)
			assert_non_null(json);
		else
			assert_null(json);
		free(json);
	}
}

static void
lengths_that_overflow_are_refused(void **state)
{
	struct query_param many[QUERY_PARAMS + 2];
	struct cimd_error err;
	char *json = NULL;
	size_t i, len;

	(void)state;
	assert_int_equal(query_json("", SIZE_MAX / 6, params, &json, &len,
			     &err),
	    CIMD_E_REQUEST);
	assert_string_equal(err.text, "the query is too long");
	for (i = 0; i <= QUERY_PARAMS; i++)
		many[i] = (struct query_param){ "x", QUERY_STRING };
	many[i].name = NULL;
	assert_int_equal(query_json("x=1", 3, many, &json, &len, &err),
	    CIMD_E_REQUEST);
}

static unsigned int
status_of(const char *verb, const char *target, bool admin,
    struct route_match *m)
{
	route_find(verb, target, admin, m);
	assert_true((m->status == 0) == (m->route != NULL));
	return m->status;
}

static void
routes_are_found(void **state)
{
	struct route_match m;

	(void)state;
	assert_int_equal(status_of("GET", "/v1/client?a=b?c", false, &m), 0);
	assert_string_equal(m.route->method, "client");
	assert_string_equal(m.query, "a=b?c");
	assert_int_equal(m.query_len, 5);
	assert_false(route_has_body(m.route));
	assert_int_equal(status_of("POST", "/v1/client", false, &m), 0);
	assert_null(m.query);
	assert_true(route_has_body(m.route));
	assert_int_equal(status_of("POST", "/v1/clients/aB-_9/pin", true, &m),
	    0);
	assert_memory_equal(m.id, "aB-_9/", 6);
	assert_int_equal(m.id_len, 5);
	assert_int_equal(status_of("GET", "/v1/status", false, &m), 403);
	assert_int_equal(status_of("PUT", "/v1/client", false, &m), 405);
	assert_string_equal(m.allow, "GET, POST");
	assert_int_equal(status_of("GET", "/v1/reload", true, &m), 405);
	assert_string_equal(m.allow, "POST");
	assert_int_equal(status_of("GET", "", true, &m), 404);
	assert_int_equal(status_of("GET", "?", true, &m), 404);
}

/* A short id has 1 to 64 bytes. */
static void
short_ids_are_bounded(void **state)
{
	char target[128] = "/v1/clients/";
	const size_t prefix = strlen(target);
	struct route_match m;
	size_t n;

	(void)state;
	for (n = 1; n <= 64; n++) {
		target[prefix + n - 1] = 'x';
		assert_int_equal(status_of("GET", target, true, &m), 0);
		assert_int_equal(m.id_len, n);
	}
	target[prefix + n - 1] = 'x';
	assert_int_equal(status_of("GET", target, true, &m), 404);
}

static void
assert_body(const char *body, size_t n, const char *want)
{
	struct cimd_error err = { 0 };
	struct route_match m;
	char *json = NULL, *copy = malloc(n + 1);
	size_t len = 0;
	enum cimd_err e;

	assert_non_null(copy);
	memcpy(copy, body, n);
	route_find("POST", "/v1/clients/ab/deny", true, &m);
	e = route_json(&m, copy, n, &json, &len, &err);
	free(copy);
	if (want == NULL) {
		assert_int_equal(e, CIMD_E_REQUEST);
		assert_null(json);
		return;
	}
	assert_int_equal(e, CIMD_OK);
	assert_string_equal(json, want);
	assert_int_equal(len, strlen(want));
	free(json);
}

static void
short_id_goes_into_the_body(void **state)
{
	(void)state;
	assert_body("", 0, "{\"short\":\"ab\"}");
	assert_body(" \n", 2, "{\"short\":\"ab\"}");
	assert_body("{}", 2, "{\"short\":\"ab\"}");
	assert_body("{", 1, "{\"short\":\"ab\"");
	assert_body("{ ", 2, "{\"short\":\"ab\"");
	assert_body("{\"x\":1}", 7, "{\"short\":\"ab\",\"x\":1}");
	assert_body("[1]", 3, NULL);
	assert_body("\0{}", 3, NULL);
}

static void
problem_has_all_members(void **state)
{
	static const char *const names[] = { "type", "title", "status",
		"detail", "code", "class", "summary", "section", "error" };
	struct cimd_error err = { CIMD_E_CONSUMER, "policy", "who are you" };
	struct json_object *o, *value;
	char *text;
	size_t i, len = 0;

	(void)state;
	text = problem_text(403, &err, &len);
	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	assert_non_null(o = json_tokener_parse(text));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(json_object_object_get_ex(o, names[i], &value));
	assert_int_equal(json_object_object_length(o), i);
	json_object_put(o);
	free(text);
}

static void
body_is_bounded(void **state)
{
	static char block[CIMD_MAX_REQUEST];
	struct request *r = request_new(NULL, NULL, "/v1/client");

	(void)state;
	assert_non_null(r);
	assert_true(request_add(r, block, 1));
	assert_true(request_add(r, block, CIMD_MAX_REQUEST - 1));
	assert_false(r->too_big);
	assert_int_equal(r->len, CIMD_MAX_REQUEST);
	assert_true(request_add(r, block, 1));
	assert_true(r->too_big);
	assert_int_equal(r->len, CIMD_MAX_REQUEST);
	assert_true(request_add(r, block, 1)); /* read to no avail */
	request_unref(r);
	request_unref(NULL);
}

/* Two hold it, and the first answer counts. */
static void
one_answer_counts(void **state)
{
	struct request *r = request_new(NULL, NULL, "/v1/client");
	struct answer late = { .status = 200 }, a = { .status = 503 };

	(void)state;
	assert_non_null(r);
	assert_false(request_give_up(r, &a)); /* no call was made */
	request_begin(r);
	assert_true(request_give_up(r, &a));
	assert_false(request_give_up(r, &late));
	late.body = strdup("{}");
	request_answer(r, &late);
	assert_null(late.body);
	assert_true(request_wait(r));
	assert_int_equal(r->answer.status, 503);
	request_unref(r);
}

static bool
make_all(void *ctx)
{
	struct cimd_error err = { CIMD_E_REQUEST, "3", "x" };
	struct route_match m;
	struct request *r;
	struct answer a = { 0 };
	char *json = NULL;
	size_t len = 0;
	bool good;

	(void)ctx;
	if ((r = request_new(NULL, NULL, "/v1/client")) == NULL)
		return false;
	good = request_add(r, "x", 1) && answer_problem(&a, 400, &err) &&
	    decode("a=1", 3, &json, &len) == CIMD_OK;
	free(json);
	json = NULL;
	route_find("POST", "/v1/clients/ab/deny", true, &m);
	good = good && route_json(&m, "{}", 2, &json, &len, &err) == CIMD_OK;
	free(json);
	json = NULL;
	route_find("POST", "/v1/client", true, &m);
	good = good && route_json(&m, "{}", 2, &json, &len, &err) == CIMD_OK;
	free(json);
	answer_clear(&a);
	request_unref(r);
	return good;
}

static void
survives_no_memory(void **state)
{
	(void)state;
	assert_true(alloc_sweep(make_all, NULL) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_becomes_json),
		cmocka_unit_test(no_query_is_no_parameter),
		cmocka_unit_test(most_escapes_fit),
		cmocka_unit_test(every_cut_is_refused_or_whole),
		cmocka_unit_test(lengths_that_overflow_are_refused),
		cmocka_unit_test(routes_are_found),
		cmocka_unit_test(short_ids_are_bounded),
		cmocka_unit_test(short_id_goes_into_the_body),
		cmocka_unit_test(problem_has_all_members),
		cmocka_unit_test(body_is_bounded),
		cmocka_unit_test(one_answer_counts),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
