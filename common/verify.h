/*
 * verify.h - verify a client assertion and use up its jti (section 6.2)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: request, token; out: verdict; touches what a lookup does
 */

#ifndef VERIFY_H
#define VERIFY_H

#include "resolve.h"

/*
 * How it ended.  decision is the client's, borrowed until the function
 * returns, and NULL when the lookup already failed.
 */
typedef void verify_done_fn(void *ctx, enum cimd_err e,
    const struct cimd_error *err, unsigned int retry_after,
    const struct cimd_decision *decision);

/*
 * Look the client up, verify token for one of the audiences of the consumer
 * that asks, use up its jti.  An unknown kid makes the keys be fetched
 * again, once, and not sooner than CIMD_TTL_MIN_S after the last time.
 * What request points to, and token, must live until done, which is called
 * exactly once, in this or another thread.
 */
struct verify_ask {
	struct cimd_request request;   /* purpose is taken as CIMD_TOKEN */
	const struct cimd_caller *who; /* NULL: the process itself */
	struct span token;
	const char *const *audiences; /* of the consumer's only these, up to a
					 NULL; NULL: all of them */
	const char *remote_addr;      /* NULL: not known */
	verify_done_fn *done;
	void *ctx;
};
void verify_start(struct cimd *r, const struct verify_ask *ask);

#endif /* VERIFY_H */
