/*
 * freshness.h - how long a document may be used (section 5.2, RFC 9111)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 7; in: header facts, bounds, given time; out: times; touches nothing
 */

#ifndef FRESHNESS_H
#define FRESHNESS_H

#include "http_headers.h"

struct freshness_bounds {
	int64_t min_s, max_s, default_s;
};

/* Times in seconds, UTC. */
struct freshness {
	int64_t fetched_at;
	int64_t refresh_at; /* soft refresh by one holder from here on (80 %) */
	int64_t expires_at;
	bool floor_only; /* no-store and its like: never served stale */
};

/*
 * When a response of facts, received at now, is to be refreshed and when it
 * expires.  random is any 32 random bits; the life is shortened by up to
 * 10 % with it, never below min_s.
 */
void freshness_compute(const struct http_facts *facts,
    const struct freshness_bounds *bounds, int64_t now, uint32_t random,
    struct freshness *out);

enum freshness_state {
	FRESH = 0,
	FRESH_REFRESH, /* fresh, but the soft refresh is due */
	STALE,         /* expired; may be served after an outage */
	TOO_OLD,       /* expired, and no stale window is left */
};

/*
 * State at now; stale_s is the window for the purpose (0: none).  A clock
 * that went backwards before fetched_at makes a record STALE, not immortal.
 */
enum freshness_state freshness_state(const struct freshness *f, int64_t now,
    int64_t stale_s);

#endif /* FRESHNESS_H */
