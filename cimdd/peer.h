/*
 * peer.h - who is at the other end of a UNIX socket
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: socket; out: user and groups; touches the socket
 */

#ifndef PEER_H
#define PEER_H

#include <sys/types.h>

#include "cimd.h"

struct peer {
	uid_t uid;
	uint32_t *gids; /* primary and supplementary; owned */
	size_t n_gids;
};

/*
 * The user and groups that the peer had when it connected.  Release with
 * peer_clear().  False: the kernel does not say, or there is no memory.
 */
bool peer_read(int fd, struct peer *out);

void peer_clear(struct peer *p);

#endif /* PEER_H */
