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

#include "decide.h"
#include "entry.h"
#include "setup.h"

/* How fresh the record is that a decision stands on. */
enum source_state {
	SOURCE_FRESH = 0,
	SOURCE_STALE,
	SOURCE_PINNED, /* an approved record while the live one differs */
};

/* For the C API; a part of its conclusion. */
struct cimd_decision {
	struct conclusion *of;
	bool redirect_ok;
};

struct conclusion {
	/* What the table looks at comes first: it is one cache line. */
	_Atomic uint32_t refs;
	bool lasts;           /* may answer others, from since to until */
	int64_t since, until; /* seconds, UTC; until is the first too late */
	struct setup *setup;  /* under which; holds the machine's rules */
	const struct consumer *consumer;  /* for whom; setup's; may be NULL */
	struct cimd_decision decision[2]; /* by redirect_ok */

	struct decision d;
	struct verdict verdict;
	struct policy *realm; /* holds the realm's rules; may be NULL */
	struct entry *entry;
	struct cimd_client *client;
	enum source_state state;
	char client_id[]; /* the entry's, near what is looked at with it */
};

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
