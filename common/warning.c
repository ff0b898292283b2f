/*
 * warning.c - names and texts of warnings
 * SPDX-License-Identifier: Apache-2.0
 */

#include "cimd_int.h"

struct warning_row {
	const char *name;
	const char *text;
};

static const struct warning_row rows[WARN_COUNT] = {
	[WARN_URL_ROOT_PATH] = { "url_root_path",
	    "The client_id has the path / only, which is not recommended." },
	[WARN_URL_QUERY] = { "url_query",
	    "The client_id has a query, which it should not have." },
	[WARN_REDIRECT_INVALID] = { "redirect_invalid",
	    "A malformed redirect URI was dropped." },
	[WARN_REDIRECT_HTTP] = { "redirect_http",
	    "An http redirect URI that is not loopback was dropped." },
	[WARN_REDIRECT_LOCAL] = { "redirect_local",
	    "An https redirect URI to an IP address or to localhost was "
	    "dropped." },
	[WARN_REDIRECT_SCHEME] = { "redirect_scheme",
	    "A private-use scheme that no rule names was dropped." },
	[WARN_REDIRECT_WEB] = { "redirect_web",
	    "An http redirect URI of a client of type web was dropped." },
	[WARN_REDIRECT_RULE] = { "redirect_rule",
	    "The rule's redirects exclude a redirect URI of the document." },
	[WARN_LOOPBACK_ONLY] = { "loopback_only",
	    "All redirect URIs are loopback: any local program can receive "
	    "the code." },
	[WARN_CLIENT_URI] = { "client_uri_dropped",
	    "client_uri is not usable and was dropped." },
	[WARN_LOGO_URI] = { "logo_uri_dropped",
	    "logo_uri is not usable and was dropped." },
	[WARN_TOS_URI] = { "tos_uri_dropped",
	    "tos_uri is not usable and was dropped." },
	[WARN_POLICY_URI] = { "policy_uri_dropped",
	    "policy_uri is not usable and was dropped." },
	[WARN_JWKS_URI] = { "jwks_uri_dropped",
	    "jwks_uri is not usable and was dropped." },
	[WARN_GRANT_UNSUPPORTED] = { "grant_unsupported",
	    "A grant type that this server does not support was dropped." },
	[WARN_GRANT_NEEDS_KEY] = { "grant_needs_key",
	    "A grant type that needs client authentication was dropped." },
	[WARN_METHOD_UNKNOWN] = { "method_unknown",
	    "An unknown authentication method was skipped." },
	[WARN_METHOD_NOT_LISTED] = { "method_plural_only",
	    "Only the list of authentication methods is given." },
	[WARN_KEY_UNUSABLE] = { "key_unusable", "A key was skipped." },
	[WARN_JWKS_UNAVAILABLE] = { "jwks_unavailable",
	    "The client's keys cannot be had; private_key_jwt is off." },
	[WARN_SCOPE_NARROWED] = { "scope_narrowed",
	    "Scopes above the rule's ceiling were dropped." },
	[WARN_CONTENT_TYPE] = { "content_type",
	    "text/plain was taken for JSON, as the rule allows." },
	[WARN_NO_STORE] = { "no_store",
	    "The document forbids caching and is kept for the shortest time "
	    "only." },
	[WARN_STALE] = { "stale",
	    "The document could not be refreshed; the stored one is used." },
	[WARN_UPDATE_WAITS] = { "update_waits",
	    "The document changed and waits for approval." },
	[WARN_DEVELOPMENT_LOOPBACK] = { "development_loopback",
	    "Documents on loopback are accepted: never in production." },
	[WARN_PROXY] = { "proxy",
	    "The proxy resolves names: the address check is its job." },
};

const char *
warning_name(enum cimd_warning w)
{
	return rows[w].name;
}

const char *
warning_text(enum cimd_warning w)
{
	return rows[w].text;
}
