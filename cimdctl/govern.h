/*
 * govern.h - what an administrator does to one client, through cimdd
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef GOVERN_H
#define GOVERN_H

#include "who.h"

struct json_object;

/*
 * POST the verb about who, with client_id, reason and document_sha256 as far
 * as they are given.  Returns as talk(); with quiet nothing is said when
 * cimdd cannot be reached.
 */
enum ctl_exit govern(const struct ctl *c, const struct who *who,
    const char *verb, bool quiet, struct json_object **out);

/* "blocked https://... (DETAIL)", or the answer with --json. */
void govern_print(const struct ctl *c, const char *deed,
    struct json_object *answer);

#endif /* GOVERN_H */
