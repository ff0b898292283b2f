/*
 * country.h - in which country is an address? (deny_country)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: address; out: verdict; touches a MaxMind database
 */

#ifndef COUNTRY_H
#define COUNTRY_H

#include "netaddr.h"
#include "policy.h"

struct country; /* an open database; any thread may ask */

/*
 * Open the database.  Fails with: CIMD_E_CONFIG (no such file, damaged, or
 * this build has no libmaxminddb), CIMD_E_NO_MEMORY.
 */
enum cimd_err country_open(const char *path, struct country **out,
    struct cimd_error *err);

/* Accepts NULL; sets *c to NULL. */
void country_close(struct country **c);

/*
 * Is a in a country that p denies?  An address that the database does not
 * know is in none.  Fails with: CIMD_E_ADDRESS.
 */
enum cimd_err country_judge(struct country *c, const struct policy *p,
    const struct netaddr *a, struct cimd_error *err);

#endif /* COUNTRY_H */
