/*
 * check_fetch.h - the answer of a client's host, for "cimdctl check"
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of check; in: URL; out: facts, body; touches the network
 */

#ifndef CHECK_FETCH_H
#define CHECK_FETCH_H

#include "check.h"
#include "fetch.h"

/*
 * Resolve, judge and GET c's URL, with a finding for each rule on the way.
 * On success *out is emptied with fetch_response_clear(), and *f, which can
 * fetch the keys too, freed with fetcher_free().
 */
enum cimd_err check_fetch(struct check *c, struct fetcher **f,
    struct fetch_response *out);

/*
 * The keys behind uri.  CIMD_OK: the body is in out.  Errors as the daemon
 * has them: *no_keys is true where it would go on without keys.
 */
enum cimd_err check_fetch_keys(struct check *c, struct fetcher *f,
    struct span uri, struct fetch_response *out, bool *no_keys,
    struct cimd_error *err);

#endif /* CHECK_FETCH_H */
