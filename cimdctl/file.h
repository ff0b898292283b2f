/*
 * file.h - whole files, within a limit
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: path; out: bytes; touches files
 */

#ifndef FILE_H
#define FILE_H

#include "error.h"

/*
 * All bytes of a file; "-" is standard input.  The caller frees *out, which
 * ends with a NUL that is not counted.  Fails with: CIMD_E_REQUEST (text
 * names the file), CIMD_E_NO_MEMORY.
 */
enum cimd_err file_read(const char *path, size_t max_bytes, char **out,
    size_t *len, struct cimd_error *err);

#endif /* FILE_H */
