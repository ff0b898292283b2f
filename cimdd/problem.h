/*
 * problem.h - refusals of the transport as problem documents (RFC 9457)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: status, code, text; out: JSON in the form of libcimd's own;
 * touches nothing
 */

#ifndef PROBLEM_H
#define PROBLEM_H

#include "cimd.h"

#define PROBLEM_TYPE "application/problem+json"

/*
 * The document for an error, as status says it: err->text is shown, so that
 * it must be ASCII.  The caller frees it; NULL: out of memory.
 */
char *problem_text(unsigned int status, const struct cimd_error *err,
    size_t *len);

#endif /* PROBLEM_H */
