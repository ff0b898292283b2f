/*
 * timing.h - read clocks, sort what they said
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef TIMING_H
#define TIMING_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds; CLOCK_PROCESS_CPUTIME_ID for those of the processor. */
int64_t now_ns(clockid_t clock);

/*
 * That of n > 0 times, which this sorts, below which p thousandths lie,
 * p < 1000.
 */
int64_t percentile(int64_t *ns, size_t n, size_t p);

#endif /* TIMING_H */
