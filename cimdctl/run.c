/*
 * run.c - run cimdd, which alone reads configuration files
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

enum {
	RUN_ARGS = 16,
	RUN_MAX = 1 << 24, /* bytes that it may print */
};

/* Both outputs go into memory files, so that neither can block the other. */
struct running {
	int out, err;
	pid_t pid;
};

static bool
set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr,
    const struct running *r)
{
	sigset_t defaults;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	return posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
		   "/dev/null", O_RDONLY, 0) == 0 &&
	    posix_spawn_file_actions_adddup2(actions, r->out, STDOUT_FILENO) ==
	    0 &&
	    posix_spawn_file_actions_adddup2(actions, r->err, STDERR_FILENO) ==
	    0 &&
	    posix_spawnattr_setsigdefault(attr, &defaults) == 0 &&
	    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF) == 0;
}

/* 0, or an errno. */
static int
start(const char *program, char *const *argv, struct running *r)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int failed = ENOMEM;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) == 0) {
		if (set_up(&actions, &attr, r))
			failed = posix_spawnp(&r->pid, program, &actions, &attr,
			    argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* All of a memory file, with a NUL behind it; NULL: too large, no memory. */
static char *
slurp(int fd)
{
	struct stat st;
	char *text;
	size_t n = 0;
	ssize_t got;

	if (fstat(fd, &st) != 0 || st.st_size > RUN_MAX)
		return NULL;
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		return NULL;
	while (n < (size_t)st.st_size) {
		got = pread(fd, text + n, (size_t)st.st_size - n, (off_t)n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return text;
}

static int
wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static enum cimd_err
run_with(const char *program, char *const *argv, struct run_output *o,
    struct cimd_error *err)
{
	struct running r = { -1, -1, 0 };
	int failed;

	r.out = memfd_create("out", MFD_CLOEXEC);
	r.err = memfd_create("err", MFD_CLOEXEC);
	failed = r.out == -1 || r.err == -1 ? errno : start(program, argv, &r);
	if (failed == 0) {
		o->status = wait_for(r.pid);
		o->out = slurp(r.out);
		o->err = slurp(r.err);
	}
	if (r.out != -1)
		close(r.out);
	if (r.err != -1)
		close(r.err);
	if (failed != 0)
		return err_set(err, CIMD_E_INTERNAL, "",
		    "cannot run %s: %s (--cimdd says where it is)", program,
		    strerror(failed));
	if (o->out == NULL || o->err == NULL)
		return err_no_memory(err);
	return CIMD_OK;
}

/* posix_spawn() wants pointers to bytes that may change, and changes none. */
static char *
argument(const char *text)
{
	union {
		const char *in;
		char *out;
	} same = { .in = text };

	return same.out;
}

enum cimd_err
run(const char *program, const char *const *args, struct run_output *o,
    struct cimd_error *err)
{
	char *argv[RUN_ARGS + 2];
	size_t n = 0;

	*o = (struct run_output){ .status = -1 };
	argv[n++] = argument(program);
	while (*args != NULL && n <= RUN_ARGS)
		argv[n++] = argument(*args++);
	argv[n] = NULL;
	return run_with(program, argv, o, err);
}

void
run_clear(struct run_output *o)
{
	free(o->out);
	free(o->err);
	*o = (struct run_output){ 0 };
}
