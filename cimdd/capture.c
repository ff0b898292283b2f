/*
 * capture.c - run a program and take what it prints, within limits
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "capture.h"

enum {
	GRACE_MS = 2000, /* between the end of output and that of the process */
};

/* Output to fd, no input, no signal blocked or ignored. */
static bool
set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, int fd)
{
	sigset_t none, defaults;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	return posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
		   "/dev/null", O_RDONLY, 0) == 0 &&
	    posix_spawn_file_actions_adddup2(actions, fd, STDOUT_FILENO) == 0 &&
	    posix_spawnattr_setsigmask(attr, &none) == 0 &&
	    posix_spawnattr_setsigdefault(attr, &defaults) == 0 &&
	    posix_spawnattr_setflags(attr,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0;
}

static enum cimd_err
start(const char *path, char *const argv[], int fd, pid_t *pid,
    struct cimd_error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int failed = ENOMEM;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return fail_memory(err);
	if (posix_spawnattr_init(&attr) == 0) {
		if (set_up(&actions, &attr, fd))
			failed = posix_spawn(pid, path, &actions, &attr, argv,
			    environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (failed == 0)
		return CIMD_OK;
	errno = failed;
	return fail_errno(err, "cannot run %s", path);
}

/* Wait until fd can be read, at most until deadline. */
static enum cimd_err
wait_readable(int fd, int64_t deadline, struct cimd_error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int n;

	do {
		left = deadline - tick_ms();
		if (left <= 0)
			return fail(err, CIMD_E_STATE, "it took too long");
		n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	} while (n == 0 || (n == -1 && errno == EINTR));
	return n == -1 ? fail_errno(err, "cannot wait for it") : CIMD_OK;
}

/* out->data has room for max_bytes and a NUL. */
static enum cimd_err
read_output(int fd, const struct capture_limits *limits,
    struct capture_output *out, struct cimd_error *err)
{
	int64_t deadline = tick_ms() + limits->timeout_ms;
	enum cimd_err e;
	ssize_t got;

	for (;;) {
		if ((e = wait_readable(fd, deadline, err)) != CIMD_OK)
			return e;
		got = read(fd, out->data + out->len,
		    limits->max_bytes + 1 - out->len);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return fail_errno(err, "cannot read its output");
		if (got == 0)
			break;
		out->len += (size_t)got;
		if (out->len > limits->max_bytes)
			return fail(err, CIMD_E_STATE,
			    "it printed more than %zu bytes",
			    limits->max_bytes);
	}
	out->data[out->len] = '\0';
	return CIMD_OK;
}

/* Its output has ended: it is about to end too, or must. */
static void
reap(pid_t pid, bool kill_it, int *status)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };

	if (!kill_it) {
		p.fd = pidfd_open(pid, 0);
		kill_it = p.fd != -1 && poll(&p, 1, GRACE_MS) == 0;
		if (p.fd != -1)
			close(p.fd);
	}
	if (kill_it)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		;
}

enum cimd_err
capture_run(const char *path, char *const argv[],
    const struct capture_limits *limits, struct capture_output *out,
    struct cimd_error *err)
{
	enum cimd_err e;
	int fd[2];
	pid_t pid = -1;

	*out = (struct capture_output){ 0 };
	if ((out->data = malloc(limits->max_bytes + 1)) == NULL)
		return fail_memory(err);
	if (pipe2(fd, O_CLOEXEC) != 0)
		return fail_errno(err, "cannot make a pipe");
	e = start(path, argv, fd[1], &pid, err);
	close(fd[1]);
	if (e == CIMD_OK) {
		e = read_output(fd[0], limits, out, err);
		reap(pid, e != CIMD_OK, &out->status);
	}
	close(fd[0]);
	return e;
}
