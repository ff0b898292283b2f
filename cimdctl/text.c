/*
 * text.c - foreign bytes made fit for a terminal
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "text.h"

enum {
	ESCAPE_MAX = 12, /* bytes that one escaped character takes */
};

/*
 * Characters that can be printed but make a text look like another one:
 * bidirectional controls, zero width, fillers, tags, variation selectors.
 */
static bool
is_hidden(wchar_t c)
{
	static const wchar_t ranges[][2] = {
		{ 0x00ad, 0x00ad },
		{ 0x034f, 0x034f },
		{ 0x061c, 0x061c },
		{ 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },
		{ 0x200b, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0x2800, 0x2800 },
		{ 0x3164, 0x3164 },
		{ 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

/* Append the character at s to out; returns how many bytes of s it takes. */
static size_t
escape_one(struct span s, char *out, size_t *len)
{
	mbstate_t state;
	wchar_t c = 0;
	size_t n;

	memset(&state, 0, sizeof(state));
	n = mbrtowc(&c, s.p, s.n, &state);
	if (n == 0 || n > s.n || (n == 1 && !iswprint((wint_t)c))) {
		*len += (size_t)snprintf(out + *len, ESCAPE_MAX + 1, "\\x%02x",
		    (unsigned int)(unsigned char)*s.p);
		return 1;
	}
	if (!iswprint((wint_t)c) || is_hidden(c)) {
		*len += (size_t)snprintf(out + *len, ESCAPE_MAX + 1,
		    "\\u{%04lX}", (unsigned long)c);
		return n;
	}
	memcpy(out + *len, s.p, n);
	*len += n;
	return n;
}

char *
text_escape(struct span s)
{
	char *out = NULL;
	size_t len = 0, n;

	if (s.n < SIZE_MAX / (ESCAPE_MAX + 1))
		out = malloc(s.n * ESCAPE_MAX + 1);
	if (out == NULL)
		return NULL;
	while (s.n > 0) {
		n = escape_one(s, out, &len);
		s.p += n;
		s.n -= n;
	}
	out[len] = '\0';
	return out;
}

size_t
text_width(const char *text)
{
	size_t n, left = strlen(text), width = 0;
	mbstate_t state;
	wchar_t c;
	int columns;

	memset(&state, 0, sizeof(state));
	while (left > 0) {
		n = mbrtowc(&c, text, left, &state);
		if (n == 0 || n > left) {
			memset(&state, 0, sizeof(state));
			n = 1;
			columns = 1;
		} else
			columns = wcwidth(c);
		width += columns > 0 ? (size_t)columns : 0;
		text += n;
		left -= n;
	}
	return width;
}
