/*
 * test_country.c - deny_country, with a database of two halves
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "country.h"

/*
 * A MaxMind DB (format 2.0) by hand: one node, whose left record (0.0.0.0/1)
 * is {"country": {"iso_code": "AQ"}} and whose right one is empty.
 */
static const char database[] = "\x00\x00\x11"
			       "\x00\x00\x01"
			       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			       "\xe1"
			       "\x47"
			       "country"
			       "\xe1"
			       "\x48"
			       "iso_code"
			       "\x42"
			       "AQ"
			       "\xab\xcd\xef"
			       "MaxMind.com"
			       "\xe9"
			       "\x4a"
			       "node_count"
			       "\xc1\x01"
			       "\x4b"
			       "record_size"
			       "\xa1\x18"
			       "\x4a"
			       "ip_version"
			       "\xa1\x04"
			       "\x4d"
			       "database_type"
			       "\x44"
			       "Test"
			       "\x49"
			       "languages"
			       "\x00\x04"
			       "\x5b"
			       "binary_format_major_version"
			       "\xa1\x02"
			       "\x5b"
			       "binary_format_minor_version"
			       "\xa0"
			       "\x4b"
			       "build_epoch"
			       "\x01\x02\x01"
			       "\x4b"
			       "description"
			       "\xe0";

static char path[] = P_tmpdir "/cimd-country-XXXXXX";

static int
write_database(void **state)
{
	FILE *f;
	int fd = mkstemp(path);

	(void)state;
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		return -1;
	if (fwrite(database, 1, sizeof(database) - 1, f) !=
	    sizeof(database) - 1)
		return -1;
	return fclose(f);
}

static int
remove_database(void **state)
{
	(void)state;
	return unlink(path);
}

static struct policy *
policy_of(const char *json)
{
	struct json_object *tree = json_tokener_parse(json);
	struct cimd_error err = { 0 };
	struct policy *p;

	if (policy_read(tree, POLICY_MACHINE, &p, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	json_object_put(tree);
	return p;
}

static enum cimd_err
judge(struct country *c, const struct policy *p, const char *text,
    struct cimd_error *err)
{
	struct netaddr a;

	assert_true(netaddr_parse(span_of(text), &a));
	return country_judge(c, p, &a, err);
}

static void
denies_what_the_list_names(void **state)
{
#ifdef HAVE_MAXMINDDB
	struct policy *aq = policy_of("{\"deny_country\": [\"aq\"]}");
	struct policy *de = policy_of("{\"deny_country\": [\"DE\"]}");
	struct cimd_error err = { 0 };
	struct country *c;

	(void)state;
	assert_int_equal(country_open(path, &c, &err), CIMD_OK);
	assert_int_equal(judge(c, aq, "93.184.216.34", &err), CIMD_E_ADDRESS);
	assert_string_equal(err.text,
	    "93.184.216.34 is in AQ, which deny_country names");
	assert_int_equal(judge(c, de, "93.184.216.34", &err), CIMD_OK);
	assert_int_equal(judge(c, aq, "193.0.6.139", &err), CIMD_OK);
	assert_int_equal(judge(c, aq, "2606:2800:220::1", &err), CIMD_OK);
	assert_int_equal(judge(NULL, aq, "93.184.216.34", &err), CIMD_OK);
	country_close(&c);
	policy_free(&aq);
	policy_free(&de);
#else
	(void)state;
	(void)policy_of;
	(void)judge;
	skip();
#endif
}

static void
a_database_must_be_there(void **state)
{
	struct cimd_error err = { 0 };
	struct country *c;

	(void)state;
	assert_int_equal(country_open("/nonexistent.mmdb", &c, &err),
	    CIMD_E_CONFIG);
	assert_null(c);
	assert_non_null(
	    strstr(err.text, "country_database: /nonexistent.mmdb: "));
	assert_int_equal(country_open("/etc/hostname", &c, &err),
	    CIMD_E_CONFIG);
	country_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(denies_what_the_list_names),
		cmocka_unit_test(a_database_must_be_there),
	};

	return cmocka_run_group_tests(tests, write_database, remove_database);
}
