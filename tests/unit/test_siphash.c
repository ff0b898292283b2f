/*
 * test_siphash.c - the vectors of the reference implementation, and OpenSSL
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "siphash.h"

static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15 };

static void
put64(uint64_t x, uint8_t out[8])
{
	int i;

	for (i = 0; i < 8; i++)
		out[i] = (uint8_t)(x >> (8 * i));
}

static void
tag_bytes(struct tag t, uint8_t out[16])
{
	put64(t.a, out);
	put64(t.b, out + 8);
}

/* Messages 00, 00 01, ...; vectors_sip128 of the authors' own vectors.h. */
static void
official_vectors(void **state)
{
	static const uint8_t want[3][16] = {
		{ 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6,
		    0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 },
		{ 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76,
		    0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 },
		{ 0x81, 0x77, 0x22, 0x8d, 0xa4, 0xa4, 0x5d, 0xc7, 0xfc, 0xa3,
		    0x8b, 0xde, 0xf6, 0x0a, 0xff, 0xe4 },
	};
	const uint8_t in[] = { 0, 1 };
	uint8_t got[16];
	size_t n;

	(void)state;
	for (n = 0; n < 3; n++) {
		tag_bytes(siphash_tag(key, in, n), got);
		assert_memory_equal(got, want[n], sizeof(got));
	}
}

/* One message through OpenSSL's own SipHash-2-4. */
static void
openssl_tag(EVP_MAC *mac, const uint8_t *in, size_t n, uint8_t out[16])
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	size_t size = 16;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};

	assert_non_null(ctx);
	assert_int_equal(EVP_MAC_init(ctx, key, sizeof(key), params), 1);
	assert_int_equal(EVP_MAC_update(ctx, in, n), 1);
	assert_int_equal(EVP_MAC_final(ctx, out, &size, 16), 1);
	assert_int_equal(size, 16);
	EVP_MAC_CTX_free(ctx);
}

/* All lengths up to a few blocks, at every alignment, and a long one. */
static void
agrees_with_openssl(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	uint8_t in[1100], got[16], want[16];
	size_t i, n;

	(void)state;
	assert_non_null(mac);
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + (i >> 8));
	for (n = 0; n <= 70; n++) {
		tag_bytes(siphash_tag(key, in + n % 8, n), got);
		openssl_tag(mac, in + n % 8, n, want);
		assert_memory_equal(got, want, sizeof(got));
	}
	tag_bytes(siphash_tag(key, in, 1024), got);
	openssl_tag(mac, in, 1024, want);
	assert_memory_equal(got, want, sizeof(got));
	EVP_MAC_free(mac);
}

static void
key_matters(void **state)
{
	uint8_t other[16];
	struct tag a, b;

	(void)state;
	memcpy(other, key, sizeof(other));
	other[15] ^= 0x80;
	a = siphash_tag(key, "https://a.example/c", 19);
	b = siphash_tag(other, "https://a.example/c", 19);
	assert_true(a.a != b.a && a.b != b.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(official_vectors),
		cmocka_unit_test(agrees_with_openssl),
		cmocka_unit_test(key_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
