/*
 * talk.h - questions to cimdd over its admin socket
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: path, JSON; out: JSON; touches a UNIX socket
 */

#ifndef TALK_H
#define TALK_H

#include "ctl.h"

struct json_object;

#define TALK_SOCKET "/run/cimd/admin.sock"

/*
 * body NULL: GET.  quiet: say nothing when cimdd cannot be reached; silent:
 * nor when it refuses.  client_id: what the administrator asked about, where
 * path has its short id only; NULL: nothing else.
 */
struct talk {
	const char *path;
	struct json_object *body;
	bool quiet, silent;
	const char *client_id;
	const char *doing; /* for the progress line */
};

/*
 * Ask.  With CTL_OK *out is an object that the caller owns; else it is NULL
 * and the reason has been printed (with --json, what cimdd said, too).
 */
enum ctl_exit talk(const struct ctl *c, const struct talk *t,
    struct json_object **out);

/* The same for an answer that is text; *out is freed by the caller. */
enum ctl_exit talk_text(const struct ctl *c, const struct talk *t, char **out);

/* The socket in use. */
const char *talk_socket(const struct ctl *c);

#endif /* TALK_H */
