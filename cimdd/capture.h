/*
 * capture.h - run a program and take what it prints, within limits
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: path, arguments; out: bytes, status; touches processes
 */

#ifndef CAPTURE_H
#define CAPTURE_H

#include "cimd.h"

struct capture_limits {
	size_t max_bytes;
	int64_t timeout_ms;
};

struct capture_output {
	char *data; /* owned; ends with a NUL that len does not count */
	size_t len;
	int status; /* as of waitpid() */
};

/*
 * Run path with argv and wait for its end.  It gets the environment, no
 * input, standard error as it is, and no other descriptor that is marked
 * close-on-exec.  Past a limit it is killed.  Free out->data, whatever this
 * returns.  Fails with: CIMD_E_STATE, CIMD_E_NO_MEMORY.
 */
enum cimd_err capture_run(const char *path, char *const argv[],
    const struct capture_limits *limits, struct capture_output *out,
    struct cimd_error *err);

#endif /* CAPTURE_H */
