/*
 * sigpipe.c - keep SIGPIPE from the caller, with no handler
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "sigpipe.h"

static void
only_sigpipe(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGPIPE);
}

static bool
is_pending(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 1;
}

void
sigpipe_block(struct sigpipe *s)
{
	sigset_t set;

	only_sigpipe(&set);
	s->pending = is_pending();
	s->blocked = pthread_sigmask(SIG_BLOCK, &set, &s->mask) == 0;
}

void
sigpipe_restore(const struct sigpipe *s)
{
	const struct timespec now = { 0 };
	sigset_t set;

	if (!s->blocked)
		return;
	only_sigpipe(&set);
	if (!s->pending && is_pending())
		while (sigtimedwait(&set, NULL, &now) == -1 && errno == EINTR)
			continue;
	(void)pthread_sigmask(SIG_SETMASK, &s->mask, NULL);
}
