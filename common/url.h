/*
 * url.h - the Client Identifier URL (section 3)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 1; in: bytes; out: their parts, or the reason why not; touches nothing
 */

#ifndef URL_H
#define URL_H

#include "cimd_int.h"
#include "host.h"

struct url {
	struct span whole; /* as sent: this is the client's identity */
	struct span host;  /* as sent, brackets included */
	enum host_kind host_kind;
	bool port_given;
	uint16_t port;     /* 443 unless given */
	struct span path;  /* starts with "/" */
	struct span query; /* absent without "?" */
	uint64_t warnings; /* WARN_URL_* */
};

enum url_flag {
	URL_ALLOW_ADDRESS = 1, /* IP literals: a rule names this exact URL */
	URL_ALLOW_SPECIAL = 2, /* special names: closed networks, loopback */
	URL_REFUSE_ROOT = 4,   /* root_path = no */
	URL_REFUSE_QUERY = 8,  /* query = no */
};

/*
 * Split s into out, which points into s.  Nothing is normalised; libcurl's
 * parser must see the same host.  flags are enum url_flag bits.  On failure
 * out is all zero.
 * Fails with: CIMD_E_NOT_CIMD, CIMD_E_URL, CIMD_E_NO_MEMORY.
 */
enum cimd_err url_parse(struct span s, unsigned int flags, struct url *out,
    struct cimd_error *err);

/*
 * The part of url_parse() that depends on flags, for a URL that it took
 * before with URL_ALLOW_ADDRESS and URL_ALLOW_SPECIAL.
 * Fails with: CIMD_E_URL.
 */
enum cimd_err url_admit(const struct url *u, unsigned int flags,
    struct cimd_error *err);

/* u for a copy of the same bytes that starts at whole. */
void url_move(const struct url *u, const char *whole, struct url *out);

#endif /* URL_H */
