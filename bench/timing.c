/*
 * timing.c - read clocks, sort what they said
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include "timing.h"

int64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int64_t
percentile(int64_t *ns, size_t n, size_t p)
{
	qsort(ns, n, sizeof(*ns), by_value);
	return ns[n * p / 1000];
}
