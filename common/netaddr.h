/*
 * netaddr.h - may this address be connected to? (section 9.6, RFC 6890)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: address; out: verdict; touches nothing
 */

#ifndef NETADDR_H
#define NETADDR_H

#include "cimd_int.h"

struct sockaddr;

struct netaddr {
	uint8_t len; /* 4 or 16 */
	uint8_t bytes[16];
};

/* One range of addresses that no document lives at. */
struct netaddr_range {
	uint8_t len;  /* of an address of this family: 4 or 16 */
	uint8_t bits; /* of the prefix */
	uint8_t prefix[16];
	const char *name; /* "10.0.0.0/8 (Private-Use)" */
};

/* Day on which the rows were read from the registries at IANA. */
#define NETADDR_REGISTRY_DATE "2026-07-18"

/*
 * Row i of the IANA special-purpose registries (RFC 6890) for IPv4 and then
 * IPv6, in their order; NULL after the last.  For tests and listings.
 */
const struct netaddr_range *netaddr_registry(size_t i);

/*
 * NULL: a public address; else the static name of the narrowest range that
 * forbids: any row of the registries, globally reachable or not, and those
 * that they leave out (multicast, 168.63.129.16, ISATAP, all IPv6 outside
 * 2000::/3).  An address in 64:ff9b::/96 is judged as the IPv4 address that
 * it carries, because that is how a network with DNS64 sees IPv4 hosts.
 */
const char *netaddr_special(const struct netaddr *a);

/* 127.0.0.0/8 or ::1, plain forms only (the development exception). */
bool netaddr_is_loopback(const struct netaddr *a);

/* False when the family is neither AF_INET nor AF_INET6. */
bool netaddr_from_sockaddr(const struct sockaddr *sa, struct netaddr *out);

/*
 * The text forms of inet_pton(3) only: four decimal numbers without leading
 * zeros, or IPv6 without brackets and zone.  For host.c, for tests and for
 * "cimdctl check --batch".
 */
bool netaddr_parse(struct span text, struct netaddr *out);

/* Text form; buf holds at least NETADDR_TEXT bytes.  Returns buf. */
enum {
	NETADDR_TEXT = 46
};
const char *netaddr_text(const struct netaddr *a, char buf[NETADDR_TEXT]);

/*
 * Judge all addresses of a host: every one must be public, or, with
 * loopback_ok, every one loopback or public.  Fails with: CIMD_E_ADDRESS,
 * whose text names address and range; CIMD_E_DNS when n is 0.
 */
enum cimd_err netaddr_judge(const struct netaddr *addr, size_t n,
    bool loopback_ok, struct cimd_error *err);

#endif /* NETADDR_H */
