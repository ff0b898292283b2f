/*
 * siphash.c - keyed hashes of names that strangers choose
 * SPDX-License-Identifier: Apache-2.0
 */

#include <endian.h>
#include <string.h>

#include "siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

/* Up to eight bytes, little-endian whatever the machine is. */
static uint64_t
load(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	if (n > 0)
		memcpy(&x, p, n);
	return le64toh(x);
}

static void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static void
absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

struct tag
siphash_tag(const uint8_t key[16], const void *p, size_t n)
{
	const uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
	struct state s = { k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573) };
	const uint8_t *in = p;
	struct tag out;
	size_t left;

	for (left = n; left >= 8; left -= 8, in += 8)
		absorb(&s, load(in, 8));
	absorb(&s, load(in, left) | (uint64_t)n << 56);
	s.v2 ^= 0xee;
	rounds(&s, 4);
	out.a = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	out.b = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return out;
}
