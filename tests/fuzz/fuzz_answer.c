/*
 * fuzz_answer.c - what a daemon, or something in its place, answers
 * SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte (even: a lookup, odd: an assertion; its rest plus 1 is how
 * many bytes come at once), then the bytes of the connection up to its end.
 */

#include <stdlib.h>
#include <string.h>

#include "client/answer.h"
#include "error.h"

#define ID "https://client.example/app.json"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

/* In pieces of that many bytes, to the end of the response or of in. */
static enum cimd_err
feed(struct reply *r, struct span in, size_t piece, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;
	bool done = false;
	size_t room;
	char *to;

	while (e == CIMD_OK && !done && in.n > 0) {
		if ((e = reply_room(r, &to, &room, err)) != CIMD_OK)
			break;
		must(room > 0);
		room = room < piece ? room : piece;
		room = room < in.n ? room : in.n;
		memcpy(to, in.p, room);
		in.p += room;
		in.n -= room;
		e = reply_add(r, room, &done, err);
		must(r->n <= 2 * REPLY_MAX_HEAD + REPLY_MAX_BODY + piece);
	}
	if (e == CIMD_OK && !done)
		e = reply_end(r, err);
	must(e == CIMD_OK || e == err->code);
	return e;
}

static struct cimdclient_answer *
read_answer(struct span in, size_t piece, bool verify)
{
	struct cimdclient_answer *a = answer_new();
	struct reply r = { 0 };
	enum cimd_err e;

	must(a != NULL);
	if ((e = feed(&r, in, piece, answer_error(a))) == CIMD_OK) {
		must(reply_body(&r).n <= REPLY_MAX_BODY);
		answer_decode(a, &r, span_of(ID), verify);
	} else
		answer_fail(a, e);
	reply_clear(&r);
	return a;
}

static void
check_line(const char *text)
{
	must(text != NULL && strlen(text) < 224);
	for (; *text != '\0'; text++)
		must(*text >= ' ' && *text <= '~');
}

static void
check_accepted(const struct cimdclient_answer *a)
{
	size_t i, n = cimdclient_count(a, "redirect_uris");

	must(strcmp(cimdclient_text(a, "client_id"), ID) == 0);
	must(strcmp(cimdclient_code(a), "CIMD_OK") == 0);
	must(strcmp(cimdclient_trust(a), "trusted") == 0 ||
	    strcmp(cimdclient_trust(a), "unverified") == 0);
	must(cimdclient_rule(a) != NULL && cimdclient_host(a) != NULL);
	for (i = 0; i < n; i++)
		must(cimdclient_item(a, "redirect_uris", i) != NULL);
	must(cimdclient_item(a, "redirect_uris", n) == NULL);
	(void)cimdclient_json(a, "jwks");
	(void)cimdclient_allows(a, "none");
}

static void
check_other(const struct cimdclient_answer *a)
{
	must(cimdclient_text(a, "client_id") == NULL);
	must(cimdclient_json(a, "jwks") == NULL);
	must(cimdclient_count(a, "redirect_uris") == 0);
	must(cimdclient_trust(a) == NULL && cimdclient_host(a) == NULL);
	must(!cimdclient_allows(a, "none") && !cimdclient_redirect_ok(a));
	must(*cimdclient_code(a) != '\0' && *cimdclient_oauth(a) != '\0');
}

static bool
mentions(struct span in, const char *word)
{
	return memmem(in.p, in.n, word, strlen(word)) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cimdclient_answer *a, *whole;
	struct span in = { (const char *)data + 1, size - 1 };
	bool verify;

	if (size == 0)
		return 0;
	verify = (data[0] & 1) != 0;
	a = read_answer(in, (size_t)(data[0] >> 1) + 1, verify);
	check_line(cimdclient_code(a));
	check_line(cimdclient_detail(a));
	check_line(cimdclient_oauth(a));
	if (cimdclient_class(a) == CIMD_ACCEPTED) {
		check_accepted(a);
		must(mentions(in, "HTTP/1.1 200 "));
		must(!verify || mentions(in, "true"));
	} else
		check_other(a);
	/* What comes at once says the same, unless more comes with it. */
	whole = read_answer(in, SIZE_MAX / 2, verify);
	must(cimdclient_class(whole) == cimdclient_class(a) ||
	    cimdclient_class(whole) == CIMD_BROKEN);
#ifdef CIMD_PLANTED
	must(cimdclient_retry_after(a) != 7);
#endif
	cimdclient_free(&a);
	cimdclient_free(&whole);
	return 0;
}
