/*
 * fault.c - lets the disk and the configuration child of a program fail
 * SPDX-License-Identifier: Apache-2.0
 *
 * For LD_PRELOAD.  While the file that FAULT_FILE names exists, every
 * pwrite() fails as on a disk that the kernel has made read-only.  The user
 * names below do something to the process that looks them up, which in cimdd
 * is the configuration child.
 */

#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
is_faulty(void)
{
	const char *name = secure_getenv("FAULT_FILE");

	return name != NULL && access(name, F_OK) == 0;
}

ssize_t
pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	if (is_faulty()) {
		errno = EROFS;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, n, at);
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t at)
{
	return pwrite64(fd, data, n, at);
}

/* Print so much that nobody wants it. */
static void
flood(void)
{
	static const char block[65536];
	int i;

	for (i = 0; i < 32; i++)
		if (write(STDOUT_FILENO, block, sizeof(block)) == -1)
			break;
}

struct passwd *
getpwnam(const char *name)
{
	struct passwd *(*real)(const char *);
	void *found = dlsym(RTLD_NEXT, "getpwnam");

	memcpy(&real, &found, sizeof(real));
	if (strcmp(name, "fault-hang") == 0)
		for (;;)
			pause();
	if (strcmp(name, "fault-die") == 0)
		abort();
	if (strcmp(name, "fault-exit") == 0)
		_exit(7);
	if (strcmp(name, "fault-garbage") == 0) {
		if (write(STDOUT_FILENO, "{\"garbage", 9) == -1)
			abort();
		_exit(0);
	}
	if (strcmp(name, "fault-flood") == 0) {
		flood();
		_exit(0);
	}
	return real(name);
}
