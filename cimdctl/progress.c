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

	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&p->lock);
	while (!p->over) {
		next.tv_sec++;
		while (!p->over &&
		    pthread_cond_timedwait(&p->changed, &p->lock, &next) == 0)
			;
		if (!p->over)
			fprintf(stderr, "\r%s ... %d s\033[K", p->text,
			    ++seconds);
	}
	if (seconds > 0)
		fputs("\r\033[K", stderr);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct progress *
progress_begin(const char *text)
{
	pthread_condattr_t attr;
	struct progress *p;

	if (isatty(STDERR_FILENO) != 1)
		return NULL;
	fflush(stdout);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->text = text;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&p->thread, NULL, show, p) == 0)
		return p;
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
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
	pthread_mutex_lock(&old->lock);
	old->over = true;
	pthread_cond_signal(&old->changed);
	pthread_mutex_unlock(&old->lock);
	pthread_join(old->thread, NULL);
	pthread_cond_destroy(&old->changed);
	pthread_mutex_destroy(&old->lock);
	free(old);
}
