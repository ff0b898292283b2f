/*
 * test_json_out.c - writing JSON text
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "json_out.h"
#include "json_scan.h"

static void
check_text(struct json_out *o, const char *want)
{
	struct cimd_error err = { 0 };
	struct span s;
	char *text;

	assert_int_equal(json_out_take(o, &text, &s.n, &err), CIMD_OK);
	assert_string_equal(text, want);
	assert_int_equal(s.n, strlen(want));
	s.p = text;
	assert_int_equal(json_scan(s, &err), CIMD_OK);
	free(text);
}

static void
commas_come_by_themselves(void **state)
{
	struct json_out o = { 0 };
	struct span absent = { NULL, 0 };

	(void)state;
	json_out_open(&o, '{');
	json_out_member(&o, "absent", absent);
	json_out_member(&o, "a", span_of("x"));
	json_out_raw_member(&o, "absent", absent);
	json_out_raw_member(&o, "b", span_of("true"));
	json_out_name(&o, "c");
	json_out_open(&o, '[');
	json_out_open(&o, '{');
	json_out_close(&o, '}');
	json_out_string(&o, span_of("{[:"));
	json_out_raw(&o, span_of("12"));
	json_out_open(&o, '[');
	json_out_close(&o, ']');
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	check_text(&o, "{\"a\":\"x\",\"b\":true,\"c\":[{},\"{[:\",12,[]]}");
}

static void
strings_are_escaped(void **state)
{
	struct span bytes = { "a\"\\/\b\f\n\r\t\0\x1f\x7f\xc3\xa4", 14 };
	struct span absent = { NULL, 0 };
	struct json_out o = { 0 };

	(void)state;
	json_out_open(&o, '[');
	json_out_string(&o, absent);
	json_out_close(&o, ']');
	check_text(&o, "[\"\"]");
	json_out_open(&o, '[');
	json_out_string(&o, span_of("a\"\\/\b\f\n\r\t\x1f\x7f\xc3\xa4"));
	json_out_close(&o, ']');
	check_text(&o, "[\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7f\xc3\xa4\"]");
	json_out_open(&o, '[');
	json_out_string(&o, span_of("\""));
	json_out_close(&o, ']');
	check_text(&o, "[\"\\\"\"]");
	json_out_string(&o, bytes);
	assert_non_null(strstr(o.p, "\\t\\u0000\\u001f"));
	json_out_drop(&o);
	assert_null(o.p);
}

/* More than one allocation's worth, in one piece and in many. */
static bool
write_much(void *ctx)
{
	struct json_out o = { 0 };
	struct cimd_error err = { 0 };
	struct span piece = { ctx, 3000 };
	char *text;
	size_t n, i;
	enum cimd_err e;

	json_out_open(&o, '[');
	json_out_string(&o, piece);
	for (i = 0; i < 3000; i++)
		json_out_raw(&o, span_of("1"));
	json_out_close(&o, ']');
	e = json_out_take(&o, &text, &n, &err);
	assert_null(o.p);
	if (e != CIMD_OK) {
		assert_int_equal(e, CIMD_E_NO_MEMORY);
		assert_null(text);
		return false;
	}
	assert_int_equal(n, 1 + 3002 + 2 * 3000 + 1);
	free(text);
	return true;
}

static void
survives_no_memory(void **state)
{
	static char piece[3000];
	struct json_out empty = { 0 };
	char *text;
	size_t n;

	(void)state;
	memset(piece, 'a', sizeof(piece));
	assert_int_equal(alloc_sweep(write_much, piece), 4);
	assert_int_equal(json_out_take(&empty, &text, &n, NULL),
	    CIMD_E_NO_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_come_by_themselves),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
