/*
 * shift.c - makes time pass for a program under test
 * SPDX-License-Identifier: Apache-2.0
 *
 * For LD_PRELOAD.  The file that SHIFT_FILE names holds two numbers of 64
 * bits, which a test may change at any time: seconds to add to the time of
 * day (time(), CLOCK_REALTIME) and to CLOCK_BOOTTIME.  CLOCK_MONOTONIC stays
 * as it is, since condition variables wait by it in the kernel.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct shift {
	_Atomic int64_t utc_s;
	_Atomic int64_t boot_s;
};

static struct shift none;
static struct shift *shift = &none;

__attribute__((constructor)) static void
open_shift(void)
{
	const char *name = secure_getenv("SHIFT_FILE");
	void *map;
	int fd;

	if (name == NULL || (fd = open(name, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	map = mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		shift = map;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (syscall(SYS_clock_gettime, id, ts) == -1)
		return -1;
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		ts->tv_sec += (time_t)shift->utc_s;
	else if (id == CLOCK_BOOTTIME)
		ts->tv_sec += (time_t)shift->boot_s;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return -1;
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
