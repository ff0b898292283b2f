/*
 * fuzz_document.c - Client ID Metadata Documents
 * SPDX-License-Identifier: Apache-2.0
 *
 * An input is a whole document, or what stands in one behind client_id.  What
 * is accepted becomes a record that can be stored, whose redirect URIs are
 * all usable, and whose JSON is itself a document that says the same.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char url[] = "https://app.example.com/client";
static const char head[] = "{\"client_id\":\"https://app.example.com/client\"";

static void
need(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

static char *
whole_document(const uint8_t *data, size_t *size)
{
	size_t n = *size;
	char *body = malloc(sizeof(head) + n + 2);

	need(body != NULL, "memory");
	if (n > 0 && data[0] == '{') {
		memcpy(body, data, n);
		return body;
	}
	memcpy(body, head, sizeof(head) - 1);
	*size = sizeof(head) - 1;
	if (n > 0) {
		body[(*size)++] = ',';
		memcpy(body + *size, data, n);
		*size += n;
	}
	body[(*size)++] = '}';
	return body;
}

static struct cimd_client *
parse(struct span body, struct cimd_error *err)
{
	struct cimd_client *c = NULL;
	enum cimd_err e;

	e = cimd_parse(url, sizeof(url) - 1, body.p, body.n, &c, err);
	need((c != NULL) == (e == CIMD_OK), "a record or a fault");
	need(e == CIMD_OK || (e >= CIMD_E_TOO_BIG && e <= CIMD_E_KEYS),
	    "a code of this step");
	need(e == CIMD_OK || (err->code == e && err->text[0] != '\0'),
	    "a text for the fault");
	return c;
}

static void
check_redirects(const struct client_fields *f)
{
	enum cimd_warning warning;
	enum redirect_kind kind;
	const char *why;
	size_t i;

	for (i = 0; i < f->n_redirects; i++)
		need(redirect_judge(f->redirect[i].uri, &kind, &warning,
			 &why) == REDIRECT_KEEP &&
			kind == f->redirect[i].kind,
		    "a usable redirect URI");
}

/* Its JSON says the same; but for keys that are still to be fetched. */
static void
check_json(const struct cimd_client *c, const struct client_fields *f)
{
	struct cimd_error err = { 0 };
	struct cimd_client *again;
	struct span json;

	json.p = cimd_client_json(c, &json.n);
	if (json.n > CIMD_MAX_DOCUMENT ||
	    ((f->methods & METHOD_PRIVATE_KEY_JWT) != 0 &&
		f->text[CLIENT_JWKS].p == NULL))
		return;
	again = parse(json, &err);
	need(again != NULL, err.text);
	need(strcmp(json.p, cimd_client_json(again, NULL)) == 0,
	    "the same JSON");
	cimd_client_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct client_fields f;
	struct cimd_client *c, *loaded = NULL;
	struct cimd_error err = { 0 };
	struct span body = { NULL, size };
	char *bytes;

	if (size > CIMD_MAX_DOCUMENT)
		return 0;
	bytes = whole_document(data, &body.n);
	body.p = bytes;
	c = parse(body, &err);
	free(bytes);
	if (c == NULL)
		return 0;
	client_fields(c, &f);
#ifdef CIMD_PLANTED
	/* As if no name had a language tag. */
	need(f.text[CLIENT_NAMES].p == NULL, "planted");
#endif
	need(f.methods != 0 && f.grants != 0, "something is allowed");
	check_redirects(&f);
	check_json(c, &f);
	need(client_load(client_bytes(c), &loaded, &err) == CIMD_OK, err.text);
	cimd_client_free(&loaded);
	cimd_client_free(&c);
	return 0;
}
