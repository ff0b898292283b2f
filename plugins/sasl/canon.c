/*
 * canon.c - names that are URLs stay what they are
 * SPDX-License-Identifier: Apache-2.0
 *
 * libsasl2's own canonicalisation takes blanks off a name and adds "@" and
 * the realm to one without "@", so that two clients can become one.  Other
 * names get what they would get there.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cimd_int.h"
#include "sasl_cimd.h"

#define EXPORT __attribute__((visibility("default")))

/* By this name libsasl2 finds it. */
EXPORT sasl_canonuser_init_t sasl_canonuser_init;

/* The plugin as one sasl_server_init() or sasl_client_init() sees it. */
struct canon {
	sasl_canonuser_plug_t plug;
	char name[5];
};

/* Where the canonical name goes; out may be the name itself. */
struct place {
	char *out;
	unsigned max; /* and one byte more for a NUL */
	unsigned *len;
};

static int
put(const struct place *to, const char *name, size_t len, const char *realm)
{
	const size_t more = realm == NULL ? 0 : strlen(realm) + 1;

	if (len > to->max || more > to->max - len)
		return SASL_BUFOVER;
	memmove(to->out, name, len);
	if (more > 0) {
		to->out[len] = '@';
		memcpy(to->out + len + 1, realm, more - 1);
	}
	to->out[len + more] = '\0';
	if (to->len != NULL)
		*to->len = (unsigned)(len + more);
	return SASL_OK;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A name of somebody else. */
static int
put_other(const struct place *to, const char *name, size_t len,
    const char *realm)
{
	const size_t given = len;

	for (; len > 0 && is_blank(name[0]); len--)
		name++;
	while (len > 0 && is_blank(name[len - 1]))
		len--;
	if (len == 0)
		return SASL_FAIL;
	/* Two names for one client: neither trimmed nor taken for another. */
	if (len != given && is_url(name, len))
		return SASL_BADPROT;
	if (memchr(name, '@', len) != NULL)
		realm = NULL;
	return put(to, name, len, realm);
}

/* Is the word one of those in text, as libsasl2 looks for it? */
static bool
has_word(const char *text, const char *word)
{
	static const char blanks[] = " \t\n\v\f\r";
	const size_t n = strlen(word);
	size_t len;

	for (;;) {
		text += strspn(text, blanks);
		len = strcspn(text, blanks);
		if (len == 0)
			return false;
		if (len == n && strncasecmp(text, word, n) == 0)
			return true;
		text += len;
	}
}

/*
 * The client of saslauthd's protocol cuts a name at its last "@", and sends
 * the realm where there was none.  It would have another name verified than
 * the one that this server goes by.
 */
static bool
is_ambiguous(const sasl_server_params_t *sparams, const char *url, size_t len)
{
	const sasl_utils_t *u = sparams->utils;
	const bool has_at = memchr(url, '@', len) != NULL;
	const bool realm =
	    sparams->user_realm != NULL && sparams->user_realm[0] != '\0';
	const char *method = NULL;

	if ((has_at || !realm) && url[len - 1] != '@')
		return false;
	return u->getopt(u->getopt_context, NULL, "pwcheck_method", &method,
		   NULL) == SASL_OK &&
	    method != NULL && has_word(method, "saslauthd");
}

/* Why a URL cannot be a user of this server; NULL: it can. */
static const char *
fault_of(const sasl_server_params_t *sparams, const char *url, size_t len)
{
	if (is_ambiguous(sparams, url, len))
		return "with pwcheck_method: saslauthd, a URL as name wants a "
		       "server without a realm, and no \"@\" at its end";
	if (span_has_dots((struct span){ url, len }))
		return "a URL as name has no segment of dots";
	if (option_transitions(sparams->utils))
		return "auto_transition must be off: it keeps used assertions "
		       "as passwords";
	return NULL;
}

/* The two functions have the types that libsasl2 wants. */
/* NOLINTBEGIN(readability-non-const-parameter) */
/* NOLINTBEGIN(bugprone-not-null-terminated-result): put() adds the NUL */
static int /* NOLINTNEXTLINE(readability-function-size): as libsasl2 wants it */
canon_server(void *glob_context, sasl_server_params_t *sparams,
    const char *user, unsigned len, unsigned flags, char *out,
    unsigned out_umax, unsigned *out_ulen)
{
	const struct place to = { out, out_umax, out_ulen };
	const size_t n = len == 0 ? strlen(user) : len;
	const char *fault;

	(void)glob_context;
	(void)flags;
	if (!is_url(user, n))
		return put_other(&to, user, n, sparams->user_realm);
	if (memchr(user, '\0', n) != NULL)
		return SASL_BADPROT;
	if ((fault = fault_of(sparams, user, n)) != NULL) {
		sparams->utils->log(sparams->utils->conn, SASL_LOG_NOTE,
		    "cimd: refused: %s", fault);
		return SASL_BADPROT;
	}
	return put(&to, user, n, NULL);
}

static int /* NOLINTNEXTLINE(readability-function-size): as libsasl2 wants it */
canon_client(void *glob_context, sasl_client_params_t *cparams,
    const char *user, unsigned len, unsigned flags, char *out, unsigned out_max,
    unsigned *out_len)
{
	const struct place to = { out, out_max, out_len };
	const size_t n = len == 0 ? strlen(user) : len;

	(void)glob_context;
	(void)cparams;
	(void)flags;
	if (!is_url(user, n))
		return put_other(&to, user, n, NULL);
	if (memchr(user, '\0', n) != NULL)
		return SASL_BADPROT;
	return put(&to, user, n, NULL);
}
/* NOLINTEND(bugprone-not-null-terminated-result) */
/* NOLINTEND(readability-non-const-parameter) */

static void
canon_free(void *glob_context, const sasl_utils_t *utils)
{
	(void)utils;
	free(glob_context);
}

int
sasl_canonuser_init(const sasl_utils_t *utils, int max_version,
    int *out_version, sasl_canonuser_plug_t **plug, const char *plugname)
{
	struct canon *c;

	(void)utils;
	(void)plugname;
	if (out_version == NULL || plug == NULL)
		return SASL_BADPARAM;
	if (max_version < SASL_CANONUSER_PLUG_VERSION)
		return SASL_BADVERS;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return SASL_NOMEM;
	memcpy(c->name, "cimd", sizeof(c->name));
	c->plug.name = c->name;
	c->plug.glob_context = c;
	c->plug.canon_user_free = canon_free;
	c->plug.canon_user_server = canon_server;
	c->plug.canon_user_client = canon_client;
	*out_version = SASL_CANONUSER_PLUG_VERSION;
	*plug = &c->plug;
	return SASL_OK;
}
