/*
 * document_secret.c - no document publishes a secret (section 4.1)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base64url.h"
#include "document_int.h"
#include "error.h"
#include "json_scan.h"
#include "jwks.h"

/* Is name the member, or the member with a language tag? */
static bool
is_member(const char *name, const char *member)
{
	size_t n = strlen(member);

	return strncmp(name, member, n) == 0 &&
	    (name[n] == '\0' || name[n] == '#');
}

bool
document_shares_secret(struct span method)
{
	static const char prefix[] = "client_secret_";

	return method.n >= sizeof(prefix) - 1 &&
	    memcmp(method.p, prefix, sizeof(prefix) - 1) == 0;
}

static bool
value_shares_secret(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) &&
	    document_shares_secret(document_text(value));
}

/* One method, or one of a list. */
static bool
names_shared_secret(struct json_object *value)
{
	size_t i, n;

	if (!json_object_is_type(value, json_type_array))
		return value_shares_secret(value);
	n = json_object_array_length(value);
	for (i = 0; i < n; i++)
		if (value_shares_secret(json_object_array_get_idx(value, i)))
			return true;
	return false;
}

static enum cimd_err
check_claim(const char *name, struct json_object *value, struct cimd_error *err)
{
	if (is_member(name, "client_secret") ||
	    is_member(name, "client_secret_expires_at"))
		return err_set(err, CIMD_E_SECRET, "4.1",
		    "%.64s must not be there", name);
	if ((is_member(name, "token_endpoint_auth_method") ||
		is_member(name, "token_endpoint_auth_methods_supported")) &&
	    names_shared_secret(value))
		return err_set(err, CIMD_E_SECRET, "4.1",
		    "%.64s: a method that needs a shared secret", name);
	return CIMD_OK;
}

/* The members of a document, or the claims of a software statement. */
static enum cimd_err
check_claims(struct json_object *claims, struct cimd_error *err)
{
	struct lh_entry *entry = json_object_get_object(claims)->head;
	enum cimd_err e = CIMD_OK;

	for (; e == CIMD_OK && entry != NULL; entry = lh_entry_next(entry))
		e = check_claim((const char *)lh_entry_k(entry),
		    (struct json_object *)lh_entry_v(entry), err);
	return e;
}

/* A container on the way through a tree, and where in it we are. */
struct place {
	struct json_object *container;
	struct lh_entry *entry; /* of an object: what comes next */
	size_t i;               /* of an array: what comes next */
	bool in_jwks;           /* somewhere under a member jwks */
};

static struct place
place_of(struct json_object *container, bool in_jwks)
{
	struct place p = { container, NULL, 0, in_jwks };

	if (json_object_is_type(container, json_type_object))
		p.entry = json_object_get_object(container)->head;
	return p;
}

/* The next value of a place; false: it was the last. */
static bool
next_value(struct place *p, struct json_object **value, bool *in_jwks)
{
	*in_jwks = p->in_jwks;
	if (json_object_is_type(p->container, json_type_array)) {
		if (p->i == json_object_array_length(p->container))
			return false;
		*value = json_object_array_get_idx(p->container, p->i++);
		return true;
	}
	if (p->entry == NULL)
		return false;
	if (is_member((const char *)lh_entry_k(p->entry), "jwks"))
		*in_jwks = true;
	*value = (struct json_object *)lh_entry_v(p->entry);
	p->entry = lh_entry_next(p->entry);
	return true;
}

/*
 * What calls itself a key by its kty, wherever it stands, and anything under
 * jwks.  Elsewhere a member "d" or "k" of its own means nothing.
 */
static bool
is_secret_key(struct json_object *value, bool in_jwks)
{
	return json_object_is_type(value, json_type_object) &&
	    (in_jwks || json_object_object_get_ex(value, "kty", NULL)) &&
	    jwks_is_secret(value);
}

/* Walks without recursion; json_parse() has limited the depth. */
static enum cimd_err
check_keys(struct json_object *tree, struct cimd_error *err)
{
	static const char text[] = "a private or symmetric JWK";
	struct place place[CIMD_MAX_JSON_DEPTH];
	struct json_object *value;
	size_t depth = 1;
	bool in_jwks;

	if (is_secret_key(tree, false))
		return err_set(err, CIMD_E_SECRET, "4.1", "%s", text);
	place[0] = place_of(tree, false);
	while (depth > 0) {
		if (!next_value(&place[depth - 1], &value, &in_jwks)) {
			depth--;
			continue;
		}
		if (is_secret_key(value, in_jwks))
			return err_set(err, CIMD_E_SECRET, "4.1", "%s", text);
		if (json_object_is_type(value, json_type_object) ||
		    json_object_is_type(value, json_type_array)) {
			assert(depth < CIMD_MAX_JSON_DEPTH);
			place[depth++] = place_of(value, in_jwks);
		}
	}
	return CIMD_OK;
}

/* A part of a JWS that is a JSON object; NULL with CIMD_OK: it is none. */
static enum cimd_err
decode_part(struct span part, struct json_object **out, struct cimd_error *err)
{
	struct span text = { NULL, 0 };
	enum cimd_err e = CIMD_OK;
	uint8_t *bytes;

	*out = NULL;
	bytes = malloc(part.n + 1);
	if (bytes == NULL)
		return err_no_memory(err);
	if (base64url_decode(part, bytes, part.n, &text.n)) {
		text.p = (const char *)bytes;
		e = json_parse(text, out, NULL);
	}
	free(bytes);
	return e == CIMD_E_NO_MEMORY ? err_no_memory(err) : CIMD_OK;
}

static enum cimd_err
check_part(struct span part, struct cimd_error *err)
{
	struct json_object *claims = NULL;
	enum cimd_err e;

	if ((e = decode_part(part, &claims, err)) != CIMD_OK || claims == NULL)
		return e;
	if ((e = check_claims(claims, err)) == CIMD_OK)
		e = check_keys(claims, err);
	json_object_put(claims);
	if (e != CIMD_OK)
		err_prefix(err, "software_statement");
	return e;
}

/* Header and payload of a compact JWS (RFC 7515 section 3.1). */
static enum cimd_err
check_statement(struct span jws, struct cimd_error *err)
{
	struct span part = jws;
	const char *dot;
	enum cimd_err e;
	int i;

	for (i = 0; i < 2; i++) {
		dot = memchr(part.p, '.', part.n);
		if (dot == NULL)
			return CIMD_OK;
		part.n = (size_t)(dot - part.p);
		if ((e = check_part(part, err)) != CIMD_OK)
			return e;
		part.p = dot + 1;
		part.n = jws.n - (size_t)(part.p - jws.p);
	}
	return CIMD_OK;
}

enum cimd_err
document_secrets(struct json_object *tree, struct cimd_error *err)
{
	struct json_object *statement;
	enum cimd_err e;

	if ((e = check_claims(tree, err)) != CIMD_OK ||
	    (e = check_keys(tree, err)) != CIMD_OK)
		return e;
	statement = json_object_object_get(tree, "software_statement");
	if (json_object_is_type(statement, json_type_string))
		return check_statement(document_text(statement), err);
	if (!json_object_is_type(statement, json_type_object) ||
	    (e = check_claims(statement, err)) == CIMD_OK)
		return CIMD_OK;
	err_prefix(err, "software_statement");
	return e;
}
