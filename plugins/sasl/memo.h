/*
 * memo.h - answers of a moment ago
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: answers; out: the same; touches nothing
 *
 * One PLAIN login makes libsasl2 ask four times for the same name, within a
 * millisecond and before any password is looked at.  The answer is kept for
 * that: at most MEMO_MS, for the same connection, service and client_id.  The
 * address of the peer belongs to a connection, because memory is used again.
 *
 * Any thread.  It never waits: where another thread holds the memo, which in
 * a child after fork() may be for ever, nothing is kept.
 */

#ifndef MEMO_H
#define MEMO_H

#include <pthread.h>

#include "sasl_cimd.h"

enum {
	MEMO_MS = 2000,     /* from the answer on */
	MEMO_ANSWERS = 8,   /* threads that log somebody in at once */
	MEMO_MAX_TEXT = 64, /* bytes of service and peer; longer: no memo */
};

struct memo_key {
	const void *conn;
	const char *service; /* "" for none */
	const char *peer;    /* address and port; "" where it is not known */
	const char *id;
	size_t id_len; /* at most SASL_CIMD_MAX_ID */
};

struct memo_slot {
	struct cimdclient_answer *answer; /* NULL: the slot is free */
	int64_t born_ms;
	const void *conn;
	char service[MEMO_MAX_TEXT + 1];
	char peer[MEMO_MAX_TEXT + 1];
	char id[SASL_CIMD_MAX_ID];
	size_t id_len;
};

struct memo {
	pthread_mutex_t lock;
	struct memo_slot slot[MEMO_ANSWERS];
};

/* False: no memory. */
bool memo_init(struct memo *m);

void memo_clear(struct memo *m);

/*
 * Take the answer out, and when it was born; NULL: there is none.  The caller
 * owns it, and gives it back with memo_put() once it is used.
 */
struct cimdclient_answer *memo_take(struct memo *m, const struct memo_key *key,
    int64_t now_ms, int64_t *born_ms);

/* Keep an answer, in the place of the oldest one; takes *a in any case. */
void memo_put(struct memo *m, const struct memo_key *key, int64_t born_ms,
    struct cimdclient_answer **a);

#endif /* MEMO_H */
