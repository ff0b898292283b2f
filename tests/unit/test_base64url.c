/*
 * test_base64url.c - base64url, both ways and strictly
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base64url.h"

/* RFC 4648 section 10, without padding; RFC 7515 appendix C. */
static const struct {
	const char *bytes;
	const char *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\x03\xec\xff\xe0\xc1", "A-z_4ME" },
};

static void
both_ways(void **state)
{
	uint8_t out[16];
	char text[32];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const char *bytes = vectors[i].bytes;

		base64url_encode((const uint8_t *)bytes, strlen(bytes), text);
		assert_string_equal(text, vectors[i].text);
		assert_int_equal(strlen(text) + 1,
		    base64url_size(strlen(bytes)));
		assert_true(
		    base64url_decode(span_of(text), out, sizeof(out), &n));
		assert_int_equal(n, strlen(bytes));
		assert_memory_equal(out, bytes, n);
	}
}

static void
refuses(void **state)
{
	static const char *const texts[] = {
		"Zg==",
		"Zg=",
		"Z",
		"Zm9vY",
		"Zh",  /* last four bits are not 0 */
		"Zm9", /* last two bits are not 0 */
		"A+z/4ME",
		"Zm 9",
		" Zm9v",
		"Zm9v\n",
		"Zm\xc3\xa4v",
		"!!!!",
	};
	uint8_t out[16];
	struct span nul = { "Zm9\0", 4 };
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(
		    base64url_decode(span_of(texts[i]), out, sizeof(out), &n));
	assert_false(base64url_decode(nul, out, sizeof(out), &n));
}

static void
keeps_to_the_room(void **state)
{
	uint8_t out[4] = { 0 };
	size_t n;

	(void)state;
	assert_true(base64url_decode(span_of("Zm9v"), out, 3, &n));
	assert_false(base64url_decode(span_of("Zm9v"), out, 2, &n));
	assert_false(base64url_decode(span_of("Zm9vYg"), out, 3, &n));
	assert_false(base64url_decode(span_of("Zm9vYmE"), out, 4, &n));
	assert_true(base64url_decode(span_of(""), out, 0, &n));
	assert_int_equal(out[3], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(refuses),
		cmocka_unit_test(keeps_to_the_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
