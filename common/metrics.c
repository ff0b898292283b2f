/*
 * metrics.c - counters and latency histograms
 * SPDX-License-Identifier: Apache-2.0
 */

#include <inttypes.h>
#include <stdatomic.h>

#include "metrics.h"

static_assert((int)CIMD_E_INTERNAL < (int)METRICS_CODES, "codes fit");

/* Upper bounds in microseconds, and the same in seconds for the label. */
static const struct {
	int64_t us;
	const char *seconds;
} bounds[METRICS_BUCKETS] = {
	{ 1, "1e-06" },
	{ 5, "5e-06" },
	{ 10, "1e-05" },
	{ 50, "5e-05" },
	{ 100, "0.0001" },
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 5000, "0.005" },
	{ 20000, "0.02" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 1000000, "1" },
	{ 2000000, "2" },
	{ 4000000, "4" },
};

static const char *const ways[METRICS_WAYS] = {
	[METRICS_STORED] = "stored",
	[METRICS_FETCHED] = "fetched",
};

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
metrics_lookup(struct metrics *m, uint32_t consumer, enum cimd_err code,
    enum metrics_way way, int64_t us)
{
	struct metrics_histogram *h = &m->latency[way];
	size_t i;

	add(&m->lookup[consumer % METRICS_CONSUMERS][code], 1);
	for (i = 0; i < METRICS_BUCKETS && us > bounds[i].us; i++)
		continue;
	add(&h->bucket[i], 1);
	add(&h->sum_us, us > 0 ? (uint64_t)us : 0);
}

void
metrics_assertion(struct metrics *m, uint32_t consumer, enum cimd_err code)
{
	add(&m->assertion[consumer % METRICS_CONSUMERS][code], 1);
}

void
metrics_fetch(struct metrics *m, enum cimd_err code)
{
	add(&m->fetch[code], 1);
}

static void
write_head(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

/* A label value: configuration chooses consumers' names. */
static void
write_label(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)fputc('\\', out);
		(void)fputc(*s >= 0x20 ? *s : '?', out);
	}
}

static void
write_row(FILE *out, const char *metric, const char *consumer,
    const uint64_t row[METRICS_CODES])
{
	int code;

	for (code = 0; code < METRICS_CODES; code++) {
		if (row[code] == 0)
			continue;
		(void)fprintf(out, "%s{consumer=\"", metric);
		write_label(out, consumer);
		(void)fprintf(out, "\",code=\"%s\"} %" PRIu64 "\n",
		    cimd_err_name((enum cimd_err)code), row[code]);
	}
}

static void
write_table(FILE *out, const char *metric,
    const _Atomic uint64_t table[METRICS_CONSUMERS][METRICS_CODES],
    const struct metrics_names *names)
{
	uint64_t row[METRICS_CODES], rest[METRICS_CODES] = { 0 };
	const char *name;
	uint32_t i;
	int code;

	for (i = 0; i < METRICS_CONSUMERS; i++) {
		if ((name = names->fn(names->ctx, i)) == NULL)
			break;
		for (code = 0; code < METRICS_CODES; code++)
			row[code] = get(&table[i][code]);
		if (names->which == METRICS_ALL || names->which == i) {
			write_row(out, metric, name, row);
			continue;
		}
		for (code = 0; code < METRICS_CODES; code++)
			rest[code] += row[code];
	}
	write_row(out, metric, "", rest);
}

static void
write_histogram(FILE *out, const struct metrics_histogram *h, const char *way)
{
	static const char metric[] = "cimd_lookup_duration_seconds";
	uint64_t sum = 0, us = get(&h->sum_us);
	size_t i;

	for (i = 0; i < METRICS_BUCKETS; i++) {
		sum += get(&h->bucket[i]);
		(void)fprintf(out,
		    "%s_bucket{way=\"%s\",le=\"%s\"} %" PRIu64 "\n", metric,
		    way, bounds[i].seconds, sum);
	}
	sum += get(&h->bucket[METRICS_BUCKETS]);
	(void)fprintf(out, "%s_bucket{way=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
	    metric, way, sum);
	(void)fprintf(out, "%s_sum{way=\"%s\"} %.6f\n", metric, way,
	    (double)us / 1e6);
	(void)fprintf(out, "%s_count{way=\"%s\"} %" PRIu64 "\n", metric, way,
	    sum);
}

void
metrics_write(const struct metrics *m, const struct metrics_names *names,
    FILE *out)
{
	int code;
	size_t way;

	write_head(out, "cimd_lookups_total", "counter",
	    "Lookups by consumer and outcome.");
	write_table(out, "cimd_lookups_total", m->lookup, names);
	write_head(out, "cimd_assertions_total", "counter",
	    "Client assertions by consumer and outcome.");
	write_table(out, "cimd_assertions_total", m->assertion, names);
	write_head(out, "cimd_fetches_total", "counter",
	    "Fetches of documents by outcome.");
	for (code = 0; code < METRICS_CODES; code++)
		if (get(&m->fetch[code]) != 0)
			(void)fprintf(out,
			    "cimd_fetches_total{code=\"%s\"} %" PRIu64 "\n",
			    cimd_err_name((enum cimd_err)code),
			    get(&m->fetch[code]));
	write_head(out, "cimd_lookup_duration_seconds", "histogram",
	    "Time to answer a lookup, by where the answer came from.");
	for (way = 0; way < METRICS_WAYS; way++)
		write_histogram(out, &m->latency[way], ways[way]);
}
