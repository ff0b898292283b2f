/*
 * dns.h - all addresses of a host, within a deadline
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: host, deadline; out: addresses; touches the network
 */

#ifndef DNS_H
#define DNS_H

#include "netaddr.h"

struct dns_addresses {
	struct netaddr addr[CIMD_MAX_ADDRESSES];
	size_t n;
};

/*
 * All addresses of a host.  An IP literal (IPv6 in brackets) is its own
 * address; a name that /etc/hosts knows has what stands there; for any other
 * one, c-ares asks for A and AAAA records, with no search domain added, in
 * this thread, until deadline_ms (clock_ms()).  servers is NULL for the
 * system's name servers, else a list for dns_check_servers().  Nothing is
 * cached, no thread and no descriptor is left behind.
 *
 * On success out->n is at least 1; the addresses are not judged and stand in
 * no particular order.  More than CIMD_MAX_ADDRESSES of them, or an answer
 * for one family and a failure (not "no data") for the other, fail.
 * Fails with: CIMD_E_DNS, CIMD_E_TIMEOUT, CIMD_E_NO_MEMORY.
 */
enum cimd_err dns_resolve(struct span host, const char *servers,
    int64_t deadline_ms, struct dns_addresses *out, struct cimd_error *err);

/* The address that an IP literal (IPv6 in brackets) is; false: a name. */
bool dns_literal(struct span host, struct netaddr *out);

/*
 * Is this a list of name servers: addresses, with commas between them, each
 * maybe with a port ("192.0.2.1,192.0.2.2:5353,[2001:db8::1]:53")?
 * Fails with: CIMD_E_CONFIG.
 */
enum cimd_err dns_check_servers(const char *servers, struct cimd_error *err);

#endif /* DNS_H */
