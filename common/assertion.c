/*
 * assertion.c - client assertions, private_key_jwt (RFC 7523, RFC 8725)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "assertion.h"
#include "error.h"
#include "json_scan.h"
#include "jws.h"

static enum cimd_err
refuse(struct cimd_error *err, const char *section, const char *what)
{
	return err_set(err, CIMD_E_ASSERTION, section, "client assertion: %s",
	    what);
}

/* The media types that say what a token is for (draft -03, RFC 7523bis). */
static bool
is_assertion_type(struct span typ)
{
	return span_is_nocase(typ, "oauth-client-auth+jwt") ||
	    span_is_nocase(typ, "client-authentication+jwt");
}

static enum cimd_err
check_header(const struct jws *j, const struct assertion_rules *rules,
    struct cimd_error *err)
{
	const char *alg = client_text(rules->client, CLIENT_SIGNING_ALG);
	struct span typ = span_of(j->typ);
	bool plain = typ.p == NULL || span_is_nocase(typ, "JWT");

	if (rules->typ_required && plain)
		return refuse(err, "6.2", "typ does not say what it is for");
	if (!plain && !is_assertion_type(typ))
		return refuse(err, "RFC 8725", "typ is that of something else");
	if (alg != NULL && strcmp(alg, j->alg_name) != 0)
		return err_set(err, CIMD_E_ASSERTION, "RFC 7591 2",
		    "client assertion: alg is %s, but the document says %s",
		    j->alg_name, alg);
	return CIMD_OK;
}

/* A string member; absent if there is none, or one of another type. */
static struct span
string_of(struct json_object *o, const char *name)
{
	struct span out = { NULL, 0 };
	struct json_object *m;

	if (json_object_object_get_ex(o, name, &m) &&
	    json_object_is_type(m, json_type_string)) {
		out.p = json_object_get_string(m);
		out.n = (size_t)json_object_get_string_len(m);
	}
	return out;
}

enum {
	TIME_BITS = 53 /* seconds that a double holds exactly */
};

/*
 * A NumericDate, of which RFC 7519 lets a fraction be a part: many a client
 * sends what its clock says.  It is cut off.  otherwise: without a date.
 * False: this is none.
 */
static bool
read_time(struct json_object *o, const char *name, int64_t otherwise,
    int64_t *out)
{
	struct json_object *m;
	double seconds;

	*out = otherwise;
	if (!json_object_object_get_ex(o, name, &m))
		return true;
	if (json_object_is_type(m, json_type_double)) {
		seconds = json_object_get_double(m);
		if (!(seconds >= 0 && seconds < (double)(1LL << TIME_BITS)))
			return false;
		*out = (int64_t)seconds;
		return true;
	}
	if (!json_object_is_type(m, json_type_int))
		return false;
	*out = json_object_get_int64(m);
	return *out >= 0;
}

static enum cimd_err
check_times(struct json_object *claims, int64_t now, int64_t *keep_until,
    struct cimd_error *err)
{
	int64_t exp, nbf, iat;

	if (!read_time(claims, "exp", -1, &exp) || exp < 0)
		return refuse(err, "RFC 7523",
		    "exp is missing or no number of seconds");
	if (!read_time(claims, "nbf", 0, &nbf))
		return refuse(err, "RFC 7523", "nbf is no number of seconds");
	if (!read_time(claims, "iat", 0, &iat))
		return refuse(err, "RFC 7523", "iat is no number of seconds");
	*keep_until = exp + ASSERTION_SKEW_S;
	if (now >= *keep_until)
		return refuse(err, "RFC 7523", "it has expired");
	if (exp > now + ASSERTION_MAX_LIFE_S)
		return err_set(err, CIMD_E_ASSERTION, "policy",
		    "client assertion: exp is more than %d seconds ahead",
		    ASSERTION_MAX_LIFE_S);
	if (nbf > now + ASSERTION_SKEW_S)
		return refuse(err, "RFC 7523", "nbf is in the future");
	if (iat > now + ASSERTION_SKEW_S)
		return refuse(err, "RFC 7523", "iat is in the future");
	return CIMD_OK;
}

static bool
is_audience(struct json_object *o, const struct assertion_rules *rules)
{
	struct span aud = { json_object_get_string(o),
		(size_t)json_object_get_string_len(o) };
	size_t i;

	for (i = 0; i < rules->n_audiences; i++)
		if (span_is(aud, rules->audiences[i]))
			return true;
	return false;
}

/* aud is a string or an array of strings; one must be this server. */
static enum cimd_err
check_audience(struct json_object *claims, const struct assertion_rules *rules,
    struct cimd_error *err)
{
	struct json_object *aud = NULL, *one;
	bool found = false;
	size_t i, n = 1;

	(void)json_object_object_get_ex(claims, "aud", &aud);
	if (json_object_is_type(aud, json_type_array))
		n = json_object_array_length(aud);
	for (i = 0; i < n; i++) {
		one = json_object_is_type(aud, json_type_array) ?
		    json_object_array_get_idx(aud, i) :
		    aud;
		if (!json_object_is_type(one, json_type_string))
			return refuse(err, "RFC 7523",
			    "aud is neither a string nor strings");
		found = is_audience(one, rules) || found;
	}
	if (found)
		return CIMD_OK;
	return refuse(err, "RFC 7523", "aud does not name this server");
}

static enum cimd_err
check_claims(struct json_object *claims, const struct assertion_rules *rules,
    struct assertion_claims *out, struct cimd_error *err)
{
	const char *id = cimd_client_id(rules->client);
	struct span jti = string_of(claims, "jti");
	enum cimd_err e;

	if (!span_is(string_of(claims, "iss"), id))
		return refuse(err, "RFC 7523", "iss is not the client_id");
	if (!span_is(string_of(claims, "sub"), id))
		return refuse(err, "RFC 7523", "sub is not the client_id");
	e = check_audience(claims, rules, err);
	if (e == CIMD_OK)
		e = check_times(claims, rules->now, &out->keep_until, err);
	if (e != CIMD_OK)
		return e;
	if (jti.p == NULL)
		return refuse(err, "RFC 7523", "jti is missing or no string");
	if (jti.n == 0 || jti.n > ASSERTION_MAX_JTI)
		return err_set(err, CIMD_E_ASSERTION, "policy",
		    "client assertion: jti is not 1 to %d bytes",
		    ASSERTION_MAX_JTI);
	memcpy(out->jti, jti.p, jti.n);
	out->jti[jti.n] = '\0';
	return CIMD_OK;
}

static enum cimd_err
check_payload(const struct jws *j, const struct assertion_rules *rules,
    struct assertion_claims *out, struct cimd_error *err)
{
	struct json_object *claims = NULL;
	struct cimd_error inner = { 0 };
	enum cimd_err e;

	e = json_parse(j->payload, &claims, &inner);
	if (e == CIMD_E_NO_MEMORY)
		return err_no_memory(err);
	if (e != CIMD_OK)
		return err_set(err, CIMD_E_ASSERTION, "RFC 7523",
		    "client assertion: claims: %s", inner.text);
	e = check_claims(claims, rules, out, err);
	json_object_put(claims);
	return e;
}

static enum cimd_err
check_signature(const struct jws *j, const struct cimd_client *client,
    bool *unknown_kid, struct cimd_error *err)
{
	struct span text = span_of(client_text(client, CLIENT_JWKS));
	struct jwks *keys = NULL;
	uint64_t warnings = 0;
	enum cimd_err e;

	if (text.p == NULL)
		text = span_of("{\"keys\":[]}");
	e = jwks_parse(text, &warnings, &keys, NULL);
	if (e == CIMD_E_NO_MEMORY)
		return err_no_memory(err);
	if (e != CIMD_OK)
		return err_set(err, CIMD_E_INTERNAL, "",
		    "the keys of the record cannot be read");
	e = jws_verify(j, keys, unknown_kid, err);
	jwks_free(&keys);
	return e;
}

enum cimd_err
assertion_verify(struct span token, const struct assertion_rules *rules,
    struct assertion_claims *out, bool *unknown_kid, struct cimd_error *err)
{
	struct client_fields fields;
	struct jws j = { 0 };
	enum cimd_err e;

	memset(out, 0, sizeof(*out));
	*unknown_kid = false;
	client_fields(rules->client, &fields);
	if (!(fields.methods & METHOD_PRIVATE_KEY_JWT))
		return refuse(err, "6.2",
		    "the client does not use private_key_jwt");
	e = jws_read(token, &j, err);
	if (e == CIMD_OK)
		e = check_header(&j, rules, err);
	if (e == CIMD_OK)
		e = check_payload(&j, rules, out, err);
	if (e == CIMD_OK)
		e = check_signature(&j, rules->client, unknown_kid, err);
	jws_free(&j);
	if (e != CIMD_OK)
		memset(out, 0, sizeof(*out));
	return e;
}

enum cimd_err
assertion_issuer(struct span token, char **iss, struct cimd_error *err)
{
	struct json_object *claims = NULL;
	struct span value = { NULL, 0 };
	struct jws j = { 0 };
	enum cimd_err e;

	*iss = NULL;
	e = jws_read(token, &j, err);
	if (e == CIMD_OK)
		e = json_parse(j.payload, &claims, err);
	if (e == CIMD_E_JSON)
		e = refuse(err, "RFC 7519", "the claims are no JSON object");
	if (e == CIMD_OK) {
		value = string_of(claims, "iss");
		if (value.p == NULL)
			e = refuse(err, "RFC 7523", "there is no iss");
		else if ((*iss = strndup(value.p, value.n)) == NULL)
			e = err_no_memory(err);
	}
	json_object_put(claims);
	jws_free(&j);
	return e;
}
