/*
 * test_sigpipe.c - SIGPIPE stays away, and nothing else changes
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "sigpipe.h"

static volatile sig_atomic_t caught;

static void
on_sigpipe(int sig)
{
	(void)sig;
	caught++;
}

static void
write_to_nobody(void)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(close(fd[0]), 0);
	assert_int_equal(write(fd[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(close(fd[1]), 0);
}

static bool
is_blocked(void)
{
	sigset_t set;

	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
	return sigismember(&set, SIGPIPE) == 1;
}

static int
setup(void **state)
{
	struct sigaction sa = { .sa_handler = on_sigpipe };

	(void)state;
	caught = 0;
	return sigaction(SIGPIPE, &sa, NULL);
}

static void
keeps_it_away(void **state)
{
	struct sigpipe s;

	(void)state;
	sigpipe_block(&s);
	assert_true(is_blocked());
	write_to_nobody();
	sigpipe_restore(&s);
	assert_false(is_blocked());
	assert_int_equal(caught, 0);
	write_to_nobody();
	assert_int_equal(caught, 1);
}

/* One that was there before is the caller's. */
static void
leaves_what_was_pending(void **state)
{
	struct sigpipe outer, s;

	(void)state;
	sigpipe_block(&outer);
	write_to_nobody();
	sigpipe_block(&s);
	write_to_nobody();
	sigpipe_restore(&s);
	assert_true(is_blocked());
	assert_int_equal(caught, 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &outer.mask, NULL), 0);
	assert_int_equal(caught, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_it_away, setup),
		cmocka_unit_test_setup(leaves_what_was_pending, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
