/*
 * overlay.c - "metadata": what the provider must publish
 * SPDX-License-Identifier: Apache-2.0
 *
 * Without client_id_metadata_document_supported and "none" some clients fall
 * back to dynamic registration without a word; RFC 8414 holds the rest.
 */

#include <json-c/json.h>

#include "api.h"
#include "error.h"

static void
put_algs(struct maker *m, struct json_object *a)
{
	static const char *const algs[] = { "ES256", "ES384", "PS256", "RS256",
		"EdDSA" };
	size_t i;

	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		push_string(m, a, algs[i]);
}

void
api_metadata(struct call *c)
{
	struct cimd_error err = { 0 };
	struct api_problem p = { .err = &err };
	struct json_object *a, *o;
	struct setup *setup;
	struct maker m;
	uint32_t methods;

	if ((p.e = resolver_enter(c->r, &setup, &err)) != CIMD_OK) {
		api_fail(c, &p);
		return;
	}
	methods = policy_methods(setup->policy);
	setup_free(&setup);
	maker_init(&m);
	o = put_object(&m, NULL, "metadata");
	put_bool(&m, o, "client_id_metadata_document_supported", true);
	a = put_array(&m, o, "token_endpoint_auth_methods_supported");
	if ((methods & METHOD_NONE) != 0)
		push_string(&m, a, "none");
	if ((methods & METHOD_PRIVATE_KEY_JWT) != 0) {
		push_string(&m, a, "private_key_jwt");
		a = put_array(&m, o,
		    "token_endpoint_auth_signing_alg_values_supported");
		put_algs(&m, a);
	}
	a = put_array(&m, o, "code_challenge_methods_supported");
	push_string(&m, a, "S256");
	/* Only a provider that does RFC 9207 may say so. */
	o = put_object(&m, NULL, "when_supported");
	put_bool(&m, o, "authorization_response_iss_parameter_supported", true);
	api_reply(c, &m);
}
