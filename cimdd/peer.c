/*
 * peer.c - who is at the other end of a UNIX socket
 * SPDX-License-Identifier: Apache-2.0
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "peer.h"

static_assert(sizeof(gid_t) == sizeof(uint32_t), "a gid is a uint32_t");

enum {
	FIRST_GROUPS = 32,  /* room at first */
	MAX_GROUPS = 65536, /* NGROUPS_MAX of Linux */
};

/*
 * Supplementary groups, after the one that is there already.  The kernel
 * says how much room it wants.
 */
static bool
read_groups(int fd, struct peer *p)
{
	size_t room = FIRST_GROUPS;
	uint32_t *grown;
	socklen_t len;

	for (;;) {
		grown = reallocarray(p->gids, room + 1, sizeof(*grown));
		if (grown == NULL)
			return false;
		p->gids = grown;
		len = (socklen_t)(room * sizeof(*grown));
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, p->gids + 1,
			&len) == 0) {
			p->n_gids = 1 + len / sizeof(*grown);
			return true;
		}
		if (errno != ERANGE || len / sizeof(*grown) > MAX_GROUPS ||
		    len / sizeof(*grown) <= room)
			return false;
		room = len / sizeof(*grown);
	}
}

bool
peer_read(int fd, struct peer *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	*out = (struct peer){ 0 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
	    len != sizeof(cred))
		return false;
	if (!read_groups(fd, out)) {
		peer_clear(out);
		return false;
	}
	out->uid = cred.uid;
	out->gids[0] = cred.gid;
	return true;
}

void
peer_clear(struct peer *p)
{
	free(p->gids);
	*p = (struct peer){ 0 };
}
