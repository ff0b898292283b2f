/*
 * limiter.h - attempts per URL, budgets per host and overall
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 4; in: keys, given time; out: yes or seconds to wait; touches
 * nothing (the gate holds its lock around every call)
 *
 * Errors are never cached (section 5.2).  Instead a URL that failed may be
 * tried again after 1 s, then 2 s ... up to 60 s.  Fixed memory.
 */

#ifndef LIMITER_H
#define LIMITER_H

#include "cimd_int.h"

struct limiter;

/* key: 16 random bytes for the hash of attacker-chosen names. */
struct limiter *limiter_new(uint32_t rate, uint32_t rate_host,
    const uint8_t key[16]);
void limiter_free(struct limiter **l);
void limiter_set_rates(struct limiter *l, uint32_t rate, uint32_t rate_host);

enum limiter_answer {
	LIMITER_GO = 0,
	LIMITER_WAIT, /* this URL failed a moment ago */
	LIMITER_BUSY, /* the budget of the host or of all is spent */
};

struct limiter_ask {
	struct span url;
	struct span host;
	bool known; /* may use the reserve: a quarter of every budget */
	bool force; /* an administrator's fetch: budgets are not asked */
	int64_t now_ms;
};

/* May a fetch start?  GO spends from the budgets; else *wait_s >= 1. */
enum limiter_answer limiter_ask(struct limiter *l,
    const struct limiter_ask *ask, unsigned int *wait_s);

/* The fetch ended: failure doubles the wait, success forgets it. */
void limiter_result(struct limiter *l, struct span url, bool ok,
    int64_t now_ms);

#endif /* LIMITER_H */
