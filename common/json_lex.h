/*
 * json_lex.h - strings, numbers and literals of JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 6; in: bytes; out: one token, checked; touches nothing
 *
 * For json_scan.c and json_tree.c only.
 */

#ifndef JSON_LEX_H
#define JSON_LEX_H

#include "cimd_int.h"

/* A cursor over the text; err (which may be NULL) is where faults go. */
struct json_lex {
	const char *p;
	size_t n;
	size_t at;
	struct cimd_error *err;
};

/* Skip space, tab, line feed and carriage return. */
void json_lex_space(struct json_lex *l);

/* The byte at the cursor; -1 at the end. */
int json_lex_peek(const struct json_lex *l);

/*
 * Fail with CIMD_E_JSON: "byte N: what".  Bytes are counted from 0, section
 * is "RFC 8259" or "RFC 7493".  Returns the code.
 */
enum cimd_err json_lex_fail(const struct json_lex *l, const char *section,
    const char *what);

/*
 * Read a string; the cursor stands at its quote.  raw: the bytes between the
 * quotes, as they are: well-formed UTF-8 (RFC 3629) with known escapes, no
 * \u0000 and no lone surrogate (RFC 7493 2.1).  Fails with: CIMD_E_JSON.
 */
enum cimd_err json_lex_string(struct json_lex *l, struct span *raw);

/*
 * Read a number; the cursor stands at its first byte.  Integers are below
 * 2^53 (RFC 7493 2.2); anything with a fraction or an exponent is at most
 * 1.7976931348623157e308.  *integer: it has neither.  Fails with: CIMD_E_JSON.
 */
enum cimd_err json_lex_number(struct json_lex *l, struct span *text,
    bool *integer);

/* Read true, false or null.  Fails with: CIMD_E_JSON. */
enum cimd_err json_lex_literal(struct json_lex *l, struct span *text);

/*
 * Resolve the escapes of raw bytes that json_lex_string() accepted.  out has
 * room for raw.n bytes, which is always enough.  Returns the length.
 */
size_t json_unescape(struct span raw, char *out);

/* The value of an integer that json_lex_number() accepted. */
int64_t json_integer(struct span text);

#endif /* JSON_LEX_H */
