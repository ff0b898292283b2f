/*
 * decision.h - what a lookup answers, shared by all that get the same answer
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 9; immutable, reference-counted; touches nothing
 *
 * A conclusion is what the rules make of an entry; it does not depend on the
 * redirect URI that a request asks about.  A decision is a conclusion and one
 * bit: is that URI allowed?  So a conclusion holds both decisions that can be
 * made of it, and a lookup that finds one in the table allocates nothing.
 */

#ifndef DECISION_H
#define DECISION_H

#include <stdalign.h>

#include "decide.h"
#include "entry.h"
#include "setup.h"

/* How fresh the record is that a decision stands on. */
enum source_state {
	SOURCE_FRESH = 0,
	SOURCE_STALE,
	SOURCE_PINNED, /* an approved record while the live one differs */
};

/* For the C API; always a part of its conclusion. */
struct cimd_decision {
	bool redirect_ok;
};

/*
 * What a hit looks at comes first and is two cache lines: it waits for each
 * that it touches.
 */
struct conclusion {
	alignas(64) _Atomic uint32_t refs;
	bool lasts; /* may answer others, from since to until */
	struct cimd_decision decision[2]; /* by redirect_ok */
	int64_t since, until; /* seconds, UTC; until is the first too late */
	struct setup *setup;  /* under which; holds the machine's rules */
	const struct consumer *consumer; /* for whom; setup's; may be NULL */
	char client_id[88]; /* the entry's; empty if it is longer */

	struct decision d;
	struct verdict verdict;
	struct policy *realm; /* holds the realm's rules; may be NULL */
	struct entry *entry;
	struct cimd_client *client;
	enum source_state state;
};

static_assert(sizeof(void *) != 8 || offsetof(struct conclusion, d) == 128,
    "two lines");

/* The conclusion that a decision is a part of. */
static inline const struct conclusion *
decision_of(const struct cimd_decision *d)
{
	return (const void *)((const char *)(d - d->redirect_ok) -
	    offsetof(struct conclusion, decision));
}

/*
 * A zeroed conclusion with one reference, which takes references of its own
 * to all that it is made of.  realm may be NULL.  NULL: out of memory.
 */
struct conclusion *conclusion_new(struct setup *setup, struct policy *realm,
    struct entry *entry, struct cimd_client *client);

struct conclusion *conclusion_ref(struct conclusion *c);

/* Drop a reference; accepts NULL; sets *c to NULL.  Thread-safe. */
void conclusion_free(struct conclusion **c);

/*
 * Is c, which the table has for a client, still what a lookup of that client
 * would come to at now?
 */
bool conclusion_holds(const struct conclusion *c, const struct setup *setup,
    const struct consumer *consumer, int64_t now);

/* The decision for a request; it takes over the reference to c. */
struct cimd_decision *conclusion_decide(struct conclusion *c,
    struct span redirect_uri);

#endif /* DECISION_H */
