/*
 * progress.c - says what takes long, on a terminal only
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

struct progress {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool over;
	const char *text;
};

static void *
show(void *arg)
{
	struct progress *p = arg;
	struct timespec next;
	int seconds = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	(void)pthread_mutex_lock(&p->lock);
	while (!p->over) {
		next.tv_sec++;
		while (!p->over &&
		    pthread_cond_timedwait(&p->changed, &p->lock, &next) == 0)
			;
		if (!p->over)
			(void)fprintf(stderr, "\r%s ... %d s\033[K", p->text,
			    ++seconds);
	}
	if (seconds > 0)
		(void)fputs("\r\033[K", stderr);
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct progress *
progress_begin(const char *text)
{
	pthread_condattr_t attr;
	struct progress *p;

	if (isatty(STDERR_FILENO) != 1)
		return NULL;
	(void)fflush(stdout);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->text = text;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (pthread_create(&p->thread, NULL, show, p) == 0)
		return p;
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
	return NULL;
}

void
progress_end(struct progress **p)
{
	struct progress *old = *p;

	*p = NULL;
	if (old == NULL)
		return;
	(void)pthread_mutex_lock(&old->lock);
	old->over = true;
	(void)pthread_cond_signal(&old->changed);
	(void)pthread_mutex_unlock(&old->lock);
	(void)pthread_join(old->thread, NULL);
	(void)pthread_cond_destroy(&old->changed);
	(void)pthread_mutex_destroy(&old->lock);
	free(old);
}
