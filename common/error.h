/*
 * error.h - filling in struct cimd_error
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: code, section, text; out: struct cimd_error; touches nothing
 */

#ifndef ERROR_H
#define ERROR_H

#include "cimd_int.h"

/*
 * Fill err (which may be NULL) and return code, so that a fault reads
 * "return err_set(err, CIMD_E_URL, "3", "fragment at byte %zu", n);".
 * Bytes of the text that are not printable ASCII become \xNN, so foreign
 * bytes may be arguments; what does not fit is cut.  section is a literal.
 */
enum cimd_err err_set(struct cimd_error *err, enum cimd_err code,
    const char *section, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* err_set() for a failed allocation. */
enum cimd_err err_no_memory(struct cimd_error *err);

/* Put "prefix: " before the text, for the place where a fault was found. */
void err_prefix(struct cimd_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* ERROR_H */
