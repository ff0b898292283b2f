/*
 * wait.h - a thread waits for a flight
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: a gate_done_fn call; out: its arguments; touches threads
 */

#ifndef WAIT_H
#define WAIT_H

#include <pthread.h>

#include "gate.h"

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	enum cimd_err e;
	struct cimd_error err;
};

void waiter_init(struct waiter *w);

/* A gate_done_fn: ctx is the waiter. */
void waiter_done(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after);

/* Block until waiter_done() ran; then the waiter may go. */
enum cimd_err waiter_wait(struct waiter *w);

#endif /* WAIT_H */
