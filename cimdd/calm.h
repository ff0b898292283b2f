/*
 * calm.h - a lock, and a condition that goes by the monotonic clock
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: -; out: both, ready for use; touches nothing
 */

#ifndef CALM_H
#define CALM_H

#include <pthread.h>
#include <stdbool.h>

/* Make both, or neither; undo with pthread_mutex_destroy() and
 * pthread_cond_destroy(). */
bool calm_init(pthread_mutex_t *lock, pthread_cond_t *calm);

#endif /* CALM_H */
