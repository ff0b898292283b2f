/*
 * mux_read.c - one request in the protocol of saslauthd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "mux_read.h"

enum {
	STRINGS = 5,
	NEEDED = 4, /* the last one is for newer clients */
	COUNT = 2,  /* bytes of a length */
};

/* The string at *at; moves *at behind it. */
static enum mux_state
next(const char *bytes, size_t n, size_t *at, struct span *out)
{
	size_t len;

	if (*at + COUNT > MUX_MAX_REQUEST)
		return MUX_MALFORMED;
	if (n - *at < COUNT)
		return MUX_MORE;
	len = (size_t)(unsigned char)bytes[*at] << 8 |
	    (unsigned char)bytes[*at + 1];
	if (len > MUX_MAX_REQUEST - *at - COUNT)
		return MUX_MALFORMED;
	if (len > n - *at - COUNT)
		return MUX_MORE;
	*out = (struct span){ bytes + *at + COUNT, len };
	*at += COUNT + len;
	return memchr(out->p, '\0', len) == NULL ? MUX_COMPLETE : MUX_MALFORMED;
}

/* What policy_consumer.c takes for one, and not longer than ours may be. */
static bool
is_service(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '/')
			return false;
	return s.n > 0 && s.n <= MUX_MAX_SERVICE;
}

enum mux_state
mux_read(const char *bytes, size_t n, struct mux_request *out)
{
	struct span s[STRINGS];
	enum mux_state state;
	size_t i, at = 0;

	if (n > MUX_MAX_REQUEST)
		return MUX_MALFORMED;
	for (i = 0; i < STRINGS && !(i == NEEDED && at == n); i++) {
		state = next(bytes, n, &at, &s[i]);
		if (state != MUX_COMPLETE)
			return state;
	}
	if (at != n || !is_service(s[2]) || memchr(s[3].p, '@', s[3].n) != NULL)
		return MUX_MALFORMED;
	*out = (struct mux_request){ s[0], s[1], s[2], s[3] };
	return MUX_COMPLETE;
}

static bool
is_https(struct span s)
{
	static const char start[] = "https://";
	size_t i;

	if (s.n < sizeof(start) - 1)
		return false;
	for (i = 0; i < sizeof(start) - 1; i++)
		if (s.p[i] != start[i] &&
		    (s.p[i] < 'A' || s.p[i] > 'Z' ||
			s.p[i] - 'A' + 'a' != start[i]))
			return false;
	return true;
}

bool
mux_client_id(const struct mux_request *q, char out[CIMD_MAX_URL], size_t *n)
{
	size_t at = q->realm.n == 0 ? 0 : q->realm.n + 1;

	*n = 0;
	if (!is_https(q->login) || q->login.n + at > CIMD_MAX_URL)
		return false;
	memcpy(out, q->login.p, q->login.n);
	if (at != 0) {
		out[q->login.n] = '@';
		memcpy(out + q->login.n + 1, q->realm.p, q->realm.n);
	}
	*n = q->login.n + at;
	return true;
}
