/*
 * settings_check.c - is the text of a setting what it must be?
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>
#include <sys/un.h>

#include "netaddr.h"
#include "settings_int.h"
#include "uri.h"

const char *
setting_path(const char *text)
{
	return text[0] == '/' ? NULL : "must be a path that starts with \"/\"";
}

const char *
setting_state_dir(const char *text)
{
	return text[0] == '\0' ? NULL : setting_path(text);
}

const char *
setting_socket(const char *text)
{
	if (strlen(text) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "is too long for a socket";
	return setting_path(text);
}

const char *
setting_account(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t n = strlen(text);

	if (n > 0 && n <= 32 && strspn(text, allowed) == n && text[0] != '-')
		return NULL;
	return "must be the name of an account";
}

/* It goes into a comment of User-Agent (RFC 9110 5.6.5). */
const char *
setting_contact(const char *text)
{
	size_t i;

	for (i = 0; text[i] > ' ' && text[i] <= '~'; i++)
		if (strchr("()\\\"", text[i]) != NULL)
			break;
	if (i <= 200 && text[i] == '\0' && strcspn(text, "@:") < i)
		return NULL;
	return "must be a URL or a mail address without blanks, quotes and "
	       "parentheses";
}

const char *
setting_proxy(const char *text)
{
	const char *why = "";
	struct uri u;

	if (uri_split(span_of(text), &u, &why) &&
	    (span_is(u.scheme, "http") || span_is(u.scheme, "https")) &&
	    u.host.n > 0 && uri_port(&u) != 0 &&
	    (u.path.n == 0 || span_is(u.path, "/")) && u.query.p == NULL &&
	    u.fragment.p == NULL)
		return NULL;
	return "must look like http://egress.example.com:3128";
}

/* ":53" */
static bool
is_port(struct span s)
{
	unsigned int port = 0;
	size_t i;

	if (s.n < 2 || s.n > 6 || s.p[0] != ':')
		return false;
	for (i = 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		port = port * 10 + (unsigned int)(s.p[i] - '0');
	}
	return port > 0 && port <= UINT16_MAX;
}

/* An address, "address:port" or "[address]:port". */
static bool
is_server(struct span s)
{
	struct span host = s, port = { NULL, 0 };
	struct netaddr address;
	const char *end;

	if (netaddr_parse(s, &address))
		return true;
	if (s.n == 0)
		return false;
	end = memchr(s.p, s.p[0] == '[' ? ']' : ':', s.n);
	if (end == NULL)
		return false;
	host.n = (size_t)(end - s.p);
	port.p = end;
	if (s.p[0] == '[') {
		host.p++;
		host.n--;
		port.p++;
	}
	port.n = s.n - (size_t)(port.p - s.p);
	return netaddr_parse(host, &address) && is_port(port);
}

const char *
setting_servers(const char *text)
{
	struct span s;

	for (;;) {
		s.p = text;
		s.n = strcspn(text, ",");
		if (!is_server(s))
			return "must be addresses with commas between them, "
			       "such as 192.0.2.53 or [2001:db8::53]:53";
		if (text[s.n] == '\0')
			return NULL;
		text += s.n + 1;
	}
}
