/*
 * conf_bytes.c - which bytes a configuration file and its names may have
 * SPDX-License-Identifier: Apache-2.0
 */

#include "ascii.h"
#include "conf_bytes.h"

/* Bounds of the second byte after a first byte (RFC 3629 section 4). */
struct lead {
	unsigned char first, last; /* of the first byte */
	unsigned char low, high;   /* of the second */
	size_t length;
};

size_t
conf_utf8(const char *p, size_t n)
{
	static const struct lead leads[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *u = (const unsigned char *)p;
	size_t i, k;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	for (i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (u[0] < leads[i].first || u[0] > leads[i].last)
			continue;
		if (n < leads[i].length || u[1] < leads[i].low ||
		    u[1] > leads[i].high)
			return 0;
		for (k = 2; k < leads[i].length; k++)
			if (u[k] < 0x80 || u[k] > 0xbf)
				return 0;
		return leads[i].length;
	}
	return 0;
}

enum cimd_err
conf_check_bytes(const char *text, size_t len, struct conf_fault *fault)
{
	unsigned int line = 1;
	size_t i, step;

	if (len >= 3 && text[0] == '\xef' && text[1] == '\xbb' &&
	    text[2] == '\xbf')
		return conf_fault_set(fault, 1, "byte order mark");
	for (i = 0; i < len; i += step) {
		step = conf_utf8(text + i, len - i);
		if (step == 0)
			return conf_fault_set(fault, line, "not UTF-8");
		if (text[i] == '\n')
			line++;
		else if (text[i] == '\r')
			return conf_fault_set(fault, line,
			    "carriage return: lines end with newline alone");
		else if (step == 1 && text[i] != '\t' &&
		    (text[i] < ' ' || text[i] == 0x7f))
			return conf_fault_set(fault, line,
			    "control character 0x%02x", (unsigned char)text[i]);
	}
	return CIMD_OK;
}

bool
conf_is_name(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || p[0] < 'a' || p[0] > 'z')
		return false;
	for (i = 1; i < n; i++)
		if (!(p[i] >= 'a' && p[i] <= 'z') && !ascii_digit(p[i]) &&
		    p[i] != '_')
			return false;
	return true;
}

bool
conf_is_title(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || n > CONF_MAX_TITLE)
		return false;
	for (i = 0; i < n; i++)
		if (!ascii_alpha(p[i]) && !ascii_digit(p[i]) && p[i] != '.' &&
		    p[i] != '-' && p[i] != '_')
			return false;
	return true;
}
