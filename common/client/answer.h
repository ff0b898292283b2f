/*
 * answer.h - what cimdd answered, decoded strictly
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: status and JSON; out: an answer; touches nothing
 */

#ifndef ANSWER_H
#define ANSWER_H

#include "cimdclient.h"
#include "reply.h"

/* An answer without anything: CIMD_BROKEN.  NULL: no memory. */
struct cimdclient_answer *answer_new(void);

/* Where a fault is written to that answer_fail() will be told of. */
struct cimd_error *answer_error(struct cimdclient_answer *a);

/* The question failed with e before there was an answer. */
void answer_fail(struct cimdclient_answer *a, enum cimd_err e);

/*
 * Decode a complete response to a question about client_id; verify: the
 * question was about an assertion, too.  Every member that a getter reads is
 * checked, so that what does not look like cimdd's is CIMD_BROKEN.
 */
void answer_decode(struct cimdclient_answer *a, const struct reply *r,
    struct span client_id, bool verify);

#endif /* ANSWER_H */
