/*
 * test_setup.c - what a configuration becomes
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup.h"

/* The setup of a configuration that is good. */
static struct setup *
made_of(const char *config)
{
	struct cimd_error err = { 0 };
	struct setup *s;

	if (setup_new(span_of(config), &s, &err) != CIMD_OK)
		fail_msg("%s", err.text);
	return s;
}

static void
user_agent_names_the_contact(void **state)
{
	struct setup *s = made_of(NULL);
	char want[128];

	(void)state;
	(void)snprintf(want, sizeof(want), "cimdd/%s", cimd_version());
	assert_string_equal(s->user_agent, want);
	setup_free(&s);
	assert_null(s);
	s = made_of("{\"contact\":\"https://idp.example.com/help\"}");
	(void)snprintf(want, sizeof(want),
	    "cimdd/%s (+https://idp.example.com/help)", cimd_version());
	assert_string_equal(s->user_agent, want);
	setup_free(&s);
}

static void
references_share(void **state)
{
	struct setup *s = made_of("{\"default\":\"pending\"}"), *other;

	(void)state;
	other = setup_ref(s);
	setup_free(&s);
	assert_non_null(other->policy);
	assert_non_null(other->fetcher);
	setup_free(&other);
	setup_free(&other);
}

/* It must fail as a configuration, with text in its error. */
static void
refuses(struct span config, const char *text)
{
	struct cimd_error err = { 0 };
	struct setup *s = (struct setup *)&err;

	assert_int_equal(setup_new(config, &s, &err), CIMD_E_CONFIG);
	assert_null(s);
	assert_int_equal(err.code, CIMD_E_CONFIG);
	if (strstr(err.text, text) == NULL)
		fail_msg("no \"%s\" in \"%s\"", text, err.text);
}

static void
faults_are_told(void **state)
{
	struct span big = { NULL, CIMD_MAX_CONFIG + 1 };
	char *room = calloc(1, CIMD_MAX_CONFIG + 1);

	(void)state;
	assert_non_null(room);
	memset(room, ' ', CIMD_MAX_CONFIG + 1);
	big.p = room;
	refuses(big, "larger than 1048576 bytes");
	free(room);
	refuses(span_of("{\"default\":\"deny\""), "configuration: byte");
	refuses(span_of("[]"), "configuration: byte 0: no object");
	refuses(span_of("{\"defualt\":\"deny\"}"), "default");
	refuses(span_of("{\"ca_path\":\"/nonexistent\"}"),
	    "ca_path /nonexistent cannot be read");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_agent_names_the_contact),
		cmocka_unit_test(references_share),
		cmocka_unit_test(faults_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
