/*
 * request.h - one request, from its target to its answer
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes of a request; out: an answer; touches libmicrohttpd's
 * connection, which is suspended while a call waits.
 *
 * Two hold a request: libmicrohttpd, until the connection is done with it,
 * and the call, until it answers.  The last one frees it.
 */

#ifndef REQUEST_H
#define REQUEST_H

#include <pthread.h>

#include "conns.h"
#include "route.h"

struct MHD_Connection;
struct http;

/* What to send; strings but allow are owned. */
struct answer {
	unsigned int status;
	unsigned int retry_after; /* seconds; 0: none */
	char *type;
	char *body;
	size_t len;
	const char *allow; /* NULL: none; a constant */
};

void answer_clear(struct answer *a);

/* Make the answer for a fault of the transport; false: out of memory. */
bool answer_problem(struct answer *a, unsigned int status,
    const struct cimd_error *err);

struct request {
	struct MHD_Connection *connection;
	struct conn *conn;
	char *target;
	uintptr_t target_at; /* where libmicrohttpd has it */
	bool known;          /* the headers are read; match is filled in */
	struct route_match match;
	unsigned int fault_status; /* 0: nothing is wrong so far */
	struct cimd_error fault;
	char *body; /* owned; up to CIMD_MAX_REQUEST bytes */
	size_t len;
	bool too_big;

	_Atomic unsigned int refs;
	pthread_mutex_t lock; /* for what follows */
	bool calling;         /* a call will answer */
	bool suspended;       /* the connection waits to be resumed */
	bool answered;
	struct answer answer;

	struct http *http; /* and what follows: for http.c */
	struct request *prev, *next;
	bool busy;               /* read, and not done with */
	struct request *waiting; /* the next one that waits for a reload */
};

/* The first reference is libmicrohttpd's.  NULL: out of memory. */
struct request *request_new(struct MHD_Connection *connection,
    struct conn *conn, const char *target);

/* Drop a reference; NULL is no error. */
void request_unref(struct request *r);

/* Add bytes of the body; what is over the limit sets too_big. */
bool request_add(struct request *r, const char *data, size_t n);

/*
 * A call begins, and holds a reference that request_answer() drops.  After
 * it was made, request_wait() suspends the connection unless the answer is
 * there, and says whether it is.
 */
void request_begin(struct request *r);
bool request_wait(struct request *r);

/*
 * Answer the call: takes what a owns, resumes the connection, drops the
 * call's reference.  Any thread.
 */
void request_answer(struct request *r, struct answer *a);

/*
 * Answer in the call's place, which came too late; the call's reference
 * stays for it.  False: it was answered already, or no call was made.
 */
bool request_give_up(struct request *r, struct answer *a);

#endif /* REQUEST_H */
