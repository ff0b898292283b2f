/*
 * clock.c - the only place that reads clocks and randomness
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "clock.h"

int64_t
clock_utc(void)
{
	return (int64_t)time(NULL);
}

int64_t
clock_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1 &&
	    clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

void
clock_until(int64_t ms, struct timespec *out)
{
	int64_t left_ms = ms - clock_ms();

	if (left_ms < 0)
		left_ms = 0;
	out->tv_sec = 0;
	out->tv_nsec = 0;
	(void)clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += (time_t)(left_ms / 1000);
	out->tv_nsec += (long)(left_ms % 1000) * 1000000;
	if (out->tv_nsec >= 1000000000) {
		out->tv_sec++;
		out->tv_nsec -= 1000000000;
	}
}

void
clock_random(void *buf, size_t len)
{
	unsigned char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = getrandom(p, len, 0);
		if (n == -1 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		p += n;
		len -= (size_t)n;
	}
}
