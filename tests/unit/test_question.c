/*
 * test_question.c - a question as the bytes of an HTTP request
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "client/question.h"
#include "json_scan.h"

#define ID "https://client.example/app.json"

static const struct cimdclient_ask simple = {
	.client_id = ID,
	.client_id_len = sizeof(ID) - 1,
	.purpose = CIMD_AUTHORIZE,
};

static void
check_bytes(const struct cimdclient_ask *ask, bool verify, const char *want)
{
	struct cimd_error err = { 0 };
	struct question q;

	assert_int_equal(question_write(ask, verify, &q, &err), CIMD_OK);
	assert_int_equal(q.n, strlen(want));
	assert_memory_equal(q.p, want, q.n);
	question_clear(&q);
	assert_null(q.whole);
}

static void
writes_a_lookup(void **state)
{
	struct cimdclient_ask ask = simple;

	(void)state;
	check_bytes(&ask, false,
	    "POST /v1/client HTTP/1.1\r\n"
	    "Host: cimd\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 69\r\n"
	    "Connection: close\r\n"
	    "\r\n"
	    "{\"client_id\":\"" ID "\",\"purpose\":\"authorize\"}");
	ask.purpose = CIMD_DISPLAY;
	ask.redirect_uri = "http://127.0.0.1/\"\\";
	ask.redirect_uri_len = 19;
	ask.service = "imap";
	ask.remote_addr = "192.0.2.1";
	ask.policy = "{\"default\":\"deny\"}";
	check_bytes(&ask, false,
	    "POST /v1/client HTTP/1.1\r\n"
	    "Host: cimd\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 177\r\n"
	    "Connection: close\r\n"
	    "\r\n"
	    "{\"client_id\":\"" ID "\","
	    "\"redirect_uri\":\"http://127.0.0.1/\\\"\\\\\","
	    "\"service\":\"imap\",\"remote_addr\":\"192.0.2.1\","
	    "\"policy\":{\"default\":\"deny\"},\"purpose\":\"display\"}");
}

static void
writes_an_assertion(void **state)
{
	static const char *const audiences[] = { "https://as.example", "b",
		NULL };
	struct cimdclient_ask ask = simple;

	(void)state;
	ask.assertion = "e30.e30._-x";
	ask.assertion_len = 11;
	ask.audiences = audiences;
	check_bytes(&ask, true,
	    "POST /v1/assertion HTTP/1.1\r\n"
	    "Host: cimd\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 200\r\n"
	    "Connection: close\r\n"
	    "\r\n"
	    "{\"client_id\":\"" ID "\",\"client_assertion_type\":"
	    "\"urn:ietf:params:oauth:client-assertion-type:jwt-bearer\","
	    "\"client_assertion\":\"e30.e30._-x\","
	    "\"audiences\":[\"https://as.example\",\"b\"]}");
}

static void
refuses(const struct cimdclient_ask *ask, bool verify, enum cimd_err want,
    const char *text)
{
	struct cimd_error err = { 0 };
	struct question q;

	assert_int_equal(question_write(ask, verify, &q, &err), want);
	assert_int_equal(err.code, want);
	assert_non_null(strstr(err.text, text));
	question_clear(&q);
}

static void
refuse_id(const char *id, size_t n, enum cimd_err want, const char *text)
{
	struct cimdclient_ask ask = simple;

	ask.client_id = id;
	ask.client_id_len = n;
	refuses(&ask, false, want, text);
}

static void
refuses_a_client_id(void **state)
{
	char longest[CIMD_MAX_URL + 1];
	struct cimdclient_ask ask = simple;
	struct cimd_error err = { 0 };
	struct question q;

	(void)state;
	refuse_id(NULL, 0, CIMD_E_NOT_CIMD, "does not start with");
	refuse_id("alice", 5, CIMD_E_NOT_CIMD, "does not start with");
	refuse_id("HTTPS://a/b", 11, CIMD_E_NOT_CIMD, "does not start with");
	refuse_id("https:/", 7, CIMD_E_NOT_CIMD, "does not start with");
	refuse_id("https://a\0b", 11, CIMD_E_URL, "no URL has");
	refuse_id("https://a b", 11, CIMD_E_URL, "no URL has");
	refuse_id("https://a\xff/", 11, CIMD_E_URL, "no URL has");
	refuse_id("https://a\n/", 11, CIMD_E_URL, "no URL has");
	refuse_id("https://a/b?/../c", 17, CIMD_E_URL, "segment of dots");
	(void)snprintf(longest, sizeof(longest), "https://");
	memset(longest + 8, 'a', sizeof(longest) - 8);
	refuse_id(longest, sizeof(longest), CIMD_E_URL, "longer than 1024");
	ask.client_id = longest;
	ask.client_id_len = CIMD_MAX_URL;
	assert_int_equal(question_write(&ask, false, &q, &err), CIMD_OK);
	question_clear(&q);
}

static void
refuses_an_assertion(void **state)
{
	static char jwt[CIMD_MAX_ASSERTION + 1];
	struct cimdclient_ask ask = simple;
	struct cimd_error err = { 0 };
	struct question q;

	(void)state;
	refuses(&ask, true, CIMD_E_ASSERTION, "there is no");
	ask.assertion = "a.b.c ";
	ask.assertion_len = 6;
	refuses(&ask, true, CIMD_E_ASSERTION, "byte 5 of the assertion");
	ask.assertion = "a\0b";
	ask.assertion_len = 3;
	refuses(&ask, true, CIMD_E_ASSERTION, "byte 1 of the assertion");
	memset(jwt, 'x', sizeof(jwt));
	ask.assertion = jwt;
	ask.assertion_len = sizeof(jwt);
	refuses(&ask, true, CIMD_E_ASSERTION, "longer than 8192");
	ask.assertion_len--;
	assert_int_equal(question_write(&ask, true, &q, &err), CIMD_OK);
	question_clear(&q);
}

static void
refuses_what_else_cannot_be(void **state)
{
	const char *many[18], *empty[] = { "", NULL };
	struct cimdclient_ask ask = simple;
	static char policy[CIMD_MAX_REQUEST + 1];
	size_t i;

	(void)state;
	ask.redirect_uri = "http://127.0.0.1/\xc3\xa4";
	ask.redirect_uri_len = 19;
	refuses(&ask, false, CIMD_E_REDIRECT_URIS, "no URI");
	ask = simple;
	ask.service = "two words";
	refuses(&ask, false, CIMD_E_REQUEST, "service");
	ask.service = "";
	refuses(&ask, false, CIMD_E_REQUEST, "service");
	ask = simple;
	ask.assertion = "a.b.c";
	ask.assertion_len = 5;
	ask.audiences = empty;
	refuses(&ask, true, CIMD_E_REQUEST, "audiences");
	for (i = 0; i < 17; i++)
		many[i] = "a";
	many[17] = NULL;
	ask.audiences = many;
	refuses(&ask, true, CIMD_E_REQUEST, "at most 16");
	ask = simple;
	memset(policy, ' ', sizeof(policy) - 1);
	ask.policy = policy;
	refuses(&ask, false, CIMD_E_REQUEST, "larger than 65536");
}

static void
leaves_odd_addresses_out(void **state)
{
	struct cimdclient_ask ask = simple;
	struct cimd_error err = { 0 };
	struct question q;

	(void)state;
	ask.remote_addr = "a\nb";
	assert_int_equal(question_write(&ask, false, &q, &err), CIMD_OK);
	assert_null(memmem(q.p, q.n, "remote_addr", 11));
	question_clear(&q);
}

/* The longest of everything, all of it to be escaped, is valid JSON. */
static void
has_room_for_the_longest(void **state)
{
	static char id[CIMD_MAX_URL], redirect[CIMD_MAX_DOCUMENT];
	struct cimdclient_ask ask = simple;
	struct cimd_error err = { 0 };
	struct question q;
	struct span body;

	(void)state;
	(void)snprintf(id, sizeof(id), "https://");
	memset(id + 8, '"', sizeof(id) - 8);
	memset(redirect, '\\', sizeof(redirect));
	ask.client_id = id;
	ask.client_id_len = sizeof(id);
	ask.redirect_uri = redirect;
	ask.redirect_uri_len = sizeof(redirect);
	assert_int_equal(question_write(&ask, false, &q, &err), CIMD_OK);
	body.p = (char *)memmem(q.p, q.n, "\r\n\r\n", 4) + 4;
	body.n = (size_t)(q.p + q.n - body.p);
	assert_int_equal(json_scan(body, &err), CIMD_OK);
	question_clear(&q);
}

static bool
write_one(void *ctx)
{
	struct question q;
	struct cimd_error err = { 0 };
	enum cimd_err e = question_write(ctx, false, &q, &err);

	question_clear(&q);
	if (e != CIMD_OK)
		assert_int_equal(err.code, CIMD_E_NO_MEMORY);
	return e == CIMD_OK;
}

/* One allocation: a second one could be a copy of an assertion. */
static void
allocates_once(void **state)
{
	struct cimdclient_ask ask = simple;

	(void)state;
	assert_int_equal(alloc_sweep(write_one, &ask), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_a_lookup),
		cmocka_unit_test(writes_an_assertion),
		cmocka_unit_test(refuses_a_client_id),
		cmocka_unit_test(refuses_an_assertion),
		cmocka_unit_test(refuses_what_else_cannot_be),
		cmocka_unit_test(leaves_odd_addresses_out),
		cmocka_unit_test(has_room_for_the_longest),
		cmocka_unit_test(allocates_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
