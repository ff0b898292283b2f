/*
 * who.c - the client that a command is about
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "store.h"
#include "who.h"

enum {
	SHORT_LEN = 43, /* base64url of a SHA-256 */
};

bool
who_is_url(const char *arg)
{
	return strncasecmp(arg, "https://", 8) == 0;
}

bool
who_is_short(const char *arg)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";

	return strlen(arg) == SHORT_LEN && strspn(arg, letters) == SHORT_LEN;
}

bool
who_read(const char *arg, struct who *out)
{
	*out = (struct who){ 0 };
	if (who_is_url(arg)) {
		out->client_id = arg;
		store_short_id(span_of(arg), out->short_id);
		return true;
	}
	if (who_is_short(arg)) {
		memcpy(out->short_id, arg, SHORT_LEN + 1);
		return true;
	}
	complain("\"%s\" is neither an https URL nor the short id of a client",
	    arg);
	return false;
}

char *
who_path(const struct who *w, const char *verb)
{
	char *path = NULL;

	if (asprintf(&path, "/v1/clients/%s%s%s", w->short_id,
		verb != NULL ? "/" : "", verb != NULL ? verb : "") == -1)
		return NULL;
	return path;
}
