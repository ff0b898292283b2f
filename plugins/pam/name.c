/*
 * name.c - the user name that a host gives, as a client_id
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "name.h"

static const char scheme[] = "https://";

/* Encoders write upper case; the other spelling would be a second name. */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
is_alnum(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* What all encoders leave as it is. */
static bool
is_unreserved(int c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_';
}

/* What one encoder or the other leaves as it is. */
static bool
is_plain(char c)
{
	return is_unreserved(c) || (c != '\0' && strchr("~*!'()", c) != NULL);
}

/* One byte of a form-encoded text, and how long it is there; -1: none. */
static int
decode_byte(const char *s, size_t *n)
{
	int c;

	*n = 1;
	if (is_plain(*s))
		return *s;
	if (*s != '%' || hex(s[1]) == -1 || hex(s[2]) == -1)
		return -1;
	*n = 3;
	c = hex(s[1]) * 16 + hex(s[2]);
	return c > ' ' && c <= '~' && !is_unreserved(c) ? c : -1;
}

static enum name
decode_name(const char *s, char *out)
{
	size_t step, n = 0;
	int c;

	for (; *s != '\0'; s += step) {
		c = decode_byte(s, &step);
		if (c == -1 || n == CIMD_MAX_URL)
			return NAME_BAD;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return strncmp(out, scheme, sizeof(scheme) - 1) == 0 ? NAME_CLIENT :
							       NAME_BAD;
}

enum name
name_read(const char *user, bool decode, char *out)
{
	size_t n = strnlen(user, CIMD_MAX_URL + 1);

	if (strncmp(user, scheme, sizeof(scheme) - 1) == 0) {
		if (n > CIMD_MAX_URL)
			return NAME_BAD;
		memcpy(out, user, n);
		out[n] = '\0';
		return NAME_CLIENT;
	}
	if (decode && strncmp(user, "https%", 6) == 0)
		return decode_name(user, out);
	return NAME_OTHER;
}
