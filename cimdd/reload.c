/*
 * reload.c - requests that wait for a reload
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fail.h"
#include "reload.h"

struct reload {
	pthread_mutex_t lock;
	struct request *first;
	int fd;
};

enum cimd_err
reload_new(struct reload **out, struct cimd_error *err)
{
	struct reload *q = calloc(1, sizeof(*q));
	enum cimd_err e;

	*out = NULL;
	if (q == NULL || pthread_mutex_init(&q->lock, NULL) != 0) {
		free(q);
		return fail_memory(err);
	}
	if ((q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1) {
		e = fail_errno(err, "cannot make an eventfd");
		pthread_mutex_destroy(&q->lock);
		free(q);
		return e;
	}
	*out = q;
	return CIMD_OK;
}

void
reload_free(struct reload **q)
{
	if (*q == NULL)
		return;
	close((*q)->fd);
	pthread_mutex_destroy(&(*q)->lock);
	free(*q);
	*q = NULL;
}

int
reload_fd(const struct reload *q)
{
	return q->fd;
}

void
reload_ask(void *ctx, struct request *r)
{
	struct reload *q = ctx;
	const uint64_t one = 1;
	ssize_t n;

	pthread_mutex_lock(&q->lock);
	r->waiting = q->first;
	q->first = r;
	pthread_mutex_unlock(&q->lock);
	n = write(q->fd, &one, sizeof(one));
	(void)n; /* it is far from full */
}

struct request *
reload_take(struct reload *q)
{
	struct request *first;
	uint64_t count;
	ssize_t n;

	n = read(q->fd, &count, sizeof(count));
	(void)n; /* EAGAIN: only a signal asked */
	pthread_mutex_lock(&q->lock);
	first = q->first;
	q->first = NULL;
	pthread_mutex_unlock(&q->lock);
	return first;
}

static void
answer_good(struct answer *a)
{
	static const char good[] = "{\"reloaded\":true}";

	*a = (struct answer){ .status = 200, .len = sizeof(good) - 1 };
	a->type = strdup("application/json");
	a->body = strdup(good);
	if (a->type == NULL || a->body == NULL) {
		answer_clear(a);
		a->status = 200;
	}
}

void
reload_answer(struct request *first, enum cimd_err e,
    const struct cimd_error *err)
{
	struct request *next;
	struct answer a;

	for (; first != NULL; first = next) {
		next = first->waiting;
		if (e == CIMD_OK)
			answer_good(&a);
		else if (!answer_problem(&a, 500, err))
			a = (struct answer){ .status = 500 };
		request_answer(first, &a);
	}
}
