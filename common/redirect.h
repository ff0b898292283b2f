/*
 * redirect.h - redirect URIs (section 4.2, RFC 8252, RFC 9700)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: verdict; touches nothing
 */

#ifndef REDIRECT_H
#define REDIRECT_H

#include "client.h"

/* What a document's redirect URI is worth. */
enum redirect_verdict {
	REDIRECT_KEEP = 0,
	REDIRECT_DROP,   /* this URI does not count; *warning says which bit */
	REDIRECT_REFUSE, /* javascript: and its like refuse the document */
};

/*
 * Judge one member of redirect_uris at document time.  KEEP: *kind is set.
 * DROP and REFUSE: *warning and *why (a static predicate: "has a fragment")
 * are set; see host_no_memory in host.h.
 */
enum redirect_verdict redirect_judge(struct span uri, enum redirect_kind *kind,
    enum cimd_warning *warning, const char **why);

/*
 * Is the asked redirect URI the registered one: byte for byte, or, with
 * any_port, the same loopback URI on another port (RFC 8252 7.3)?
 * localhost and 127.0.0.1 are never the same.  asked may hold any bytes; an
 * absent or empty one never matches.
 */
bool redirect_match(struct span registered, struct span asked, bool any_port);

/*
 * Is the redirect URI's scheme, host and port the client_id's own?  Hosts
 * compare without letter case, ports with their defaults.
 */
bool redirect_same_origin(struct span client_id, struct span uri);

/*
 * Same registrable domain by libpsl's built-in public suffix list?  Both must
 * be https to DNS names; a public suffix itself is the same site as nothing.
 */
bool redirect_same_site(struct span client_id, struct span uri);

/* Host of a redirect URI for display; absent when it has none. */
struct span redirect_host(struct span uri);

#endif /* REDIRECT_H */
