/*
 * exchange.c - one request to cimdd, one response, one deadline
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "exchange.h"

struct line {
	int fd;
	int64_t until_ms;
	struct cimd_error *err;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The text of an error number, without the locale and its global state. */
static const char *
reason(int number)
{
	const char *text = strerrordesc_np(number);

	return text != NULL ? text : "unknown error";
}

/* Wait until the socket may be ready; an error of it is ready, too. */
static enum cimd_err
await(const struct line *l, short events)
{
	struct pollfd p = { l->fd, events, 0 };
	int64_t left;
	int n;

	do {
		left = l->until_ms - now_ms();
		if (left <= 0)
			return err_set(l->err, CIMD_E_TIMEOUT, "",
			    "cimdd does not answer in time");
		n = poll(&p, 1, (int)left);
	} while (n == 0 || (n == -1 && errno == EINTR));
	if (n == -1)
		return err_set(l->err, CIMD_E_INTERNAL, "", "poll: %s",
		    reason(errno));
	return CIMD_OK;
}

/* A socket of its own, which no program that is executed inherits. */
static enum cimd_err
dial(struct line *l, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(path);

	if (path[0] != '/' || n >= sizeof(to.sun_path))
		return err_set(l->err, CIMD_E_CONFIG, "",
		    "socket: an absolute path of at most %zu bytes is expected",
		    sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, path, n);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd == -1)
		return err_set(l->err, CIMD_E_CONNECT, "", "socket: %s",
		    reason(errno));
	if (connect(l->fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return CIMD_OK;
	/* Of a UNIX socket EAGAIN means that nobody accepts in time. */
	return err_set(l->err, CIMD_E_CONNECT, "",
	    "cimdd cannot be reached at %s: %s", path,
	    errno == EAGAIN ? "its backlog is full" : reason(errno));
}

/*
 * Who turns connections away answers at once, and closes: when nothing more
 * can be sent, there may be an answer all the same.
 */
static enum cimd_err
send_all(const struct line *l, const struct question *q)
{
	enum cimd_err e = CIMD_OK;
	size_t sent = 0;
	ssize_t n;

	while (e == CIMD_OK && sent < q->n) {
		n = send(l->fd, q->p + sent, q->n - sent, MSG_NOSIGNAL);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			e = await(l, POLLOUT);
		else if (errno == EPIPE || errno == ECONNRESET)
			return CIMD_OK;
		else if (errno != EINTR)
			e = err_set(l->err, CIMD_E_CONNECT, "", "send: %s",
			    reason(errno));
	}
	return e;
}

static enum cimd_err
receive_some(const struct line *l, struct reply *out, bool *done)
{
	enum cimd_err e;
	size_t room;
	ssize_t n;
	char *at;

	if ((e = reply_room(out, &at, &room, l->err)) != CIMD_OK)
		return e;
	n = recv(l->fd, at, room, 0);
	if (n > 0)
		return reply_add(out, (size_t)n, done, l->err);
	if (n == 0 || errno == ECONNRESET) {
		*done = true;
		return reply_end(out, l->err);
	}
	if (errno == EAGAIN)
		return await(l, POLLIN);
	if (errno == EINTR)
		return CIMD_OK;
	return err_set(l->err, CIMD_E_CONNECT, "", "recv: %s", reason(errno));
}

static enum cimd_err
receive_all(const struct line *l, struct reply *out)
{
	/* So soon there is no answer: waiting first saves a call. */
	enum cimd_err e = await(l, POLLIN);
	bool done = false;

	while (e == CIMD_OK && !done)
		/* Who sends byte by byte without a pause is late, too. */
		if (now_ms() >= l->until_ms)
			e = await(l, POLLIN);
		else
			e = receive_some(l, out, &done);
	return e;
}

enum cimd_err
exchange(const char *path, int timeout_ms, const struct question *q,
    struct reply *out, struct cimd_error *err)
{
	struct line l = { -1, now_ms() + timeout_ms, err };
	enum cimd_err e;

	*out = (struct reply){ 0 };
	if ((e = dial(&l, path)) == CIMD_OK)
		e = send_all(&l, q);
	if (e == CIMD_OK)
		e = receive_all(&l, out);
	if (l.fd != -1)
		close(l.fd);
	return e;
}
