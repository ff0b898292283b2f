/*
 * resolve.h - the whole pipeline
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: all; in: request; out: decision; touches what its steps touch
 */

#ifndef RESOLVE_H
#define RESOLVE_H

#include "decision.h"
#include "resolver.h"

enum {
	/* "consumer/tenant" and NUL; a consumer's name has up to 64 letters */
	LOOKUP_TENANT = 64 + 1 + CIMD_MAX_TENANT + 1
};

/*
 * One lookup on its way.  The caller owns the struct and everything that
 * request points to until lookup_clear(); the struct must not move.
 */
struct lookup {
	struct cimd *r;
	struct cimd_request request;
	const struct consumer *consumer; /* NULL: the process itself */
	uint32_t consumer_index;
	struct setup *setup;
	struct policy *realm;
	struct url url;
	struct entry *known; /* what the table had; may be NULL */
	struct verdict verdict;
	int64_t started_us;
	const char *remote_addr; /* for the log; NULL: not known */
	bool force;   /* an administrator's refresh: no attempt limiter */
	bool fetched; /* a fetch was waited for */
	bool counted; /* this lookup is in the activity */
};

/* Start one; clear it with lookup_clear(). */
void lookup_init(struct lookup *l, struct cimd *r,
    const struct cimd_request *request);

/*
 * Steps 1 and 2: parse, find the rules.  who is NULL for the process itself,
 * or when the request names the consumer.
 */
enum cimd_err lookup_begin(struct lookup *l, const struct cimd_caller *who,
    struct cimd_error *err);

/*
 * Step 3 and on, after lookup_begin(): answer from the store.  *fetch is true
 * when a fetch must come first: call lookup_fetch(), then lookup_finish().
 */
enum cimd_err lookup_try(struct lookup *l, bool *fetch,
    struct cimd_decision **out, struct cimd_error *err);

/*
 * All steps until a fetch: what the table concluded before, or lookup_begin()
 * and lookup_try().  The verdict of l is there only if they ran.
 */
enum cimd_err lookup_answer(struct lookup *l, const struct cimd_caller *who,
    bool *fetch, struct cimd_decision **out, struct cimd_error *err);

/* Step 4 to 7: start or join the flight; done is called exactly once. */
enum cimd_err lookup_fetch(struct lookup *l, gate_done_fn *done, void *ctx,
    struct cimd_error *err);

/* After the flight, which ended with flight: answer, stale if need be. */
enum cimd_err lookup_finish(struct lookup *l, enum cimd_err flight,
    const struct cimd_error *flight_err, struct cimd_decision **out,
    struct cimd_error *err);

/* Who asks: the consumer section, or a refusal (lookup.c). */
enum cimd_err lookup_consumer(struct lookup *l, const struct cimd_caller *who,
    struct cimd_error *err);

/*
 * Who has a baseline of its own (entry.h): "consumer/tenant" where it is the
 * realm that wants updates to wait, else "".
 */
void lookup_tenant(const struct lookup *l, char out[LOOKUP_TENANT]);

/* Start a refresh that nobody waits for. */
void lookup_refresh(const struct lookup *l);

/* WARN_* bits that entry, state and setup add to a decision. */
uint64_t lookup_warnings(const struct lookup *l, const struct entry *e,
    enum source_state state);

/* Count and log the outcome, once per lookup. */
void lookup_report(struct lookup *l, enum cimd_err e,
    const struct cimd_error *err);

/* Write a log line about l; event is "lookup", "assertion" ... */
void lookup_log(struct lookup *l, const char *event, enum cimd_err e,
    const struct cimd_error *err);

/* "authorize", "token", "display". */
const char *purpose_name(enum cimd_purpose p);

/* Release what the lookup holds; a decision lives on. */
void lookup_clear(struct lookup *l);

/*
 * The work of one flight (refresh.c): fetch, check, store.  ctx is the
 * struct cimd, arg a struct refresh; a gate_work_fn.
 */
struct refresh {
	struct setup *setup;
	struct policy *realm;
	struct verdict verdict;
	char *client_id;
	struct url url; /* points into client_id */
	char tenant[LOOKUP_TENANT];
};
struct refresh *refresh_new(const struct lookup *l);
void refresh_free(void *arg);
enum cimd_err refresh_work(void *ctx, void *arg, int64_t deadline_ms,
    struct cimd_error *err);

/*
 * May the fetch for a client use the budgets' reserve?  Those that are kept
 * may, and those that a rule names; but URLs that match a pattern or a
 * default are as many as strangers make up.
 */
bool refresh_is_known(const struct verdict *v, const struct entry *e);

/*
 * The first document under "pinned" or "approve" is the tenant's yardstick
 * for all later ones, unless the rule wants an administrator to see it first.
 */
bool refresh_wants_baseline(const struct verdict *v, const struct entry *e,
    const char *tenant);

/*
 * Make live the tenant's yardstick, unless there is one by now or the client
 * was blocked.  Fails with: CIMD_E_PENDING (so many tenants have one that an
 * administrator has to approve one for all), CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err refresh_baseline(struct cimd *r, const char *tenant,
    const struct cimd_client *live, struct cimd_error *err);

#endif /* RESOLVE_H */
