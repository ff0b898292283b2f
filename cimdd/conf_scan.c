/*
 * conf_scan.c - strict outline of a configuration file
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "conf_bytes.h"
#include "conf_scan.h"
#include "conf_table.h"

enum token_kind {
	TOKEN_END = 0,
	TOKEN_WORD,
	TOKEN_QUOTED,
	TOKEN_SIGN, /* one of { } = , */
};

struct token {
	enum token_kind kind;
	const char *p;
	size_t n;
	unsigned int line;
};

struct scan {
	char *at;
	char *end; /* the NUL */
	unsigned int line;
	struct token token; /* the one that was read last */
	size_t section;     /* the open one's row */
	struct conf_outline *out;
	struct conf_fault *fault;
};

enum cimd_err
conf_fault_set(struct conf_fault *f, unsigned int line, const char *fmt, ...)
{
	va_list ap;
	char *c;

	f->line = line;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	for (c = f->text; *c != '\0'; c++)
		if (*c < ' ' || *c >= 0x7f)
			*c = '?';
	return CIMD_E_CONFIG;
}

void
conf_outline_free(struct conf_outline *o)
{
	size_t i;

	for (i = 0; i < o->n; i++) {
		free(o->row[i].name);
		free(o->row[i].title);
		free(o->row[i].lines);
	}
	free(o->row);
	*o = (struct conf_outline){ 0 };
}

/* "// x", "# x": blanks up to the end of the line. */
static void
blank_line(struct scan *s)
{
	while (s->at < s->end && *s->at != '\n')
		*s->at++ = ' ';
}

static enum cimd_err
blank_block(struct scan *s)
{
	unsigned int line = s->line;
	char *close = strstr(s->at + 2, "*/");

	if (close == NULL)
		return conf_fault_set(s->fault, line,
		    "this comment is not closed");
	for (close += 2; s->at < close; s->at++)
		if (*s->at == '\n')
			s->line++;
		else
			*s->at = ' ';
	return CIMD_OK;
}

static bool
is_word_byte(char c)
{
	return ascii_alpha(c) || ascii_digit(c) ||
	    (c != '\0' && strchr("_.:/@-", c));
}

/* Skip blanks and comments. */
static enum cimd_err
skip_blanks(struct scan *s)
{
	enum cimd_err e;

	for (;;) {
		if (*s->at == '#' || strncmp(s->at, "//", 2) == 0) {
			blank_line(s);
		} else if (strncmp(s->at, "/*", 2) == 0) {
			if ((e = blank_block(s)) != CIMD_OK)
				return e;
		} else if (*s->at == '\n' || *s->at == ' ' || *s->at == '\t') {
			s->line += *s->at == '\n';
			s->at++;
		} else {
			return CIMD_OK;
		}
	}
}

static enum cimd_err
expansion(const struct scan *s)
{
	return conf_fault_set(s->fault, s->line,
	    "\"${\" is not expanded and not allowed");
}

/* At the opening quote.  What may be escaped is the same for libconfuse. */
static enum cimd_err
read_quoted(struct scan *s)
{
	char quote = *s->at++;

	s->token.p = s->at;
	for (; *s->at != quote; s->at++) {
		if (s->at == s->end || *s->at == '\n')
			return conf_fault_set(s->fault, s->line,
			    "this string is not closed on its line");
		if (s->at[0] == '$' && s->at[1] == '{')
			return expansion(s);
		if (*s->at != '\\')
			continue;
		s->at++;
		if (*s->at != quote && *s->at != '\\')
			return conf_fault_set(s->fault, s->line,
			    "only \\\\ and \\%c are escapes in this string",
			    quote);
	}
	s->token.n = (size_t)(s->at - s->token.p);
	s->token.kind = TOKEN_QUOTED;
	s->at++;
	return CIMD_OK;
}

static enum cimd_err
read_word(struct scan *s)
{
	s->token.kind = TOKEN_WORD;
	s->token.p = s->at;
	for (; is_word_byte(*s->at); s->at++)
		if (*s->at == '/' && (s->at[1] == '/' || s->at[1] == '*'))
			return conf_fault_set(s->fault, s->line,
			    "a value with \"/%c\" needs quotes", s->at[1]);
	s->token.n = (size_t)(s->at - s->token.p);
	return CIMD_OK;
}

static enum cimd_err
stray(const struct scan *s)
{
	if (s->at[0] == '$' && s->at[1] == '{')
		return expansion(s);
	if (*s->at == '+')
		return conf_fault_set(s->fault, s->line,
		    "\"+=\" is not supported: write one list");
	if (*s->at == '(' || *s->at == ')')
		return conf_fault_set(s->fault, s->line,
		    "there are no functions, include() among them: use "
		    "conf.d");
	if (*s->at > ' ' && *s->at < 0x7f)
		return conf_fault_set(s->fault, s->line,
		    "'%c' outside of quotes", *s->at);
	return conf_fault_set(s->fault, s->line,
	    "byte 0x%02x outside of quotes", (unsigned char)*s->at);
}

/* Read the next token into s->token. */
static enum cimd_err
next(struct scan *s)
{
	enum cimd_err e = skip_blanks(s);

	if (e != CIMD_OK)
		return e;
	s->token = (struct token){ TOKEN_END, s->at, 0, s->line };
	if (s->at == s->end)
		return CIMD_OK;
	if (*s->at == '"' || *s->at == '\'')
		return read_quoted(s);
	if (is_word_byte(*s->at))
		return read_word(s);
	if (strchr("{}=,", *s->at) == NULL)
		return stray(s);
	s->token.kind = TOKEN_SIGN;
	s->token.n = 1;
	s->at++;
	return CIMD_OK;
}

static bool
is_sign(const struct token *t, char sign)
{
	return t->kind == TOKEN_SIGN && *t->p == sign;
}

static bool
is_string(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
}

/* What was found instead of what should be there. */
static enum cimd_err
expected(const struct scan *s, const char *what)
{
	const struct token *t = &s->token;

	if (t->kind == TOKEN_END)
		return conf_fault_set(s->fault, t->line,
		    "the file ends where %s should be", what);
	return conf_fault_set(s->fault, t->line, "\"%.*s\" where %s should be",
	    t->n > 40 ? 40 : (int)t->n, t->p, what);
}

/* Add a row for the name in t; *row is its index. */
static enum cimd_err
add_row(struct scan *s, const struct token *t, size_t *row)
{
	struct conf_outline *o = s->out;
	struct conf_row *grown;

	if (o->n == CONF_MAX_ROWS)
		return conf_fault_set(s->fault, t->line,
		    "more than %d settings", CONF_MAX_ROWS);
	if (o->n == o->room) {
		grown = reallocarray(o->row, o->room * 2 + 32, sizeof(*grown));
		if (grown == NULL)
			return CIMD_E_NO_MEMORY;
		o->row = grown;
		o->room = o->room * 2 + 32;
	}
	o->row[o->n] = (struct conf_row){ .section = s->section };
	o->row[o->n].line = t->line;
	o->row[o->n].name = strndup(t->p, t->n);
	if (o->row[o->n].name == NULL)
		return CIMD_E_NO_MEMORY;
	*row = o->n++;
	return CIMD_OK;
}

static enum cimd_err
add_value(struct scan *s, struct conf_row *row)
{
	unsigned int *grown;

	if (row->values == CONF_MAX_VALUES)
		return conf_fault_set(s->fault, s->token.line,
		    "more than %d values in one list", CONF_MAX_VALUES);
	/* Room is doubled whenever the count is a power of two. */
	if ((row->values & (row->values - 1)) == 0) {
		grown = reallocarray(row->lines,
		    row->values == 0 ? 1 : row->values * 2, sizeof(*grown));
		if (grown == NULL)
			return CIMD_E_NO_MEMORY;
		row->lines = grown;
	}
	row->lines[row->values++] = s->token.line;
	return CIMD_OK;
}

/* After "{": strings with commas between, then "}". */
static enum cimd_err
read_list(struct scan *s, struct conf_row *row)
{
	enum cimd_err e;

	row->list = true;
	for (;;) {
		if ((e = next(s)) != CIMD_OK)
			return e;
		if (is_sign(&s->token, '}'))
			return CIMD_OK;
		if (!is_string(&s->token))
			return expected(s, "a value or \"}\"");
		if ((e = add_value(s, row)) != CIMD_OK ||
		    (e = next(s)) != CIMD_OK)
			return e;
		if (is_sign(&s->token, '}'))
			return CIMD_OK;
		if (!is_sign(&s->token, ','))
			return expected(s, "\",\" or \"}\"");
	}
}

/* After "name =". */
static enum cimd_err
read_setting(struct scan *s, const struct token *name)
{
	size_t row = 0;
	enum cimd_err e;

	if ((e = add_row(s, name, &row)) != CIMD_OK || (e = next(s)) != CIMD_OK)
		return e;
	if (is_sign(&s->token, '{'))
		return read_list(s, &s->out->row[row]);
	if (!is_string(&s->token))
		return expected(s, "a value");
	return add_value(s, &s->out->row[row]);
}

/* Is it the name of a kind of section? */
static bool
is_kind(const struct token *t)
{
	const struct conf_kind *kind;
	size_t i;

	for (i = 0; (kind = conf_kind_at(i)) != NULL; i++)
		if (strlen(kind->name) == t->n &&
		    memcmp(kind->name, t->p, t->n) == 0)
			return true;
	return false;
}

/* With the title in s->token. */
static enum cimd_err
read_section(struct scan *s, const struct token *name)
{
	const struct conf_row *open;
	const struct token title = s->token;
	size_t row = 0;
	enum cimd_err e;

	if (!is_kind(name))
		return conf_fault_set(s->fault, name->line,
		    "there is no section \"%.*s\"; a value with blanks needs "
		    "quotes",
		    name->n > 40 ? 40 : (int)name->n, name->p);
	if (s->section != CONF_NO_SECTION) {
		open = &s->out->row[s->section];
		return conf_fault_set(s->fault, name->line,
		    "a section inside %s \"%s\" of line %u, which is not "
		    "closed",
		    open->name, open->title, open->line);
	}
	if (!conf_is_title(title.p, title.n))
		return conf_fault_set(s->fault, title.line,
		    "the name of a section is 1 to %d letters, digits or one "
		    "of \".-_\"",
		    CONF_MAX_TITLE);
	if ((e = add_row(s, name, &row)) != CIMD_OK || (e = next(s)) != CIMD_OK)
		return e;
	if (!is_sign(&s->token, '{'))
		return expected(s, "\"{\"");
	s->out->row[row].title = strndup(title.p, title.n);
	if (s->out->row[row].title == NULL)
		return CIMD_E_NO_MEMORY;
	s->section = row;
	return CIMD_OK;
}

/* With a name, or what should be one, in s->token. */
static enum cimd_err
read_item(struct scan *s)
{
	const struct token name = s->token;
	enum cimd_err e;

	if (name.kind != TOKEN_WORD || !conf_is_name(name.p, name.n))
		return expected(s, "the name of a setting or section");
	if ((e = next(s)) != CIMD_OK)
		return e;
	if (is_sign(&s->token, '='))
		return read_setting(s, &name);
	if (is_string(&s->token))
		return read_section(s, &name);
	return expected(s, "\"=\" or the name of a section");
}

enum cimd_err
conf_scan(char *text, size_t len, struct conf_outline *out,
    struct conf_fault *fault)
{
	struct scan s = { .at = text,
		.end = text + len,
		.line = 1,
		.section = CONF_NO_SECTION,
		.out = out,
		.fault = fault };
	enum cimd_err e;

	*out = (struct conf_outline){ 0 };
	if ((e = conf_check_bytes(text, len, fault)) != CIMD_OK)
		return e;
	for (;;) {
		if ((e = next(&s)) != CIMD_OK)
			return e;
		if (s.token.kind == TOKEN_END)
			break;
		if (is_sign(&s.token, '}') && s.section != CONF_NO_SECTION)
			s.section = CONF_NO_SECTION;
		else if ((e = read_item(&s)) != CIMD_OK)
			return e;
	}
	if (s.section != CONF_NO_SECTION)
		return conf_fault_set(fault, out->row[s.section].line,
		    "%s \"%s\" is not closed", out->row[s.section].name,
		    out->row[s.section].title);
	return CIMD_OK;
}
