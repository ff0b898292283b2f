/*
 * http_field.h - the grammar that header fields share (RFC 9110 5.6)
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 5; in: bytes of a field value; out: its pieces; touches
 * nothing
 *
 * Each function reads from the front of *cur and moves it on; where it
 * returns false it has not moved it.
 */

#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include "cimd_int.h"

/* Numbers end here (of seconds, RFC 9111 1.2.2: 2^31). */
#define FIELD_NUMBER_MAX INT64_C(2147483648)

/* A token or a quoted string, the latter without its quotes. */
struct field_value {
	struct span raw;
	bool quoted; /* raw may hold quoted pairs */
};

/* Skip spaces and tabs. */
void field_ows(struct span *cur);

/* Without spaces and tabs at both ends. */
struct span field_trim(struct span text);

/* This byte. */
bool field_char(struct span *cur, char c);

/* At least one tchar. */
bool field_token(struct span *cur, struct span *out);

/* A token or a quoted string. */
bool field_value(struct span *cur, struct field_value *out);

/* Equal, quoted pairs undone, ASCII letters in either case? */
bool field_value_is(const struct field_value *v, const char *s);

/*
 * The number that digits and nothing else make, quoted pairs undone; -1:
 * something else.  Never more than FIELD_NUMBER_MAX.
 */
int64_t field_value_number(const struct field_value *v);

/* The same for bare bytes. */
int64_t field_number(struct span text);

/* Move to the next member of a list; false: there is none (left). */
bool field_list_next(struct span *cur);

/* Is the member over?  What stands behind it is skipped if it is not. */
bool field_list_end(struct span *cur);

#endif /* HTTP_FIELD_H */
