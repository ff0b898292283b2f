/*
 * fail.h - filling in struct cimd_error, and the clock
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: code, text; out: struct cimd_error; touches the clock
 */

#ifndef FAIL_H
#define FAIL_H

#include "cimd.h"

/*
 * Fill err (not NULL) and return code.  Bytes of the text that are not
 * printable ASCII become "?"; what does not fit is cut.
 */
enum cimd_err fail(struct cimd_error *err, enum cimd_err code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* fail() with ": " and the text of errno after it; CIMD_E_STATE. */
enum cimd_err fail_errno(struct cimd_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* fail() for a failed allocation. */
enum cimd_err fail_memory(struct cimd_error *err);

/* Milliseconds of the monotonic clock. */
int64_t tick_ms(void);

#endif /* FAIL_H */
