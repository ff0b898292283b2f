/*
 * conf_file.h - configuration files and folders, read safely
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: paths; out: bytes and names; touches files
 */

#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "conf_scan.h"

enum {
	CONF_MAX_FILES = 1024, /* of one folder */
};

/*
 * The whole of a regular file that belongs to root or to us, that not
 * everybody can write to, and that has at most CONF_MAX_FILE bytes.  Links
 * are followed; what they lead to is judged.  The caller owns *text, which
 * ends with a NUL that *len does not count.
 * Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err conf_file_read(const char *path, char **text, size_t *len,
    struct conf_fault *fault);

/* Names in a folder, sorted byte by byte. */
struct conf_names {
	char **name;
	size_t n;
};

/*
 * The names that end in ".conf" and do not begin with a dot; none where
 * there is no folder.  The folder must be as safe as a file.  Free with
 * conf_names_free(), whatever this returns.
 * Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err conf_file_list(const char *dir, struct conf_names *out,
    struct conf_fault *fault);

/* Release the names and zero *n. */
void conf_names_free(struct conf_names *n);

#endif /* CONF_FILE_H */
