/*
 * jwks.c - JWK sets: which keys are usable
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include <json-c/json.h>

#include "error.h"
#include "json_out.h"
#include "json_scan.h"
#include "jwk.h"

static const char rfc7517[] = "RFC 7517";

struct jwks {
	char *json;
	size_t json_n;
	size_t n;
	struct jwk_own key[];
};

uint32_t
jwks_alg_bit(struct span name)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} algs[] = {
		{ "ES256", ALG_ES256 },
		{ "ES384", ALG_ES384 },
		{ "PS256", ALG_PS256 },
		{ "RS256", ALG_RS256 },
		{ "EdDSA", ALG_EDDSA },
	};
	size_t i;

	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (span_is(name, algs[i].name))
			return algs[i].bit;
	return 0;
}

bool
jwks_is_secret(struct json_object *key)
{
	static const char *const members[] = { "d", "p", "q", "dp", "dq", "qi",
		"oth", "k" };
	struct json_object *kty = json_object_object_get(key, "kty");
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_object_object_get_ex(key, members[i], NULL))
			return true;
	return json_object_is_type(kty, json_type_string) &&
	    span_is(span_of(json_object_get_string(kty)), "oct");
}

/* Secrets first: with one of them no other fault matters. */
static enum cimd_err
check_secrets(struct json_object *keys, struct cimd_error *err)
{
	size_t i, n = json_object_array_length(keys);

	for (i = 0; i < n; i++) {
		struct json_object *key = json_object_array_get_idx(keys, i);

		if (json_object_is_type(key, json_type_object) &&
		    jwks_is_secret(key))
			return err_set(err, CIMD_E_SECRET, "4.1",
			    "key %zu of the JWK set is private or symmetric",
			    i);
	}
	return CIMD_OK;
}

static enum cimd_err
check_keys(struct json_object *keys, struct cimd_error *err)
{
	size_t i, n = json_object_array_length(keys);

	if (n > CIMD_MAX_KEYS)
		return err_set(err, CIMD_E_METADATA, rfc7517,
		    "a JWK set of more than %d keys", CIMD_MAX_KEYS);
	for (i = 0; i < n; i++)
		if (!json_object_is_type(json_object_array_get_idx(keys, i),
			json_type_object))
			return err_set(err, CIMD_E_METADATA, rfc7517,
			    "key %zu of the JWK set is no object", i);
	return CIMD_OK;
}

/* The array of keys, all of them objects and none of them secret. */
static enum cimd_err
check_set(struct json_object *set, struct json_object **keys,
    struct cimd_error *err)
{
	enum cimd_err e;

	if (!json_object_is_type(set, json_type_object))
		return err_set(err, CIMD_E_METADATA, rfc7517,
		    "a JWK set that is no object");
	if (jwks_is_secret(set))
		return err_set(err, CIMD_E_SECRET, "4.1",
		    "the JWK set is itself a private or symmetric key");
	*keys = json_object_object_get(set, "keys");
	if (!json_object_is_type(*keys, json_type_array))
		return err_set(err, CIMD_E_METADATA, rfc7517,
		    "a JWK set without an array of keys");
	if ((e = check_secrets(*keys, err)) != CIMD_OK)
		return e;
	return check_keys(*keys, err);
}

static enum cimd_err
read_keys(struct jwks *set, struct json_object *keys, uint64_t *warnings,
    struct cimd_error *err)
{
	size_t i, n = json_object_array_length(keys);
	enum cimd_err e;
	bool usable;

	for (i = 0; i < n; i++) {
		e = jwk_read(json_object_array_get_idx(keys, i),
		    &set->key[set->n], &usable, err);
		if (e != CIMD_OK)
			return e;
		if (usable)
			set->n++;
		else
			*warnings |= WARN_BIT(WARN_KEY_UNUSABLE);
	}
	return CIMD_OK;
}

static enum cimd_err
write_json(struct jwks *set, struct cimd_error *err)
{
	struct json_out o = { 0 };
	size_t i;

	json_out_open(&o, '{');
	json_out_name(&o, "keys");
	json_out_open(&o, '[');
	for (i = 0; i < set->n; i++)
		json_out_raw(&o, set->key[i].jwk.json);
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	return json_out_take(&o, &set->json, &set->json_n, err);
}

enum cimd_err
jwks_read(struct json_object *set, uint64_t *warnings, struct jwks **out,
    struct cimd_error *err)
{
	struct json_object *keys = NULL;
	struct jwks *made;
	enum cimd_err e;
	size_t n;

	*out = NULL;
	if ((e = check_set(set, &keys, err)) != CIMD_OK)
		return e;
	n = json_object_array_length(keys);
	made = calloc(1, sizeof(*made) + n * sizeof(made->key[0]));
	if (made == NULL)
		return err_no_memory(err);
	if ((e = read_keys(made, keys, warnings, err)) != CIMD_OK ||
	    (e = write_json(made, err)) != CIMD_OK) {
		jwks_free(&made);
		return e;
	}
	*out = made;
	return CIMD_OK;
}

enum cimd_err
jwks_parse(struct span text, uint64_t *warnings, struct jwks **out,
    struct cimd_error *err)
{
	struct json_object *tree = NULL;
	enum cimd_err e;

	*out = NULL;
	if ((e = json_parse(text, &tree, err)) != CIMD_OK)
		return e;
	e = jwks_read(tree, warnings, out, err);
	json_object_put(tree);
	return e;
}

void
jwks_free(struct jwks **k)
{
	size_t i;

	if (k == NULL || *k == NULL)
		return;
	for (i = 0; i < (*k)->n; i++)
		jwk_clear(&(*k)->key[i]);
	free((*k)->json);
	free(*k);
	*k = NULL;
}

size_t
jwks_count(const struct jwks *k)
{
	return k->n;
}

const struct jwk *
jwks_get(const struct jwks *k, size_t i)
{
	return i < k->n ? &k->key[i].jwk : NULL;
}

uint32_t
jwks_algs(const struct jwks *k)
{
	uint32_t algs = 0;
	size_t i;

	for (i = 0; i < k->n; i++)
		algs |= k->key[i].jwk.algs;
	return algs;
}

struct span
jwks_json(const struct jwks *k)
{
	struct span out = { k->json, k->json_n };

	return out;
}
