/*
 * test_settings.c - the table of settings
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
#include "conf.h"
#include "json_scan.h"
#include "policy_int.h"
#include "settings.h"

static enum cimd_err
read_text(struct span text, struct settings *s, struct policy **p,
    struct cimd_error *err)
{
	struct json_object *json = NULL;
	enum cimd_err e;

	memset(s, 0, sizeof(*s));
	*p = NULL;
	e = json_parse(text, &json, err);
	if (e != CIMD_OK)
		return e;
	e = settings_read(json, s, p, err);
	json_object_put(json);
	return e;
}

static void
refuses(struct test_case *c)
{
	struct settings s;
	struct policy *p = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = read_text(case_value(c, "config"), &s, &p, &err);
	case_check(c, p == NULL && s.state_dir == NULL && s.cache_min_s == 0,
	    "something was taken in spite of the failure");
	case_check_error(c, e, &err);
}

static const char *
text_of(const char *s)
{
	return s == NULL ? "-" : s;
}

/* All settings in one line of text each, to be found in the case. */
static void
describe(const struct settings *s, char *out, size_t size)
{
	(void)snprintf(out, size,
	    "state_dir=%s ca_path=%s ca_file=%s contact=%s proxy=%s "
	    "dns_servers=%s country_database=%s proxy_trust=%d "
	    "development_loopback=%d assertion_typ=%d cache_min=%lld "
	    "cache_max=%lld cache_default=%lld stale_token=%lld "
	    "stale_authorize=%lld max_clients=%u max_unverified=%u "
	    "fetch_rate=%u fetch_rate_host=%u ",
	    text_of(s->state_dir), text_of(s->ca_path), text_of(s->ca_file),
	    text_of(s->contact), text_of(s->proxy), text_of(s->dns_servers),
	    text_of(s->country_database), s->proxy_trust,
	    s->development_loopback, s->assertion_typ_required,
	    (long long)s->cache_min_s, (long long)s->cache_max_s,
	    (long long)s->cache_default_s, (long long)s->stale_token_s,
	    (long long)s->stale_authorize_s, s->max_clients, s->max_unverified,
	    s->fetch_rate, s->fetch_rate_host);
}

static void
takes(struct test_case *c)
{
	struct cimd_error err = { 0 };
	struct policy *p = NULL;
	struct settings s;
	struct span want;
	char all[1024];
	size_t i;

	if (read_text(case_value(c, "config"), &s, &p, &err) != CIMD_OK) {
		case_check(c, false, "%s", err.text);
		return;
	}
	describe(&s, all, sizeof(all));
	for (i = 0; (want = case_value_at(c, "set", i)).p != NULL; i++)
		case_check(c, memmem(all, strlen(all), want.p, want.n) != NULL,
		    "no \"%.*s\" in %s", (int)want.n, want.p, all);
	case_check(c, i > 0, "nothing is expected");
	settings_clear(&s);
	policy_free(&p);
}

static void
valid_cases(void **state)
{
	(void)state;
	cases_run("settings-valid", takes);
}

static void
invalid_cases(void **state)
{
	(void)state;
	cases_run("settings-invalid", refuses);
}

static void
no_configuration(void **state)
{
	struct policy *p = NULL;
	struct settings s;
	char all[1024];

	(void)state;
	assert_int_equal(settings_read(NULL, &s, &p, NULL), CIMD_OK);
	describe(&s, all, sizeof(all));
	assert_string_equal(all,
	    "state_dir=/var/lib/cimd ca_path=- ca_file=- contact=- proxy=- "
	    "dns_servers=- country_database=- proxy_trust=0 "
	    "development_loopback=0 assertion_typ=0 cache_min=60 "
	    "cache_max=86400 cache_default=300 stale_token=86400 "
	    "stale_authorize=0 max_clients=10000 max_unverified=1000 "
	    "fetch_rate=600 fetch_rate_host=30 ");
	assert_int_equal(policy_rules(p), 0);
	settings_clear(&s);
	settings_clear(&s);
	policy_free(&p);
}

static void
knows_names(void **state)
{
	struct setting_facts facts;
	size_t i;

	(void)state;
	for (i = 0; settings_name(i) != NULL; i++) {
		assert_true(settings_has(settings_name(i)));
		assert_true(settings_facts(i, &facts));
		assert_ptr_equal(facts.name, settings_name(i));
	}
	assert_true(i > 20);
	assert_false(settings_facts(i, &facts));
	assert_false(settings_has("default"));
	assert_false(settings_has("daemon"));
	assert_true(settings_has("lookup_socket"));
}

static bool
read_again(void *ctx)
{
	struct cimd_error err = { 0 };
	struct policy *p = NULL;
	struct settings s;
	enum cimd_err e;

	e = settings_read(ctx, &s, &p, &err);
	if (e != CIMD_OK) {
		assert_int_equal(e, CIMD_E_NO_MEMORY);
		return false;
	}
	settings_clear(&s);
	policy_free(&p);
	return true;
}

static void
survives_no_memory(void **state)
{
	struct json_object *json = NULL;

	(void)state;
	assert_int_equal(json_parse(span_of("{\"ca_path\":\"/etc/ssl/certs\","
					    "\"contact\":\"a@example.com\","
					    "\"daemon\":{\"user\":\"cimd\"}}"),
			     &json, NULL),
	    CIMD_OK);
	assert_true(alloc_sweep(read_again, json) > 5);
	assert_true(alloc_sweep(read_again, NULL) > 5);
	json_object_put(json);
}

static enum cimd_err
item_is_short(const struct conf *c, const char *member, const char *item,
    void *ctx)
{
	(void)ctx;
	return strlen(item) < 4 ? CIMD_OK :
				  conf_fail(c, member, "\"%s\" is long", item);
}

/* Lists replace what was there; numbers and words leave defaults alone. */
static void
reads_members(void **state)
{
	static const struct conf_range range = { 0, 9, "eggs" };
	struct json_object *json = NULL;
	struct conf_strings list = { NULL, 0 };
	struct cimd_error err = { 0 };
	struct conf c = { NULL, NULL, NULL, &err };
	uint32_t *numbers = NULL;
	int64_t number = 7;
	size_t n = 0;

	(void)state;
	assert_int_equal(json_parse(span_of("{\"one\":\"a\",\"two\":[\"b\","
					    "\"c\"],\"n\":[1,2],\"big\":10,"
					    "\"long\":[\"a\",\"long\"]}"),
			     &json, NULL),
	    CIMD_OK);
	c.json = json;
	assert_int_equal(conf_strings(&c, "one", NULL, NULL, &list), CIMD_OK);
	assert_int_equal(conf_strings(&c, "two", NULL, NULL, &list), CIMD_OK);
	assert_int_equal(conf_strings(&c, "none", NULL, NULL, &list), CIMD_OK);
	assert_int_equal(conf_strings(&c, "long", item_is_short, NULL, &list),
	    CIMD_E_CONFIG);
	assert_string_equal(err.text, "long: \"long\" is long");
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[0], "b");
	conf_free_strings(&list.v, list.n);
	conf_free_strings(&list.v, 0);
	assert_int_equal(conf_numbers(&c, "n", &range, &numbers, &n), CIMD_OK);
	assert_int_equal(conf_numbers(&c, "none", &range, &numbers, &n),
	    CIMD_OK);
	assert_int_equal(n, 2);
	free(numbers);
	assert_int_equal(conf_number(&c, "none", &range, &number), CIMD_OK);
	assert_int_equal(number, 7);
	assert_int_equal(conf_number(&c, "big", &range, &number),
	    CIMD_E_CONFIG);
	assert_string_equal(err.text,
	    "big: must be a whole number from 0 to 9 eggs");
	json_object_object_add(json, "nul",
	    json_object_new_string_len("a\0b", 3));
	assert_int_equal(conf_each(&c, "nul", item_is_short, NULL),
	    CIMD_E_CONFIG);
	assert_string_equal(err.text,
	    "nul: must be a list of strings without NUL");
	json_object_put(json);
}

static const char *
some_names(size_t i)
{
	static const char *const names[] = { "redirects", "root_path",
		"redirect", NULL };

	return names[i];
}

static void
measures_distance(void **state)
{
	(void)state;
	assert_int_equal(conf_distance("", "", 3), 0);
	assert_int_equal(conf_distance("abc", "abc", 3), 0);
	assert_int_equal(conf_distance("abc", "abd", 3), 1);
	assert_int_equal(conf_distance("abc", "ab", 3), 1);
	assert_int_equal(conf_distance("ab", "abc", 3), 1);
	assert_int_equal(conf_distance("kitten", "sitting", 3), 3);
	assert_int_equal(conf_distance("kitten", "sitting", 2), 3);
	assert_string_equal(conf_nearest("redirec", some_names), "redirect");
	assert_string_equal(conf_nearest("rootpath", some_names), "root_path");
	assert_null(conf_nearest("x", some_names));
}

/* The item of a name: from its .It line to the next; absent: none. */
static struct span
item_of(const char *page, const char *name)
{
	struct span out = { NULL, 0 };
	const char *end;
	char line[64];

	(void)snprintf(line, sizeof(line), "\n.It Ic %s\n", name);
	out.p = strstr(page, line);
	if (out.p == NULL)
		return out;
	end = strstr(out.p + strlen(line) - 1, "\n.It Ic ");
	out.n = end == NULL ? strlen(out.p) : (size_t)(end - out.p);
	return out;
}

static bool
says(struct span item, const char *text)
{
	return memmem(item.p, item.n, text, strlen(text)) != NULL;
}

/* cimd.conf(5) has every member, with the range and default of a setting. */
static void
manual_agrees(void **state)
{
	conf_names_fn *const names[] = { policy_member_name, rule_member_name,
		consumer_member_name };
	struct setting_facts facts;
	char *page = source_read("man/cimd.conf.5"), want[192];
	const char *name;
	struct span item;
	size_t i, j;

	(void)state;
	for (i = 0; settings_facts(i, &facts); i++) {
		item = item_of(page, facts.name);
		if (item.p == NULL)
			fail_msg("cimd.conf.5 lacks %s", facts.name);
		if (facts.fallback[0] == '\0')
			continue;
		(void)snprintf(want, sizeof(want), "(%s%sdefault %s)",
		    facts.range, facts.range[0] == '\0' ? "" : "; ",
		    facts.fallback);
		if (!says(item, want))
			fail_msg("cimd.conf.5, %s: no %s", facts.name, want);
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (j = 0; (name = names[i](j)) != NULL; j++) {
			if (strcmp(name, "name") == 0 || name[0] == '\0')
				continue;
			if (item_of(page, name).p == NULL &&
			    !says((struct span){ page, strlen(page) }, name))
				fail_msg("cimd.conf.5 lacks %s", name);
		}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cases),
		cmocka_unit_test(invalid_cases),
		cmocka_unit_test(no_configuration),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(reads_members),
		cmocka_unit_test(measures_distance),
		cmocka_unit_test(manual_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
