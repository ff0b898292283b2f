/*
 * fuzz_wire.c - request target and body to the JSON of a method
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first byte chooses verb and socket; then comes the target up to the
 * first newline, then the body.  JSON that was made is strict JSON, unless
 * bytes are not UTF-8, and has exactly the parameters that a second, slow
 * reading of the query finds.
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json_scan.h"
#include "route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static bool
is_ascii_text(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static int
digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF", *at;

	at = c == '\0' ? NULL : strchr(digits, c);
	must(at != NULL);
	return (int)(at - digits) % 16;
}

/* The bytes that a piece of an accepted query stands for; free() them. */
static char *
decode(struct span raw)
{
	char *out = malloc(raw.n + 1);
	size_t i, n = 0;

	if (out == NULL)
		abort();
	for (i = 0; i < raw.n; i++) {
		out[n] = raw.p[i];
		if (raw.p[i] == '%') {
			must(i + 2 < raw.n);
			out[n] = (char)(digit(raw.p[i + 1]) * 16 +
			    digit(raw.p[i + 2]));
			i += 2;
		}
		must(out[n++] != '\0');
	}
	out[n] = '\0';
	return out;
}

static bool
has_high_bytes(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

/* One "name=value" has its member in o. */
static void
check_piece(struct span piece, struct json_object *o)
{
	const char *equals = memchr(piece.p, '=', piece.n);
	struct json_object *value = NULL;
	char *name, *text;

	must(equals != NULL);
	name = decode((struct span){ piece.p, (size_t)(equals - piece.p) });
	text = decode((struct span){ equals + 1,
	    piece.n - (size_t)(equals + 1 - piece.p) });
	must(json_object_object_get_ex(o, name, &value));
	must(strcmp(json_object_get_string(value), text) == 0);
#ifdef CIMD_PLANTED
	/* Wrong on purpose: as if no value had a quote. */
	must(strchr(text, '"') == NULL);
#endif
	free(name);
	free(text);
}

/* All of the query is in o, and nothing else. */
static void
check_query(const struct route_match *m, struct json_object *o)
{
	struct span piece = { m->query, 0 };
	const char *end = m->query + m->query_len;
	int n = 0;

	for (;; piece.p += piece.n + 1) {
		piece.n = 0;
		while (piece.p + piece.n < end && piece.p[piece.n] != '&')
			piece.n++;
		check_piece(piece, o);
		n++;
		if (piece.p + piece.n == end)
			break;
	}
	must(json_object_object_length(o) == n);
}

static void
check_json(const struct route_match *m, const char *json, size_t len)
{
	struct json_object *o = NULL, *id = NULL;
	struct cimd_error err;
	enum cimd_err e;

	must(strlen(json) == len);
	e = json_parse((struct span){ json, len }, &o, &err);
	if (e != CIMD_OK) {
		must(has_high_bytes(json));
		return;
	}
	if (m->route->input == ROUTE_SHORT) {
		must(json_object_object_get_ex(o, "short", &id));
		must(json_object_get_string_len(id) == (int)m->id_len);
		must(memcmp(json_object_get_string(id), m->id, m->id_len) == 0);
	} else if (m->query == NULL) {
		must(json_object_object_length(o) == 0);
	} else {
		check_query(m, o);
	}
	json_object_put(o);
}

static void
check_match(const struct route_match *m, const char *target)
{
	size_t n = strlen(target);

	must((m->route != NULL) == (m->status == 0));
	must(m->status == 0 || m->status == 403 || m->status == 404 ||
	    m->status == 405);
	must(m->status != 405 || m->allow != NULL);
	if (m->id != NULL)
		must(m->id > target && m->id + m->id_len <= target + n);
	if (m->query != NULL)
		must(m->query + m->query_len == target + n);
}

/* The body of a route with one: only its object's head may change. */
static void
check_body(const struct route_match *m, const char *json, size_t len,
    struct span body)
{
	must(json[len] == '\0');
	if (m->route->input == ROUTE_SHORT_BODY) {
		must(len > m->id_len && json[0] == '{');
		must(memcmp(json + 10, m->id, m->id_len) == 0);
	} else {
		must(len == body.n);
		must(len == 0 || memcmp(json, body.p, len) == 0);
	}
}

static void
check(const char *verb, const char *target, bool admin, struct span body)
{
	struct cimd_error err = { .code = CIMD_OK };
	struct route_match m;
	char *json = NULL;
	enum cimd_err e;
	size_t len = 0;

	route_find(verb, target, admin, &m);
	check_match(&m, target);
	if (m.route == NULL)
		return;
	e = route_json(&m, body.p, body.n, &json, &len, &err);
	must(e == CIMD_OK || e == CIMD_E_REQUEST);
	must((json != NULL) == (e == CIMD_OK));
	if (e != CIMD_OK)
		must(err.code == e && is_ascii_text(err.text));
	else if (route_has_body(m.route))
		check_body(&m, json, len, body);
	else
		check_json(&m, json, len);
	free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const verbs[] = { "GET", "POST", "HEAD", "" };
	const char *text = (const char *)data, *newline;
	struct span body = { NULL, 0 };
	char *target;
	size_t n;

	if (size == 0)
		return 0;
	n = size - 1;
	newline = memchr(text + 1, '\n', n);
	if (newline != NULL) {
		n = (size_t)(newline - text) - 1;
		body.p = newline + 1;
		body.n = size - n - 2;
	}
	target = strndup(text + 1, n);
	must(target != NULL);
	check(verbs[data[0] / 2 % 4], target, data[0] % 2 == 1, body);
	free(target);
	return 0;
}
