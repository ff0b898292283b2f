/*
 * dns.h - all addresses of a host, within a deadline
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: host, deadline; out: addresses; touches the network
 */

#ifndef DNS_H
#define DNS_H

#include "netaddr.h"

/*
 * Ask for A and AAAA records with c-ares, in this thread, until
 * deadline_ms (clock_ms()).  servers is a comma-separated list
 * of addresses, or NULL for the system's.  Leaves no thread and no
 * descriptor behind.  *n is at least 1 on success and at most cap.  More
 * than cap addresses, or an answer for one family and a failure (not "no
 * data") for the other, fail.  Fails with: CIMD_E_DNS, CIMD_E_TIMEOUT,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err dns_resolve(struct span host, const char *servers,
    int64_t deadline_ms, struct netaddr *out, size_t cap, size_t *n,
    struct cimd_error *err);

#endif /* DNS_H */
