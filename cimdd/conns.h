/*
 * conns.h - the connections that are open: caps, deadlines, figures
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: sockets, times; out: may it stay?  touches sockets, to cut
 * them.  libmicrohttpd only knows time-outs of inactivity, so that a client
 * with one byte a second would stay for ever.
 *
 * Any thread may call any function.
 */

#ifndef CONNS_H
#define CONNS_H

#include <stdio.h>

#include "peer.h"

/* Which socket somebody came in by. */
enum door {
	DOOR_LOOKUP = 0,
	DOOR_ADMIN,
	DOOR_MUX, /* the protocol of saslauthd */
	DOORS
};

enum {
	CONNS_ADMIN = 16,       /* over the admin socket, beside all others */
	CONNS_MUX = 256,        /* over the mux, beside all others */
	CONNS_MUX_UID = 192,    /* of one user of the mux: room for another */
	CONNS_IDLE_MS = 30000,  /* between an answer and the next request */
	CONNS_LIFE_MS = 600000, /* after that an answer is the last one */
	CONNS_STUCK_MS = 30000, /* no call takes that long: 4 s is most */
};

struct conns;

/* One connection.  Owned by struct conns, from admission to the close. */
struct conn {
	int fd;
	enum door door;
	struct peer peer;
	int64_t born_ms;
	int64_t deadline_ms; /* 0: none */
	int64_t called_ms;   /* when its call began; 0: there is none */
	bool served;         /* whoever serves it has it */
};

struct conns_limits {
	unsigned int all; /* over the lookup socket */
	unsigned int per_uid;
	int64_t request_ms; /* to send a request, and to take an answer */
};

/* "lookup", "admin", "mux". */
const char *door_name(enum door door);

/* Fails with NULL: out of memory. */
struct conns *conns_new(const struct conns_limits *limits);

/* Free *c, whose connections all are closed, and set it to NULL. */
void conns_free(struct conns **c);

/* Take new limits; who is connected stays. */
void conns_limit(struct conns *c, const struct conns_limits *limits);

/*
 * May the peer of fd come in?  True: fd is noted, and closed by whoever
 * serves it, after conns_closed().
 */
bool conns_admit(struct conns *c, int fd, enum door door);

/* The one of that descriptor is served from now on; NULL: not admitted. */
struct conn *conns_served(struct conns *c, int fd);

/* It was not served, or is about to be closed. */
void conns_closed(struct conns *c, int fd);

/* A request line was read: the rest has to come soon. */
void conns_request(struct conns *c, struct conn *conn);

/* The request is complete; its call takes what it takes. */
void conns_call(struct conns *c, struct conn *conn);

/* The answer is on its way: it has to be taken soon. */
void conns_answer(struct conns *c, struct conn *conn);

/* The answer was taken: the next request may come. */
void conns_idle(struct conns *c, struct conn *conn);

/* Is it so old that its answer should be the last one? */
bool conns_is_old(const struct conn *conn);

/* Cut those that are late; how many are open. */
unsigned int conns_reap(struct conns *c);

/* Does a call take so long that this process must be broken? */
bool conns_stuck(struct conns *c);

/* Write the figures as Prometheus text. */
void conns_metrics(struct conns *c, FILE *out);

#endif /* CONNS_H */
