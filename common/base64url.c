/*
 * base64url.c - base64url without padding
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "base64url.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
base64url_encode(const uint8_t *p, size_t n, char *out)
{
	uint32_t bits = 0;
	unsigned int held = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		bits = (bits << 8 | p[i]) & 0xffff;
		for (held += 8; held >= 6; held -= 6)
			*out++ = alphabet[bits >> (held - 6) & 63];
	}
	if (held > 0)
		*out++ = alphabet[bits << (6 - held) & 63];
	*out = '\0';
}

/* The six bits of a letter; -1 for a byte that is none. */
static int
value_of(char c)
{
	const char *letter = c == '\0' ? NULL : strchr(alphabet, c);

	return letter == NULL ? -1 : (int)(letter - alphabet);
}

bool
base64url_decode(struct span s, uint8_t *out, size_t max, size_t *n)
{
	uint32_t bits = 0;
	unsigned int held = 0;
	size_t i;

	*n = 0;
	if (s.n % 4 == 1 || s.n / 4 * 3 + s.n % 4 * 3 / 4 > max)
		return false;
	for (i = 0; i < s.n; i++) {
		int value = value_of(s.p[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[(*n)++] = (uint8_t)(bits >> held);
		}
	}
	return (bits & ((1U << held) - 1)) == 0;
}
