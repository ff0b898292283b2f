/*
 * change.c - what changed between two records, and how serious it is
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "error.h"
#include "jwks.h"
#include "names.h"

/* A record taken apart; keys is NULL where it has none. */
struct side {
	struct client_fields f;
	struct jwks *keys;
};

static enum cimd_err
side_open(const struct cimd_client *c, struct side *out, struct cimd_error *err)
{
	struct span jwks;
	uint64_t unused = 0;

	out->keys = NULL;
	client_fields(c, &out->f);
	jwks = out->f.text[CLIENT_JWKS];
	if (jwks.p == NULL)
		return CIMD_OK;
	return jwks_parse(jwks, &unused, &out->keys, err);
}

static size_t
n_keys(const struct side *s)
{
	return s->keys == NULL ? 0 : jwks_count(s->keys);
}

static bool
has_key(const struct side *s, const struct jwk *key)
{
	const struct jwk *k;
	size_t i;

	for (i = 0; i < n_keys(s); i++) {
		k = jwks_get(s->keys, i);
		if (memcmp(k->thumbprint, key->thumbprint,
			sizeof(k->thumbprint)) == 0)
			return true;
	}
	return false;
}

static bool
has_redirect(const struct client_fields *f, struct span uri)
{
	size_t i;

	for (i = 0; i < f->n_redirects; i++)
		if (span_eq(f->redirect[i].uri, uri))
			return true;
	return false;
}

/* Does a have a key, or a redirect URI, that b has not? */
static bool
more_keys(const struct side *a, const struct side *b)
{
	size_t i;

	for (i = 0; i < n_keys(a); i++)
		if (!has_key(b, jwks_get(a->keys, i)))
			return true;
	return false;
}

static bool
more_redirects(const struct side *a, const struct side *b)
{
	size_t i;

	for (i = 0; i < a->f.n_redirects; i++)
		if (!has_redirect(&b->f, a->f.redirect[i].uri))
			return true;
	return false;
}

static bool
text_differs(const struct side *a, const struct side *b, enum client_text t)
{
	return !span_eq(a->f.text[t], b->f.text[t]);
}

static bool
any_differs(const struct side *a, const struct side *b,
    const enum client_text *texts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (text_differs(a, b, texts[i]))
			return true;
	return false;
}

/* What is neither a list nor a key. */
static uint32_t
compare_texts(const struct side *was, const struct side *is)
{
	static const enum client_text display[] = { CLIENT_NAME, CLIENT_URI,
		CLIENT_LOGO_URI, CLIENT_TOS_URI, CLIENT_POLICY_URI,
		CLIENT_NAMES };
	static const enum client_text other[] = { CLIENT_SCOPE,
		CLIENT_SIGNING_ALG, CLIENT_SOFTWARE_ID, CLIENT_SOFTWARE_VERSION,
		CLIENT_CONTACTS, CLIENT_JWKS_URI };
	uint32_t bits = 0;

	if (any_differs(was, is, display, sizeof(display) / sizeof(display[0])))
		bits |= CHANGE_DISPLAY;
	if (any_differs(was, is, other, sizeof(other) / sizeof(other[0])) ||
	    was->f.application_type != is->f.application_type ||
	    was->f.dpop_bound != is->f.dpop_bound ||
	    was->f.response_code != is->f.response_code)
		bits |= CHANGE_OTHER;
	return bits;
}

/* What one has and the other has not, as the bits of "added". */
static uint32_t
compare_lists(const struct side *less, const struct side *more)
{
	uint32_t bits = 0;

	if (more_keys(more, less))
		bits |= CHANGE_KEYS_ADDED;
	if (more_redirects(more, less))
		bits |= CHANGE_REDIRECTS_ADDED;
	if ((more->f.methods & ~less->f.methods) != 0)
		bits |= CHANGE_METHODS_ADDED;
	if ((more->f.grants & ~less->f.grants) != 0)
		bits |= CHANGE_GRANTS_ADDED;
	return bits;
}

/* The bit of "removed" is the one above that of "added". */
static uint32_t
compare(const struct side *was, const struct side *is)
{
	return compare_texts(was, is) | compare_lists(was, is) |
	    compare_lists(is, was) << 1;
}

uint32_t
change_classify(const struct cimd_client *was, const struct cimd_client *is)
{
	struct side a = { 0 }, b = { 0 };
	uint32_t bits = CHANGE_KEYS_ADDED | CHANGE_KEYS_REMOVED;

	/* Keys that cannot be read now count as changed. */
	if (side_open(was, &a, NULL) == CIMD_OK &&
	    side_open(is, &b, NULL) == CIMD_OK)
		bits = compare(&a, &b);
	jwks_free(&a.keys);
	jwks_free(&b.keys);
	return bits;
}

const char *
change_severity(uint32_t bits)
{
	if ((bits & (CHANGE_KEYS_ADDED | CHANGE_KEYS_REMOVED)) != 0)
		return "keys";
	if ((bits & (CHANGE_REDIRECTS_ADDED | CHANGE_REDIRECTS_REMOVED)) != 0)
		return "redirect_uris";
	if ((bits & (CHANGE_METHODS_ADDED | CHANGE_METHODS_REMOVED)) != 0)
		return "auth_method";
	if ((bits & CHANGE_DISPLAY) != 0)
		return "display";
	return bits != 0 ? "other" : "none";
}

/* {"keys":[...]} of those keys of s that live still has; NULL: memory. */
static char *
common_keys(const struct side *s, const struct side *live, uint32_t *algs)
{
	static const char head[] = "{\"keys\":[", tail[] = "]}";
	const struct jwk *k;
	size_t i, n, len;
	char *text;

	*algs = 0;
	if ((text = malloc(
		 jwks_json(s->keys).n + sizeof(head) + sizeof(tail))) == NULL)
		return NULL;
	len = sizeof(head) - 1;
	(void)memcpy(text, head, len);
	for (i = 0; i < n_keys(s); i++) {
		k = jwks_get(s->keys, i);
		if (!has_key(live, k))
			continue;
		if (*algs != 0)
			text[len++] = ',';
		n = k->json.n;
		(void)memcpy(text + len, k->json.p, n);
		len += n;
		*algs |= k->algs;
	}
	(void)memcpy(text + len, tail, sizeof(tail));
	return text;
}

static void
keep_redirects(struct client_fields *f, const struct client_fields *live)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_redirects; i++)
		if (has_redirect(live, f->redirect[i].uri))
			f->redirect[n++] = f->redirect[i];
	f->n_redirects = n;
}

/* Is anything left that a client could be served with? */
static enum cimd_err
check_rest(const struct client_fields *f, bool had_redirects,
    struct cimd_error *err)
{
	if (had_redirects && f->n_redirects == 0)
		return err_set(err, CIMD_E_REDIRECT_URIS, "9.4",
		    "the present document has none of the approved redirect "
		    "URIs");
	if (f->methods == 0)
		return err_set(err, CIMD_E_AUTH_METHOD, "9.4",
		    "the present document has none of the approved "
		    "authentication methods and keys");
	if (f->grants == 0)
		return err_set(err, CIMD_E_METADATA, "9.4",
		    "the present document has none of the approved grant "
		    "types");
	return CIMD_OK;
}

static enum cimd_err
serve(struct side *s, const struct side *live, struct cimd_client **out,
    struct cimd_error *err)
{
	bool had_redirects = s->f.n_redirects > 0;
	char *keys = NULL;
	enum cimd_err e;

	keep_redirects(&s->f, &live->f);
	s->f.methods &= live->f.methods;
	s->f.grants &= live->f.grants;
	s->f.response_code = s->f.response_code && live->f.response_code;
	if (s->keys != NULL) {
		keys = common_keys(s, live, &s->f.key_algs);
		if (keys == NULL)
			return err_no_memory(err);
		s->f.text[CLIENT_JWKS] = span_of(keys);
		if (s->f.key_algs == 0) {
			s->f.text[CLIENT_JWKS] = span_of(NULL);
			s->f.methods &= ~(uint32_t)METHOD_PRIVATE_KEY_JWT;
		}
	}
	e = check_rest(&s->f, had_redirects, err);
	if (e == CIMD_OK)
		e = client_build(&s->f, out, err);
	free(keys);
	return e;
}

enum cimd_err
change_serve(struct cimd_client *approved, const struct cimd_client *live,
    struct cimd_client **out, struct cimd_error *err)
{
	struct side a = { 0 }, b = { 0 };
	enum cimd_err e;

	*out = NULL;
	e = side_open(approved, &a, err);
	if (e == CIMD_OK)
		e = side_open(live, &b, err);
	if (e == CIMD_OK)
		e = serve(&a, &b, out, err);
	jwks_free(&a.keys);
	jwks_free(&b.keys);
	return e;
}
