/*
 * listen.h - the listening sockets
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: settings or inherited descriptors; out: sockets; touches
 * sockets and files
 */

#ifndef LISTEN_H
#define LISTEN_H

#include "config.h"
#include "conns.h"

struct listeners {
	int fd[DOORS];     /* -1: none */
	char *path[DOORS]; /* made by us, to be removed; owned */
	bool inherited;    /* systemd made them */
};

/*
 * Take the sockets of systemd's socket activation, by their names
 * (door_name()); none is no fault.  Must come before other descriptors are
 * opened.  Fails with: CIMD_E_STATE.
 */
enum cimd_err listen_inherit(struct listeners *l, struct cimd_error *err);

/*
 * Close every descriptor but the standard ones and the listeners; call it
 * before anything else is opened.
 */
void listen_close_others(const struct listeners *l);

/*
 * Make the sockets of the settings, unless they were inherited: lookup and
 * mux for their groups, admin for its owner alone.  A socket that is in the way
 * is removed if nobody answers on it.  Fails with: CIMD_E_STATE,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err listen_open(struct listeners *l, const struct daemon_settings *s,
    struct cimd_error *err);

/* Close the sockets and remove those that listen_open() made. */
void listen_close(struct listeners *l);

#endif /* LISTEN_H */
