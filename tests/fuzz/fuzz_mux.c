/*
 * fuzz_mux.c - one request in the protocol of saslauthd
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is complete is what a second, slow reading finds; every prefix of it
 * wants more, and nothing can follow it but a fifth string.
 */

#include <stdlib.h>
#include <string.h>

#include "mux_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static enum mux_state
state_of(const char *bytes, size_t n)
{
	struct mux_request q;
	char *copy = malloc(n == 0 ? 1 : n); /* its end is watched */
	enum mux_state state;

	must(copy != NULL);
	if (n > 0)
		memcpy(copy, bytes, n);
	state = mux_read(copy, n, &q);
	free(copy);
	return state;
}

/* Where string i begins in a complete request, and its length. */
static size_t
start_of(const char *bytes, size_t i, size_t *len)
{
	size_t at = 0;

	for (;; i--) {
		*len = (size_t)(unsigned char)bytes[at] * 256 +
		    (unsigned char)bytes[at + 1];
		if (i == 0)
			return at + 2;
		at += 2 + *len;
	}
}

static void
check_string(const char *bytes, size_t i, struct span s)
{
	size_t len, at = start_of(bytes, i, &len);

	must(s.p == bytes + at && s.n == len);
	must(strnlen(s.p, s.n) == s.n);
}

static void
check_prefixes(const char *bytes, size_t n)
{
	size_t len, at = start_of(bytes, 3, &len), i;

	must(n <= MUX_MAX_REQUEST);
	must(n == at + len || n >= at + len + 2);
	/* All up to the end would take too long for the largest ones. */
	for (i = 0; i < n; i += 1 + i / 16)
		must(state_of(bytes, i) ==
		    (i == at + len ? MUX_COMPLETE : MUX_MORE));
	must(state_of(bytes, n - 1) ==
	    (n - 1 == at + len ? MUX_COMPLETE : MUX_MORE));
}

static void
check_name(const struct mux_request *q)
{
	char id[CIMD_MAX_URL];
	size_t n;

	if (!mux_client_id(q, id, &n)) {
		must(n == 0);
		return;
	}
	must(n >= 8 && n <= CIMD_MAX_URL && n >= q->login.n);
	must(memcmp(id, q->login.p, q->login.n) == 0);
	must(id[5] == ':' && id[6] == '/' && id[7] == '/' && q->login.n >= 8);
#ifdef CIMD_PLANTED
	/* Wrong on purpose: as if no name had been cut. */
	must(n == q->login.n);
#endif
	if (n == q->login.n)
		must(q->realm.n == 0);
	else
		must(id[q->login.n] == '@' &&
		    memcmp(id + q->login.n + 1, q->realm.p, q->realm.n) == 0 &&
		    n == q->login.n + 1 + q->realm.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct mux_request q = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 },
		{ NULL, 0 } };
	enum mux_state state = mux_read(bytes, size, &q);

	must(state == state_of(bytes, size));
	if (state != MUX_COMPLETE) {
		must(q.login.p == NULL);
		return 0;
	}
	check_string(bytes, 0, q.login);
	check_string(bytes, 1, q.password);
	check_string(bytes, 2, q.service);
	check_string(bytes, 3, q.realm);
	must(q.service.n > 0 && memchr(q.service.p, '/', q.service.n) == NULL);
	must(q.realm.n == 0 || memchr(q.realm.p, '@', q.realm.n) == NULL);
	check_prefixes(bytes, size);
	check_name(&q);
	return 0;
}
