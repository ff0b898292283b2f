/*
 * sigpipe.h - keep SIGPIPE from the caller, with no handler
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; touches the signal mask of this thread
 */

#ifndef SIGPIPE_H
#define SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

/* What sigpipe_restore() must know. */
struct sigpipe {
	sigset_t mask;
	bool pending;
	bool blocked;
};

/*
 * From here on a write to a closed socket raises no signal in this thread.
 * Other threads and the disposition of the signal stay as they are.
 */
void sigpipe_block(struct sigpipe *s);

/* Forget a SIGPIPE that came since, and undo sigpipe_block(). */
void sigpipe_restore(const struct sigpipe *s);

#endif /* SIGPIPE_H */
