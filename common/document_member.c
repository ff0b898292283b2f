/*
 * document_member.c - the members of a document, one by one
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "document_int.h"
#include "error.h"
#include "host.h"
#include "jwks.h"
#include "names.h"
#include "redirect.h"
#include "uri.h"

static const char rfc7591[] = "RFC 7591 2";

struct member;

/*
 * One member as it stands in the document.  name: as written, at most 64
 * bytes of it go into a text.  tagged: its name has a language tag, so it is
 * judged but not kept.
 */
struct found {
	const struct member *member;
	const char *name;
	struct json_object *value;
	bool tagged;
};

typedef enum cimd_err judge_fn(struct document *d, const struct found *m,
    struct cimd_error *err);

/* type: of the value; of_strings: an array of strings. */
struct member {
	const char *name;
	enum json_type type;
	bool of_strings;
	judge_fn *judge;
	enum client_text text;     /* where a text is kept */
	enum cimd_warning warning; /* of a URI that is dropped */
};

struct span
document_text(struct json_object *string)
{
	struct span out;

	out.p = json_object_get_string(string);
	out.n = (size_t)json_object_get_string_len(string);
	return out;
}

static struct span
element(const struct found *m, size_t i)
{
	return document_text(json_object_array_get_idx(m->value, i));
}

static enum cimd_err
bad(const struct found *m, const char *section, struct cimd_error *err,
    const char *what)
{
	return err_set(err, CIMD_E_METADATA, section, "%.64s: %s", m->name,
	    what);
}

static void
keep(struct document *d, const struct found *m, struct span text)
{
	if (!m->tagged)
		d->fields.text[m->member->text] = text;
}

/* Control characters (C0, DEL, C1) have no place in what people read. */
static bool
has_control(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < s.n &&
		    (unsigned char)s.p[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static enum cimd_err
judge_id(struct document *d, const struct found *m, struct cimd_error *err)
{
	struct span id = document_text(m->value);

	if (!span_is(id, d->id))
		return err_set(err, CIMD_E_MISMATCH, "4",
		    "%.64s is \"%.128s\", which is not the URL asked for",
		    m->name, id.p);
	keep(d, m, id);
	return CIMD_OK;
}

/* An empty text says as much as none. */
static enum cimd_err
judge_text(struct document *d, const struct found *m, struct cimd_error *err)
{
	struct span text = document_text(m->value);

	if (has_control(text))
		return bad(m, rfc7591, err, "a control character");
	if (text.n > 0)
		keep(d, m, text);
	return CIMD_OK;
}

/* What stands behind "#" is a language tag by its letters (RFC 5646). */
static bool
is_language(const char *tag)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-";

	return tag[0] != '\0' && tag[strspn(tag, letters)] == '\0';
}

static enum cimd_err
judge_name(struct document *d, const struct found *m, struct cimd_error *err)
{
	struct span text = document_text(m->value);
	enum cimd_err e;

	if ((e = judge_text(d, m, err)) != CIMD_OK || !m->tagged)
		return e;
	if (text.n > 0 && is_language(strchr(m->name, '#') + 1))
		json_out_member(&d->names, m->name, text);
	return CIMD_OK;
}

static enum cimd_err
judge_uri(struct document *d, const struct found *m, struct cimd_error *err)
{
	struct span text = document_text(m->value);
	const char *why = NULL;
	struct uri u;
	bool good;

	if (m->member->text == CLIENT_JWKS_URI && !m->tagged)
		d->has_jwks_uri = true;
	good = uri_split(text, &u, &why);
	if (uri_scheme_is_dangerous(u.scheme))
		return bad(m, rfc7591, err,
		    "a scheme that runs or reads locally");
	if (good && uri_is_public_https(&u, &why)) {
		keep(d, m, text);
		return CIMD_OK;
	}
	if (why == host_no_memory)
		return err_no_memory(err);
	d->fields.warnings |= WARN_BIT(m->member->warning);
	return CIMD_OK;
}

/* Keep a redirect URI unless it is there already. */
static void
add_redirect(struct client_fields *f, struct span uri, enum redirect_kind kind)
{
	size_t i;

	for (i = 0; i < f->n_redirects; i++)
		if (span_eq(f->redirect[i].uri, uri))
			return;
	f->redirect[f->n_redirects].uri = uri;
	f->redirect[f->n_redirects].kind = kind;
	f->n_redirects++;
}

static enum cimd_err
judge_redirect(struct document *d, const struct found *m, size_t i,
    struct cimd_error *err)
{
	enum cimd_warning warning = WARN_REDIRECT_INVALID;
	enum redirect_kind kind = REDIRECT_HTTPS;
	struct span uri = element(m, i);
	const char *why = NULL;

	switch (redirect_judge(uri, &kind, &warning, &why)) {
	case REDIRECT_KEEP:
		if (!m->tagged)
			add_redirect(&d->fields, uri, kind);
		return CIMD_OK;
	case REDIRECT_DROP:
		if (why == host_no_memory)
			return err_no_memory(err);
		d->fields.warnings |= WARN_BIT(warning);
		return CIMD_OK;
	case REDIRECT_REFUSE:
		break;
	}
	return err_set(err, CIMD_E_METADATA, "4.2", "%.64s[%zu] %s", m->name, i,
	    why);
}

static enum cimd_err
judge_redirects(struct document *d, const struct found *m,
    struct cimd_error *err)
{
	size_t i, n = json_object_array_length(m->value);
	enum cimd_err e;

	if (n > CIMD_MAX_REDIRECTS)
		return err_set(err, CIMD_E_METADATA, "4.2",
		    "%.64s: more than %d", m->name, CIMD_MAX_REDIRECTS);
	for (i = 0; i < n; i++)
		if ((e = judge_redirect(d, m, i, err)) != CIMD_OK)
			return e;
	if (!m->tagged)
		d->has_redirects = n > 0;
	return CIMD_OK;
}

static enum cimd_err
judge_grants(struct document *d, const struct found *m, struct cimd_error *err)
{
	size_t i, n = json_object_array_length(m->value);
	uint32_t bit, bits = 0;

	for (i = 0; i < n; i++) {
		bit = names_grant_bit(element(m, i));
		if (bit == 0)
			d->fields.warnings |= WARN_BIT(WARN_GRANT_UNSUPPORTED);
		bits |= bit;
	}
	if (bits == 0)
		return bad(m, rfc7591, err, "no grant type that is known");
	if (!m->tagged)
		d->fields.grants = bits;
	return CIMD_OK;
}

static enum cimd_err
judge_responses(struct document *d, const struct found *m,
    struct cimd_error *err)
{
	size_t i, n = json_object_array_length(m->value);
	bool code = false;

	(void)err;
	for (i = 0; i < n; i++)
		code = code || span_is(element(m, i), "code");
	if (!m->tagged) {
		d->has_response_types = true;
		d->fields.response_code = code;
	}
	return CIMD_OK;
}

static enum cimd_err
judge_method(struct document *d, const struct found *m, struct cimd_error *err)
{
	(void)err;
	if (!m->tagged)
		d->method = document_text(m->value);
	return CIMD_OK;
}

static enum cimd_err
judge_methods(struct document *d, const struct found *m, struct cimd_error *err)
{
	if (json_object_array_length(m->value) == 0)
		return bad(m, "6", err, "an empty list");
	if (!m->tagged)
		d->methods = m->value;
	return CIMD_OK;
}

static enum cimd_err
judge_alg(struct document *d, const struct found *m, struct cimd_error *err)
{
	struct span alg = document_text(m->value);

	if (jwks_alg_bit(alg) == 0)
		return err_set(err, CIMD_E_METADATA, "6.2",
		    "%.64s: \"%.32s\" is not supported", m->name, alg.p);
	keep(d, m, alg);
	return CIMD_OK;
}

/* RFC 6749 section 3.3; an empty text is no scope. */
static enum cimd_err
judge_scope(struct document *d, const struct found *m, struct cimd_error *err)
{
	struct span scope = document_text(m->value);
	char before = ' ';
	size_t i;

	for (i = 0; i < scope.n; i++) {
		char c = scope.p[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\' ||
		    (c == ' ' && before == ' '))
			break;
		before = c;
	}
	if (i < scope.n || (i > 0 && before == ' '))
		return bad(m, "RFC 6749 3.3", err,
		    "no tokens with one space between them");
	if (scope.n > 0)
		keep(d, m, scope);
	return CIMD_OK;
}

static enum cimd_err
judge_contacts(struct document *d, const struct found *m,
    struct cimd_error *err)
{
	size_t i, n = json_object_array_length(m->value);
	struct json_out o = { 0 };
	struct span out;
	enum cimd_err e;

	for (i = 0; i < n; i++)
		if (has_control(element(m, i)))
			return bad(m, rfc7591, err, "a control character");
	if (n == 0 || m->tagged)
		return CIMD_OK;
	json_out_open(&o, '[');
	for (i = 0; i < n; i++)
		json_out_string(&o, element(m, i));
	json_out_close(&o, ']');
	if ((e = json_out_take(&o, &d->contacts_text, &out.n, err)) != CIMD_OK)
		return e;
	out.p = d->contacts_text;
	keep(d, m, out);
	return CIMD_OK;
}

static enum cimd_err
judge_jwks(struct document *d, const struct found *m, struct cimd_error *err)
{
	(void)err;
	if (!m->tagged)
		d->jwks = m->value;
	return CIMD_OK;
}

/* OpenID Connect Dynamic Client Registration section 2. */
static enum cimd_err
judge_type(struct document *d, const struct found *m, struct cimd_error *err)
{
	static const enum application_type types[] = { APPLICATION_WEB,
		APPLICATION_NATIVE };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!span_is(document_text(m->value),
			client_application(types[i])))
			continue;
		if (!m->tagged)
			d->fields.application_type = types[i];
		return CIMD_OK;
	}
	return bad(m, rfc7591, err, "neither \"web\" nor \"native\"");
}

static enum cimd_err
judge_dpop(struct document *d, const struct found *m, struct cimd_error *err)
{
	(void)err;
	if (!m->tagged)
		d->fields.dpop_bound = json_object_get_boolean(m->value) != 0;
	return CIMD_OK;
}

/* It has been searched for secrets; nobody vouches for it, so it is dropped. */
static enum cimd_err
judge_statement(struct document *d, const struct found *m,
    struct cimd_error *err)
{
	(void)d;
	(void)m;
	(void)err;
	return CIMD_OK;
}

/*
 * All members that are read.  What is not here is ignored and reaches no
 * host; of what is here, all but software_statement and jwks_uri do.
 */
static const struct member members[] = {
	{ "client_id", json_type_string, false, judge_id, CLIENT_ID, 0 },
	{ "client_name", json_type_string, false, judge_name, CLIENT_NAME, 0 },
	{ "client_uri", json_type_string, false, judge_uri, CLIENT_URI,
	    WARN_CLIENT_URI },
	{ "logo_uri", json_type_string, false, judge_uri, CLIENT_LOGO_URI,
	    WARN_LOGO_URI },
	{ "tos_uri", json_type_string, false, judge_uri, CLIENT_TOS_URI,
	    WARN_TOS_URI },
	{ "policy_uri", json_type_string, false, judge_uri, CLIENT_POLICY_URI,
	    WARN_POLICY_URI },
	{ "redirect_uris", json_type_array, true, judge_redirects, 0, 0 },
	{ "grant_types", json_type_array, true, judge_grants, 0, 0 },
	{ "response_types", json_type_array, true, judge_responses, 0, 0 },
	{ "token_endpoint_auth_method", json_type_string, false, judge_method,
	    0, 0 },
	{ "token_endpoint_auth_methods_supported", json_type_array, true,
	    judge_methods, 0, 0 },
	{ "token_endpoint_auth_signing_alg", json_type_string, false, judge_alg,
	    CLIENT_SIGNING_ALG, 0 },
	{ "scope", json_type_string, false, judge_scope, CLIENT_SCOPE, 0 },
	{ "contacts", json_type_array, true, judge_contacts, CLIENT_CONTACTS,
	    0 },
	{ "jwks", json_type_object, false, judge_jwks, 0, 0 },
	{ "jwks_uri", json_type_string, false, judge_uri, CLIENT_JWKS_URI,
	    WARN_JWKS_URI },
	{ "software_id", json_type_string, false, judge_text,
	    CLIENT_SOFTWARE_ID, 0 },
	{ "software_version", json_type_string, false, judge_text,
	    CLIENT_SOFTWARE_VERSION, 0 },
	{ "software_statement", json_type_string, false, judge_statement, 0,
	    0 },
	{ "application_type", json_type_string, false, judge_type, 0, 0 },
	{ "dpop_bound_access_tokens", json_type_boolean, false, judge_dpop, 0,
	    0 },
};

static enum cimd_err
check_type(const struct found *m, struct cimd_error *err)
{
	size_t i, n;

	if (!json_object_is_type(m->value, m->member->type))
		return err_set(err, CIMD_E_METADATA, rfc7591,
		    "%.64s: not of type %s", m->name,
		    json_type_to_name(m->member->type));
	if (!m->member->of_strings)
		return CIMD_OK;
	n = json_object_array_length(m->value);
	for (i = 0; i < n; i++)
		if (!json_object_is_type(json_object_array_get_idx(m->value, i),
			json_type_string))
			return err_set(err, CIMD_E_METADATA, rfc7591,
			    "%.64s[%zu]: not of type string", m->name, i);
	return CIMD_OK;
}

enum cimd_err
document_member(struct document *d, const char *name, struct json_object *value,
    struct cimd_error *err)
{
	struct span base = { name, strcspn(name, "#") };
	struct found m = { NULL, name, value, name[base.n] == '#' };
	enum cimd_err e;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (span_is(base, members[i].name))
			m.member = &members[i];
	if (m.member == NULL)
		return CIMD_OK;
	if ((e = check_type(&m, err)) != CIMD_OK)
		return e;
	return m.member->judge(d, &m, err);
}

/* A client that calls itself "web" has no http redirect URI (RFC 9700 2.6). */
static void
drop_web_loopback(struct client_fields *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_redirects; i++) {
		if (f->redirect[i].kind == REDIRECT_LOOPBACK)
			f->warnings |= WARN_BIT(WARN_REDIRECT_WEB);
		else
			f->redirect[n++] = f->redirect[i];
	}
	f->n_redirects = n;
}

enum cimd_err
document_flow(struct document *d, struct cimd_error *err)
{
	struct client_fields *f = &d->fields;
	bool code_grant = (f->grants & GRANT_AUTHORIZATION_CODE) != 0;

	if (f->application_type == APPLICATION_WEB)
		drop_web_loopback(f);
	if (d->has_redirects && f->n_redirects == 0)
		return err_set(err, CIMD_E_REDIRECT_URIS, "4.2",
		    "redirect_uris: none of them is usable");
	if (d->has_response_types && f->response_code != code_grant)
		return err_set(err, CIMD_E_METADATA, "RFC 7591 2.1",
		    "response_types: \"code\" is %s, which does not fit "
		    "grant_types",
		    code_grant ? "missing" : "listed");
	return CIMD_OK;
}
