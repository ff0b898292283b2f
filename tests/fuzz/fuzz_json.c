/*
 * fuzz_json.c - strict JSON against json-c's own parser
 * SPDX-License-Identifier: Apache-2.0
 *
 * What json_scan() accepts, json-c accepts too; where the top is an object,
 * both trees are the same, and ours, written out, is accepted again.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* json-c 0.18, where it is strict, takes other bytes for control characters. */
static int
strictness(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7e)
			return JSON_TOKENER_VALIDATE_UTF8;
	return JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8;
}

/* The verdict and tree of json-c, at its strictest. */
static struct json_object *
foreign_parse(struct span s, bool *accepted)
{
	struct json_tokener *tokener;
	struct json_object *tree;

	tokener = json_tokener_new_ex(CIMD_MAX_JSON_DEPTH + 1);
	need(tokener != NULL, "a tokener");
	json_tokener_set_flags(tokener, strictness(s));
	tree = json_tokener_parse_ex(tokener, s.p, (int)s.n);
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		tree = json_tokener_parse_ex(tokener, "", -1);
	*accepted = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	return tree;
}

/* json-c 0.16 takes some characters above U+FFFF for lone surrogates. */
static bool
has_surrogates(struct span s)
{
	return memmem(s.p, s.n, "\\ud", 3) != NULL ||
	    memmem(s.p, s.n, "\\uD", 3) != NULL;
}

static void
check_tree(struct span s, struct json_object *foreign)
{
	struct json_object *tree = NULL, *again = NULL;
	struct cimd_error err = { 0 };
	const char *text;

	need(json_parse(s, &tree, &err) == CIMD_OK, err.text);
	need(has_surrogates(s) || json_object_equal(tree, foreign) == 1,
	    "the same tree");
	text = json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN);
	need(json_parse(span_of(text), &again, &err) == CIMD_OK, err.text);
	need(json_object_equal(tree, again) == 1, "the same tree again");
	json_object_put(again);
	json_object_put(tree);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = { (const char *)data, size };
	struct json_object *foreign;
	struct cimd_error err = { 0 };
	enum cimd_err e;
	bool accepted;

	if (size > CIMD_MAX_JWKS)
		return 0;
	e = json_scan(s, &err);
	need(e == CIMD_OK || e == CIMD_E_JSON, "a verdict");
	need((e == CIMD_OK) == (err.text[0] == '\0'), "a text for a fault");
#ifdef CIMD_PLANTED
	/* As if names were compared before their escapes are resolved. */
	need(strstr(err.text, "a second time") == NULL ||
		memchr(data, '\\', size) == NULL,
	    "planted");
#endif
	if (e != CIMD_OK)
		return 0;
	foreign = foreign_parse(s, &accepted);
	need(accepted, "accepted by json-c");
	if (json_object_is_type(foreign, json_type_object))
		check_tree(s, foreign);
	json_object_put(foreign);
	return 0;
}
