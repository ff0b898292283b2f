/*
 * gate_int.h - inside of the gate: flights, waiters, hosts, queue
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 4; gate.c opens, joins and ends flights, gate_queue.c decides which
 * is next, gate_run.c has the threads.  All of it under gate.lock.
 */

#ifndef GATE_INT_H
#define GATE_INT_H

#include <pthread.h>

#include "error.h"
#include "gate.h"
#include "limiter.h"
#include "list.h"
#include "tagmap.h"

/* A caller who waits; told and freed without the lock. */
struct waiter {
	struct link in_flight; /* of flight.waiters */
	struct link in_time;   /* of gate.waiters, oldest first */
	struct flight *flight;
	gate_done_fn *done;
	void *ctx;
	int64_t deadline_ms;
};

struct flight {
	struct link in_host; /* of host.queue, while queued */
	struct link in_time; /* of gate.waiting, oldest first, while queued */
	struct link waiters;
	uint32_t n_waiters;
	uint32_t slot; /* of gate.flights */
	struct host *host;
	bool known, force;
	int64_t start_by_ms, started_ms;
	void *arg;
	struct span id;        /* URL and four bytes of variant, in bytes */
	struct span host_name; /* in lower case, in bytes */
	char bytes[];
};

/* The flights of one host; lives while there are any. */
struct host {
	struct link in_ring;  /* of queue.ring, while flights are queued */
	struct link queue[2]; /* [known], oldest first */
	uint32_t queued[2];
	uint32_t running, running_unknown;
	uint32_t slot; /* of queue.hosts */
};

/* Which flight is next; knows nothing of threads. */
struct queue {
	struct tagmap hosts;
	struct host **host; /* by slot */
	struct link ring;   /* of hosts, in turn */
	uint32_t queued[2];
	uint32_t running, running_unknown;
	uint8_t key[16];
};

/* False: out of memory. */
bool queue_init(struct queue *q, const uint8_t key[16]);

/* Frees what q holds; no flight may be queued or running. */
void queue_clear(struct queue *q);

/*
 * Queue a flight.  With the queue full, *victim is a flight of the host with
 * the longest queue, which is then in no queue any more; else NULL.
 * Fails with: CIMD_E_NO_MEMORY, CIMD_E_BUSY (this one has to give way).
 */
enum cimd_err queue_add(struct queue *q, struct flight *f,
    struct flight **victim);

/* Take a flight out that was not begun. */
void queue_remove(struct queue *q, struct flight *f);

/* A queued flight has become one of a known client. */
void queue_promote(struct queue *q, struct flight *f);

/* The flight to run now, counted as running; NULL: none may run. */
struct flight *queue_next(struct queue *q);

/* A running flight is over; f->host is gone afterwards. */
void queue_done(struct queue *q, struct flight *f);

struct gate {
	struct gate_settings settings;
	pthread_mutex_t lock;
	struct limiter *limiter;
	struct tagmap flights;
	struct flight **flight; /* by slot */
	struct link waiting;    /* queued flights, oldest first */
	struct link waiters;    /* all, oldest first */
	uint32_t n_waiters;
	struct queue queue;
	struct gate_figures figures; /* but for running and queued */
	uint8_t key[16];

	pthread_cond_t work; /* a flight may run, or stop */
	pthread_cond_t time; /* the timer's next date has changed, or stop */
	bool stop;
	bool has_timer;
	uint32_t n_threads, idle;
	pthread_t timer, thread[CIMD_MAX_FETCHES];
};

/* What is to be told and freed as soon as the lock is gone. */
struct outcome {
	enum cimd_err e;
	struct cimd_error err;
	unsigned int retry_after;
	struct link waiters; /* in_flight */
	struct flight *flight;
};

void outcome_init(struct outcome *o);

/* Tell all and free; without the lock. */
void outcome_tell(struct gate *g, struct outcome *o);

/* Take a flight that is in no queue out of the gate, with its waiters. */
void gate_end(struct gate *g, struct flight *f, struct outcome *o);

/* Take one waiter, whose time is up, out of the gate. */
void gate_drop_waiter(struct gate *g, struct waiter *w, struct outcome *o);

/* May f start now?  Spends; else o says why not. */
bool gate_may_start(struct gate *g, const struct flight *f, bool peek,
    struct outcome *o);

/* A thread for what is queued, if there is none; false: there is none. */
bool gate_add_thread(struct gate *g);

/* Join all threads; gate.stop is set. */
void gate_join(struct gate *g);

#endif /* GATE_INT_H */
