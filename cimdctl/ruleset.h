/*
 * ruleset.h - the rules that "cimdctl check" judges by
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: --policy; out: policy, settings; touches files, runs cimdd
 */

#ifndef RULESET_H
#define RULESET_H

#include "ctl.h"
#include "settings.h"

struct ruleset {
	struct policy *policy;
	struct settings settings; /* defaults, unless a cimd.conf said more */
};

/*
 * Without --policy every client is admitted as unverified.  JSON is read as
 * the "policy" of a line of --batch; anything else is a cimd.conf, read by
 * cimdd, and judged as the daemon would, its settings of the fetcher too.
 * Free with ruleset_clear(), always.
 * Fails with: CIMD_E_CONFIG, CIMD_E_REQUEST, CIMD_E_INTERNAL,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err ruleset_load(const struct ctl *c, struct ruleset *out,
    struct cimd_error *err);

void ruleset_clear(struct ruleset *r);

#endif /* RULESET_H */
