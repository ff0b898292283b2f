/*
 * mux.c - client assertions as passwords, in the protocol of saslauthd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "calm.h"
#include "fail.h"
#include "mux.h"
#include "mux_read.h"

enum {
	THREADS = 2,     /* a fsync in one must not stop the other */
	QUIET_S = 60,    /* between lines about malformed requests */
	LINGER_MS = 200, /* at the end, for requests that are on their way */
};

/* How a request ended. */
enum outcome {
	OUTCOME_NO = 0,
	OUTCOME_OK,
	OUTCOME_NOT_OURS,  /* the login is no https URL */
	OUTCOME_MALFORMED, /* no request of this protocol */
	OUTCOME_CUT,       /* closed without an answer */
	OUTCOMES
};

static const char *const outcome_name[OUTCOMES] = {
	[OUTCOME_NO] = "no",
	[OUTCOME_OK] = "ok",
	[OUTCOME_NOT_OURS] = "not_ours",
	[OUTCOME_MALFORMED] = "malformed",
	[OUTCOME_CUT] = "cut",
};

/* One connection, from mux_add() to its answer. */
struct session {
	struct mux *mux;
	struct conn *conn; /* borrowed from conns */
	int fd;
	struct session *prev, *next;
	size_t n;
	char bytes[MUX_MAX_REQUEST];
};

struct mux {
	struct mux_parts parts;
	int epoll;
	int stop; /* an eventfd */
	pthread_t thread[THREADS];
	size_t n_threads;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t calm;  /* live became NULL, or calls 0 */
	bool closing;         /* no call may begin */
	unsigned int calls;   /* of cimd_call() that are not over */
	struct session *live;
	uint64_t ended[OUTCOMES];
	time_t quiet_until;  /* no line about malformed requests before */
	unsigned int unsaid; /* such requests since the last line */
};

static void
link_session(struct mux *m, struct session *s)
{
	pthread_mutex_lock(&m->lock);
	s->next = m->live;
	if (m->live != NULL)
		m->live->prev = s;
	m->live = s;
	pthread_mutex_unlock(&m->lock);
}

static void
count(struct mux *m, enum outcome o)
{
	pthread_mutex_lock(&m->lock);
	m->ended[o]++;
	pthread_mutex_unlock(&m->lock);
}

static void
unlink_session(struct mux *m, struct session *s)
{
	pthread_mutex_lock(&m->lock);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		m->live = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (m->live == NULL)
		pthread_cond_broadcast(&m->calm);
	pthread_mutex_unlock(&m->lock);
}

/*
 * Answer and be done with it; whoever holds the session calls this once.  The
 * buffer of a socket that nothing was sent to takes four bytes.  Passwords of
 * others than ours come by, too: nothing of them stays.
 */
static void
finish(struct session *s, enum outcome o)
{
	static const char yes[4] = { 0, 2, 'O', 'K' };
	static const char no[4] = { 0, 2, 'N', 'O' };
	struct mux *m = s->mux;

	count(m, o);
	if (o != OUTCOME_CUT)
		(void)send(s->fd, o == OUTCOME_OK ? yes : no, sizeof(no),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	conns_closed(m->parts.conns, s->fd);
	close(s->fd);
	unlink_session(m, s);
	explicit_bzero(s->bytes, s->n);
	free(s);
}

/* False: it is too late for calls. */
static bool
begin_call(struct mux *m)
{
	bool open;

	pthread_mutex_lock(&m->lock);
	open = !m->closing;
	if (open)
		m->calls++;
	pthread_mutex_unlock(&m->lock);
	return open;
}

static void
end_call(struct mux *m)
{
	pthread_mutex_lock(&m->lock);
	if (--m->calls == 0)
		pthread_cond_broadcast(&m->calm);
	pthread_mutex_unlock(&m->lock);
}

/* The answer of cimd_call(), in any thread. */
static void
on_reply(void *ctx, const struct cimd_reply *reply)
{
	struct session *s = ctx;
	struct mux *m = s->mux;

	say(m->parts.say, CIMD_LOG_DEBUG, "mux", "status %d", reply->status);
	finish(s, reply->status == 200 ? OUTCOME_OK : OUTCOME_NO);
	end_call(m);
}

static bool
add_string(struct json_object *o, const char *name, const char *p, size_t n)
{
	struct json_object *value = json_object_new_string_len(p, (int)n);

	if (value != NULL && json_object_object_add(o, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* The parameters of "assertion"; NULL: out of memory. */
static struct json_object *
parameters(const struct mux_request *q, const char *id, size_t n)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	if (add_string(o, "client_id", id, n) &&
	    add_string(o, "client_assertion", q->password.p, q->password.n) &&
	    json_object_to_json_string(o) != NULL)
		return o;
	json_object_put(o);
	return NULL;
}

/* A client of ours: what becomes of it is for on_reply(). */
static void
call(struct session *s, const struct mux_request *q, const char *id, size_t n)
{
	char service[MUX_MAX_SERVICE + 1] = "";
	struct mux *m = s->mux;
	const struct cimd_caller who = {
		.uid = s->conn->peer.uid,
		.gids = s->conn->peer.gids,
		.n_gids = s->conn->peer.n_gids,
		.service = service,
	};
	struct cimd_message message = { .method = "assertion" };
	struct json_object *json = parameters(q, id, n);

	if (json == NULL || !begin_call(m)) {
		json_object_put(json);
		finish(s, OUTCOME_CUT);
		return;
	}
	memcpy(service, q->service.p, q->service.n);
	message.json = json_object_to_json_string_length(json,
	    JSON_C_TO_STRING_SPACED, &message.len);
	conns_call(m->parts.conns, s->conn);
	cimd_call(m->parts.resolver, &who, &message, on_reply, s);
	json_object_put(json);
}

static void
complete(struct session *s, const struct mux_request *q)
{
	char id[CIMD_MAX_URL];
	size_t n;

	if (mux_client_id(q, id, &n))
		call(s, q, id, n);
	else
		finish(s, OUTCOME_NOT_OURS);
}

/* Wait for more; once, so that one thread at a time has the session. */
static bool
watch(struct session *s, int op)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };

	e.data.ptr = s;
	return epoll_ctl(s->mux->epoll, op, s->fd, &e) == 0;
}

/* At most one line in QUIET_S, so that nobody fills the log by the mux. */
static void
say_malformed(struct mux *m, unsigned int uid)
{
	struct timespec now;
	unsigned int more;
	bool quiet;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&m->lock);
	quiet = now.tv_sec < m->quiet_until;
	more = m->unsaid;
	m->unsaid = quiet ? more + 1 : 0;
	if (!quiet)
		m->quiet_until = now.tv_sec + QUIET_S;
	pthread_mutex_unlock(&m->lock);
	if (!quiet)
		say(m->parts.say, CIMD_LOG_NOTICE, "mux",
		    "a malformed request of uid %u; %u more since the last "
		    "such line",
		    uid, more);
}

static void
read_session(struct session *s)
{
	struct mux_request q;
	ssize_t got = recv(s->fd, s->bytes + s->n, sizeof(s->bytes) - s->n, 0);

	if (got > 0)
		s->n += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		finish(s, OUTCOME_CUT); /* it left, or was late */
		return;
	}
	switch (mux_read(s->bytes, s->n, &q)) {
	case MUX_MORE:
		if (!watch(s, EPOLL_CTL_MOD))
			finish(s, OUTCOME_CUT);
		break;
	case MUX_COMPLETE:
		complete(s, &q);
		break;
	case MUX_MALFORMED:
		say_malformed(s->mux, (unsigned int)s->conn->peer.uid);
		finish(s, OUTCOME_MALFORMED);
		break;
	}
}

static void *
run(void *arg)
{
	struct mux *m = arg;
	struct epoll_event e;

	for (;;) {
		if (epoll_wait(m->epoll, &e, 1, -1) != 1)
			continue;
		if (e.data.ptr == NULL)
			return NULL;
		read_session(e.data.ptr);
	}
}

static enum cimd_err
start_threads(struct mux *m, struct cimd_error *err)
{
	struct epoll_event e = { .events = EPOLLIN };

	if ((m->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (m->stop = eventfd(0, EFD_CLOEXEC)) == -1 ||
	    epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->stop, &e) != 0)
		return fail_errno(err, "the mux: cannot watch sockets");
	for (; m->n_threads < THREADS; m->n_threads++)
		if ((errno = pthread_create(&m->thread[m->n_threads], NULL, run,
			 m)) != 0)
			return fail_errno(err, "the mux: no thread");
	return CIMD_OK;
}

enum cimd_err
mux_start(const struct mux_parts *parts, struct mux **out,
    struct cimd_error *err)
{
	struct mux *m = calloc(1, sizeof(*m));
	enum cimd_err e;

	*out = NULL;
	if (m == NULL)
		return fail_memory(err);
	*m = (struct mux){ .parts = *parts, .epoll = -1, .stop = -1 };
	if (!calm_init(&m->lock, &m->calm)) {
		free(m);
		return fail_memory(err);
	}
	if ((e = start_threads(m, err)) != CIMD_OK)
		(void)mux_stop(&m);
	else
		*out = m;
	return e;
}

void
mux_add(struct mux *m, int fd)
{
	struct session *s;

	if (!conns_admit(m->parts.conns, fd, DOOR_MUX)) {
		close(fd);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		conns_closed(m->parts.conns, fd);
		close(fd);
		return;
	}
	s->mux = m;
	s->fd = fd;
	s->conn = conns_served(m->parts.conns, fd);
	link_session(m, s);
	if (s->conn == NULL || !watch(s, EPOLL_CTL_ADD))
		finish(s, OUTCOME_CUT);
}

/* With the lock held: wait until there are no calls, or no sessions. */
static void
wait_calm(struct mux *m, bool sessions, int64_t timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	until.tv_sec +=
	    (time_t)(timeout_ms / 1000) + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while ((sessions ? m->live != NULL : m->calls > 0) &&
	    pthread_cond_timedwait(&m->calm, &m->lock, &until) == 0)
		;
}

void
mux_drain(struct mux *m, int64_t timeout_ms)
{
	pthread_mutex_lock(&m->lock);
	wait_calm(m, true, LINGER_MS);
	m->closing = true;
	wait_calm(m, false, timeout_ms);
	pthread_mutex_unlock(&m->lock);
}

static void
join_threads(struct mux *m)
{
	const uint64_t one = 1;
	ssize_t n;

	if (m->stop != -1) {
		n = write(m->stop, &one, sizeof(one));
		(void)n; /* an eventfd at 0 takes it */
	}
	while (m->n_threads > 0)
		pthread_join(m->thread[--m->n_threads], NULL);
}

unsigned int
mux_stop(struct mux **m)
{
	struct session *s, *next;
	unsigned int calls;

	if (*m == NULL)
		return 0;
	join_threads(*m);
	pthread_mutex_lock(&(*m)->lock);
	calls = (*m)->calls;
	pthread_mutex_unlock(&(*m)->lock);
	if (calls > 0)
		return calls;
	for (s = (*m)->live; s != NULL; s = next) {
		next = s->next;
		finish(s, OUTCOME_CUT);
	}
	if ((*m)->stop != -1)
		close((*m)->stop);
	if ((*m)->epoll != -1)
		close((*m)->epoll);
	pthread_mutex_destroy(&(*m)->lock);
	pthread_cond_destroy(&(*m)->calm);
	free(*m);
	*m = NULL;
	return 0;
}

void
mux_metrics(struct mux *m, FILE *out)
{
	uint64_t ended[OUTCOMES];
	size_t i;

	if (m == NULL)
		return;
	pthread_mutex_lock(&m->lock);
	memcpy(ended, m->ended, sizeof(ended));
	pthread_mutex_unlock(&m->lock);
	fprintf(out,
	    "# HELP cimdd_mux_total Requests in the protocol of saslauthd.\n"
	    "# TYPE cimdd_mux_total counter\n");
	for (i = 0; i < OUTCOMES; i++)
		fprintf(out, "cimdd_mux_total{answer=\"%s\"} %llu\n",
		    outcome_name[i], (unsigned long long)ended[i]);
}
