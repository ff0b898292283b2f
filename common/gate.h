/*
 * gate.h - may this fetch start now? One flight per URL, limits, budgets
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 4; in: URL, host; out: one run of the work and its result for all
 * who wait; touches the clock and threads
 */

#ifndef GATE_H
#define GATE_H

#include "cimd_int.h"

struct gate;

/*
 * The work of one flight, run in a thread of the gate.  arg is what
 * gate_ask.arg of the caller that opened the flight was; the gate frees it
 * with free_arg when the flight is over.
 */
typedef enum cimd_err gate_work_fn(void *ctx, void *arg, int64_t deadline_ms,
    struct cimd_error *err);
typedef void gate_free_fn(void *arg);

/* How a flight ended, told to everyone who waited; retry_after in seconds. */
typedef void gate_done_fn(void *ctx, enum cimd_err e,
    const struct cimd_error *err, unsigned int retry_after);

struct gate_settings {
	uint32_t rate;      /* fetches a minute over all hosts */
	uint32_t rate_host; /* fetches a minute to one host */
	gate_work_fn *work;
	gate_free_fn *free_arg;
	void *ctx; /* for work */
};

/* Starts no thread before the first flight.  NULL: out of memory. */
struct gate *gate_new(const struct gate_settings *settings);

/*
 * Stop: queued flights end with CIMD_E_BUSY, running ones are waited for.
 * Accepts NULL; sets *g to NULL.
 */
void gate_free(struct gate **g);

void gate_set_rates(struct gate *g, uint32_t rate, uint32_t rate_host);

struct gate_ask {
	struct span url;
	uint32_t variant; /* part of the key: other ways to judge an answer */
	struct span host;
	bool known;         /* may use the reserve of the budgets */
	bool force;         /* an administrator asks: no attempt limiter */
	void *arg;          /* taken, also on failure */
	gate_done_fn *done; /* NULL: nobody waits (soft refresh) */
	void *ctx;
};

/*
 * Join the flight for (url, variant), or open one if limiter and budgets
 * allow.  done is called exactly once, in this or another thread, at the
 * latest CIMD_LOOKUP_MS from now, with no lock held: when the flight is over
 * or cannot start (CIMD_E_LIMITED, CIMD_E_BUSY, CIMD_E_TIMEOUT) or what
 * work returned.
 */
void gate_start(struct gate *g, const struct gate_ask *ask);

/* Figures for metrics. */
struct gate_figures {
	uint32_t running, queued;
	uint64_t started, joined, limited, busy;
};
void gate_read(struct gate *g, struct gate_figures *out);

#endif /* GATE_H */
