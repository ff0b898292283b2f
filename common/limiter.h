/*
 * limiter.h - attempts per URL, budgets per host and overall
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 4; in: keys, given time; out: yes or seconds to wait; touches
 * nothing (the gate holds its lock around every call)
 *
 * Errors are never cached (section 5.2).  Instead a URL that failed may be
 * tried again after 1 s, then 2 s ... up to 60 s; ten minutes without a
 * failure begin at 1 s again.
 *
 * A budget is a bucket that holds the fetches of a minute and fills up
 * steadily.  A quarter of it is in reserve for known clients.
 *
 * Fixed memory, in which nothing that still limits a host is ever given up:
 * only a full bucket leaves the table of hosts, and without room for another
 * host the answer is LIMITER_BUSY.  The table of URLs drops the failure that
 * is longest ago; that URL is then held by the budget of its host.
 */

#ifndef LIMITER_H
#define LIMITER_H

#include "cimd_int.h"

struct limiter;

/* What the tables hold; the budget of a default minute is 600 fetches. */
enum {
	LIMITER_URLS = 8192,
	LIMITER_HOSTS = 4096,
};

/*
 * rate, rate_host: fetches a minute over all hosts and to one host.  key:
 * 16 random bytes for the hash of attacker-chosen names.  NULL: no memory.
 */
struct limiter *limiter_new(uint32_t rate, uint32_t rate_host,
    const uint8_t key[16]);

/* Accepts NULL; sets *l to NULL. */
void limiter_free(struct limiter **l);

/* New rates; what is spent stays spent, who waits waits on. */
void limiter_set_rates(struct limiter *l, uint32_t rate, uint32_t rate_host);

enum limiter_answer {
	LIMITER_GO = 0,
	LIMITER_WAIT, /* this URL failed a moment ago */
	LIMITER_BUSY, /* the budget of the host or of all is spent */
};

struct limiter_ask {
	struct span url;
	struct span host; /* in lower case */
	bool known;       /* may use the reserve: a quarter of every budget */
	bool force;       /* an administrator's fetch: always GO, spends none */
	bool peek;        /* only ask: spend nothing */
	int64_t now_ms;
};

/* May a fetch start?  GO spends from the budgets; else 1 <= *wait_s <= 60. */
enum limiter_answer limiter_ask(struct limiter *l,
    const struct limiter_ask *ask, unsigned int *wait_s);

/*
 * The fetch ended: failure doubles the wait, success forgets it.  Returns
 * the seconds until the next attempt; 0 after success.
 */
unsigned int limiter_result(struct limiter *l, struct span url, bool ok,
    int64_t now_ms);

/*
 * A fetch from this host (in lower case) took long.  Slots of the gate are
 * scarce, so the host pays half a minute's budget for it, though nothing out
 * of the reserve for known clients.
 */
void limiter_slow(struct limiter *l, struct span host, int64_t now_ms);

#endif /* LIMITER_H */
