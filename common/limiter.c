/*
 * limiter.c - attempts per URL, budgets per host and overall
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "limiter.h"
#include "tagmap.h"

enum {
	WAIT_MAX_S = 60,
	FORGET_MS = 600000, /* without a failure: begin at 1 s again */
	MINUTE_MS = 60000,
};

/*
 * A bucket counts in sixty-thousandths of a fetch, so that a millisecond
 * adds the rate of a minute and nothing is ever rounded.
 */
#define FETCH UINT64_C(60000)

struct bucket {
	uint64_t level;
	int64_t at_ms;
};

struct attempt {
	int64_t not_before_ms;
	uint32_t failures;
};

struct limiter {
	uint8_t key[16];
	uint32_t rate, rate_host;
	bool started; /* all has a time */
	struct bucket all;
	struct tagmap urls, hosts;
	struct attempt *attempt; /* by slot of urls */
	struct bucket *bucket;   /* by slot of hosts */
};

struct limiter *
limiter_new(uint32_t rate, uint32_t rate_host, const uint8_t key[16])
{
	struct limiter *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	memcpy(l->key, key, sizeof(l->key));
	l->rate = rate;
	l->rate_host = rate_host;
	l->attempt = calloc(LIMITER_URLS, sizeof(*l->attempt));
	l->bucket = calloc(LIMITER_HOSTS, sizeof(*l->bucket));
	if (l->attempt == NULL || l->bucket == NULL ||
	    !tagmap_init(&l->urls, LIMITER_URLS) ||
	    !tagmap_init(&l->hosts, LIMITER_HOSTS))
		limiter_free(&l);
	return l;
}

void
limiter_free(struct limiter **l)
{
	if (*l == NULL)
		return;
	tagmap_clear(&(*l)->urls);
	tagmap_clear(&(*l)->hosts);
	free((*l)->attempt);
	free((*l)->bucket);
	free(*l);
	*l = NULL;
}

void
limiter_set_rates(struct limiter *l, uint32_t rate, uint32_t rate_host)
{
	l->rate = rate;
	l->rate_host = rate_host;
}

/* The level at now_ms.  A clock that stands still or goes back adds none. */
static uint64_t
level_at(const struct bucket *b, uint32_t rate, int64_t now_ms)
{
	const uint64_t full = FETCH * rate;
	int64_t passed = now_ms - b->at_ms;
	uint64_t level = b->level;

	if (passed > MINUTE_MS)
		passed = MINUTE_MS;
	if (passed > 0)
		level += (uint64_t)passed * rate;
	return level < full ? level : full;
}

/* What must be in a bucket before this caller may take one fetch. */
static uint64_t
needed(uint32_t rate, bool known)
{
	return FETCH * (1 + (known ? 0 : rate / 4));
}

static unsigned int
clamp_wait(uint64_t wait_s)
{
	if (wait_s < 1)
		return 1;
	return wait_s > WAIT_MAX_S ? WAIT_MAX_S : (unsigned int)wait_s;
}

/* Seconds until level has grown to need; 0: it has. */
static unsigned int
seconds_until(uint64_t level, uint64_t need, uint32_t rate)
{
	if (level >= need)
		return 0;
	if (rate == 0)
		return WAIT_MAX_S;
	return clamp_wait((need - level + rate * UINT64_C(1000) - 1) /
	    (rate * UINT64_C(1000)));
}

static void
spend(struct bucket *b, uint64_t left, int64_t now_ms)
{
	b->level = left;
	b->at_ms = now_ms;
}

/*
 * A slot for a host that has none, so whose bucket is full.  The oldest
 * slot makes room if its bucket is full too; else *wait_s says when.
 */
static uint32_t
new_host(struct limiter *l, struct tag tag, int64_t now_ms,
    unsigned int *wait_s)
{
	const uint64_t full = FETCH * l->rate_host;
	uint32_t slot = l->hosts.oldest;
	uint64_t level;

	if (l->hosts.used == l->hosts.capacity) {
		level = level_at(&l->bucket[slot], l->rate_host, now_ms);
		*wait_s = seconds_until(level, full, l->rate_host);
		if (*wait_s > 0)
			return TAGMAP_NONE;
		tagmap_remove(&l->hosts, slot);
	}
	slot = tagmap_add(&l->hosts, tag);
	l->bucket[slot].level = full;
	l->bucket[slot].at_ms = now_ms;
	return slot;
}

/* Take one fetch from both buckets, or from neither. */
static enum limiter_answer
ask_budgets(struct limiter *l, const struct limiter_ask *ask,
    unsigned int *wait_s)
{
	const struct tag tag = siphash_tag(l->key, ask->host.p, ask->host.n);
	uint64_t all, host;
	uint32_t slot;

	if (!l->started) {
		l->started = true;
		l->all.level = FETCH * l->rate;
		l->all.at_ms = ask->now_ms;
	}
	all = level_at(&l->all, l->rate, ask->now_ms);
	*wait_s = seconds_until(all, needed(l->rate, ask->known), l->rate);
	if (*wait_s > 0)
		return LIMITER_BUSY;
	slot = tagmap_find(&l->hosts, tag);
	if (slot == TAGMAP_NONE && ask->peek &&
	    l->hosts.used < l->hosts.capacity && l->rate_host > 0)
		return LIMITER_GO;
	if (slot == TAGMAP_NONE)
		slot = new_host(l, tag, ask->now_ms, wait_s);
	if (slot == TAGMAP_NONE)
		return LIMITER_BUSY;
	host = level_at(&l->bucket[slot], l->rate_host, ask->now_ms);
	*wait_s =
	    seconds_until(host, needed(l->rate_host, ask->known), l->rate_host);
	if (*wait_s > 0)
		return LIMITER_BUSY;
	if (ask->peek)
		return LIMITER_GO;
	spend(&l->all, all - FETCH, ask->now_ms);
	spend(&l->bucket[slot], host - FETCH, ask->now_ms);
	tagmap_touch(&l->hosts, slot);
	return LIMITER_GO;
}

enum limiter_answer
limiter_ask(struct limiter *l, const struct limiter_ask *ask,
    unsigned int *wait_s)
{
	int64_t left_ms;
	uint32_t slot;

	*wait_s = 0;
	if (ask->force)
		return LIMITER_GO;
	slot =
	    tagmap_find(&l->urls, siphash_tag(l->key, ask->url.p, ask->url.n));
	if (slot != TAGMAP_NONE) {
		left_ms = l->attempt[slot].not_before_ms - ask->now_ms;
		if (left_ms > 0) {
			*wait_s = clamp_wait(((uint64_t)left_ms + 999) / 1000);
			return LIMITER_WAIT;
		}
	}
	return ask_budgets(l, ask, wait_s);
}

/* 1, 2, 4 ... 32, 60. */
static unsigned int
wait_after(uint32_t failures)
{
	return failures > 6 ? WAIT_MAX_S : 1U << (failures - 1);
}

unsigned int
limiter_result(struct limiter *l, struct span url, bool ok, int64_t now_ms)
{
	const struct tag tag = siphash_tag(l->key, url.p, url.n);
	uint32_t slot = tagmap_find(&l->urls, tag);
	struct attempt *a;

	if (ok) {
		if (slot != TAGMAP_NONE)
			tagmap_remove(&l->urls, slot);
		return 0;
	}
	if (slot == TAGMAP_NONE) {
		if (l->urls.used == l->urls.capacity)
			tagmap_remove(&l->urls, l->urls.oldest);
		slot = tagmap_add(&l->urls, tag);
		memset(&l->attempt[slot], 0, sizeof(l->attempt[slot]));
	}
	tagmap_touch(&l->urls, slot);
	a = &l->attempt[slot];
	if (a->failures > 0 && now_ms - a->not_before_ms > FORGET_MS)
		a->failures = 0;
	if (a->failures <= 6)
		a->failures++;
	a->not_before_ms = now_ms + (int64_t)wait_after(a->failures) * 1000;
	return wait_after(a->failures);
}

void
limiter_slow(struct limiter *l, struct span host, int64_t now_ms)
{
	const uint64_t reserve = FETCH * (l->rate_host / 4);
	const uint64_t price = FETCH * (l->rate_host / 2);
	uint64_t level;
	uint32_t slot;

	slot = tagmap_find(&l->hosts, siphash_tag(l->key, host.p, host.n));
	if (slot == TAGMAP_NONE)
		return;
	level = level_at(&l->bucket[slot], l->rate_host, now_ms);
	if (level <= reserve)
		return;
	spend(&l->bucket[slot],
	    level - reserve > price ? level - price : reserve, now_ms);
	tagmap_touch(&l->hosts, slot);
}
