/*
 * json_lex.c - strings, numbers and literals of JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "ascii.h"
#include "error.h"
#include "json_lex.h"

static const char rfc8259[] = "RFC 8259";
static const char rfc7493[] = "RFC 7493";

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void
json_lex_space(struct json_lex *l)
{
	while (l->at < l->n && is_space(l->p[l->at]))
		l->at++;
}

int
json_lex_peek(const struct json_lex *l)
{
	return l->at < l->n ? (unsigned char)l->p[l->at] : -1;
}

enum cimd_err
json_lex_fail(const struct json_lex *l, const char *section, const char *what)
{
	return err_set(l->err, CIMD_E_JSON, section, "byte %zu: %s", l->at,
	    what);
}

/*
 * Length of the UTF-8 sequence at p, which holds n bytes and does not begin
 * with ASCII; 0 if there is none (RFC 3629 section 4: no overlong form, no
 * surrogate, at most U+10FFFF).
 */
static size_t
utf8_sequence(const char *p, size_t n)
{
	unsigned char lead = (unsigned char)p[0];
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	if (lead == 0xed)
		high = 0x9f;
	if (lead == 0xf0)
		low = 0x90;
	if (lead == 0xf4)
		high = 0x8f;
	for (i = 1; i < len; i++) {
		if ((unsigned char)p[i] < low || (unsigned char)p[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

/* The code unit of the \uXXXX at p, which holds n bytes; -1: there is none. */
static int32_t
code_unit(const char *p, size_t n)
{
	int32_t unit = 0;
	size_t i;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (i = 2; i < 6; i++) {
		int digit = ascii_hex(p[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static bool
is_high_surrogate(int32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool
is_low_surrogate(int32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Step over one escape; the cursor stands at its backslash. */
static enum cimd_err
lex_escape(struct json_lex *l)
{
	const char *p = l->p + l->at;
	size_t n = l->n - l->at;
	int32_t unit;

	if (n >= 2 && p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL) {
		l->at += 2;
		return CIMD_OK;
	}
	unit = code_unit(p, n);
	if (unit < 0)
		return json_lex_fail(l, rfc8259, "no such escape");
	if (unit == 0)
		return json_lex_fail(l, rfc7493, "\\u0000 in a string");
	if (is_high_surrogate(unit) &&
	    is_low_surrogate(code_unit(p + 6, n - 6))) {
		l->at += 12;
		return CIMD_OK;
	}
	if (is_high_surrogate(unit) || is_low_surrogate(unit))
		return json_lex_fail(l, rfc7493, "a lone surrogate");
	l->at += 6;
	return CIMD_OK;
}

/* Step over one character of a string that is not plain, and no quote. */
static enum cimd_err
lex_character(struct json_lex *l)
{
	unsigned char c = (unsigned char)l->p[l->at];
	size_t len;

	if (c == '\\')
		return lex_escape(l);
	if (c < 0x20)
		return json_lex_fail(l, rfc8259,
		    "a control character in a string");
	len = utf8_sequence(l->p + l->at, l->n - l->at);
	if (len == 0)
		return json_lex_fail(l, rfc8259, "bytes that are not UTF-8");
	l->at += len;
	return CIMD_OK;
}

/* ASCII that stands for itself in a string. */
static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Is one of eight bytes not plain?  High bits mark those that are not. */
static bool
has_special(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t x, quote, backslash;

	memcpy(&x, p, sizeof(x));
	quote = x ^ ones * '"';
	backslash = x ^ ones * '\\';
	/* A byte below n makes a borrow reach its high bit. */
	return ((x | (x - ones * 0x20) | (quote - ones) | (backslash - ones)) &
		   high) != 0;
}

static void
lex_plain(struct json_lex *l)
{
	size_t at = l->at;

	while (l->n - at >= sizeof(uint64_t) && !has_special(l->p + at))
		at += sizeof(uint64_t);
	while (at < l->n && is_plain((unsigned char)l->p[at]))
		at++;
	l->at = at;
}

enum cimd_err
json_lex_string(struct json_lex *l, struct span *raw)
{
	size_t start = ++l->at;
	enum cimd_err e;

	for (lex_plain(l); json_lex_peek(l) != '"'; lex_plain(l)) {
		if (l->at == l->n)
			return json_lex_fail(l, rfc8259,
			    "a string without an end");
		if ((e = lex_character(l)) != CIMD_OK)
			return e;
	}
	raw->p = l->p + start;
	raw->n = l->at - start;
	l->at++;
	return CIMD_OK;
}

/* Write code point c as UTF-8; at most 4 bytes. */
static size_t
put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Resolve the escape at p, which holds n bytes; *used: how many it took. */
static size_t
put_escape(const char *p, size_t n, char *out, size_t *used)
{
	static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *letter;
	int32_t unit, low;

	if (p[1] != 'u') {
		letter = strchr(letters, p[1]);
		out[0] = p[1];
		if (letter != NULL)
			out[0] = values[letter - letters];
		*used = 2;
		return 1;
	}
	unit = code_unit(p, n);
	*used = 6;
	if (is_high_surrogate(unit)) {
		low = code_unit(p + 6, n - 6);
		unit = 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00);
		*used = 12;
	}
	return put_utf8((uint32_t)unit, out);
}

size_t
json_unescape(struct span raw, char *out)
{
	size_t i = 0, n = 0, used;

	if (raw.n > 0 && memchr(raw.p, '\\', raw.n) == NULL) {
		memcpy(out, raw.p, raw.n);
		return raw.n;
	}
	while (i < raw.n) {
		if (raw.p[i] != '\\') {
			out[n++] = raw.p[i++];
			continue;
		}
		n += put_escape(raw.p + i, raw.n - i, out + n, &used);
		i += used;
	}
	return n;
}

/* Step over digits; how many there were. */
static size_t
lex_digits(struct json_lex *l)
{
	size_t start = l->at;

	while (l->at < l->n && ascii_digit(l->p[l->at]))
		l->at++;
	return l->at - start;
}

/* Step over c; false if another byte stands there. */
static bool
lex_byte(struct json_lex *l, char c)
{
	if (json_lex_peek(l) != c)
		return false;
	l->at++;
	return true;
}

/* The parts of a number: digits each, and the exponent with its sign. */
struct number {
	struct span whole;
	struct span fraction;
	struct span exponent;
	bool exponent_minus;
};

/* RFC 8259 section 6. */
static enum cimd_err
lex_number_parts(struct json_lex *l, struct number *out)
{
	(void)lex_byte(l, '-');
	out->whole.p = l->p + l->at;
	out->whole.n = lex_digits(l);
	if (out->whole.n == 0)
		return json_lex_fail(l, rfc8259, "no value");
	if (out->whole.n > 1 && out->whole.p[0] == '0')
		return json_lex_fail(l, rfc8259, "a number with leading 0");
	if (lex_byte(l, '.')) {
		out->fraction.p = l->p + l->at;
		out->fraction.n = lex_digits(l);
		if (out->fraction.n == 0)
			return json_lex_fail(l, rfc8259, "no digit after .");
	}
	if (lex_byte(l, 'e') || lex_byte(l, 'E')) {
		out->exponent_minus = lex_byte(l, '-');
		if (!out->exponent_minus)
			(void)lex_byte(l, '+');
		out->exponent.p = l->p + l->at;
		out->exponent.n = lex_digits(l);
		if (out->exponent.n == 0)
			return json_lex_fail(l, rfc8259, "no exponent");
	}
	return CIMD_OK;
}

/* The exponent as written; a large one is as good as any larger one. */
static int64_t
exponent_value(const struct number *number)
{
	int64_t value = 0;
	size_t i;

	for (i = 0; i < number->exponent.n && value < INT64_C(1000000000); i++)
		value = value * 10 + (number->exponent.p[i] - '0');
	return number->exponent_minus ? -value : value;
}

/* The digit at place i of whole and fraction, which end in zeros. */
static char
digit_at(const struct number *number, size_t i)
{
	if (i < number->whole.n)
		return number->whole.p[i];
	i -= number->whole.n;
	if (i < number->fraction.n)
		return number->fraction.p[i];
	return '0';
}

/* At most 1.7976931348623157e308, which is the largest double? */
static bool
is_finite(const struct number *number)
{
	static const char largest[] = "17976931348623157";
	size_t n = number->whole.n + number->fraction.n;
	size_t first = 0, i;
	int64_t exponent;

	while (first < n && digit_at(number, first) == '0')
		first++;
	if (first == n)
		return true;
	/* The first digit that is not 0 counts 10^exponent. */
	exponent = (int64_t)number->whole.n - 1 - (int64_t)first +
	    exponent_value(number);
	if (exponent != 308)
		return exponent < 308;
	for (i = 0; largest[i] != '\0'; i++) {
		char digit = digit_at(number, first + i);

		if (digit != largest[i])
			return digit < largest[i];
	}
	for (; first + i < n; i++)
		if (digit_at(number, first + i) != '0')
			return false;
	return true;
}

/* Below 2^53 = 9007199254740992? */
static bool
is_exact(struct span digits)
{
	static const char limit[] = "9007199254740992";

	if (digits.n != sizeof(limit) - 1)
		return digits.n < sizeof(limit) - 1;
	return memcmp(digits.p, limit, digits.n) < 0;
}

enum cimd_err
json_lex_number(struct json_lex *l, struct span *text, bool *integer)
{
	struct number number = { 0 };
	size_t start = l->at;
	enum cimd_err e;
	bool in_range;

	if ((e = lex_number_parts(l, &number)) != CIMD_OK)
		return e;
	*integer = number.fraction.p == NULL && number.exponent.p == NULL;
	in_range = *integer ? is_exact(number.whole) : is_finite(&number);
	if (!in_range) {
		l->at = start;
		return json_lex_fail(l, rfc7493,
		    "a number that a double cannot hold");
	}
	text->p = l->p + start;
	text->n = l->at - start;
	return CIMD_OK;
}

int64_t
json_integer(struct span text)
{
	int64_t value = 0;
	size_t i;

	for (i = 0; i < text.n; i++)
		if (text.p[i] != '-')
			value = value * 10 + (text.p[i] - '0');
	return text.n > 0 && text.p[0] == '-' ? -value : value;
}

enum cimd_err
json_lex_literal(struct json_lex *l, struct span *text)
{
	static const char *const literals[] = { "true", "false", "null" };
	size_t i, n;

	for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		n = strlen(literals[i]);
		if (l->n - l->at >= n &&
		    memcmp(l->p + l->at, literals[i], n) == 0) {
			text->p = l->p + l->at;
			text->n = n;
			l->at += n;
			return CIMD_OK;
		}
	}
	return json_lex_fail(l, rfc8259, "no value");
}
