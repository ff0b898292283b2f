/*
 * siphash.h - keyed hashes of names that strangers choose
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: key, bytes; out: 128 bits; touches nothing
 */

#ifndef SIPHASH_H
#define SIPHASH_H

#include "cimd_int.h"

/* 128 bits; two names that share a tag are not found by chance or effort. */
struct tag {
	uint64_t a, b;
};

/* SipHash-2-4 (Aumasson, Bernstein) with the output of 128 bits. */
struct tag siphash_tag(const uint8_t key[16], const void *p, size_t n);

#endif /* SIPHASH_H */
