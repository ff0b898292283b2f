/*
 * test_url.c - client identifier URLs
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json.h>

#include "cases.h"
#include "url.h"

static unsigned int
flags_of(struct test_case *c)
{
	unsigned int flags = 0;

	if (case_number(c, "allow_address", 0))
		flags |= URL_ALLOW_ADDRESS;
	if (case_number(c, "allow_special", 0))
		flags |= URL_ALLOW_SPECIAL;
	if (case_number(c, "refuse_root", 0))
		flags |= URL_REFUSE_ROOT;
	if (case_number(c, "refuse_query", 0))
		flags |= URL_REFUSE_QUERY;
	return flags;
}

static const char *
kind_name(enum host_kind kind)
{
	switch (kind) {
	case HOST_NAME:
		return "name";
	case HOST_SPECIAL:
		return "special";
	case HOST_IPV4:
		return "ipv4";
	case HOST_IPV6:
		return "ipv6";
	case HOST_BAD:
		break;
	}
	return "bad";
}

static void
valid_case(struct test_case *c)
{
	struct span s = case_value(c, "url");
	unsigned int flags = flags_of(c);
	struct cimd_error err = { 0 };
	enum cimd_err e;
	struct url u;

	e = url_parse(s, flags, &u, &err);
	case_check(c, e == CIMD_OK, "%s", err.text);
	case_check(c, span_eq(u.whole, s), "whole");
	case_check(c, span_eq(u.host, case_value(c, "host")), "host");
	case_check(c, span_eq(u.path, case_value(c, "path")), "path");
	case_check(c, span_eq(u.query, case_value(c, "query")), "query");
	case_check(c, u.port == case_number(c, "port", 0), "port %d", u.port);
	case_check(c, span_is(case_value(c, "kind"), kind_name(u.host_kind)),
	    "kind %s", kind_name(u.host_kind));
	case_check(c,
	    u.port_given == (u.host.p[u.host.n] == ':' && u.whole.n > u.host.n),
	    "port_given");
	case_check_warnings(c, u.warnings);
	if (!(flags & (URL_ALLOW_ADDRESS | URL_ALLOW_SPECIAL)))
		case_check(c, cimd_check_url(s.p, s.n, NULL) == CIMD_OK,
		    "cimd_check_url disagrees");
}

static void
invalid_case(struct test_case *c)
{
	struct span s = case_value(c, "url");
	unsigned int flags = flags_of(c);
	struct cimd_error err = { 0 };
	enum cimd_err e;
	struct url u;

	e = url_parse(s, flags, &u, &err);
	case_check_error(c, e, &err);
	case_check(c, u.whole.p == NULL && u.host.p == NULL && !u.port,
	    "parts of what was refused");
	if (!(flags & (URL_REFUSE_ROOT | URL_REFUSE_QUERY)))
		case_check(c, cimd_check_url(s.p, s.n, NULL) == e,
		    "cimd_check_url disagrees");
}

static void
valid_urls(void **state)
{
	(void)state;
	cases_run("url-valid", valid_case);
}

static void
invalid_urls(void **state)
{
	(void)state;
	cases_run("url-invalid", invalid_case);
}

static void
null_is_not_ours(void **state)
{
	(void)state;
	assert_int_equal(cimd_check_url(NULL, 0, NULL), CIMD_E_NOT_CIMD);
}

/* Each beginning of a URL is refused, but for those with a whole path. */
static void
every_beginning(void **state)
{
	static const char text[] = "https://client.example.com:8443/a%41?b=c";
	size_t n, path = sizeof("https://client.example.com:8443") - 1;
	enum cimd_err e;
	char *exact;
	bool good;

	(void)state;
	for (n = 1; n < sizeof(text); n++) {
		exact = malloc(n);
		assert_non_null(exact);
		memcpy(exact, text, n);
		e = cimd_check_url(exact, n, NULL);
		free(exact);
		good = n > path && text[n - 1] != '%' && text[n - 2] != '%';
		if ((e == CIMD_OK) != good)
			fail_msg("%.*s", (int)n, text);
	}
}

/* Is the row's third column, what must become of it, what became of it? */
static bool
is_as_expected(const char *expected, struct span s)
{
	struct cimd_error err = { 0 };
	struct url u;
	enum cimd_err e = url_parse(s, 0, &u, &err);

	if (strcmp(expected, "accept") == 0)
		return e == CIMD_OK && u.port == 443;
	if (strcmp(expected, "policy") == 0)
		return (e == CIMD_OK && u.port != 443) ||
		    (e == CIMD_E_URL && strcmp(err.section, "policy") == 0);
	if (strcmp(expected, "not-ours") == 0)
		return e == CIMD_E_NOT_CIMD;
	if (strncmp(expected, "reject-after-dns", 16) == 0)
		return e == CIMD_OK ||
		    strstr(err.text, "special-use name") != NULL;
	return strncmp(expected, "reject-", 7) == 0 && e == CIMD_E_URL;
}

/* One line: JSON string TAB class TAB expected TAB ... */
static void
check_form(char *line)
{
	char *form = strchr(line, '\t'), *expected, *end;
	struct json_object *o;
	struct span s;

	assert_non_null(form);
	*form++ = '\0';
	expected = strchr(form, '\t');
	assert_non_null(expected);
	*expected++ = '\0';
	end = strchr(expected, '\t');
	assert_non_null(end);
	*end = '\0';
	o = json_tokener_parse(line);
	assert_true(json_object_is_type(o, json_type_string));
	s.p = json_object_get_string(o);
	s.n = (size_t)json_object_get_string_len(o);
	if (!is_as_expected(expected, s))
		fail_msg("%s (%s) is not: %s", line, form, expected);
	json_object_put(o);
}

static void
forms_of_ssrf(void **state)
{
	struct span s = corpus_read("ssrf/url-forms.tsv");
	char *text, *line, *end;
	size_t n = 0;

	(void)state;
	if (s.p == NULL)
		return;
	text = malloc(s.n + 1);
	assert_non_null(text);
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (line[0] == '#')
			continue;
		check_form(line);
		n++;
	}
	free(text);
	corpus_free(&s);
	assert_true(n > 100);
	print_message("# %zu forms of URLs\n", n);
}

static bool
is_member(struct json_object *o, const char *name, const char *value)
{
	struct json_object *m = json_object_object_get(o, name);

	return m != NULL && strcmp(json_object_get_string(m), value) == 0;
}

/* What we accept, the URL standard reads as a URL with the same host. */
static bool
check_standard(struct json_object *row, struct span s)
{
	struct json_object *host = json_object_object_get(row, "hostname");
	struct url u;

	if (url_parse(s, URL_ALLOW_ADDRESS | URL_ALLOW_SPECIAL, &u, NULL) !=
	    CIMD_OK)
		return false;
	if (json_object_object_get(row, "failure") != NULL ||
	    !is_member(row, "username", "") || !is_member(row, "hash", ""))
		fail_msg("the URL standard refuses %.*s", (int)s.n, s.p);
	if (u.host_kind != HOST_IPV6 &&
	    !span_is_nocase(u.host, json_object_get_string(host)))
		fail_msg("another host: %.*s", (int)s.n, s.p);
	return true;
}

/* The input, and if it is http the same with https: the hosts are alike. */
static bool
check_row(struct json_object *row)
{
	struct json_object *input = json_object_object_get(row, "input");
	struct span s = { json_object_get_string(input),
		(size_t)json_object_get_string_len(input) };
	bool accepted;
	char *https;

	if (s.n < 4 || memcmp(s.p, "http", 4) != 0 || s.p[4] != ':')
		return check_standard(row, s);
	https = malloc(s.n + 1);
	assert_non_null(https);
	memcpy(https, "https", 5);
	memcpy(https + 5, s.p + 4, s.n - 4);
	s.p = https;
	s.n++;
	accepted = check_standard(row, s);
	free(https);
	return accepted;
}

static size_t
check_rows(struct json_object *all)
{
	size_t i, rows = 0, accepted = 0, n = json_object_array_length(all);
	struct json_object *row;

	for (i = 0; i < n; i++) {
		row = json_object_array_get_idx(all, i);
		if (!json_object_is_type(row, json_type_object))
			continue;
		rows++;
		accepted += check_row(row);
	}
	print_message("# %zu of %zu inputs accepted\n", accepted, rows);
	return accepted;
}

static void
agrees_with_the_url_standard(void **state)
{
	static const char *const paths[] = { "url/urltestdata.json",
		"url/ada_extra_urltestdata.json" };
	struct json_object *all;
	struct json_tokener *tok;
	struct span s;
	size_t i, accepted = 0, files = 0;

	(void)state;
	for (i = 0; i < 2; i++) {
		s = corpus_read(paths[i]);
		if (s.p == NULL)
			continue;
		tok = json_tokener_new();
		assert_non_null(tok);
		all = json_tokener_parse_ex(tok, s.p, (int)s.n);
		assert_true(json_object_is_type(all, json_type_array));
		accepted += check_rows(all);
		files++;
		json_object_put(all);
		json_tokener_free(tok);
		corpus_free(&s);
	}
	assert_true(files == 0 || accepted > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_urls),
		cmocka_unit_test(invalid_urls),
		cmocka_unit_test(null_is_not_ours),
		cmocka_unit_test(every_beginning),
		cmocka_unit_test(forms_of_ssrf),
		cmocka_unit_test(agrees_with_the_url_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
