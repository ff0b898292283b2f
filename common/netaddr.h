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

/* NULL: a public address; else the static name of the range that forbids. */
const char *netaddr_special(const struct netaddr *a);

/* 127.0.0.0/8 or ::1, plain forms only (the development exception). */
bool netaddr_is_loopback(const struct netaddr *a);

/* False when the family is neither AF_INET nor AF_INET6. */
bool netaddr_from_sockaddr(const struct sockaddr *sa, struct netaddr *out);

/* Canonical text forms only; for tests and "cimdctl check --batch". */
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
