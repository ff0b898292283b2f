/*
 * say.h - log lines to standard error
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: facts; out: one JSON line each; touches standard error.
 * Any thread.
 */

#ifndef SAY_H
#define SAY_H

#include "cimd.h"

/* Where the lines go: to the journal they need a priority in front. */
struct say {
	bool journal;
	bool verbose; /* debug lines too */
};

/* Is standard error the journal (JOURNAL_STREAM)? */
void say_init(struct say *s, bool verbose);

/* A line that is JSON already; a cimd_log_fn with a struct say as ctx. */
void say_line(void *ctx, enum cimd_level level, const char *line);

/* One event of the daemon; the text is made printable ASCII. */
void say(const struct say *s, enum cimd_level level, const char *event,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * The value of a variable of the environment, or NULL.  It is read at start
 * only; this process changes none while others read.
 */
const char *say_environment(const char *name);

#endif /* SAY_H */
