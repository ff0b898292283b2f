/*
 * harden.h - what the process gives up
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: settings; out: nothing; touches limits and credentials
 */

#ifndef HARDEN_H
#define HARDEN_H

#include "cimd.h"

/*
 * No core dumps, no new privileges, no files for others, SIGPIPE ignored.
 * Fails with: CIMD_E_STATE.
 */
enum cimd_err harden_process(struct cimd_error *err);

/*
 * As root, become the user for good, with all of its groups; as anybody
 * else, or when the user is root, change nothing.  *kept_root says the
 * latter.  Fails with: CIMD_E_STATE.
 */
enum cimd_err harden_become(const char *user, bool *kept_root,
    struct cimd_error *err);

/*
 * Raise the limit of descriptors as far as it goes.  Returns how many
 * connections fit: wanted, or fewer.
 */
unsigned int harden_descriptors(unsigned int wanted);

#endif /* HARDEN_H */
