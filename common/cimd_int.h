/*
 * cimd_int.h - what all steps share: limits, spans, warnings
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef CIMD_INT_H
#define CIMD_INT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cimd.h"

/* All limits.  Unit in the name, reason behind it; neighbours agree. */
enum {
	CIMD_MAX_URL = 1024,         /* bytes; Cyrus SASL's canon buffer */
	CIMD_MAX_HOST = 253,         /* bytes; RFC 1035 2.3.4 */
	CIMD_MAX_DOCUMENT = 5120,    /* bytes; section 9.7 recommends 5 KB */
	CIMD_MAX_JWKS = 65536,       /* bytes; some vendors publish 30 keys */
	CIMD_MAX_HEADERS = 16384,    /* bytes over all responses of a fetch */
	CIMD_MAX_JSON_DEPTH = 16,    /* containers */
	CIMD_MAX_JSON_MEMBERS = 256, /* of one object */
	CIMD_MAX_REDIRECTS = 64,     /* redirect_uris; one bit each */
	CIMD_MAX_KEYS = 64,          /* keys of one JWK set */
	CIMD_MAX_RULE_LIST = 256,    /* items; each meets 2500 of a document */
	CIMD_MAX_RECORD = 262144,    /* bytes; twice the keys, and the rest */
	CIMD_MAX_REQUEST = 65536,    /* bytes of one request on the wire */
	CIMD_MAX_TENANT = 128,       /* bytes of a tenant's name */
	CIMD_MAX_CONFIG = 1048576,   /* bytes of configuration JSON */
	CIMD_MAX_ASSERTION = 8192,   /* bytes; saslauthd's query buffer */
	CIMD_MAX_ADDRESSES = 32,     /* addresses of one host */
	CIMD_DNS_TRY_MS = 400,       /* one question to one name server */
	CIMD_CONNECT_MS = 2000,      /* resolve and connect */
	CIMD_FETCH_MS = 3000,        /* document and its JWKS together */
	CIMD_LOOKUP_MS = 4000,       /* what a caller waits at most */
	CIMD_TLS_SHARE_MS = 300000,  /* resuming skips the certificate */
	CIMD_MAX_FETCHES = 16,       /* at once */
	CIMD_MAX_HOST_FETCHES = 4,   /* at once to one host */
	CIMD_TTL_MIN_S = 60,         /* freshness clamp */
	CIMD_TTL_MAX_S = 86400,
	CIMD_TTL_DEFAULT_S = 300,  /* no freshness facts at all */
	CIMD_STALE_MAX_S = 259200, /* hard cap of stale_max */
};

static_assert(CIMD_DNS_TRY_MS * 3 < CIMD_CONNECT_MS, "a lost packet or two");
static_assert(CIMD_CONNECT_MS < CIMD_FETCH_MS, "connecting fits a fetch");
static_assert(CIMD_FETCH_MS < CIMD_LOOKUP_MS, "a fetch fits a lookup");
static_assert(CIMD_MAX_HOST_FETCHES < CIMD_MAX_FETCHES, "hosts share");
static_assert(CIMD_MAX_RECORD > 2 * (CIMD_MAX_JWKS + 3 * CIMD_MAX_DOCUMENT),
    "a record fits: its texts and their JSON");
static_assert(CIMD_MAX_REDIRECTS <= 64, "a redirect set is a uint64_t");

/* Bytes with a length; may hold anything.  p is NULL where there is none. */
struct span {
	const char *p;
	size_t n;
};

/* Equal bytes?  Two absent spans are equal; absent and empty are not. */
bool span_eq(struct span a, struct span b);

/* Equal to a C string, byte for byte. */
bool span_is(struct span a, const char *s);

/* Equal to a C string, ASCII letters in either case. */
bool span_is_nocase(struct span a, const char *s);

/* The span of a C string; absent for NULL. */
struct span span_of(const char *s);

/* Is "." or ".." between two slashes, or after the last one?  A path that is
 * made of it would lead elsewhere. */
bool span_has_dots(struct span s);

/*
 * What is remarkable about a client that is not refused.  Bits; the wire
 * names of warning_name() are stable.
 */
enum cimd_warning {
	WARN_URL_ROOT_PATH = 0, /* section 3: NOT RECOMMENDED */
	WARN_URL_QUERY,         /* section 3: SHOULD NOT */
	WARN_REDIRECT_INVALID,  /* a malformed redirect URI was dropped */
	WARN_REDIRECT_HTTP,     /* http that is not loopback: dropped */
	WARN_REDIRECT_LOCAL,    /* https to an IP literal or localhost */
	WARN_REDIRECT_SCHEME,   /* private-use scheme without a rule */
	WARN_REDIRECT_WEB,      /* http redirect of a "web" client */
	WARN_REDIRECT_RULE,     /* the rule's redirects exclude some */
	WARN_LOOPBACK_ONLY,     /* all redirect URIs are loopback */
	WARN_CLIENT_URI,        /* that member was dropped */
	WARN_LOGO_URI,
	WARN_TOS_URI,
	WARN_POLICY_URI,
	WARN_JWKS_URI,
	WARN_GRANT_UNSUPPORTED,    /* a grant type was dropped */
	WARN_GRANT_NEEDS_KEY,      /* confidential grant of a public client */
	WARN_METHOD_UNKNOWN,       /* a method was skipped */
	WARN_METHOD_NOT_LISTED,    /* plural member only */
	WARN_KEY_UNUSABLE,         /* a key of the set was skipped */
	WARN_JWKS_UNAVAILABLE,     /* no keys; "none" is what is left */
	WARN_SCOPE_NARROWED,       /* scopes above the rule's ceiling */
	WARN_CONTENT_TYPE,         /* text/plain under content_type lenient */
	WARN_NO_STORE,             /* kept for the floor only */
	WARN_STALE,                /* served stale after an outage */
	WARN_UPDATE_WAITS,         /* a changed document waits for approval */
	WARN_DEVELOPMENT_LOOPBACK, /* the development exception is on */
	WARN_PROXY,                /* the address check is the proxy's job */
	WARN_COUNT
};
static_assert(WARN_COUNT <= 64, "warnings are bits of a uint64_t");

#define WARN_BIT(w) (UINT64_C(1) << (w))

/* "url_query": stable, lower case.  Never NULL for w < WARN_COUNT. */
const char *warning_name(enum cimd_warning w);

/* One sentence for administrators.  Never NULL for w < WARN_COUNT. */
const char *warning_text(enum cimd_warning w);

/* Client authentication methods as bits (section 6). */
enum {
	METHOD_NONE = 1,
	METHOD_PRIVATE_KEY_JWT = 2,
};

/* Grant types that the library knows by name, as bits. */
enum {
	GRANT_AUTHORIZATION_CODE = 1,
	GRANT_REFRESH_TOKEN = 2,
	GRANT_CLIENT_CREDENTIALS = 4,
	GRANT_JWT_BEARER = 8,
	GRANT_DEVICE_CODE = 16,
	GRANT_TOKEN_EXCHANGE = 32,
	GRANT_CIBA = 64,
	GRANT_IMPLICIT = 128,
};

#endif /* CIMD_INT_H */
