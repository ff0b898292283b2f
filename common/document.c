/*
 * document.c - the Client ID Metadata Document
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "digest.h"
#include "document_int.h"
#include "error.h"
#include "json_scan.h"

static enum cimd_err
check_id(struct document *d, struct cimd_error *err)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(d->tree, "client_id", &value))
		return err_set(err, CIMD_E_MISMATCH, "4",
		    "client_id is missing");
	return document_member(d, "client_id", value, err);
}

static enum cimd_err
check_members(struct document *d, struct cimd_error *err)
{
	struct lh_entry *entry = json_object_get_object(d->tree)->head;
	enum cimd_err e = CIMD_OK;

	json_out_open(&d->names, '{');
	for (; e == CIMD_OK && entry != NULL; entry = lh_entry_next(entry))
		e = document_member(d, (const char *)lh_entry_k(entry),
		    (struct json_object *)lh_entry_v(entry), err);
	json_out_close(&d->names, '}');
	return e;
}

/* The tagged names as one text; none: absent. */
static enum cimd_err
take_names(struct document *d, struct cimd_error *err)
{
	struct span *names = &d->fields.text[CLIENT_NAMES];
	enum cimd_err e;
	size_t n;

	if ((e = json_out_take(&d->names, &d->names_text, &n, err)) != CIMD_OK)
		return e;
	if (n <= strlen("{}"))
		return CIMD_OK;
	names->p = d->names_text;
	names->n = n;
	return CIMD_OK;
}

/* The client_id first: of another client's document nothing else matters. */
static enum cimd_err
check_document(struct document *d, struct cimd_error *err)
{
	enum cimd_err e;

	if ((e = check_id(d, err)) != CIMD_OK ||
	    (e = document_secrets(d->tree, err)) != CIMD_OK ||
	    (e = check_members(d, err)) != CIMD_OK ||
	    (e = take_names(d, err)) != CIMD_OK ||
	    (e = document_flow(d, err)) != CIMD_OK)
		return e;
	return document_auth(d, err);
}

static enum cimd_err
read_body(struct document *d, struct span id, struct span body,
    struct cimd_error *err)
{
	enum cimd_err e;

	if (body.n > CIMD_MAX_DOCUMENT)
		return err_set(err, CIMD_E_TOO_BIG, "9.7", "more than %d bytes",
		    CIMD_MAX_DOCUMENT);
	d->id = strndup(id.p, id.n);
	if (d->id == NULL)
		return err_no_memory(err);
	if ((e = json_parse(body, &d->tree, err)) != CIMD_OK)
		return e;
	d->fields.grants = GRANT_AUTHORIZATION_CODE;
	d->fields.response_code = true;
	d->fields.document_len = (uint32_t)body.n;
	return digest_sha256(body, d->fields.document_sha256, err);
}

enum cimd_err
document_parse(struct span id, struct span body, struct document **out,
    struct cimd_error *err)
{
	struct document *d;
	enum cimd_err e;

	*out = NULL;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_no_memory(err);
	if ((e = read_body(d, id, body, err)) != CIMD_OK ||
	    (e = check_document(d, err)) != CIMD_OK) {
		document_free(&d);
		return e;
	}
	*out = d;
	return CIMD_OK;
}

void
document_free(struct document **d)
{
	if (d == NULL || *d == NULL)
		return;
	json_object_put((*d)->tree);
	json_out_drop(&(*d)->names);
	free((*d)->names_text);
	free((*d)->contacts_text);
	free((*d)->jwks_text);
	free((*d)->id);
	free(*d);
	*d = NULL;
}

void
document_warn(struct document *d, uint64_t bits)
{
	d->fields.warnings |= bits;
}

enum cimd_err
document_record(const struct document *d, struct cimd_client **out,
    struct cimd_error *err)
{
	return client_build(&d->fields, out, err);
}
