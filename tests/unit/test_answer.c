/*
 * test_answer.c - responses of cimdd and of what is none, as answers
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "client/answer.h"
#include "error.h"

#define ID "https://client.example/app.json"
#define JSON "Content-Type: application/json\r\n"
#define PROBLEM "Content-Type: application/problem+json\r\n"
#define CLIENT                                                                 \
	"\"client\":{\"client_id\":\"" ID "\",\"client_name\":\"N\","          \
	"\"redirect_uris\":[\"http://127.0.0.1/cb\",\"https://a.example/\"],"  \
	"\"contacts\":[\"a\",1],\"jwks\":{\"keys\":[]},\"x\":null}"
#define DECISION                                                               \
	"\"decision\":{\"trust\":\"trusted\",\"rule\":\"r\","                  \
	"\"auth_methods\":[\"private_key_jwt\"],"                              \
	"\"redirect_uri_ok\":true}"
#define DISPLAY "\"display\":{\"client_host\":\"client.example\"}"
#define GOOD "{" CLIENT "," DECISION "," DISPLAY "}"
#define VERIFIED "{\"verified\":true," CLIENT "," DECISION "," DISPLAY "}"

/* Feed a response in pieces of so many bytes; NULL: it is refused. */
static struct cimdclient_answer *
read_pieces(const char *text, size_t n, size_t piece, bool verify)
{
	struct cimdclient_answer *a = answer_new();
	struct reply r = { 0 };
	enum cimd_err e = CIMD_OK;
	bool done = false;
	size_t room, at = 0;
	char *to;

	assert_non_null(a);
	while (e == CIMD_OK && !done && at < n) {
		e = reply_room(&r, &to, &room, answer_error(a));
		if (e != CIMD_OK)
			break;
		room = room < piece ? room : piece;
		room = room < n - at ? room : n - at;
		memcpy(to, text + at, room);
		at += room;
		e = reply_add(&r, room, &done, answer_error(a));
	}
	if (e == CIMD_OK && !done)
		e = reply_end(&r, answer_error(a));
	if (e == CIMD_OK)
		answer_decode(a, &r, span_of(ID), verify);
	else
		answer_fail(a, e);
	reply_clear(&r);
	return a;
}

/* Any cut into pieces gives the same. */
static struct cimdclient_answer *
read_text(const char *text, bool verify)
{
	struct cimdclient_answer *a, *b;

	a = read_pieces(text, strlen(text), 1, verify);
	b = read_pieces(text, strlen(text), SIZE_MAX, verify);
	assert_int_equal(cimdclient_class(a), cimdclient_class(b));
	assert_string_equal(cimdclient_code(a), cimdclient_code(b));
	assert_string_equal(cimdclient_detail(a), cimdclient_detail(b));
	cimdclient_free(&b);
	return a;
}

/* status line and fields up to the length of body, then body */
static struct cimdclient_answer *
read_body(const char *head, const char *body, bool verify)
{
	struct cimdclient_answer *a;
	char *text;

	assert_true(asprintf(&text, "HTTP/1.1 %sContent-Length: %zu\r\n\r\n%s",
			head, strlen(body), body) > 0);
	a = read_text(text, verify);
	free(text);
	return a;
}

static void
is(struct cimdclient_answer *a, enum cimd_class c, const char *code,
    const char *detail)
{
	assert_string_equal(cimdclient_code(a), code);
	assert_non_null(strstr(cimdclient_detail(a), detail));
	assert_int_equal(cimdclient_class(a), c);
	if (c != CIMD_ACCEPTED) {
		assert_null(cimdclient_text(a, "client_name"));
		assert_null(cimdclient_json(a, "jwks"));
		assert_null(cimdclient_item(a, "redirect_uris", 0));
		assert_null(cimdclient_trust(a));
		assert_null(cimdclient_rule(a));
		assert_null(cimdclient_host(a));
		assert_false(cimdclient_allows(a, "private_key_jwt"));
		assert_false(cimdclient_redirect_ok(a));
		assert_string_not_equal(cimdclient_oauth(a), "");
	}
	cimdclient_free(&a);
	assert_null(a);
}

static void
takes_an_accepted_client(void **state)
{
	struct cimdclient_answer *a = read_body("200 OK\r\n" JSON, GOOD, false);

	(void)state;
	assert_int_equal(cimdclient_class(a), CIMD_ACCEPTED);
	assert_string_equal(cimdclient_code(a), "CIMD_OK");
	assert_string_equal(cimdclient_oauth(a), "");
	assert_int_equal(cimdclient_retry_after(a), 0);
	assert_string_equal(cimdclient_text(a, "client_name"), "N");
	assert_null(cimdclient_text(a, "jwks"));
	assert_null(cimdclient_text(a, "x"));
	assert_null(cimdclient_text(a, "nothing"));
	assert_int_equal(cimdclient_count(a, "redirect_uris"), 2);
	assert_string_equal(cimdclient_item(a, "redirect_uris", 1),
	    "https://a.example/");
	assert_null(cimdclient_item(a, "redirect_uris", 2));
	assert_int_equal(cimdclient_count(a, "contacts"), 0);
	assert_int_equal(cimdclient_count(a, "client_name"), 0);
	assert_string_equal(cimdclient_json(a, "jwks"), "{\"keys\":[]}");
	assert_null(cimdclient_json(a, "x"));
	assert_string_equal(cimdclient_trust(a), "trusted");
	assert_string_equal(cimdclient_rule(a), "r");
	assert_string_equal(cimdclient_host(a), "client.example");
	assert_true(cimdclient_allows(a, "private_key_jwt"));
	assert_false(cimdclient_allows(a, "none"));
	assert_true(cimdclient_redirect_ok(a));
	cimdclient_free(&a);
}

static void
takes_what_ends_with_the_connection(void **state)
{
	(void)state;
	is(read_text("HTTP/1.1 200 OK\r\n" JSON "\r\n" GOOD, false),
	    CIMD_ACCEPTED, "CIMD_OK", "");
	is(read_text("HTTP/1.1 200 OK\r\n" JSON "\r\n{", false), CIMD_BROKEN,
	    "CIMD_E_INTERNAL", "cannot be used");
}

static void
verified_must_be_said(void **state)
{
	(void)state;
	is(read_body("200 OK\r\n" JSON, VERIFIED, true), CIMD_ACCEPTED,
	    "CIMD_OK", "");
	is(read_body("200 OK\r\n" JSON, GOOD, true), CIMD_BROKEN,
	    "CIMD_E_INTERNAL", "nothing was verified");
}

static void
strange_decisions_are_refused(void **state)
{
	static const struct {
		const char *body, *detail;
	} v[] = {
		{ "{" CLIENT "}", "no trust" },
		{ "{" CLIENT "," DECISION "}", "a member is missing" },
		{ "{" DECISION "," DISPLAY "}", "about another client" },
		{ "{\"client\":{\"client_id\":\"" ID "x\"}," DECISION
		  "," DISPLAY "}",
		    "about another client" },
		{ "{\"client\":[]," DECISION "," DISPLAY "}",
		    "about another client" },
		{ "{" CLIENT ",\"decision\":{\"trust\":\"blocked\"}}",
		    "no trust" },
		{ "{" CLIENT "," DISPLAY
		  ",\"decision\":{\"trust\":\"trusted\",\"rule\":\"r\","
		  "\"auth_methods\":[1],\"redirect_uri_ok\":true}}",
		    "a member is missing" },
		{ "{" CLIENT "," DISPLAY
		  ",\"decision\":{\"trust\":\"trusted\",\"rule\":\"r\","
		  "\"auth_methods\":[],\"redirect_uri_ok\":\"true\"}}",
		    "a member is missing" },
		{ "[]", "no object" },
		{ "", "" },
		{ "null", "no object" },
		{ GOOD GOOD, "byte" },
		{ "{\"client\":1,\"client\":2}", "byte" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		is(read_body("200 OK\r\n" JSON, v[i].body, false), CIMD_BROKEN,
		    "CIMD_E_INTERNAL", v[i].detail);
	is(read_body("204 No\r\n" JSON, GOOD, false), CIMD_BROKEN,
	    "CIMD_E_INTERNAL", "a status");
	is(read_body("200 OK\r\n" PROBLEM, GOOD, false), CIMD_BROKEN,
	    "CIMD_E_INTERNAL", "a status");
	is(read_body("403 No\r\n" JSON, GOOD, false), CIMD_BROKEN,
	    "CIMD_E_INTERNAL", "a status");
}

static void
takes_problems(void **state)
{
	struct cimdclient_answer *a;

	(void)state;
	is(read_body("403 Forbidden\r\n" PROBLEM,
	       "{\"class\":\"refused\",\"code\":\"CIMD_E_POLICY\","
	       "\"error\":\"unauthorized_client\",\"detail\":\"no rule\"}",
	       false),
	    CIMD_REFUSED, "CIMD_E_POLICY", "no rule");
	is(read_body("404 Not Found\r\n" PROBLEM,
	       "{\"class\":\"not_ours\",\"code\":\"CIMD_E_NOT_CIMD\","
	       "\"error\":\"invalid_client\"}",
	       false),
	    CIMD_NOT_OURS, "CIMD_E_NOT_CIMD", "");
	/* A code of a newer daemon; its class is what counts. */
	is(read_body("403 Forbidden\r\n" PROBLEM,
	       "{\"class\":\"refused\",\"code\":\"CIMD_E_NEW\","
	       "\"error\":\"invalid_client\",\"detail\":\"a\\nb\"}",
	       false),
	    CIMD_REFUSED, "CIMD_E_NEW", "a\\x0ab");
	/* A daemon that does not know the path. */
	is(read_body("404 Not Found\r\n" PROBLEM,
	       "{\"class\":\"broken\",\"code\":\"CIMD_E_REQUEST\","
	       "\"error\":\"server_error\",\"detail\":\"no such path\"}",
	       false),
	    CIMD_BROKEN, "CIMD_E_REQUEST", "no such path");
	a = read_body("503 Busy\r\n" PROBLEM,
	    "{\"class\":\"unavailable\",\"code\":\"CIMD_E_BUSY\","
	    "\"error\":\"temporarily_unavailable\",\"retry_after\":7}",
	    false);
	assert_int_equal(cimdclient_retry_after(a), 7);
	assert_string_equal(cimdclient_oauth(a), "temporarily_unavailable");
	is(a, CIMD_UNAVAILABLE, "CIMD_E_BUSY", "");
}

static void
strange_problems_are_broken(void **state)
{
	static const struct {
		const char *head, *body;
	} v[] = {
		{ "403 No\r\n",
		    "{\"class\":\"not_ours\",\"code\":\"A\","
		    "\"error\":\"b\"}" },
		{ "403 No\r\n",
		    "{\"class\":\"accepted\",\"code\":\"A\","
		    "\"error\":\"b\"}" },
		{ "200 OK\r\n",
		    "{\"class\":\"broken\",\"code\":\"A\","
		    "\"error\":\"b\"}" },
		{ "403 No\r\n", "{\"class\":\"refused\",\"error\":\"b\"}" },
		{ "403 No\r\n", "{\"class\":\"refused\",\"code\":\"A\"}" },
		{ "403 No\r\n",
		    "{\"class\":\"refused\",\"code\":\"A b\","
		    "\"error\":\"b\"}" },
		{ "403 No\r\n",
		    "{\"class\":\"refused\",\"error\":\"b\","
		    "\"code\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char head[128];

		(void)snprintf(head, sizeof(head), "%s" PROBLEM, v[i].head);
		is(read_body(head, v[i].body, false), CIMD_BROKEN,
		    "CIMD_E_INTERNAL", "cannot be used");
	}
}

static void
is_no_cimdd(const char *text, const char *detail)
{
	is(read_text(text, false), CIMD_BROKEN, "CIMD_E_INTERNAL", detail);
}

static void
strange_responses_are_broken(void **state)
{
	(void)state;
	is_no_cimdd("SSH-2.0-OpenSSH\r\n\r\n", "no HTTP/1.1 status line");
	is_no_cimdd("HTTP/1.0 200 OK\r\n\r\n", "no HTTP/1.1 status line");
	is_no_cimdd("HTTP/1.1 100 Continue\r\n\r\n", "no HTTP/1.1 status line");
	is_no_cimdd("HTTP/1.1 2000 OK\r\n\r\n", "no HTTP/1.1 status line");
	is_no_cimdd("HTTP/1.1 200\r\n\r\n", "no HTTP/1.1 status line");
	is_no_cimdd("\r\n\r\n", "no HTTP/1.1 status line");
	is_no_cimdd("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "CR LF");
	is_no_cimdd("HTTP/1.1 200 OK\r\nno field\r\n\r\n", "no header field");
	is_no_cimdd("HTTP/1.1 200 OK\r\n : x\r\n\r\n", "no header field");
	is_no_cimdd("HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", "odd byte");
	is_no_cimdd("HTTP/1.1 200 OK\r\n\r\n{}", "no Content-Type");
	is_no_cimdd("HTTP/1.1 200 OK\r\n" JSON JSON "\r\n", "twice");
	is_no_cimdd("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
	    "than JSON");
	is_no_cimdd("HTTP/1.1 200 OK\r\n" JSON
		    "Transfer-Encoding: chunked\r\n\r\n",
	    "a coding");
	is_no_cimdd("HTTP/1.1 200 OK\r\n" JSON "Content-Length: 2\r\n"
		    "content-length: 2\r\n\r\n{}",
	    "twice");
	is_no_cimdd("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", "no number");
	is_no_cimdd("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
	    "no number");
	is_no_cimdd("HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n",
	    "no number");
	is_no_cimdd("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
	    "too large");
	is_no_cimdd("HTTP/1.1 200 OK\r\n"
		    "Content-Length: 99999999999999999999\r\n\r\n",
	    "too large");
}

/* More than Content-Length says, in one piece with it. */
static void
longer_than_announced_is_broken(void **state)
{
	static const char text[] =
	    "HTTP/1.1 200 OK\r\n" JSON "Content-Length: 2\r\n\r\n{}{}";

	(void)state;
	is(read_pieces(text, sizeof(text) - 1, SIZE_MAX, false), CIMD_BROKEN,
	    "CIMD_E_INTERNAL", "longer");
}

static void
early_ends_are_unavailable(void **state)
{
	(void)state;
	is(read_text("", false), CIMD_UNAVAILABLE, "CIMD_E_CONNECT",
	    "without an answer");
	is(read_text("HTTP/1.1 200 OK\r\n", false), CIMD_UNAVAILABLE,
	    "CIMD_E_CONNECT", "amid");
	is(read_text("HTTP/1.1 200 OK\r\n" JSON "Content-Length: 3\r\n\r\n{}",
	       false),
	    CIMD_UNAVAILABLE, "CIMD_E_CONNECT", "amid");
}

static void
endless_ones_are_broken(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n" JSON "\r\n";
	const size_t n = (size_t)2 * REPLY_MAX_BODY;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', n);
	is(read_pieces(text, n, 1000, false), CIMD_BROKEN, "CIMD_E_INTERNAL",
	    "headers without an end");
	memcpy(text, head, sizeof(head) - 1);
	is(read_pieces(text, n, 1000, false), CIMD_BROKEN, "CIMD_E_INTERNAL",
	    "longer than it may be");
	free(text);
}

static void
nothing_is_safe(void **state)
{
	struct cimdclient_answer *none = NULL;

	(void)state;
	cimdclient_free(NULL);
	assert_int_equal(cimdclient_retry_after(NULL), 0);
	is(none, CIMD_BROKEN, "CIMD_E_NO_MEMORY", "memory");
	/* Whatever goes wrong, a failure is never an acceptance. */
	none = answer_new();
	answer_fail(none, CIMD_OK);
	assert_int_equal(cimdclient_class(none), CIMD_BROKEN);
	cimdclient_free(&none);
}

static bool
read_again(void *ctx)
{
	struct cimdclient_answer *a = answer_new();
	struct reply r = { 0 };
	enum cimd_err e;
	bool done, good;
	size_t room;
	char *to;

	if (a == NULL)
		return false;
	e = reply_room(&r, &to, &room, answer_error(a));
	if (e == CIMD_OK) {
		memcpy(to, ctx, strlen(ctx) + 1);
		e = reply_add(&r, strlen(ctx), &done, answer_error(a));
	}
	if (e == CIMD_OK)
		answer_decode(a, &r, span_of(ID), false);
	else
		answer_fail(a, e);
	good = cimdclient_class(a) == CIMD_ACCEPTED;
	if (!good)
		assert_string_equal(cimdclient_code(a), "CIMD_E_NO_MEMORY");
	cimdclient_free(&a);
	reply_clear(&r);
	return good;
}

static void
survives_lack_of_memory(void **state)
{
	char text[] = "HTTP/1.1 200 OK\r\n" JSON "\r\n" GOOD;

	(void)state;
	assert_true(alloc_sweep(read_again, text) > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_an_accepted_client),
		cmocka_unit_test(takes_what_ends_with_the_connection),
		cmocka_unit_test(verified_must_be_said),
		cmocka_unit_test(strange_decisions_are_refused),
		cmocka_unit_test(takes_problems),
		cmocka_unit_test(strange_problems_are_broken),
		cmocka_unit_test(strange_responses_are_broken),
		cmocka_unit_test(longer_than_announced_is_broken),
		cmocka_unit_test(early_ends_are_unavailable),
		cmocka_unit_test(endless_ones_are_broken),
		cmocka_unit_test(nothing_is_safe),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
