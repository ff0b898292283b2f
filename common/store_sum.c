/*
 * store_sum.c - checksums over rows, which SQLite has none of
 * SPDX-License-Identifier: Apache-2.0
 *
 * They are there to find damage, not forgery: whoever may write the file
 * decides about every client anyway.
 */

#include <assert.h>

#include "store_int.h"

/* Part of the format of the file; never changes. */
static const uint8_t key[16] = "cimd row sums  1";

static void
add(struct sum *sum, uint64_t word)
{
	int i;

	assert(sum->n + 8 <= sizeof(sum->bytes));
	for (i = 0; i < 8; i++)
		sum->bytes[sum->n++] = (uint8_t)(word >> (8 * i));
}

void
sum_int(struct sum *sum, int64_t n)
{
	add(sum, (uint64_t)n);
}

void
sum_span(struct sum *sum, struct span s)
{
	const struct tag tag = siphash_tag(key, s.p, s.n);

	add(sum, s.p != NULL);
	add(sum, tag.a);
	add(sum, tag.b);
}

int64_t
sum_end(const struct sum *sum)
{
	const struct tag tag = siphash_tag(key, sum->bytes, sum->n);

	return (int64_t)(tag.a >> 1);
}

int64_t
sum_governance(struct span client_id, enum governance governance,
    struct span approved, int64_t baselines)
{
	struct sum sum = { .n = 0 };

	sum_span(&sum, client_id);
	sum_int(&sum, governance);
	sum_span(&sum, approved);
	if (baselines != 0) /* which rows of before schema 3 have not */
		sum_int(&sum, baselines);
	return sum_end(&sum);
}

int64_t
sum_baseline(struct span client_id, struct span tenant, struct span record)
{
	struct sum sum = { .n = 0 };

	sum_span(&sum, client_id);
	sum_span(&sum, tenant);
	sum_span(&sum, record);
	return sum_end(&sum);
}

int64_t
sum_document(const struct entry *e, struct span live)
{
	struct sum sum = { .n = 0 };

	sum_span(&sum, span_of(e->client_id));
	sum_int(&sum, e->freshness.fetched_at);
	sum_int(&sum, e->freshness.refresh_at);
	sum_int(&sum, e->freshness.expires_at);
	sum_int(&sum, e->freshness.floor_only);
	sum_span(&sum, span_of(e->etag));
	sum_span(&sum, span_of(e->last_modified));
	sum_span(&sum, live);
	return sum_end(&sum);
}
