/*
 * stage.h - a gate whose work waits for the test
 * SPDX-License-Identifier: Apache-2.0
 *
 * All waiting is for conditions, and a minute without one is a failure.
 */

#ifndef STAGE_H
#define STAGE_H

#include <pthread.h>

#include "gate.h"

/* Everything that threads of the gate did, and what they wait for. */
struct stage {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;       /* work waits until this is false */
	enum cimd_err e; /* what work returns */
	uint32_t running, most_running, runs;
	uint32_t freed; /* args */
	int64_t deadline_ms;
	bool signals_blocked;
	struct gate *gate;
};

/* What one caller was told. */
struct answer {
	struct stage *stage;
	uint32_t told;
	enum cimd_err e;
	struct cimd_error err;
	unsigned int retry_after;
	int64_t told_ms;
};

/* Every access to a stage that runs. */
void stage_lock(struct stage *s);
void stage_unlock(struct stage *s);

/* A new gate with these rates a minute, over all and for each host. */
void stage_open(struct stage *s, uint32_t rate, uint32_t rate_host);
void stage_close(struct stage *s);

/* Let work wait, or go on. */
void stage_hold(struct stage *s, bool held);

/* A question, with a for the answer; NULL: nobody waits. */
struct gate_ask stage_ask(struct stage *s, const char *url, const char *host,
    struct answer *a);

/* Ask it: an unknown URL. */
void stage_start(struct stage *s, const char *url, const char *host,
    struct answer *a);

/* Wait until somebody was told, or until so much work runs at once. */
void stage_wait_told(struct answer *a);
void stage_wait_running(struct stage *s, uint32_t n);

#endif /* STAGE_H */
