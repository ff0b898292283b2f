/*
 * document_auth.c - how a client authenticates, and its keys (section 6)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "digest.h"
#include "document_int.h"
#include "error.h"
#include "json_scan.h"
#include "jwks.h"
#include "names.h"

static struct span
listed_method(const struct document *d, size_t i)
{
	return document_text(json_object_array_get_idx(d->methods, i));
}

/* The methods of the list that we know; *in_list: the singular one is there. */
static uint32_t
read_list(struct document *d, bool *in_list)
{
	size_t i, n = json_object_array_length(d->methods);
	uint32_t bit, bits = 0;

	*in_list = false;
	for (i = 0; i < n; i++) {
		bit = names_method_bit(listed_method(d, i));
		if (bit == 0)
			d->fields.warnings |= WARN_BIT(WARN_METHOD_UNKNOWN);
		bits |= bit;
		if (d->method.p != NULL &&
		    span_eq(listed_method(d, i), d->method))
			*in_list = true;
	}
	return bits;
}

/*
 * Neither member: "none", whatever the default of RFC 7591 is.  A list alone
 * is chosen from; a singular member beside it must be in it.
 */
static enum cimd_err
choose_methods(struct document *d, struct cimd_error *err)
{
	struct client_fields *f = &d->fields;
	bool in_list;

	f->methods = METHOD_NONE;
	if (d->methods == NULL && d->method.p == NULL)
		return CIMD_OK;
	if (d->methods == NULL) {
		f->methods = names_method_bit(d->method);
	} else {
		f->methods = read_list(d, &in_list);
		if (d->method.p == NULL)
			f->warnings |= WARN_BIT(WARN_METHOD_NOT_LISTED);
		else if (!in_list)
			return err_set(err, CIMD_E_METADATA, "6",
			    "token_endpoint_auth_method: \"%.64s\" is not in "
			    "token_endpoint_auth_methods_supported",
			    d->method.p);
	}
	if (f->methods == 0)
		return err_set(err, CIMD_E_AUTH_METHOD, "6",
		    "neither \"private_key_jwt\" nor \"none\" is allowed by "
		    "%s",
		    d->methods == NULL ?
			"token_endpoint_auth_method" :
			"token_endpoint_auth_methods_supported");
	return CIMD_OK;
}

/* A client that shows no key has no use for what stands about keys. */
static void
forget_keys(struct client_fields *f)
{
	struct span absent = { NULL, 0 };

	f->methods &= ~(uint32_t)METHOD_PRIVATE_KEY_JWT;
	f->text[CLIENT_JWKS] = absent;
	f->text[CLIENT_JWKS_URI] = absent;
	f->text[CLIENT_SIGNING_ALG] = absent;
	f->key_algs = 0;
}

/* Without a key, "none" is what is left, if the document has it. */
static enum cimd_err
go_on_without(struct document *d, struct cimd_error *err)
{
	struct client_fields *f = &d->fields;

	if ((f->methods & METHOD_NONE) == 0)
		return err_set(err, CIMD_E_KEYS, "6.2",
		    "private_key_jwt is the only method, and there is no "
		    "usable key");
	forget_keys(f);
	f->warnings |= WARN_BIT(WARN_JWKS_UNAVAILABLE);
	return CIMD_OK;
}

/* Keep the set if one of its keys can do what the document says it signs. */
static enum cimd_err
take_keys(struct document *d, const struct jwks *set, struct cimd_error *err)
{
	struct client_fields *f = &d->fields;
	uint32_t algs = jwks_algs(set);

	if (f->text[CLIENT_SIGNING_ALG].p != NULL)
		algs &= jwks_alg_bit(f->text[CLIENT_SIGNING_ALG]);
	if (algs == 0)
		return go_on_without(d, err);
	d->jwks_text = strdup(jwks_json(set).p);
	if (d->jwks_text == NULL)
		return err_no_memory(err);
	f->text[CLIENT_JWKS] = span_of(d->jwks_text);
	f->key_algs = algs;
	return CIMD_OK;
}

/* Inline keys are judged even if no method asks for them: for secrets. */
static enum cimd_err
read_inline(struct document *d, struct cimd_error *err)
{
	struct jwks *set = NULL;
	enum cimd_err e;

	e = jwks_read(d->jwks, &d->fields.warnings, &set, err);
	if (e != CIMD_OK) {
		err_prefix(err, "jwks");
		return e;
	}
	if ((d->fields.methods & METHOD_PRIVATE_KEY_JWT) != 0)
		e = take_keys(d, set, err);
	jwks_free(&set);
	return e;
}

enum cimd_err
document_auth(struct document *d, struct cimd_error *err)
{
	struct client_fields *f = &d->fields;
	enum cimd_err e;

	if ((e = choose_methods(d, err)) != CIMD_OK)
		return e;
	if (d->jwks != NULL && d->has_jwks_uri)
		return err_set(err, CIMD_E_METADATA, "RFC 7591 2",
		    "jwks and jwks_uri exclude each other");
	if (d->jwks != NULL && (e = read_inline(d, err)) != CIMD_OK)
		return e;
	if ((f->methods & METHOD_PRIVATE_KEY_JWT) == 0)
		forget_keys(f);
	else if (f->text[CLIENT_JWKS].p == NULL &&
	    f->text[CLIENT_JWKS_URI].p == NULL)
		return go_on_without(d, err);
	return CIMD_OK;
}

struct span
document_jwks_uri(const struct document *d)
{
	struct span absent = { NULL, 0 };

	if (d->fields.text[CLIENT_JWKS].p != NULL)
		return absent;
	return d->fields.text[CLIENT_JWKS_URI];
}

enum cimd_err
document_add_jwks(struct document *d, struct span body, struct cimd_error *err)
{
	uint64_t warnings = d->fields.warnings;
	struct json_object *tree = NULL;
	struct jwks *set = NULL;
	uint8_t hash[32];
	enum cimd_err e;

	assert(document_jwks_uri(d).p != NULL);
	if (body.n > CIMD_MAX_JWKS)
		return err_set(err, CIMD_E_TOO_BIG, "9.7",
		    "jwks_uri: more than %d bytes", CIMD_MAX_JWKS);
	if ((e = json_parse(body, &tree, err)) == CIMD_OK &&
	    (e = document_secrets(tree, err)) == CIMD_OK &&
	    (e = digest_sha256(body, hash, err)) == CIMD_OK &&
	    (e = jwks_read(tree, &warnings, &set, err)) == CIMD_OK &&
	    (e = take_keys(d, set, err)) == CIMD_OK) {
		d->fields.warnings |= warnings;
		memcpy(d->fields.jwks_sha256, hash, sizeof(hash));
	} else {
		err_prefix(err, "jwks_uri");
	}
	jwks_free(&set);
	json_object_put(tree);
	return e;
}

enum cimd_err
document_no_jwks(struct document *d, struct cimd_error *err)
{
	return go_on_without(d, err);
}
