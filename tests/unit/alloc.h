/*
 * alloc.h - let one allocation fail
 * SPDX-License-Identifier: Apache-2.0
 *
 * For programs that are linked with $(alloc_wraps): the linker then leads
 * malloc and its kind, and functions of json-c and libidn2 that allocate,
 * through alloc.c.  Calls inside of shared libraries stay as they are.  Only
 * for tests; not for use in several threads.
 */

#ifndef ALLOC_H
#define ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Let the n-th allocation from now fail, counted from 1; 0: none. */
void alloc_fail_at(size_t n);

/* Did one fail since alloc_fail_at()? */
bool alloc_failed(void);

/* realloc() that is never made to fail. */
void *alloc_real(void *p, size_t size);

/* What alloc_sweep() calls; true: the call under test succeeded. */
typedef bool alloc_fn(void *ctx);

/*
 * Call fn with the first allocation failing, with the second failing, and so
 * on until none fails.  It must return false each time, and true at the end;
 * else the test fails.  Returns how many allocations there are.
 */
size_t alloc_sweep(alloc_fn *fn, void *ctx);

#endif /* ALLOC_H */
