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

/* The name of a consumer index; NULL ends the consumers. */
typedef const char *metrics_name_fn(void *ctx, uint32_t consumer);

/* Write Prometheus text (exposition format 0.0.4). */
void metrics_write(const struct metrics *m, metrics_name_fn *name, void *ctx,
    FILE *out);

#endif /* METRICS_H */
