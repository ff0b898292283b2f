/*
 * calm.c - a lock, and a condition that goes by the monotonic clock
 * SPDX-License-Identifier: Apache-2.0
 */

#include <time.h>

#include "calm.h"

bool
calm_init(pthread_mutex_t *lock, pthread_cond_t *calm)
{
	pthread_condattr_t attr;
	bool good;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	good = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(calm, &attr) == 0;
	pthread_condattr_destroy(&attr);
	if (!good)
		return false;
	if (pthread_mutex_init(lock, NULL) == 0)
		return true;
	pthread_cond_destroy(calm);
	return false;
}
