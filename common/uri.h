/*
 * uri.h - splits any absolute URI by RFC 3986, never normalises
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 6; in: bytes; out: parts that point into them; touches nothing
 */

#ifndef URI_H
#define URI_H

#include "cimd_int.h"

struct uri {
	struct span whole;
	struct span scheme;
	struct span authority; /* absent without "//" */
	struct span userinfo;  /* absent without "@"; empty is present */
	struct span host;      /* brackets included; may be empty */
	struct span port;      /* digits; absent without ":" */
	struct span path;
	struct span query;    /* after "?"; absent without it */
	struct span fragment; /* after "#"; absent without it */
};

/*
 * Split s.  Only RFC 3986 bytes, whole percent triplets and a scheme are
 * accepted; what stands in brackets is left to host_judge().  out points
 * into s.  False: *why is a static predicate, and out has the scheme alone, if
 * there is one, so that a malformed javascript: URI is still known as such.
 */
bool uri_split(struct span s, struct uri *out, const char **why);

/* javascript, data, vbscript, file, blob: schemes that run or read locally. */
bool uri_scheme_is_dangerous(struct span scheme);

/*
 * May this https URI stand in client_uri, logo_uri, tos_uri, policy_uri or
 * jwks_uri: https, no userinfo, no fragment, host rules of section 3 (no IP
 * literal, no special name)?  False: *why says why not; see host_no_memory.
 */
bool uri_is_public_https(const struct uri *u, const char **why);

/*
 * Port as number: 1 to 65535 without leading zero, or the default of http and
 * https when there is no ":".  0: anything else.
 */
uint16_t uri_port(const struct uri *u);

#endif /* URI_H */
