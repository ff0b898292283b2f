/*
 * test_version.c - header, library and configure name one version
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "cimd.h"

static void
header_and_library_agree(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof text, "%d.%d.%d", CIMD_VERSION_HEX >> 16,
	    CIMD_VERSION_HEX >> 8 & 0xff, CIMD_VERSION_HEX & 0xff);
	assert_string_equal(cimd_version(), text);
}

static void
configure_agrees(void **state)
{
	(void)state;
	assert_string_equal(cimd_version(), PACKAGE_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_library_agree),
		cmocka_unit_test(configure_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
