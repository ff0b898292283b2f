/*
 * freshness.c - how long a document may be used (section 5.2, RFC 9111)
 * SPDX-License-Identifier: Apache-2.0
 */

#include "freshness.h"

enum {
	JITTER_PERCENT = 10,
	REFRESH_PERCENT = 80,
};

/*
 * RFC 9111 4.2.3 for a response received at now.  The few seconds that the
 * fetch took are left out: they are far below the shortest life.
 */
static int64_t
current_age(const struct http_facts *facts, int64_t now)
{
	int64_t age = facts->age > 0 ? facts->age : 0;

	if (facts->date != -1 && now - facts->date > age)
		age = now - facts->date;
	return age;
}

/*
 * RFC 9111 4.2.1 for a shared cache, minus the age; may be negative.
 * *past: an Expires that is over decides.
 */
static int64_t
remaining(const struct http_facts *facts, int64_t default_s, int64_t now,
    bool *past)
{
	int64_t age = current_age(facts, now);
	int64_t life;

	*past = false;
	if (facts->s_maxage != -1)
		return facts->s_maxage - age;
	if (facts->max_age != -1)
		return facts->max_age - age;
	if (facts->expires == -1)
		return default_s;
	life = facts->expires - (facts->date != -1 ? facts->date : now) - age;
	*past = life <= 0;
	return life;
}

static int64_t
clamp(int64_t n, int64_t min, int64_t max)
{
	if (n > max)
		n = max;
	return n < min ? min : n;
}

void
freshness_compute(const struct http_facts *facts,
    const struct freshness_bounds *bounds, int64_t now, uint32_t random,
    struct freshness *out)
{
	int64_t life, cut;
	bool past;

	life = remaining(facts, bounds->default_s, now, &past);
	out->floor_only = past || facts->no_store || facts->no_cache ||
	    facts->is_private || facts->vary_any;
	if (out->floor_only)
		life = 0;
	life = clamp(life, bounds->min_s, bounds->max_s);
	cut = (int64_t)((uint64_t)life * JITTER_PERCENT / 100 * random >> 32);
	life = clamp(life - cut, bounds->min_s, bounds->max_s);
	out->fetched_at = now;
	out->refresh_at = now + life * REFRESH_PERCENT / 100;
	out->expires_at = now + life;
}

enum freshness_state
freshness_state(const struct freshness *f, int64_t now, int64_t stale_s)
{
	int64_t past;

	if (now >= f->fetched_at && now < f->refresh_at)
		return FRESH;
	if (now >= f->fetched_at && now < f->expires_at)
		return FRESH_REFRESH;
	if (f->floor_only)
		return TOO_OLD;
	if (stale_s > CIMD_STALE_MAX_S)
		stale_s = CIMD_STALE_MAX_S;
	past = now < f->fetched_at ? f->fetched_at - now : now - f->expires_at;
	return past < stale_s ? STALE : TOO_OLD;
}
