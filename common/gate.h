/*
 * gate.h - may this fetch start now? One flight per URL, limits, budgets
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 4; in: URL, host; out: one run of the work and its result for all
 * who wait; touches the clock and threads
 *
 * Everything is bounded, and a quarter of everything is kept for known
 * clients: 16 flights run at once (12 of them for unknown URLs), 4 for one
 * host (3), 1024 are queued (768).  The next to run is one of the host that
 * runs fewest, in turn.  When the queue is full, the host with the longest
 * queue gives way.  A flight that took more than a second costs its host half
 * a minute's budget (limiter.h).
 */

#ifndef GATE_H
#define GATE_H

#include "cimd_int.h"

struct gate;

enum {
	GATE_MAX_QUEUED = 1024,      /* flights that wait for a thread */
	GATE_MAX_WAITERS = 4096,     /* who wait for one flight */
	GATE_MAX_ALL_WAITERS = 16384 /* who wait for any */
};

/*
 * The work of one flight, run in a thread of the gate with all signals
 * blocked.  arg is what gate_ask.arg of the caller that opened the flight
 * was; the gate frees it with free_arg when the flight is over.  The work
 * must end at deadline_ms (clock_ms()), CIMD_FETCH_MS after its start.
 */
typedef enum cimd_err gate_work_fn(void *ctx, void *arg, int64_t deadline_ms,
    struct cimd_error *err);
typedef void gate_free_fn(void *arg);

/*
 * How a flight ended, told to everyone who waited.  err is filled in unless
 * e is CIMD_OK.  retry_after: seconds until another attempt may start; 0
 * after success.
 */
typedef void gate_done_fn(void *ctx, enum cimd_err e,
    const struct cimd_error *err, unsigned int retry_after);

struct gate_settings {
	uint32_t rate;      /* fetches a minute over all hosts */
	uint32_t rate_host; /* fetches a minute to one host */
	gate_work_fn *work;
	gate_free_fn *free_arg; /* NULL: arg needs none */
	void *ctx;              /* for work */
};

/*
 * Starts no thread before the first flight; then threads come as they are
 * needed and stay until gate_free().  NULL: out of memory.
 */
struct gate *gate_new(const struct gate_settings *settings);

/*
 * Stop: queued flights end with CIMD_E_BUSY, running ones are waited for.
 * No gate_start() may be under way.  Accepts NULL; sets *g to NULL.
 */
void gate_free(struct gate **g);

/* New rates; what is spent stays spent. */
void gate_set_rates(struct gate *g, uint32_t rate, uint32_t rate_host);

struct gate_ask {
	struct span url;
	uint32_t variant; /* part of the key: other ways to judge an answer */
	struct span host;
	bool known;         /* may use what is in reserve */
	bool force;         /* an administrator asks: no limiter */
	void *arg;          /* taken, also on failure */
	gate_done_fn *done; /* NULL: nobody waits (soft refresh) */
	void *ctx;
};

/*
 * Join the flight for (url, variant), or open one if limiter and budgets
 * allow.  done is called exactly once, in this or another thread, at the
 * latest CIMD_LOOKUP_MS from now, with no lock held: when the flight is over
 * with what work returned, or when it cannot start in time (CIMD_E_LIMITED,
 * CIMD_E_BUSY, CIMD_E_NO_MEMORY) or does not end in time (CIMD_E_TIMEOUT).
 * The result of one flight is for all who wait, also of a failing one, and
 * counts as one attempt for that url and variant.
 */
void gate_start(struct gate *g, const struct gate_ask *ask);

/*
 * Spend a fetch to another host than the flight's own, from within its work.
 * known: out of the reserve too.  Fails with: CIMD_E_BUSY.
 */
enum cimd_err gate_spend(struct gate *g, struct span host, bool known,
    struct cimd_error *err);

/* Figures for metrics. */
struct gate_figures {
	uint32_t running, queued; /* flights at present */
	uint64_t started, joined, limited, busy;
};
void gate_read(struct gate *g, struct gate_figures *out);

#endif /* GATE_H */
