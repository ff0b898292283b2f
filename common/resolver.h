/*
 * resolver.h - the parts that one struct cimd holds together
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; owns policy, store, table, gate, fetcher, log, figures
 */

#ifndef RESOLVER_H
#define RESOLVER_H

#include <pthread.h>

#include "gate.h"
#include "log.h"
#include "metrics.h"
#include "setup.h"
#include "store.h"
#include "table.h"

enum {
	RESOLVER_REALMS = 16,  /* realm policies kept parsed */
	RESOLVER_OTHERS = 1,   /* index that consumers without one share */
	RESOLVER_FLUSH_S = 10, /* activity goes to the store this often */
	RESOLVER_SWEEP_S = 600
};

/* A realm's policy, kept parsed because each lookup carries it. */
struct realm_slot {
	char *json;
	size_t len;
	struct policy *machine; /* whose catalog it was read with */
	struct policy *policy;
	uint64_t used;
};

struct cimd {
	pthread_mutex_t lock;   /* setup, realms, consumers, opened, stop */
	pthread_cond_t wake;    /* housekeeping: stop was set */
	pthread_mutex_t govern; /* one word about clients at a time */
	struct setup *setup;
	struct realm_slot realm[RESOLVER_REALMS];
	uint64_t realm_clock;
	char *consumer[TABLE_CONSUMERS]; /* names by index; 0 is "", 1 "*" */
	uint32_t n_consumers;
	bool opened;
	bool stop;
	bool housekeeping; /* the thread runs */
	pthread_t housekeeper;
	int64_t started_at;
	struct store *store;
	struct table *table;
	struct gate *gate;
	struct log *log;
	struct metrics metrics;
};

/*
 * Open store and threads, if that was not done yet, and take a reference to
 * the setup of now (setup_free()).  Every lookup starts with this.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err resolver_enter(struct cimd *r, struct setup **out,
    struct cimd_error *err);

/*
 * A realm's policy, which may name clients of the machine's: parsed, or from
 * the few that are kept.  The caller owns *out (policy_free()).
 * Fails as policy_read_with(); bad JSON is CIMD_E_CONFIG.
 */
enum cimd_err resolver_realm(struct cimd *r, struct span json,
    struct policy *machine, struct policy **out, struct cimd_error *err);

/*
 * Index of a consumer's name, for counting and for nothing else: names that
 * find no room share RESOLVER_OTHERS.
 */
uint32_t resolver_consumer(struct cimd *r, const char *name);

/* Name of an index; borrowed for the life of r. */
const char *resolver_consumer_name(struct cimd *r, uint32_t index);

/*
 * What is known of a URL, from the table or the store; *out NULL with
 * CIMD_OK when nothing is.  counted: this is a use by consumer.
 */
enum cimd_err resolver_entry(struct cimd *r, struct span client_id,
    uint32_t consumer, bool counted, struct entry **out,
    struct cimd_error *err);

/*
 * Let the table answer with c as long as it holds: until then, until the
 * client changes, until the configuration does.
 */
void resolver_remember(struct cimd *r, struct conclusion *c);

/* Write activity to the store now. */
void resolver_flush(struct cimd *r);

#endif /* RESOLVER_H */
