/*
 * run.h - run cimdd, which alone reads configuration files
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: arguments; out: what it printed; touches processes
 */

#ifndef RUN_H
#define RUN_H

#include "ctl.h"

struct run_output {
	int status; /* exit status; -1: it was killed */
	char *out;  /* owned; standard output, ends with a NUL */
	char *err;  /* owned; standard error, likewise */
};

/*
 * Run program (looked for in PATH unless it has a slash) with these
 * arguments (the last is NULL), without input, and wait for its end.
 * Release o with run_clear(), always.
 * Fails with: CIMD_E_INTERNAL, CIMD_E_NO_MEMORY.
 */
enum cimd_err run(const char *program, const char *const *args,
    struct run_output *o, struct cimd_error *err);

void run_clear(struct run_output *o);

#endif /* RUN_H */
