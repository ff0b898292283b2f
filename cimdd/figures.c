/*
 * figures.c - figures of this process as Prometheus text
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ascii.h"
#include "figures.h"

/* Entries of a folder of /proc, but "." and ".."; -1: it cannot be read. */
static long
count_entries(const char *dir)
{
	long n = 0;
	DIR *d = opendir(dir);

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
write_gauge(FILE *out, const char *name, const char *help, long value)
{
	if (value < 0)
		return;
	fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %ld\n", name, help,
	    name, name, value);
}

/* The second of the numbers in text; -1: there is none. */
static long
second_number(const char *text)
{
	const char *c = strchr(text, ' ');
	long n = 0;

	if (c == NULL || !ascii_digit(c[1]))
		return -1;
	for (c++; ascii_digit(*c); c++)
		n = n * 10 + (*c - '0');
	return n;
}

static long
resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char text[128] = "";
	long pages;

	if (f == NULL)
		return -1;
	pages = fgets(text, sizeof(text), f) == NULL ? -1 : second_number(text);
	(void)fclose(f);
	return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

void
figures_write(FILE *out)
{
	struct rlimit files;
	struct rusage used;
	long fds = count_entries("/proc/self/fd");

	write_gauge(out, "process_open_fds", "Open file descriptors.",
	    fds > 0 ? fds - 1 : fds);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		write_gauge(out, "process_max_fds",
		    "Most open file descriptors.", (long)files.rlim_cur);
	write_gauge(out, "process_threads", "Threads.",
	    count_entries("/proc/self/task"));
	write_gauge(out, "process_resident_memory_bytes", "Resident memory.",
	    resident_bytes());
	if (getrusage(RUSAGE_SELF, &used) == 0)
		fprintf(out,
		    "# HELP process_cpu_seconds_total Processor time.\n"
		    "# TYPE process_cpu_seconds_total counter\n"
		    "process_cpu_seconds_total %lld.%06ld\n",
		    (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec +
			(used.ru_utime.tv_usec + used.ru_stime.tv_usec) /
			    1000000),
		    (used.ru_utime.tv_usec + used.ru_stime.tv_usec) % 1000000);
}
