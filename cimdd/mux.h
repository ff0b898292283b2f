/*
 * mux.h - client assertions as passwords, in the protocol of saslauthd
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: sockets; out: "OK" or "NO"; touches sockets and threads.
 *
 * One request for each connection.  The answer is "OK" if cimd_call() has
 * verified the password as a client assertion of the login, for an audience
 * of the service's consumer, and "NO" else: why is for the audit log.  Who is
 * turned away, late, or cut off by the end of the daemon gets no answer,
 * which clients take for a fault of the server and not of the password.
 */

#ifndef MUX_H
#define MUX_H

#include "conns.h"
#include "say.h"

struct mux;

/* What it works with; all borrowed until mux_stop(). */
struct mux_parts {
	struct cimd *resolver;
	struct conns *conns;
	const struct say *say;
};

/* Start the threads.  Fails with: CIMD_E_STATE, CIMD_E_NO_MEMORY. */
enum cimd_err mux_start(const struct mux_parts *parts, struct mux **out,
    struct cimd_error *err);

/* Serve a connected, non-blocking socket; takes fd in any case. */
void mux_add(struct mux *m, int fd);

/*
 * Let those who are connected send their request, for a moment; then let no
 * call begin, and wait until none is under way, at most timeout_ms.
 * mux_add() must not be called any more.
 */
void mux_drain(struct mux *m, int64_t timeout_ms);

/*
 * End the threads and close all connections, after mux_drain().  Returns how
 * many calls of the resolver still are without answer: while there are any,
 * neither resolver nor *m may be freed, and *m is not.
 */
unsigned int mux_stop(struct mux **m);

/* Write the figures as Prometheus text; m may be NULL. */
void mux_metrics(struct mux *m, FILE *out);

#endif /* MUX_H */
