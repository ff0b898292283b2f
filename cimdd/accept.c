/*
 * accept.c - the thread that accepts connections and cuts late ones
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept.h"
#include "fail.h"

enum {
	TICK_MS = 200,  /* how late a deadline may be noticed */
	PAUSE_MS = 100, /* without a descriptor to accept with */
	BURST = 64,     /* accepted before the other socket has its turn */
	STOP = DOORS,
};

struct acceptor {
	struct pollfd poll[DOORS + 1];
	struct accept_from from;
	struct conns *conns;
	const struct say *say;
	bool starved; /* accept() had no descriptor or memory; said once */
	pthread_t thread;
};

static void
hand_over(const struct acceptor *a, int fd, enum door door)
{
	if (door == DOOR_MUX)
		mux_add(a->from.mux, fd);
	else
		http_add(a->from.http, fd, door);
}

/* False: there is nothing to accept with for now. */
static bool
accept_some(struct acceptor *a, enum door door)
{
	int fd, i;

	for (i = 0; i < BURST; i++) {
		fd = accept4(a->poll[door].fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			a->starved = false;
			hand_over(a, fd, door);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EAGAIN)
			return true;
		if (!a->starved)
			say(a->say, CIMD_LOG_ERROR, "accept",
			    "cannot accept connections (errno %d)", errno);
		a->starved = true;
		return false;
	}
	return true;
}

static void *
run(void *arg)
{
	struct acceptor *a = arg;
	bool more = true;
	int timeout, door;

	for (;;) {
		timeout = conns_reap(a->conns) > 0 ? TICK_MS : -1;
		if (more)
			(void)poll(a->poll, DOORS + 1, timeout);
		else /* the sockets would say at once that they are ready */
			(void)poll(&a->poll[STOP], 1, PAUSE_MS);
		if ((a->poll[STOP].revents & POLLIN) != 0)
			return NULL;
		more = true;
		for (door = 0; door < DOORS; door++)
			if (a->poll[door].fd != -1 &&
			    !accept_some(a, (enum door)door))
				more = false;
	}
}

enum cimd_err
accept_start(const struct accept_from *from, struct conns *conns,
    const struct say *say_to, struct acceptor **out, struct cimd_error *err)
{
	struct acceptor *a = calloc(1, sizeof(*a));
	enum cimd_err e;
	size_t i;

	*out = NULL;
	if (a == NULL)
		return fail_memory(err);
	*a = (struct acceptor){ .from = *from, .conns = conns, .say = say_to };
	for (i = 0; i < DOORS; i++)
		a->poll[i] = (struct pollfd){ from->fd[i], POLLIN, 0 };
	a->poll[STOP].events = POLLIN;
	if ((a->poll[STOP].fd = eventfd(0, EFD_CLOEXEC)) == -1) {
		e = fail_errno(err, "cannot make an eventfd");
		free(a);
		return e;
	}
	if ((errno = pthread_create(&a->thread, NULL, run, a)) != 0) {
		e = fail_errno(err, "cannot start a thread");
		close(a->poll[STOP].fd);
		free(a);
		return e;
	}
	*out = a;
	return CIMD_OK;
}

void
accept_stop(struct acceptor **a)
{
	const uint64_t one = 1;
	ssize_t n;

	if (*a == NULL)
		return;
	n = write((*a)->poll[STOP].fd, &one, sizeof(one));
	(void)n; /* an eventfd at 0 takes it */
	pthread_join((*a)->thread, NULL);
	close((*a)->poll[STOP].fd);
	free(*a);
	*a = NULL;
}
