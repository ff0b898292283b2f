/*
 * test_json_scan.c - strict JSON and its tree
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "cases.h"
#include "json_lex.h"
#include "json_scan.h"

static const char *
text_of(struct json_object *tree)
{
	return json_object_to_json_string_ext(tree,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* "json" is accepted; with "tree", the tree is that. */
static void
valid_case(struct test_case *c)
{
	struct span json = case_value(c, "json");
	struct json_object *tree = NULL;
	struct cimd_error err = { 0 };
	const char *want = case_string(c, "tree");
	enum cimd_err e;

	e = json_scan(json, &err);
	case_check(c, e == CIMD_OK, "refused: %s", err.text);
	if (want == NULL)
		return;
	e = json_parse(json, &tree, &err);
	case_check(c, e == CIMD_OK, "no tree: %s", err.text);
	if (e == CIMD_OK)
		case_check(c, strcmp(text_of(tree), want) == 0, "tree is %s",
		    text_of(tree));
	json_object_put(tree);
}

/* "json" is refused; with "top", only because it is no object. */
static void
invalid_case(struct test_case *c)
{
	struct span json = case_value(c, "json");
	struct json_object *tree = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = json_scan(json, &err);
	if (case_string(c, "top") != NULL)
		case_check(c, e == CIMD_OK, "scan: %s", err.text);
	else
		case_check_error(c, e, &err);
	e = json_parse(json, &tree, &err);
	case_check_error(c, e, &err);
	case_check(c, tree == NULL, "a tree of what was refused");
	case_check(c, json_scan(json, NULL) == CIMD_OK || e != CIMD_OK,
	    "the verdict depends on err");
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("json-valid", valid_case);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("json-invalid", invalid_case);
}

/* Files of the JSON test suite that the grammar allows and I-JSON does not. */
static bool
is_no_ijson(const char *name)
{
	static const char *const names[] = {
		"y_object_duplicated_key.json",
		"y_object_duplicated_key_and_value.json",
		"y_object_escaped_null_in_key.json",
		"y_string_null_escape.json",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/*
 * Of the files on which RFC 8259 has no opinion: these are what I-JSON and
 * our depth leave.  A value too small for a double is no fault.
 */
static bool
is_accepted_anyway(const char *name)
{
	static const char *const names[] = {
		"i_number_double_huge_neg_exp.json",
		"i_number_real_underflow.json",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
check_suite_file(const char *name, size_t count[3])
{
	struct cimd_error err = { 0 };
	struct span text;
	char path[512];
	enum cimd_err e;

	(void)snprintf(path, sizeof(path), "json/test_parsing/%s", name);
	text = corpus_read(path);
	assert_non_null(text.p);
	e = json_scan(text, &err);
	corpus_free(&text);
	if (name[0] == 'n') {
		count[0]++;
		if (e != CIMD_E_JSON)
			fail_msg("%s is accepted", name);
	} else if (name[0] == 'y') {
		count[1]++;
		if ((e != CIMD_OK) != is_no_ijson(name))
			fail_msg("%s: %s", name, err.text);
	} else {
		count[2]++;
		if ((e == CIMD_OK) != is_accepted_anyway(name))
			fail_msg("%s: %s", name, err.text);
	}
}

/* 0 of 188 n_ files accepted, 4 of 95 y_ files refused, all by name. */
static void
json_test_suite(void **state)
{
	const char *corpora = getenv("CIMD_CORPORA");
	size_t count[3] = { 0 };
	struct dirent *entry;
	char path[1024];
	DIR *dir;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/json/test_parsing",
	    corpora == NULL ? "" : corpora);
	dir = opendir(path);
	if (dir == NULL) {
		printf("# no corpora, so no JSON test suite\n");
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".json") != NULL)
			check_suite_file(entry->d_name, count);
	(void)closedir(dir);
	assert_int_equal(count[0], 188);
	assert_int_equal(count[1], 95);
	assert_int_equal(count[2], 35);
}

/* A text of n times the unit between first and last; the caller frees it. */
static struct span
repeated(const char *first, const char *unit, size_t n, const char *last)
{
	struct span s = { NULL, 0 };
	size_t size = strlen(first) + n * strlen(unit) + strlen(last);
	char *out = malloc(size + 1);
	size_t i, at;

	assert_non_null(out);
	at = (size_t)snprintf(out, size + 1, "%s", first);
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, size + 1 - at, "%s", unit);
	at += (size_t)snprintf(out + at, size + 1 - at, "%s", last);
	s.p = out;
	s.n = at;
	return s;
}

/* An object of n members with names of three digits. */
static struct span
wide_object(size_t n)
{
	struct span s = repeated("{", "\"000\":1,", n - 1, "\"000\":1}");
	char *p;
	size_t i;

	memcpy(&p, &s.p, sizeof(p));
	for (i = 0; i < n; i++) {
		p[1 + 8 * i + 1] = (char)('0' + i / 100);
		p[1 + 8 * i + 2] = (char)('0' + i / 10 % 10);
		p[1 + 8 * i + 3] = (char)('0' + i % 10);
	}
	return s;
}

static void
free_span(struct span s)
{
	void *p;

	memcpy(&p, &s.p, sizeof(p));
	free(p);
}

static enum cimd_err
scan_and_free(struct span s, struct cimd_error *err)
{
	enum cimd_err e = json_scan(s, err);

	free_span(s);
	return e;
}

static void
depth_is_limited(void **state)
{
	struct cimd_error err = { 0 };
	struct json_object *tree = NULL;
	struct span s;

	(void)state;
	assert_int_equal(scan_and_free(repeated("", "[", 16,
					   "]]]]]]]]]]]]]]]]"),
			     &err),
	    CIMD_OK);
	assert_int_equal(scan_and_free(repeated("", "[", 17,
					   "]]]]]]]]]]]]]]]]]"),
			     &err),
	    CIMD_E_JSON);
	assert_string_equal(err.text, "byte 16: nested too deep");
	assert_int_equal(scan_and_free(repeated("", "[", 100000, ""), NULL),
	    CIMD_E_JSON);
	s = repeated("", "{\"a\":", 16, "1}}}}}}}}}}}}}}}}");
	assert_int_equal(json_parse(s, &tree, &err), CIMD_OK);
	json_object_put(tree);
	free_span(s);
}

static void
members_are_limited(void **state)
{
	struct cimd_error err = { 0 };

	(void)state;
	assert_int_equal(scan_and_free(wide_object(256), &err), CIMD_OK);
	assert_int_equal(scan_and_free(wide_object(257), &err), CIMD_E_JSON);
	assert_string_equal(err.text,
	    "byte 2054: an object of too many members");
	assert_int_equal(scan_and_free(repeated("[", "{\"a\":1},", 300, "1]"),
			     &err),
	    CIMD_OK);
}

/* A long name is cut in the text of the error. */
static void
long_names_are_cut(void **state)
{
	struct span s = repeated("{\"", "a", 5000, "\":1,\"");
	struct cimd_error err = { 0 };
	char *twice = malloc(2 * s.n);

	(void)state;
	assert_non_null(twice);
	(void)snprintf(twice, 2 * s.n, "%s%.5000s\":2}", s.p, s.p + 2);
	assert_int_equal(json_scan(span_of(twice), &err), CIMD_E_JSON);
	assert_non_null(strstr(err.text, "aaa\" a second time"));
	free(twice);
	free_span(s);
}

/* The bytes end in the middle of everything: no read past them. */
static void
every_prefix_is_refused(void **state)
{
	static const char text[] =
	    "{\"a\\u00e4\\ud83d\\ude00\":[1,-2.5e+3,true,false,null,\"\\n"
	    "\xf0\x9f\x98\x80\"],\"b\":{\"c\":{}}}";
	size_t n;

	(void)state;
	assert_int_equal(json_scan(span_of(text), NULL), CIMD_OK);
	for (n = 0; n < sizeof(text) - 1; n++) {
		char *copy = malloc(n == 0 ? 1 : n);
		struct span s = { copy, n };

		assert_non_null(copy);
		memcpy(copy, text, n);
		assert_int_equal(json_scan(s, NULL), CIMD_E_JSON);
		free(copy);
	}
}

static bool
parse_sample(void *ctx)
{
	static const char text[] =
	    "{\"\\u0061\":[1,2.5,true,null,\"x\",{}],\"b\":{\"c\":[[]]}}";
	struct json_object *tree = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	(void)ctx;
	e = json_parse(span_of(text), &tree, &err);
	if (e == CIMD_OK)
		assert_string_equal(text_of(tree),
		    "{\"a\":[1,2.5,true,null,\"x\",{}],\"b\":{\"c\":[[]]}}");
	else
		assert_int_equal(e, CIMD_E_NO_MEMORY);
	assert_true((tree == NULL) == (e != CIMD_OK));
	json_object_put(tree);
	return e == CIMD_OK;
}

static void
survives_no_memory(void **state)
{
	(void)state;
	assert_true(alloc_sweep(parse_sample, NULL) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(json_test_suite),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(members_are_limited),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
