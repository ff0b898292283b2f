/*
 * conns.c - the connections that are open: caps, deadlines, figures
 * SPDX-License-Identifier: Apache-2.0
 */

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conns.h"
#include "fail.h"

/* Why connections were turned away or cut. */
enum {
	CUT_ALL = 0,  /* too many */
	CUT_UID,      /* too many of one user */
	CUT_PEER,     /* no credentials, or out of memory */
	CUT_DEADLINE, /* too slow */
	CUT_REASONS
};

static const char *const cut_name[CUT_REASONS] = {
	[CUT_ALL] = "max_connections",
	[CUT_UID] = "max_connections_uid",
	[CUT_PEER] = "peer",
	[CUT_DEADLINE] = "deadline",
};

static const char *const names[DOORS] = {
	[DOOR_LOOKUP] = "lookup",
	[DOOR_ADMIN] = "admin",
	[DOOR_MUX] = "mux",
};

struct conns {
	pthread_mutex_t lock;
	struct conns_limits limits;
	struct conn **by_fd; /* index: descriptor */
	size_t room;
	uint64_t admitted[DOORS];
	uint64_t cut[CUT_REASONS];
};

const char *
door_name(enum door door)
{
	return names[door];
}

struct conns *
conns_new(const struct conns_limits *limits)
{
	struct conns *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c);
		return NULL;
	}
	c->limits = *limits;
	return c;
}

static void
drop(struct conns *c, int fd)
{
	peer_clear(&c->by_fd[fd]->peer);
	free(c->by_fd[fd]);
	c->by_fd[fd] = NULL;
}

void
conns_free(struct conns **c)
{
	size_t fd;

	if (*c == NULL)
		return;
	for (fd = 0; fd < (*c)->room; fd++)
		if ((*c)->by_fd[fd] != NULL)
			drop(*c, (int)fd);
	free((*c)->by_fd);
	pthread_mutex_destroy(&(*c)->lock);
	free(*c);
	*c = NULL;
}

void
conns_limit(struct conns *c, const struct conns_limits *limits)
{
	pthread_mutex_lock(&c->lock);
	c->limits = *limits;
	pthread_mutex_unlock(&c->lock);
}

/* How many may be open by this door. */
static unsigned int
most(const struct conns *c, enum door door)
{
	switch (door) {
	case DOOR_ADMIN:
		return CONNS_ADMIN;
	case DOOR_MUX:
		return CONNS_MUX;
	case DOOR_LOOKUP:
	case DOORS:
		break;
	}
	return c->limits.all;
}

/* How many of them by one user. */
static unsigned int
most_of_uid(const struct conns *c, enum door door)
{
	switch (door) {
	case DOOR_ADMIN:
		return CONNS_ADMIN;
	case DOOR_MUX:
		return CONNS_MUX_UID;
	case DOOR_LOOKUP:
	case DOORS:
		break;
	}
	return c->limits.per_uid;
}

/* Is there room for one more of this user?  Else the reason. */
static int
count(const struct conns *c, const struct conn *new)
{
	unsigned int same_door = 0, same_uid = 0;
	const struct conn *conn;
	size_t fd;

	for (fd = 0; fd < c->room; fd++) {
		conn = c->by_fd[fd];
		if (conn == NULL || conn->door != new->door)
			continue;
		same_door++;
		same_uid += conn->peer.uid == new->peer.uid;
	}
	if (same_door >= most(c, new->door))
		return CUT_ALL;
	if (same_uid >= most_of_uid(c, new->door))
		return CUT_UID;
	return CUT_REASONS;
}

/* Make sure that by_fd[fd] is there and empty. */
static bool
make_room(struct conns *c, int fd)
{
	size_t need = (size_t)fd + 1;
	struct conn **grown;

	if (need > c->room) {
		grown = reallocarray(c->by_fd, need * 2, sizeof(struct conn *));
		if (grown == NULL)
			return false;
		memset(grown + c->room, 0,
		    (need * 2 - c->room) * sizeof(struct conn *));
		c->by_fd = grown;
		c->room = need * 2;
	}
	/*
	 * The kernel gave us this number, so whoever had it is closed without
	 * having been served: libmicrohttpd was out of memory.
	 */
	if (c->by_fd[fd] != NULL)
		drop(c, fd);
	return true;
}

static int
admit(struct conns *c, struct conn *new)
{
	int reason;

	if (!make_room(c, new->fd))
		return CUT_PEER;
	reason = count(c, new);
	if (reason != CUT_REASONS)
		return reason;
	new->deadline_ms = new->born_ms + c->limits.request_ms;
	c->by_fd[new->fd] = new;
	c->admitted[new->door]++;
	return CUT_REASONS;
}

bool
conns_admit(struct conns *c, int fd, enum door door)
{
	struct conn *new = calloc(1, sizeof(*new));
	int reason = CUT_PEER;
	bool known = false;

	if (new != NULL) {
		*new = (struct conn){ .fd = fd, .door = door };
		new->born_ms = tick_ms();
		known = peer_read(fd, &new->peer);
	}
	pthread_mutex_lock(&c->lock);
	if (known)
		reason = admit(c, new);
	if (reason != CUT_REASONS)
		c->cut[reason]++;
	pthread_mutex_unlock(&c->lock);
	if (reason == CUT_REASONS)
		return true;
	if (known)
		peer_clear(&new->peer);
	free(new);
	return false;
}

struct conn *
conns_served(struct conns *c, int fd)
{
	struct conn *conn = NULL;

	pthread_mutex_lock(&c->lock);
	if ((size_t)fd < c->room && c->by_fd[fd] != NULL) {
		conn = c->by_fd[fd];
		conn->served = true;
	}
	pthread_mutex_unlock(&c->lock);
	return conn;
}

void
conns_closed(struct conns *c, int fd)
{
	pthread_mutex_lock(&c->lock);
	if ((size_t)fd < c->room && c->by_fd[fd] != NULL)
		drop(c, fd);
	pthread_mutex_unlock(&c->lock);
}

/* Never later than it was: a request line must not buy time. */
void
conns_request(struct conns *c, struct conn *conn)
{
	int64_t deadline;

	pthread_mutex_lock(&c->lock);
	deadline = tick_ms() + c->limits.request_ms;
	if (conn->deadline_ms == 0 || deadline < conn->deadline_ms)
		conn->deadline_ms = deadline;
	pthread_mutex_unlock(&c->lock);
}

void
conns_call(struct conns *c, struct conn *conn)
{
	pthread_mutex_lock(&c->lock);
	conn->deadline_ms = 0;
	conn->called_ms = tick_ms();
	pthread_mutex_unlock(&c->lock);
}

void
conns_answer(struct conns *c, struct conn *conn)
{
	pthread_mutex_lock(&c->lock);
	conn->called_ms = 0;
	conn->deadline_ms = tick_ms() + c->limits.request_ms;
	pthread_mutex_unlock(&c->lock);
}

void
conns_idle(struct conns *c, struct conn *conn)
{
	pthread_mutex_lock(&c->lock);
	conn->called_ms = 0;
	conn->deadline_ms = tick_ms() + CONNS_IDLE_MS;
	pthread_mutex_unlock(&c->lock);
}

bool
conns_is_old(const struct conn *conn)
{
	return tick_ms() - conn->born_ms > CONNS_LIFE_MS;
}

/*
 * Closing is for whoever serves it and sees the end of the stream.  The
 * descriptor is still the connection's: conns_closed() comes before close().
 * One that is not served may be closed already, so that it is forgotten.
 */
static void
cut(struct conns *c, struct conn *conn)
{
	if (!conn->served) {
		drop(c, conn->fd);
		return;
	}
	shutdown(conn->fd, SHUT_RDWR);
	conn->deadline_ms = 0;
	c->cut[CUT_DEADLINE]++;
}

unsigned int
conns_reap(struct conns *c)
{
	int64_t now = tick_ms();
	unsigned int open = 0;
	struct conn *conn;
	size_t fd;

	pthread_mutex_lock(&c->lock);
	for (fd = 0; fd < c->room; fd++) {
		if ((conn = c->by_fd[fd]) == NULL)
			continue;
		open++;
		if (conn->deadline_ms != 0 && conn->deadline_ms <= now)
			cut(c, conn);
	}
	pthread_mutex_unlock(&c->lock);
	return open;
}

bool
conns_stuck(struct conns *c)
{
	int64_t now = tick_ms();
	bool stuck = false;
	size_t fd;

	pthread_mutex_lock(&c->lock);
	for (fd = 0; fd < c->room; fd++)
		if (c->by_fd[fd] != NULL && c->by_fd[fd]->called_ms != 0 &&
		    now - c->by_fd[fd]->called_ms > CONNS_STUCK_MS)
			stuck = true;
	pthread_mutex_unlock(&c->lock);
	return stuck;
}

/* What conns_metrics() writes, taken at one moment. */
struct figures {
	uint64_t open[DOORS];
	uint64_t calls[DOORS];
	uint64_t admitted[DOORS];
	uint64_t cut[CUT_REASONS];
};

static void
take_figures(struct conns *c, struct figures *f)
{
	const struct conn *conn;
	size_t fd;

	*f = (struct figures){ 0 };
	pthread_mutex_lock(&c->lock);
	for (fd = 0; fd < c->room; fd++) {
		if ((conn = c->by_fd[fd]) == NULL)
			continue;
		f->open[conn->door]++;
		f->calls[conn->door] += conn->called_ms != 0;
	}
	memcpy(f->admitted, c->admitted, sizeof(f->admitted));
	memcpy(f->cut, c->cut, sizeof(f->cut));
	pthread_mutex_unlock(&c->lock);
}

/* One figure of all sockets. */
static void
write_all(FILE *out, const char *name, const char *type, const char *help,
    const uint64_t value[DOORS])
{
	size_t i;

	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
	for (i = 0; i < DOORS; i++)
		fprintf(out, "%s{socket=\"%s\"} %llu\n", name, names[i],
		    (unsigned long long)value[i]);
}

void
conns_metrics(struct conns *c, FILE *out)
{
	struct figures f;
	unsigned int i;

	take_figures(c, &f);
	write_all(out, "cimdd_connections", "gauge",
	    "Connections that are open.", f.open);
	write_all(out, "cimdd_calls", "gauge",
	    "Connections whose request is being answered.", f.calls);
	write_all(out, "cimdd_connections_total", "counter",
	    "Connections that were let in.", f.admitted);
	fprintf(out,
	    "# HELP cimdd_connections_cut_total Connections that were turned "
	    "away or cut.\n"
	    "# TYPE cimdd_connections_cut_total counter\n");
	for (i = 0; i < CUT_REASONS; i++)
		fprintf(out,
		    "cimdd_connections_cut_total{reason=\"%s\"} %llu\n",
		    cut_name[i], (unsigned long long)f.cut[i]);
}
