/*
 * test_conf_scan.c - the outline of a configuration file
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is refused, and with which text, is in tests/cases/config-invalid.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "conf_bytes.h"
#include "conf_scan.h"
#include "conf_table.h"

/* Scan a copy; the caller frees *text and *o. */
static enum cimd_err
scan(const char *source, char **text, struct conf_outline *o,
    struct conf_fault *fault)
{
	size_t n = strlen(source);

	*o = (struct conf_outline){ 0 };
	if ((*text = malloc(n + 1)) == NULL)
		return CIMD_E_NO_MEMORY;
	memcpy(*text, source, n + 1);
	return conf_scan(*text, n, o, fault);
}

static const char sample[] = "# first\n"
			     "default = deny /* two\n"
			     "lines */ query = yes // end\n"
			     "client 'a' { match = { \"x#y\",\n"
			     "  'z', }\n"
			     "trust = \"a\\\"b\" }\n"
			     "deny = {}\n";

static void
outline_has_names_and_lines(void **state)
{
	struct conf_outline o;
	struct conf_fault fault;
	char *text;

	(void)state;
	assert_int_equal(scan(sample, &text, &o, &fault), CIMD_OK);
	assert_int_equal(o.n, 6);
	if (o.row == NULL) {
		fail();
		return;
	}
	assert_string_equal(o.row[0].name, "default");
	assert_int_equal(o.row[0].line, 2);
	assert_int_equal(o.row[0].section, CONF_NO_SECTION);
	assert_null(o.row[0].title);
	assert_int_equal(o.row[1].line, 3);
	assert_string_equal(o.row[2].title, "a");
	assert_string_equal(o.row[3].name, "match");
	assert_int_equal(o.row[3].section, 2);
	assert_true(o.row[3].list);
	assert_int_equal(o.row[3].values, 2);
	assert_int_equal(o.row[3].lines[0], 4);
	assert_int_equal(o.row[3].lines[1], 5);
	assert_false(o.row[4].list);
	assert_int_equal(o.row[5].section, CONF_NO_SECTION);
	assert_int_equal(o.row[5].values, 0);
	conf_outline_free(&o);
	assert_int_equal(o.n, 0);
	conf_outline_free(&o);
	free(text);
}

/* libconfuse gets the text without them, with the same lines. */
static void
comments_become_blanks(void **state)
{
	struct conf_outline o;
	struct conf_fault fault;
	char *text;

	(void)state;
	assert_int_equal(scan("a = 1 # c\nb /* \n */ = '#' // d\n", &text, &o,
			     &fault),
	    CIMD_OK);
	assert_string_equal(text, "a = 1    \nb    \n    = '#'     \n");
	conf_outline_free(&o);
	free(text);
}

static void
assert_fault(const char *source, unsigned int line, const char *piece)
{
	struct conf_outline o;
	struct conf_fault fault = { 0 };
	char *text;

	assert_int_equal(scan(source, &text, &o, &fault), CIMD_E_CONFIG);
	assert_int_equal(fault.line, line);
	if (strstr(fault.text, piece) == NULL)
		fail_msg("\"%s\": %s", source, fault.text);
	conf_outline_free(&o);
	free(text);
}

/* A fault is where it begins, and its text is printable. */
static void
faults_have_their_line(void **state)
{
	(void)state;
	assert_fault("\nclient a {\n\n", 2, "is not closed");
	assert_fault("a = 1\n\n/* x\n", 3, "is not closed");
	assert_fault("a = '${HOME}'", 1, "is not expanded");
	assert_fault("a = 1\nb = $\n", 2, "'$' outside");
	assert_fault("a = \xc3\xa4", 1, "byte 0xc3 outside");
	assert_fault("a = '\xc3\xa4", 1, "not closed on its line");
	assert_fault("\n\n a", 3, "the file ends where");
	assert_fault("}", 1, "where the name of a setting");
}

/* Every prefix of a good file is good or a fault, within its memory. */
static void
every_cut_has_a_verdict(void **state)
{
	struct conf_outline o;
	struct conf_fault fault;
	char *text, copy[sizeof(sample)];
	enum cimd_err e;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(sample); n++) {
		memcpy(copy, sample, n);
		copy[n] = '\0';
		e = scan(copy, &text, &o, &fault);
		assert_true(e == CIMD_OK || e == CIMD_E_CONFIG);
		conf_outline_free(&o);
		free(text);
	}
}

static void
names_and_titles_are_bounded(void **state)
{
	char title[CONF_MAX_TITLE + 2];

	(void)state;
	memset(title, 'x', sizeof(title));
	assert_true(conf_is_title(title, CONF_MAX_TITLE));
	assert_false(conf_is_title(title, CONF_MAX_TITLE + 1));
	assert_false(conf_is_title("", 0));
	assert_true(conf_is_title("A.b-c_9", 7));
	assert_false(conf_is_title("a b", 3));
	assert_true(conf_is_name("a_9", 3));
	assert_false(conf_is_name("9a", 2));
	assert_false(conf_is_name("aB", 2));
	assert_false(conf_is_name("_a", 2));
	assert_false(conf_is_name("", 0));
}

/* RFC 3629: the shortest form only, no surrogates, up to U+10FFFF. */
static void
characters_are_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t given, length;
	} rows[] = {
		{ "a", 1, 1 },
		{ "", 0, 0 },
		{ "\x80", 1, 0 },
		{ "\xc1\xbf", 2, 0 },
		{ "\xc2\x80", 2, 2 },
		{ "\xc2", 1, 0 },
		{ "\xc2\xc0", 2, 0 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xe0\xa0\x80", 3, 3 },
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xef\xbf\xbf", 3, 3 },
		{ "\xef\xbf", 2, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(conf_utf8(rows[i].bytes, rows[i].given),
		    rows[i].length);
}

/* What conf_table.c has is found by its name, in its places only. */
static void
table_is_consistent(void **state)
{
	const struct conf_def *def;
	size_t i, k;

	(void)state;
	for (i = 0; (def = conf_def_at(i)) != NULL; i++) {
		assert_true(conf_is_name(def->name, strlen(def->name)));
		assert_ptr_equal(conf_def_find(def->name, def->where), def);
		assert_null(conf_def_find(def->name, 0));
		for (k = 0; k < i; k++)
			assert_false(
			    strcmp(conf_def_at(k)->name, def->name) == 0 &&
			    (conf_def_at(k)->where & def->where) != 0);
	}
	assert_null(conf_def_find("nonsense", ~0U));
	assert_null(conf_kind_find("nonsense"));
	assert_int_equal(conf_kind_find("consumer")->where, CONF_CONSUMER);
}

static bool
scan_once(void *ctx)
{
	struct conf_outline o;
	struct conf_fault fault;
	char *text;
	enum cimd_err e;

	(void)ctx;
	e = scan(sample, &text, &o, &fault);
	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	conf_outline_free(&o);
	free(text);
	return e == CIMD_OK;
}

static void
survives_no_memory(void **state)
{
	(void)state;
	assert_true(alloc_sweep(scan_once, NULL) > 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outline_has_names_and_lines),
		cmocka_unit_test(comments_become_blanks),
		cmocka_unit_test(faults_have_their_line),
		cmocka_unit_test(every_cut_has_a_verdict),
		cmocka_unit_test(names_and_titles_are_bounded),
		cmocka_unit_test(characters_are_utf8),
		cmocka_unit_test(table_is_consistent),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
