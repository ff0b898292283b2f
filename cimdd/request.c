/*
 * request.c - one request, from its target to its answer
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "cimd_int.h"
#include "problem.h"
#include "request.h"

void
answer_clear(struct answer *a)
{
	free(a->type);
	free(a->body);
	*a = (struct answer){ 0 };
}

bool
answer_problem(struct answer *a, unsigned int status,
    const struct cimd_error *err)
{
	*a = (struct answer){ .status = status };
	a->type = strdup(PROBLEM_TYPE);
	a->body = problem_text(status, err, &a->len);
	if (a->type != NULL && a->body != NULL)
		return true;
	answer_clear(a);
	return false;
}

struct request *
request_new(struct MHD_Connection *connection, struct conn *conn,
    const char *target)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->target = strdup(target);
	if (r->target == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
		free(r->target);
		free(r);
		return NULL;
	}
	r->connection = connection;
	r->conn = conn;
	r->target_at = (uintptr_t)target;
	atomic_init(&r->refs, 1);
	return r;
}

void
request_unref(struct request *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) > 1)
		return;
	pthread_mutex_destroy(&r->lock);
	answer_clear(&r->answer);
	free(r->target);
	free(r->body);
	free(r);
}

bool
request_add(struct request *r, const char *data, size_t n)
{
	char *grown;

	if (r->too_big || n > CIMD_MAX_REQUEST - r->len) {
		r->too_big = true;
		return true;
	}
	if ((grown = realloc(r->body, r->len + n + 1)) == NULL)
		return false;
	memcpy(grown + r->len, data, n);
	r->body = grown;
	r->len += n;
	return true;
}

void
request_begin(struct request *r)
{
	atomic_fetch_add(&r->refs, 1);
	pthread_mutex_lock(&r->lock);
	r->calling = true;
	pthread_mutex_unlock(&r->lock);
}

/*
 * The lock is what makes it safe to suspend here: an answer of another
 * thread either came before, or will find the connection suspended.
 */
bool
request_wait(struct request *r)
{
	bool answered;

	pthread_mutex_lock(&r->lock);
	answered = r->answered;
	if (!answered) {
		r->suspended = true;
		MHD_suspend_connection(r->connection);
	}
	pthread_mutex_unlock(&r->lock);
	return answered;
}

/* With the lock held. */
static void
take_answer(struct request *r, struct answer *a)
{
	r->answer = *a;
	r->answered = true;
	*a = (struct answer){ 0 };
	if (r->suspended)
		MHD_resume_connection(r->connection);
	r->suspended = false;
}

void
request_answer(struct request *r, struct answer *a)
{
	pthread_mutex_lock(&r->lock);
	r->calling = false;
	if (!r->answered)
		take_answer(r, a);
	pthread_mutex_unlock(&r->lock);
	answer_clear(a);
	request_unref(r);
}

bool
request_give_up(struct request *r, struct answer *a)
{
	bool done = false;

	pthread_mutex_lock(&r->lock);
	if (r->calling && !r->answered) {
		take_answer(r, a);
		done = true;
	}
	pthread_mutex_unlock(&r->lock);
	return done;
}
