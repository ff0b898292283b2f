/*
 * change_diff.c - the difference between two records, as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "api_json.h"
#include "change.h"
#include "error.h"
#include "jwks.h"
#include "names.h"

/* Texts by their member name; lists and keys are compared by element. */
static const struct {
	enum client_text text;
	const char *name;
} texts[] = {
	{ CLIENT_NAME, "client_name" },
	{ CLIENT_NAMES, "client_name#" },
	{ CLIENT_URI, "client_uri" },
	{ CLIENT_LOGO_URI, "logo_uri" },
	{ CLIENT_TOS_URI, "tos_uri" },
	{ CLIENT_POLICY_URI, "policy_uri" },
	{ CLIENT_SCOPE, "scope" },
	{ CLIENT_SIGNING_ALG, "token_endpoint_auth_signing_alg" },
	{ CLIENT_SOFTWARE_ID, "software_id" },
	{ CLIENT_SOFTWARE_VERSION, "software_version" },
	{ CLIENT_CONTACTS, "contacts" },
	{ CLIENT_JWKS_URI, "jwks_uri" },
};

/* A difference being built: one member at a time. */
struct diff {
	struct maker m;
	struct json_object *rows;
};

/* A list of texts; get gives element i of a record. */
struct list {
	struct client_fields f;
	struct jwks *keys;
};
typedef struct span list_get(const struct list *l, size_t i);

static struct span
get_redirect(const struct list *l, size_t i)
{
	return i < l->f.n_redirects ? l->f.redirect[i].uri : span_of(NULL);
}

static struct span
get_key(const struct list *l, size_t i)
{
	if (l->keys == NULL || i >= jwks_count(l->keys))
		return span_of(NULL);
	return jwks_get(l->keys, i)->json;
}

/* The name of the i-th bit that is set. */
static struct span
get_bit(uint32_t set, size_t i, const char *name(uint32_t bit))
{
	uint32_t bit;

	for (bit = 1; bit != 0; bit <<= 1)
		if ((set & bit) != 0 && i-- == 0)
			return span_of(name(bit));
	return span_of(NULL);
}

static struct span
get_method(const struct list *l, size_t i)
{
	return get_bit(l->f.methods, i, names_method);
}

static struct span
get_grant(const struct list *l, size_t i)
{
	return get_bit(l->f.grants, i, names_grant);
}

static bool
has(const struct list *l, list_get *get, struct span value)
{
	struct span v;
	size_t i;

	for (i = 0; (v = get(l, i)).p != NULL; i++)
		if (span_eq(v, value))
			return true;
	return false;
}

/* The elements of a that b lacks, as an array member of row. */
static size_t
put_lack(struct diff *d, struct json_object *row, const char *name,
    const struct list *const side[2], list_get *get)
{
	struct json_object *a = put_array(&d->m, row, name);
	struct span v;
	size_t i, n = 0;

	for (i = 0; (v = get(side[0], i)).p != NULL; i++) {
		if (has(side[1], get, v))
			continue;
		push_span(&d->m, a, v);
		n++;
	}
	return n;
}

static void
diff_list(struct diff *d, const char *member, const struct list *was,
    const struct list *is, list_get *get)
{
	const struct list *const gone[2] = { was, is };
	const struct list *const come[2] = { is, was };
	struct json_object *row = put_object(&d->m, d->rows, member);
	size_t n;

	n = put_lack(d, row, "removed", gone, get);
	n += put_lack(d, row, "added", come, get);
	if (n == 0 && !d->m.failed)
		json_object_object_del(d->rows, member);
}

static void
diff_text(struct diff *d, const char *member, struct span was, struct span is)
{
	struct json_object *row, *a;

	if (span_eq(was, is))
		return;
	row = put_object(&d->m, d->rows, member);
	a = put_array(&d->m, row, "removed");
	if (was.p != NULL)
		push_span(&d->m, a, was);
	a = put_array(&d->m, row, "added");
	if (is.p != NULL)
		push_span(&d->m, a, is);
}

static void
diff_all(struct diff *d, const struct list *was, const struct list *is)
{
	size_t i;

	diff_list(d, "keys", was, is, get_key);
	diff_list(d, "redirect_uris", was, is, get_redirect);
	diff_list(d, "auth_methods", was, is, get_method);
	diff_list(d, "grant_types", was, is, get_grant);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		diff_text(d, texts[i].name, was->f.text[texts[i].text],
		    is->f.text[texts[i].text]);
	diff_text(d, "application_type",
	    span_of(client_application(was->f.application_type)),
	    span_of(client_application(is->f.application_type)));
	diff_text(d, "response_types",
	    span_of(was->f.response_code ? "code" : NULL),
	    span_of(is->f.response_code ? "code" : NULL));
	diff_text(d, "dpop_bound_access_tokens",
	    span_of(was->f.dpop_bound ? "true" : NULL),
	    span_of(is->f.dpop_bound ? "true" : NULL));
}

static enum cimd_err
open_list(const struct cimd_client *c, struct list *l, struct cimd_error *err)
{
	uint64_t unused = 0;

	client_fields(c, &l->f);
	if (l->f.text[CLIENT_JWKS].p == NULL)
		return CIMD_OK;
	return jwks_parse(l->f.text[CLIENT_JWKS], &unused, &l->keys, err);
}

enum cimd_err
change_diff(const struct cimd_client *was, const struct cimd_client *is,
    struct json_object **out, struct cimd_error *err)
{
	struct list a = { 0 }, b = { 0 };
	struct diff d = { 0 };
	enum cimd_err e;

	*out = NULL;
	e = open_list(was, &a, err);
	if (e == CIMD_OK)
		e = open_list(is, &b, err);
	if (e == CIMD_OK) {
		maker_init(&d.m);
		d.rows = d.m.top;
		diff_all(&d, &a, &b);
		if (d.m.failed) {
			maker_clear(&d.m);
			e = err_no_memory(err);
		}
		*out = d.m.top;
	}
	jwks_free(&a.keys);
	jwks_free(&b.keys);
	return e;
}
