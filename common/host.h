/*
 * host.h - what kind of host a URL names
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 1 and 6; in: host bytes; out: kind or reason; touches nothing
 */

#ifndef HOST_H
#define HOST_H

#include "cimd_int.h"

enum host_kind {
	HOST_BAD = 0, /* not LDH, too long, one label, numeric end ... */
	HOST_NAME,    /* DNS name of two labels or more, A-labels valid */
	HOST_SPECIAL, /* localhost, .local, .internal, .test, .onion ... */
	HOST_IPV4,    /* canonical dotted quad */
	HOST_IPV6,    /* in brackets, as RFC 3986 writes it */
};

/*
 * What *why of host_judge() and of those that call it points to when only
 * memory was lacking: compare the pointer, not the text.
 */
extern const char host_no_memory[];

/*
 * Judge the host bytes of a URL (brackets included for IPv6).  For HOST_BAD
 * *why is a static predicate of the URI: "has a host with an empty label".  A
 * special name of one label ("localhost") is HOST_SPECIAL, not HOST_BAD.
 * Sources: RFC 1035, RFC 5891 (A-labels), RFC 6761, RFC 8375, RFC 9476.
 */
enum host_kind host_judge(struct span host, const char **why);

/* localhost, a name under it, 127.0.0.0/8 or [::1] (RFC 8252 7.3). */
bool host_is_loopback(struct span host);

/* The three hosts of the loopback redirect rule, exactly as written. */
bool host_is_redirect_loopback(struct span host);

#endif /* HOST_H */
