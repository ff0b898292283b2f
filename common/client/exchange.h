/*
 * exchange.h - one request to cimdd, one response, one deadline
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: socket, bytes; out: response; touches the socket, clock
 */

#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "question.h"
#include "reply.h"

/*
 * Connect, send, receive, close, all within timeout_ms.  Release out with
 * reply_clear(), whatever this returns.
 * Fails with: CIMD_E_CONNECT (nobody there, a full backlog, gone before the
 * end), CIMD_E_TIMEOUT, CIMD_E_CONFIG (no such path can be), CIMD_E_INTERNAL
 * (no cimdd), CIMD_E_NO_MEMORY.
 */
enum cimd_err exchange(const char *path, int timeout_ms,
    const struct question *q, struct reply *out, struct cimd_error *err);

#endif /* EXCHANGE_H */
