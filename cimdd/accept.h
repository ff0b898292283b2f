/*
 * accept.h - the thread that accepts connections and cuts late ones
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: listening sockets; out: connected ones; touches sockets
 */

#ifndef ACCEPT_H
#define ACCEPT_H

#include "http.h"
#include "mux.h"

struct acceptor;

/* Sockets to listen on, which stay the caller's, and who serves them. */
struct accept_from {
	int fd[DOORS]; /* -1: none */
	struct http *http;
	struct mux *mux; /* NULL where there is no such socket */
};

/* Start the thread.  Fails with: CIMD_E_STATE, CIMD_E_NO_MEMORY. */
enum cimd_err accept_start(const struct accept_from *from, struct conns *conns,
    const struct say *say, struct acceptor **out, struct cimd_error *err);

/* End the thread and free *a; accepts NULL; sets *a to NULL. */
void accept_stop(struct acceptor **a);

#endif /* ACCEPT_H */
