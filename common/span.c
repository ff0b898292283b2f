/*
 * span.c - bytes with a length
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>
#include <strings.h>

#include "ascii.h"
#include "cimd_int.h"

bool
span_eq(struct span a, struct span b)
{
	if ((a.p == NULL) != (b.p == NULL) || a.n != b.n)
		return false;
	return a.n == 0 || memcmp(a.p, b.p, a.n) == 0;
}

bool
span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

bool
span_is_nocase(struct span a, const char *s)
{
	size_t i;

	if (a.p == NULL || a.n != strlen(s))
		return false;
	for (i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(s[i]))
			return false;
	return true;
}

bool
span_has_dots(struct span s)
{
	size_t i, dots;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '/')
			continue;
		for (dots = 0; i + 1 < s.n && s.p[i + 1] == '.'; dots++)
			i++;
		if ((dots == 1 || dots == 2) &&
		    (i + 1 == s.n || s.p[i + 1] == '/'))
			return true;
	}
	return false;
}

struct span
span_of(const char *s)
{
	struct span out = { s, 0 };

	if (s != NULL)
		out.n = strlen(s);
	return out;
}
