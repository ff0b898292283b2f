/*
 * doctor_rules.c - judges the metadata of an authorization server
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "cimd_int.h"
#include "doctor.h"
#include "jget.h"

static const char falls_back[] =
    "Claude silently falls back to dynamic registration, other clients fail";
static const char stops[] = "MCP clients refuse to go on";

static void
judge_places(struct doctor *d)
{
	static const struct doctor_finding rule = { .name = "metadata",
		.section = "RFC 8414 3",
		.consequence = "clients do not find the server's endpoints" };
	struct doctor_finding f = rule;
	const struct doctor_answer *a;
	int i, first = 0;

	if (d->found != -1) {
		doctor_add(d, &f, "is at %s", d->at[d->found].url);
		return;
	}
	f.level = DOCTOR_FAIL;
	a = &d->at[PLACE_OAUTH_APPEND];
	if (a->json != NULL) {
		doctor_add(d, &f,
		    "is only at %.150s, where MCP clients do not look", a->url);
		return;
	}
	/* The most telling: not one that is merely not there. */
	for (i = PLACE_COUNT - 1; i >= 0; i--)
		if (d->at[i].url != NULL && !d->at[i].missing)
			first = i;
	a = &d->at[first];
	doctor_add(d, &f, "%.150s: %.150s", a->url, a->why);
}

/* Places that answer, but with something that is no metadata. */
static void
judge_broken(struct doctor *d)
{
	static const struct doctor_finding rule = { .name = "place",
		.section = "RFC 8414 3.2",
		.level = DOCTOR_WARN,
		.consequence = "a client that looks there first may give up" };
	const struct doctor_answer *a;
	int i;

	for (i = 0; d->found != -1 && i < PLACE_OAUTH_APPEND; i++) {
		a = &d->at[i];
		if (a->url != NULL && a->json == NULL && !a->missing)
			doctor_add(d, &rule, "%.150s: %.150s", a->url, a->why);
	}
}

static void
judge_issuer(struct doctor *d, struct json_object *m)
{
	static const struct doctor_finding rule = { .name = "issuer",
		.section = "RFC 8414 3.3",
		.consequence = "clients must not use the metadata" };
	struct doctor_finding f = rule;
	const char *issuer = jget_string(m, "issuer");

	if (strcmp(issuer, d->issuer) == 0) {
		doctor_add(d, &f, "issuer is %.200s", issuer);
		return;
	}
	f.level = DOCTOR_FAIL;
	doctor_add(d, &f, "issuer is \"%.120s\", not \"%.120s\"", issuer,
	    d->issuer);
}

static void
judge_supported(struct doctor *d, struct json_object *m)
{
	static const char member[] = "client_id_metadata_document_supported";
	static const struct doctor_finding rule = { .name = member,
		.section = "5",
		.consequence = falls_back };
	struct doctor_finding f = rule;
	bool there = jget(m, member) != NULL;

	if (jget_true(m, member)) {
		doctor_add(d, &f, "%s is true", member);
		return;
	}
	f.level = DOCTOR_FAIL;
	doctor_add(d, &f, "%s is %s", member, there ? "not true" : "missing");
}

static void
judge_methods(struct doctor *d, struct json_object *m)
{
	static const char member[] = "token_endpoint_auth_methods_supported";
	static const struct doctor_finding none = { .name = "auth_method_none",
		.section = "6",
		.consequence = falls_back };
	static const struct doctor_finding key = {
		.name = "auth_method_private_key_jwt",
		.section = "6.2",
		.consequence = "clients with a key are treated as public, or "
			       "cannot come"
	};
	struct doctor_finding f = none;

	if (!jget_lists(m, member, "none"))
		f.level = DOCTOR_FAIL;
	doctor_add(d, &f, "%s %s none", member,
	    f.level == DOCTOR_PASS ? "has" : "lacks");
	f = key;
	if (!jget_lists(m, member, "private_key_jwt"))
		f.level = DOCTOR_WARN;
	doctor_add(d, &f, "%s %s private_key_jwt", member,
	    f.level == DOCTOR_PASS ? "has" : "lacks");
}

/* RFC 8414 2: must be there with private_key_jwt, and none is forbidden. */
static void
judge_algs(struct doctor *d, struct json_object *m)
{
	static const char methods[] = "token_endpoint_auth_methods_supported";
	static const char member[] =
	    "token_endpoint_auth_signing_alg_values_supported";
	static const struct doctor_finding rule = { .name = "signing_algs",
		.section = "RFC 8414 2",
		.consequence = "clients cannot choose how to sign" };
	static const char *const ours[] = { "ES256", "ES384", "PS256", "RS256",
		"EdDSA" };
	struct doctor_finding f = rule;
	size_t i, n = 0;

	if (!jget_lists(m, methods, "private_key_jwt"))
		return;
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		n += jget_lists(m, member, ours[i]) ? 1 : 0;
	if (jget_lists(m, member, "none")) {
		f.level = DOCTOR_FAIL;
		doctor_add(d, &f, "%s has none, which anybody can sign",
		    member);
	} else if (n == 0) {
		f.level = DOCTOR_WARN;
		doctor_add(d, &f, "%s is missing or names nothing usual",
		    member);
	} else
		doctor_add(d, &f, "%s names %zu of ours", member, n);
}

static void
judge_pkce(struct doctor *d, struct json_object *m)
{
	static const char member[] = "code_challenge_methods_supported";
	static const struct doctor_finding rule = { .name = member,
		.section = "RFC 7636 4.2",
		.consequence = stops };
	static const struct doctor_finding plain = { .name = "pkce_plain",
		.section = "RFC 9700 2.1.1",
		.level = DOCTOR_WARN,
		.consequence = "an attacker who sees the request can use the "
			       "code" };
	struct doctor_finding f = rule;

	if (!jget_lists(m, member, "S256"))
		f.level = DOCTOR_FAIL;
	doctor_add(d, &f, "%s %s S256", member,
	    f.level == DOCTOR_PASS ? "has" : "lacks");
	if (jget_lists(m, member, "plain"))
		doctor_add(d, &plain, "%s has plain", member);
}

static void
judge_iss(struct doctor *d, struct json_object *m)
{
	static const char member[] =
	    "authorization_response_iss_parameter_supported";
	static const struct doctor_finding rule = { .name = member,
		.section = "RFC 9207 3",
		.consequence = "ChatGPT uses a URL of its own for each "
			       "connector; allow it as a pattern" };
	struct doctor_finding f = rule;

	if (!jget_true(m, member))
		f.level = DOCTOR_WARN;
	doctor_add(d, &f, "%s is %s", member,
	    f.level == DOCTOR_PASS ? "true" : "not true");
}

static void
judge_endpoint(struct doctor *d, struct json_object *m, const char *member)
{
	const char *url = jget_string(m, member);
	struct doctor_finding f = { .name = member,
		.section = "RFC 8414 2",
		.consequence = "the flow cannot start" };

	if (strncasecmp(url, "https://", 8) == 0) {
		doctor_add(d, &f, "%s is %.200s", member, url);
		return;
	}
	f.level = DOCTOR_FAIL;
	doctor_add(d, &f, "%s is %s", member,
	    *url != '\0' ? "no https URL" : "missing");
}

static void
judge_flow(struct doctor *d, struct json_object *m)
{
	static const struct doctor_finding code = {
		.name = "response_types_supported",
		.section = "RFC 8414 2",
		.consequence = "the authorization code flow is not offered"
	};
	static const struct doctor_finding grant = {
		.name = "grant_types_supported",
		.section = "RFC 8414 2",
		.consequence = "users must log in again each time a token ends"
	};
	bool given = jget(m, "grant_types_supported") != NULL;
	struct doctor_finding f = code;

	if (!jget_lists(m, code.name, "code"))
		f.level = DOCTOR_FAIL;
	doctor_add(d, &f, "%s %s code", code.name,
	    f.level == DOCTOR_PASS ? "has" : "lacks");
	f = grant;
	if (given && !jget_lists(m, grant.name, "authorization_code")) {
		f.level = DOCTOR_FAIL;
		f.consequence = code.consequence;
		doctor_add(d, &f, "%s lacks authorization_code", grant.name);
	} else if (!jget_lists(m, grant.name, "refresh_token")) {
		f.level = DOCTOR_WARN;
		doctor_add(d, &f, "%s lacks refresh_token", grant.name);
	} else
		doctor_add(d, &f, "%s has authorization_code and refresh_token",
		    grant.name);
}

/* Not needed, but it may keep working beside us. */
static void
judge_registration(struct doctor *d, struct json_object *m)
{
	static const struct doctor_finding rule = { .name = "registration",
		.section = "RFC 7591 3" };
	bool there = *jget_string(m, "registration_endpoint") != '\0';

	doctor_add(d, &rule, "%s",
	    there ? "clients without a URL can register" :
		    "clients without a URL must be registered by hand");
}

/* Clients look at different places: all must say the same. */
static void
judge_agreement(struct doctor *d, struct json_object *m)
{
	static const struct doctor_finding rule = { .name = "agreement",
		.section = "RFC 8414 3",
		.level = DOCTOR_WARN,
		.consequence = "what a client does depends on where it looks" };
	static const char *const members[] = { "issuer",
		"client_id_metadata_document_supported",
		"token_endpoint_auth_methods_supported",
		"code_challenge_methods_supported",
		"authorization_response_iss_parameter_supported",
		"authorization_endpoint", "token_endpoint" };
	const struct doctor_answer *a;
	size_t j;
	int i;

	for (i = 0; i < PLACE_COUNT; i++) {
		a = &d->at[i];
		if (i == d->found || a->json == NULL)
			continue;
		for (j = 0; j < sizeof(members) / sizeof(members[0]); j++)
			if (!json_object_equal(jget(m, members[j]),
				jget(a->json, members[j])))
				doctor_add(d, &rule, "%.150s says another %s",
				    a->url, members[j]);
	}
}

void
doctor_judge(struct doctor *d)
{
	struct json_object *m;

	if (d->finding[0].level == DOCTOR_FAIL)
		return;
	judge_places(d);
	if (d->found == -1)
		return;
	m = d->at[d->found].json;
	judge_issuer(d, m);
	judge_supported(d, m);
	judge_methods(d, m);
	judge_algs(d, m);
	judge_pkce(d, m);
	judge_iss(d, m);
	judge_endpoint(d, m, "authorization_endpoint");
	judge_endpoint(d, m, "token_endpoint");
	judge_flow(d, m);
	judge_registration(d, m);
	judge_broken(d);
	judge_agreement(d, m);
}
