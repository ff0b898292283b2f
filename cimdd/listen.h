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

struct listeners {
	int lookup; /* -1: none */
	int admin;
	bool inherited;    /* systemd made them */
	char *lookup_path; /* made by us, to be removed; owned */
	char *admin_path;
};

/*
 * Take the sockets of systemd's socket activation, by their names "lookup"
 * and "admin"; none is no fault.  Must come before other descriptors are
 * opened.  Fails with: CIMD_E_STATE.
 */
enum cimd_err listen_inherit(struct listeners *l, struct cimd_error *err);

/*
 * Close every descriptor but the standard ones and the listeners; call it
 * before anything else is opened.
 */
void listen_close_others(const struct listeners *l);

/*
 * Make the sockets of the settings, unless they were inherited: lookup for
 * its group, admin for its owner alone.  A socket that is in the way is
 * removed if nobody answers on it.  Fails with: CIMD_E_STATE,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err listen_open(struct listeners *l, const struct daemon_settings *s,
    struct cimd_error *err);

/* Close the sockets and remove those that listen_open() made. */
void listen_close(struct listeners *l);

#endif /* LISTEN_H */
