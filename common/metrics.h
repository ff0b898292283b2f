/*
 * metrics.h - counters and latency histograms
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: outcomes; out: Prometheus text; touches nothing
 */

#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "cimd_int.h"

enum {
	METRICS_CODES = 128,    /* every cimd_err is below */
	METRICS_CONSUMERS = 32, /* TABLE_CONSUMERS */
	METRICS_BUCKETS = 14,
};

/* How an answer came about; each has its own histogram. */
enum metrics_way {
	METRICS_STORED = 0,
	METRICS_FETCHED,
	METRICS_WAYS
};

struct metrics_histogram {
	_Atomic uint64_t bucket[METRICS_BUCKETS + 1];
	_Atomic uint64_t sum_us;
};

struct metrics {
	_Atomic uint64_t lookup[METRICS_CONSUMERS][METRICS_CODES];
	_Atomic uint64_t assertion[METRICS_CONSUMERS][METRICS_CODES];
	_Atomic uint64_t fetch[METRICS_CODES];
	struct metrics_histogram latency[METRICS_WAYS];
};

/* Count one lookup (or assertion) of a consumer. */
void metrics_lookup(struct metrics *m, uint32_t consumer, enum cimd_err code,
    enum metrics_way way, int64_t us);
void metrics_assertion(struct metrics *m, uint32_t consumer,
    enum cimd_err code);

/* Count one fetch by its outcome. */
void metrics_fetch(struct metrics *m, enum cimd_err code);

/*
 * Names of consumers: fn gives that of an index, NULL ends them.  Only the
 * one of index which is named; all others together have the name "".
 */
struct metrics_names {
	const char *(*fn)(void *ctx, uint32_t consumer);
	void *ctx;
	uint32_t which; /* or one of these */
};
enum {
	METRICS_ALL = METRICS_CONSUMERS,
	METRICS_NOBODY
};

/* Write Prometheus text (exposition format 0.0.4). */
void metrics_write(const struct metrics *m, const struct metrics_names *names,
    FILE *out);

#endif /* METRICS_H */
