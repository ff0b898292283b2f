/*
 * check_rules.c - the rules that "cimdctl check" prints, in their order
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every code that a document can be refused for, and every warning, belongs
 * to a row; a test looks for those that do not.
 */

#include "check_rules.h"

static const struct check_rule rules[CHECK_COUNT] = {
	[CHECK_URL] = { "url", "3", "is a client identifier URL",
	    "use https, a host name, a path, and no fragment or user name",
	    STAGE_URL, { CIMD_E_URL, CIMD_E_NOT_CIMD }, 0 },
	[CHECK_URL_PATH] = { "url_path", "3", "has a path of its own",
	    "move the document below the root of the host", STAGE_URL,
	    { CIMD_OK }, WARN_BIT(WARN_URL_ROOT_PATH) },
	[CHECK_URL_QUERY] = { "url_query", "3", "has no query",
	    "put what tells clients apart into the path", STAGE_URL,
	    { CIMD_OK }, WARN_BIT(WARN_URL_QUERY) },

	[CHECK_POLICY] = { "policy", "policy", "is admitted",
	    "write a rule (cimdctl allow), or leave it refused", STAGE_POLICY,
	    { CIMD_E_POLICY, CIMD_E_BLOCKED, CIMD_E_CONSUMER }, 0 },
	[CHECK_PORT] = { "port", "policy", "is on a port that is allowed",
	    "name the port in the rule (ports), or publish on 443",
	    STAGE_POLICY, { CIMD_E_PORT }, 0 },

	[CHECK_RESOLVE] = { "resolve", "5", "the host name resolves",
	    "look at the name servers of the host and of this machine",
	    STAGE_RESOLVE, { CIMD_E_DNS, CIMD_E_TIMEOUT }, 0 },
	[CHECK_ADDRESSES] = { "addresses", "9.6", "all addresses are public",
	    "publish on public addresses only, every one of them",
	    STAGE_RESOLVE, { CIMD_E_ADDRESS },
	    WARN_BIT(WARN_DEVELOPMENT_LOOPBACK) | WARN_BIT(WARN_PROXY) },

	[CHECK_CONNECT] = { "connect", "5", "the server answers",
	    "look at the server and at the firewall in between", STAGE_FETCH,
	    { CIMD_E_CONNECT, CIMD_E_TIMEOUT, CIMD_E_DNS, CIMD_E_ADDRESS }, 0 },
	[CHECK_CERTIFICATE] = { "certificate", "5",
	    "TLS 1.2 or later, chain and name are good",
	    "serve the whole chain, valid now, for this very host name",
	    STAGE_FETCH, { CIMD_E_CERT, CIMD_E_TLS }, 0 },
	[CHECK_HTTP] = { "http", "5", "the answer is HTTP/1.x",
	    "serve well-formed HTTP/1.1", STAGE_FETCH, { CIMD_E_STATUS }, 0 },
	[CHECK_SIZE] = { "size", "9.7", "has at most 5120 bytes",
	    "shorten the document to 5120 bytes, headers to 16 KiB",
	    STAGE_FETCH, { CIMD_E_TOO_BIG }, 0 },

	[CHECK_STATUS] = { "status", "5", "is answered with 200",
	    "serve it with status 200, without redirect, login or bot wall",
	    STAGE_ANSWER,
	    { CIMD_E_STATUS, CIMD_E_GONE, CIMD_E_BOT_WALL, CIMD_E_SERVER }, 0 },
	[CHECK_TYPE] = { "type", "4", "is served as JSON",
	    "send Content-Type: application/json, once", STAGE_ANSWER,
	    { CIMD_E_TYPE }, WARN_BIT(WARN_CONTENT_TYPE) },
	[CHECK_ENCODING] = { "encoding", "5", "is not compressed",
	    "do not compress what was not asked for", STAGE_ANSWER,
	    { CIMD_E_ENCODING }, 0 },
	[CHECK_CACHING] = { "caching", "5.2", "may be kept",
	    "send Cache-Control: max-age with an hour or a day", STAGE_ANSWER,
	    { CIMD_OK }, WARN_BIT(WARN_NO_STORE) | WARN_BIT(WARN_STALE) },

	[CHECK_JSON] = { "json", "RFC 8259", "is one strict JSON object",
	    "no byte order mark, no comment, no name twice, UTF-8",
	    STAGE_DOCUMENT, { CIMD_E_JSON }, 0 },
	[CHECK_CLIENT_ID] = { "client_id", "4", "client_id is this URL",
	    "write the URL into client_id, byte for byte", STAGE_DOCUMENT,
	    { CIMD_E_MISMATCH }, 0 },
	[CHECK_SECRETS] = { "secrets", "4.1", "holds no secret",
	    "remove client_secret, secret methods and private keys",
	    STAGE_DOCUMENT, { CIMD_E_SECRET }, 0 },
	[CHECK_MEMBERS] = { "members", "RFC 7591 2",
	    "members have the right types and values",
	    "correct the member that is named", STAGE_MEMBERS,
	    { CIMD_E_METADATA }, 0 },
	[CHECK_LINKS] = { "links", "4.1", "links can be shown",
	    "use https URLs without user name and fragment", STAGE_MEMBERS,
	    { CIMD_OK },
	    WARN_BIT(WARN_CLIENT_URI) | WARN_BIT(WARN_LOGO_URI) |
		WARN_BIT(WARN_TOS_URI) | WARN_BIT(WARN_POLICY_URI) },
	[CHECK_REDIRECT_URIS] = { "redirect_uris", "4.2",
	    "redirect URIs can be used",
	    "list https URIs, or http on 127.0.0.1, [::1] or localhost",
	    STAGE_MEMBERS, { CIMD_E_REDIRECT_URIS },
	    WARN_BIT(WARN_REDIRECT_INVALID) | WARN_BIT(WARN_REDIRECT_HTTP) |
		WARN_BIT(WARN_REDIRECT_LOCAL) },
	[CHECK_AUTH_METHOD] = { "auth_method", "6",
	    "names an authentication method that is possible",
	    "use none or private_key_jwt in token_endpoint_auth_method",
	    STAGE_AUTH, { CIMD_E_AUTH_METHOD },
	    WARN_BIT(WARN_METHOD_UNKNOWN) | WARN_BIT(WARN_METHOD_NOT_LISTED) },
	[CHECK_KEYS] = { "keys", "6.2", "keys fit the method",
	    "publish a public key (ES256, PS256, RS256, EdDSA) in jwks or "
	    "jwks_uri",
	    STAGE_AUTH, { CIMD_E_KEYS },
	    WARN_BIT(WARN_KEY_UNUSABLE) | WARN_BIT(WARN_JWKS_URI) |
		WARN_BIT(WARN_JWKS_UNAVAILABLE) },

	[CHECK_PROFILE] = { "profile", "policy", "has what the profile asks",
	    "add client_name and redirect_uris, or use profile = ietf",
	    STAGE_DECIDE, { CIMD_E_METADATA }, 0 },
	[CHECK_METHODS] = { "methods", "6", "a method is left by the rule",
	    "add the client's method to auth in the rule", STAGE_DECIDE,
	    { CIMD_E_AUTH_METHOD, CIMD_E_KEYS }, 0 },
	[CHECK_GRANTS] = { "grants", "policy", "grant types are supported",
	    "expect only the grants that are left", STAGE_DECIDE,
	    { CIMD_E_METADATA },
	    WARN_BIT(WARN_GRANT_UNSUPPORTED) | WARN_BIT(WARN_GRANT_NEEDS_KEY) },
	[CHECK_REDIRECTS] = { "redirects", "4.2",
	    "the rule allows its redirect URIs",
	    "add to redirects in the rule, or expect only those that are left",
	    STAGE_DECIDE, { CIMD_E_REDIRECT_URIS },
	    WARN_BIT(WARN_REDIRECT_SCHEME) | WARN_BIT(WARN_REDIRECT_WEB) |
		WARN_BIT(WARN_REDIRECT_RULE) },
	[CHECK_LOOPBACK] = { "loopback", "4.2",
	    "has a redirect URI that is not loopback",
	    "show the host of the client before consent; no rule helps",
	    STAGE_DECIDE, { CIMD_OK }, WARN_BIT(WARN_LOOPBACK_ONLY) },
	[CHECK_SCOPES] = { "scopes", "policy", "scopes are below the ceiling",
	    "expect only the scopes that are left", STAGE_DECIDE, { CIMD_OK },
	    WARN_BIT(WARN_SCOPE_NARROWED) },
	[CHECK_APPROVAL] = { "approval", "policy", "needs no approval",
	    "look at it, then cimdctl approve", STAGE_DECIDE,
	    { CIMD_E_PENDING }, WARN_BIT(WARN_UPDATE_WAITS) },

	[CHECK_REDIRECT_URI] = { "redirect_uri", "4.2",
	    "the redirect_uri of the request is registered",
	    "send one that the document lists, byte for byte", STAGE_REQUEST,
	    { CIMD_OK }, 0 },
};

const struct check_rule *
check_rule(enum check_id id)
{
	return &rules[id];
}
