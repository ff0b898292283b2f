/*
 * fuzz_record.c - records from a hostile file
 * SPDX-License-Identifier: Apache-2.0
 *
 * What client_load() accepts has strings that end where they say, and its
 * fields make a record again that has the same fields.  The size and the
 * checksum are put right first, for no fuzzer guesses them.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	AT_CHECKSUM = 8,
	AT_SIGNED = 16,
	AT_SIZE = 24,
};

static void
need(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* A copy with the right size and checksum (FNV-1a) in it. */
static uint8_t *
signed_copy(const uint8_t *data, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	uint32_t words = (uint32_t)size;
	uint8_t *copy = malloc(size);
	size_t i;

	need(copy != NULL, "memory");
	memcpy(copy, data, size);
	memcpy(copy + AT_SIZE, &words, 4);
	for (i = AT_SIGNED; i < size; i++) {
		hash ^= copy[i];
		hash *= UINT64_C(0x100000001b3);
	}
	memcpy(copy + AT_CHECKSUM, &hash, 8);
	return copy;
}

static void
check_text(struct span s)
{
	need(s.p == NULL || strlen(s.p) == s.n, "a string with its NUL");
}

static void
check_same(const struct client_fields *a, const struct client_fields *b)
{
	size_t i;

	for (i = 0; i < CLIENT_TEXT_COUNT; i++) {
		check_text(a->text[i]);
		need(span_eq(a->text[i], b->text[i]), "the same text");
	}
	need(a->n_redirects == b->n_redirects, "as many redirect URIs");
	for (i = 0; i < a->n_redirects; i++) {
		check_text(a->redirect[i].uri);
		need(span_eq(a->redirect[i].uri, b->redirect[i].uri),
		    "the same redirect URI");
		need(a->redirect[i].kind == b->redirect[i].kind,
		    "the same kind");
	}
	need(a->grants == b->grants && a->methods == b->methods &&
		a->key_algs == b->key_algs && a->warnings == b->warnings &&
		a->application_type == b->application_type &&
		a->response_code == b->response_code &&
		a->dpop_bound == b->dpop_bound,
	    "the same numbers");
}

static void
check_record(const struct cimd_client *c)
{
	static struct client_fields fields, again;
	struct cimd_client *built = NULL, *loaded = NULL;
	struct cimd_error err = { 0 };

	client_fields(c, &fields);
#ifdef CIMD_PLANTED
	/* As if the first kind of redirect URI were the only one. */
	need(fields.n_redirects < 2 || fields.redirect[1].kind == 0, "planted");
#endif
	need(client_build(&fields, &built, &err) == CIMD_OK, err.text);
	need(client_load(client_bytes(built), &loaded, &err) == CIMD_OK,
	    err.text);
	client_fields(loaded, &again);
	check_same(&fields, &again);
	cimd_client_free(&loaded);
	cimd_client_free(&built);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cimd_client *c = NULL;
	struct span s = { NULL, size };
	uint8_t *copy;

	/* Twice as large, a record may be too large to build again. */
	if (size < AT_SIZE + 4 || size > CIMD_MAX_RECORD / 8)
		return 0;
	copy = signed_copy(data, size);
	s.p = (const char *)copy;
	if (client_load(s, &c, NULL) == CIMD_OK)
		check_record(c);
	cimd_client_free(&c);
	free(copy);
	return 0;
}
