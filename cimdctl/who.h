/*
 * who.h - the client that a command is about
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: "URL|SHORT"; out: its short id; touches nothing
 */

#ifndef WHO_H
#define WHO_H

#include "ctl.h"

struct who {
	const char *client_id; /* NULL: only the short id is known */
	char short_id[44];
};

/* False: it is neither, and that has been said. */
bool who_read(const char *arg, struct who *out);

/* Does it start with "https://", letters in any case? */
bool who_is_url(const char *arg);

/* Does it look like a short id? */
bool who_is_short(const char *arg);

/*
 * "/v1/clients/SHORT" or with "/VERB" behind it.  The caller frees it;
 * NULL: out of memory.
 */
char *who_path(const struct who *w, const char *verb);

#endif /* WHO_H */
