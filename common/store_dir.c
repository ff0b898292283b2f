/*
 * store_dir.c - the directory of the store, and who may write in it
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ascii.h"
#include "store_int.h"

static const char file[] = "cimd.db", lock[] = "cimd.lock";

static enum cimd_err
fail_errno(struct cimd_error *err, const char *dir, const char *what, int e)
{
	return err_set(err, CIMD_E_STORE, "", "state_dir %s: %s: %s", dir, what,
	    strerror(e));
}

/* Whoever else may write here decides about every client. */
static enum cimd_err
judge_owner(const char *dir, const char *what, const struct stat *st,
    struct cimd_error *err)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(err, CIMD_E_STORE, "",
		    "state_dir %s: %s belongs to user %u, not to %u", dir, what,
		    (unsigned int)st->st_uid, (unsigned int)geteuid());
	if ((st->st_mode & S_IWOTH) != 0)
		return err_set(err, CIMD_E_STORE, "",
		    "state_dir %s: everybody may write to %s", dir, what);
	return CIMD_OK;
}

static enum cimd_err
open_dir(const char *dir, int *fd, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;
	struct stat st;

	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1)
		return fail_errno(err, dir, "cannot be opened", errno);
	if (fstat(*fd, &st) == -1)
		e = fail_errno(err, dir, "cannot be read", errno);
	else
		e = judge_owner(dir, "it", &st, err);
	if (e != CIMD_OK)
		(void)close(*fd);
	return e;
}

/*
 * The lock file: the number of the last process that held it, and, behind
 * that, the mark, from the moment on when there was a whole store.
 */
enum {
	PID_LEN = 12, /* digits, blanks, newline */
	MARK_LEN = 6
};

static const char mark[MARK_LEN + 1] = "store\n";

/* The number in the lock file, or 0. */
static long
read_pid(int fd)
{
	char text[PID_LEN];
	ssize_t i, n;
	long pid = 0;

	n = pread(fd, text, sizeof(text), 0);
	for (i = 0; i < n && i < 9 && ascii_digit(text[i]); i++)
		pid = pid * 10 + (text[i] - '0');
	return pid;
}

/* For whoever comes next; with a full disk he learns of no number. */
static void
write_pid(int fd)
{
	char text[PID_LEN + 24];
	ssize_t n;

	(void)snprintf(text, sizeof(text), "%-*ld\n", PID_LEN - 1,
	    (long)getpid());
	do
		n = pwrite(fd, text, PID_LEN, 0);
	while (n == -1 && errno == EINTR);
}

/*
 * One writer.  The kernel drops the lock with its holder, however he dies.
 * Without a lock file on a read-only disk nobody can write anyway.
 */
static enum cimd_err
take_lock(const char *dir, int dirfd, int *fd, struct cimd_error *err)
{
	bool read_only;
	int e;

	*fd = openat(dirfd, lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0640);
	read_only = *fd == -1 && (errno == EROFS || errno == EACCES);
	if (read_only)
		*fd = openat(dirfd, lock, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1 && read_only && errno == ENOENT)
		return CIMD_OK;
	if (*fd == -1)
		return fail_errno(err, dir, lock, errno);
	while ((e = flock(*fd, LOCK_EX | LOCK_NB)) == -1 && errno == EINTR)
		continue;
	if (e == 0 && !read_only)
		write_pid(*fd);
	if (e == 0)
		return CIMD_OK;
	if (errno == EWOULDBLOCK)
		(void)err_set(err, CIMD_E_STORE, "",
		    "state_dir %s is in use by process %ld", dir,
		    read_pid(*fd));
	else
		(void)fail_errno(err, dir, "cannot be locked", errno);
	(void)close(*fd);
	*fd = -1;
	return CIMD_E_STORE;
}

static bool
is_marked(int lock_fd)
{
	char text[MARK_LEN];

	return lock_fd != -1 &&
	    pread(lock_fd, text, MARK_LEN, PID_LEN) == MARK_LEN &&
	    memcmp(text, mark, MARK_LEN) == 0;
}

/* Without room for it, an empty file later is taken for a new one. */
void
store_mark(int lock_fd)
{
	if (lock_fd == -1 || is_marked(lock_fd))
		return;
	if (pwrite(lock_fd, mark, MARK_LEN, PID_LEN) == MARK_LEN)
		(void)fdatasync(lock_fd);
}

/*
 * An empty file is a good database for SQLite, and so is none: all blocks
 * would be forgotten without a word.
 */
static enum cimd_err
check_lost(const char *dir, int dirfd, int lock_fd, struct cimd_error *err)
{
	struct stat st;
	bool there = fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if ((there && st.st_size > 0) || !is_marked(lock_fd))
		return CIMD_OK;
	return err_set(err, CIMD_E_STORE, "",
	    "state_dir %s: %s is %s, but there was a store: restore it, or "
	    "remove %s too to begin with nothing",
	    dir, file, there ? "empty" : "gone", lock);
}

/* The file must be ours before SQLite opens it by name. */
static enum cimd_err
make_file(const char *dir, int dirfd, struct cimd_error *err)
{
	struct stat st;
	int fd;

	fd = openat(dirfd, file,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd != -1) {
		(void)close(fd);
		return CIMD_OK;
	}
	if (errno != EEXIST && errno != EROFS && errno != EACCES)
		return fail_errno(err, dir, file, errno);
	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return fail_errno(err, dir, file, errno);
	if (!S_ISREG(st.st_mode))
		return err_set(err, CIMD_E_STORE, "",
		    "state_dir %s: %s is no regular file", dir, file);
	return judge_owner(dir, file, &st, err);
}

enum cimd_err
store_enter_dir(const char *dir, int *lock_fd, struct cimd_error *err)
{
	enum cimd_err e;
	int dirfd;

	*lock_fd = -1;
	e = open_dir(dir, &dirfd, err);
	if (e != CIMD_OK)
		return e;
	e = take_lock(dir, dirfd, lock_fd, err);
	if (e == CIMD_OK)
		e = check_lost(dir, dirfd, *lock_fd, err);
	if (e == CIMD_OK)
		e = make_file(dir, dirfd, err);
	(void)close(dirfd);
	if (e != CIMD_OK && *lock_fd != -1) {
		(void)close(*lock_fd);
		*lock_fd = -1;
	}
	return e;
}
