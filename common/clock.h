/*
 * clock.h - the only place that reads clocks and randomness
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; out: time, random bits; touches the clock
 */

#ifndef CIMD_CLOCK_H
#define CIMD_CLOCK_H

#include "cimd_int.h"

/* Seconds since 1970, UTC. */
int64_t clock_utc(void);

/* Milliseconds of a clock that also runs in suspend and never jumps back. */
int64_t clock_ms(void);

/* The same clock in microseconds, for durations. */
int64_t clock_us(void);

/*
 * The time of CLOCK_MONOTONIC, which condition variables wait by, at which
 * clock_ms() will be ms unless the machine sleeps meanwhile.
 */
struct timespec;
void clock_until(int64_t ms, struct timespec *out);

/* Fill buf with random bytes.  Never fails (aborts are impossible). */
void clock_random(void *buf, size_t len);

#endif /* CIMD_CLOCK_H */
