/*
 * fuzz_jwks.c - JWK sets
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whatever jwks_parse() makes of a set, what it writes has no private member
 * in it and reads the same: the same keys, none unusable.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json_scan.h"
#include "jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void
check_public(struct span json)
{
	struct json_object *tree, *keys;
	size_t i;

	need(json_parse(json, &tree, NULL) == CIMD_OK, "JSON");
	keys = json_object_object_get(tree, "keys");
	for (i = 0; i < json_object_array_length(keys); i++)
		need(!jwks_is_secret(json_object_array_get_idx(keys, i)),
		    "no secret");
	json_object_put(tree);
}

static void
check_keys(const struct jwks *set, const struct jwks *again)
{
	const struct jwk *a, *b;
	size_t i;

	need(jwks_count(set) == jwks_count(again), "as many keys");
	for (i = 0; i < jwks_count(set); i++) {
		a = jwks_get(set, i);
		b = jwks_get(again, i);
		need(a->key != NULL && a->algs != 0, "a usable key");
		need(a->algs == b->algs, "the same algorithms");
		need(memcmp(a->thumbprint, b->thumbprint, 32) == 0,
		    "the same thumbprint");
		need(span_eq(span_of(a->kid), span_of(b->kid)), "the same kid");
#ifdef CIMD_PLANTED
		/* As if a kid had two letters at least. */
		need(a->kid == NULL || strlen(a->kid) >= 2, "planted");
#endif
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct jwks *set = NULL, *again = NULL;
	uint64_t warnings = 0, none = 0;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	if (size > CIMD_MAX_JWKS)
		return 0;
	e = jwks_parse(text, &warnings, &set, &err);
	if (e != CIMD_OK) {
		need(e == CIMD_E_JSON || e == CIMD_E_SECRET ||
			e == CIMD_E_METADATA,
		    "a verdict");
		need(set == NULL && err.text[0] != '\0', "a text");
		return 0;
	}
	check_public(jwks_json(set));
	need(jwks_parse(jwks_json(set), &none, &again, &err) == CIMD_OK,
	    err.text);
	need(none == 0, "no key unusable");
	need(span_eq(jwks_json(set), jwks_json(again)), "the same text");
	check_keys(set, again);
	jwks_free(&again);
	jwks_free(&set);
	return 0;
}
