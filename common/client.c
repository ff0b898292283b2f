/*
 * client.c - the record: one allocation, immutable, reference-counted
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "error.h"
#include "jwks.h"
#include "names.h"

/*
 * The flat bytes: this head, the redirect slots, then the strings in the
 * order of their slots, each with a NUL.  So a slot's place follows from the
 * lengths before it, and bytes with any gap or overlap are refused.  Numbers
 * are the machine's own; the magic number of another byte order is another.
 */
enum {
	RECORD_MAGIC = 0x43494d44,
	RECORD_VERSION = 1, /* one more with every change to the layout */
};

enum {
	FLAG_RESPONSE_CODE = 1,
	FLAG_DPOP_BOUND = 2,
	FLAG_ALL = 3,
};

/* A string: offset from the start of the bytes, length.  at 0: absent. */
struct slot {
	uint32_t at;
	uint32_t n;
};

struct redirect_slot {
	struct slot uri;
	uint32_t kind;
};

struct record {
	uint32_t magic;
	uint32_t version;
	uint64_t checksum; /* of everything after it */
	uint64_t warnings;
	uint32_t size; /* of all the bytes */
	uint32_t document_len;
	uint32_t grants;
	uint32_t methods;
	uint32_t key_algs;
	uint32_t application_type;
	uint32_t flags;
	uint32_t n_redirects;
	uint8_t document_sha256[32];
	uint8_t jwks_sha256[32];
	struct slot text[CLIENT_TEXT_COUNT];
	struct slot json;
	struct redirect_slot redirect[];
};

static_assert(sizeof(struct record) == 120 + 8 * (CLIENT_TEXT_COUNT + 1),
    "no padding in what is stored");
static_assert(CLIENT_TEXT_COUNT == 14, "else RECORD_VERSION is one more");

struct cimd_client {
	_Atomic uint32_t refs;
	_Alignas(8) char bytes[];
};

static struct record *
record_of(struct cimd_client *c)
{
	return (struct record *)(void *)c->bytes;
}

static const struct record *
record_in(const struct cimd_client *c)
{
	return (const struct record *)(const void *)c->bytes;
}

/* Slot i of texts, JSON and redirect URIs, in the order of their strings. */
static struct slot *
slot_at(struct record *r, size_t i)
{
	if (i < CLIENT_TEXT_COUNT)
		return &r->text[i];
	if (i == CLIENT_TEXT_COUNT)
		return &r->json;
	return &r->redirect[i - CLIENT_TEXT_COUNT - 1].uri;
}

static size_t
slot_count(const struct record *r)
{
	return CLIENT_TEXT_COUNT + 1 + r->n_redirects;
}

static size_t
strings_start(size_t n_redirects)
{
	return sizeof(struct record) +
	    n_redirects * sizeof(struct redirect_slot);
}

/* FNV-1a, 64 bits: finds damage, and cannot fail. */
static uint64_t
checksum(const char *bytes, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = offsetof(struct record, warnings); i < n; i++) {
		hash ^= (unsigned char)bytes[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

static struct cimd_client *
client_alloc(size_t n)
{
	struct cimd_client *c = malloc(sizeof(*c) + n);

	if (c != NULL) {
		atomic_init(&c->refs, 1);
		memset(c->bytes, 0, n);
	}
	return c;
}

/* The span that belongs into slot i. */
static struct span
source_at(const struct client_fields *f, struct span json, size_t i)
{
	if (i < CLIENT_TEXT_COUNT)
		return f->text[i];
	if (i == CLIENT_TEXT_COUNT)
		return json;
	return f->redirect[i - CLIENT_TEXT_COUNT - 1].uri;
}

/* Bytes of the whole record; more than CIMD_MAX_RECORD: too many. */
static size_t
record_size(const struct client_fields *f, struct span json)
{
	size_t size = strings_start(f->n_redirects);
	size_t i;

	for (i = 0; i < CLIENT_TEXT_COUNT + 1 + f->n_redirects; i++) {
		struct span s = source_at(f, json, i);

		if (s.n >= CIMD_MAX_RECORD || size > CIMD_MAX_RECORD)
			return CIMD_MAX_RECORD + 1;
		size += s.p == NULL ? 0 : s.n + 1;
	}
	return size;
}

static void
put_numbers(struct record *r, const struct client_fields *f, size_t size)
{
	size_t i;

	r->magic = RECORD_MAGIC;
	r->version = RECORD_VERSION;
	r->warnings = f->warnings;
	r->size = (uint32_t)size;
	r->document_len = f->document_len;
	r->grants = f->grants;
	r->methods = f->methods;
	r->key_algs = f->key_algs;
	r->application_type = f->application_type;
	r->flags = (f->response_code ? FLAG_RESPONSE_CODE : 0) |
	    (f->dpop_bound ? FLAG_DPOP_BOUND : 0);
	r->n_redirects = (uint32_t)f->n_redirects;
	memcpy(r->document_sha256, f->document_sha256, 32);
	memcpy(r->jwks_sha256, f->jwks_sha256, 32);
	for (i = 0; i < f->n_redirects; i++)
		r->redirect[i].kind = f->redirect[i].kind;
}

static void
put_strings(struct cimd_client *c, const struct client_fields *f,
    struct span json)
{
	struct record *r = record_of(c);
	size_t at = strings_start(f->n_redirects);
	size_t i;

	for (i = 0; i < slot_count(r); i++) {
		struct span s = source_at(f, json, i);
		struct slot *slot = slot_at(r, i);

		if (s.p == NULL)
			continue;
		slot->at = (uint32_t)at;
		slot->n = (uint32_t)s.n;
		memcpy(c->bytes + at, s.p, s.n);
		at += s.n + 1;
	}
}

static enum cimd_err
build(const struct client_fields *f, struct span json, struct cimd_client **out,
    struct cimd_error *err)
{
	struct cimd_client *c;
	size_t size = record_size(f, json);

	if (size > CIMD_MAX_RECORD)
		return err_set(err, CIMD_E_TOO_BIG, "9.7",
		    "the record would be larger than %d bytes",
		    CIMD_MAX_RECORD);
	c = client_alloc(size);
	if (c == NULL)
		return err_no_memory(err);
	put_numbers(record_of(c), f, size);
	put_strings(c, f, json);
	record_of(c)->checksum = checksum(c->bytes, size);
	*out = c;
	return CIMD_OK;
}

enum cimd_err
client_build(const struct client_fields *f, struct cimd_client **out,
    struct cimd_error *err)
{
	struct span json = { NULL, 0 };
	char *text = NULL;
	enum cimd_err e;

	*out = NULL;
	if ((e = client_json(f, &text, &json.n, err)) != CIMD_OK)
		return e;
	json.p = text;
	e = build(f, json, out, err);
	free(text);
	return e;
}

struct span
client_bytes(const struct cimd_client *c)
{
	struct span out = { c->bytes, record_in(c)->size };

	return out;
}

static struct span
slot_span(const struct cimd_client *c, const struct slot *slot)
{
	struct span out = { NULL, 0 };

	if (slot->at != 0) {
		out.p = c->bytes + slot->at;
		out.n = slot->n;
	}
	return out;
}

struct span
client_span(const struct cimd_client *c, enum client_text which)
{
	return slot_span(c, &record_in(c)->text[which]);
}

const char *
client_text(const struct cimd_client *c, enum client_text which)
{
	return client_span(c, which).p;
}

struct client_redirect
client_redirect(const struct cimd_client *c, size_t i)
{
	const struct redirect_slot *slot = &record_in(c)->redirect[i];

	return (struct client_redirect){ slot_span(c, &slot->uri),
		(enum redirect_kind)slot->kind };
}

uint64_t
client_warnings(const struct cimd_client *c)
{
	return record_in(c)->warnings;
}

uint32_t
client_grants(const struct cimd_client *c)
{
	return record_in(c)->grants;
}

uint32_t
client_methods(const struct cimd_client *c)
{
	return record_in(c)->methods;
}

bool
client_response_code(const struct cimd_client *c)
{
	return (record_in(c)->flags & FLAG_RESPONSE_CODE) != 0;
}

void
client_fields(const struct cimd_client *c, struct client_fields *out)
{
	const struct record *r = record_in(c);
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < CLIENT_TEXT_COUNT; i++)
		out->text[i] = client_span(c, (enum client_text)i);
	out->n_redirects = r->n_redirects;
	for (i = 0; i < r->n_redirects; i++)
		out->redirect[i] = client_redirect(c, i);
	out->grants = r->grants;
	out->methods = r->methods;
	out->key_algs = r->key_algs;
	out->application_type = (enum application_type)r->application_type;
	out->response_code = (r->flags & FLAG_RESPONSE_CODE) != 0;
	out->dpop_bound = (r->flags & FLAG_DPOP_BOUND) != 0;
	out->warnings = r->warnings;
	memcpy(out->document_sha256, r->document_sha256, 32);
	memcpy(out->jwks_sha256, r->jwks_sha256, 32);
	out->document_len = r->document_len;
}

static enum cimd_err
damaged(struct cimd_error *err, const char *what)
{
	return err_set(err, CIMD_E_STORE, "", "stored record: %s", what);
}

static enum cimd_err
check_numbers(const struct record *r, struct cimd_error *err)
{
	if (r->warnings >> WARN_COUNT != 0)
		return damaged(err, "unknown warning");
	if (r->grants > 2 * GRANT_IMPLICIT - 1)
		return damaged(err, "unknown grant");
	if (r->methods > (METHOD_NONE | METHOD_PRIVATE_KEY_JWT))
		return damaged(err, "unknown authentication method");
	if (r->key_algs > 2 * ALG_EDDSA - 1)
		return damaged(err, "unknown algorithm");
	if (r->application_type > APPLICATION_NATIVE)
		return damaged(err, "unknown application type");
	if (r->flags > FLAG_ALL)
		return damaged(err, "unknown flag");
	if (r->text[CLIENT_ID].at == 0 || r->json.at == 0)
		return damaged(err, "no client_id or no JSON");
	return CIMD_OK;
}

/* Each string where the one before ends, with its NUL and no other. */
static enum cimd_err
check_strings(struct cimd_client *c, struct cimd_error *err)
{
	struct record *r = record_of(c);
	size_t at = strings_start(r->n_redirects);
	size_t i;

	for (i = 0; i < slot_count(r); i++) {
		const struct slot *slot = slot_at(r, i);

		if (slot->at == 0 && slot->n == 0 && i <= CLIENT_TEXT_COUNT)
			continue;
		if (slot->at != at || slot->n >= r->size - at)
			return damaged(err, "a string out of its place");
		if (memchr(c->bytes + at, '\0', slot->n) != NULL ||
		    c->bytes[at + slot->n] != '\0')
			return damaged(err, "a string without its end");
		at += slot->n + 1;
	}
	if (at != r->size)
		return damaged(err, "bytes after the last string");
	return CIMD_OK;
}

static enum cimd_err
check_record(struct cimd_client *c, size_t size, struct cimd_error *err)
{
	struct record *r = record_of(c);
	enum cimd_err e;
	size_t i;

	if (r->magic != RECORD_MAGIC || r->version != RECORD_VERSION)
		return damaged(err, "of another version or machine");
	if (r->size != size || r->checksum != checksum(c->bytes, size))
		return damaged(err, "wrong checksum");
	if (r->n_redirects > CIMD_MAX_REDIRECTS ||
	    strings_start(r->n_redirects) > size)
		return damaged(err, "too many redirect URIs");
	for (i = 0; i < r->n_redirects; i++)
		if (r->redirect[i].kind > REDIRECT_SCHEME)
			return damaged(err, "unknown kind of redirect URI");
	if ((e = check_numbers(r, err)) != CIMD_OK)
		return e;
	return check_strings(c, err);
}

enum cimd_err
client_load(struct span bytes, struct cimd_client **out, struct cimd_error *err)
{
	struct cimd_client *c;
	enum cimd_err e;

	*out = NULL;
	if (bytes.n < sizeof(struct record) || bytes.n > CIMD_MAX_RECORD)
		return damaged(err, "wrong size");
	c = client_alloc(bytes.n);
	if (c == NULL)
		return err_no_memory(err);
	memcpy(c->bytes, bytes.p, bytes.n);
	if ((e = check_record(c, bytes.n, err)) != CIMD_OK) {
		cimd_client_free(&c);
		return e;
	}
	*out = c;
	return CIMD_OK;
}

struct cimd_client *
client_ref(struct cimd_client *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
cimd_client_free(struct cimd_client **c)
{
	if (c == NULL || *c == NULL)
		return;
	if (atomic_fetch_sub_explicit(&(*c)->refs, 1, memory_order_acq_rel) ==
	    1)
		free(*c);
	*c = NULL;
}

const char *
cimd_client_id(const struct cimd_client *c)
{
	return client_text(c, CLIENT_ID);
}

const char *
cimd_client_get(const struct cimd_client *c, const char *name)
{
	static const char *const names[CLIENT_TEXT_COUNT] = {
		[CLIENT_ID] = "client_id",
		[CLIENT_NAME] = "client_name",
		[CLIENT_URI] = "client_uri",
		[CLIENT_LOGO_URI] = "logo_uri",
		[CLIENT_TOS_URI] = "tos_uri",
		[CLIENT_POLICY_URI] = "policy_uri",
		[CLIENT_SCOPE] = "scope",
		[CLIENT_SIGNING_ALG] = "token_endpoint_auth_signing_alg",
		[CLIENT_SOFTWARE_ID] = "software_id",
		[CLIENT_SOFTWARE_VERSION] = "software_version",
	};
	const struct record *r = record_in(c);
	unsigned int i;

	for (i = 0; i < CLIENT_TEXT_COUNT; i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return client_text(c, (enum client_text)i);
	if (strcmp(name, "token_endpoint_auth_method") == 0)
		return names_method(names_preferred_method(r->methods));
	if (strcmp(name, "application_type") == 0)
		return client_application(
		    (enum application_type)r->application_type);
	return NULL;
}

size_t
cimd_client_redirects(const struct cimd_client *c)
{
	return record_in(c)->n_redirects;
}

const char *
cimd_client_redirect(const struct cimd_client *c, size_t i)
{
	const struct record *r = record_in(c);

	if (i >= r->n_redirects)
		return NULL;
	return slot_span(c, &r->redirect[i].uri).p;
}

const char *
cimd_client_json(const struct cimd_client *c, size_t *len)
{
	struct span json = slot_span(c, &record_in(c)->json);

	if (len != NULL)
		*len = json.n;
	return json.p;
}
