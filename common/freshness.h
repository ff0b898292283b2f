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
 * expires: s-maxage, else max-age, else Expires minus Date, less the age
 * that Age and Date tell, within min_s and max_s; default_s if there is none
 * of them.  random is any 32 random bits; the life is shortened by up to
 * 10 % with it, never below min_s.  A response with no-store, no-cache,
 * private or "Vary: *", or whose life an Expires in the past decides, is
 * kept for min_s only.  must-revalidate is not looked at: min_s and the
 * stale window are the lower bounds that section 5.2 leaves to the server.
 * Bounds: 0 <= min_s, default_s and max_s, each at most 2^31.
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
 * State at now; stale_s is the window for the purpose (0: none), at most
 * CIMD_STALE_MAX_S of it.  A clock that went back before fetched_at makes a
 * record STALE, by less than the window, or TOO_OLD, never immortal.
 */
enum freshness_state freshness_state(const struct freshness *f, int64_t now,
    int64_t stale_s);

#endif /* FRESHNESS_H */
