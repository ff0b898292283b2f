/*
 * shift.c - makes time pass for a program under test
 * SPDX-License-Identifier: Apache-2.0
 *
 * For LD_PRELOAD.  The file that SHIFT_FILE names holds three numbers of 64
 * bits, which a test may change at any time: seconds to add to the time of
 * day (time(), CLOCK_REALTIME) and to CLOCK_BOOTTIME, and, if it is not zero,
 * where CLOCK_BOOTTIME stands still, in nanoseconds.  While it does, libcurl
 * has no limits of time either.  CLOCK_MONOTONIC stays as it is, since
 * condition variables wait by it in the kernel.
 */

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct shift {
	_Atomic int64_t utc_s;
	_Atomic int64_t boot_s;
	_Atomic int64_t held_ns;
};

enum {
	BILLION = 1000000000
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
	int64_t held = shift->held_ns;

	if (syscall(SYS_clock_gettime, id, ts) == -1)
		return -1;
	if (id == CLOCK_BOOTTIME && held != 0)
		*ts = (struct timespec){ held / BILLION, held % BILLION };
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

#undef curl_easy_setopt
CURLcode
curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
	CURLcode (*real)(CURL *, CURLoption, ...);
	void *found = dlsym(RTLD_NEXT, "curl_easy_setopt");
	va_list ap;
	long value; /* or a pointer, of the same size */

	va_start(ap, option);
	value = va_arg(ap, long);
	va_end(ap);
	if (shift->held_ns != 0 &&
	    (option == CURLOPT_TIMEOUT_MS ||
		option == CURLOPT_CONNECTTIMEOUT_MS))
		value = 0;
	memcpy(&real, &found, sizeof(real));
	return real(handle, option, value);
}
