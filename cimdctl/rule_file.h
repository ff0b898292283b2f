/*
 * rule_file.h - put a rule into conf.d and let cimdd take it
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef RULE_FILE_H
#define RULE_FILE_H

#include "ctl.h"

/* A rule on its way. */
struct rule_file {
	const char *name;  /* of the client section and of the file */
	const char *lines; /* of the file */
	const char *deed;  /* "allowed": for the report */
	const char *about; /* URL or name: likewise */
};

/*
 * Try it, write it, reload; take it back if cimdd refuses it.  Reports what
 * was done.
 */
enum ctl_exit rule_file_put(const struct ctl *c, const struct rule_file *r);

/*
 * A client section for this URL (or pattern), with the defaults of the
 * configuration, or blocked.  *name is "HOST-HASH"; the caller frees both.
 * Fails with: CIMD_E_NOT_CIMD, CIMD_E_URL, CIMD_E_NO_MEMORY.
 */
enum cimd_err rule_file_for_url(const char *client_id, bool blocked,
    char **name, char **lines, struct cimd_error *err);

#endif /* RULE_FILE_H */
