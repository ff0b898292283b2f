/*
 * process.h - what deeds cost in processes of their own
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* End with what, and status 1, unless good. */
void must(bool good, const char *what);

/* Print "NAME P50 P99" of n times, which this sorts. */
void report(const char *name, int64_t *ns, size_t n);

/* Room for so many; ends the program where there is none, or none wanted. */
int64_t *room_for(size_t rounds);

/*
 * Start each kind of process in turn, rounds times: argv, whose word 1 is
 * the name of the deed.  names ends with a NULL; at most 4.  Report the time
 * of the processor that each used.
 */
void compare_processes(const char *const *names, char *const *argv,
    size_t rounds);

/* One exchange of bytes with cimdd at a socket, without any library. */
void raw_exchange(const char *socket_path, const char *url);

#endif /* PROCESS_H */
