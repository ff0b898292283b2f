/*
 * wait.c - a thread waits for a flight
 * SPDX-License-Identifier: Apache-2.0
 */

#include "wait.h"

void
waiter_init(struct waiter *w)
{
	*w = (struct waiter){ 0 };
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->cond, NULL);
}

void
waiter_done(void *ctx, enum cimd_err e, const struct cimd_error *err,
    unsigned int retry_after)
{
	struct waiter *w = ctx;

	(void)retry_after;
	(void)pthread_mutex_lock(&w->lock);
	w->e = e;
	if (err != NULL)
		w->err = *err;
	w->done = true;
	(void)pthread_cond_signal(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
}

enum cimd_err
waiter_wait(struct waiter *w)
{
	(void)pthread_mutex_lock(&w->lock);
	while (!w->done)
		(void)pthread_cond_wait(&w->cond, &w->lock);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_cond_destroy(&w->cond);
	(void)pthread_mutex_destroy(&w->lock);
	return w->e;
}
