/*
 * client_json.c - a record as the members of RFC 7591
 * SPDX-License-Identifier: Apache-2.0
 */

#include "client.h"
#include "json_out.h"
#include "names.h"

/* Members that are strings, and where they stand in a record. */
struct text_member {
	const char *name;
	enum client_text text;
};

static const struct text_member links[] = {
	{ "client_uri", CLIENT_URI },
	{ "logo_uri", CLIENT_LOGO_URI },
	{ "tos_uri", CLIENT_TOS_URI },
	{ "policy_uri", CLIENT_POLICY_URI },
};

static const struct text_member others[] = {
	{ "scope", CLIENT_SCOPE },
	{ "software_id", CLIENT_SOFTWARE_ID },
	{ "software_version", CLIENT_SOFTWARE_VERSION },
};

const char *
client_application(enum application_type type)
{
	switch (type) {
	case APPLICATION_WEB:
		return "web";
	case APPLICATION_NATIVE:
		return "native";
	case APPLICATION_UNKNOWN:
		break;
	}
	return NULL;
}

static void
write_texts(struct json_out *o, const struct client_fields *f,
    const struct text_member *members, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		json_out_member(o, members[i].name, f->text[members[i].text]);
}

/* client_name and, from their object, the ones with a language tag. */
static void
write_names(struct json_out *o, const struct client_fields *f)
{
	struct span tagged = f->text[CLIENT_NAMES];

	json_out_member(o, "client_name", f->text[CLIENT_NAME]);
	if (tagged.n <= 2)
		return;
	tagged.p++;
	tagged.n -= 2;
	json_out_raw(o, tagged);
}

static void
write_redirects(struct json_out *o, const struct client_fields *f)
{
	size_t i;

	json_out_name(o, "redirect_uris");
	json_out_open(o, '[');
	for (i = 0; i < f->n_redirects; i++)
		json_out_string(o, f->redirect[i].uri);
	json_out_close(o, ']');
}

/* The names of the bits that are set, from the lowest. */
static void
write_bits(struct json_out *o, const char *member, uint32_t bits,
    const char *(*name_of)(uint32_t bit))
{
	uint32_t bit;

	json_out_name(o, member);
	json_out_open(o, '[');
	for (bit = 1; bit != 0; bit <<= 1)
		if ((bits & bit) != 0)
			json_out_string(o, span_of(name_of(bit)));
	json_out_close(o, ']');
}

static void
write_flow(struct json_out *o, const struct client_fields *f)
{
	bool code =
	    f->response_code && (f->grants & GRANT_AUTHORIZATION_CODE) != 0;

	write_redirects(o, f);
	write_bits(o, "grant_types", f->grants, names_grant);
	json_out_name(o, "response_types");
	json_out_raw(o, span_of(code ? "[\"code\"]" : "[]"));
}

static void
write_authentication(struct json_out *o, const struct client_fields *f)
{
	uint32_t preferred = names_preferred_method(f->methods);

	json_out_member(o, "token_endpoint_auth_method",
	    span_of(names_method(preferred)));
	write_bits(o, "token_endpoint_auth_methods_supported", f->methods,
	    names_method);
	if ((f->methods & METHOD_PRIVATE_KEY_JWT) == 0)
		return;
	json_out_member(o, "token_endpoint_auth_signing_alg",
	    f->text[CLIENT_SIGNING_ALG]);
	json_out_raw_member(o, "jwks", f->text[CLIENT_JWKS]);
}

enum cimd_err
client_json(const struct client_fields *f, char **text, size_t *n,
    struct cimd_error *err)
{
	struct json_out o = { 0 };

	json_out_open(&o, '{');
	json_out_member(&o, "client_id", f->text[CLIENT_ID]);
	write_names(&o, f);
	write_texts(&o, f, links, sizeof(links) / sizeof(links[0]));
	write_flow(&o, f);
	write_authentication(&o, f);
	write_texts(&o, f, others, sizeof(others) / sizeof(others[0]));
	json_out_raw_member(&o, "contacts", f->text[CLIENT_CONTACTS]);
	json_out_member(&o, "application_type",
	    span_of(client_application(f->application_type)));
	if (f->dpop_bound)
		json_out_raw_member(&o, "dpop_bound_access_tokens",
		    span_of("true"));
	json_out_close(&o, '}');
	return json_out_take(&o, text, n, err);
}
