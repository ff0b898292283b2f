/*
 * batch.c - "cimdctl check --batch": one JSON object per line
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "api_json.h"
#include "batch.h"
#include "error.h"
#include "json_scan.h"
#include "judge.h"
#include "verdict.h"

enum {
	MAX_LINE = 4 * 1024 * 1024 /* bytes */
};

/* One line on its way. */
struct line {
	struct json_object *in; /* NULL: the line was no JSON object */
	struct judge_input input;
	char *decoded;      /* of body_b64 */
	struct policy *own; /* of "policy" */
	struct judge_result result;
};

/* The policy of the last line that brought one; tables repeat theirs. */
struct policy_memo {
	char *text;
	struct policy *policy;
};

static void
refuse(struct line *l, enum cimd_err code, const char *why)
{
	if (l->result.code == CIMD_OK)
		l->result.code = err_set(&l->result.err, code, "", "%s", why);
}

/* EVP_DecodeBlock() takes blanks and "=" where none may be. */
static bool
is_base64_of(struct span b64, const char *p, int n)
{
	char *again = malloc(b64.n + 1);
	bool same;

	if (again == NULL)
		return false;
	same = EVP_EncodeBlock((unsigned char *)again, (const unsigned char *)p,
		   n) == (int)b64.n &&
	    memcmp(again, b64.p, b64.n) == 0;
	free(again);
	return same;
}

static bool
decode_body(struct line *l, struct span b64)
{
	int n;

	if (b64.n % 4 != 0 || b64.n > INT32_MAX)
		return false;
	l->decoded = malloc(b64.n / 4 * 3 + 1);
	if (l->decoded == NULL)
		return false;
	n = EVP_DecodeBlock((unsigned char *)l->decoded,
	    (const unsigned char *)b64.p, (int)b64.n);
	if (n < 0)
		return false;
	if (b64.n > 0 && b64.p[b64.n - 1] == '=')
		n--;
	if (b64.n > 1 && b64.p[b64.n - 2] == '=')
		n--;
	l->input.body.p = l->decoded;
	l->input.body.n = (size_t)n;
	return is_base64_of(b64, l->decoded, n);
}

static void
read_body(struct line *l)
{
	struct span body = { NULL, 0 }, b64 = { NULL, 0 };
	const char *why;

	if (!get_span(l->in, "body", &body, &why) ||
	    !get_span(l->in, "body_b64", &b64, &why))
		refuse(l, CIMD_E_REQUEST, "body: a string is expected");
	else if (body.p != NULL && b64.p != NULL)
		refuse(l, CIMD_E_REQUEST, "body and body_b64 at once");
	else if (b64.p != NULL && !decode_body(l, b64))
		refuse(l, CIMD_E_REQUEST, "body_b64 is not base64");
	else if (b64.p == NULL)
		l->input.body = body;
}

static void
read_status(struct line *l)
{
	int64_t status = 200;
	const char *why;

	if (!get_int(l->in, "status", &status, &why) || status < 100 ||
	    status > 999)
		refuse(l, CIMD_E_REQUEST, "status: 100 to 999 is expected");
	l->input.status = (int)status;
}

static void
read_policy(struct line *l, struct policy_memo *memo)
{
	struct json_object *v;
	const char *text;
	char *copy;

	if (!json_object_object_get_ex(l->in, "policy", &v) || v == NULL)
		return;
	if (!json_object_is_type(v, json_type_object)) {
		refuse(l, CIMD_E_CONFIG, "policy: an object is expected");
		return;
	}
	text = json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN);
	if (text == NULL) {
		refuse(l, CIMD_E_NO_MEMORY, "out of memory");
		return;
	}
	if (memo->text == NULL || strcmp(memo->text, text) != 0) {
		struct policy *p;
		enum cimd_err e;

		e = policy_read(v, POLICY_BATCH, &p, &l->result.err);
		if (e != CIMD_OK) {
			l->result.code = e;
			return;
		}
		copy = strdup(text);
		free(memo->text);
		policy_free(&memo->policy);
		memo->text = copy;
		memo->policy = p;
	}
	l->own = policy_ref(memo->policy);
	l->input.policy = l->own;
}

static void
read_line(struct line *l, struct policy_memo *memo)
{
	struct json_object *v;
	const char *why;

	if (!get_span(l->in, "url", &l->input.url, &why) ||
	    l->input.url.p == NULL)
		refuse(l, CIMD_E_REQUEST, "url: a string is expected");
	if (!get_span(l->in, "redirect_uri", &l->input.redirect_uri, &why))
		refuse(l, CIMD_E_REQUEST, "redirect_uri: a string is expected");
	read_status(l);
	read_body(l);
	if (json_object_object_get_ex(l->in, "headers", &v))
		l->input.headers = v;
	if (json_object_object_get_ex(l->in, "addresses", &v))
		l->input.addresses = v;
	read_policy(l, memo);
}

/* "id" as it came; null is a value too. */
static void
echo(struct maker *m, struct json_object *id)
{
	if (id != NULL)
		put_tree(m, NULL, "id", json_object_get(id));
	else if (!m->failed && json_object_object_add(m->top, "id", NULL) != 0)
		m->failed = true;
}

static bool
write_line(const struct line *l, FILE *out)
{
	const struct judge_result *r = &l->result;
	struct json_object *id = NULL;
	struct maker m;
	const char *text;
	size_t len;
	bool ok;

	maker_init(&m);
	if (l->in != NULL && json_object_object_get_ex(l->in, "id", &id))
		echo(&m, id);
	verdict_put(&m, r->code, &r->err);
	verdict_put_warnings(&m, NULL, r->warnings);
	if (r->decided && l->input.redirect_uri.p != NULL)
		put_bool(&m, NULL, "redirect_uri_ok", r->redirect_ok);
	if (r->decided)
		verdict_put_methods(&m, &r->decision);
	text = maker_text(&m, &len);
	ok = text != NULL && fwrite(text, 1, len, out) == len &&
	    putc('\n', out) != EOF;
	maker_clear(&m);
	return ok;
}

/* Is it the \u0000 or \uD800 to \uDFFF of a string?  p holds n bytes. */
static bool
is_odd_escape(const char *p, size_t n)
{
	return n >= 6 && p[1] == 'u' &&
	    (memcmp(p + 2, "0000", 4) == 0 ||
		((p[2] == 'd' || p[2] == 'D') && p[3] != '\0' &&
		    strchr("89abcdefABCDEF", p[3]) != NULL));
}

/*
 * Is it strict JSON?  NULs and lone surrogates are let by, where they are
 * escaped: an operator's own table may well hold one in a URL that is to be
 * refused.  The scan sees other escapes in their place.
 */
static enum cimd_err
scan_line(struct span text, struct cimd_error *err)
{
	static const char digits[4] = { 'e', '0', '0', '0' };
	char *copy = malloc(text.n + 1);
	enum cimd_err e;
	size_t i;

	if (copy == NULL)
		return err_no_memory(err);
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	for (i = 0; i < text.n; i++) {
		if (copy[i] != '\\')
			continue;
		if (is_odd_escape(copy + i, text.n - i))
			memcpy(copy + i + 2, digits, sizeof(digits));
		i++; /* what a backslash escapes may be one itself */
	}
	e = json_scan((struct span){ copy, text.n }, err);
	free(copy);
	return e;
}

/* The tree of a text that scan_line() takes; the one of json_scan.h is
 * stricter. */
static struct json_object *
build_tree(struct span text)
{
	struct json_tokener *t = json_tokener_new_ex(CIMD_MAX_JSON_DEPTH + 2);
	struct json_object *v;

	if (t == NULL)
		return NULL;
	v = json_tokener_parse_ex(t, text.p, (int)text.n);
	json_tokener_free(t);
	return v;
}

static void
parse_line(struct line *l, struct span text)
{
	struct cimd_error why = { 0 };
	enum cimd_err e;

	if (text.n > MAX_LINE) {
		l->result.code = err_set(&l->result.err, CIMD_E_JSON, "",
		    "the line has more than %d bytes", MAX_LINE);
		return;
	}
	e = scan_line(text, &why);
	if (e == CIMD_OK)
		l->in = build_tree(text);
	if (e == CIMD_E_NO_MEMORY)
		refuse(l, e, why.text);
	else if (e != CIMD_OK)
		l->result.code = err_set(&l->result.err, CIMD_E_JSON, "",
		    "the line is no JSON object: %s", why.text);
	else if (!json_object_is_type(l->in, json_type_object)) {
		json_object_put(l->in);
		l->in = NULL;
		refuse(l, CIMD_E_JSON, "the line is no JSON object");
	}
}

static bool
run_line(struct span text, FILE *out, struct policy *policy,
    struct policy_memo *memo)
{
	struct line l = { .input = { .policy = policy } };
	bool ok;

	parse_line(&l, text);
	if (l.in != NULL)
		read_line(&l, memo);
	if (l.result.code == CIMD_OK)
		judge(&l.input, &l.result);
	ok = write_line(&l, out);
	judge_clear(&l.result);
	policy_free(&l.own);
	free(l.decoded);
	json_object_put(l.in);
	return ok;
}

/*
 * The next line without its end; of one that is too long, one byte too many
 * is kept.  buf has room for MAX_LINE + 1 bytes.  False: there is none.
 */
static bool
next_line(FILE *in, char *buf, size_t *n)
{
	int c;

	*n = 0;
	while ((c = getc_unlocked(in)) != EOF && c != '\n')
		if (*n <= MAX_LINE)
			buf[(*n)++] = (char)c;
	return c != EOF || *n > 0;
}

bool
batch_run(FILE *in, FILE *out, struct policy *policy)
{
	struct policy_memo memo = { 0 };
	struct span text;
	char *buf = malloc(MAX_LINE + 1);
	bool ok = buf != NULL;

	text.p = buf;
	while (ok && next_line(in, buf, &text.n)) {
		while (text.n > 0 && buf[text.n - 1] == '\r')
			text.n--;
		ok = run_line(text, out, policy, &memo);
	}
	ok = ok && !ferror(in) && fflush(out) == 0;
	free(buf);
	free(memo.text);
	policy_free(&memo.policy);
	return ok;
}
