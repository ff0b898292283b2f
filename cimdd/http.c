/*
 * http.c - HTTP/1.1 over connected sockets, in front of cimd_call()
 * SPDX-License-Identifier: Apache-2.0
 */

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "calm.h"
#include "fail.h"
#include "http_int.h"
#include "problem.h"

enum {
	THREADS = 4,       /* a fsync in one must not stop the others */
	GIVE_UP_MS = 2000, /* for answers in the place of others to be sent */
};

static void
link_request(struct http *h, struct request *r)
{
	pthread_mutex_lock(&h->lock);
	r->http = h;
	r->next = h->live;
	if (h->live != NULL)
		h->live->prev = r;
	h->live = r;
	pthread_mutex_unlock(&h->lock);
}

static void
unlink_request(struct http *h, struct request *r)
{
	pthread_mutex_lock(&h->lock);
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		h->live = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	if (r->busy && --h->busy == 0)
		pthread_cond_broadcast(&h->calm);
	r->busy = false;
	pthread_mutex_unlock(&h->lock);
}

bool
http_set_busy(struct http *h, struct request *r, bool calls)
{
	bool open;

	pthread_mutex_lock(&h->lock);
	open = !h->closing;
	if (open) {
		r->busy = true;
		h->busy++;
		if (calls)
			request_begin(r);
	}
	pthread_mutex_unlock(&h->lock);
	return open;
}

void
http_call_begin(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->calls++;
	pthread_mutex_unlock(&h->lock);
}

void
http_call_end(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	if (--h->calls == 0)
		pthread_cond_broadcast(&h->calm);
	pthread_mutex_unlock(&h->lock);
}

/* The connection's struct conn; NULL: it was not let in. */
static struct conn *
conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection,
		MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

/* The request line is read; what is returned becomes *ctx of the request. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct http *h = cls;
	struct conn *conn = conn_of(connection);
	struct request *r;

	if (conn == NULL)
		return NULL;
	conns_request(h->parts.conns, conn);
	if ((r = request_new(connection, conn, target)) != NULL)
		link_request(h, r);
	return r;
}

/* The request is over, one way or another. */
static void
on_completed(void *cls, struct MHD_Connection *connection, void **ctx,
    enum MHD_RequestTerminationCode why)
{
	struct http *h = cls;
	struct request *r = *ctx;

	(void)connection;
	(void)why;
	if (r == NULL)
		return;
	*ctx = NULL;
	conns_idle(h->parts.conns, r->conn);
	unlink_request(h, r);
	request_unref(r);
}

static int
descriptor(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection,
		MHD_CONNECTION_INFO_CONNECTION_FD);

	return info == NULL ? -1 : info->connect_fd;
}

/* A connection begins, or is about to be closed. */
static void
on_connection(void *cls, struct MHD_Connection *connection, void **ctx,
    enum MHD_ConnectionNotificationCode what)
{
	struct http *h = cls;
	int fd = descriptor(connection);

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*ctx = conns_served(h->parts.conns, fd);
		if (*ctx == NULL) /* it waited for too long */
			shutdown(fd, SHUT_RDWR);
	} else {
		*ctx = NULL;
		conns_closed(h->parts.conns, fd);
	}
}

__attribute__((format(printf, 2, 0))) static void
on_log(void *cls, const char *fmt, va_list ap)
{
	struct http *h = cls;
	char text[256];
	size_t n;

	if (!h->parts.say->verbose)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	n = strlen(text);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	say(h->parts.say, CIMD_LOG_DEBUG, "http", "%s", text);
}

/*
 * No limit of libmicrohttpd's own, because conns_admit() has the better
 * one: reaching it in MHD_add_connection() can leave a lock held (0.9.75).
 */
static struct MHD_Daemon *
start_threads(struct http *h)
{
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
		MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
		MHD_USE_ERROR_LOG,
	    0, NULL, NULL, handle_request, h, MHD_OPTION_EXTERNAL_LOGGER,
	    on_log, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
	    MHD_OPTION_CONNECTION_LIMIT, 1U << 20,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL_BYTES,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_THREAD_POOL_SIZE,
	    (unsigned int)THREADS, MHD_OPTION_END);
}

static void
http_free(struct http **h)
{
	pthread_mutex_destroy(&(*h)->lock);
	pthread_cond_destroy(&(*h)->calm);
	free(*h);
	*h = NULL;
}

enum cimd_err
http_start(const struct http_parts *parts, struct http **out,
    struct cimd_error *err)
{
	struct http *h = calloc(1, sizeof(*h));

	*out = NULL;
	if (h == NULL)
		return fail_memory(err);
	h->parts = *parts;
	if (!calm_init(&h->lock, &h->calm)) {
		free(h);
		return fail_memory(err);
	}
	if ((h->mhd = start_threads(h)) == NULL) {
		http_free(&h);
		return fail(err, CIMD_E_STATE,
		    "libmicrohttpd does not start: too few threads or "
		    "descriptors");
	}
	*out = h;
	return CIMD_OK;
}

/* Say why, if the socket's buffer takes it, and close. */
static void
turn_away(int fd)
{
	static const char body[] =
	    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
	    "\"status\":503,\"detail\":\"too many connections\","
	    "\"code\":\"CIMD_E_BUSY\",\"class\":\"unavailable\","
	    "\"error\":\"temporarily_unavailable\",\"retry_after\":1}";
	char answer[512];
	int n;

	/* The length, since unread bytes make of the end a reset. */
	n = snprintf(answer, sizeof(answer),
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Type: " PROBLEM_TYPE "\r\n"
	    "Content-Length: %zu\r\n"
	    "Retry-After: 1\r\nConnection: close\r\n"
	    "Cache-Control: no-store\r\n\r\n%s",
	    sizeof(body) - 1, body);
	assert(n > 0 && n < (int)sizeof(answer));
	(void)send(fd, answer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

void
http_add(struct http *h, int fd, enum door door)
{
	const struct sockaddr_un from = { .sun_family = AF_UNIX };

	if (!conns_admit(h->parts.conns, fd, door)) {
		turn_away(fd);
		return;
	}
	if (MHD_add_connection(h->mhd, fd, (const struct sockaddr *)&from,
		sizeof(from.sun_family)) != MHD_YES)
		conns_closed(h->parts.conns, fd);
}

/*
 * With the lock held: wait until nothing is busy, at most so long.  A call
 * can be under way although its client has left, or has its answer already.
 */
static void
wait_calm(struct http *h, int64_t timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	until.tv_sec +=
	    (time_t)(timeout_ms / 1000) + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while ((h->busy > 0 || h->calls > 0) &&
	    pthread_cond_timedwait(&h->calm, &h->lock, &until) == 0)
		;
}

/* With the lock held: answer those that wait for a call that is late. */
static void
give_up(struct http *h)
{
	struct cimd_error err;
	struct answer a;
	struct request *r;

	fail(&err, CIMD_E_BUSY, "the daemon is stopping");
	for (r = h->live; r != NULL; r = r->next) {
		if (!answer_problem(&a, 503, &err))
			a = (struct answer){ .status = 503 };
		a.retry_after = 1;
		(void)request_give_up(r, &a);
		answer_clear(&a);
	}
}

void
http_drain(struct http *h, int64_t timeout_ms)
{
	atomic_store(&h->draining, true);
	pthread_mutex_lock(&h->lock);
	wait_calm(h, timeout_ms);
	h->closing = true;
	if (h->busy > 0) {
		say(h->parts.say, CIMD_LOG_ERROR, "stop",
		    "%u requests got no answer in time", h->busy);
		give_up(h);
		wait_calm(h, GIVE_UP_MS);
	}
	pthread_mutex_unlock(&h->lock);
}

unsigned int
http_stop(struct http **h)
{
	unsigned int calls;

	MHD_stop_daemon((*h)->mhd);
	(*h)->mhd = NULL;
	pthread_mutex_lock(&(*h)->lock);
	calls = (*h)->calls;
	pthread_mutex_unlock(&(*h)->lock);
	if (calls == 0)
		http_free(h);
	return calls;
}
